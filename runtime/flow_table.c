/* flow_table.c: a hash table of conversations that costs one miss of the cache to look at. See flow_table.h.
 *
 * The hash that is kept beside each pointer tells where it belongs, so that the table grows without a look at the
 * conversations. It doubles when buckets have three of their five slots taken on average (with four, too
 * many are not in their own bucket); without memory it fills up. */
#include "flow_table.h"

#include <string.h>

#include "qcap.h"

#define FIRST_BUCKETS 128u
#define BUCKETS_MAX (1u << 30)
#define SLOTS QCAPINT_FLOW_SLOTS
#define SLOTS_TAKEN 3u /* of a bucket, on average, before the table grows */

typedef qcapint_flow_bucket_t bucket_t;

static size_t size_of(const qcapint_flow_table_t *table)
{
    return ((size_t)table->mask + 1) * sizeof *table->buckets;
}

static void set_mask(qcapint_flow_table_t *table, uint32_t mask)
{
    table->mask = mask;
    table->full = ((uint64_t)mask + 1) * SLOTS / 16 * 15;
}

int qcapint_flow_table_init(qcapint_flow_table_t *table, qcapint_budget_t *budget)
{
    table->count = 0;
    set_mask(table, FIRST_BUCKETS - 1);
    table->buckets = qcapint_budget_alloc_lines(budget, size_of(table));
    return table->buckets ? QCAP_OK : QCAP_E_MEMORY;
}

void qcapint_flow_table_fini(qcapint_flow_table_t *table, qcapint_budget_t *budget)
{
    qcapint_budget_free(budget, table->buckets, size_of(table));
    table->buckets = NULL;
}

void qcapint_flow_table_clear(qcapint_flow_table_t *table)
{
    if (table->count > 0)
        memset(table->buckets, 0, size_of(table));
    table->count = 0;
}

/* Puts it into the first bucket with room: there is one. */
static void put(qcapint_flow_table_t *table, uint32_t hash, qcapint_conv_t *conv)
{
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        bucket_t *bucket = &table->buckets[at];
        for (uint32_t i = 0; i < SLOTS; i++)
            if (!bucket->convs[i]) {
                bucket->convs[i] = conv;
                bucket->hashes[i] = hash;
                table->count++;
                return;
            }
        bucket->passed++;
    }
}

static bool has_room(const qcapint_flow_table_t *table, uint32_t slots)
{
    return table->count < ((uint64_t)table->mask + 1) * slots;
}

static void grow(qcapint_flow_table_t *table, qcapint_budget_t *budget)
{
    qcapint_flow_table_t old = *table;
    set_mask(table, old.mask * 2 + 1);
    table->buckets = old.mask < BUCKETS_MAX - 1 && !qcapint_budget_is_tight(budget)
                         ? qcapint_budget_alloc_lines(budget, size_of(table)) : NULL;
    if (!table->buckets) {
        *table = old;
        return;
    }
    table->count = 0;
    for (uint32_t at = 0; at <= old.mask; at++)
        for (uint32_t i = 0; i < SLOTS; i++)
            if (old.buckets[at].convs[i])
                put(table, old.buckets[at].hashes[i], old.buckets[at].convs[i]);
    qcapint_flow_table_fini(&old, budget);
}

bool qcapint_flow_table_add(qcapint_flow_table_t *table, qcapint_budget_t *budget, uint32_t hash, qcapint_conv_t *conv)
{
    if (!has_room(table, SLOTS_TAKEN))
        grow(table, budget);
    if (!has_room(table, SLOTS))
        return false;
    put(table, hash, conv);
    return true;
}

void qcapint_flow_table_remove(qcapint_flow_table_t *table, uint32_t hash, const qcapint_conv_t *conv)
{
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        bucket_t *bucket = &table->buckets[at];
        unsigned found = 0;
        for (unsigned i = 0; i < SLOTS; i++) /* a guess at the slot would be wrong mostly, and the bucket is not in the cache */
            found |= (unsigned)(bucket->convs[i] == conv) << i;
        if (found) {
            bucket->convs[__builtin_ctz(found)] = NULL;
            table->count--;
            return;
        }
        bucket->passed--;
    }
}
