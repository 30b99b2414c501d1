/* unreachable.h: alternatives that are never read. */
#ifndef QCAPGEN_UNREACHABLE_H
#define QCAPGEN_UNREACHABLE_H

#include "dfa.h"

typedef VEC(const node_t *) nodes_t;

/* Warns of each alternative with annotations that no input is read by, though others of its choice are. Returns them; memory is
 * the automaton's. */
nodes_t unreachable_report(const dfa_t *dfa, diag_t *diag);

#endif
