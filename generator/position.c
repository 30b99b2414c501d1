/* position.c: ages, and the allocation of position registers.
 *
 * The subset construction gives every pending operation a register for its position. Most need none: however the state
 * was reached, the operation was performed a fixed number of bytes ago. Ages are found as constants are propagated: unknown,
 * then a number, then "varies" when two edges disagree.
 *
 * What is left is allocated like variables in a compiler: registers of one state interfere with each other; those connected
 * by a move are put into the same variable where they do not interfere; then classes are coloured greedily. */
#include "position.h"

#include <stdlib.h>

#define AGE_UNKNOWN (-1)
#define AGE_VARIES (-2)

typedef struct ages {
    dfa_t *dfa;
    unsigned *first; /* by state: where its registers begin in `age` */
    int *age;
} ages_t;

static unsigned read_by(const dfa_state_t *state, const edge_t *edge)
{
    return state->kind == DFA_BYTES && !edge->is_peek ? 1 : 0;
}

static int age_of(const ages_t *a, unsigned state, stamp_t stamp, unsigned read)
{
    if (stamp.reg < 0)
        return (int)stamp.back;
    int age = a->age[a->first[state] + (unsigned)stamp.reg];
    return age >= 0 ? age + (int)read : age;
}

static bool propagate(ages_t *a, unsigned state)
{
    bool is_changed = false;
    const dfa_state_t *s = &a->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        for (size_t r = 0; r < edge->moves.count; r++) {
            int *age = &a->age[a->first[edge->target] + r];
            int now = age_of(a, state, edge->moves.items[r], read_by(s, edge));
            if (now == AGE_UNKNOWN || *age == AGE_VARIES || *age == now)
                continue;
            *age = *age == AGE_UNKNOWN ? now : AGE_VARIES;
            is_changed = true;
        }
    }
    return is_changed;
}

/* The stamp without registers of constant age. `renamed` numbers those that stay. */
static stamp_t rewrite(const ages_t *a, unsigned state, stamp_t stamp, unsigned read, const int *renamed)
{
    if (stamp.reg < 0)
        return stamp;
    int age = age_of(a, state, stamp, read);
    if (age >= 0)
        return (stamp_t){STAMP_BACK, (unsigned)age};
    return (stamp_t){.reg = renamed[a->first[state] + (unsigned)stamp.reg]};
}

static void rewrite_pendings(const ages_t *a, unsigned state, pendings_t *pendings, unsigned read, const int *renamed)
{
    for (size_t i = 0; i < pendings->count; i++)
        pendings->items[i].at = rewrite(a, state, pendings->items[i].at, read, renamed);
}

static void rewrite_state(const ages_t *a, unsigned state, const int *renamed)
{
    dfa_state_t *s = &a->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++) {
        edge_t *edge = &s->edges.items[i];
        rewrite_pendings(a, state, &edge->commits, read_by(s, edge), renamed);
        if (edge->limit)
            edge->begin = rewrite(a, state, edge->begin, 0, renamed);
        size_t kept = 0;
        for (size_t r = 0; r < edge->moves.count; r++) {
            if (renamed[a->first[edge->target] + r] < 0)
                continue;
            edge->moves.items[kept++] = rewrite(a, state, edge->moves.items[r], read_by(s, edge), renamed);
        }
        edge->moves.count = kept;
    }
    rewrite_pendings(a, state, &s->accept, 0, renamed);
    for (size_t i = 0; i < s->configs.count; i++)
        rewrite_pendings(a, state, &s->configs.items[i].pendings, 0, renamed);
}

/* A counter whose bytes are always fewer than its limit in this state never reaches it here. */
static void remove_idle_counters(dfa_state_t *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (edge->limit == 0 || edge->begin.reg >= 0 || edge->begin.back == edge->limit)
            s->edges.items[kept++] = *edge;
    }
    s->edges.count = kept;
}

