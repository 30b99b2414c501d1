/* emit_op.c: the operations of an edge as calls. */
#include "emit_machine.h"

char *emit_stamp(const layout_t *l, stamp_t at)
{
    if (at.reg >= 0)
        return arena_print(l->arena, "qcap_position_at(side->positions[%d], here)", at.reg);
    if (at.back > 0)
        return arena_print(l->arena, "here - %u", at.back);
    return arena_print(l->arena, "here");
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
static bool emit_call(const machine_t *m, const op_t *op, text_t *text)
{
    const layout_t *l = m->l;
    const char *base = m->has_calls ? "parser->base + " : "";
    switch (op->kind) {
    case OP_OPEN:
        if (op->is_stream || op->is_joined)
            text_print(text, "qcap_op_open_%s(parser, %u, %s, ", op->is_stream ? "stream" : "joined", op->depth,
                       l->elements[op->element]);
        else
            text_print(text, "qcap_element_open(parser, side->slots, %s%u, %s, ", base, op->depth, l->elements[op->element]);
        return true;
    case OP_CLOSE:
        if (op->is_stream || op->is_joined)
            text_print(text, "qcap_op_close_%s(parser, %u, ", op->is_stream ? "stream" : "joined", op->depth);
        else
            text_print(text, m->is_inline ? "qcap_element_close_here(parser, side->slots, %s%u, %s, wanted, "
                                          : "qcap_element_close(parser, side->slots, %s%u, %s, ", base, op->depth,
                       l->elements[op->element]);
        return true;
    case OP_ANOMALY_OPEN:
        text_print(text, "qcap_op_anomaly_open(parser, %u, ", op->depth);
        return true;
    case OP_ANOMALY_CLOSE:
        text_print(text, "qcap_op_anomaly_close(parser, %u, \"%s\", ", op->depth, op->name);
        return true;
    case OP_CONVERT_OPEN:
        text_print(text, "side->underway[%u].begin = (", l->conversion_slots[op->conversion]);
        return true;
    case OP_CONVERT_CLOSE:
        text_print(text, "qcap_op_convert_close(parser, %u, ", op->conversion);
        return true;
    case OP_SET:
        text_print(text, "qcap_op_set(parser, %u /* %s */, %s, %s, value_%u(parser), %u, ", op->reg->index, op->reg->name,
                   op->reg->is_shared ? "true" : "false", op->is_unique ? "true" : "false", layout_value(l, op->expr),
                   layout_text(l, op->name));
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
        text_print(text, "qcap_op_reset(parser, 0x%llx /* %s */, %s);\n", (unsigned long long)op->regs, op->reg_names,
                   op->is_shared ? "true" : "false");
        return false;
    case OP_LOCAL_OPEN:
    case OP_LOCAL_CLOSE:
        text_print(text, "qcap_op_local_%s(parser, ", op->kind == OP_LOCAL_OPEN ? "open" : "close");
        emit_register(op->reg, text);
        text_print(text, ");\n");
        return false;
    case OP_FEED_OPEN:
    case OP_FEED_CLOSE:
        text_print(text, "qcap_op_feed_%s(parser, %u, %u, ", op->kind == OP_FEED_OPEN ? "open" : "close", op->depth, op->feed);
        return true;
    case OP_EXPECT:
        text_print(text, "qcap_op_expect(parser, %u /* %s */, ", layout_expect(l, op->expect), op->expect->name);
        return true;
    case OP_FINISH:
        text_print(text, "qcap_op_finish(parser, %u, ", op->feed);
        return true;
    case OP_ATOMIC_END:
        text_print(text, "qcap_op_atomic_end(parser, ");
        return true;
    case OP_ATOMIC_BEGIN:
        return false;
    }
    return false;
}

void emit_convert(const layout_t *l, const op_t *op, const char *at, text_t *text)
{
    if (l->dfa->nfa->conversions.items[op->conversion].kind == CONVERT_KEYWORD)
        text_print(text, "qcap_find_keyword(parser, %u, side->underway[%u].begin, %s, find_%s)", op->conversion,
                   l->conversion_slots[op->conversion], at, l->words[op->conversion]);
    else
        text_print(text, "qcap_op_convert(parser, %u, %s)", op->conversion, at);
}

static void emit_later(const layout_t *l, unsigned number, const char *at, text_t *text)
{
    const op_t *op = &l->dfa->nfa->ops.items[number];
    bool has_value = op->kind == OP_CONVERT_CLOSE;
    text_print(text, "qcap_op_later%s(parser, side->later, %u /* ", has_value ? "_value" : "", number);
    emit_op_name(l, op, text);
    text_print(text, " */, ");
    if (has_value) {
        emit_convert(l, op, at, text);
        text_print(text, ", ");
    }
    text_print(text, "%s);\n", at);
}

void emit_now(const machine_t *m, unsigned number, const char *at, const char *indent, text_t *text)
{
    const layout_t *l = m->l;
    const op_t *op = &l->dfa->nfa->ops.items[number];
    if (op->kind == OP_ATOMIC_BEGIN)
        return;
    text_print(text, "%s", indent);
    const conversion_t *c = op->kind == OP_CONVERT_CLOSE ? &l->dfa->nfa->conversions.items[op->conversion] : NULL;
    if (c && !c->reg && c->kind == CONVERT_KEYWORD) {
        text_print(text, "side->underway[%u].value = ", l->conversion_slots[op->conversion]);
        emit_convert(l, op, at, text);
        text_print(text, ";\n");
    } else if (emit_call(m, op, text)) {
        text_print(text, "%s);\n", at);
    }
}

void emit_op(const machine_t *m, unsigned number, const char *at, const char *indent, text_t *text)
{
    if (!regop_is_later(&m->l->dfa->nfa->ops.items[number])) {
        emit_now(m, number, at, indent, text);
        return;
    }
    text_print(text, "%s", indent);
    emit_later(m->l, number, at, text);
}
