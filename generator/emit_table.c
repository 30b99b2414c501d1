/* emit_table.c: the automaton as tables.
 *
 * Above each state stands what people want to know of it: the rule with a dot where reading stands, a shortest input that
 * leads there, and what it does on which bytes. */
#include "emit.h"

#include "name.h"
#include "position.h"

#define PER_LINE 16u

/* ---------------------------------------------------------------- comments */

/* Nothing in a comment may end it, or look as if it began another. */
static void print_comment(const char *string, text_t *text)
{
    for (const char *c = string; *c; c++) {
        bool is_mark = (c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*');
        text_print(text, "%c", is_mark && c[0] == '/' ? '|' : *c);
        if (is_mark && c[0] == '*') {
            text_print(text, "|");
            c++;
        }
    }
}

void emit_place_comment(const layout_t *l, unsigned state, const char *indent, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    text_t line;
    text_print(text, "%s/* ", indent);
    for (size_t i = 0; i < s->configs.count && i < 3; i++) {
        text_init(&line, l->arena);
        text_print(&line, "%s", s->configs.items[i].level == LEVEL_MAIN ? "" : "else ");
        name_place(l->dfa, &s->configs.items[i], &line);
        print_comment(line.bytes, text);
        text_print(text, "\n%s * ", indent);
    }
    text_init(&line, l->arena);
    dfa_witness(l->dfa, state, &line);
    text_print(text, "e.g. after ");
    print_comment(line.bytes, text);
}

static const char *feed_name(const feed_t *feed)
{
    return feed->rule ? feed->rule->name : feed->protocol;
}

void emit_op_name(const layout_t *l, const op_t *op, text_t *text)
{
    if (op->kind == OP_OPEN || op->kind == OP_CLOSE)
        text_print(text, "%s %s", op->kind == OP_OPEN ? "open" : "close", l->dfa->nfa->elements.items[op->element].name);
    else if (op->kind == OP_CONVERT_CLOSE || op->kind == OP_CONVERT_OPEN)
        text_print(text, "%s %s", op->kind == OP_CONVERT_OPEN ? "begin" : "convert",
                   l->dfa->nfa->conversions.items[op->conversion].rule->name);
    else if (op->kind == OP_FEED_OPEN || op->kind == OP_FEED_CLOSE || op->kind == OP_FINISH)
        text_print(text, "%s %s", op->kind == OP_FEED_OPEN ? "feed" : op->kind == OP_FEED_CLOSE ? "fed" : "finish",
                   feed_name(&l->dfa->nfa->feeds.items[op->feed]));
    else if (op->kind == OP_ATOMIC_BEGIN || op->kind == OP_ATOMIC_END)
        text_print(text, "atomic %s", op->kind == OP_ATOMIC_BEGIN ? "begins" : "ends");
    else
        regop_print(op, text);
}

static void print_ops(const layout_t *l, const pendings_t *commits, text_t *text)
{
    text_t line;
    text_init(&line, l->arena);
    for (size_t i = 0; i < commits->count; i++) {
        const op_t *op = &l->dfa->nfa->ops.items[commits->items[i].op];
        if (op->kind == OP_ATOMIC_BEGIN)
            continue;
        text_print(&line, line.len ? ", " : ": ");
        emit_op_name(l, op, &line);
    }
    print_comment(line.len ? line.bytes : "", text);
}

static void print_edge(const layout_t *l, const edge_t *edge, text_t *text)
{
    const char *name = name_set(l->grammar, &edge->set);
    text_t line;
    text_init(&line, l->arena);
    if (edge->is_end)
        text_print(&line, "the end");
    else if (edge->limit)
        text_print(&line, "%u bytes", edge->limit);
    else if (name)
        text_print(&line, "%s", name);
    else
        charset_print(&edge->set, &line);
    text_print(text, "\n     *     ");
    print_comment(line.bytes, text);
    text_print(text, " -> %s", l->labels[edge->target]);
    print_ops(l, &edge->commits, text);
}

static void print_comments(const layout_t *l, unsigned state, text_t *text)
{
    const dfa_state_t *s = &l->dfa->states.items[state];
    text_print(text, "\n");
    emit_place_comment(l, state, "    ", text);
    if (s->kind == DFA_ENTRY) {
        text_print(text, "\n     *     -> %s", l->labels[s->edges.items[0].target]);
        print_ops(l, &s->edges.items[0].commits, text);
    }
    for (size_t i = 0; s->kind == DFA_BYTES && i < s->edges.count; i++)
        print_edge(l, &s->edges.items[i], text);
    if (s->kind == DFA_CONTROL) {
        const control_t *c = &l->dfa->controls.items[s->control];
        for (size_t i = 0; i < c->targets.count; i++)
            text_print(text, "\n     *     -> %s", c->targets.items[i] == STATE_NONE ? "" : l->labels[c->targets.items[i]]);
    }
    if (s->is_accepting && s->accept.count) {
        text_print(text, "\n     *     the end");
        print_ops(l, &s->accept, text);
    }
    text_print(text, " */\n");
}

/* ---------------------------------------------------------------- tables */


static void emit_class_of(const layout_t *l, text_t *text)
{
    text_print(text, "/* Classes of bytes: those of one class follow the same edges everywhere. */\n");
    text_print(text, "static const uint8_t class_of[256] = {\n");
    for (unsigned byte = 0; byte < 256; byte++) {
        text_print(text, "%s%u,%s", byte % PER_LINE ? " " : "    ", l->dfa->class_of[byte], byte % PER_LINE == 15 ? " /* " : "");
        if (byte % PER_LINE == 15) {
            text_byte(text, byte - 15);
            text_print(text, " */\n");
        }
    }
    text_print(text, "};\n\n");
}

static void emit_rows(const pool_t *rows, text_t *text)
{
    text_print(text, "/* For each class which of a state's edges it follows, from 1; 0: none. */\nstatic const uint8_t rows[] = {\n");
    for (size_t i = 0; i < rows->entries.count; i++) {
        const pool_entry_t *e = &rows->entries.items[i];
        text_print(text, "    /* %zu */", i);
        for (unsigned k = 0; k < e->len; k++)
            text_print(text, " %u,", rows->words.items[e->first + k]);
        text_print(text, "\n");
    }
    text_print(text, "%s};\n\n", rows->entries.count ? "" : "    0, /* none */\n");
}

static void emit_lists(const pool_t *lists, text_t *text)
{
    text_print(text, "/* The edges of states. */\nstatic const uint16_t edge_lists[] = {");
    for (size_t i = 0; i < lists->words.count; i++)
        text_print(text, "%s%u,", i % PER_LINE ? " " : "\n    ", lists->words.items[i]);
    text_print(text, "%s\n};\n\n", lists->words.count ? "" : "\n    0, /* none */");
}

static void emit_edges(const pool_t *edges, text_t *text)
{
    text_print(text, "/* Target and action. */\nstatic const qcap_edge_t edges[] = {");
    for (size_t i = 0; i + 1 < edges->words.count; i += 2)
        text_print(text, "%s{%u, %u},", i % PER_LINE ? " " : "\n    ", edges->words.items[i], edges->words.items[i + 1]);
    text_print(text, "%s\n};\n\n", edges->words.count ? "" : "\n    {0, 0}, /* none */");
}

static void emit_structs(const char *type, const char *name, const pool_t *pool, unsigned width, text_t *text)
{
    text_print(text, "static const %s %s[] = {\n", type, name);
    for (size_t i = 0; i + width <= pool->words.count; i += width) {
        text_print(text, "    {");
        for (unsigned k = 0; k < width; k++)
            text_print(text, "%s%u", k ? ", " : "", pool->words.items[i + k]);
        text_print(text, "},\n");
    }
    text_print(text, "%s};\n\n", pool->words.count >= width ? "" : "    {0}, /* none */\n");
}

static void emit_actions(const pool_t *actions, const pool_t *steps, text_t *text)
{
    text_print(text, "/* Operations and moves, each with its place. */\n");
    emit_structs("qcap_step_t", "steps", steps, 2, text);
    text_print(text, "/* Actions: how many steps, and which. */\nstatic const uint16_t actions[] = {\n");
    for (size_t i = 0; i < actions->entries.count; i++) {
        const pool_entry_t *e = &actions->entries.items[i];
        text_print(text, "    /* %u */", e->first);
        for (unsigned k = 0; k < e->len; k++)
            text_print(text, " 0x%x,", actions->words.items[e->first + k]);
        text_print(text, "\n");
    }
    text_print(text, "};\n\n");
}

/* The flags of an operation, or 0. */
static void emit_op_flags(const op_t *op, text_t *text)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {{regop_is_later(op), "LATER"},
                 {op->is_stream, "STREAM"},
                 {op->is_joined, "JOINED"},
                 {(op->kind == OP_SET && op->reg && op->reg->is_shared) || op->is_shared, "SHARED"},
                 {op->is_unique, "UNIQUE"}};
    const char *separator = "";
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].is_set)
            text_print(text, "%sQCAP_OP_%s", separator, flags[i].name);
        separator = flags[i].is_set ? " | " : separator;
    }
    if (!*separator)
        text_print(text, "0");
}

