/* emit_machine.h: what direct code is made of, for emit_machine.c (states) and emit_trace.c (states in the order in which they are
 * likely to be passed). */
#ifndef QCAPGEN_EMIT_MACHINE_H
#define QCAPGEN_EMIT_MACHINE_H

#include "emit.h"
#include "emit_class.h"
#include "position.h"

/* Operations and moves that lead to a state, used by several edges. */
typedef struct shared_edge {
    const edge_t *edge;
    unsigned use_count;
    unsigned number;
} shared_edge_t;

typedef VEC(shared_edge_t) shared_edges_t;

/* What the parts of a machine need to know. */
typedef struct machine {
    const layout_t *l;
    classes_t *classes;
    shared_edges_t shared;
    bool has_calls; /* elements may lie deeper than their rule alone says */
    bool is_inline; /* the edge at hand is passed so often that its events are sent from where it stands */
    uint64_t most_passes; /* of an edge */
} machine_t;

/* ---------------------------------------------------------------- emit_op.c: operations */

/* The position of a stamp, as it stands in memory where `here` is the current one. */
char *emit_stamp(const layout_t *layout, stamp_t at);

/* The call that performs an operation at `at`, or puts it on the list of its atomic rule. */
void emit_op(const machine_t *m, unsigned op, const char *at, const char *indent, text_t *text);

/* The same, whether its rule is atomic or not. */
void emit_now(const machine_t *m, unsigned op, const char *at, const char *indent, text_t *text);

/* The value of a conversion that ends at `at`. */
void emit_convert(const layout_t *layout, const op_t *op, const char *at, text_t *text);

/* ---------------------------------------------------------------- emit_machine.c: states */

/* The jump to a state, or the way out to whoever knows it. */
void emit_jump(const layout_t *layout, unsigned target, const char *indent, text_t *text);

/* The edge on which a state only loops; or NULL. */
const edge_t *emit_find_loop(const layout_t *layout, unsigned state);

/* See note [pair]. */
const edge_t *emit_find_pair(const layout_t *layout, unsigned state, charset_t *words, charset_t *blanks);

/* Hotter ones first. */
int emit_compare_edges(const void *a, const void *b);

#endif
