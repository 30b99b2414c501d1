/* arena.c: a list of blocks, each filled from its start. A request that does not fit a block's rest gets a new block;
 * blocks are never reused, so a pointer stays good until the arena goes. */
#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)

typedef struct block {
    struct block *next;                /* the one filled before */
    size_t used, size;                 /* of bytes */
    alignas(max_align_t) char bytes[]; /* what was asked for */
} block_t;

struct arena {
    block_t *blocks; /* the newest first: the one being filled */
};

/* The one place where lack of memory ends the program. */
static void *need(void *memory)
{
    if (memory)
        return memory;
    fputs("qcapgen: out of memory\n", stderr);
    exit(1);
}

arena_t *arena_new(void)
{
    return need(calloc(1, sizeof(arena_t)));
}

void arena_free(arena_t *arena)
{
    if (!arena)
        return;
    for (block_t *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static block_t *add_block(arena_t *arena, size_t size)
{
    block_t *block = need(size > SIZE_MAX - sizeof(block_t) ? NULL : calloc(1, sizeof(block_t) + size));

    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(arena_t *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return need(NULL);
    size = (size + unit - 1) / unit * unit;

    block_t *block = arena->blocks;
    if (!block || size > block->size - block->used)
        block = add_block(arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(arena_t *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);

    if (len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_print(arena_t *arena, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    size_t size = len < 0 ? 1 : (size_t)len + 1;
    char *text = arena_alloc(arena, size);
    vsnprintf(text, size, format, again);
    va_end(again);
    va_end(args);
    return text;
}