static void remove_constant(ages_t *a)
{
    unsigned total = a->first[a->dfa->states.count];
    int *renamed = malloc((total + 1) * sizeof *renamed);
    for (unsigned s = 0; s < a->dfa->states.count; s++) {
        int next = 0;
        for (unsigned r = a->first[s]; r < a->first[s + 1]; r++)
            renamed[r] = a->age[r] == AGE_VARIES ? next++ : -1;
        a->dfa->states.items[s].register_count = (unsigned)next;
    }
    for (unsigned s = 0; s < a->dfa->states.count; s++)
        rewrite_state(a, s, renamed);
    for (unsigned s = 0; s < a->dfa->states.count; s++)
        remove_idle_counters(&a->dfa->states.items[s]);
    free(renamed);
}

/* ---------------------------------------------------------------- what a state keeps */

static bool stamp_equal(stamp_t a, stamp_t b)
{
    return a.reg == b.reg && a.back == b.back;
}

static bool has_conversion(const nfa_state_t *state, unsigned conversion)
{
    for (const context_t *c = state->context; c; c = c->parent)
        if (c->conversion == (int)conversion)
            return true;
    return false;
}

typedef VEC(underway_t) underways_t;

/* Adds how `config` stands to a conversion: nothing if it has nothing to do with it, and several if its rule has been read more
 * than once since anything was certain. */
static void underway_in(const dfa_t *dfa, const config_t *config, unsigned conversion, underways_t *found)
{
    const underway_t committed = {
        .conversion = conversion, .is_committed = true, .begin = {STAMP_BACK, 0}, .end = {STAMP_BACK, 0}};
    size_t first = found->count;
    for (size_t i = 0; i < config->pendings.count; i++) {
        const pending_t *p = &config->pendings.items[i];
        const op_t *op = &dfa->nfa->ops.items[p->op];
        if (op->conversion != conversion || (op->kind != OP_CONVERT_OPEN && op->kind != OP_CONVERT_CLOSE))
            continue;
        if (op->kind == OP_CONVERT_OPEN || found->count == first)
            vec_push(dfa->arena, found, committed);
        underway_t *last = &found->items[found->count - 1];
        if (op->kind == OP_CONVERT_CLOSE) {
            last->end = p->at;
        } else {
            last->is_committed = false;
            last->begin = p->at;
        }
    }
    if (found->count == first && has_conversion(&dfa->nfa->states.items[config->state], conversion))
        vec_push(dfa->arena, found, committed);
}

static bool is_begin_equal(const underway_t *a, const underway_t *b)
{
    return a->conversion == b->conversion && a->is_committed == b->is_committed && stamp_equal(a->begin, b->begin);
}

static underway_t *find_begin(dfa_state_t *s, const underway_t *wanted)
{
    for (size_t i = 0; i < s->underway.count; i++) {
        underway_t *u = &s->underway.items[i];
        if (is_begin_equal(u, wanted))
            return u;
    }
    return NULL;
}

static bool has_begin(const underways_t *underways, const underway_t *one)
{
    for (size_t i = 0; i < underways->count; i++)
        if (is_begin_equal(&underways->items[i], one))
            return true;
    return false;
}

/* Two readings end a number at different places: `second`, and the first that began it where that did. */
static void refuse(dfa_t *dfa, unsigned state, const underway_t *one, size_t second)
{
    const configs_t *configs = &dfa->states.items[state].configs;
    size_t first = 0;
    for (underways_t others = {0}; !has_begin(&others, one); first++) {
        others.count = 0;
        underway_in(dfa, &configs->items[first], one->conversion, &others);
    }
    vec_push(dfa->arena, &dfa->refusals,
             ((refusal_t){.kind = REFUSAL_CONVERSION, .where = {.from = state, .byte = -1, .start = STATE_NONE},
                          .first = configs->items[first - 1].state, .second = configs->items[second].state,
                          .op = one->conversion}));
}

/* Readings whose rule began at the same place share an accumulator. They must then agree on where a number ended; a text that
 * was kept can be cut to length later. */
