/* dfa_state.c: states of the DFA: readings in a form that is the same for like ones, found in a hash table. */
#include "dfa_builder.h"

/* ---------------------------------------------------------------- canonical states */

/* Gives the stamp the next canonical number, or the one that the same stamp has. */
static void number_stamp(builder_t *b, stamp_t *at, edge_t *edge)
{
    unsigned r = 0;
    while (r < edge->moves.count && (edge->moves.items[r].reg != at->reg || edge->moves.items[r].back != at->back))
        r++;
    if (r == edge->moves.count)
        vec_push(b->arena, &edge->moves, *at);
    *at = (stamp_t){.reg = (int)r};
}

/* Gives the registers and scope marks of `configs` their canonical numbers; fills `moves` with what they were. */
static void canonicalise(builder_t *b, configs_t *configs, edge_t *edge, unsigned *register_count)
{
    VEC(unsigned) marks = {0};
    for (size_t i = 0; i < configs->count; i++) {
        config_t *c = &configs->items[i];
        if (b->nfa->states.items[c->state].kind == NFA_COUNT)
            number_stamp(b, &c->begin, edge);
        for (size_t k = 0; k < c->pendings.count; k++)
            number_stamp(b, &c->pendings.items[k].at, edge);
        for (size_t k = 0; k < c->scopes.count; k++) {
            unsigned m = 0;
            while (m < marks.count && marks.items[m] != c->scopes.items[k].mark)
                m++;
            if (m == marks.count)
                vec_push(b->scratch, &marks, c->scopes.items[k].mark);
            c->scopes.items[k].mark = m;
        }
    }
    *register_count = (unsigned)edge->moves.count;
}

uint64_t dfa_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

static uint64_t hash_configs(const configs_t *configs)
{
    uint64_t hash = configs->count;
    for (size_t i = 0; i < configs->count; i++) {
        const config_t *c = &configs->items[i];
        hash = dfa_mix(dfa_mix(dfa_mix(hash, c->state), c->level), (unsigned)c->begin.reg);
        for (size_t k = 0; k < c->pendings.count; k++)
            hash = dfa_mix(hash, (uint64_t)c->pendings.items[k].op << 16 | (unsigned)c->pendings.items[k].at.reg);
        for (size_t k = 0; k < c->scopes.count; k++)
            hash = dfa_mix(hash, (uint64_t)c->scopes.items[k].scope << 16 | c->scopes.items[k].mark);
    }
    return hash;
}

static bool config_equal(const config_t *a, const config_t *b)
{
    if (a->state != b->state || a->level != b->level || a->fallback != b->fallback || a->begin.reg != b->begin.reg ||
        a->forked != b->forked || a->pendings.count != b->pendings.count || a->scopes.count != b->scopes.count)
        return false;
    for (size_t k = 0; k < a->pendings.count; k++)
        if (a->pendings.items[k].op != b->pendings.items[k].op ||
            a->pendings.items[k].at.reg != b->pendings.items[k].at.reg ||
            a->pendings.items[k].guard != b->pendings.items[k].guard)
            return false;
    for (size_t k = 0; k < a->scopes.count; k++)
        if (a->scopes.items[k].scope != b->scopes.items[k].scope || a->scopes.items[k].mark != b->scopes.items[k].mark)
            return false;
    return true;
}

