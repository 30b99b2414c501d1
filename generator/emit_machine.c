/* emit_machine.c: hot states as direct code.
 *
 * A state is a label. Its code tests the byte against the sets of the edges that are likely to be followed, performs the
 * edge's operations, and jumps. A state that only loops on a set is a scan. Every other byte is left to the tables, which have
 * all states. Operations that several edges share stand once, behind the states, under a label of their own. */
#include "emit.h"

#include <stdlib.h>

#include "name.h"
#include "position.h"

/* Operations and moves that lead to a state, used by several edges. */
typedef struct shared_edge {
    const edge_t *edge;
    unsigned use_count;
    unsigned number;
} shared_edge_t;

typedef VEC(shared_edge_t) shared_edges_t;

/* ---------------------------------------------------------------- conditions on a byte */

static void print_byte(unsigned byte, text_t *text)
{
    text_byte(text, byte);
}

static void emit_test(const layout_t *l, const charset_t *set, text_t *text)
{
    unsigned count = charset_count(set), first = charset_first(set);
    charset_t rest = charset_subtract(*set, charset_range(first, first));
    charset_t range = charset_range(first, first + count - 1);
    charset_t others = charset_subtract(charset_range(0, 255), *set);
    unsigned class = layout_class(l, set);
    if (count == 1) {
        text_print(text, "*at == ");
        print_byte(first, text);
    } else if (count == 2) {
        text_print(text, "*at == ");
        print_byte(first, text);
        text_print(text, " || *at == ");
        print_byte(charset_first(&rest), text);
    } else if (count == 255) {
        text_print(text, "*at != ");
        print_byte(charset_first(&others), text);
    } else if (charset_equal(&range, set)) {
        if (first > 0)
            text_print(text, "*at >= ");
        if (first > 0)
            print_byte(first, text);
        if (first > 0 && first + count < 256)
            text_print(text, " && ");
        if (first + count < 256)
            text_print(text, "*at <= ");
        if (first + count < 256)
            print_byte(first + count - 1, text);
    } else {
        text_print(text, "%s(*at)", l->classes.items[class].name);
    }
}

/* Table number `table`: the classes from CLASS_BITS * table on. */
static void emit_class_table(const layout_t *l, size_t table, text_t *text)
{
    text_print(text, "\nstatic const uint64_t class_of_%zu[256] = {\n", table);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t row = 0;
        for (size_t i = table * CLASS_BITS; i < l->classes.count && i < (table + 1) * CLASS_BITS; i++)
            if (charset_has(&l->classes.items[i].set, byte))
                row |= (uint64_t)1 << i % CLASS_BITS;
        text_print(text, "%s0x%llx,%s", byte % 4 ? " " : "    ", (unsigned long long)row, byte % 4 == 3 ? " /* " : "");
        if (byte % 4 == 3) {
            print_byte(byte - 3, text);
            text_print(text, " */\n");
        }
    }
    text_print(text, "};\n");
}

static void emit_classes(const layout_t *l, text_t *text)
{
    if (l->classes.count == 0)
        return;
    text_print(text, "/* Classes of bytes: a bit for each. */\n");
    for (size_t i = 0; i < l->classes.count; i++)
        text_print(text, "#define %s(byte) (class_of_%zu[byte] >> %zu & 1)\n", l->classes.items[i].name, i / CLASS_BITS,
                   i % CLASS_BITS);
    for (size_t table = 0; table * CLASS_BITS < l->classes.count; table++)
        emit_class_table(l, table, text);
    text_print(text, "\n");
}

/* ---------------------------------------------------------------- operations */

static void emit_stamp(stamp_t at, text_t *text)
{
    if (at.reg >= 0)
        text_print(text, "parser->positions[%d]", at.reg);
    else if (at.back > 0)
        text_print(text, "here - %u", at.back);
    else
        text_print(text, "here");
}