static void find_underway(dfa_t *dfa, unsigned state, unsigned conversion)
{
    dfa_state_t *s = &dfa->states.items[state];
    conversion_t *c = &dfa->nfa->conversions.items[conversion];
    unsigned count = 0;
    for (size_t i = 0; i < s->configs.count; i++) {
        underways_t all = {0};
        underway_in(dfa, &s->configs.items[i], conversion, &all);
        for (size_t k = 0; k < all.count; k++) {
            const underway_t one = all.items[k];
            underway_t *known = find_begin(s, &one);
            if (!known) {
                vec_push(dfa->arena, &s->underway, one);
                count++;
            } else if (!stamp_equal(known->end, one.end)) {
                known->end = (stamp_t){STAMP_BACK, 0};
                if (c->text_size == 0) {
                    refuse(dfa, state, &one, i);
                    return;
                }
            }
        }
    }
    if (count > c->accumulator_count)
        c->accumulator_count = count;
}

static void hold(dfa_t *dfa, dfa_state_t *s, stamp_t at)
{
    if (at.reg < 0) {
        if (at.back > s->held_back)
            s->held_back = at.back;
        return;
    }
    for (size_t i = 0; i < s->held_registers.count; i++)
        if (s->held_registers.items[i] == (unsigned)at.reg)
            return;
    vec_push(dfa->arena, &s->held_registers, (unsigned)at.reg);
}

/* The open stream element may have ended at `at`. The present, at which nothing has ended, is behind all. */
static void note_end(dfa_state_t *s, stamp_t at)
{
    stamp_t *end = &s->stream_end;
    bool is_first = end->reg < 0 && end->back == 0, is_same = end->reg == at.reg && end->back == at.back;
    if (is_first || (end->reg < 0 && at.reg < 0 && at.back > end->back))
        *end = at;
    else if (!is_same && (end->reg >= 0 || at.reg >= 0))
        s->ends_vary = true;
}

static void find_held(dfa_t *dfa, dfa_state_t *s)
{
    s->stream_end = (stamp_t){STAMP_BACK, 0};
    for (size_t i = 0; i < s->configs.count; i++) {
        const pendings_t *pendings = &s->configs.items[i].pendings;
        for (size_t k = 0; k < pendings->count; k++) {
            const op_t *op = &dfa->nfa->ops.items[pendings->items[k].op];
            if (regop_has_position(op))
                hold(dfa, s, pendings->items[k].at);
            bool is_end = (op->kind == OP_CLOSE && op->is_stream) || op->kind == OP_FEED_CLOSE;
            s->may_stream |= (op->kind == OP_OPEN && op->is_stream) || op->kind == OP_FEED_OPEN;
            if (is_end)
                note_end(s, pendings->items[k].at);
        }
    }
}

static bool is_joint_call(const dfa_state_t *s)
{
    return s->edges.count > 0 && s->edges.items[0].is_return;
}

/* Nobody knows how far back what is called leaves the positions that wait for its return. */
static void vary_at_calls(ages_t *a)
{
    for (unsigned s = 0; s < a->dfa->states.count; s++)
        for (unsigned r = a->first[s]; r < a->first[s + 1] && is_joint_call(&a->dfa->states.items[s]); r++)
            a->age[r] = AGE_VARIES;
}

void position_analyse(dfa_t *dfa)
{
    ages_t a = {.dfa = dfa};
    a.first = malloc((dfa->states.count + 1) * sizeof *a.first);
    a.first[0] = 0;
    for (size_t s = 0; s < dfa->states.count; s++)
        a.first[s + 1] = a.first[s] + dfa->states.items[s].register_count;
    a.age = malloc((a.first[dfa->states.count] + 1) * sizeof *a.age);
    for (unsigned r = 0; r < a.first[dfa->states.count]; r++)
        a.age[r] = AGE_UNKNOWN;
    vary_at_calls(&a);
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (unsigned s = 0; s < dfa->states.count; s++)
            is_changed |= propagate(&a, s);
    }
    remove_constant(&a);
    free(a.age);
    free(a.first);

    for (unsigned s = 0; s < dfa->states.count && dfa->refusals.count == 0; s++) {
        find_held(dfa, &dfa->states.items[s]);
        for (unsigned c = 0; c < dfa->nfa->conversions.count && dfa->states.items[s].kind == DFA_BYTES; c++)
            find_underway(dfa, s, c);
    }
}

