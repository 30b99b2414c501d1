/* heat_loop.c: where loops begin: a state that another one is only reached through is entered from there only to go round once more.
 *
 * State a dominates b if every way from a start to b passes a. Of all states, those that dominate it are found by going round until
 * nothing changes: what dominates all states before it, and itself. */
#include "heat.h"

typedef struct step {
    unsigned from, to;
    uint64_t passes;
} step_t;

typedef VEC(step_t) steps_t;

typedef struct sets {
    uint64_t *words;
    size_t width; /* of each set */
} sets_t;

static uint64_t *set_of(const sets_t *sets, unsigned state)
{
    return sets->words + state * sets->width;
}

static bool has(const sets_t *sets, unsigned state, unsigned other)
{
    return set_of(sets, state)[other / 64] >> other % 64 & 1;
}

static void add_step(dfa_t *dfa, steps_t *steps, unsigned from, unsigned to, uint64_t passes)
{
    if (from != to && passes > 0)
        vec_push(dfa->arena, steps, ((step_t){from, to, passes}));
}

/* How often a control point leads to each target is not counted. */
static steps_t find_steps(dfa_t *dfa)
{
    steps_t steps = {0};
    for (unsigned s = 0; s < dfa->states.count; s++) {
        const dfa_state_t *state = &dfa->states.items[s];
        for (size_t i = 0; i < state->edges.count; i++)
            add_step(dfa, &steps, s, state->edges.items[i].target, state->edges.items[i].passes);
        if (state->kind != DFA_CONTROL)
            continue;
        const control_t *control = &dfa->controls.items[state->control];
        for (size_t i = 0; i < control->targets.count; i++) {
            uint64_t passes = dfa->states.items[control->targets.items[i]].passes;
            add_step(dfa, &steps, s, control->targets.items[i], passes < state->passes ? passes : state->passes);
        }
    }
    return steps;
}

/* What dominates `to` dominates `from`, or is `to`. True if that changes anything. */
static bool narrow(const sets_t *sets, const step_t *step)
{
    uint64_t *to = set_of(sets, step->to), *from = set_of(sets, step->from);
    bool is_changed = false;
    for (size_t i = 0; i < sets->width; i++) {
        uint64_t self = step->to / 64 == i ? (uint64_t)1 << step->to % 64 : 0;
        uint64_t word = to[i] & (from[i] | self);
        is_changed |= word != to[i];
        to[i] = word;
    }
    return is_changed;
}

void heat_loop(dfa_t *dfa)
{
    size_t count = dfa->states.count;
    sets_t sets = {.width = (count + 63) / 64};
    sets.words = ARENA_ARRAY(dfa->arena, uint64_t, count * sets.width);
    memset(sets.words, 0xff, count * sets.width * sizeof *sets.words);
    const starts_t starts = dfa_starts(dfa);
    for (size_t i = 0; i < starts.count; i++) {
        if (*starts.items[i] == STATE_NONE)
            continue;
        uint64_t *set = set_of(&sets, *starts.items[i]);
        memset(set, 0, sets.width * sizeof *set);
        set[*starts.items[i] / 64] = (uint64_t)1 << *starts.items[i] % 64;
    }
    const steps_t steps = find_steps(dfa);
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < steps.count; i++)
            is_changed |= narrow(&sets, &steps.items[i]);
    }
    for (size_t i = 0; i < steps.count; i++)
        if (!has(&sets, steps.items[i].from, steps.items[i].to))
            dfa->states.items[steps.items[i].to].entries += steps.items[i].passes;
}
