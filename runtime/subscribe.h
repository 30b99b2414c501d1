/* subscribe.h: what the application wants of each protocol. See subscribe.c. */
#ifndef QCAP_SUBSCRIBE_H
#define QCAP_SUBSCRIBE_H

#include "meant.h"
#include "upper.h"

/* The plan of a protocol, with nothing wanted of it yet. NULL if there is no memory. */
qcapint_plan_t *qcapint_subscribe_plan_new(qcap_t *q, const qcap_protocol_t *protocol);
void qcapint_subscribe_plan_free(qcap_t *q, qcapint_plan_t *plan); /* NULL is allowed */

/* Finds out of each plan whether it is_noticed: to be called when a protocol was added. */
void qcapint_subscribe_update(qcap_t *q);

/* Whether a name, "http.host" or "http" for any element, fits that element. */
bool qcapint_subscribe_fits(const char *name, const qcap_protocol_t *protocol, uint16_t element);

/* Guesses what was meant by a name that fits none: an element of a protocol that there is, or else a protocol. `text` is
 * borrowed by `meant`. */
void qcapint_subscribe_guess(const qcap_t *q, const char *text, qcapint_meant_t *meant);

/* Frees the report handlers. */
void qcapint_subscribe_fini(qcap_t *q);

#endif
