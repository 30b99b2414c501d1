/* spare.h: blocks of few sizes, most of them large, that come and go.
 *
 * What sub-streams are read with, and the queues of parsers: a conversation needs such a block, or two, and soon gives it back. The
 * last one that came back serves first: it is still in the cache. A block that is spare is not charged to the budget; all of
 * them have at most a small part of its ceiling. */
#ifndef QCAP_SPARE_H
#define QCAP_SPARE_H

#include "budget.h"

#define QCAPINT_SPARE_SIZES 16u

/* Blocks of one size. */
typedef struct qcapint_spare {
    size_t size; /* 0: of none yet */
    void *first; /* begins with a pointer to the next */
} qcapint_spare_t;

typedef struct qcapint_spares {
    qcapint_budget_t *budget;                    /* pays */
    size_t kept;                                 /* bytes of those that are spare */
    qcapint_spare_t all[QCAPINT_SPARE_SIZES];    /* sizes in the order they came; blocks of others are not kept */
} qcapint_spares_t;

void qcapint_spares_init(qcapint_spares_t *spares, qcapint_budget_t *budget);
void qcapint_spares_fini(qcapint_spares_t *spares);

/* Returns a block of `size` bytes, at least a pointer's, of anything, or NULL. To be given back with the same size. */
void *qcapint_spares_get(qcapint_spares_t *spares, size_t size);
void qcapint_spares_put(qcapint_spares_t *spares, void *block, size_t size);

#endif
