/* refusal.h: why a grammar has no automaton, in words. */
#ifndef QCAPGEN_REFUSAL_H
#define QCAPGEN_REFUSAL_H

#include "dfa.h"

/* Complains of each refusal: a shortest example, both readings, and what would settle it. What it says would has been tried. */
void refusal_report(const dfa_t *dfa, diag_t *diag);

#endif
