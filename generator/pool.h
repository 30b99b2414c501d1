/* pool.h: sequences of numbers, each different one kept once. */
#ifndef QCAPGEN_POOL_H
#define QCAPGEN_POOL_H

#include <stdint.h>

#include "vec.h"

typedef VEC(unsigned) words_t;

/* A sequence in the pool. */
typedef struct pool_entry {
    unsigned first; /* index in words */
    unsigned len;
} pool_entry_t;

/* An empty pool is all zeroes but for the arena. */
typedef struct pool {
    arena_t *arena;
    words_t words;             /* all sequences, one behind the other */
    VEC(pool_entry_t) entries; /* in order of arrival */
    unsigned *buckets;         /* open addressing: 1 + index in entries, 0: free */
    size_t bucket_count;       /* a power of two, or 0 */
} pool_t;

/* The number of the sequence among the entries, added if it is new. */
unsigned pool_add(pool_t *pool, const unsigned *words, size_t len);

/* The same; returns where the sequence begins in the pool's words. */
unsigned pool_place(pool_t *pool, const unsigned *words, size_t len);

#endif
