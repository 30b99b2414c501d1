/* emit_c.c: the generated source: machines as direct code, and the tables about them.
 *
 * A state is a label. Above it, the rule with a dot where each reading stands, and a shortest input that leads there. Its
 * code tests the byte against the edges' sets, performs the edge's operations, and jumps. A state that only loops on a set
 * is a scan. Operations that several edges share stand once, behind the states, under a label of their own. */
#include "emit.h"

#include <stdlib.h>

#include "name.h"
#include "source.h"
#include "position.h"

/* Operations and moves that lead to a state, used by several edges. */
typedef struct shared_edge {
    const edge_t *edge;
    bool is_counting_on; /* see dfa_is_counting_on() */
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

/* ---------------------------------------------------------------- expressions */

static bool is_register(const expr_t *e, register_type_t type)
{
    return e->kind == EXPR_REGISTER && e->reg->type == type;
}

static void emit_bytes_of(const reg_t *reg, text_t *text)
{
    text_print(text, "qcap_bytes(parser, %u /* %s */, %s)", reg->index, reg->name, reg->is_shared ? "true" : "false");
}

static void emit_expr(const expr_t *e, text_t *text)
{
    static const char *const operators[] = {
        [EXPR_ADD] = "QCAP_ADD", [EXPR_SUB] = "QCAP_SUB", [EXPR_MUL] = "QCAP_MUL", [EXPR_AND_BITS] = "QCAP_AND_BITS",
        [EXPR_EQ] = "QCAP_EQ",   [EXPR_NE] = "QCAP_NE",   [EXPR_LT] = "QCAP_LT",   [EXPR_LE] = "QCAP_LE",
        [EXPR_GT] = "QCAP_GT",   [EXPR_GE] = "QCAP_GE",   [EXPR_AND] = "QCAP_AND", [EXPR_OR] = "QCAP_OR"};
    switch (e->kind) {
    case EXPR_NUMBER:
        text_print(text, "qcap_number(%lluu%s%s%s)", (unsigned long long)e->number, e->keyword ? " /* " : "",
                   e->keyword ? e->keyword : "", e->keyword ? " */" : "");
        return;
    case EXPR_TRUE:
    case EXPR_FALSE:
        text_print(text, "qcap_number(%d)", e->kind == EXPR_TRUE);
        return;
    case EXPR_REGISTER:
        text_print(text, "%s(parser, %u /* %s */)", e->reg->is_shared ? "qcap_shared" : "qcap_register", e->reg->index,
                   e->reg->name);
        return;
    case EXPR_IS_SET:
        text_print(text, "%s(%s(parser, %u /* %s */))", e->reg->type == REGISTER_FLAG ? "qcap_is_true" : "qcap_is_set",
                   e->reg->is_shared ? "qcap_shared" : "qcap_register", e->reg->index, e->reg->name);
        return;
    case EXPR_NOT:
        text_print(text, "qcap_not(");
        emit_expr(e->left, text);
        text_print(text, ")");
        return;
    default:
        if (is_register(e->left, REGISTER_BYTES)) {
            text_print(text, "qcap_compare_bytes(%s, ", operators[e->kind]);
            emit_bytes_of(e->left->reg, text);
            text_print(text, ", ");
            emit_bytes_of(e->right->reg, text);
            text_print(text, ")");
            return;
        }
        text_print(text, "qcap_binary(%s, ", operators[e->kind]);
        emit_expr(e->left, text);
        text_print(text, ", ");
        emit_expr(e->right, text);
        text_print(text, ")");
        return;
    }
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
        text_print(text, "qcap_op_set(parser, %u /* %s */, %s, %s, ", op->reg->index, op->reg->name,
                   op->reg->is_shared ? "true" : "false", op->is_unique ? "true" : "false");
        emit_expr(op->expr, text);
        text_print(text, ", ");
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

/* What an operation on the list does, for people. */
static void emit_op_name(const layout_t *l, const op_t *op, text_t *text)
{
    if (op->kind == OP_OPEN || op->kind == OP_CLOSE)
        text_print(text, "%s %s", op->kind == OP_OPEN ? "open" : "close", l->dfa->nfa->elements.items[op->element].name);
    else if (op->kind == OP_CONVERT_CLOSE)
        text_print(text, "convert %s", l->dfa->nfa->conversions.items[op->conversion].rule->name);
    else
        regop_print(op, text);
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

/* What is on the list of an atomic rule takes effect. */
static void emit_perform(const layout_t *l, text_t *text)
{
    const ops_t *ops = &l->dfa->nfa->ops;
    text_print(text, "/* Operations of atomic rules, when these have matched. */\n");
    text_print(text, "static void perform(qcap_parser_t *parser, const qcap_later_t *later)\n{\n    switch (later->op) {\n");
    for (unsigned i = 0; i < ops->count; i++) {
        const op_t *op = &ops->items[i];
        if (!regop_is_later(op))
            continue;
        text_print(text, "    case %u:\n        ", i);
        if (op->kind == OP_CONVERT_CLOSE)
            text_print(text, "qcap_op_store(parser, %u, later->value, later->at);\n", op->conversion);
        else if (emit_call(l, op, text))
            text_print(text, "later->at);\n");
        text_print(text, "        break;\n");
    }
    text_print(text, "    default: /* none */\n        (void)parser;\n        break;\n    }\n}\n\n");
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

/* Whoever runs the machine has to know the limits of a state that begins to count. */
static void emit_jump(const layout_t *l, unsigned target, bool is_counting_on, const char *indent, text_t *text)
{
    if (layout_is_outside(l, target) || !is_counting_on)
        text_print(text, "%sreturn qcap_stop(parser, at, %s, QCAP_STOP_CONTROL);\n", indent, l->enumerators[target]);
    else
        text_print(text, "%sgoto %s;\n", indent, l->labels[target]);
}

static void emit_here(const char *indent, text_t *text)
{
    text_print(text, "%shere = qcap_offset_of(parser, at);\n", indent);
}

/* What an edge does after its byte has been read, and the jump. */
static void emit_edge_body(const layout_t *l, const edge_t *edge, bool is_counting_on, const char *indent, text_t *text)
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
    emit_jump(l, edge->target, is_counting_on, indent, text);
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

static shared_edge_t *find_shared(const shared_edges_t *shared, const edge_t *edge, bool is_counting_on)
{
    for (size_t i = 0; i < shared->count; i++)
        if (same_body(shared->items[i].edge, edge) && shared->items[i].is_counting_on == is_counting_on)
            return &shared->items[i];
    return NULL;
}

/* The bodies of the machine's edges that do something, with how often each is used. */
static shared_edges_t find_shared_edges(const layout_t *l, unsigned machine)
{
    shared_edges_t shared = {0};
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        if (l->machine_of[s] != machine || state->kind != DFA_BYTES)
            continue;
        for (size_t i = 0; i < state->edges.count; i++) {
            const edge_t *edge = &state->edges.items[i];
            bool is_counting_on = dfa_is_counting_on(l->dfa, s, edge);
            if (is_plain(edge) && is_counting_on)
                continue;
            shared_edge_t *found = find_shared(&shared, edge, is_counting_on);
            if (found)
                found->use_count++;
            else
                vec_push(l->arena, &shared, ((shared_edge_t){edge, is_counting_on, 1, (unsigned)shared.count + 1}));
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
        emit_edge_body(l, shared->items[i].edge, shared->items[i].is_counting_on, "    ", text);
    }
}

/* ---------------------------------------------------------------- states */

static void emit_comment(const layout_t *l, unsigned state, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    unsigned shown = 0;
    text_print(text, "\n    /* ");
    for (size_t i = 0; i < s->configs.count && shown < 3; i++) {
        text_t line;
        text_init(&line, l->arena);
        name_place(l->dfa, &s->configs.items[i], &line);
        for (char *c = line.bytes; *c; c++) /* no end of comment inside the comment */
            if (c[0] == '*' && c[1] == '/')
                c[1] = '|';
            else if (c[0] == '/' && c[1] == '*')
                c[0] = '|';
        text_print(text, "%s%s%s\n     * ", s->configs.items[i].level == LEVEL_MAIN ? "" : "else ", line.bytes, "");
        shown++;
    }
    text_t witness;
    text_init(&witness, l->arena);
    dfa_witness(l->dfa, state, &witness);
    for (char *c = witness.bytes; *c; c++)
        if (c[0] == '*' && c[1] == '/')
            c[1] = '|';
        else if (c[0] == '/' && c[1] == '*')
            c[0] = '|';
    text_print(text, "e.g. after %s */\n", witness.bytes);
}

/* The body of an edge, or the jump to it. */
static void emit_shared(const layout_t *l, unsigned state, const edge_t *edge, const shared_edges_t *shared,
                        const char *indent, text_t *text)
{
    bool is_counting_on = dfa_is_counting_on(l->dfa, state, edge);
    const shared_edge_t *body = find_shared(shared, edge, is_counting_on);
    if (body && body->use_count > 1)
        text_print(text, "%sgoto do_%u;\n", indent, body->number);
    else
        emit_edge_body(l, edge, is_counting_on, indent, text);
}

static void emit_edge(const layout_t *l, unsigned state, const edge_t *edge, const shared_edges_t *shared, text_t *text)
{
    charset_t all = charset_range(0, 255);
    bool is_all = charset_equal(&edge->set, &all);
    const char *indent = is_all ? "    " : "        ";
    if (!is_all) {
        text_print(text, "    if (");
        emit_test(l, &edge->set, text);
        text_print(text, ") {\n");
    }
    if (!edge->is_peek)
        text_print(text, "%sat++;\n", indent);
    emit_shared(l, state, edge, shared, indent, text);
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

/* No bytes are left: because a counter has reached its number, or just so. */
static void emit_end(const layout_t *l, unsigned state, const shared_edges_t *shared, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    bool is_first = true;
    text_print(text, "    if (at == end)");
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (edge->limit == 0)
            continue;
        if (is_first) {
            text_print(text, " {\n");
            emit_here("        ", text);
        }
        text_print(text, "        if (here - (");
        emit_stamp(edge->begin, text);
        text_print(text, ") == %u) {\n", edge->limit);
        emit_shared(l, state, edge, shared, "            ", text);
        text_print(text, "        }\n");
        is_first = false;
    }
    text_print(text, "%s        return qcap_stop(parser, at, %s, QCAP_STOP_INPUT);\n%s", is_first ? "\n" : "",
               l->enumerators[state], is_first ? "" : "    }\n");
}

/* Reads a byte: the widest sets are tested first, as the likeliest. */
static void emit_bytes(const layout_t *l, unsigned state, const shared_edges_t *shared, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    const edge_t *edges[256];
    size_t count = 0;
    charset_t covered = charset_none(), all = charset_range(0, 255);
    for (size_t i = 0; i < s->edges.count; i++) {
        const edge_t *edge = &s->edges.items[i];
        if (edge->limit)
            continue;
        covered = charset_union(covered, edge->set);
        if (edge->target != state || !is_plain(edge) || edge->is_peek || !dfa_is_counting_on(l->dfa, state, edge)) {
            edges[count++] = edge;
            continue;
        }
        if (charset_equal(&edge->set, &all)) {
            text_print(text, "    at = end;\n");
            continue;
        }
        text_print(text, "    while (at != end && (");
        emit_test(l, &edge->set, text);
        text_print(text, "))\n        at++;\n");
    }
    qsort(edges, count, sizeof *edges, compare_edges);
    emit_end(l, state, shared, text);
    for (size_t i = 0; i < count; i++)
        emit_edge(l, state, edges[i], shared, text);
    if (!charset_equal(&covered, &all) || count == 0)
        text_print(text, "    return qcap_stop(parser, at, %s, QCAP_STOP_ERROR);\n", l->enumerators[state]);
}

static unsigned count_limits(const dfa_state_t *s)
{
    unsigned count = 0;
    for (size_t i = 0; i < s->edges.count; i++)
        count += s->edges.items[i].limit > 0;
    return count;
}

static void emit_refine(const layout_t *l, const control_t *control, text_t *text)
{
    const conversion_t *conversion = &l->dfa->nfa->conversions.items[control->conversion];
    text_print(text, "    switch (parser->underway[%u].value) {\n", control->conversion);
    for (size_t i = 1; i < control->targets.count; i++) {
        text_print(text, "    case %zu: /* %s */\n", i, conversion->keywords.items[i - 1]);
        emit_jump(l, control->targets.items[i], count_limits(&l->dfa->states.items[control->targets.items[i]]) == 0, "        ", text);
    }
    text_print(text, "    default:\n");
    emit_jump(l, control->targets.items[0], count_limits(&l->dfa->states.items[control->targets.items[0]]) == 0, "        ", text);
    text_print(text, "    }\n");
}

static void emit_state(const layout_t *l, unsigned state, const shared_edges_t *shared, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    emit_comment(l, state, text);
    text_print(text, "%s:\n", l->labels[state]);
    switch (s->kind) {
    case DFA_BYTES:
        emit_bytes(l, state, shared, text);
        break;
    case DFA_ENTRY:
        emit_edge_body(l, &s->edges.items[0], dfa_is_counting_on(l->dfa, state, &s->edges.items[0]), "    ", text);
        break;
    case DFA_CONTROL:
        emit_refine(l, &l->dfa->controls.items[s->control], text);
        break;
    }
}

static bool uses_here(const text_t *body)
{
    return strstr(body->bytes, "here = ") != NULL;
}

static void emit_machine(const layout_t *l, unsigned machine, text_t *text)
{
    shared_edges_t shared = find_shared_edges(l, machine);
    text_t body;
    text_init(&body, l->arena);
    text_print(&body, "    switch (parser->state) {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (l->machine_of[s] == machine)
            text_print(&body, "    case %s:\n        goto %s;\n", l->enumerators[s], l->labels[s]);
    text_print(&body, "    default: /* no state of this machine */\n");
    text_print(&body, "        return qcap_stop(parser, at, parser->state, QCAP_STOP_ERROR);\n    }\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        if (l->machine_of[s] == machine)
            emit_state(l, s, &shared, &body);
    emit_shared_edges(l, &shared, &body);

    text_print(text, "static qcap_stop_t %s(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end)\n{\n",
               l->machines.items[machine]);
    if (uses_here(&body))
        text_print(text, "    uint64_t here;\n\n");
    if (!strstr(body.bytes, "at == end")) /* nothing but entries */
        text_print(text, "    (void)end;\n");
    text_append(text, body.bytes, body.len);
    text_print(text, "}\n\n");
}

/* ---------------------------------------------------------------- keywords */

static void emit_keywords(const layout_t *l, unsigned conversion, text_t *text)
{
    const conversion_t *c = &l->dfa->nfa->conversions.items[conversion];
    if (c->kind != CONVERT_KEYWORD)
        return;
    unsigned longest = c->text_size;
    text_print(text, "/* The words of %s. */\n", c->reg ? c->reg->name : c->rule->name);
    text_print(text, "static unsigned find_%u(const unsigned char *text, size_t len)\n{\n    switch (len) {\n", conversion);
    for (unsigned len = 1; len <= longest; len++) {
        bool is_first = true;
        for (size_t i = 0; i < c->keywords.count; i++) {
            const char *word = c->keywords.items[i];
            if (strlen(word) != len)
                continue;
            if (is_first)
                text_print(text, "    case %u:\n", len);
            is_first = false;
            char *lower = arena_copy(l->arena, word, len);
            for (char *p = lower; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                    *p = (char)(*p | 0x20);
            text_print(text, "        if (qcap_is_word(text, \"%s\", %u))\n            return %zu;\n", lower, len, i + 1);
        }
        if (!is_first)
            text_print(text, "        break;\n");
    }
    text_print(text, "    default:\n        break;\n    }\n    return 0;\n}\n\n");
    text_print(text, "static const qcap_keywords_t keywords_%u = {find_%u, %u};\n\n", conversion, conversion, longest);
}

static void emit_conversions(layout_t *l, text_t *text)
{
    static const char *const kinds[] = {[CONVERT_DECIMAL] = "DECIMAL", [CONVERT_HEX] = "HEX",
                                        [CONVERT_OCTAL] = "OCTAL",     [CONVERT_BIG] = "BIG",
                                        [CONVERT_LITTLE] = "LITTLE",   [CONVERT_VARINT] = "VARINT",
                                        [CONVERT_KEYWORD] = "KEYWORD", [CONVERT_BYTES] = "BYTES",
                                        [CONVERT_UNQUOTE] = "UNQUOTE"};
    const nfa_t *nfa = l->dfa->nfa;
    unsigned offset = 0, accumulator = 0;
    for (unsigned i = 0; i < nfa->conversions.count; i++)
        emit_keywords(l, i, text);
    text_print(text, "static const qcap_conversion_t conversions[] = {\n");
    for (unsigned i = 0; i < nfa->conversions.count; i++) {
        const conversion_t *c = &nfa->conversions.items[i];
        const char *keywords = c->kind == CONVERT_KEYWORD ? arena_print(l->arena, "&keywords_%u", i) : "NULL";
        const char *reg = c->reg ? arena_print(l->arena, "%u", c->reg->index) : "QCAP_NONE";
        text_print(text, "    {QCAP_CONVERT_%s, %s, %u, %u, %u, %u, %u, %s, %s, %s}, /* %u: %s */\n", kinds[c->kind], keywords,
                   accumulator, c->accumulator_count, offset, c->text_size, layout_text(l, c->rule->name), reg, c->reg && c->reg->is_shared ? "true" : "false",
                   c->is_unique ? "true" : "false", i, c->rule->name);
        accumulator += c->accumulator_count;
        offset += c->accumulator_count * c->text_size;
    }
    if (nfa->conversions.count == 0)
        text_print(text, "    {QCAP_CONVERT_DECIMAL, NULL, 0, 0, 0, 0, 0, QCAP_NONE, false, false}, /* none */\n");
    text_print(text, "};\n\n");
}

/* ---------------------------------------------------------------- control points */

static void emit_choice(const control_t *c, unsigned number, text_t *text)
{
    text_print(text, "static int choose_%u(const qcap_parser_t *parser)\n{\n    qcap_number_t n;\n\n", number);
    bool has_default = false;
    for (size_t i = 0; i < c->guards.count && !has_default; i++) {
        if (!c->guards.items[i]) {
            text_print(text, "    return %zu;\n", i);
            has_default = true;
            continue;
        }
        text_print(text, "    n = ");
        emit_expr(c->guards.items[i], text);
        text_print(text, ";\n    if (n.state == QCAP_NUMBER_ERROR)\n        return QCAP_CHOOSE_ERROR;\n");
        text_print(text, "    if (n.value)\n        return %zu;\n", i);
    }
    if (!has_default)
        text_print(text, "    return QCAP_CHOOSE_NONE;\n");
    text_print(text, "}\n\n");
}

static void emit_control_row(layout_t *l, const control_t *c, unsigned number, text_t *text)
{
    static const char *const kinds[] = {"CHOICE", "CHOICE", "LENGTH", "CLOSE", "POP", "BECOME"};
    if (c->kind == CONTROL_REFINE || c->targets.items[0] == STATE_NONE) {
        text_print(text, "    {QCAP_CONTROL_CHOICE, false, NULL, 0, NULL, NULL, 0, 0, 0, NULL}, /* inside its machine */\n");
        return;
    }
    text_print(text, "    {QCAP_CONTROL_%s, %s, targets_%u, %u, ", kinds[c->kind], c->is_shared ? "true" : "false", number,
               layout_text(l, c->rule ? c->rule->name : ""));
    text_print(text, c->kind == CONTROL_CHOICE ? "choose_%u, NULL, " : c->kind == CONTROL_LENGTH ? "NULL, value_%u, " : "NULL, NULL, ",
               number);
    text_print(text, "%u, ", c->queue ? c->queue->index : 0);
    emit_register(c->reg, text);
    text_print(text, ", ");
    emit_register(c->key, text);
    text_print(text, ", ");
    text_print(text, c->protocol ? "\"%s\"},\n" : "NULL},\n", c->protocol);
}

static void emit_controls(layout_t *l, text_t *text)
{
    const dfa_t *dfa = l->dfa;
    for (unsigned i = 0; i < dfa->controls.count; i++) {
        const control_t *c = &dfa->controls.items[i];
        if (c->kind == CONTROL_REFINE || c->targets.items[0] == STATE_NONE)
            continue;
        if (c->kind == CONTROL_CHOICE)
            emit_choice(c, i, text);
        if (c->kind == CONTROL_LENGTH) {
            text_print(text, "static qcap_number_t value_%u(const qcap_parser_t *parser)\n{\n    return ", i);
            emit_expr(c->expr, text);
            text_print(text, ";\n}\n\n");
        }
        text_print(text, "static const uint16_t targets_%u[] = {", i);
        for (size_t k = 0; k < c->targets.count; k++)
            text_print(text, "%s%s", k ? ", " : "", l->enumerators[c->targets.items[k]]);
        text_print(text, "};\n\n");
    }
    text_print(text, "static const qcap_control_t controls[] = {\n");
    for (unsigned i = 0; i < dfa->controls.count; i++)
        emit_control_row(l, &dfa->controls.items[i], i, text);
    if (dfa->controls.count == 0)
        text_print(text, "    {QCAP_CONTROL_CHOICE, false, NULL, 0, NULL, NULL, 0, 0, 0, NULL}, /* none */\n");
    text_print(text, "};\n\n");
}

/* ---------------------------------------------------------------- tables */

static void emit_string(const char *s, text_t *text)
{
    text_print(text, "\"");
    for (; *s; s++)
        text_print(text, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    text_print(text, "\"");
}

static void emit_place(stamp_t at, text_t *text)
{
    if (at.reg >= 0)
        text_print(text, "%d", at.reg);
    else
        text_print(text, "QCAP_PLACE_BACK + %u", at.back);
}

static void emit_suspends(const layout_t *l, text_t *text)
{
    text_print(text, "static const qcap_suspend_t suspends[] = {\n");
    bool is_empty = true;
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        for (size_t i = 0; i < state->underway.count; i++) {
            const underway_t *u = &state->underway.items[i];
            text_print(text, "    {%u, ", u->conversion);
            if (u->is_committed)
                text_print(text, "QCAP_PLACE_COMMITTED");
            else
                emit_place(u->begin, text);
            text_print(text, ", ");
            emit_place(u->end, text);
            text_print(text, "}, /* %s */\n", l->labels[s]);
            is_empty = false;
        }
    }
    if (is_empty)
        text_print(text, "    {0, 0, 0}, /* none */\n");
    text_print(text, "};\n\n");
}

/* The state that every byte leads to with nothing else to do, or STATE_NONE. */
static unsigned any_target(const dfa_state_t *s)
{
    charset_t all = charset_range(0, 255);
    for (size_t i = 0; i < s->edges.count && s->kind == DFA_BYTES; i++)
        if (!s->edges.items[i].is_peek && is_plain(&s->edges.items[i]) && charset_equal(&s->edges.items[i].set, &all))
            return s->edges.items[i].target;
    return STATE_NONE;
}

static void emit_counters(const layout_t *l, text_t *text)
{
    bool is_empty = true;
    text_print(text, "static const qcap_counter_t counters[] = {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        for (size_t i = 0; i < l->dfa->states.items[s].edges.count; i++) {
            const edge_t *edge = &l->dfa->states.items[s].edges.items[i];
            if (edge->limit == 0)
                continue;
            text_print(text, "    {%u, ", edge->limit);
            emit_place(edge->begin, text);
            text_print(text, "}, /* %s */\n", l->labels[s]);
            is_empty = false;
        }
    text_print(text, is_empty ? "    {0, 0}, /* none */\n};\n\n" : "};\n\n");
}

static void emit_states(const layout_t *l, text_t *text)
{
    unsigned suspend = 0, counter = 0;
    text_print(text, "static const qcap_state_t states[] = {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        unsigned any = any_target(state), held = 0;
        for (size_t i = 0; i < state->held_registers.count; i++)
            held |= 1u << state->held_registers.items[i];
        text_print(text, "    {%u, ", layout_is_outside(l, s) ? 0 : l->machine_of[s]);
        text_print(text, layout_is_outside(l, s) ? "%u, " : "QCAP_NONE, ", state->control);
        text_print(text, any == STATE_NONE ? "QCAP_NONE, " : "%s, ", any == STATE_NONE ? "" : l->enumerators[any]);
        text_print(text, "%u, %u, %u, %u, 0x%x, ", l->rule_text[s], l->expected_text[s], suspend, state->held_back, held);
        emit_place(state->kind == DFA_BYTES ? state->stream_end : (stamp_t){STAMP_BACK, 0}, text);
        text_print(text, ", %u, %zu, %u, %s, %s}, /* %s */\n", counter, state->underway.count, count_limits(state),
                   state->kind == DFA_BYTES || layout_is_outside(l, s) ? "false" : "true",
                   state->is_accepting ? "true" : "false", l->labels[s]);
        suspend += (unsigned)state->underway.count;
        counter += count_limits(state);
    }
    text_print(text, "};\n\n");
}

static void emit_accept(const layout_t *l, text_t *text)
{
    text_t body;
    text_init(&body, l->arena);
    for (unsigned s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        if (!state->is_accepting || state->accept.count == 0)
            continue;
        text_print(&body, "    case %s:\n", l->enumerators[s]);
        for (size_t i = 0; i < state->accept.count; i++)
            emit_op(l, &state->accept.items[i], "        ", &body);
        text_print(&body, "        break;\n");
    }
    text_print(text, "/* The end of the input, or of a region, in a state where it may end. */\n");
    text_print(text, "static void accept(qcap_parser_t *parser, uint16_t state)\n{\n");
    if (strstr(body.bytes ? body.bytes : "", "here"))
        text_print(text, "    const uint64_t here = qcap_offset_of(parser, parser->at);\n\n");
    else if (body.len == 0)
        text_print(text, "    (void)parser;\n");
    text_print(text, "    switch (state) {\n");
    text_append(text, body.bytes, body.len);
    text_print(text, "    default: /* nothing is pending */\n        break;\n    }\n}\n\n");
}

static void emit_names(const layout_t *l, text_t *text)
{
    const nfa_t *nfa = l->dfa->nfa;
    text_print(text, "static const char *const texts[] = {\n");
    for (size_t i = 0; i < l->texts.count; i++) {
        text_print(text, "    ");
        emit_string(l->texts.items[i], text);
        text_print(text, ",\n");
    }
    text_print(text, "};\n\nstatic const qcap_element_t elements[] = {\n");
    for (size_t i = 0; i < nfa->elements.count; i++) {
        const element_t *e = &nfa->elements.items[i];
        text_print(text, "    {\"%s\", %s, %s, %s},\n", e->name,
                   e->parent == ELEMENT_NONE ? "QCAP_NONE" : emit_element_constant(l, e->parent),
                   e->selector == ELEMENT_NONE ? "QCAP_NONE" : emit_element_constant(l, e->selector),
                   e->is_stream ? "true" : "false");
    }
    if (nfa->elements.count == 0)
        text_print(text, "    {\"\", QCAP_NONE, QCAP_NONE, false}, /* none */\n");
    text_print(text, "};\n\nstatic const qcap_port_t ports[] = {\n");
    for (size_t i = 0; i < l->grammar->ports.count; i++)
        text_print(text, "    {\"%s\", %u},\n", l->grammar->ports.items[i].transport, l->grammar->ports.items[i].number);
    if (l->grammar->ports.count == 0)
        text_print(text, "    {\"\", 0}, /* none */\n");
    text_print(text, "};\n\n");
}

/* A key takes the room of so many entries. */
static unsigned key_entries(const queue_t *queue)
{
    const unsigned entry_size = 32, number_size = 8; /* the least that they have */

    return queue->is_keyed ? (number_size + queue->key_size + entry_size - 1) / entry_size : 0;
}

static void emit_queues(const layout_t *l, text_t *text)
{
    unsigned before = 0;
    text_print(text, "static const qcap_queue_t queues[] = {\n");
    for (size_t i = 0; i < l->grammar->queues.count; i++) {
        const queue_t *q = l->grammar->queues.items[i];
        text_print(text, "    {%u, %u, %u * sizeof(qcap_queue_entry_t)}, /* %s */\n", q->capacity, 1 + key_entries(q), before,
                   q->name);
        before += q->capacity * (1 + key_entries(q));
    }
    if (l->grammar->queues.count == 0)
        text_print(text, "    {1, 1, 0}, /* none */\n");
    text_print(text, "};\n\n#define EXTRA_SIZE (%u * sizeof(qcap_queue_entry_t))\n\n", before);
}

/* Where registers have their bytes. */
static void emit_register_texts(const layout_t *l, text_t *text)
{
    text_print(text, "static const qcap_text_t register_texts[] = {");
    for (size_t i = 0; i < l->register_texts.count; i++)
        text_print(text, "{%u, %u}, ", l->register_texts.items[i], l->grammar->registers.items[i]->size);
    text_print(text, "{0, 0}};\n\nstatic const qcap_text_t shared_texts[] = {");
    for (size_t i = 0; i < l->shared_texts.count; i++)
        text_print(text, "{%u, %u}, ", l->shared_texts.items[i], l->grammar->shared.items[i]->size);
    text_print(text, "{0, 0}};\n\n");
}

static void emit_root(const layout_t *l, const char *side, unsigned start, unsigned search, text_t *text)
{
    static const char *const parts[] = {"registers", "slots",        "positions", "later",
                                        "underway",  "accumulators", "text",      "saved"};
    text_print(text, "    .%s = {.start = %s,\n", side, start == STATE_NONE ? "QCAP_NONE" : l->enumerators[start]);
    text_print(text, "               .search = %s", search == STATE_NONE ? "QCAP_NONE" : l->enumerators[search]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        text_print(text, ",\n               .%s = offsetof(%s_t, %s_side.%s)", parts[i], l->prefix, side, parts[i]);
    text_print(text, "},\n");
}

static void emit_protocol(const layout_t *l, text_t *text)
{
    text_print(text, "const qcap_protocol_t %s_protocol = {\n", l->prefix);
    text_print(text, "    .name = \"%s\",\n    .title = ", l->grammar->name);
    emit_string(l->grammar->title ? l->grammar->title : l->grammar->name, text);
    text_print(text, ",\n    .elements = elements,\n    .element_count = %zu,\n", l->dfa->nfa->elements.count);
    text_print(text, "    .ports = ports,\n    .port_count = %zu,\n", l->grammar->ports.count);
    text_print(text, "    .size = sizeof(%s_t),\n    .extra_size = EXTRA_SIZE,\n", l->prefix);
    text_print(text, "    .client_offset = offsetof(%s_t, client),\n    .server_offset = offsetof(%s_t, server),\n",
               l->prefix, l->prefix);
    emit_root(l, "client", l->dfa->client, l->dfa->client_search, text);
    emit_root(l, "server", l->dfa->server, l->dfa->server_search, text);
    text_print(text, "    .states = states,\n    .machines = machines,\n    .controls = controls,\n    .suspends = suspends,\n"
                     "    .counters = counters,\n    .conversions = conversions,\n    .conversion_count = %zu,\n"
                     "    .queues = queues,\n    .queue_count = %zu,\n",
               l->dfa->nfa->conversions.count, l->grammar->queues.count);
    text_print(text, "    .shared = offsetof(%s_t, shared),\n    .queue_states = offsetof(%s_t, queues),\n", l->prefix,
               l->prefix);
    text_print(text, "    .saved_size = %u,\n", l->dfa->nfa->saved);
    text_print(text, "    .register_texts = register_texts,\n    .shared_texts = shared_texts,\n"
                     "    .shared_text = offsetof(%s_t, shared_text),\n    .later_text = %u,\n", l->prefix, l->later_text);
    text_print(text, "    .texts = texts,\n    .accept = accept,\n    .perform = perform,\n};\n\n");
}

static void emit_machines(const layout_t *l, text_t *text)
{
    text_print(text, "enum {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        text_print(text, "    %s = %u,\n", l->enumerators[s], s);
    text_print(text, "};\n\n");
    for (unsigned m = 0; m < l->machines.count; m++)
        emit_machine(l, m, text);
    text_print(text, "static const qcap_machine_t machines[] = {\n");
    for (unsigned m = 0; m < l->machines.count; m++)
        text_print(text, "    %s,\n", l->machines.items[m]);
    text_print(text, "};\n\n");
}

static void emit_top(const layout_t *l, text_t *text)
{
    const grammar_t *g = l->grammar;
    text_print(text, "/* %s.c: a parser for %s.\n *\n * Generated by qcapgen from", g->name, g->title ? g->title : g->name);
    for (size_t i = 0; i < g->files.count; i++)
        text_print(text, "%s %s", i ? "," : "", source_base_name(g->files.items[i]));
    text_print(text, ". Do not edit.\n *\n * One function a machine; one label a state. Above a state: the rule, a dot where reading stands "
                     "in it, and a\n * shortest input that leads there. */\n");
    text_print(text, "#include \"%s.h\"\n\n", g->name);
}

void emit_c(layout_t *l, text_t *text)
{
    emit_top(l, text);
    emit_classes(l, text);
    text_t machines;
    text_init(&machines, l->arena);
    emit_machines(l, &machines);
    text_append(text, machines.bytes, machines.len);
    emit_conversions(l, text);
    emit_controls(l, text);
    emit_suspends(l, text);
    emit_counters(l, text);
    emit_states(l, text);
    emit_accept(l, text);
    emit_perform(l, text);
    emit_names(l, text);
    emit_queues(l, text);
    emit_register_texts(l, text);
    emit_protocol(l, text);
    text_print(text, "void %s_init(%s_t *conversation, qcap_event_handler_t on_event, void *user)\n{\n", l->prefix, l->prefix);
    text_print(text, "    qcap_conversation_init(conversation, &%s_protocol, on_event, user);\n}\n", l->prefix);
}
