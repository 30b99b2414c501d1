/* trace.h: what the parts of traces share: see note [trace] in emit_trace.c. */
#ifndef QCAPGEN_TRACE_H
#define QCAPGEN_TRACE_H

#include "emit_trace.h"

#define TRACE_LIST 40u     /* operations on the list of an atomic rule */
#define TRACE_DEPTH 24u    /* elements */
#define TRACE_ITEMS 32u    /* positions, and memory of conversions */
#define TRACE_MARKS 8u
#define TRACE_WORDS 32u    /* compared at one place */
#define TRACE_VARIABLES 64u /* of a kind */

/* A position: some bytes behind where a variable points to, or a stream offset in a variable. */
typedef struct where {
    bool is_offset;
    unsigned variable;
    int add;
} where_t;

typedef struct listed {
    unsigned op;
    where_t at;
    unsigned word; /* OP_CONVERT_CLOSE: the variable that has its value */
} listed_t;

typedef struct slot {
    bool is_open;
    unsigned element;
    where_t begin;
} slot_t;

/* What is known under a number: a position; what the memory of a conversion would have. */
typedef struct item {
    bool has_place, has_begin, has_word;
    where_t place, begin;
    unsigned word;
} item_t;

/* What is known, and not in memory. */
typedef struct known {
    slot_t slots[TRACE_DEPTH];
    bool has_depth, is_confirmed;
    unsigned depth;
    bool has_list; /* all of it */
    unsigned listed;
    listed_t list[TRACE_LIST];
    bool has_mark[TRACE_MARKS];
    unsigned marks[TRACE_MARKS];
    item_t items[TRACE_ITEMS];
    bool has_at;       /* the current position */
    where_t at;
    unsigned read;     /* bytes of the piece before that: at least so many */
    unsigned ahead;    /* `at` itself is so many bytes further on */
    unsigned bytes, offsets, words; /* variables in use */
    unsigned read_at[TRACE_VARIABLES]; /* by variable that points to a byte: `read` there */
} known_t;

/* A state as a part of a trace. */
struct passage {
    unsigned state;
    unsigned number;
    uint64_t passes;
    known_t known;
    bool is_left;     /* there is a way out */
    bool is_loop;     /* ways come back to it, too: see note [loop] */
    unsigned first, last; /* the variables that these set: from .. to before ... */
    where_t owned[TRACE_VARIABLES]; /* ... and what they were before */
    const passage_t *parent;
};

typedef VEC(passage_t *) passages_t;

/* Words that may end at an edge, which are compared at once: see trace_word.c. */
typedef struct familiar {
    const edge_t *edge;
    const seen_word_t *some[TRACE_WORDS]; /* the most frequent ones */
    unsigned count, longest;
    where_t begin;
    unsigned variable;   /* which of the listed words it is */
} familiar_t;

/* What the code of a passage needs: the tree so far, and where to write. */
typedef struct trace {
    traces_t *all;
    const machine_t *m;
    const layout_t *l;
    const familiar_t *words; /* of the edge that is being performed; NULL: there are none */
    passages_t later; /* passages whose code is still to be written */
    text_t *text;
} trace_t;

/* ---------------------------------------------------------------- trace_known.c: what is known, and how it gets into memory */

const op_t *trace_op(const trace_t *t, unsigned op);

/* A position as a pointer to a byte, and as a stream offset. */
const char *trace_pointer(const trace_t *t, where_t w);
const char *trace_offset(const trace_t *t, where_t w);

/* Is it certain to lie in the piece at hand? */
bool trace_is_in_piece(const known_t *k, where_t w);

/* The next variable of a kind; `most` counts how many there have to be. */
unsigned trace_take(unsigned *used, unsigned *most);

/* The current position is `value`, and has a variable from now on. */
void trace_set_at(const trace_t *t, known_t *k, const char *value, const char *indent);

/* The current position, and that of a stamp. */
where_t trace_here(const trace_t *t, known_t *k, const char *indent);
where_t trace_place(const trace_t *t, known_t *k, stamp_t stamp, const char *indent);

/* `parser->base + ` where elements may lie deeper than their rule alone says. */
const char *trace_base(const trace_t *t);

/* Each puts something into memory, if it is known; it is not known any more then. */
void trace_put_begin(const trace_t *t, known_t *k, unsigned slot, const char *indent);
void trace_put_word(const trace_t *t, known_t *k, unsigned slot, const char *indent);
void trace_put_slot(const trace_t *t, known_t *k, unsigned depth, const char *indent);
void trace_put_depth(const trace_t *t, known_t *k, const char *indent);
void trace_put_confirmed(const trace_t *t, known_t *k, const char *indent);
void trace_put_list(const trace_t *t, known_t *k, const char *indent);
void trace_put_listed(const trace_t *t, const listed_t *listed, const char *indent);
void trace_put_place(const trace_t *t, known_t *k, unsigned position, unsigned state, const char *indent);

/* Everything but positions and the list. */
void trace_put_elements(const trace_t *t, known_t *k, const char *indent);

/* All that somebody who goes on in `state` has to find. */
void trace_put_all(const trace_t *t, known_t *k, unsigned state, const char *indent);

/* ---------------------------------------------------------------- trace_op.c: operations */

/* What an edge has done so far: may a handler have been called, or an operation have failed? */
typedef struct done {
    bool may_stop, may_have_failed;
} done_t;

/* The commits and moves of an edge; its byte has been read. */
done_t trace_perform(const trace_t *t, known_t *k, const edge_t *edge, const char *indent);

/* Does the edge set a position that somebody asks for? */
bool trace_is_moved(const trace_t *t, const edge_t *edge, unsigned v);

/* An element that is told as a whole, at a depth that a trace follows. */
bool trace_is_plain(const op_t *op);

/* ---------------------------------------------------------------- trace_loop.c: going round */

/* How what is known compares with what was known where a loop begins. */
typedef struct again {
    bool is_right;
    bool is_set[TRACE_VARIABLES];
    where_t now[TRACE_VARIABLES]; /* by variable of the loop */
} again_t;

again_t trace_compare(const passage_t *loop, const known_t *k);

/* See note [loop]. */
void trace_begin_loop(const trace_t *t, passage_t *loop, const char *indent);
void trace_go_round(const trace_t *t, const passage_t *loop, known_t k, const again_t *again, done_t done, const char *indent);

/* The way out where a handler, or an operation that failed, wants it. */
void trace_stop(const trace_t *t, const known_t *known, unsigned target, const char *indent);

/* ---------------------------------------------------------------- trace_word.c: words that are often read */

/* Those of the run that `passage` reads by `loop`; false if there are none, or too few are often read. */
bool trace_find_words(const trace_t *t, const passage_t *passage, const edge_t *loop, familiar_t *words);

/* In front of the run: each of them, compared at once. */
void trace_emit_words(const trace_t *t, const passage_t *passage, const familiar_t *words);

/* Behind the run, at its edge: any other one. Here the comparisons lead. */
void trace_emit_word(const trace_t *t, const passage_t *passage, const familiar_t *words);

/* ---------------------------------------------------------------- trace_live.c */

/* By state: the positions that somebody asks for there, or later on, as bits. */
const uint32_t *trace_live(const layout_t *l);

#endif
