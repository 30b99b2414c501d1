/* automaton.c: large repeats are counted first; those that turn out to need more than one counter are written out in the next
 * attempt (note [counter] in closure.c), in the last one all are. What an attempt complains about counts if it is the last. */
#include "automaton.h"

#define ATTEMPTS 8

dfa_t *automaton_build(const grammar_t *grammar, unsigned states_max, const nfa_t **nfa, diag_t *diag)
{
    repeats_t unrolled = {0};
    for (unsigned attempt = 1;; attempt++) {
        diag_t *found = diag_new(grammar->arena);
        nfa_t *built = nfa_build(grammar, attempt < ATTEMPTS ? &unrolled : NULL, found);
        dfa_t *dfa = built ? dfa_build(built, states_max, found) : NULL;
        if (nfa)
            *nfa = built;
        if (!built || built->unrolled.count == 0 || built->is_given_up) {
            diag_add(diag, found);
            return dfa;
        }
        for (size_t i = 0; i < built->unrolled.count; i++)
            vec_push(grammar->arena, &unrolled, built->unrolled.items[i]);
    }
}
