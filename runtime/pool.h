/* pool.h: blocks of one size, close together.
 *
 * Conversations and their parsers come and go by the hundred thousand, and each packet looks at one: what costs most then is to
 * find its page of memory. So they lie in chunks that the system is asked to map as one large page each; none
 * has a header of its own. Blocks are charged to the budget, not chunks: of those at most a part of the ceiling is unused at
 * first, and chunks whose blocks have all gone are given back, but for one. Of large blocks each is on its own. */
#ifndef QCAP_POOL_H
#define QCAP_POOL_H

#include "budget.h"

typedef struct qcapint_chunk qcapint_chunk_t;

typedef struct qcapint_pool {
    qcapint_budget_t *budget; /* pays */
    size_t block_size;
    size_t chunk_size;        /* a power of 2, and what chunks begin at a multiple of; 0: there was none yet */
    qcapint_chunk_t *open;    /* chunks with room, the one that is filled first */
    qcapint_chunk_t *spare;   /* one that is empty, kept for the next rush; NULL: none */
} qcapint_pool_t;

/* Of blocks of `size` bytes, at least a pointer's, which are aligned like pointers. */
void qcapint_pool_init(qcapint_pool_t *pool, qcapint_budget_t *budget, size_t size);

/* All blocks must have been freed. */
void qcapint_pool_fini(qcapint_pool_t *pool);

/* Returns a block, or NULL: of zeros, or of anything. */
void *qcapint_pool_alloc(qcapint_pool_t *pool);
void *qcapint_pool_get(qcapint_pool_t *pool);
void qcapint_pool_free(qcapint_pool_t *pool, void *block);

#endif
