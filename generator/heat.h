/* heat.h: which states and edges are likely to be passed often, and therefore worth direct code. */
#ifndef QCAPGEN_HEAT_H
#define QCAPGEN_HEAT_H

#include "dfa.h"

/* What one side may send: messages as they come, but without bodies (what a `length` or `until close` counts). */
typedef struct sample {
    const unsigned char *text; /* NULL: there is none */
    size_t len;
} sample_t;

typedef struct samples {
    sample_t client, server;
} samples_t;

/* Sets is_hot of states and edges, and renumbers states: hot ones first. Without samples, what is hot is estimated. A sample
 * that cannot be read to its end gets a warning. */
void heat(dfa_t *dfa, const samples_t *samples, diag_t *diag);

/* ---------------------------------------------------------------- parts of it */

/* How often an edge is passed: only ratios mean something. */
typedef struct edge_heat {
    uint64_t passes;
    uint64_t *bytes; /* by byte; NULL: not known */
    VEC(seen_word_t) words; /* that a conversion which the edge ends had */
} edge_heat_t;

/* How often a state, and each of its edges, is passed. */
typedef struct heat {
    uint64_t state;
    VEC(edge_heat_t) edges;
} heat_t;

/* heat_flow.c: adds an estimate to what is known of each state. */
void heat_flow(const dfa_t *dfa, heat_t *heat);

/* heat_sample.c: adds what is passed in a sample. Returns how far it could be read. `*has_bare`: it has no CR, and a line ended in
 * LF where CR could have come. */
size_t heat_sample(const dfa_t *dfa, unsigned start, const sample_t *sample, heat_t *heat, bool *has_bare);

/* heat_loop.c: sets `entries` of all states, `passes` being set. */
void heat_loop(dfa_t *dfa);

#endif
