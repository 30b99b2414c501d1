/* heat_flow.c: an estimate of how often states are passed, made without having seen any traffic.
 *
 * A walk through the automaton from its starts, in which a byte is as likely as it is in what protocols send: mostly letters,
 * then digits and the usual separators; what the state cannot read is left out, and what leads into an anomaly is unlikely. A
 * state that loops is passed once, however often. The walk is a flow: a mass at the starts
 * moves along all edges at once, in parts. Integers, so that every machine comes to the same result. */
#include "heat.h"

#define MASS ((uint64_t)1 << 40)
#define STEPS 1000u
#define UNLIKELY 64u    /* an anomaly is so many times less likely than anything else */

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

static bool is_in_anomaly(const nfa_t *nfa, const config_t *config)
{
    for (const context_t *c = nfa->states.items[config->state].context; c; c = c->parent)
        for (size_t i = 0; i < c->open_ops.count; i++)
            if (nfa->ops.items[c->open_ops.items[i]].kind == OP_ANOMALY_OPEN)
                return true;
    return false;
}

/* Are all readings of the state in an anomaly? */
static bool is_anomaly(const dfa_t *dfa, const dfa_state_t *s)
{
    for (size_t i = 0; i < s->configs.count; i++)
        if (!is_in_anomaly(dfa->nfa, &s->configs.items[i]))
            return false;
    return s->configs.count > 0;
}

/* A separator alone leads on as often as all the letters do: at the places where it may stand, it is likely to. */
static uint64_t weight_of_set(const charset_t *set)
{
    uint64_t most = 0;
    for (unsigned byte = 0; byte < 256; byte++)
        if (charset_has(set, byte) && weight_of_byte(byte) > most)
            most = weight_of_byte(byte);
    return most;
}

static uint64_t weight_of_edge(const dfa_t *dfa, unsigned state, const edge_t *edge)
{
    const dfa_state_t *s = &dfa->states.items[state], *target = &dfa->states.items[edge->target];
    if (s->kind == DFA_ENTRY)
        return 1;
    if (edge->target == state)
        return 0;
    uint64_t weight = UNLIKELY * weight_of_set(&edge->set);
    return is_anomaly(dfa, target) && !is_anomaly(dfa, s) ? weight / UNLIKELY : weight;
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
    for (size_t i = 0; i < s->edges.count && all > 0; i++) {
        uint64_t mass = f->now[state] * f->weights[state].items[i] / all;
        f->heat[state].edges.items[i].passes += mass;
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
    case CONTROL_AT:
    case CONTROL_CLOSE:
    case CONTROL_UNTIL:
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

void heat_flow(const dfa_t *dfa, heat_t *heat)
{
    size_t count = dfa->states.count;
    flow_t f = {.dfa = dfa, .heat = heat, .lost = MASS};
    f.weights = arena_alloc(dfa->arena, count * sizeof *f.weights);
    f.now = ARENA_ARRAY(dfa->arena, uint64_t, count);
    f.next = ARENA_ARRAY(dfa->arena, uint64_t, count);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < dfa->states.items[s].edges.count; i++) {
            const edge_t *edge = &dfa->states.items[s].edges.items[i];
            vec_push(dfa->arena, &f.weights[s], weight_of_edge(dfa, (unsigned)s, edge));
        }
    for (unsigned i = 0; i < STEPS; i++) {
        restart(&f);
        step(&f);
    }
}
