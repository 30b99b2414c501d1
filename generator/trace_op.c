/* trace_op.c: what operations do to what a trace knows. */
#include "trace.h"

/* Is what the conversion reads a word, up to `at`, whose bytes are at hand? */
static bool is_word_at_hand(const trace_t *t, const known_t *k, const op_t *op, where_t at)
{
    const item_t *item = &k->items[t->l->conversion_slots[op->conversion]];
    return t->l->dfa->nfa->conversions.items[op->conversion].kind == CONVERT_KEYWORD && item->has_begin &&
           trace_is_in_piece(k, item->begin) && trace_is_in_piece(k, at);
}

/* The variable that has the value of a conversion that ends at `at`. */
static unsigned convert(const trace_t *t, known_t *k, const op_t *op, where_t at, const char *indent)
{
    unsigned slot = t->l->conversion_slots[op->conversion];
    item_t *item = &k->items[slot];
    unsigned word = trace_take(&k->words, &t->all->words);
    if (t->words && t->words->some[0]->conversion == op->conversion) { /* the variable has it already */
        item->has_begin = false;
        return word;
    }
    if (is_word_at_hand(t, k, op, at)) {
        const char *begin = trace_pointer(t, item->begin);
        text_print(t->text, "%sw%u = find_%s(%s, (size_t)(%s - (%s)));\n", indent, word, t->l->words[op->conversion], begin, trace_pointer(t, at), begin);
        item->has_begin = false;
        return word;
    }
    trace_put_begin(t, k, slot, indent);
    text_print(t->text, "%sw%u = ", indent, word);
    emit_convert(t->l, op, trace_offset(t, at), t->text);
    text_print(t->text, ";\n");
    return word;
}

/* Does the value of the conversion go to a register that can take any? */
static bool is_stored_freely(const conversion_t *c)
{
    return c->kind == CONVERT_KEYWORD && c->reg && !c->reg->is_shared && !c->is_unique;
}

/* register := value of a conversion; false if that can fail. */
static bool store(const trace_t *t, const op_t *op, unsigned word, where_t at, const char *indent)
{
    const conversion_t *c = &t->l->dfa->nfa->conversions.items[op->conversion];
    if (is_stored_freely(c)) {
        text_print(t->text, "%sqcap_word_put(parser, %u /* %s */, &side->words[%u], w%u);\n", indent, c->reg->index, c->reg->name,
                   c->reg->word, word);
        return true;
    }
    text_print(t->text, "%sqcap_op_store(parser, %u, w%u, %s);\n", indent, op->conversion, word, trace_offset(t, at));
    return false;
}

static void open_element(const trace_t *t, known_t *k, const op_t *op, where_t at)
{
    (void)t;
    k->slots[op->depth] = (slot_t){true, op->element, at};
    k->has_depth = true;
    k->depth = op->depth + 1;
}

static void close_element(const trace_t *t, known_t *k, const op_t *op, where_t at, const char *indent)
{
    slot_t *slot = &k->slots[op->depth];
    const char *element = t->l->elements[op->element];
    if (slot->is_open && trace_is_in_piece(k, slot->begin) && trace_is_in_piece(k, at))
        text_print(t->text, "%sqcap_element_tell(parser, %s, wanted, %s, %s);\n", indent, element, trace_pointer(t, slot->begin),
                   trace_pointer(t, at));
    else if (slot->is_open)
        text_print(t->text, "%sqcap_element_tell_from(parser, %s, wanted, %s, %s);\n", indent, element,
                   trace_offset(t, slot->begin), trace_offset(t, at));
    else
        text_print(t->text, "%sqcap_element_close_here(parser, side->slots, %s%u, %s, wanted, %s);\n", indent, trace_base(t),
                   op->depth, element, trace_offset(t, at));
    k->has_depth = k->is_confirmed = slot->is_open; /* else memory has them already */
    k->depth = op->depth;
    slot->is_open = false;
}

bool trace_is_plain(const op_t *op)
{
    return (op->kind == OP_OPEN || op->kind == OP_CLOSE) && !op->is_stream && !op->is_joined && op->depth < TRACE_DEPTH;
}

/* Performs an operation there and then. */
static void perform_now(const trace_t *t, known_t *k, const listed_t *listed, bool is_listed, done_t *done, const char *indent)
{
    const op_t *op = trace_op(t, listed->op);
    const conversion_t *c = op->kind == OP_CONVERT_CLOSE ? &t->l->dfa->nfa->conversions.items[op->conversion] : NULL;
    if (!done->may_have_failed && trace_is_plain(op)) {
        if (op->kind == OP_OPEN)
            open_element(t, k, op, listed->at);
        else
            close_element(t, k, op, listed->at, indent);
        done->may_stop |= op->kind == OP_CLOSE;
    } else if (op->kind == OP_CONVERT_OPEN) {
        item_t *item = &k->items[t->l->conversion_slots[op->conversion]];
        item->has_begin = true;
        item->has_word = false;
        item->begin = listed->at;
    } else if (op->kind == OP_RESET) {
        emit_now(t->m, listed->op, "", indent, t->text);
    } else if (c && is_listed) {
        bool is_certain = store(t, op, listed->word, listed->at, indent);
        done->may_stop |= !is_certain;
        done->may_have_failed |= !is_certain;
    } else if (c && !done->may_have_failed && is_stored_freely(c) && is_word_at_hand(t, k, op, listed->at)) {
        store(t, op, convert(t, k, op, listed->at, indent), listed->at, indent);
    } else if (c && c->kind == CONVERT_KEYWORD && !done->may_have_failed && !c->reg) {
        unsigned word = convert(t, k, op, listed->at, indent);
        k->items[t->l->conversion_slots[op->conversion]].has_word = true;
        k->items[t->l->conversion_slots[op->conversion]].word = word;
    } else {
        trace_put_elements(t, k, indent);
        machine_t m = *t->m;
        m.is_inline = false;
        emit_now(&m, listed->op, trace_offset(t, listed->at), indent, t->text);
        done->may_stop = true;
        done->may_have_failed |= regop_may_fail(op);
    }
}

