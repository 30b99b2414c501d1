/* regop.h: the operations that a reading of the input performs: on elements, conversions, registers and queues.
 *
 * An operation is stamped with the position at which the reading performed it; `at` below is that position. Operations
 * are interned: the same effect has the same number, so that readings agree when their numbers and positions do.
 *
 *     OP_OPEN           element, depth        slot[depth] := (element, at); depth := depth + 1
 *     OP_CLOSE          element, depth        event element [slot[depth].begin, at); depth := depth
 *     OP_ANOMALY_OPEN   depth                 slot[depth] := (nothing, at)
 *     OP_ANOMALY_CLOSE  depth, name           event anomaly [slot[depth].begin, at)
 *     OP_CONVERT_OPEN   conversion            accumulator := empty, begins at `at`
 *     OP_CONVERT_CLOSE  conversion            register := value of the bytes [accumulator.begin, at)
 *     OP_SET            reg, expr, is_unique, name  register := expression
 *     OP_RESET          regs, is_shared       registers := unset
 *     OP_LOCAL_OPEN     reg                   register goes onto the stack of saved ones; register := unset
 *     OP_LOCAL_CLOSE    reg                   register := what was saved last
 *     OP_FEED_OPEN      feed, depth           slot[depth] := (feed, at); depth := depth + 1; opens the sub-stream if need be
 *     OP_FEED_CLOSE     feed, depth           the sub-stream has had all bytes [slot[depth].begin, at); depth := depth
 *     OP_FINISH         feed                  ends the sub-stream if it is open
 *     OP_EXPECT         expect                event expect
 *     OP_PUSH           queue, reg, key       queue gets (register, at), to be found by the other register if there is one
 *     OP_MISMATCH       depth, name           event anomaly [at, at); elements deeper than depth are abandoned
 *     OP_MARK           level                 mark[level] := length of the list of the atomic rule
 *     OP_ROLLBACK       level                 the list is cut back to mark[level]
 *     OP_FOUND                                event skipped, up to `at`
 *     OP_ATOMIC_BEGIN                         from here on operations are put on a list instead
 *     OP_ATOMIC_END                           those on the list take effect, in order
 *
 * note [atomic]: operations in an atomic rule (is_atomic) are committed like any other, which keeps them out of the automaton's
 * states; but at run time they go onto a list, with their positions and converted values, and take effect where the rule
 * ends. If it fails, the list is thrown away. How long it can get is known at build time (dfa.c). */
#ifndef QCAPGEN_REGOP_H
#define QCAPGEN_REGOP_H

#include "grammar.h"

typedef enum {
    OP_OPEN,
    OP_CLOSE,
    OP_ANOMALY_OPEN,
    OP_ANOMALY_CLOSE,
    OP_CONVERT_OPEN,
    OP_CONVERT_CLOSE,
    OP_SET,
    OP_RESET,
    OP_LOCAL_OPEN,
    OP_LOCAL_CLOSE,
    OP_FEED_OPEN,
    OP_FEED_CLOSE,
    OP_FINISH,
    OP_EXPECT,
    OP_PUSH,
    OP_MISMATCH,
    OP_MARK,
    OP_ROLLBACK,
    OP_FOUND,
    OP_ATOMIC_BEGIN,
    OP_ATOMIC_END
} op_kind_t;

typedef struct op {
    op_kind_t kind;
    unsigned element;    /* index of the element */
    unsigned depth;      /* emitted elements and anomalies around it */
    unsigned conversion; /* index of the conversion */
    unsigned feed;       /* index of the sub-stream */
    const note_t *expect; /* what is expected */
    const reg_t *reg;
    uint64_t regs;       /* OP_RESET: one bit each, all of them among the same RESET_SLICE */
    bool is_shared;      /* they are */
    const char *reg_names; /* of these, with blanks between */
    const expr_t *expr;
    const queue_t *queue;
    const reg_t *key;
    const char *name;
    bool is_stream, is_joined, is_unique;
    bool is_atomic;      /* see note [atomic] */
    unsigned level;      /* readings with a fallback around: see note [fallback] in closure.c; the number of a mark */
} op_t;

typedef VEC(op_t) ops_t;

/* A table of operations has room for so many bits. */
#define RESET_SLICE 16u


/* The number of `op` in `ops`, added if it is new. */
unsigned regop_intern(arena_t *arena, ops_t *ops, op_t op);

bool regop_has_position(const op_t *op); /* its effect depends on `at` */
bool regop_is_later(const op_t *op);     /* goes onto the list of the atomic rule */
bool regop_may_stop(const op_t *op);     /* calls a handler, or can fail */
bool regop_may_fail(const op_t *op);     /* then what stands behind it on the edge must do nothing */
void regop_print(const op_t *op, text_t *text);

#endif
