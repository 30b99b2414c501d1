/* remedy.h: what an author could annotate so that a refusal goes away. */
#ifndef QCAPGEN_REMEDY_H
#define QCAPGEN_REMEDY_H

#include "witness.h"

typedef enum {
    REMEDY_CUT_RULE,   /* `cut` on `rule` */
    REMEDY_CUT_BEHIND, /* `cut` on a rule to be made for what stands at `place` */
    REMEDY_STRICT      /* `!` behind the name at `place` */
} remedy_kind_t;

typedef struct remedy {
    remedy_kind_t kind;
    place_t place;
    const rule_t *rule; /* REMEDY_CUT_RULE */
    bool is_outer;      /* the cut names the rule in which the readings part: it stands in another one */
} remedy_t;

/* How much may be tried for all refusals of a grammar together: states of automata. */
#define REMEDY_EFFORT 60000u

typedef enum { REMEDY_NONE, REMEDY_FOUND, REMEDY_NOT_TRIED } remedy_answer_t;

/* Tries one after the other, and finds the first that helps. REMEDY_NOT_TRIED if `effort` has run out before that. */
remedy_answer_t remedy_find(const dfa_t *dfa, const refusal_t *refusal, const parting_t *parting, unsigned *effort,
                            remedy_t *remedy);

#endif
