/* name.c: names and explanations for generated code and for messages. */
#include "name.h"

#include <ctype.h>

char *name_identifier(arena_t *arena, const char *name, bool is_upper)
{
    char *copy = arena_copy(arena, name, strlen(name));
    for (char *c = copy; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        *c = isalnum(byte) ? (char)(is_upper ? toupper(byte) : tolower(byte)) : '_';
    }
    return copy;
}

/* The innermost rule that is no core rule, and the node of it at which the reading stands. */
static const rule_t *place_of(const dfa_t *dfa, const config_t *config, const node_t **node)
{
    const nfa_state_t *s = &dfa->nfa->states.items[config->state];
    const context_t *c = s->context;
    *node = s->node;
    while (c && c->rule && c->rule->is_core) {
        const rule_t *core = c->rule;
        while (c && c->rule == core) {
            if (c->reference)
                *node = c->reference;
            c = c->parent;
        }
    }
    return c ? c->rule : NULL;
}

const char *name_rule(const dfa_t *dfa, const config_t *config)
{
    const node_t *node;
    const rule_t *rule = place_of(dfa, config, &node);
    return rule ? rule->name : "";
}

const char **name_states(const dfa_t *dfa)
{
    const char **names = ARENA_ARRAY(dfa->arena, const char *, dfa->states.count);
    VEC(const char *) rules = {0};
    VEC(unsigned) counts = {0};
    for (unsigned s = 0; s < dfa->states.count; s++) {
        const dfa_state_t *state = &dfa->states.items[s];
        const dfa_state_t *read = state->kind == DFA_ENTRY ? &dfa->states.items[state->edges.items[0].target] : state;
        const char *rule = read->configs.count > 0 ? name_rule(dfa, &read->configs.items[0]) : "";
        const char *name = name_identifier(dfa->arena, *rule ? rule : "start", false);
        if (state->kind == DFA_ENTRY)
            name = arena_print(dfa->arena, "before_%s", name);
        unsigned r = 0;
        while (r < rules.count && strcmp(rules.items[r], name) != 0)
            r++;
        if (r == rules.count) {
            vec_push(dfa->arena, &rules, name);
            vec_push(dfa->arena, &counts, 0);
        }
        names[s] = arena_print(dfa->arena, "%s_%u", name, ++counts.items[r]);
    }
    return names;
}

/* ---------------------------------------------------------------- rules with a dot */

/* Where reading stands: at `node`, behind `before` bytes of it if it is a string, which is then shown in two parts. */
typedef struct spot {
    const node_t *node;
    unsigned before;
    bool is_shown; /* there is a dot */
} spot_t;

static void print_node(const node_t *node, const spot_t *at, bool is_inner, text_t *text);

static void print_children(const node_t *node, const spot_t *at, const char *between, text_t *text)
{
    for (size_t i = 0; i < node->children.count; i++) {
        text_print(text, "%s", i ? between : "");
        print_node(node->children.items[i], at, true, text);
    }
}

static void print_repeat(const node_t *node, const spot_t *at, text_t *text)
{
    if (node->min == 0 && node->max == 1) {
        text_print(text, "[ ");
        print_node(node->children.items[0], at, false, text);
        text_print(text, " ]");
        return;
    }
    if (node->min == node->max)
        text_print(text, "%u", node->min);
    else {
        if (node->min > 0)
            text_print(text, "%u", node->min);
        text_print(text, "*");
        if (node->max != REPEAT_UNBOUNDED)
            text_print(text, "%u", node->max);
    }
    print_node(node->children.items[0], at, true, text);
}

static void print_string(const node_t *node, unsigned before, const spot_t *at, text_t *text)
{
    if (before > 0) {
        text_abnf_string(text, node->text, before, false);
        text_print(text, at->is_shown ? " . " : " ");
    }
    text_abnf_string(text, node->text + before, node->len - before, false);
}

static void print_node(const node_t *node, const spot_t *at, bool is_inner, text_t *text)
{
    unsigned before = node == at->node && node->kind == NODE_STRING ? at->before : 0;
    if (node == at->node && before == 0 && at->is_shown)
        text_print(text, ". ");
    bool is_group = is_inner && (node->kind == NODE_CHOICE || node->kind == NODE_SEQUENCE) && node->children.count > 1;
    if (is_group)
        text_print(text, "( ");
    switch (node->kind) {
    case NODE_EMPTY:
        text_print(text, "\"\"");
        break;
    case NODE_SET:
        charset_print(&node->set, text);
        break;
    case NODE_STRING:
        print_string(node, before, at, text);
        break;
    case NODE_SEQUENCE:
        print_children(node, at, " ", text);
        break;
    case NODE_CHOICE:
        print_children(node, at, " / ", text);
        break;
    case NODE_REPEAT:
        print_repeat(node, at, text);
        break;
    case NODE_RULE:
        text_print(text, "%s", node->rule->name);
        break;
    }
    if (is_group)
        text_print(text, " )");
}

