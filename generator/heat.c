/* heat.c: an estimate of how often states are passed, made without having seen any traffic.
 *
 * A walk through the automaton from its starts, in which a byte is as likely as it is in what protocols send: mostly letters,
 * then digits and the usual separators; what the state cannot read is left out. The walk is a flow: a mass at the starts
 * moves along all edges at once, in parts. Integers, so that every machine comes to the same result. */
#include "heat.h"

#include <stdlib.h>

#define MASS ((uint64_t)1 << 40)
#define STEPS 3000u
#define HOT_STATES 128u /* at most ... */
#define HOT_PART 20000u /* ... and no state that is passed less often than once in so many steps */
#define HOT_EDGE 200u   /* an edge of a hot state is hot unless it is followed less often than once in so many times */

/* How often a state, and each of its edges, is passed: only ratios mean something. */
typedef struct heat {
    uint64_t state;
    VEC(uint64_t) edges;
} heat_t;

/* How likely a byte is. */
static unsigned weight_of_byte(unsigned byte)
{
    if (byte >= 'a' && byte <= 'z')
        return 80;
    if (byte >= 'A' && byte <= 'Z')
        return 30;
    if (byte >= '0' && byte <= '9')
        return 40;
    if (byte == '\r' || byte == '\n' || byte == ' ')
        return 80;
    if (byte && strchr("/.-:=,;\"_%&?+", (int)byte))
        return 30;
    return byte > ' ' && byte < 0x7f ? 4 : 1;
}

static uint64_t weight_of_set(const charset_t *set)
{
    uint64_t weight = 0;
    for (unsigned byte = 0; byte < 256; byte++)
        if (charset_has(set, byte))
            weight += weight_of_byte(byte);
    return weight;
}

typedef struct flow {
    const dfa_t *dfa;
    heat_t *heat;
    VEC(uint64_t) *weights; /* by state: of its edges */
    uint64_t *now, *next;   /* by state: the mass there */
    uint64_t lost;          /* goes back to the starts */
} flow_t;

static void move(flow_t *f, unsigned target, uint64_t mass)
{
    if (target == STATE_NONE)
        f->lost += mass;
    else
        f->next[target] += mass;
}

static void flow_bytes(flow_t *f, unsigned state)
{
    const dfa_state_t *s = &f->dfa->states.items[state];
    uint64_t all = 0, left = f->now[state];
    for (size_t i = 0; i < s->edges.count; i++)
        all += f->weights[state].items[i];
    for (size_t i = 0; i < s->edges.count; i++) {
        uint64_t mass = f->now[state] * f->weights[state].items[i] / all;
        f->heat[state].edges.items[i] += mass;
        move(f, s->edges.items[i].target, mass);
        left -= mass;
    }
    f->lost += left;
}

/* A region is left as soon as it is entered: what is in it may never end. Of several choices none is likelier, but that most
 * names are not listed by a `refine`. */
static void flow_control(flow_t *f, unsigned state)
{
    const control_t *c = &f->dfa->controls.items[f->dfa->states.items[state].control];
    uint64_t mass = f->now[state], count = c->targets.count;
    switch (c->kind) {
    case CONTROL_LENGTH:
    case CONTROL_CLOSE:
        move(f, c->targets.items[1], mass / 8 * 7);
        move(f, c->targets.items[0], mass - mass / 8 * 7);
        break;
    case CONTROL_REFINE:
        move(f, c->targets.items[0], mass / 2);
        for (size_t i = 1; i < count; i++)
            move(f, c->targets.items[i], mass / 2 / (count - 1));
        break;
    case CONTROL_RETURN: /* where to, only the stack knows */
        f->lost += mass;
        break;
    default:
        for (size_t i = 0; i < count; i++)
            move(f, c->targets.items[i], mass / count);
        break;
    }
}

static void step(flow_t *f)
{
    size_t count = f->dfa->states.count;
    memset(f->next, 0, count * sizeof *f->next);
    for (unsigned s = 0; s < count; s++) {
        if (f->now[s] == 0)
            continue;
        f->heat[s].state += f->now[s];
        if (f->dfa->states.items[s].kind == DFA_CONTROL)
            flow_control(f, s);
        else
            flow_bytes(f, s);
    }
    uint64_t *swap = f->now;
    f->now = f->next;
    f->next = swap;
}

static void restart(flow_t *f)
{
    unsigned starts[] = {f->dfa->client, f->dfa->server};
    uint64_t mass = f->lost / 2;
    f->lost = 0;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (starts[i] != STATE_NONE)
            f->now[starts[i]] += mass;
}

