/* emit_machine.c: hot states as direct code.
 *
 * A state is a label. Its code tests the byte against the sets of the edges that are likely to be followed, performs the
 * edge's operations, and jumps. A state that only loops on a set is a scan. Every other byte is left to the tables, which have
 * all states. Operations that several edges share stand once, behind the states, under a label of their own. */
#include "emit_trace.h"

#include <stdlib.h>

#include "name.h"

#define MACHINES_MAX 255u /* as many as a state can number: those that are reached last are left to the tables */
#define SELDOM_PART 40u /* a state that is passed so many times less often than the hottest one is left to the tables ... */
#define OFTEN_PART 3u   /* ... or, if it is a part of a trace, so many times */
#define FOLLOWED_PART 4u /* what follows more seldom than once in so many times does not have to stand beside what it follows */
#define INLINE_PART 20u /* an edge that is passed so many times less often than the one that is passed most calls functions */

static bool needs_here(const layout_t *l, const pendings_t *commits, const moves_t *moves)
{
    for (size_t i = 0; i < commits->count; i++) {
        const op_t *op = &l->dfa->nfa->ops.items[commits->items[i].op];
        bool is_silent = !regop_has_position(op) && !regop_is_later(op) && op->kind != OP_SET;
        if (!is_silent || op->kind == OP_ATOMIC_END)
            return true;
    }
    for (size_t i = 0; moves && i < moves->count; i++)
        if (moves->items[i].from.reg < 0)
            return true;
    return false;
}

static bool may_stop(const layout_t *l, const pendings_t *commits)
{
    for (size_t i = 0; i < commits->count; i++)
        if (regop_may_stop(&l->dfa->nfa->ops.items[commits->items[i].op]))
            return true;
    return false;
}

void emit_jump(const layout_t *l, unsigned target, const char *indent, text_t *text)
{
    bool is_outside = layout_is_outside(l, target);
    if (l->stands[target] && !is_outside)
        text_print(text, "%sgoto %s;\n", indent, l->labels[target]);
    else
        text_print(text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_%s);\n", indent, l->enumerators[target],
                   is_outside ? "CONTROL" : "TABLE");
}

static void emit_here(const char *indent, text_t *text)
{
    text_print(text, "%shere = QCAP_HERE(at);\n", indent);
}

static void emit_moves(const moves_t *moves, const char *indent, text_t *text)
{
    for (size_t i = 0; i < moves->count; i++) {
        const move_t *move = &moves->items[i];
        text_print(text, "%sside->positions[%u] = ", indent, move->to);
        if (move->from.reg >= 0)
            text_print(text, "side->positions[%d];\n", move->from.reg);
        else if (move->from.back > 0)
            text_print(text, "(uint32_t)(here - %u);\n", move->from.back);
        else
            text_print(text, "(uint32_t)here;\n");
    }
}

/* What an edge does after its byte has been read, and the jump. */
static void emit_edge_body(machine_t *m, const edge_t *edge, const char *indent, text_t *text)
{
    const layout_t *l = m->l;
    moves_t moves = position_moves(l->dfa, edge, l->position_count);
    if (needs_here(l, &edge->commits, &moves))
        emit_here(indent, text);
    bool can_fail = false;
    for (size_t i = 0; i < edge->commits.count; i++) {
        m->is_inline = edge->passes > m->most_passes / INLINE_PART && !can_fail;
        const pending_t *p = &edge->commits.items[i];
        bool is_end = l->dfa->nfa->ops.items[p->op].kind == OP_ATOMIC_END; /* which stands wherever its rule may have ended */
        emit_op(m, p->op, is_end ? "here" : emit_stamp(l, p->at), indent, text);
        can_fail |= regop_may_fail(&l->dfa->nfa->ops.items[edge->commits.items[i].op]);
    }
    emit_moves(&moves, indent, text);
    if (may_stop(l, &edge->commits))
        text_print(text, "%sif (qcap_must_stop(parser))\n%s    return qcap_stop(parser, at, %s, QCAP_STOP_PAUSED);\n", indent,
                   indent, l->enumerators[edge->target]);
    emit_jump(l, edge->target, indent, text);
}

/* ---------------------------------------------------------------- edges shared by states */

static bool has_moves(const edge_t *edge)
{
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (edge->moves.items[v].reg != (int)v)
            return true;
    return false;
}

