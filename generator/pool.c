/* pool.c: a hash table from sequences of numbers to their index. */
#include "pool.h"

static size_t hash_of(const unsigned *words, size_t len)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ words[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* The bucket of the sequence, or the free one where it belongs. */
static unsigned *find_bucket(const pool_t *pool, const unsigned *words, size_t len)
{
    size_t mask = pool->bucket_count - 1;
    for (size_t i = hash_of(words, len) & mask;; i = (i + 1) & mask) {
        unsigned *bucket = &pool->buckets[i];
        if (*bucket == 0)
            return bucket;
        const pool_entry_t *e = &pool->entries.items[*bucket - 1];
        if (e->len == len && (len == 0 || memcmp(pool->words.items + e->first, words, len * sizeof *words) == 0))
            return bucket;
    }
}

static void grow(pool_t *pool)
{
    pool->bucket_count = pool->bucket_count ? 2 * pool->bucket_count : 64;
    pool->buckets = ARENA_ARRAY(pool->arena, unsigned, pool->bucket_count);
    for (size_t i = 0; i < pool->entries.count; i++) {
        const pool_entry_t *e = &pool->entries.items[i];
        *find_bucket(pool, pool->words.items + e->first, e->len) = (unsigned)i + 1;
    }
}

unsigned pool_add(pool_t *pool, const unsigned *words, size_t len)
{
    if (2 * pool->entries.count >= pool->bucket_count)
        grow(pool);
    unsigned *bucket = find_bucket(pool, words, len);
    if (*bucket == 0) {
        vec_push(pool->arena, &pool->entries, ((pool_entry_t){(unsigned)pool->words.count, (unsigned)len}));
        for (size_t i = 0; i < len; i++)
            vec_push(pool->arena, &pool->words, words[i]);
        *bucket = (unsigned)pool->entries.count;
    }
    return *bucket - 1;
}

unsigned pool_place(pool_t *pool, const unsigned *words, size_t len)
{
    unsigned number = pool_add(pool, words, len);
    return pool->entries.items[number].first;
}