/* ---------------------------------------------------------------- allocation */

#define VARIABLE_NONE 0xffffffffu

typedef VEC(unsigned) nodes_t;

/* Registers are nodes: first[state] + register. A class is a set of nodes that share a variable. */
typedef struct allocation {
    dfa_t *dfa;
    unsigned *first;
    unsigned *class_of;    /* by node */
    unsigned *state_of;    /* by node */
    nodes_t *members;      /* by class */
    unsigned *variable;    /* by class */
} allocation_t;

static bool interfere(const allocation_t *a, unsigned x, unsigned y, unsigned *mark, unsigned generation)
{
    for (size_t i = 0; i < a->members[x].count; i++)
        mark[a->state_of[a->members[x].items[i]]] = generation;
    for (size_t i = 0; i < a->members[y].count; i++)
        if (mark[a->state_of[a->members[y].items[i]]] == generation)
            return true;
    return false;
}

/* Where no other register of a state is in the way, a register gets the variable of what is moved to it. */
static void coalesce_edge(allocation_t *a, unsigned state, const edge_t *edge, unsigned *mark, unsigned *generation)
{
    for (unsigned r = 0; r < edge->moves.count; r++) {
        if (edge->moves.items[r].reg < 0)
            continue;
        unsigned x = a->class_of[a->first[state] + (unsigned)edge->moves.items[r].reg];
        unsigned y = a->class_of[a->first[edge->target] + r];
        if (x == y || interfere(a, x, y, mark, ++*generation))
            continue;
        for (size_t k = 0; k < a->members[y].count; k++) {
            a->class_of[a->members[y].items[k]] = x;
            vec_push(a->dfa->arena, &a->members[x], a->members[y].items[k]);
        }
        a->members[y].count = 0;
    }
}

/* A return comes first: nobody moves anything then. */
static void coalesce(allocation_t *a)
{
    unsigned generation = 0;
    unsigned *mark = calloc(a->dfa->states.count, sizeof *mark);
    for (unsigned is_other = 0; is_other < 2; is_other++)
        for (unsigned s = 0; s < a->dfa->states.count; s++) {
            const dfa_state_t *state = &a->dfa->states.items[s];
            for (size_t i = 0; i < state->edges.count; i++)
                if (state->edges.items[i].is_return != is_other)
                    coalesce_edge(a, s, &state->edges.items[i], mark, &generation);
        }
    free(mark);
}

/* ---------------------------------------------------------------- calls
 * What waits for a return keeps its variables to itself: no state that is passed till then uses them. */

typedef VEC(unsigned) numbers_t;

static void enter(const allocation_t *a, unsigned state, bool *is_inside, numbers_t *found)
{
    if (state == STATE_NONE || is_inside[state])
        return;
    is_inside[state] = true;
    vec_push(a->dfa->arena, found, state);
}

/* The states of what is called by several readings together. */
static void find_inside(const allocation_t *a, bool *is_inside)
{
    const dfa_t *dfa = a->dfa;
    numbers_t found = {0};
    for (size_t s = 0; s < dfa->states.count; s++)
        if (is_joint_call(&dfa->states.items[s]))
            enter(a, dfa->controls.items[dfa->states.items[s].control].targets.items[0], is_inside, &found);
    while (found.count > 0) {
        const dfa_state_t *s = &dfa->states.items[found.items[--found.count]];
        for (size_t i = 0; i < s->edges.count; i++)
            enter(a, s->edges.items[i].target, is_inside, &found);
        const control_t *control = s->kind == DFA_CONTROL ? &dfa->controls.items[s->control] : NULL;
        for (size_t i = 0; control && i < control->targets.count; i++)
            enter(a, control->targets.items[i], is_inside, &found);
    }
}

/* ---------------------------------------------------------------- variables */

static bool has_member_in(const allocation_t *a, unsigned class, const bool *states)
{
    for (size_t i = 0; i < a->members[class].count; i++)
        if (states[a->state_of[a->members[class].items[i]]])
            return true;
    return false;
}