static heat_t *estimate(const dfa_t *dfa)
{
    size_t count = dfa->states.count;
    flow_t f = {.dfa = dfa, .lost = MASS};
    f.heat = ARENA_ARRAY(dfa->arena, heat_t, count);
    f.weights = arena_alloc(dfa->arena, count * sizeof *f.weights);
    f.now = ARENA_ARRAY(dfa->arena, uint64_t, count);
    f.next = ARENA_ARRAY(dfa->arena, uint64_t, count);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++) {
            const edge_t *edge = &dfa->states.items[s].edges.items[i];
            vec_push(dfa->arena, &f.heat[s].edges, 0);
            vec_push(dfa->arena, &f.weights[s], dfa->states.items[s].kind == DFA_ENTRY ? 1 : weight_of_set(&edge->set));
        }
    for (unsigned i = 0; i < STEPS; i++) {
        restart(&f);
        step(&f);
    }
    return f.heat;
}

/* ---------------------------------------------------------------- hot ones first */

static const heat_t *compared_heat; /* qsort passes no context */

static int compare_states(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    if (compared_heat[x].state != compared_heat[y].state)
        return compared_heat[x].state > compared_heat[y].state ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Control points of the driver are its own; and whoever runs a state that counts has to know how far it may go. */
static bool can_be_hot(const dfa_t *dfa, const dfa_state_t *s)
{
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].limit)
            return false;
    return s->kind != DFA_CONTROL || dfa->controls.items[s->control].kind == CONTROL_REFINE;
}

static void choose(dfa_t *dfa, const heat_t *heat, unsigned *order)
{
    unsigned hot = 0;
    for (unsigned s = 0; s < dfa->states.count; s++)
        order[s] = s;
    compared_heat = heat;
    qsort(order, dfa->states.count, sizeof *order, compare_states);
    for (unsigned i = 0; i < dfa->states.count && hot < HOT_STATES; i++) {
        dfa_state_t *s = &dfa->states.items[order[i]];
        s->is_hot = can_be_hot(dfa, s) && heat[order[i]].state > MASS / HOT_PART * STEPS;
        hot += s->is_hot;
    }
    for (unsigned i = 0; i < dfa->states.count; i++) {
        dfa_state_t *s = &dfa->states.items[i];
        for (size_t k = 0; k < s->edges.count; k++) {
            const dfa_state_t *target = &dfa->states.items[s->edges.items[k].target];
            s->edges.items[k].is_hot = s->is_hot && (target->is_hot || target->kind == DFA_CONTROL) &&
                                       heat[i].edges.items[k] > heat[i].state / HOT_EDGE;
        }
    }
}

static unsigned renumbered(const unsigned *number, unsigned state)
{
    return state == STATE_NONE ? STATE_NONE : number[state];
}

/* States move to where `number` says. */
static void renumber(dfa_t *dfa, const unsigned *number)
{
    size_t count = dfa->states.count;
    dfa_state_t *states = ARENA_ARRAY(dfa->arena, dfa_state_t, count);
    for (size_t s = 0; s < count; s++)
        states[number[s]] = dfa->states.items[s];
    memcpy(dfa->states.items, states, count * sizeof *states);
    for (size_t s = 0; s < count; s++) {
        dfa_state_t *state = &dfa->states.items[s];
        state->from = renumbered(number, state->from);
        for (size_t i = 0; i < state->edges.count; i++)
            state->edges.items[i].target = renumbered(number, state->edges.items[i].target);
    }
    for (size_t c = 0; c < dfa->controls.count; c++)
        for (size_t i = 0; i < dfa->controls.items[c].targets.count; i++)
            dfa->controls.items[c].targets.items[i] = renumbered(number, dfa->controls.items[c].targets.items[i]);
    unsigned *const starts[] = {&dfa->client, &dfa->server, &dfa->client_search, &dfa->server_search};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        *starts[i] = renumbered(number, *starts[i]);
}

void heat(dfa_t *dfa)
{
    unsigned count = (unsigned)dfa->states.count, next = 0;
    unsigned *order = ARENA_ARRAY(dfa->arena, unsigned, count), *number = ARENA_ARRAY(dfa->arena, unsigned, count);
    choose(dfa, estimate(dfa), order);
    for (unsigned is_cold = 0; is_cold < 2; is_cold++)
        for (unsigned s = 0; s < count; s++)
            if (dfa->states.items[s].is_hot != is_cold)
                number[s] = next++;
    renumber(dfa, number);
}