static bool is_plain(const edge_t *edge)
{
    return edge->commits.count == 0 && !has_moves(edge);
}

static bool same_body(const edge_t *a, const edge_t *b)
{
    return a->target == b->target && closure_pendings_equal(&a->commits, &b->commits) &&
           a->moves.count == b->moves.count &&
           (a->moves.count == 0 || memcmp(a->moves.items, b->moves.items, a->moves.count * sizeof *a->moves.items) == 0);
}

static shared_edge_t *find_shared(const shared_edges_t *shared, const edge_t *edge)
{
    for (size_t i = 0; i < shared->count; i++)
        if (same_body(shared->items[i].edge, edge))
            return &shared->items[i];
    return NULL;
}

/* The bodies of the machine's edges that do something, with how often each is used. */
static shared_edges_t find_shared_edges(const layout_t *l, unsigned machine)
{
    shared_edges_t shared = {0};
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        if (l->machine_of[s] != machine || !l->stands[s] || state->kind != DFA_BYTES)
            continue;
        for (size_t i = 0; i < state->edges.count; i++) {
            const edge_t *edge = &state->edges.items[i];
            if (!edge->is_hot || is_plain(edge))
                continue;
            shared_edge_t *found = find_shared(&shared, edge);
            if (found)
                found->use_count++;
            else
                vec_push(l->arena, &shared, ((shared_edge_t){edge, 1, (unsigned)shared.count + 1}));
        }
    }
    return shared;
}

static void emit_shared_edges(machine_t *m, text_t *text)
{
    for (size_t i = 0; i < m->shared.count; i++) {
        if (m->shared.items[i].use_count < 2)
            continue;
        text_print(text, "\ndo_%u:\n", m->shared.items[i].number);
        emit_edge_body(m, m->shared.items[i].edge, "    ", text);
    }
}

/* ---------------------------------------------------------------- states */

/* The body of an edge, or the jump to it. */
static void emit_shared(machine_t *m, const edge_t *edge, const char *indent, text_t *text)
{
    const shared_edge_t *body = is_plain(edge) ? NULL : find_shared(&m->shared, edge);
    if (body && body->use_count > 1)
        text_print(text, "%sgoto do_%u;\n", indent, body->number);
    else
        emit_edge_body(m, edge, indent, text);
}

static void emit_edge(machine_t *m, const edge_t *edge, text_t *text)
{
    bool is_all = charset_count(&edge->set) == 256;
    const char *indent = is_all ? "    " : "        ";
    if (!is_all) {
        text_print(text, "    if (");
        class_test(m->classes, &edge->set, "*at", text);
        text_print(text, ") {\n");
    }
    if (!edge->is_peek)
        text_print(text, "%sat++;\n", indent);
    emit_shared(m, edge, indent, text);
    if (!is_all)
        text_print(text, "    }\n");
}

int emit_compare_edges(const void *a, const void *b)
{
    const edge_t *const *x = a, *const *y = b;
    if ((*x)->passes != (*y)->passes)
        return (*x)->passes > (*y)->passes ? -1 : 1;
    unsigned i = charset_first(&(*x)->set), j = charset_first(&(*y)->set);
    return i < j ? -1 : i > j;
}

static bool is_loop(const edge_t *edge, unsigned state)
{
    return edge->is_hot && edge->target == state && is_plain(edge) && !edge->is_peek;
}

const edge_t *emit_find_loop(const layout_t *l, unsigned state)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    for (size_t i = 0; i < s->edges.count; i++)
        if (is_loop(&s->edges.items[i], state))
            return &s->edges.items[i];
    return NULL;
}

static const edge_t *find_edge(const layout_t *l, unsigned from, unsigned to)
{
    const dfa_state_t *s = &l->dfa->states.items[from];
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].target == to && s->edges.items[i].is_hot && !s->edges.items[i].is_peek)
            return &s->edges.items[i];
    return NULL;
}

/* note [pair]: two states that take turns, as a value does that has words and blanks between them: the one loops on words, the
 * other on blanks, and all that the step to the second does is to remember where it was. The run of both is scanned at once; which
 * state it ends in, and since when, its last bytes say. */