static bool is_text(const trace_t *t, const listed_t *listed)
{
    const op_t *op = trace_op(t, listed->op);
    if (op->kind != OP_CONVERT_CLOSE)
        return false;
    convert_kind_t kind = t->l->dfa->nfa->conversions.items[op->conversion].kind;
    return kind == CONVERT_BYTES || kind == CONVERT_UNQUOTE;
}

static void end_atomic(const trace_t *t, known_t *k, done_t *done, const char *indent)
{
    bool has_text = false;
    if (!k->has_list) {
        trace_put_elements(t, k, indent);
        text_print(t->text, "%sqcap_op_atomic_end(parser, %s);\n", indent, trace_offset(t, trace_here(t, k, indent)));
        done->may_stop = done->may_have_failed = true;
        return;
    }
    listed_t list[TRACE_LIST];
    unsigned count = k->listed;
    memcpy(list, k->list, sizeof list);
    k->has_list = false;
    k->listed = 0;
    memset(k->has_mark, 0, sizeof k->has_mark);
    for (unsigned i = 0; i < count; i++) {
        perform_now(t, k, &list[i], true, done, indent);
        has_text |= is_text(t, &list[i]);
    }
    if (has_text)
        text_print(t->text, "%sparser->later_text = 0;\n", indent);
}

/* Puts an operation on the list of its atomic rule. */
static void list(const trace_t *t, known_t *k, unsigned number, where_t at, done_t *done, const char *indent)
{
    const op_t *op = trace_op(t, number);
    listed_t listed = {number, at, 0};
    if (op->kind == OP_CONVERT_CLOSE) {
        bool is_keyword = t->l->dfa->nfa->conversions.items[op->conversion].kind == CONVERT_KEYWORD;
        listed.word = convert(t, k, op, at, indent);
        done->may_stop |= !is_keyword;
        done->may_have_failed |= !is_keyword;
    }
    if (k->has_list && k->listed == TRACE_LIST)
        trace_put_list(t, k, indent);
    if (k->has_list)
        k->list[k->listed++] = listed;
    else
        trace_put_listed(t, &listed, indent);
}

/* Marks a place on the list, or cuts it back to one. */
static void mark(const trace_t *t, known_t *k, const op_t *op, unsigned number, const char *indent)
{
    if (k->has_list && op->kind == OP_MARK) {
        k->has_mark[op->level] = true;
        k->marks[op->level] = k->listed;
    } else if (k->has_list && k->has_mark[op->level]) {
        k->listed = k->marks[op->level];
        for (unsigned i = 0; i < TRACE_MARKS; i++)
            if (k->marks[i] > k->listed)
                k->has_mark[i] = false;
    } else {
        trace_put_list(t, k, indent);
        emit_now(t->m, number, "", indent, t->text);
    }
}

static void perform(const trace_t *t, known_t *k, const pending_t *p, done_t *done, const char *indent)
{
    const op_t *op = trace_op(t, p->op);
    where_t at = {0};
    if (op->kind == OP_ATOMIC_BEGIN) {
        k->has_list = true;
        return;
    }
    if (op->kind == OP_ATOMIC_END) {
        end_atomic(t, k, done, indent);
        return;
    }
    if (op->kind == OP_MARK || op->kind == OP_ROLLBACK) {
        mark(t, k, op, p->op, indent);
        return;
    }
    if (regop_has_position(op) || regop_is_later(op) || op->kind == OP_SET)
        at = trace_place(t, k, p->at, indent);
    if (regop_is_later(op))
        list(t, k, p->op, at, done, indent);
    else
        perform_now(t, k, &(listed_t){p->op, at, 0}, false, done, indent);
}

bool trace_is_moved(const trace_t *t, const edge_t *edge, unsigned v)
{
    return edge->moves.items[v].reg != (int)v && t->all->live[edge->target] >> v & 1;
}

done_t trace_perform(const trace_t *t, known_t *k, const edge_t *edge, const char *indent)
{
    done_t done = {false, false};
    where_t moved[TRACE_ITEMS];
    for (size_t i = 0; i < edge->commits.count; i++)
        perform(t, k, &edge->commits.items[i], &done, indent);
    for (unsigned v = 0; v < edge->moves.count; v++)
        if (trace_is_moved(t, edge, v))
            moved[v] = trace_place(t, k, edge->moves.items[v], indent);
    for (unsigned v = 0; v < edge->moves.count; v++) {
        if (!trace_is_moved(t, edge, v))
            continue;
        k->items[v].has_place = true;
        k->items[v].place = moved[v];
    }
    return done;
}
