/* dfa_step.c: the edges of a state: where its readings are behind a byte, at the end of a counter, at the end of the input.
 *
 * note [control]: a control point looks at something other than the next byte, so it must be clear that it has been reached.
 * Either a single reading is left and stands there: then it runs at once. Or the next byte tells: no other reading can go
 * on with it, and what follows the control point can (an edge that peeks). Anything else is refused. */
#include "dfa_builder.h"

#define ENDS_MAX 100u

/* The DFA state that begins at an NFA state. */
unsigned dfa_entry_of(builder_t *b, unsigned state, unsigned from)
{
    if (b->entries.items[state])
        return b->entries.items[state] - 1;
    b->scratch = arena_new();
    watch_t watch = {0};
    configs_t configs = closure_start(b->nfa, b->scratch, state, &watch);
    pendings_t commits = {0};
    edge_t edge = {0};
    const clash_t where = {.from = from, .byte = -1, .start = state};
    dfa_keep_clashes(b, &watch, where);
    dfa_settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    unsigned number = 0;
    if (!b->is_refused) {
        edge.commits = dfa_keep_pendings(b, &commits);
        size_t known = b->dfa->states.count;
        number = dfa_intern_state(b, &configs, &edge, from, -1);
        if (number >= known)
            b->dfa->states.items[number].start = state;
        if (edge.commits.count > 0 || edge.moves.count > 0) {
            edge.target = number;
            dfa_state_t entry = {.kind = DFA_ENTRY};
            vec_push(b->arena, &entry.edges, edge);
            number = dfa_push_state(b, entry, from, -1);
        }
        b->entries.items[state] = number + 1;
    }
    arena_free(b->scratch);
    return number;
}

/* What the main readings of a state do with a byte. */
typedef struct outlook {
    const config_t *reader;  /* the first that reads it, or NULL */
    const config_t *control; /* the first at a control point that it can follow, or NULL */
    const config_t *rival;   /* another one at another control point, or NULL */
} outlook_t;

static outlook_t look(builder_t *b, const configs_t *configs, unsigned byte)
{
    outlook_t o = {0};
    for (size_t i = 0, count = closure_main_count(configs); i < count; i++) {
        const config_t *c = &configs->items[i];
        const nfa_state_t *s = dfa_nfa_state(b, c);
        if (nfa_reads(s) && charset_has(&s->set, byte) && !o.reader)
            o.reader = c;
        if (s->kind != NFA_CONTROL)
            continue;
        if (!charset_has(&b->follows[s->control].set, byte))
            continue;
        if (!o.control)
            o.control = c;
        else if (!dfa_is_joint(b, o.control, c))
            o.rival = c;
    }
    return o;
}

/* A fallback that stands at a control point, and could go on there with this byte, would be left behind: the listed rule reads on,
 * or fails with it. Behind that rule nobody needs it any more. */
static void refuse_stranded(builder_t *b, const configs_t *configs, const config_t *reader, unsigned state, unsigned byte)
{
    if (reader && dfa_nfa_state(b, reader)->context->level == 0)
        return;
    for (size_t i = closure_main_count(configs); i < configs->count; i++) {
        const nfa_state_t *s = dfa_nfa_state(b, &configs->items[i]);
        if (s->kind == NFA_CONTROL && charset_has(&b->follows[s->control].set, byte))
            dfa_refuse_stranded(b, &configs->items[i], dfa_example(b, state, (int)byte));
    }
}

/* A large repeat need not be counted: it is written out in the next attempt. */
static bool is_unrolled(builder_t *b, const config_t *config)
{
    const nfa_state_t *s = dfa_nfa_state(b, config);
    const control_t *control = s->kind == NFA_CONTROL ? &b->nfa->controls.items[s->control] : NULL;
    if (!control || !control->repeat || control->expr)
        return false;
    for (size_t i = 0; i < b->nfa->unrolled.count; i++)
        if (b->nfa->unrolled.items[i] == control->repeat)
            return true;
    vec_push(b->arena, &b->nfa->unrolled, control->repeat);
    return true;
}