const edge_t *emit_find_pair(const layout_t *l, unsigned state, charset_t *words, charset_t *blanks)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    const edge_t *loop = emit_find_loop(l, state);
    for (size_t i = 0; loop && i < s->edges.count; i++) {
        const edge_t *out = &s->edges.items[i];
        const edge_t *rest = out->target == state ? NULL : emit_find_loop(l, out->target);
        const edge_t *back = rest ? find_edge(l, out->target, state) : NULL;
        if (!back || !out->is_hot || out->is_peek || out->commits.count || !is_plain(back))
            continue;
        *words = charset_intersect(loop->set, back->set);
        *blanks = charset_intersect(out->set, rest->set);
        if (charset_equal(words, &loop->set) && !charset_is_empty(blanks))
            return out;
    }
    return NULL;
}

/* See note [pair]. */
static void emit_pair(const machine_t *m, bool is_inline, const edge_t *out, const charset_t *words, const charset_t *blanks, text_t *text)
{
    charset_t all = charset_union(*words, *blanks);
    text_print(text, "    from = at;\n");
    class_scan(m->classes, &all, is_inline ? SCAN_INLINE : SCAN_CALLED, "    ", text);
    text_print(text, "    if (at != from && (");
    class_test(m->classes, blanks, "at[-1]", text);
    text_print(text, ")) {\n        const unsigned char *first = at - 1;\n        while (first != from && (");
    class_test(m->classes, blanks, "first[-1]", text);
    text_print(text, "))\n            first--;\n");
    moves_t moves = position_moves(m->l->dfa, out, m->l->position_count);
    if (needs_here(m->l, &out->commits, &moves))
        text_print(text, "        here = QCAP_HERE(first + 1);\n");
    emit_moves(&moves, "        ", text);
    emit_jump(m->l, out->target, "        ", text);
    text_print(text, "    }\n");
}

/* Reads a byte: the likeliest edges are tested first. */
static void emit_bytes(machine_t *m, unsigned state, text_t *text)
{
    const layout_t *l = m->l;
    const dfa_state_t *s = &l->dfa->states.items[state];
    const edge_t *edges[256], *loop = emit_find_loop(l, state);
    charset_t words, blanks;
    const edge_t *pair = emit_find_pair(l, state, &words, &blanks);
    size_t count = 0;
    bool is_inline = s->passes > m->most_passes / INLINE_PART;
    if (pair)
        emit_pair(m, is_inline, pair, &words, &blanks, text);
    else if (loop)
        class_scan(m->classes, &loop->set, is_inline ? SCAN_INLINE : SCAN_CALLED, "    ", text);
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_hot && &s->edges.items[i] != loop)
            edges[count++] = &s->edges.items[i];
    qsort(edges, count, sizeof *edges, emit_compare_edges);
    text_print(text, "    if (at == end)\n        return qcap_stop(parser, at, %s, QCAP_STOP_INPUT);\n",
               l->enumerators[state]);
    for (size_t i = 0; i < count; i++)
        emit_edge(m, edges[i], text);
    if (count == 0 || charset_count(&edges[count - 1]->set) < 256)
        text_print(text, "    return qcap_stop(parser, at, %s, QCAP_STOP_TABLE);\n", l->enumerators[state]);
}

/* A choice that fails is left to the driver. */
static void emit_choice(const layout_t *l, unsigned state, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    const control_t *control = &l->dfa->controls.items[s->control];
    text_print(text, "    switch (choose_%u(parser)) {\n", layout_choice(l, s->control));
    for (size_t i = 0; i < control->targets.count; i++) {
        text_print(text, "    case %zu:\n", i);
        emit_jump(l, control->targets.items[i], "        ", text);
    }
    text_print(text, "    default:\n        return qcap_stop(parser, at, %s, QCAP_STOP_CONTROL);\n    }\n", l->enumerators[state]);
}

static void emit_refine(const layout_t *l, const control_t *control, text_t *text)
{
    const conversion_t *conversion = &l->dfa->nfa->conversions.items[control->conversion];
    text_print(text, "    switch (side->underway[%u].value) {\n", l->conversion_slots[control->conversion]);
    for (size_t i = 1; i < control->targets.count; i++) {
        text_print(text, "    case %zu: /* %s */\n", i, conversion->keywords.items[i - 1]);
        emit_jump(l, control->targets.items[i], "        ", text);
    }
    text_print(text, "    default:\n");
    emit_jump(l, control->targets.items[0], "        ", text);
    text_print(text, "    }\n");
}