/* The first variable from `first` on that no register of the same states has. */
static unsigned free_variable(const allocation_t *a, unsigned class, unsigned first)
{
    uint64_t taken = 0;
    for (size_t i = 0; i < a->members[class].count; i++) {
        unsigned state = a->state_of[a->members[class].items[i]];
        for (unsigned n = a->first[state]; n < a->first[state + 1]; n++)
            if (a->variable[a->class_of[n]] != VARIABLE_NONE)
                taken |= (uint64_t)1 << a->variable[a->class_of[n]];
    }
    unsigned v = first;
    while (v < POSITION_MAX && (taken >> v & 1))
        v++;
    return v;
}

static unsigned colour(allocation_t *a, unsigned nodes)
{
    unsigned count = 0, outside = 0;
    bool *is_inside = calloc(a->dfa->states.count + 1, sizeof *is_inside);
    find_inside(a, is_inside);
    for (unsigned c = 0; c < nodes; c++)
        a->variable[c] = VARIABLE_NONE;
    for (unsigned inside = 0; inside < 2; inside++) {
        for (unsigned c = 0; c < nodes; c++) {
            if (a->members[c].count == 0 || has_member_in(a, c, is_inside) != inside)
                continue;
            a->variable[c] = free_variable(a, c, outside);
            count = a->variable[c] + 1 > count ? a->variable[c] + 1 : count;
        }
        outside = count;
    }
    free(is_inside);
    return count;
}

static void assign(const allocation_t *a, unsigned state, stamp_t *stamp)
{
    if (stamp->reg >= 0)
        stamp->reg = (int)a->variable[a->class_of[a->first[state] + (unsigned)stamp->reg]];
}

/* Moves become one entry for each variable: those that are not set have reg == (their own number). */
static void assign_moves(const allocation_t *a, unsigned state, edge_t *edge, unsigned count)
{
    stamp_t moves[POSITION_MAX];
    for (unsigned v = 0; v < count; v++)
        moves[v] = (stamp_t){.reg = (int)v};
    for (unsigned r = 0; r < edge->moves.count; r++) {
        stamp_t from = edge->moves.items[r];
        assign(a, state, &from);
        moves[a->variable[a->class_of[a->first[edge->target] + r]]] = from;
    }
    edge->moves.count = 0;
    for (unsigned v = 0; v < count; v++)
        vec_push(a->dfa->arena, &edge->moves, moves[v]);
}

static void assign_state(const allocation_t *a, unsigned state, unsigned count)
{
    dfa_state_t *s = &a->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++) {
        for (size_t k = 0; k < s->edges.items[i].commits.count; k++)
            assign(a, state, &s->edges.items[i].commits.items[k].at);
        assign_moves(a, state, &s->edges.items[i], count);
        if (s->edges.items[i].limit)
            assign(a, state, &s->edges.items[i].begin);
    }
    for (size_t k = 0; k < s->accept.count; k++)
        assign(a, state, &s->accept.items[k].at);
    for (size_t k = 0; k < s->underway.count; k++) {
        assign(a, state, &s->underway.items[k].begin);
        assign(a, state, &s->underway.items[k].end);
    }
    for (size_t k = 0; k < s->held_registers.count; k++) {
        stamp_t stamp = {.reg = (int)s->held_registers.items[k]};
        assign(a, state, &stamp);
        s->held_registers.items[k] = (unsigned)stamp.reg;
    }
    assign(a, state, &s->stream_end);
}

/* The elements that are pending in a state, each once. */
static void print_pending(const dfa_t *dfa, const dfa_state_t *state, text_t *text)
{
    bool *is_printed = ARENA_ARRAY(dfa->arena, bool, dfa->nfa->elements.count + 1);
    for (size_t i = 0; i < state->configs.count; i++)
        for (size_t k = 0; k < state->configs.items[i].pendings.count; k++) {
            const op_t *op = &dfa->nfa->ops.items[state->configs.items[i].pendings.items[k].op];
            if ((op->kind != OP_OPEN && op->kind != OP_CLOSE) || is_printed[op->element])
                continue;
            is_printed[op->element] = true;
            text_print(text, "%s`%s`", text->len ? ", " : "", dfa->nfa->elements.items[op->element].name);
        }
}

