/* emit_value.c: expressions as C. */
#include "emit.h"

static bool is_register(const expr_t *e, register_type_t type)
{
    return e->kind == EXPR_REGISTER && e->reg->type == type;
}

static void emit_bytes_of(const reg_t *reg, text_t *text)
{
    text_print(text, "qcap_bytes(parser, %u /* %s */, %s)", reg->index, reg->name, reg->is_shared ? "true" : "false");
}

static void emit_number_of(const reg_t *reg, text_t *text)
{
    if (reg->is_word)
        text_print(text, "qcap_word(parser, %u /* %s */, WORDS(parser)[%u])", reg->index, reg->name, reg->word);
    else
        text_print(text, "%s(parser, %u /* %s */)", reg->is_shared ? "qcap_shared" : "qcap_register", reg->index, reg->name);
}

static void emit_in_line(const expr_t *e, text_t *text)
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
        emit_number_of(e->reg, text);
        return;
    case EXPR_IS_SET:
        text_print(text, "%s(", e->reg->type == REGISTER_FLAG ? "qcap_is_true" : "qcap_is_set");
        emit_number_of(e->reg, text);
        text_print(text, ")");
        return;
    case EXPR_NOT:
        text_print(text, "qcap_not(");
        emit_in_line(e->left, text);
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
        emit_in_line(e->left, text);
        text_print(text, ", ");
        emit_in_line(e->right, text);
        text_print(text, ")");
        return;
    }
}

#define LINE_MAX 110u

void emit_expr(const expr_t *e, const char *indent, text_t *text)
{
    text_t line;
    text_init(&line, text->arena);
    emit_in_line(e, &line);
    if (strlen(indent) + line.len <= LINE_MAX || (e->kind != EXPR_AND && e->kind != EXPR_OR)) {
        text_append(text, line.bytes, line.len);
        return;
    }
    const char *inner = arena_print(text->arena, "%s    ", indent);
    text_print(text, "qcap_binary(%s,\n%s", e->kind == EXPR_AND ? "QCAP_AND" : "QCAP_OR", inner);
    emit_expr(e->left, inner, text);
    text_print(text, ",\n%s", inner);
    emit_expr(e->right, inner, text);
    text_print(text, ")");
}

void emit_expr_comment(const expr_t *e, const char *indent, text_t *text)
{
    text_print(text, "%s/* ", indent);
    grammar_print_expr(e, text);
    text_print(text, " */\n");
}

void emit_values(const layout_t *l, text_t *text)
{
    if (l->word_count > 0)
        text_print(text, "#define WORDS(parser) (((const struct %s_side *)(const void *)((parser) + 1))->words)\n\n", l->prefix);
    for (size_t i = 0; i < l->values.count; i++) {
        emit_expr_comment(l->values.items[i], "", text);
        text_print(text, "static qcap_number_t value_%zu(const qcap_parser_t *parser)\n{\n", i);
        text_t body;
        text_init(&body, l->arena);
        emit_expr(l->values.items[i], "    ", &body);
        if (!strstr(body.bytes, "parser"))
            text_print(text, "    (void)parser;\n");
        text_print(text, "    return %s;\n}\n\n", body.bytes);
    }
    text_print(text, "static qcap_number_t (*const values[])(const qcap_parser_t *parser) = {");
    for (size_t i = 0; i < l->values.count; i++)
        text_print(text, "%svalue_%zu", i ? ", " : "", i);
    text_print(text, l->values.count ? "};\n\n" : "NULL /* none */};\n\n");
}

unsigned emit_register_number(const reg_t *reg)
{
    const unsigned none = 0xffff, shared = 0x100; /* QCAP_NONE, QCAP_SHARED */

    return reg ? reg->index + (reg->is_shared ? shared : 0) : none;
}
