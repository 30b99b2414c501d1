/* table.h: entries that are found by a key of fixed size, for programs that add things up. */
#ifndef EXAMPLES_TABLE_H
#define EXAMPLES_TABLE_H

#include "common.h"

/* Entries lie one behind the other in the order they were added, each beginning with its key; compared as bytes, so a key that
 * is a struct is to be zeroed first. */
typedef struct table {
    const program_t *program; /* for its last words, when there is no memory */
    size_t entry_size;        /* bytes of an entry, */
    size_t key_size;          /* and of its key */
    unsigned char *entries;
    size_t count;
    size_t *places;           /* hash table: 1 + the index of an entry; 0: free */
    size_t place_count;       /* 0, or a power of 2 */
} table_t;

/* The entry with that key; a new one is zeroed behind it. Valid until the next one is added. */
void *table_get(table_t *table, const void *key);

/* The entry with that key; NULL if there is none. */
void *table_find(const table_t *table, const void *key);

/* The entry at an index, 0 .. count - 1. */
void *table_at(const table_t *table, size_t index);

/* Puts the entries into another order; none can be looked up any more. */
void table_sort(table_t *table, int (*compare)(const void *, const void *));

void table_free(table_t *table);

/* A hash of bytes, which goes on from another one; the first goes on from table_seed(), which differs from run to run: whoever
 * made a capture does not know which of its entries will be in each other's way. */
uint64_t table_seed(void);
uint64_t table_hash(uint64_t hash, const void *bytes, size_t len);

#endif
