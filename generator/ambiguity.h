/* ambiguity.h: inputs that the grammar reads in two ways. */
#ifndef QCAPGEN_AMBIGUITY_H
#define QCAPGEN_AMBIGUITY_H

#include "unreachable.h"

#define AMBIGUITIES_SHOWN 5u /* where nobody has asked for them */
#define AMBIGUITIES_ANY 0xffffffffu

typedef struct ambiguities {
    unsigned symbolic; /* the readings differ in elements, registers, queues or anomalies */
    unsigned position; /* in positions alone */
} ambiguities_t;

/* Counts them. Warns of each symbolic one, and with `positions` of each of the others too: with a shortest example, what
 * either reading makes of it, and both places in the spec. In the order of the lengths of the examples; at most `max`
 * warnings, then a note of how many more. What the spec has settled does not count: see generator/README.md; nor do
 * alternatives that are `dead`: never read. */
ambiguities_t ambiguity_report(const dfa_t *dfa, const nodes_t *dead, bool positions, unsigned max, diag_t *diag);

#endif
