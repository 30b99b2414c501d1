/* table.c: an array of entries, and a hash table of their indices with open addressing. */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t table_seed(void)
{
    static uint64_t seed;
    if (seed == 0 && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL);
    return seed |= 1;
}

/* FNV-1a, with its higher bits in the lower ones, which tables use. */
uint64_t table_hash(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

/* Where the key is, or would be. */
static size_t *find_place(const table_t *table, const void *key)
{
    size_t at = (size_t)table_hash(table_seed(), key, table->key_size) & (table->place_count - 1);
    while (table->places[at] && memcmp(table_at(table, table->places[at] - 1), key, table->key_size) != 0)
        at = (at + 1) & (table->place_count - 1);
    return &table->places[at];
}

/* Room for one more. */
static void grow(table_t *table)
{
    if (table->count * 2 < table->place_count)
        return;
    table->place_count = table->place_count ? table->place_count * 2 : 64;
    table->places = program_resize(table->program, table->places, table->place_count * sizeof *table->places);
    table->entries = program_resize(table->program, table->entries, table->place_count / 2 * table->entry_size);
    memset(table->places, 0, table->place_count * sizeof *table->places);
    for (size_t i = 0; i < table->count; i++)
        *find_place(table, table_at(table, i)) = i + 1;
}

void *table_get(table_t *table, const void *key)
{
    grow(table);
    size_t *place = find_place(table, key);
    if (*place)
        return table_at(table, *place - 1);
    unsigned char *entry = table_at(table, table->count);
    memset(entry, 0, table->entry_size);
    memcpy(entry, key, table->key_size);
    *place = ++table->count;
    return entry;
}

void *table_find(const table_t *table, const void *key)
{
    const size_t *place = table->count > 0 ? find_place(table, key) : NULL;
    return place && *place ? table_at(table, *place - 1) : NULL;
}

void *table_at(const table_t *table, size_t index)
{
    return table->entries + index * table->entry_size;
}

void table_sort(table_t *table, int (*compare)(const void *, const void *))
{
    if (table->count > 0)
        qsort(table->entries, table->count, table->entry_size, compare);
}

void table_free(table_t *table)
{
    free(table->entries);
    free(table->places);
}
