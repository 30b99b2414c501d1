/* lengths.h: how many bytes a node can be long: for sample.c, which has to hit given lengths. */
#ifndef QCAPGEN_LENGTHS_H
#define QCAPGEN_LENGTHS_H

#include "grammar.h"

typedef struct lengths lengths_t;

#define LENGTHS_MAX 256u /* longer ones are not told apart: they are tried */
#define LENGTHS_NONE ((size_t)-1)

lengths_t *lengths_new(arena_t *arena, const grammar_t *grammar);

/* Can the node be `len` bytes long? Annotations inside are not asked. */
bool lengths_has(lengths_t *lengths, const node_t *node, size_t len);

/* Of a choice, the alternative that is the quickest way out: the index. */
size_t lengths_shortest(lengths_t *lengths, const node_t *choice);

/* `extent` bytes are left for the items of a sequence from number `item` on: how many of them for that one; or for one
 * more item of a repeat that has `done`. One of the possible lengths, picked by `random`; LENGTHS_NONE: there is none.
 */
size_t lengths_pick_part(lengths_t *lengths, const node_t *sequence, size_t item, size_t extent, uint64_t random);
size_t lengths_pick_item(lengths_t *lengths, const node_t *repeat, unsigned done, size_t extent, uint64_t random);

#endif
