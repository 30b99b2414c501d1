/* test_ambiguity.c: what is said of ambiguity is held against all derivations of all short inputs.
 *
 * Small random specs are compiled; then every input of a few letters is derived in all ways, straight from the grammar, and the
 * elements of each way are written down. Where two ways differ, the generator must have said so, and the other way round. */
#include "compiled.h"
#include "test.h"

#include <stdlib.h>

#define INPUT_MAX 6
#define RULES 5
#define DERIVATIONS_MAX 100000 /* of one spec; more: it is left out */

/* ---------------------------------------------------------------- all derivations */

/* What is still to be derived, the next thing first. */
typedef struct todo {
    enum { TODO_NODE, TODO_REPEAT, TODO_CLOSE } kind;
    const node_t *node;
    const rule_t *rule;
    unsigned count; /* TODO_REPEAT: turns taken */
    const struct todo *next;
} todo_t;

/* The elements of a derivation, with their positions and without. */
typedef struct story {
    char full[4096], names[4096];
    size_t full_len, names_len;
} story_t;

typedef struct enumeration {
    const char *input;
    size_t len;
    story_t now, first;      /* the derivation under way; the first that was complete */
    bool has_first;
    bool is_symbolic, is_position; /* two differ, for any input so far */
    unsigned count;
} enumeration_t;

static void derive(enumeration_t *e, const todo_t *todo, size_t pos);

static void tell(enumeration_t *e, char sign, const char *name, size_t pos)
{
    size_t room = sizeof e->now.full;

    e->now.full_len += (size_t)snprintf(e->now.full + e->now.full_len, room - e->now.full_len, "%c%s@%zu ", sign, name, pos);
    e->now.names_len += (size_t)snprintf(e->now.names + e->now.names_len, room - e->now.names_len, "%c%s ", sign, name);
    assert_true(e->now.full_len < room);
}

static void take_back(enumeration_t *e, size_t full_len, size_t names_len)
{
    e->now.full[e->now.full_len = full_len] = '\0';
    e->now.names[e->now.names_len = names_len] = '\0';
}

static void complete(enumeration_t *e)
{
    e->count++;
    if (e->has_first) {
        bool is_same = strcmp(e->now.names, e->first.names) == 0;
        e->is_symbolic |= !is_same;
        e->is_position |= is_same && strcmp(e->now.full, e->first.full) != 0;
        return;
    }
    strcpy(e->first.full, e->now.full);
    strcpy(e->first.names, e->now.names);
    e->has_first = true;
}

static bool reads(const node_t *node, const char *input, size_t left)
{
    for (size_t i = 0; i < node->len; i++)
        if (i >= left || input[i] != node->text[i])
            return false;
    return true;
}

static void derive_rule(enumeration_t *e, const todo_t *todo, size_t pos)
{
    const rule_t *rule = todo->node->rule;
    bool is_element = rule->notes.count > 0;
    const todo_t close = {.kind = TODO_CLOSE, .rule = rule, .next = todo->next};
    const todo_t body = {.kind = TODO_NODE, .node = rule->body, .next = is_element ? &close : todo->next};
    const size_t full_len = e->now.full_len, names_len = e->now.names_len;

    if (is_element)
        tell(e, '+', rule->name, pos);
    derive(e, &body, pos);
    take_back(e, full_len, names_len);
}

static void derive_node(enumeration_t *e, const todo_t *todo, size_t pos)
{
    const node_t *node = todo->node;
    todo_t items[64];

    switch (node->kind) {
    case NODE_EMPTY:
        derive(e, todo->next, pos);
        break;
    case NODE_SET:
        if (pos < e->len && charset_has(&node->set, (unsigned char)e->input[pos]))
            derive(e, todo->next, pos + 1);
        break;
    case NODE_STRING:
        if (reads(node, e->input + pos, e->len - pos))
            derive(e, todo->next, pos + node->len);
        break;
    case NODE_SEQUENCE:
        assert_true(node->children.count < 64);
        for (size_t i = 0; i < node->children.count; i++)
            items[i] = (todo_t){.kind = TODO_NODE, .node = node->children.items[i],
                                .next = i + 1 < node->children.count ? &items[i + 1] : todo->next};
        derive(e, node->children.count ? &items[0] : todo->next, pos);
        break;
    case NODE_CHOICE:
        for (size_t i = 0; i < node->children.count; i++) {
            items[0] = (todo_t){.kind = TODO_NODE, .node = node->children.items[i], .next = todo->next};
            derive(e, &items[0], pos);
        }
        break;
    case NODE_REPEAT:
        items[0] = (todo_t){.kind = TODO_REPEAT, .node = node, .next = todo->next};
        derive(e, &items[0], pos);
        break;
    case NODE_RULE:
        derive_rule(e, todo, pos);
        break;
    }
}

static void derive(enumeration_t *e, const todo_t *todo, size_t pos)
{
    if (e->count > DERIVATIONS_MAX)
        return;
    if (!todo) {
        if (pos == e->len)
            complete(e);
    } else if (todo->kind == TODO_NODE) {
        derive_node(e, todo, pos);
    } else if (todo->kind == TODO_CLOSE) {
        const size_t full_len = e->now.full_len, names_len = e->now.names_len;
        tell(e, '-', todo->rule->name, pos);
        derive(e, todo->next, pos);
        take_back(e, full_len, names_len);
    } else {
        const todo_t again = {.kind = TODO_REPEAT, .node = todo->node, .count = todo->count + 1, .next = todo->next};
        const todo_t turn = {.kind = TODO_NODE, .node = todo->node->children.items[0], .next = &again};
        if (todo->count < todo->node->max && todo->count <= e->len + todo->node->min)
            derive(e, &turn, pos);
        if (todo->count >= todo->node->min)
            derive(e, todo->next, pos);
    }
}