static unsigned reset_shift(const op_t *op)
{
    unsigned shift = 0;
    while (op->regs >> shift >= (uint64_t)1 << RESET_SLICE)
        shift += RESET_SLICE;
    return shift;
}

static void emit_op(const layout_t *l, const op_t *op, text_t *text)
{
    static const char *const kinds[] = {
        [OP_OPEN] = "OPEN",         [OP_CLOSE] = "CLOSE",       [OP_ANOMALY_OPEN] = "ANOMALY_OPEN",
        [OP_CONVERT_OPEN] = "CONVERT_OPEN", [OP_CONVERT_CLOSE] = "CONVERT_CLOSE", [OP_ANOMALY_CLOSE] = "ANOMALY_CLOSE",
        [OP_SET] = "SET",           [OP_RESET] = "RESET",       [OP_LOCAL_OPEN] = "LOCAL_OPEN",     [OP_LOCAL_CLOSE] = "LOCAL_CLOSE",       [OP_FEED_OPEN] = "FEED_OPEN", [OP_FEED_CLOSE] = "FEED_CLOSE",
        [OP_FINISH] = "FINISH",     [OP_EXPECT] = "EXPECT",     [OP_PUSH] = "PUSH",
        [OP_MISMATCH] = "MISMATCH", [OP_MARK] = "MARK",         [OP_ROLLBACK] = "ROLLBACK",
        [OP_FOUND] = "FOUND",       [OP_ATOMIC_END] = "ATOMIC_END", [OP_ATOMIC_BEGIN] = "ATOMIC_END"};
    unsigned a = 0, b = 0, c = 0;
    if (op->kind == OP_OPEN || op->kind == OP_CLOSE)
        a = op->element;
    else if (op->kind == OP_CONVERT_OPEN || op->kind == OP_CONVERT_CLOSE)
        a = op->conversion;
    else if (op->kind == OP_PUSH)
        a = op->queue->index, b = emit_register_number(op->reg), c = emit_register_number(op->key);
    else if (op->kind == OP_EXPECT)
        a = layout_expect(l, op->expect);
    else if (op->kind == OP_FEED_OPEN || op->kind == OP_FEED_CLOSE || op->kind == OP_FINISH)
        a = op->feed;
    else if (op->kind == OP_RESET)
        b = reset_shift(op), a = (unsigned)(op->regs >> b);
    else if (op->kind == OP_LOCAL_OPEN || op->kind == OP_LOCAL_CLOSE)
        a = emit_register_number(op->reg);
    else if (op->reg)
        a = op->reg->index;
    if (op->kind == OP_SET)
        b = layout_value(l, op->expr), c = layout_text(l, op->name);
    else if (op->name)
        b = layout_text(l, op->name);
    text_print(text, "    {QCAP_OP_%s, ", kinds[op->kind]);
    emit_op_flags(op, text);
    text_print(text, ", %u, %u, %u, %u}, /* ", op->kind == OP_MARK || op->kind == OP_ROLLBACK ? op->level : op->depth, a, b, c);
    emit_op_name(l, op, text);
    text_print(text, " */\n");
}