/* A register of either kind, as an argument. */
static void emit_register(const reg_t *reg, text_t *text)
{
    if (reg)
        text_print(text, "%s%u /* %s */", reg->is_shared ? "QCAP_SHARED + " : "", reg->index, reg->name);
    else
        text_print(text, "QCAP_NONE");
}

/* The call without its last argument, the position; false if it has none. */
static bool emit_call(const layout_t *l, const op_t *op, text_t *text)
{
    const char *stream = op->is_stream ? "_stream" : "";
    switch (op->kind) {
    case OP_OPEN:
        text_print(text, "qcap_op_open%s(parser, %u, %s, ", stream, op->depth, emit_element_constant(l, op->element));
        return true;
    case OP_CLOSE:
        text_print(text, "qcap_op_close%s(parser, %u, ", stream, op->depth);
        return true;
    case OP_ANOMALY_OPEN:
        text_print(text, "qcap_op_anomaly_open(parser, %u, ", op->depth);
        return true;
    case OP_ANOMALY_CLOSE:
        text_print(text, "qcap_op_anomaly_close(parser, %u, \"%s\", ", op->depth, op->name);
        return true;
    case OP_CONVERT_OPEN:
        text_print(text, "qcap_op_convert_open(parser, %u, ", op->conversion);
        return true;
    case OP_CONVERT_CLOSE:
        text_print(text, "qcap_op_convert_close(parser, %u, ", op->conversion);
        return true;
    case OP_SET:
        text_print(text, "qcap_op_set(parser, %u /* %s */, %s, %s, value_%u(parser), ", op->reg->index, op->reg->name,
                   op->reg->is_shared ? "true" : "false", op->is_unique ? "true" : "false", layout_value(l, op->expr));
        return true;
    case OP_PUSH:
        text_print(text, "qcap_op_push(parser, %u /* %s */, ", op->queue->index, op->queue->name);
        emit_register(op->reg, text);
        text_print(text, ", ");
        emit_register(op->key, text);
        text_print(text, ", ");
        return true;
    case OP_MISMATCH:
        text_print(text, "qcap_op_mismatch(parser, %u, \"%s\", ", op->depth, op->name);
        return true;
    case OP_FOUND:
        text_print(text, "qcap_op_found(parser, ");
        return true;
    case OP_MARK:
        text_print(text, "parser->marks[%u] = parser->later_count;\n", op->level);
        return false;
    case OP_ROLLBACK:
        text_print(text, "parser->later_count = parser->marks[%u];\n", op->level);
        return false;
    case OP_RESET:
    case OP_LOCAL_OPEN:
    case OP_LOCAL_CLOSE:
        text_print(text, "qcap_op_%s(parser, ",
                   op->kind == OP_RESET ? "reset" : op->kind == OP_LOCAL_OPEN ? "local_open" : "local_close");
        emit_register(op->reg, text);
        text_print(text, ");\n");
        return false;
    case OP_ATOMIC_END:
        text_print(text, "qcap_op_atomic_end(parser);\n");
        return false;
    case OP_ATOMIC_BEGIN:
        return false;
    }
    return false;
}

static void emit_op(const layout_t *l, const pending_t *p, const char *indent, text_t *text)
{
    const op_t *op = &l->dfa->nfa->ops.items[p->op];
    if (op->kind == OP_ATOMIC_BEGIN)
        return;
    text_print(text, "%s", indent);
    if (regop_is_later(op)) {
        text_print(text, "qcap_op_later(parser, %u /* ", p->op);
        emit_op_name(l, op, text);
        text_print(text, " */, ");
        if (op->kind == OP_CONVERT_CLOSE) {
            text_print(text, "qcap_op_convert(parser, %u, ", op->conversion);
            emit_stamp(p->at, text);
            text_print(text, "), ");
        } else {
            text_print(text, "0, ");
        }
    } else if (!emit_call(l, op, text)) {
        return;
    }
    emit_stamp(p->at, text);
    text_print(text, ");\n");
}

