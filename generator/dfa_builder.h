/* dfa_builder.h: what the files of dfa.c share. */
#ifndef QCAPGEN_DFA_BUILDER_H
#define QCAPGEN_DFA_BUILDER_H

#include "dfa.h"
#include "follow.h"

#define PENDING_MAX 100u  /* operations of a reading that are not certain: more are refused */
#define CLASHES_MAX 4000u /* kept; one ambiguity has many kinds of clashes */

typedef struct builder {
    dfa_t *dfa;
    nfa_t *nfa;
    arena_t *arena;       /* of the automaton */
    arena_t *scratch;     /* of one step */
    diag_t *diag;
    VEC(unsigned) table;  /* hash table of states: number + 1, or 0; open addressing */
    VEC(unsigned) entries; /* by NFA state: number + 1 of the DFA state that begins there, or 0 */
    unsigned bytes[256];   /* by class: a byte of it, for examples */
    unsigned order[256];   /* of classes: in which they are tried */
    follow_t *follows;     /* by control: what can come next */
    VEC(uint64_t) clash_kinds; /* hash table of those that are known, or 0; open addressing */
    unsigned states_max, followed_max, kept_max; /* where building gives up */
    size_t followed;      /* readings that have been followed over a byte */
    size_t kept;          /* what the automaton consists of: readings, operations, scopes, edges, moves */
    bool is_refused;       /* the step under way */
    bool is_failed;
} builder_t;

/* ---------------------------------------------------------------- dfa_state.c */

/* A hash of one value more. */
uint64_t dfa_mix(uint64_t hash, uint64_t value);

/* A new state, first met from another; STATE_NONE: from itself. */
unsigned dfa_push_state(builder_t *b, dfa_state_t state, unsigned from, int byte);

const nfa_state_t *dfa_nfa_state(const builder_t *b, const config_t *config);

/* Both call one rule in which nothing takes effect: see note [joint]. */
bool dfa_is_joint(const builder_t *b, const config_t *one, const config_t *other);

/* The state with these readings, which may be a new one; `edge` gets the moves of its position registers. */
unsigned dfa_intern_state(builder_t *b, configs_t *configs, edge_t *edge, unsigned from, int byte);

/* ---------------------------------------------------------------- dfa_settle.c */

/* A shortest input that leads to a state, and a byte behind it, or none: -1. */
char *dfa_example(const builder_t *b, unsigned state, int byte);

/* Notes why there is no automaton; the search for other reasons goes on, but not for long. */
void dfa_refuse(builder_t *b, refusal_t refusal);
void dfa_refuse_undecided(builder_t *b, const configs_t *configs, size_t which, clash_t where);
void dfa_refuse_fallback(builder_t *b, const config_t *config);
void dfa_refuse_stranded(builder_t *b, const config_t *config, const char *example);

/* Takes out of the readings what they agree on, and refuses what they cannot. */
void dfa_settle(builder_t *b, configs_t *configs, stamp_t mismatch, pendings_t *commits, clash_t where);

/* Out of one step's memory into the automaton's. */
void dfa_keep_clashes(builder_t *b, const watch_t *watch, clash_t clash);
pendings_t dfa_keep_pendings(builder_t *b, const pendings_t *pendings);

/* ---------------------------------------------------------------- dfa_step.c */

/* The DFA state that begins at an NFA state. */
unsigned dfa_entry_of(builder_t *b, unsigned state, unsigned from);

/* Adds edges to a state: over the bytes of one class; where a counter is full; at the end of the input. */
void dfa_step(builder_t *b, unsigned state, unsigned byte, charset_t class);
void dfa_step_counters(builder_t *b, unsigned state);
void dfa_accept(builder_t *b, unsigned state);

#endif
