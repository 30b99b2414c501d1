/* heat.h: which states and edges are likely to be passed often, and therefore worth direct code. */
#ifndef QCAPGEN_HEAT_H
#define QCAPGEN_HEAT_H

#include "dfa.h"

/* Sets is_hot of states and edges, and renumbers states: hot ones first. */
void heat(dfa_t *dfa);

#endif
