/* resume.h: which of the places that a root has for a `resync` rule are looked for: for nfa.c and walk_search.c. */
#ifndef QCAPGEN_RESUME_H
#define QCAPGEN_RESUME_H

#include "grammar.h"

/* A reference on the way from a root to a rule, and the body in which it stands. */
typedef struct resume_step {
    const node_t *body;
    const void *reference; /* a node of the body; anything else if what refers is none */
} resume_step_t;

typedef VEC(resume_step_t) resume_steps_t;

/* Parsing resumes as a fresh iteration of the root. So where some repeat without a bound leads from the root to the rule, places that
 * lie in no such repeat are not meant; nor are those in front of which, in the iteration, the rule has been read already. `steps`:
 * the reference to the rule first, the one in the root last. */
bool resume_is_meant(arena_t *arena, const grammar_t *grammar, const node_t *root, const rule_t *rule, const resume_steps_t *steps);

#endif
