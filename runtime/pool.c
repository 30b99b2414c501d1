/* pool.c: blocks of one size, close together. See pool.h.
 *
 * A chunk begins at a multiple of its size, with what is known of it: so a block finds its chunk. Free blocks of a chunk are a list
 * through the blocks themselves; those that never were in use are not touched, so that the system need not provide them yet. The
 * first chunk of a pool is short, for the many handles that never see more than some conversations. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "asan.h"
#include "bytes.h"

#define CHUNK_MAX ((size_t)2 << 20) /* a large page of most systems */
#define CHUNK_MIN ((size_t)16 << 10)
#define CHUNK_PART 256u      /* of the memory ceiling */
#define FIRST_PART 16u       /* of a chunk: the first one */
#define HEADER_LEN 64u       /* a line of the cache */
#define FETCH_MAX 256u       /* of a block: the rest is fetched as it is written */
#define BLOCK_MAX 4096u      /* larger ones need no chunk */

struct qcapint_chunk {
    qcapint_chunk_t *before, *behind; /* in the pool's list, if it has room */
    void *free;                       /* blocks that came back: each begins with a pointer to the next */
    size_t used;                      /* blocks in use */
    size_t touched;                   /* offset behind the blocks that ever were */
    size_t size;                      /* of the chunk */
};

_Static_assert(sizeof(qcapint_chunk_t) <= HEADER_LEN, "a chunk's header has its place");
_Static_assert(HEADER_LEN + BLOCK_MAX <= CHUNK_MIN, "the smallest chunk has room for the largest block");

void qcapint_pool_init(qcapint_pool_t *pool, qcapint_budget_t *budget, size_t size)
{
    *pool = (qcapint_pool_t){.budget = budget, .block_size = size};
}

/* ---------------------------------------------------------------- chunks */

static void open_chunk(qcapint_pool_t *pool, qcapint_chunk_t *chunk)
{
    chunk->before = NULL;
    chunk->behind = pool->open;
    if (pool->open)
        pool->open->before = chunk;
    pool->open = chunk;
}

static void close_chunk(qcapint_pool_t *pool, qcapint_chunk_t *chunk)
{
    *(chunk->before ? &chunk->before->behind : &pool->open) = chunk->behind;
    if (chunk->behind)
        chunk->behind->before = chunk->before;
}

static bool has_room(const qcapint_pool_t *pool, const qcapint_chunk_t *chunk)
{
    return chunk->free || chunk->size - chunk->touched >= pool->block_size;
}

static size_t choose_size(const qcapint_pool_t *pool)
{
    size_t size = CHUNK_MAX;
    while (size > CHUNK_MIN && size > pool->budget->limit / CHUNK_PART)
        size /= 2;
    return size;
}

static void free_chunk(qcapint_chunk_t *chunk)
{
    if (chunk)
        QCAPINT_PERMIT(chunk, chunk->size);
    free(chunk);
}

/* How much of a new chunk is used. The first one has room for a block, however small it is. */
static size_t choose_use(const qcapint_pool_t *pool, bool is_first)
{
    size_t part = pool->chunk_size / FIRST_PART, least = HEADER_LEN + pool->block_size;
    return !is_first ? pool->chunk_size : part > least ? part : least;
}

/* Opens the spare one, or a new one. */
static qcapint_chunk_t *get_chunk(qcapint_pool_t *pool)
{
    qcapint_chunk_t *spare = pool->spare;
    if (spare) {
        pool->spare = NULL;
        open_chunk(pool, spare);
        return spare;
    }
    bool is_first = pool->chunk_size == 0;
    if (is_first)
        pool->chunk_size = choose_size(pool);
    qcapint_chunk_t *chunk = aligned_alloc(pool->chunk_size, pool->chunk_size);
    if (!chunk)
        return NULL;
#ifdef MADV_HUGEPAGE /* it is no matter whether the system does it */
    if (!is_first && pool->chunk_size == CHUNK_MAX)
        madvise(chunk, CHUNK_MAX, MADV_HUGEPAGE);
#endif
    *chunk = (qcapint_chunk_t){.touched = HEADER_LEN, .size = choose_use(pool, is_first)};
    open_chunk(pool, chunk);
    return chunk;
}

void qcapint_pool_fini(qcapint_pool_t *pool)
{
    while (pool->open) {
        qcapint_chunk_t *chunk = pool->open;
        close_chunk(pool, chunk);
        free_chunk(chunk);
    }
    free_chunk(pool->spare);
    pool->spare = NULL;
}

/* ---------------------------------------------------------------- blocks */

static void *take(qcapint_pool_t *pool, qcapint_chunk_t *chunk)
{
    void *block = chunk->free;
    if (block) {
        QCAPINT_PERMIT(block, pool->block_size);
        memcpy(&chunk->free, block, sizeof chunk->free);
        qcapint_fetch(chunk->free, pool->block_size < FETCH_MAX ? pool->block_size : FETCH_MAX); /* who is next */
    } else {
        block = (unsigned char *)chunk + chunk->touched;
        chunk->touched += pool->block_size;
    }
    chunk->used++;
    if (!has_room(pool, chunk))
        close_chunk(pool, chunk);
    return block;
}

void *qcapint_pool_get(qcapint_pool_t *pool)
{
    if (pool->block_size > BLOCK_MAX)
        return qcapint_budget_alloc(pool->budget, pool->block_size);
    if (!qcapint_budget_charge(pool->budget, pool->block_size))
        return NULL;
    qcapint_chunk_t *chunk = pool->open ? pool->open : get_chunk(pool);
    if (chunk)
        return take(pool, chunk);
    qcapint_budget_discharge(pool->budget, pool->block_size);
    pool->budget->refused++;
    return NULL;
}

void *qcapint_pool_alloc(qcapint_pool_t *pool)
{
    void *block = qcapint_pool_get(pool);
    return block ? memset(block, 0, pool->block_size) : NULL;
}

void qcapint_pool_free(qcapint_pool_t *pool, void *block)
{
    if (!block)
        return;
    if (pool->block_size > BLOCK_MAX) {
        qcapint_budget_free(pool->budget, block, pool->block_size);
        return;
    }
    qcapint_chunk_t *chunk = (qcapint_chunk_t *)((uintptr_t)block & ~(uintptr_t)(pool->chunk_size - 1));
    if (!has_room(pool, chunk))
        open_chunk(pool, chunk);
    memcpy(block, &chunk->free, sizeof chunk->free);
    chunk->free = block;
    chunk->used--;
    QCAPINT_FORBID(block, pool->block_size);
    qcapint_budget_discharge(pool->budget, pool->block_size);
    if (chunk->used > 0 || (!chunk->before && !chunk->behind)) /* else another one has room */
        return;
    close_chunk(pool, chunk);
    if (pool->spare)
        free_chunk(chunk);
    else
        pool->spare = chunk;
}
