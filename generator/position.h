/* position.h: which positions a parser has to remember, and where. */
#ifndef QCAPGEN_POSITION_H
#define QCAPGEN_POSITION_H

#include "dfa.h"

/* Age analysis: replaces registers whose distance from the current position is always the same by that distance. Then
 * works out what each state must keep of a piece that ends there. Adds a refusal where readings would convert different bytes. */
void position_analyse(dfa_t *dfa);

/* How many variables for positions a generated parser can have: bits of qcap_state_t's held_registers. */
#define POSITION_MAX 16u

/* Gives the registers that are left places in as few variables as possible. Returns how many; more than POSITION_MAX are an
 * error. After this, the numbers in
 * stamps are those of variables, and an edge's moves are listed by position_moves(). */
unsigned position_allocate(dfa_t *dfa, diag_t *diag);

/* A move of an edge: variable `to` gets `from`. */
typedef struct move {
    unsigned to;
    stamp_t from;
} move_t;

typedef VEC(move_t) moves_t;

/* The moves along `edge` of `state` that change something, in an order in which none overwrites what a later one needs;
 * a move to variable `spare` breaks a cycle. */
moves_t position_moves(const dfa_t *dfa, const edge_t *edge, unsigned spare);

#endif
