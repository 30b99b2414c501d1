/* closure.h: ordered sets of configurations: all readings of the input so far that can still go on. */
#ifndef QCAPGEN_CLOSURE_H
#define QCAPGEN_CLOSURE_H

#include "nfa.h"

/* A position: the register `reg`, or, where reg is STAMP_BACK, so many bytes behind the current position. */
typedef struct stamp {
    int reg;
    unsigned back;
} stamp_t;

#define STAMP_BACK (-1)

/* An operation that a reading has performed and that is not yet certain. */
typedef struct pending {
    unsigned op;
    stamp_t at;
    const context_t *guard; /* of where it was performed */
} pending_t;

typedef VEC(pending_t) pendings_t;

/* A reading that entered a scope; entries are equal if scope and mark are. */
typedef struct scope_mark {
    unsigned scope;
    unsigned mark; /* MARK_NOW: in this step */
} scope_mark_t;

#define MARK_NOW 0xffffffffu
#define LEVEL_MAIN 0xffu

/* How a reading came to where it stands: the NFA states it has passed, the last one first. */
typedef struct trail {
    const struct trail *before; /* NULL for the first */
    unsigned state;
    int byte;                   /* what it read there, -1: nothing */
} trail_t;

/* One reading: where it stands, and what it has performed since the last commitment. */
typedef struct config {
    unsigned state;     /* NFA_BYTE, NFA_COUNT, NFA_CONTROL or NFA_ACCEPT */
    unsigned last;      /* the state before, or STATE_NONE; for closure.c alone */
    stamp_t begin;      /* NFA_COUNT: where it began to count; else STAMP_BACK, 0 */
    unsigned level;     /* LEVEL_MAIN, or that of the value it is the fallback of */
    unsigned fallback;  /* the NFA_FALLBACK state it came from; STATE_NONE for a main reading */
    unsigned forked;    /* a fallback: how many of the pendings it had there, with its betters; 0 for a main reading */
    pendings_t pendings;
    VEC(scope_mark_t) scopes;
    const trail_t *trail; /* NULL but where trails are kept: see watch_t */
} config_t;

/* In order of preference; main readings first, then fallbacks, the innermost first. */
typedef VEC(config_t) configs_t;

/* A reading that came to an NFA state where an earlier one had been. Both as they were there. */
typedef struct meeting {
    config_t earlier, later;
} meeting_t;

/* What a closure tells beside its result, to those who want to know how it came about. */
typedef struct watch {
    bool is_tracing;          /* keep trails */
    VEC(config_t) passed;     /* what was where in this closure; for closure.c alone */
    VEC(meeting_t) meetings;  /* those in which the later reading was dropped and had performed something else, or elsewhere */
} watch_t;

/* All memory of the results comes from `arena`, which may die before the NFA's; `watch` may be NULL. */

/* The readings at `state`, nothing read yet. */
configs_t closure_start(nfa_t *nfa, arena_t *arena, unsigned state, watch_t *watch);

/* The readings of `from` that go on with `byte`, after it. */
configs_t closure_step(nfa_t *nfa, arena_t *arena, const configs_t *from, unsigned byte, watch_t *watch);

/* The readings of `from` where those that count from `begin` have read `limit` bytes; the byte there has been read. */
configs_t closure_full(nfa_t *nfa, arena_t *arena, const configs_t *from, stamp_t begin, unsigned limit,
                       watch_t *watch);

/* A reading has come from one NFA state to another, and is the first there: notes which alternatives it has behind it. */
void closure_take(nfa_t *nfa, unsigned from, unsigned to);

/* The readings of `from`, all at calls, when what they call has returned. */
configs_t closure_return(nfa_t *nfa, arena_t *arena, const configs_t *from, watch_t *watch);

/* If no main reading is left, makes the innermost fallbacks main ones, and adds to `done` what reports it, stamped `at`. */
void closure_promote(nfa_t *nfa, arena_t *arena, configs_t *configs, stamp_t at, pendings_t *done);

/* Takes from the readings the operations on which all of them agree, and adds them to `done`. */
void closure_commit(const nfa_t *nfa, arena_t *arena, configs_t *configs, pendings_t *done);

/* The same operations at the same positions? */
bool closure_pendings_equal(const pendings_t *a, const pendings_t *b);

/* How many of them are main readings. */
unsigned closure_main_count(const configs_t *configs);

#endif