static void emit_state(machine_t *m, const traces_t *traces, unsigned state, text_t *text)
{
    const layout_t *l = m->l;
    const dfa_state_t *s = &l->dfa->states.items[state];
    text_print(text, "\n");
    emit_place_comment(l, state, "    ", text);
    text_print(text, " */\n%s:\n", l->labels[state]);
    emit_trace_way_in(traces, state, text);
    switch (s->kind) {
    case DFA_BYTES:
        emit_bytes(m, state, text);
        break;
    case DFA_ENTRY:
        emit_edge_body(m, &s->edges.items[0], "    ", text);
        break;
    case DFA_CONTROL:
        if (l->dfa->controls.items[s->control].kind == CONTROL_REFINE)
            emit_refine(l, &l->dfa->controls.items[s->control], text);
        else
            emit_choice(l, state, text);
        break;
    }
}

static bool is_in(const layout_t *l, unsigned machine, unsigned state)
{
    return l->machine_of[state] == machine && l->stands[state];
}

static void declare(const layout_t *l, const traces_t *traces, const char *body, text_t *text)
{
    bool has_here = strstr(body, "here = ") != NULL, has_from = strstr(body, "from = ") != NULL;
    if (strstr(body, "wanted, "))
        text_print(text, "    const uint64_t *const wanted = parser->conversation->wanted;\n");
    if (strstr(body, "side->"))
        text_print(text, "    struct %s_side *const side = (struct %s_side *)(void *)(parser + 1);\n", l->prefix, l->prefix);
    if (has_here || strstr(body, "QCAP_HERE"))
        text_print(text, "    const uint64_t origin = qcap_origin(parser);\n");
    if (has_here)
        text_print(text, "    uint64_t here;\n");
    if (has_from)
        text_print(text, "    const unsigned char *from;\n");
    emit_trace_variables(traces, text);
    text_print(text, "\n");
    if (!strstr(body, "at == end")) /* nothing but entries */
        text_print(text, "    (void)end;\n");
}

/* How often the edge is passed that is passed most, of those that do something. */
static uint64_t most_passes(const layout_t *l, unsigned machine)
{
    uint64_t most = 0;
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        for (size_t i = 0; i < state->edges.count && is_in(l, machine, s); i++)
            if (!is_plain(&state->edges.items[i]) && state->edges.items[i].passes > most)
                most = state->edges.items[i].passes;
    }
    return most;
}

/* Traces begin where reading does. */
static traces_t plan_traces(const machine_t *m, unsigned number)
{
    const layout_t *l = m->l;
    traces_t traces = {.m = m, .machine = number, .is_head = ARENA_ARRAY(l->arena, bool, l->dfa->states.count),
                       .is_part = ARENA_ARRAY(l->arena, bool, l->dfa->states.count),
                       .loops = ARENA_ARRAY(l->arena, passage_t *, l->dfa->states.count),
                       .exits = ARENA_ARRAY(l->arena, uint64_t, l->dfa->states.count)};
    const unsigned starts[] = {l->dfa->client, l->dfa->server};
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, number, s) && l->dfa->states.items[s].passes > traces.most)
            traces.most = l->dfa->states.items[s].passes;
    for (size_t i = 0; i < sizeof starts / sizeof *starts && emit_can_trace(l); i++) {
        if (starts[i] == STATE_NONE || !is_in(l, number, starts[i]) || traces.is_head[starts[i]])
            continue;
        traces.is_head[starts[i]] = true;
        vec_push(l->arena, &traces.heads, starts[i]);
    }
    return traces;
}

static void emit_machine(machine_t *m, unsigned number, text_t *text)
{
    const layout_t *l = m->l;
    text_t body;
    text_init(&body, l->arena);
    m->shared = find_shared_edges(l, number);
    m->most_passes = most_passes(l, number);
    text_print(&body, "    switch (parser->state) {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, number, s))
            text_print(&body, "    case %s:\n        goto %s;\n", l->enumerators[s], l->labels[s]);
    text_print(&body, "    default: /* no state of this machine */\n");
    text_print(&body, "        return qcap_stop(parser, at, parser->state, QCAP_STOP_TABLE);\n    }\n");
    traces_t traces = plan_traces(m, number);
    emit_traces(&traces, &body);
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, number, s) && !traces.is_head[s])
            emit_state(m, &traces, s, &body);
    emit_shared_edges(m, &body);

    text_print(text, "static qcap_stop_t %s(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end)\n{\n",
               l->machines.items[number]);
    declare(l, &traces, body.bytes, text);
    text_append(text, body.bytes, body.len);
    text_print(text, "}\n\n");
}

