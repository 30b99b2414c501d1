/* transfers.h: the commands of a control connection, and which of them a data connection was for. */
#ifndef EXAMPLES_TRANSFERS_H
#define EXAMPLES_TRANSFERS_H

#include "common.h"

/* The last commands of one connection. NULL: there was none yet. */
typedef struct transfers transfers_t;

/* A command was sent; what it names follows. */
void transfers_command(const program_t *program, transfers_t **transfers, const qcap_match_t *command);
void transfers_name(const program_t *program, transfers_t *transfers, const qcap_match_t *name);

/* The name, or else the command, that a connection was for which was announced at that time: the first one behind the
 * announcement that no other was for; clients that do not wait for the reply which announces it have sent the command before.
 * NULL: there is none. */
const char *transfers_take(transfers_t *transfers, int64_t announced_ns);

void transfers_free(transfers_t *transfers);

#endif