static bool configs_equal(const configs_t *a, const configs_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!config_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static configs_t keep_configs(builder_t *b, const configs_t *configs)
{
    configs_t kept = {0};
    for (size_t i = 0; i < configs->count; i++) {
        config_t c = configs->items[i];
        c.pendings = (pendings_t){0};
        memset(&c.scopes, 0, sizeof c.scopes);
        for (size_t k = 0; k < configs->items[i].pendings.count; k++)
            vec_push(b->arena, &c.pendings, configs->items[i].pendings.items[k]);
        for (size_t k = 0; k < configs->items[i].scopes.count; k++)
            vec_push(b->arena, &c.scopes, configs->items[i].scopes.items[k]);
        vec_push(b->arena, &kept, c);
        b->kept += 1 + c.pendings.count + c.scopes.count;
    }
    return kept;
}

unsigned dfa_push_state(builder_t *b, dfa_state_t state, unsigned from, int byte)
{
    unsigned number = (unsigned)b->dfa->states.count;
    state.from = from == STATE_NONE ? number : from;
    state.byte = byte;
    state.start = STATE_NONE;
    vec_push(b->arena, &b->dfa->states, state);
    return number;
}

static void insert(builder_t *b, unsigned number)
{
    uint64_t slot = hash_configs(&b->dfa->states.items[number].configs) % b->table.count;
    while (b->table.items[slot])
        slot = (slot + 1) % b->table.count;
    b->table.items[slot] = number + 1;
}

const nfa_state_t *dfa_nfa_state(const builder_t *b, const config_t *config)
{
    return &b->nfa->states.items[config->state];
}

static const control_t *call_of(const builder_t *b, const config_t *config)
{
    const nfa_state_t *s = dfa_nfa_state(b, config);
    const control_t *control = s->kind == NFA_CONTROL ? &b->nfa->controls.items[s->control] : NULL;
    return control && control->kind == CONTROL_CALL ? control : NULL;
}

/* What is pending can wait for a return: it needs no byte that is read till then. */
static bool can_wait(const builder_t *b, const config_t *config)
{
    for (size_t i = 0; i < config->pendings.count; i++) {
        const op_t *op = &b->nfa->ops.items[config->pendings.items[i].op];
        if (op->kind == OP_CONVERT_OPEN || op->kind == OP_CONVERT_CLOSE || op->is_stream)
            return false;
    }
    return dfa_nfa_state(b, config)->context->level == 0;
}

/* Do both call the same rule, in which nothing takes effect? See note [joint]. */
bool dfa_is_joint(const builder_t *b, const config_t *one, const config_t *other)
{
    const control_t *call = call_of(b, one), *same = call_of(b, other);
    return call && same && call->procedure == same->procedure && b->nfa->procedures.items[call->procedure].is_plain &&
           can_wait(b, one) && can_wait(b, other);
}

static bool is_joint_call(const builder_t *b, const configs_t *configs)
{
    for (size_t i = 1; i < configs->count; i++)
        if (!dfa_is_joint(b, &configs->items[0], &configs->items[i]))
            return false;
    return configs->count > 1;
}

/* The state of these readings, made if it is new; `edge` gets the moves that lead to it. */
unsigned dfa_intern_state(builder_t *b, configs_t *configs, edge_t *edge, unsigned from, int byte)
{
    dfa_state_t state = {.kind = DFA_BYTES};
    canonicalise(b, configs, edge, &state.register_count);
    uint64_t slot = hash_configs(configs) % b->table.count;
    for (; b->table.items[slot]; slot = (slot + 1) % b->table.count)
        if (configs_equal(&b->dfa->states.items[b->table.items[slot] - 1].configs, configs))
            return b->table.items[slot] - 1;
    state.configs = keep_configs(b, configs);
    if (configs->count == 1 && b->nfa->states.items[configs->items[0].state].kind == NFA_CONTROL) {
        state.kind = DFA_CONTROL;
        state.control = b->nfa->states.items[configs->items[0].state].control;
    } else if (is_joint_call(b, configs)) {
        control_t call = b->dfa->controls.items[b->nfa->states.items[configs->items[0].state].control];
        memset(&call.targets, 0, sizeof call.targets);
        call.is_joint = true;
        vec_push(b->arena, &b->dfa->controls, call);
        state.kind = DFA_CONTROL;
        state.control = (unsigned)b->dfa->controls.count - 1;
    }
    unsigned number = dfa_push_state(b, state, from, byte);
    insert(b, number);
    return number;
}