/* Derives all inputs that begin like this and go on with `a` and `b`, up to `more` of them. */
static void derive_all(enumeration_t *e, const grammar_t *grammar, const char *begin, size_t begin_len, unsigned more)
{
    const todo_t root = {.kind = TODO_NODE, .node = grammar->client};
    char input[256];

    assert_true(begin_len + more < sizeof input);
    memcpy(input, begin, begin_len);
    e->input = input;
    for (unsigned len = 0; len <= more; len++)
        for (unsigned bits = 0; bits < 1u << len; bits++) {
            for (size_t i = 0; i < len; i++)
                input[begin_len + i] = bits >> i & 1 ? 'b' : 'a';
            e->len = begin_len + len;
            e->has_first = false;
            take_back(e, 0, 0);
            derive(e, &root, 0);
        }
    e->input = NULL;
}

/* The example of the first ambiguity that is reported. */
static const char *example(const char *messages, size_t *len)
{
    const char *warning = strstr(messages, " can be read in two ways"), *begin = warning;

    assert_non_null(warning);
    while (begin[-1] != '\n' && begin > messages)
        begin--;
    const char *end = strstr(warning, "read as"), *longer = strstr(warning, "for example in \"");
    begin = strchr(longer && longer < end ? longer : begin, '"') + 1;
    *len = strcspn(begin, "\"");
    return begin;
}

/* ---------------------------------------------------------------- random specs */

static unsigned random_below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

static void print_item(text_t *spec, unsigned *seed, unsigned rule)
{
    static const char *const terminals[] = {"%x61", "%x62", "%x61-62", "%x61.62"};
    unsigned target = rule + 1 + random_below(seed, RULES - rule);
    char name[8];

    snprintf(name, sizeof name, "r%u", target);
    const char *item = target < RULES && random_below(seed, 3) ? name : terminals[random_below(seed, 4)];
    switch (random_below(seed, 12)) {
    default:
        text_print(spec, "%s ", item);
        break;
    case 0:
    case 1:
    case 2:
        text_print(spec, "[ %s ] ", item);
        break;
    case 3:
        text_print(spec, "*2%s ", item);
        break;
    case 4:
        text_print(spec, "1*2%s ", item);
        break;
    case 5: /* no rules: where elements are repeated without bound, most specs have no automaton */
        text_print(spec, "*%s ", item == name ? "%x61" : item);
        break;
    }
}

static void print_spec(text_t *spec, unsigned *seed)
{
    text_print(spec, ";@ protocol p \"P\"\n;@ client = r0\n");
    for (unsigned rule = 0; rule < RULES; rule++) {
        unsigned alternatives = 1 + random_below(seed, 3);
        text_print(spec, "r%u = ", rule);
        for (unsigned i = 0; i < alternatives; i++) {
            text_print(spec, i ? "/ " : "");
            for (unsigned items = 1 + random_below(seed, 3); items > 0; items--)
                print_item(spec, seed, rule);
        }
        text_print(spec, "\n%s", random_below(seed, 2) ? "  ;@ emit\n" : "");
    }
}

/* ---------------------------------------------------------------- the test */

/* True if there was something to compare. */
static bool compare(unsigned seed)
{
    unsigned next = seed;
    arena_t *arena = arena_new();
    enumeration_t *e = ARENA_NEW(arena, enumeration_t);
    text_t spec;

    text_init(&spec, arena);
    print_spec(&spec, &next);
    compiled_t c = compiled_new(spec.bytes, COMPILE_STEP_NONE);
    bool is_compared = c.is_right;
    if (is_compared)
        derive_all(e, c.result.grammar, "", 0, INPUT_MAX);
    is_compared = is_compared && e->count <= DERIVATIONS_MAX;
    bool says_never = strstr(c.messages, "is never read") != NULL;
    if (is_compared && e->is_symbolic && !c.result.ambiguities.symbolic && !says_never)
        fail_msg("seed %u: two derivations have different elements, and nothing is said:\n%s%s", seed, spec.bytes, c.messages);
    if (is_compared && !e->is_symbolic && c.result.ambiguities.symbolic) { /* the input is longer, then */
        size_t len;
        const char *begin = example(c.messages, &len);
        e->count = 0;
        derive_all(e, c.result.grammar, begin, len, INPUT_MAX);
    }
    if (is_compared && e->count <= DERIVATIONS_MAX && !e->is_symbolic && c.result.ambiguities.symbolic)
        fail_msg("seed %u: no two derivations have different elements:\n%s%s", seed, spec.bytes, c.messages);
    if (is_compared && e->is_position && !c.result.ambiguities.position && !c.result.ambiguities.symbolic && !says_never)
        fail_msg("seed %u: two derivations have different positions, and nothing is counted:\n%s", seed, spec.bytes);
    compiled_free(&c);
    arena_free(arena);
    return is_compared;
}

/* AMBIGUITY_SPECS in the environment: how many, 60 if it is not there. */
static void all_derivations_agree(void **state)
{
    const char *wanted = getenv("AMBIGUITY_SPECS");
    unsigned count = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 60, compared = 0;

    (void)state;
    for (unsigned seed = 1; seed <= count; seed++)
        compared += compare(seed * 7919u);
    assert_true(compared > count / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_derivations_agree)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
