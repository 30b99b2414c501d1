/* grammar.c: finding rules, and printing a grammar as the ABNF and annotations that it is made of: names in the
 * spelling of their definitions, lists written out, one rule below the other in the order of their numbers. */
#include "grammar.h"

#include "map.h"

const rule_t *grammar_find(const grammar_t *grammar, const char *name)
{
    for (size_t i = 0; i < grammar->rules.count; i++)
        if (strcmp(grammar->rules.items[i]->name, name) == 0)
            return grammar->rules.items[i];
    for (size_t i = 0; i < grammar->rules.count; i++)
        if (name_equal(grammar->rules.items[i]->name, name))
            return grammar->rules.items[i];
    return NULL;
}

/* ---------------------------------------------------------------- conversions */

const convert_t *grammar_conversion(const char *word)
{
    static const convert_t conversions[] = {
        {"decimal", CONVERT_DECIMAL, 0}, {"hex", CONVERT_HEX, 0},       {"octal", CONVERT_OCTAL, 0},
        {"u8", CONVERT_BIG, 1},          {"be16", CONVERT_BIG, 2},      {"be24", CONVERT_BIG, 3},
        {"be32", CONVERT_BIG, 4},        {"be64", CONVERT_BIG, 8},      {"le16", CONVERT_LITTLE, 2},
        {"le24", CONVERT_LITTLE, 3},     {"le32", CONVERT_LITTLE, 4},   {"le64", CONVERT_LITTLE, 8},
        {"varint", CONVERT_VARINT, 0},   {"keyword", CONVERT_KEYWORD, 0}, {"bytes", CONVERT_BYTES, 0},
        {"unquote", CONVERT_UNQUOTE, 0}, {"part", CONVERT_JOIN, 0}};

    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (strcmp(conversions[i].word, word) == 0)
            return &conversions[i];
    return NULL;
}

/* ---------------------------------------------------------------- expressions */

static const char *const operators[] = {
    [EXPR_ADD] = "+", [EXPR_SUB] = "-", [EXPR_MUL] = "*", [EXPR_AND_BITS] = "&", [EXPR_EQ] = "=",    [EXPR_NE] = "<>",
    [EXPR_LT] = "<",  [EXPR_LE] = "<=", [EXPR_GT] = ">",  [EXPR_GE] = ">=",      [EXPR_AND] = "and", [EXPR_OR] = "or",
};

static void print_expr(const expr_t *expr, bool is_part, text_t *text)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
        if (expr->keyword)
            text_print(text, "%s", expr->keyword);
        else
            text_print(text, "%llu", (unsigned long long)expr->number);
        return;
    case EXPR_REGISTER:
    case EXPR_IS_SET:
        text_print(text, "%s", expr->reg->name);
        return;
    case EXPR_TRUE:
    case EXPR_FALSE:
        text_print(text, "%s", expr->kind == EXPR_TRUE ? "true" : "false");
        return;
    case EXPR_NOT:
        text_print(text, "not ");
        print_expr(expr->left, true, text);
        return;
    default:
        text_print(text, "%s", is_part ? "(" : "");
        print_expr(expr->left, true, text);
        text_print(text, " %s ", operators[expr->kind]);
        print_expr(expr->right, true, text);
        text_print(text, "%s", is_part ? ")" : "");
    }
}

void grammar_print_expr(const expr_t *expr, text_t *text)
{
    print_expr(expr, false, text);
}

/* ---------------------------------------------------------------- annotations */

static void print_assignment(const note_t *note, text_t *text)
{
    text_print(text, "%s = ", note->reg->name);
    if (note->kind == NOTE_CONVERT)
        text_print(text, "%s", note->convert->word);
    else
        print_expr(note->expr, false, text);
    text_print(text, "%s", note->is_unique ? " unique" : "");
}

static void print_refine(const note_t *note, text_t *text)
{
    text_print(text, "refine %s by %s:", note->value->name, note->by->name);
    for (size_t i = 0; i < note->entries.count; i++) {
        const refine_entry_t *entry = &note->entries.items[i];
        text_print(text, " %s", entry->name);
        if (strcmp(entry->name, entry->rule->name) != 0)
            text_print(text, "=%s", entry->rule->name);
        text_print(text, "%s", entry->is_strict ? "!" : "");
    }
}

static void print_with_expr(const char *word, const note_t *note, text_t *text)
{
    text_print(text, "%s ", word);
    print_expr(note->expr, false, text);
}

static void print_node(const node_t *node, bool is_part, text_t *text);

/* Printable bytes in quotes; any others, or a quote, as %x. */
static void print_set(const charset_t *set, bool is_part, text_t *text)
{
    const char *separator = is_part ? "( " : "";

    for (unsigned low = 0, high; low < 256; low = high + 1) {
        for (high = low; charset_has(set, low) && high + 1 < 256 && charset_has(set, high + 1);)
            high++;
        if (!charset_has(set, low))
            continue;
        text_print(text, high > low ? "%s%%x%02X-%02X" : "%s%%x%02X", separator, low, high);
        separator = " / ";
    }
    text_print(text, "%s", is_part ? " )" : "");
}

