/* automaton.c: large repeats are counted first; those that turn out to need more than one counter are written out in the next
 * attempt (note [counter] in closure.c), in the last one all are. What an attempt complains about counts if it is the last.
 *
 * A counted repeat may end anywhere, as far as the automaton knows. So what stands beside `32OCTET`, 32 bytes for which that was
 * not meant, seems to go on with any number of them. Where that is why a grammar is refused, the repeat is written out. */
#include "automaton.h"

#define ATTEMPTS 8
#define COUNTED_FEW 128u /* as much as is written out because of a refusal */

static void add_repeat(nfa_t *nfa, const node_t *node)
{
    for (size_t i = 0; i < nfa->unrolled.count; i++)
        if (nfa->unrolled.items[i] == node)
            return;
    vec_push(nfa->arena, &nfa->unrolled, node);
}

/* Notes what is counted on the way to where readings could not be told apart. */
static void note_counted(nfa_t *nfa, const dfa_t *dfa)
{
    for (size_t i = 0; i < dfa->refusals.count; i++)
        for (unsigned state = dfa->refusals.items[i].where.from, from = STATE_NONE; state != from && state != STATE_NONE;
             from = state, state = dfa->states.items[state].from)
            for (size_t k = 0; k < dfa->states.items[state].configs.count; k++) {
                const nfa_state_t *s = &nfa->states.items[dfa->states.items[state].configs.items[k].state];
                if (s->kind == NFA_COUNT && s->limit <= COUNTED_FEW)
                    add_repeat(nfa, s->node);
            }
}

dfa_t *automaton_build(const grammar_t *grammar, unsigned states_max, const nfa_t **nfa, diag_t *diag)
{
    repeats_t unrolled = {0};
    for (unsigned attempt = 1;; attempt++) {
        diag_t *found = diag_new(grammar->arena);
        nfa_t *built = nfa_build(grammar, attempt < ATTEMPTS ? &unrolled : NULL, found);
        dfa_t *dfa = built ? dfa_build(built, states_max, found) : NULL;
        if (nfa)
            *nfa = built;
        if (dfa && built->unrolled.count == 0)
            note_counted(built, dfa);
        if (!built || built->unrolled.count == 0 || built->is_given_up) {
            diag_add(diag, found);
            return dfa;
        }
        for (size_t i = 0; i < built->unrolled.count; i++)
            vec_push(grammar->arena, &unrolled, built->unrolled.items[i]);
    }
}