static bool needs_here(const layout_t *l, const pendings_t *commits, const moves_t *moves)
{
    for (size_t i = 0; i < commits->count; i++) {
        const op_t *op = &l->dfa->nfa->ops.items[commits->items[i].op];
        bool is_silent = !regop_has_position(op) && !regop_is_later(op) && op->kind != OP_SET;
        if (!is_silent && commits->items[i].at.reg < 0)
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

static void emit_jump(const layout_t *l, unsigned target, const char *indent, text_t *text)
{
    if (layout_is_outside(l, target))
        text_print(text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_CONTROL);\n", indent, l->enumerators[target]);
    else if (!l->dfa->states.items[target].is_hot)
        text_print(text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_TABLE);\n", indent, l->enumerators[target]);
    else
        text_print(text, "%sgoto %s;\n", indent, l->labels[target]);
}

static void emit_here(const char *indent, text_t *text)
{
    text_print(text, "%shere = qcap_offset_of(parser, at);\n", indent);
}

/* What an edge does after its byte has been read, and the jump. */
static void emit_edge_body(const layout_t *l, const edge_t *edge, const char *indent, text_t *text)
{
    moves_t moves = position_moves(l->dfa, edge, l->spare);
    if (needs_here(l, &edge->commits, &moves))
        emit_here(indent, text);
    for (size_t i = 0; i < edge->commits.count; i++)
        emit_op(l, &edge->commits.items[i], indent, text);
    for (size_t i = 0; i < moves.count; i++) {
        text_print(text, "%sparser->positions[%u] = ", indent, moves.items[i].to);
        emit_stamp(moves.items[i].from, text);
        text_print(text, ";\n");
    }
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
        if (l->machine_of[s] != machine || !state->is_hot || state->kind != DFA_BYTES)
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

static void emit_shared_edges(const layout_t *l, const shared_edges_t *shared, text_t *text)
{
    for (size_t i = 0; i < shared->count; i++) {
        if (shared->items[i].use_count < 2)
            continue;
        text_print(text, "\ndo_%u:\n", shared->items[i].number);
        emit_edge_body(l, shared->items[i].edge, "    ", text);
    }
}

/* ---------------------------------------------------------------- states */

/* The body of an edge, or the jump to it. */
static void emit_shared(const layout_t *l, const edge_t *edge, const shared_edges_t *shared, const char *indent, text_t *text)
{
    const shared_edge_t *body = is_plain(edge) ? NULL : find_shared(shared, edge);
    if (body && body->use_count > 1)
        text_print(text, "%sgoto do_%u;\n", indent, body->number);
    else
        emit_edge_body(l, edge, indent, text);
}

static void emit_edge(const layout_t *l, const edge_t *edge, const shared_edges_t *shared, text_t *text)
{
    bool is_all = charset_count(&edge->set) == 256;
    const char *indent = is_all ? "    " : "        ";
    if (!is_all) {
        text_print(text, "    if (");
        emit_test(l, &edge->set, text);
        text_print(text, ") {\n");
    }
    if (!edge->is_peek)
        text_print(text, "%sat++;\n", indent);
    emit_shared(l, edge, shared, indent, text);
    if (!is_all)
        text_print(text, "    }\n");
}

static int compare_edges(const void *a, const void *b)
{
    const edge_t *const *x = a, *const *y = b;
    unsigned m = charset_count(&(*x)->set), n = charset_count(&(*y)->set);
    if (m != n)
        return m > n ? -1 : 1;
    unsigned i = charset_first(&(*x)->set), j = charset_first(&(*y)->set);
    return i < j ? -1 : i > j;
}

/* Reads a byte: the widest sets are tested first, as the likeliest. */
static void emit_bytes(const layout_t *l, unsigned state, const shared_edges_t *shared, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    const edge_t *edges[256];
    size_t count = 0;
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (!edge->is_hot)
            continue;
        if (edge->target != state || !is_plain(edge) || edge->is_peek) {
            edges[count++] = edge;
            continue;
        }
        if (charset_count(&edge->set) == 256) {
            text_print(text, "    at = end;\n");
            continue;
        }
        text_print(text, "    while (at != end && (");
        emit_test(l, &edge->set, text);
        text_print(text, "))\n        at++;\n");
    }
    qsort(edges, count, sizeof *edges, compare_edges);
    text_print(text, "    if (at == end)\n        return qcap_stop(parser, at, %s, QCAP_STOP_INPUT);\n",
               l->enumerators[state]);
    for (size_t i = 0; i < count; i++)
        emit_edge(l, edges[i], shared, text);
    if (count == 0 || charset_count(&edges[count - 1]->set) < 256)
        text_print(text, "    return qcap_stop(parser, at, %s, QCAP_STOP_TABLE);\n", l->enumerators[state]);
}

static void emit_refine(const layout_t *l, const control_t *control, text_t *text)
{
    const conversion_t *conversion = &l->dfa->nfa->conversions.items[control->conversion];
    text_print(text, "    switch (parser->underway[%u].value) {\n", control->conversion);
    for (size_t i = 1; i < control->targets.count; i++) {
        text_print(text, "    case %zu: /* %s */\n", i, conversion->keywords.items[i - 1]);
        emit_jump(l, control->targets.items[i], "        ", text);
    }
    text_print(text, "    default:\n");
    emit_jump(l, control->targets.items[0], "        ", text);
    text_print(text, "    }\n");
}

static void emit_state(const layout_t *l, unsigned state, const shared_edges_t *shared, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    text_print(text, "\n");
    emit_place_comment(l, state, "    ", text);
    text_print(text, " */\n%s:\n", l->labels[state]);
    switch (s->kind) {
    case DFA_BYTES:
        emit_bytes(l, state, shared, text);
        break;
    case DFA_ENTRY:
        emit_edge_body(l, &s->edges.items[0], "    ", text);
        break;
    case DFA_CONTROL:
        emit_refine(l, &l->dfa->controls.items[s->control], text);
        break;
    }
}

static bool is_in(const layout_t *l, unsigned machine, unsigned state)
{
    return l->machine_of[state] == machine && l->dfa->states.items[state].is_hot;
}

static void emit_machine(const layout_t *l, unsigned machine, text_t *text)
{
    shared_edges_t shared = find_shared_edges(l, machine);
    text_t body;
    text_init(&body, l->arena);
    text_print(&body, "    switch (parser->state) {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, machine, s))
            text_print(&body, "    case %s:\n        goto %s;\n", l->enumerators[s], l->labels[s]);
    text_print(&body, "    default: /* no state of this machine */\n");
    text_print(&body, "        return qcap_stop(parser, at, parser->state, QCAP_STOP_TABLE);\n    }\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (is_in(l, machine, s))
            emit_state(l, s, &shared, &body);
    emit_shared_edges(l, &shared, &body);

    text_print(text, "static qcap_stop_t %s(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end)\n{\n",
               l->machines.items[machine]);
    if (strstr(body.bytes, "here = "))
        text_print(text, "    uint64_t here;\n\n");
    if (!strstr(body.bytes, "at == end")) /* nothing but entries */
        text_print(text, "    (void)end;\n");
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

void emit_machines(const layout_t *l, text_t *text)
{
    emit_classes(l, text);
    for (unsigned m = 0; m < l->machines.count; m++)
        if (!is_empty(l, m))
            emit_machine(l, m, text);
    text_print(text, "static const qcap_machine_t machines[] = {\n");
    for (unsigned m = 0; m < l->machines.count; m++)
        text_print(text, "    %s,\n", is_empty(l, m) ? "NULL" : l->machines.items[m]);
    text_print(text, "};\n\n");
}
