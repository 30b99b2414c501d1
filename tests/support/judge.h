/* judge.h: one scene, read by a generated parser and by the interpreter of its grammar: do they agree?
 *
 * What must agree, side by side, and for each stream in them: the events in their order (kind, element, offsets, flags,
 * names, where in the parent; an error's code, offset, byte and rule), the bytes of elements and streams, the status and
 * offset at the end, and every register. The parser reads the scene whole and cut into random pieces. */
#ifndef QCAP_TESTS_JUDGE_H
#define QCAP_TESTS_JUDGE_H

#include "interpret.h"
#include "page.h"
#include "parser.h"

typedef struct judge judge_t;

/* Both are borrowed; the grammar is the one that the protocol was generated from. */
judge_t *judge_new(const qcap_protocol_t *protocol, const grammar_t *grammar);
void judge_free(judge_t *judge);

/* A protocol to which sub-streams may be fed. Borrowed, too. */
void judge_add_other(judge_t *judge, const qcap_protocol_t *protocol, const grammar_t *grammar);

/* Each comparison runs in a process of its own, so that a parser which crashes or does not stop is a difference, too.
 */
void judge_set_apart(judge_t *judge);

/* Does the work in a process of its own. True if it returned 0: it did not crash, and did not go on for ever. */
bool judge_works_apart(int (*work)(void *), void *user);

/* NULL if they agree; else what each of them said, line by line, with the first difference marked. The caller frees it.
 */
char *judge_compare(judge_t *judge, const scene_t *scene, uint64_t seed);

/* The scene as a page would show it. The caller frees it. */
char *scene_print(const scene_t *scene);

/* Drops what it can of a scene on which they disagree, in place. */
void judge_shrink(judge_t *judge, scene_t *scene, uint64_t seed);

/* Numbers that look random, the same ones for the same seed. */
uint64_t random_next(uint64_t *state);
unsigned random_below(uint64_t *state, unsigned count);

#endif
