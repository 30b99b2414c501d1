/* emit_trace.h: states in the order in which they are likely to be passed, as one piece of direct code. */
#ifndef QCAPGEN_EMIT_TRACE_H
#define QCAPGEN_EMIT_TRACE_H

#include "emit_machine.h"

typedef struct passage passage_t;

/* What is common to the traces of a machine. */
typedef struct traces {
    const machine_t *m;
    unsigned machine;
    bool *is_head;         /* by state: a trace begins there */
    bool *is_part;         /* by state: it is part of one */
    passage_t **loops;     /* by state: where a trace goes round; or NULL */
    uint64_t *exits;       /* by state: how often a trace is left for it */
    VEC(unsigned) heads;   /* in the order in which they were found */
    const uint32_t *live;  /* by state: positions that somebody asks for there, or later on */
    uint64_t most;         /* how often the hottest state is passed */
    unsigned count;        /* nodes so far, numbered from 0 */
    unsigned bytes, offsets, words; /* the most variables of each kind that a trace uses */
} traces_t;

/* Are there few enough positions and conversions? */
bool emit_can_trace(const layout_t *layout);

/* Is what is passed so often worth direct code? */
bool trace_is_worth(const traces_t *traces, uint64_t passes);

/* The traces that begin at the `heads`, and at states where these are often left. */
void emit_traces(traces_t *traces, text_t *text);

/* The way from a state, where memory is up to date, to the loop that begins there. */
void emit_trace_way_in(const traces_t *traces, unsigned state, text_t *text);

/* The variables that they use. */
void emit_trace_variables(const traces_t *traces, text_t *text);

#endif