static void emit_ops(const layout_t *l, text_t *text)
{
    const ops_t *ops = &l->dfa->nfa->ops;
    text_print(text, "/* Operations: kind, flags, and what that needs: see QCAP_OP_OPEN and those behind it in parser.h. */\nstatic const qcap_op_t ops[] = {\n");
    for (size_t i = 0; i < ops->count; i++)
        emit_op(l, &ops->items[i], text);
    text_print(text, "%s};\n\n", ops->count ? "" : "    {QCAP_OP_ATOMIC_END, 0, 0, 0, 0, 0}, /* none */\n");
}

static bool is_any(const dfa_state_t *s)
{
    charset_t all = charset_range(0, 255);
    for (size_t i = 0; i < s->edges.count && s->kind == DFA_BYTES; i++)
        if (charset_equal(&s->edges.items[i].set, &all))
            return true;
    return false;
}

static bool has_end(const dfa_state_t *s)
{
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_end)
            return true;
    return false;
}

/* Something may have to be put away in the state: a conversion is under way that did not begin only now. */
static bool suspends(const table_t *t, const unsigned *keep)
{
    for (unsigned i = 0; i < keep[1]; i++) {
        const unsigned *row = &t->suspends.words.items[3 * (keep[0] + i)];
        if (!((row[1] & row[2]) & PLACE_BACK) || row[1] > row[2])
            return true;
    }
    return false;
}

