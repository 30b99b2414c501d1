/* meant.h: which of many names was probably meant by one that does not exist. See meant.c. */
#ifndef QCAP_MEANT_H
#define QCAP_MEANT_H

#include <stddef.h>

#define QCAPINT_MEANT_SIZE 80 /* bytes of what is said of it, with its NUL */

/* What was asked for, and the best of the names so far. */
typedef struct qcapint_meant {
    const char *name; /* borrowed */
    size_t len;
    unsigned heaviest; /* what the mistakes may weigh: more make another word, or one less likely than that below */
    char likely[QCAPINT_MEANT_SIZE]; /* as qcapint_meant_text() says it; "": none */
} qcapint_meant_t;

/* Begins with a name that does not exist. */
void qcapint_meant_begin(qcapint_meant_t *meant, const char *name, size_t len);

/* Offers one that does exist, in two parts: `before` stands in front of it, and is not compared. Of several that are as
 * likely, the first is kept; one that is longer than there is room for is passed over. */
void qcapint_meant_offer(qcapint_meant_t *meant, const char *before, const char *name);

/* Where nothing that was offered is likely: this one. */
void qcapint_meant_suggest(qcapint_meant_t *meant, const char *name);

/* What to say behind "there is no such name": "; did you mean NAME?", or "". */
const char *qcapint_meant_text(const qcapint_meant_t *meant);

#endif