static bool is_empty(const layout_t *l, unsigned machine)
{
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, machine, s))
            return false;
    return true;
}

static bool has_calls(const layout_t *l)
{
    for (size_t i = 0; i < l->dfa->controls.count; i++)
        if (l->dfa->controls.items[i].kind == CONTROL_CALL)
            return true;
    return false;
}

/* A state that is but part of a trace can be left to the tables, unless small pieces often end there; a run is worth code of its
 * own, since it may lie in several pieces. */
static bool is_needed(const traces_t *traces, unsigned state)
{
    uint64_t passes = traces->m->l->dfa->states.items[state].passes;
    unsigned part = traces->is_part[state] ? OFTEN_PART : SELDOM_PART;
    bool is_often = passes * part >= traces->most || (!traces->is_part[state] && trace_is_worth(traces, passes));
    return is_often || traces->is_head[state] || traces->loops[state] || traces->exits[state] > 0 ||
           emit_find_loop(traces->m->l, state);
}

static bool is_likely(const dfa_state_t *from, uint64_t passes)
{
    return passes * FOLLOWED_PART >= from->entries;
}

/* Direct code for a state that is likely to come behind one that has it. True if that is new. */
static bool stand(const layout_t *l, unsigned state, unsigned machine)
{
    if (l->stands[state] || !l->dfa->states.items[state].is_hot || l->machine_of[state] != machine)
        return false;
    return l->stands[state] = true;
}

static bool stand_behind(const layout_t *l, unsigned state, unsigned machine)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    bool is_new = false;
    for (size_t i = 0; i < s->edges.count; i++)
        if (is_likely(s, s->edges.items[i].passes))
            is_new |= stand(l, s->edges.items[i].target, machine);
    for (size_t i = 0; s->kind == DFA_CONTROL && i < l->dfa->controls.items[s->control].targets.count; i++) {
        unsigned target = l->dfa->controls.items[s->control].targets.items[i];
        if (is_likely(s, l->dfa->states.items[target].passes))
            is_new |= stand(l, target, machine);
    }
    return is_new;
}

/* What began in the piece before, outside of any trace, goes on so until a trace begins: if not in direct code, then by the tables
 * and back, several times. */
static void choose_followed(const layout_t *l, unsigned machine)
{
    for (bool is_new = true; is_new;) {
        is_new = false;
        for (unsigned s = 0; s < l->dfa->states.count; s++)
            if (l->stands[s] && l->machine_of[s] == machine)
                is_new |= stand_behind(l, s, machine);
    }
}

void emit_choose(layout_t *l)
{
    classes_t classes = {.arena = l->arena, .grammar = l->grammar};
    machine_t m = {.l = l, .classes = &classes, .has_calls = has_calls(l)};
    text_t text;
    text_init(&text, l->arena);
    l->stands = ARENA_ARRAY(l->arena, bool, l->dfa->states.count);
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        l->stands[s] = l->dfa->states.items[s].is_hot;
    for (unsigned i = 0; i < l->machines.count; i++) {
        traces_t traces = plan_traces(&m, i);
        emit_traces(&traces, &text);
        for (unsigned s = 0; s < l->dfa->states.count; s++)
            if (l->machine_of[s] == i)
                l->stands[s] &= i < MACHINES_MAX && is_needed(&traces, s);
        choose_followed(l, i);
    }
}

void emit_machines(const layout_t *l, text_t *text)
{
    classes_t classes = {.arena = l->arena, .grammar = l->grammar};
    machine_t m = {.l = l, .classes = &classes, .has_calls = has_calls(l)};
    text_t machines;
    text_init(&machines, l->arena);
    for (unsigned i = 0; i < l->machines.count; i++)
        if (!is_empty(l, i))
            emit_machine(&m, i, &machines);
    class_define(&classes, text);
    text_print(text, "#define QCAP_HERE(at) (origin + (uintptr_t)(at)) /* the stream offset of a byte */\n\n");
    text_append(text, machines.len ? machines.bytes : "", machines.len);
    text_print(text, "/* The direct code, by the number that its states have. */\nstatic const qcap_machine_t machines[] = {\n");
    for (unsigned i = 0; i < l->machines.count; i++)
        text_print(text, "    %s,\n", is_empty(l, i) ? "NULL" : l->machines.items[i]);
    text_print(text, "};\n\n");
}