size_t name_body(const dfa_t *dfa, const config_t *config, text_t *text)
{
    const nfa_state_t *s = &dfa->nfa->states.items[config->state];
    spot_t spot = {.is_shown = true};
    const rule_t *rule = place_of(dfa, config, &spot.node);
    text_t dotted;
    size_t dot = 0;

    if (!rule)
        return 0;
    spot.before = spot.node == s->node ? s->before : 0;
    text_init(&dotted, text->arena);
    print_node(rule->body, &spot, false, &dotted);
    spot.is_shown = false;
    print_node(rule->body, &spot, false, text);
    while (dot < text->len && text->bytes[dot] == dotted.bytes[dot]) /* nothing but the dot begins with one */
        dot++;
    return spot.node ? dot : text->len;
}

#define AROUND 48u /* bytes of a long rule that are shown on either side of the dot */

/* From there on, but not from the middle of a word. */
static size_t after_blank(const text_t *text, size_t at)
{
    while (at < text->len && text->bytes[at - 1] != ' ')
        at++;
    return at;
}

void name_place(const dfa_t *dfa, const config_t *config, text_t *text)
{
    const node_t *node;
    const rule_t *rule = place_of(dfa, config, &node);
    text_t body;
    if (!rule) {
        text_print(text, "(between messages)");
        return;
    }
    text_init(&body, text->arena);
    size_t dot = name_body(dfa, config, &body), begin = 0, end = body.len;
    if (body.len > 2 * AROUND && dot > AROUND)
        begin = after_blank(&body, dot - AROUND);
    if (body.len > 2 * AROUND && body.len - dot > AROUND)
        end = after_blank(&body, dot + AROUND);
    text_print(text, "%s = %s%.*s", rule->name, begin ? "... " : "", (int)(dot - begin), body.bytes + begin);
    text_print(text, node ? ". " : " .");
    text_print(text, "%.*s%s", (int)(end - dot), body.bytes + dot, end < body.len ? "..." : "");
    if (rule->section && *rule->section)
        text_print(text, "      %s", rule->section);
}

/* ---------------------------------------------------------------- sets of bytes */

/* A rule that is a letter or a sign says less than these do, unless everybody knows it, like SP. */
const char *name_set(const grammar_t *grammar, const charset_t *set)
{
    const bool is_class = charset_count(set) > 2;
    const char *name = NULL;
    for (size_t i = 0; i < grammar->rules.count; i++) {
        const rule_t *rule = grammar->rules.items[i];
        charset_t one;
        if (((name || !is_class) && !rule->is_core) || !nfa_set_of(rule->body, &one) || !charset_equal(&one, set))
            continue;
        name = rule->name;
        if (rule->is_core)
            break;
    }
    return name;
}

/* The sets that the main readings of a state read next, each once; those without a name in one. */
typedef struct expected {
    VEC(const char *) names;
    charset_t named, nameless;
} expected_t;

static void expect_set(const dfa_t *dfa, const charset_t *set, expected_t *expected)
{
    const char *name = name_set(dfa->nfa->grammar, set);
    if (!name) {
        expected->nameless = charset_union(expected->nameless, *set);
        return;
    }
    for (size_t i = 0; i < expected->names.count; i++)
        if (strcmp(expected->names.items[i], name) == 0)
            return;
    expected->named = charset_union(expected->named, *set);
    vec_push(dfa->arena, &expected->names, name);
}

/* Bytes that only what is behind a control point can read. */
static void expect_behind_control(const dfa_t *dfa, const dfa_state_t *s, expected_t *expected)
{
    for (size_t i = 0; i < s->edges.count; i++)
        if (s->edges.items[i].is_peek && dfa_is_on_byte(&s->edges.items[i]))
            expect_set(dfa, &s->edges.items[i].set, expected);
}

void name_expected(const dfa_t *dfa, unsigned state, text_t *text)
{
    const dfa_state_t *s = &dfa->states.items[state];
    expected_t expected = {.named = charset_none(), .nameless = charset_none()};
    for (size_t i = 0; i < s->configs.count && s->configs.items[i].level == LEVEL_MAIN; i++) {
        const nfa_state_t *n = &dfa->nfa->states.items[s->configs.items[i].state];
        if (nfa_reads(n))
            expect_set(dfa, &n->set, &expected);
    }
    expect_behind_control(dfa, s, &expected);
    for (size_t i = 0; i < expected.names.count; i++)
        text_print(text, "%s%s", i ? " / " : "", expected.names.items[i]);
    charset_t rest = charset_subtract(expected.nameless, expected.named);
    if (!charset_is_empty(&rest)) {
        text_print(text, "%s", expected.names.count ? " / " : "");
        charset_print(&rest, text);
    }
    if (text->len == 0)
        text_print(text, "the end");
}
