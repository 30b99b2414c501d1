/* flow_table.h: finds conversations by a hash. See flow_table.c.
 *
 * A bucket is one line of the cache: five hashes and five pointers. What does not fit is in the next bucket that has room, and
 * each bucket knows how many went by: a search ends at the first that none went by. */
#ifndef QCAP_FLOW_TABLE_H
#define QCAP_FLOW_TABLE_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <stdbool.h>
#include <stdint.h>

#include "budget.h"

#define QCAPINT_FLOW_SLOTS 5

typedef struct qcapint_conv qcapint_conv_t; /* flow.h */

typedef struct qcapint_flow_bucket {
    qcapint_conv_t *convs[QCAPINT_FLOW_SLOTS]; /* NULL: free */
    uint32_t hashes[QCAPINT_FLOW_SLOTS];       /* of those */
    uint32_t passed;                           /* conversations that wanted to be here or before, and are behind */
} qcapint_flow_bucket_t;

typedef struct qcapint_flow_table {
    qcapint_flow_bucket_t *buckets;
    uint32_t mask;  /* buckets, a power of 2, less one */
    uint64_t count; /* conversations */
    uint64_t full;  /* with more, something should go */
} qcapint_flow_table_t;

/* Returns 0, or QCAP_E_MEMORY. */
int qcapint_flow_table_init(qcapint_flow_table_t *table, qcapint_budget_t *budget);
void qcapint_flow_table_fini(qcapint_flow_table_t *table, qcapint_budget_t *budget);

/* Forgets all conversations. */
void qcapint_flow_table_clear(qcapint_flow_table_t *table);

/* Returns false if there is neither room nor memory for more. */
bool qcapint_flow_table_add(qcapint_flow_table_t *table, qcapint_budget_t *budget, uint32_t hash, qcapint_conv_t *conv);

/* Of a conversation that is in the table. */
void qcapint_flow_table_remove(qcapint_flow_table_t *table, uint32_t hash, const qcapint_conv_t *conv);

/* True when it is so full that it should grow, but could not: something should go. */
static inline bool qcapint_flow_table_is_tight(const qcapint_flow_table_t *table)
{
    return table->count > table->full;
}

static inline const qcapint_flow_bucket_t *qcapint_flow_bucket(const qcapint_flow_table_t *table, uint32_t hash)
{
    return &table->buckets[hash & table->mask];
}

/* Which slots of a bucket have that hash: a bit for each. */
static inline unsigned qcapint_flow_slots(const qcapint_flow_bucket_t *bucket, uint32_t hash)
{
    unsigned slots = 0, i = 0;
#ifdef __SSE2__ /* four at once */
    __m128i hashes = _mm_loadu_si128((const __m128i *)(const void *)bucket->hashes);
    slots = (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(hashes, _mm_set1_epi32((int32_t)hash))));
    i = 4;
#endif
    for (; i < QCAPINT_FLOW_SLOTS; i++)
        slots |= (unsigned)(bucket->hashes[i] == hash) << i;
    return slots;
}

#endif
