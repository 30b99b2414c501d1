/* budget.c: counts what is allocated, and refuses what is over the ceiling. See budget.h. */
#include "budget.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_LEN 64u             /* of the cache, in bytes */
#define PAGE_LEN ((size_t)2 << 20) /* a large one of most systems */

void qcapint_budget_init(qcapint_budget_t *budget, uint64_t limit)
{
    memset(budget, 0, sizeof *budget);
    budget->limit = limit;
}

/* Whether `size` more bytes may be used; counts the refusal if not. */
static bool allows(qcapint_budget_t *budget, size_t size)
{
    bool fails = budget->fail_in > 0 && --budget->fail_in == 0;
    if (!fails && budget->used <= budget->limit && size <= budget->limit - budget->used)
        return true;
    budget->refused++;
    return false;
}

static void charge(qcapint_budget_t *budget, size_t size)
{
    budget->used += size;
    if (budget->used > budget->peak)
        budget->peak = budget->used;
}

/* The system gave a block, or not. */
static void *note(qcapint_budget_t *budget, void *block, size_t size)
{
    if (block)
        charge(budget, size);
    else
        budget->refused++;
    return block;
}

void *qcapint_budget_alloc(qcapint_budget_t *budget, size_t size)
{
    return allows(budget, size) ? note(budget, calloc(1, size), size) : NULL;
}

void *qcapint_budget_get(qcapint_budget_t *budget, size_t size)
{
    return allows(budget, size) ? note(budget, malloc(size), size) : NULL;
}

/* Large blocks lie in large pages, where the system has them: those who look at any of their lines need few entries of the table
 * of pages. */
void *qcapint_budget_alloc_lines(qcapint_budget_t *budget, size_t size)
{
    size_t unit = size >= PAGE_LEN ? PAGE_LEN : LINE_LEN;
    if (size > SIZE_MAX - unit || !allows(budget, size))
        return NULL;
    void *block = aligned_alloc(unit, (size + unit - 1) / unit * unit);
#ifdef MADV_HUGEPAGE /* it is no matter whether the system does it */
    if (block && unit == PAGE_LEN)
        madvise(block, size, MADV_HUGEPAGE);
#endif
    if (block)
        memset(block, 0, size);
    return note(budget, block, size);
}

void *qcapint_budget_resize(qcapint_budget_t *budget, void *block, size_t old_size, size_t new_size)
{
    if (new_size > old_size && !allows(budget, new_size - old_size))
        return NULL;
    void *moved = realloc(block, new_size);
    if (!moved) {
        budget->refused++;
        return NULL;
    }
    budget->used -= old_size;
    charge(budget, new_size);
    return moved;
}

bool qcapint_budget_charge(qcapint_budget_t *budget, size_t size)
{
    if (!allows(budget, size))
        return false;
    charge(budget, size);
    return true;
}

void qcapint_budget_discharge(qcapint_budget_t *budget, size_t size)
{
    budget->used -= size;
}

void qcapint_budget_free(qcapint_budget_t *budget, void *block, size_t size)
{
    if (!block)
        return;
    budget->used -= size;
    free(block);
}