static void print_note(const note_t *note, text_t *text)
{
    switch (note->kind) {
    case NOTE_EMIT:
        text_print(text, "emit%s", note->is_stream ? " stream" : "");
        if (note->separator)
            text_print(text, " joined \"%s\"", note->separator);
        for (size_t i = 0; i < note->joined.count; i++)
            text_print(text, "%s %s", i ? " and" : "", note->joined.items[i]->name);
        text_print(text, " as %s", note->name);
        break;
    case NOTE_CONVERT:
    case NOTE_SET:
        print_assignment(note, text);
        break;
    case NOTE_RESET:
    case NOTE_LOCAL:
        text_print(text, note->kind == NOTE_RESET ? "reset" : "local");
        for (size_t i = 0; i < note->regs.count; i++)
            text_print(text, " %s", note->regs.items[i]->name);
        break;
    case NOTE_LENGTH:
        print_with_expr("length", note, text);
        break;
    case NOTE_COUNT:
        print_with_expr("count", note, text);
        break;
    case NOTE_FEED:
        text_print(text, "feed %s%s", note->is_datagram ? "datagram " : note->is_excerpt ? "excerpt " : "", note->rule ? note->rule->name : note->name);
        break;
    case NOTE_FINISH:
        text_print(text, "finish %s", note->rule ? note->rule->name : note->name);
        break;
    case NOTE_DECODE:
        text_print(text, note->name ? "decode %s" : "decode by %s", note->name ? note->name : note->reg->name);
        if (note->name && note->reg)
            text_print(text, "(%s)", note->reg->name);
        break;
    case NOTE_AT:
        print_with_expr("at", note, text);
        break;
    case NOTE_UNTIL:
        text_print(text, note->is_line ? "until line" : "until");
        for (size_t i = 0; i < note->parts.count; i++) {
            text_print(text, " ");
            if (note->parts.items[i].reg)
                text_print(text, "%s", note->parts.items[i].reg->name);
            else
                print_node(note->parts.items[i].node, true, text);
        }
        break;
    case NOTE_UNTIL_CLOSE:
        text_print(text, "until close");
        break;
    case NOTE_WHEN:
        print_with_expr("when", note, text);
        break;
    case NOTE_REFINE:
        print_refine(note, text);
        break;
    case NOTE_CUT:
        text_print(text, note->rule ? "cut %s" : "cut", note->rule ? note->rule->name : "");
        break;
    case NOTE_ATOMIC:
        text_print(text, "atomic");
        break;
    case NOTE_ANOMALY:
        text_print(text, "anomaly %s", note->name);
        break;
    case NOTE_PUSH:
    case NOTE_POP:
        text_print(text, "%s %s %s", note->kind == NOTE_PUSH ? "push" : "pop", note->queue->name, note->reg->name);
        if (note->key)
            text_print(text, " key %s", note->key->name);
        break;
    case NOTE_BECOME:
        text_print(text, "become %s", note->reg ? note->reg->name : note->name);
        if (charset_count(&note->before) < 256) {
            text_print(text, " before ");
            print_set(&note->before, false, text);
        }
        break;
    case NOTE_EXPECT:
        text_print(text, "expect %s %s ", note->transport,
                   note->reg ? note->reg->name : note->is_server ? "server" : "client");
        print_expr(note->expr, false, text);
        text_print(text, " as %s", note->name);
        break;
    case NOTE_PART:
        text_print(text, "part");
        break;
    case NOTE_RESYNC:
        text_print(text, "resync");
        break;
    case NOTE_ORDERED:
        text_print(text, "ordered");
        break;
    }
}

static void print_notes(const notes_t *notes, const char *before, text_t *text)
{
    for (size_t i = 0; i < notes->count; i++) {
        text_print(text, "%s", i ? ", " : before);
        print_note(notes->items[i], text);
    }
}

/* ---------------------------------------------------------------- rules */

static void print_children(const node_t *node, bool is_part, const char *separator, text_t *text)
{
    text_print(text, "%s", is_part ? "( " : "");
    for (size_t i = 0; i < node->children.count; i++) {
        text_print(text, "%s", i ? separator : "");
        print_node(node->children.items[i], true, text);
    }
    text_print(text, "%s", is_part ? " )" : "");
}

static bool is_one_range(const charset_t *set)
{
    charset_t range = charset_range(charset_first(set), charset_first(set) + charset_count(set) - 1);

    return charset_equal(set, &range);
}

