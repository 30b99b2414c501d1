/* automaton.h: grammar → NFA → DFA, in as many attempts as it takes. */
#ifndef QCAPGEN_AUTOMATON_H
#define QCAPGEN_AUTOMATON_H

#include "dfa.h"

/* NULL if there is none: `diag` says why. If it has refusals it is not complete, and refusal.c says why. `nfa` is what it was made
 * of, NULL if there is not even that; it may be NULL itself. */
dfa_t *automaton_build(const grammar_t *grammar, unsigned states_max, const nfa_t **nfa, diag_t *diag);

#endif
