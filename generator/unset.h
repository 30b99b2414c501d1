/* unset.h: registers that are read where nothing can have set them. */
#ifndef QCAPGEN_UNSET_H
#define QCAPGEN_UNSET_H

#include "nfa.h"

/* Warns of each place in the spec that reads a register of one direction which no way there sets. */
void unset_report(const nfa_t *nfa, diag_t *diag);

#endif
