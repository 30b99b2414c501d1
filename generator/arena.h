/* arena.h: the memory of one compilation.
 *
 * Everything a compilation makes lives in one arena and dies with it; objects point freely at each other. Out of memory
 * ends the program, here and nowhere else. */
#ifndef QCAPGEN_ARENA_H
#define QCAPGEN_ARENA_H

#include <stddef.h>

typedef struct arena arena_t;

arena_t *arena_new(void);
void arena_free(arena_t *arena);

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(arena_t *arena, size_t size);

/* A NUL-terminated copy of len bytes. */
char *arena_copy(arena_t *arena, const char *text, size_t len);

/* printf into the arena. */
char *arena_print(arena_t *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