static void refuse_competing(builder_t *b, const outlook_t *o, unsigned state, unsigned byte)
{
    const config_t *other = o->reader ? o->reader : o->rival;
    if (is_unrolled(b, o->control) || is_unrolled(b, other))
        return;
    dfa_refuse(b, (refusal_t){.kind = REFUSAL_COMPETING,
                          .where = {.from = state, .byte = -1, .start = STATE_NONE},
                          .byte = byte,
                          .first = o->control < other ? o->control->state : other->state,
                          .second = o->control < other ? other->state : o->control->state});
}

/* Adds an edge, or the byte's class to an edge that does the same. */
static void add_edge(builder_t *b, unsigned state, edge_t edge)
{
    dfa_state_t *s = &b->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++) {
        edge_t *e = &s->edges.items[i];
        if (e->target == edge.target && e->is_peek == edge.is_peek && dfa_is_on_byte(e) && dfa_is_on_byte(&edge) &&
             closure_pendings_equal(&e->commits, &edge.commits) &&
            e->moves.count == edge.moves.count &&
            (e->moves.count == 0 ||
             memcmp(e->moves.items, edge.moves.items, e->moves.count * sizeof *e->moves.items) == 0)) {
            e->set = charset_union(e->set, edge.set);
            return;
        }
    }
    b->kept += 1 + edge.moves.count + edge.commits.count;
    vec_push(b->arena, &s->edges, edge);
}

void dfa_step(builder_t *b, unsigned state, unsigned byte, charset_t class)
{
    b->scratch = arena_new();
    configs_t from = b->dfa->states.items[state].configs;
    edge_t edge = {.set = class};
    outlook_t o = look(b, &from, byte);
    configs_t configs = {0};
    pendings_t commits = {0};
    watch_t watch = {0};
    const clash_t where = {.from = state, .byte = (int)byte, .start = STATE_NONE};
    if (o.control && (o.reader || o.rival)) {
        refuse_competing(b, &o, state, byte);
    } else if (o.control) {
        for (size_t i = 0; i < closure_main_count(&from); i++)
            if (&from.items[i] == o.control || dfa_is_joint(b, o.control, &from.items[i]))
                vec_push(b->scratch, &configs, from.items[i]);
        edge.is_peek = true;
        if (from.count > closure_main_count(&from))
            dfa_refuse_fallback(b, o.control);
    } else {
        refuse_stranded(b, &from, o.reader, state, byte);
        configs = closure_step(b->nfa, b->scratch, &from, byte, &watch);
        dfa_keep_clashes(b, &watch, where);
    }
    if (configs.count > 0) {
        dfa_settle(b, &configs, (stamp_t){STAMP_BACK, 1}, &commits, where);
        if (!b->is_refused) {
            edge.commits = dfa_keep_pendings(b, &commits);
            edge.target = dfa_intern_state(b, &configs, &edge, state, edge.is_peek ? -1 : (int)byte);
            add_edge(b, state, edge);
        }
    }
    arena_free(b->scratch);
}

/* How many bytes of its example a state was reached with since its position register `reg` was set. */
static unsigned example_age(const dfa_t *dfa, unsigned state, int reg)
{
    unsigned age = 0;
    while (reg >= 0 && dfa->states.items[state].from != state) {
        const dfa_state_t *s = &dfa->states.items[state], *from = &dfa->states.items[s->from];
        size_t i = 0;
        while (i < from->edges.count && (from->edges.items[i].target != state ||
                                         (s->byte >= 0 && !s->times && !charset_has(&from->edges.items[i].set, (unsigned)s->byte))))
            i++;
        if (i == from->edges.count)
            return age;
        stamp_t stamp = from->edges.items[i].moves.items[reg];
        age += stamp.reg < 0 ? stamp.back : s->times ? s->times : s->byte >= 0;
        reg = stamp.reg;
        state = s->from;
    }
    return age;
}

/* What a state does when a reading that counts reaches its number. */
static void step_full(builder_t *b, unsigned state, stamp_t begin, unsigned limit, const charset_t *set)
{
    unsigned before = (unsigned)b->dfa->states.count, age = example_age(b->dfa, state, begin.reg);
    b->scratch = arena_new();
    edge_t edge = {.set = charset_none(), .limit = limit, .begin = begin, .is_peek = true};
    pendings_t commits = {0};
    watch_t watch = {0};
    configs_t configs = closure_full(b->nfa, b->scratch, &b->dfa->states.items[state].configs, begin, limit, &watch);
    const clash_t where = {.from = state, .byte = -1, .start = STATE_NONE, .limit = limit};
    dfa_keep_clashes(b, &watch, where);
    dfa_settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, where);
    if (!b->is_refused) {
        edge.commits = dfa_keep_pendings(b, &commits);
        edge.target = dfa_intern_state(b, &configs, &edge, state, -1);
        add_edge(b, state, edge);
        if (edge.target == before && age < limit) {
            b->dfa->states.items[before].byte = (int)b->bytes[b->dfa->class_of[charset_first(set)]];
            b->dfa->states.items[before].times = limit - age;
        }
    }
    arena_free(b->scratch);
}

