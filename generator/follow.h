/* follow.h: what can come next at a control point. */
#ifndef QCAPGEN_FOLLOW_H
#define QCAPGEN_FOLLOW_H

#include "nfa.h"

typedef struct follow {
    charset_t set; /* bytes that can */
    bool is_end;   /* the end of the input, or of the region, can */
} follow_t;

/* For each control point of the NFA. Memory comes from `arena`. */
follow_t *follow_find(nfa_t *nfa, arena_t *arena);

/* Of the bytes that can follow a control point those behind which not every byte can: adds them to `twos`, those that are alike as one. */
void follow_find_twos(nfa_t *nfa, arena_t *arena, const follow_t *follows, control_t *control, unsigned behind);

#endif
