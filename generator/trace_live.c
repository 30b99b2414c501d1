/* trace_live.c: which positions somebody will ask for: only those are put into memory. */
#include "trace.h"

static uint32_t bit_of(stamp_t stamp)
{
    return stamp.reg >= 0 ? (uint32_t)1 << stamp.reg : 0;
}

static uint32_t bits_of(const pendings_t *pendings)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < pendings->count; i++)
        bits |= bit_of(pendings->items[i].at);
    return bits;
}

/* The positions that a state, or what is due in it, asks for itself. */
static uint32_t asked(const dfa_state_t *s)
{
    uint32_t bits = bits_of(&s->accept) | bit_of(s->stream_end);
    for (size_t i = 0; i < s->edges.count; i++)
        bits |= bits_of(&s->edges.items[i].commits) | (s->edges.items[i].limit ? bit_of(s->edges.items[i].begin) : 0);
    for (size_t i = 0; i < s->underway.count; i++)
        bits |= bit_of(s->underway.items[i].begin) | bit_of(s->underway.items[i].end);
    for (size_t i = 0; i < s->held_registers.count; i++)
        bits |= (uint32_t)1 << s->held_registers.items[i];
    return bits;
}

/* Those that are asked for behind an edge, as they are called before it. */
static uint32_t asked_behind(const edge_t *edge, uint32_t behind)
{
    uint32_t bits = 0;
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (behind >> v & 1)
            bits |= bit_of(edge->moves.items[v]);
    return bits;
}

const uint32_t *trace_live(const layout_t *l)
{
    const dfa_t *dfa = l->dfa;
    uint32_t *live = ARENA_ARRAY(l->arena, uint32_t, dfa->states.count);
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t s = dfa->states.count; s-- > 0;) {
            const dfa_state_t *state = &dfa->states.items[s];
            uint32_t bits = asked(state);
            for (size_t i = 0; i < state->edges.count; i++)
                bits |= asked_behind(&state->edges.items[i], live[state->edges.items[i].target]);
            if (state->kind == DFA_CONTROL)
                for (size_t i = 0; i < dfa->controls.items[state->control].targets.count; i++)
                    bits |= live[dfa->controls.items[state->control].targets.items[i]];
            is_changed |= bits != live[s];
            live[s] = bits;
        }
    }
    return live;
}
