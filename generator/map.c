/* map.c: a hash table of names: FNV-1a, linear probing. */
#include "map.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static unsigned char fold(const map_t *map, char c)
{
    return (unsigned char)(map->is_case_ignored && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_equal(const map_t *map, const char *a, const char *b)
{
    return map->is_case_ignored ? name_equal(a, b) : strcmp(a, b) == 0;
}

/* The name's entry, or the free one where it would go. */
static map_entry_t *find_entry(const map_t *map, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (const char *c = name; *c; c++)
        hash = (hash ^ fold(map, *c)) * 0x100000001b3u;
    size_t mask = map->capacity - 1;
    size_t i = (size_t)(hash ^ hash >> 32) & mask;
    while (map->entries[i].name && !is_equal(map, map->entries[i].name, name))
        i = (i + 1) & mask;
    return &map->entries[i];
}

static void grow(map_t *map)
{
    map_t grown = *map;

    grown.capacity = map->capacity ? map->capacity * 2 : 16;
    grown.entries = ARENA_ARRAY(map->arena, map_entry_t, grown.capacity);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].name)
            *find_entry(&grown, map->entries[i].name) = map->entries[i];
    *map = grown;
}

void *map_find(const map_t *map, const char *name)
{
    return map->capacity ? find_entry(map, name)->value : NULL;
}

void map_put(map_t *map, const char *name, void *value)
{
    if (map->count * 2 >= map->capacity)
        grow(map);
    map_entry_t *entry = find_entry(map, name);
    if (!entry->name)
        map->count++;
    *entry = (map_entry_t){.name = name, .value = value};
}

bool name_equal(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}
