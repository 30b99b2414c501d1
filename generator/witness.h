/* witness.h: two readings of one input, side by side: where they part, and what each makes of it.
 *
 * The automaton knows of a reading where it stands, not how it came there. A shortest input that leads to a state is read
 * again here, with trails. */
#ifndef QCAPGEN_WITNESS_H
#define QCAPGEN_WITNESS_H

#include "dfa.h"

/* The readings at `where` (in its state `from`, if it has neither byte nor limit nor start), with their trails. `meetings` of
 * the watch are those of the last step. */
configs_t witness_readings(const dfa_t *dfa, arena_t *arena, const clash_t *where, watch_t *watch);

/* A shortest input that leads there, quoted. */
const char *witness_input(const dfa_t *dfa, arena_t *arena, const clash_t *where);

typedef struct path {
    VEC(trail_t) steps; /* NFA states passed, in order */
    unsigned end;       /* the one reached */
} path_t;

/* Two readings of the same bytes. */
typedef struct parting {
    const nfa_t *nfa;
    arena_t *arena;
    size_t common;           /* steps that both took: they stand before those of either path */
    unsigned split;          /* the last of them: an NFA state */
    const context_t *around; /* the innermost link around all that they do not */
    path_t paths[2];         /* from there on; the preferred reading first */
    int next;                /* a byte with which both go on, -1: none; for whoever has them part to set */
} parting_t;

/* False if they do not part, or where the grammar has no choice. */
bool witness_part(const dfa_t *dfa, arena_t *arena, const config_t *first, const config_t *second, parting_t *parting);

/* The alternative of the choice with which a reading goes on; NULL if it is no choice where they part. */
const node_t *witness_alternative(const parting_t *parting, unsigned which);

/* Where in the spec a reading goes its own way. */
place_t witness_place(const parting_t *parting, unsigned which);

/* What a reading makes of the bytes behind the split: rule(rule("ab") "c"). "..." stands for what both make of others. */
const char *witness_derivation(const parting_t *parting, unsigned which);

/* The bytes behind the split, quoted; NULL if there are none. */
const char *witness_bytes(const parting_t *parting);

#endif
