/* graph.h: the automaton as a picture, in the language of Graphviz. */
#ifndef QCAPGEN_GRAPH_H
#define QCAPGEN_GRAPH_H

#include "layout.h"

typedef struct graph_options {
    const char *machine; /* draw only this one, by its name in layout->machines; NULL: all */
    const char *rule;    /* draw only what stands in this rule, wherever it is used; NULL: all */
    unsigned limit;      /* nodes: what is inside of rules that would make it more is one node each */
} graph_options_t;

/* The automaton with the states of a rule in a frame, and what lies around what was asked for. False, and no text, if
 * nothing was asked for: no state stands in such a rule. */
bool graph_print(const layout_t *layout, const graph_options_t *options, text_t *text);

#endif