/* Shows the first state that needs more than there are. */
static void fail_too_many(const allocation_t *a, diag_t *diag)
{
    unsigned s = 0;
    while (s + 1 < a->dfa->states.count && a->first[s + 1] - a->first[s] <= POSITION_MAX)
        s++;
    const dfa_state_t *state = &a->dfa->states.items[s];
    const rule_t *rule = state->configs.count ? a->dfa->nfa->states.items[state->configs.items[0].state].context->rule : NULL;
    text_t text, pending;
    text_init(&text, a->dfa->arena);
    text_init(&pending, a->dfa->arena);
    dfa_witness(a->dfa, s, &text);
    print_pending(a->dfa, state, &pending);
    diag_error(diag, rule ? rule->place : (place_t){0}, "more than %u positions would have to be remembered", POSITION_MAX);
    diag_note(diag, "for example after %s", text.bytes);
    if (pending.len)
        diag_note(diag, "where it is undecided still what is read of %s", pending.bytes);
}

unsigned position_allocate(dfa_t *dfa, diag_t *diag)
{
    allocation_t a = {.dfa = dfa};
    size_t states = dfa->states.count;
    a.first = malloc((states + 1) * sizeof *a.first);
    a.first[0] = 0;
    for (size_t s = 0; s < states; s++)
        a.first[s + 1] = a.first[s] + dfa->states.items[s].register_count;
    unsigned nodes = a.first[states];
    a.class_of = malloc((nodes + 1) * sizeof *a.class_of);
    a.state_of = malloc((nodes + 1) * sizeof *a.state_of);
    a.variable = calloc(nodes + 1, sizeof *a.variable);
    a.members = calloc(nodes + 1, sizeof *a.members);
    for (unsigned s = 0; s < states; s++)
        for (unsigned n = a.first[s]; n < a.first[s + 1]; n++) {
            a.class_of[n] = n;
            a.state_of[n] = s;
            vec_push(dfa->arena, &a.members[n], n);
        }
    coalesce(&a);
    unsigned count = colour(&a, nodes);
    if (count > POSITION_MAX)
        fail_too_many(&a, diag);
    for (unsigned s = 0; s < states && count <= POSITION_MAX; s++)
        assign_state(&a, s, count);
    free(a.first);
    free(a.class_of);
    free(a.state_of);
    free(a.variable);
    free(a.members);
    return count;
}

static bool is_needed(const move_t *pending, size_t count, const bool *is_done, unsigned variable)
{
    for (size_t i = 0; i < count; i++)
        if (!is_done[i] && pending[i].from.reg == (int)variable)
            return true;
    return false;
}

moves_t position_moves(const dfa_t *dfa, const edge_t *edge, unsigned spare)
{
    moves_t ordered = {0};
    move_t pending[POSITION_MAX];
    bool is_done[POSITION_MAX] = {false};
    size_t count = 0;
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (edge->moves.items[v].reg != (int)v)
            pending[count++] = (move_t){v, edge->moves.items[v]};
    for (size_t left = count; left > 0;) {
        size_t i = 0;
        while (i < count) {
            bool was_done = is_done[i];
            is_done[i] = true;
            if (!was_done && !is_needed(pending, count, is_done, pending[i].to))
                break;
            is_done[i] = was_done;
            i++;
        }
        if (i == count) { /* a cycle: save one of its variables */
            i = 0;
            while (is_done[i])
                i++;
            vec_push(dfa->arena, &ordered, ((move_t){spare, {.reg = (int)pending[i].to}}));
            for (size_t k = 0; k < count; k++)
                if (!is_done[k] && pending[k].from.reg == (int)pending[i].to)
                    pending[k].from.reg = (int)spare;
            continue;
        }
        vec_push(dfa->arena, &ordered, pending[i]);
        left--;
    }
    return ordered;
}
