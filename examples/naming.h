/* naming.h: what a mail calls a file, in UTF-8: words in other character sets (RFC 2047), names in sections (RFC 2231). */
#ifndef EXAMPLES_NAMING_H
#define EXAMPLES_NAMING_H

#include "common.h"

/* What the field at hand has said so far. NULL: nothing yet. */
typedef struct naming naming_t;

/* To be called with these elements of mime, in the order in which they are told. */
#define NAMING_MAP(X)                                                                                                  \
    X("mime.word-charset")                                                                                             \
    X("mime.encoded-text")                                                                                             \
    X("mime.word-text")                                                                                                \
    X("mime.section-number")                                                                                           \
    X("mime.section-charset")                                                                                          \
    X("mime.extended-octets")                                                                                          \
    X("mime.section-text")
void naming_take(const program_t *program, naming_t **naming, const qcap_match_t *match);

/* What a name means that stands in one piece: a mime.file-name. The caller frees it. */
char *naming_name(const program_t *program, const naming_t *naming, const qcap_match_t *name);

/* The name that the field's sections make, which the caller frees; NULL: there were none. The field is over: all is forgotten. */
char *naming_end(const program_t *program, naming_t *naming);

void naming_free(naming_t *naming);

#endif