static void emit_state(const layout_t *l, const table_t *t, unsigned state, text_t *text)
{
    static const char *const kinds[] = {"BYTES", "ENTRY", "CONTROL"};
    const dfa_state_t *s = &l->dfa->states.items[state];
    const table_state_t *row = &t->states[state];
    const unsigned *keep = &t->keeps.words.items[t->keeps.entries.items[row->keep].first];
    print_comments(l, state, text);
    text_print(text, "    {%u, %u, %u, %u, %u, QCAP_STATE_%s%s%s%s%s%s%s, ", row->edges, row->loop,
               s->kind == DFA_CONTROL ? s->control : row->row, row->about, row->keep, kinds[s->kind],
               s->is_accepting ? " | QCAP_STATE_ACCEPTING" : "", is_any(s) ? " | QCAP_STATE_ANY" : "", has_end(s) ? " | QCAP_STATE_END" : "",
               s->kind == DFA_BYTES && keep[6] == 0 ? " | QCAP_STATE_CALM" : "", suspends(t, keep) ? " | QCAP_STATE_SUSPENDS" : "",
               s->may_stream ? " | QCAP_STATE_STREAMS" : "");
    if (l->stands[state])
        text_print(text, "%u}, /* %u: %s */\n", l->machine_of[state], state, l->labels[state]);
    else
        text_print(text, "QCAP_MACHINE_NONE}, /* %u: %s */\n", state, l->labels[state]);
}

void emit_tables(const layout_t *l, const table_t *t, text_t *text)
{
    emit_class_of(l, text);
    emit_rows(&t->rows, text);
    emit_edges(&t->edges, text);
    emit_lists(&t->lists, text);
    emit_actions(&t->actions, &t->steps, text);
    emit_ops(l, text);
    text_print(text, "/* Rule and what was expected. */\n");
    emit_structs("qcap_about_t", "abouts", &t->abouts, 2, text);
    text_print(text, "/* Conversions that are under way in a state: which, and where their bytes begin and end. */\n");
    emit_structs("qcap_suspend_t", "suspends", &t->suspends, 3, text);
    text_print(text, "/* Repeats that are counted in a state: how many bytes they take, and where they began. */\n");
    emit_structs("qcap_counter_t", "counters", &t->counters, 2, text);
    text_print(text, "/* What must be kept in a state while the next bytes are awaited: rows of the two above, and places. */\n");
    emit_structs("qcap_keep_t", "keeps", &t->keeps, 8, text);
    text_print(text, "/* States. Above each is what the tables say of it, for people: what it reads, where that leads, what it does. */\n");
    text_print(text, "static const qcap_state_t states[] = {");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        emit_state(l, t, s, text);
    text_print(text, "};\n\n");
}
