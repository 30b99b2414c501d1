/* name.h: what people read in generated code: names of states, rules with a dot, sets by name. */
#ifndef QCAPGEN_NAME_H
#define QCAPGEN_NAME_H

#include "dfa.h"

/* A name as a C identifier: letters to lower (or upper) case, everything else to `_`. */
char *name_identifier(arena_t *arena, const char *name, bool is_upper);

/* One label for each state: the rule in which its preferred reading stands, and a number among the states of that rule. Two
 * grammars that differ elsewhere give the same labels. */
const char **name_states(const dfa_t *dfa);

/* The rule that a reading stands in, as people would say it: core rules do not count. "" at the top. */
const char *name_rule(const dfa_t *dfa, const config_t *config);

/* That rule as ABNF, a dot where the reading stands: `status-line = HTTP-version . SP status-code`. */
void name_place(const dfa_t *dfa, const config_t *config, text_t *text);

/* The rule's body alone; returns the offset in `text`, which is empty, of where the reading stands. */
size_t name_body(const dfa_t *dfa, const config_t *config, text_t *text);

/* The name of a rule that reads one byte of exactly this set, or NULL; a core rule's if there is one. */
const char *name_set(const grammar_t *grammar, const charset_t *set);

/* What a state would read next, for people: `tchar / ":"`. */
void name_expected(const dfa_t *dfa, unsigned state, text_t *text);

#endif
