/* minimize.h: merging states that behave alike. */
#ifndef QCAPGEN_MINIMIZE_H
#define QCAPGEN_MINIMIZE_H

#include "dfa.h"

/* Merges, in place, states with the same edges, commits, moves, end and suspension. The first of those that are merged stays,
 * with its readings and witness; the order of states stays. */
void minimize(dfa_t *dfa);

#endif
