/* budget.h: who pays for memory.
 *
 * Every allocation that lives longer than a call, of every stage, goes through one budget per handle. An allocation
 * over the ceiling is refused like one that the system refuses: the caller drops what it was for, and counts it.
 * Making room is not done here, in the middle of somebody's work, but between packets: while the
 * budget is tight, what was idle longest leaves (qcap.c). */
#ifndef QCAP_BUDGET_H
#define QCAP_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct qcapint_budget {
    uint64_t limit;   /* bytes */
    uint64_t used;    /* bytes now */
    uint64_t peak;    /* most bytes so far */
    uint64_t refused; /* allocations refused so far */
    uint64_t fail_in; /* for tests: the allocation to refuse, counted down to 0; 0: none */
} qcapint_budget_t;

void qcapint_budget_init(qcapint_budget_t *budget, uint64_t limit);

/* Returns `size` bytes of zeros, or NULL. To be freed with the same size. */
void *qcapint_budget_alloc(qcapint_budget_t *budget, size_t size);
void *qcapint_budget_get(qcapint_budget_t *budget, size_t size); /* not cleared */

/* The same at the beginning of a line of the cache. */
void *qcapint_budget_alloc_lines(qcapint_budget_t *budget, size_t size);

/* As realloc(): returns the moved block, or NULL and leaves the old one as it is. New bytes are not cleared. */
void *qcapint_budget_resize(qcapint_budget_t *budget, void *block, size_t old_size, size_t new_size);

/* Charges `size` bytes that come from elsewhere. Returns false if they are refused. */
bool qcapint_budget_charge(qcapint_budget_t *budget, size_t size);
void qcapint_budget_discharge(qcapint_budget_t *budget, size_t size);

/* NULL is allowed, whatever the size. */
void qcapint_budget_free(qcapint_budget_t *budget, void *block, size_t size);

/* True when a quarter is left: what should go next is found out. */
static inline bool qcapint_budget_is_scarce(const qcapint_budget_t *budget)
{
    return budget->used > budget->limit - budget->limit / 4;
}

/* True when so little is left (a sixteenth) that something should go. */
static inline bool qcapint_budget_is_tight(const qcapint_budget_t *budget)
{
    return budget->used > budget->limit - budget->limit / 16;
}

#endif
