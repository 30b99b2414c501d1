/* map.h: from names to things. */
#ifndef QCAPGEN_MAP_H
#define QCAPGEN_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

typedef struct map_entry {
    const char *name; /* borrowed; NULL: the entry is free */
    void *value;      /* what the name stands for */
} map_entry_t;

/* Open addressing, at most half full. An empty map is all zeroes but for these two. */
typedef struct map {
    arena_t *arena;         /* where entries are kept */
    bool is_case_ignored;   /* names that differ in the case of ASCII letters are one name */
    map_entry_t *entries;   /* capacity of them */
    size_t count, capacity; /* capacity is a power of two, or 0 */
} map_t;

/* NULL if the name is not there. */
void *map_find(const map_t *map, const char *name);

/* Adds the name, or gives it another value. In a map that is a mere set, any value will do. */
void map_put(map_t *map, const char *name, void *value);

/* ABNF compares names and strings ignoring the case of ASCII letters. */
bool name_equal(const char *a, const char *b);

#endif
