/* vec.h: growing arrays in an arena.
 *
 *     typedef VEC(int) ints_t;
 *     ints_t v = {0};
 *     vec_push(arena, &v, 7);
 *     for (size_t i = 0; i < v.count; i++) use(v.items[i]);
 *
 * Old storage stays behind in the arena when an array grows: at most as much again. */
#ifndef QCAPGEN_VEC_H
#define QCAPGEN_VEC_H

#include <string.h>

#include "arena.h"

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

#define vec_push(arena, vec, item)                                                                                     \
    do {                                                                                                               \
        if ((vec)->count == (vec)->capacity)                                                                           \
            (vec)->items = vec_grow((arena), (vec)->items, (vec)->count, &(vec)->capacity, sizeof *(vec)->items);      \
        (vec)->items[(vec)->count++] = (item);                                                                         \
    } while (0)

static inline void *vec_grow(arena_t *arena, const void *items, size_t count, size_t *capacity, size_t size)
{
    *capacity = *capacity ? *capacity * 2 : 8;
    void *grown = arena_alloc(arena, *capacity * size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

#endif