static void print_repeat(const node_t *node, text_t *text)
{
    if (node->min == 0 && node->max == 1) {
        text_print(text, "[ ");
        print_node(node->children.items[0], false, text);
        text_print(text, " ]");
        return;
    }
    if (node->min)
        text_print(text, "%u", node->min);
    if (node->min != node->max)
        text_print(text, "*");
    if (node->min != node->max && node->max != REPEAT_UNBOUNDED)
        text_print(text, "%u", node->max);
    bool is_repeat = node->children.items[0]->kind == NODE_REPEAT;
    text_print(text, "%s", is_repeat ? "( " : "");
    print_node(node->children.items[0], true, text);
    text_print(text, "%s", is_repeat ? " )" : "");
}

static void print_node(const node_t *node, bool is_part, text_t *text)
{
    switch (node->kind) {
    case NODE_EMPTY:
        text_print(text, "\"\"");
        break;
    case NODE_SET:
        print_set(&node->set, is_part && !is_one_range(&node->set), text);
        break;
    case NODE_STRING:
        text_abnf_string(text, node->text, node->len, node->is_case_sensitive);
        break;
    case NODE_SEQUENCE:
        print_children(node, is_part, " ", text);
        break;
    case NODE_CHOICE:
        print_children(node, is_part, " / ", text);
        break;
    case NODE_REPEAT:
        print_repeat(node, text);
        break;
    case NODE_RULE:
        text_print(text, "%s", node->rule->name);
        break;
    }
}

void grammar_print_node(const node_t *node, text_t *text)
{
    print_node(node, false, text);
}

static bool has_annotated_alternative(const node_t *body)
{
    for (size_t i = 0; i < body->children.count; i++)
        if (body->children.items[i]->notes.count)
            return true;
    return false;
}

/* Alternatives that have annotations stand on lines of their own. */
static void print_rule(const rule_t *rule, text_t *text)
{
    text_print(text, "%s = ", rule->name);
    if (rule->body->kind != NODE_CHOICE || !has_annotated_alternative(rule->body))
        print_node(rule->body, false, text);
    else
        for (size_t i = 0; i < rule->body->children.count; i++) {
            const node_t *alternative = rule->body->children.items[i];
            text_print(text, "%s", i ? "\n    / " : "");
            print_node(alternative, alternative->kind == NODE_CHOICE, text);
            print_notes(&alternative->notes, "   ;@ ", text);
        }
    text_print(text, "%s%s\n", *rule->section ? "   ; " : "", rule->section);
    if (rule->notes.count) {
        print_notes(&rule->notes, "    ;@ ", text);
        text_print(text, "\n");
    }
}

/* ---------------------------------------------------------------- directives */

static void print_register(const reg_t *reg, text_t *text)
{
    text_print(text, ";@ %s %s : ", reg->is_shared ? "shared" : "register", reg->name);
    switch (reg->type) {
    case REGISTER_UINT:
        text_print(text, "uint\n");
        break;
    case REGISTER_FLAG:
        text_print(text, "flag\n");
        break;
    case REGISTER_BYTES:
        text_print(text, "bytes(%u)\n", reg->size);
        break;
    case REGISTER_KEYWORD:
        text_print(text, "keyword(");
        for (size_t i = 0; i < reg->keywords.count; i++)
            text_print(text, "%s%s", i ? " " : "", reg->keywords.items[i]);
        text_print(text, ")\n");
        break;
    }
}

static void print_root(const char *word, const node_t *root, text_t *text)
{
    if (!root)
        return;
    text_print(text, ";@ %s = ", word);
    print_node(root, false, text);
    text_print(text, "\n");
}

void grammar_print(const grammar_t *grammar, text_t *text)
{
    static const char *const queue_types[] = {
        [REGISTER_UINT] = "uint", [REGISTER_FLAG] = "flag", [REGISTER_KEYWORD] = "keyword", [REGISTER_BYTES] = "bytes"};

    if (grammar->name)
        text_print(text, ";@ protocol %s \"%s\"\n", grammar->name, grammar->title);
    for (size_t i = 0; i < grammar->ports.count; i++)
        text_print(text, ";@ port %s %u\n", grammar->ports.items[i].transport, grammar->ports.items[i].number);
    if (grammar->is_entered)
        text_print(text, ";@ entered\n");
    if (grammar->depth != GRAMMAR_DEPTH)
        text_print(text, ";@ depth %u\n", grammar->depth);
    for (size_t i = 0; i < grammar->registers.count; i++)
        print_register(grammar->registers.items[i], text);
    for (size_t i = 0; i < grammar->shared.count; i++)
        print_register(grammar->shared.items[i], text);
    for (size_t i = 0; i < grammar->queues.count; i++)
        text_print(text, ";@ queue %s(%u) : %s\n", grammar->queues.items[i]->name, grammar->queues.items[i]->capacity,
                   queue_types[grammar->queues.items[i]->type]);
    print_root("client", grammar->client, text);
    print_root("server", grammar->server, text);
    print_root("datagram", grammar->datagram, text);
    for (size_t i = 0; i < grammar->rules.count; i++)
        print_rule(grammar->rules.items[i], text);
}