/* Steps for all the numbers that readings count to, each once. */
void dfa_step_counters(builder_t *b, unsigned state)
{
    for (size_t i = 0; i < b->dfa->states.items[state].configs.count && !b->is_failed; i++) {
        const dfa_state_t *s = &b->dfa->states.items[state];
        const nfa_state_t *counting = dfa_nfa_state(b, &s->configs.items[i]);
        const stamp_t begin = s->configs.items[i].begin;
        bool is_new = counting->kind == NFA_COUNT;
        for (size_t k = 0; k < s->edges.count && is_new; k++)
            is_new = s->edges.items[k].limit != counting->limit || s->edges.items[k].begin.reg != begin.reg;
        if (is_new)
            step_full(b, state, begin, counting->limit, &counting->set);
    }
}

/* What comes after a control point may be nothing: then it is passed where the input ends. */
static void step_end(builder_t *b, unsigned state, const config_t *config)
{
    b->scratch = arena_new();
    edge_t edge = {.set = charset_none(), .is_end = true, .is_peek = true};
    configs_t configs = {0};
    pendings_t commits = {0};
    vec_push(b->scratch, &configs, *config);
    dfa_settle(b, &configs, (stamp_t){STAMP_BACK, 0}, &commits, (clash_t){.from = state, .byte = -1, .start = STATE_NONE});
    if (!b->is_refused) {
        edge.commits = dfa_keep_pendings(b, &commits);
        edge.target = dfa_intern_state(b, &configs, &edge, state, -1);
        add_edge(b, state, edge);
    }
    arena_free(b->scratch);
}

/* Readings before the one that accepts, at control points where the input may end: they are passed over. */
static void keep_ends(builder_t *b, unsigned state, size_t accepting)
{
    const configs_t *configs = &b->dfa->states.items[state].configs;
    size_t count = closure_main_count(configs);
    for (size_t i = 0; i < accepting && i < count; i++) {
        const nfa_state_t *s = dfa_nfa_state(b, &configs->items[i]);
        bool is_known = s->kind != NFA_CONTROL || !b->follows[s->control].is_end || b->dfa->ends.count == ENDS_MAX;
        for (size_t k = 0; k < b->dfa->ends.count && !is_known; k++)
            is_known = b->dfa->ends.items[k].at == configs->items[i].state;
        if (!is_known)
            vec_push(b->arena, &b->dfa->ends,
                     ((clash_t){.from = state, .byte = -1, .start = STATE_NONE, .at = configs->items[i].state}));
    }
}

/* The end of the input is accepted by the first reading that can end here; if none can, the first main reading goes on that is
 * at a control point where the input may end. */
void dfa_accept(builder_t *b, unsigned state)
{
    dfa_state_t *s = &b->dfa->states.items[state];
    for (size_t i = 0; i < s->configs.count; i++) {
        if (dfa_nfa_state(b, &s->configs.items[i])->kind != NFA_ACCEPT)
            continue;
        keep_ends(b, state, i);
        configs_t last = {0};
        config_t reading = s->configs.items[i];
        vec_push(b->arena, &last, reading);
        pendings_t commits = {0};
        closure_promote(b->nfa, b->arena, &last, (stamp_t){STAMP_BACK, 0}, &commits);
        for (size_t k = 0; k < reading.pendings.count; k++)
            vec_push(b->arena, &commits, reading.pendings.items[k]);
        s->is_accepting = true;
        s->accept = commits;
        return;
    }
    for (size_t i = 0, count = closure_main_count(&s->configs); i < count; i++) {
        const config_t *c = &s->configs.items[i];
        if (dfa_nfa_state(b, c)->kind != NFA_CONTROL || !b->follows[dfa_nfa_state(b, c)->control].is_end)
            continue;
        step_end(b, state, c);
        return;
    }
}
