/* test_resolve.c tests resolve*.c and grammar.c: what later stages read. What is accepted and refused is in golden/. */
#include "test.h"

#include "resolve.h"
#include "source.h"
#include "spec.h"

/* A grammar that a test reads, and what it lives in. */
typedef struct resolved {
    arena_t *arena;
    const grammar_t *grammar; /* NULL: refused */
} resolved_t;

static resolved_t resolve_text(const char *text)
{
    resolved_t resolved = {.arena = arena_new()};
    diag_t *diag = diag_new(resolved.arena);
    const source_t *source = source_new(resolved.arena, "x.abnf", text, strlen(text));

    resolved.grammar = resolve(resolved.arena, spec_parse(resolved.arena, source, diag), diag);
    return resolved;
}

static const rule_t *get_rule(const resolved_t *resolved, const char *name)
{
    assert_non_null(resolved->grammar);
    const rule_t *rule = grammar_find(resolved->grammar, name);
    assert_non_null(rule);
    return rule;
}

static void rules_are_numbered_in_the_order_of_definition(void **state)
{
    resolved_t resolved = resolve_text("b = a DIGIT\na = ALPHA\n");
    const char *const names[] = {"b", "a", "ALPHA", "DIGIT"};

    (void)state;
    assert_non_null(resolved.grammar);
    assert_int_equal(resolved.grammar->rules.count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(resolved.grammar->rules.items[i]->name, names[i]);
        assert_int_equal(resolved.grammar->rules.items[i]->index, i);
        assert_int_equal(resolved.grammar->rules.items[i]->is_core, i >= 2);
    }
    arena_free(resolved.arena);
}

static void names_are_found_by_spelling_then_ignoring_case(void **state)
{
    resolved_t resolved = resolve_text("Host = CR\ncr = \"x\"\n");

    (void)state;
    assert_string_equal(get_rule(&resolved, "HOST")->name, "Host");
    assert_string_equal(get_rule(&resolved, "CR")->name, "CR");
    assert_string_equal(get_rule(&resolved, "cr")->name, "cr");
    assert_null(grammar_find(resolved.grammar, "LF"));
    arena_free(resolved.arena);
}

static void references_point_at_rules(void **state)
{
    resolved_t resolved = resolve_text("a = b *b\nb = %x61-63\n");
    const rule_t *a = get_rule(&resolved, "a"), *b = get_rule(&resolved, "b");

    (void)state;
    assert_int_equal(a->body->kind, NODE_SEQUENCE);
    assert_int_equal(a->body->children.count, 2);
    assert_ptr_equal(a->body->children.items[0]->rule, b);
    const node_t *repeat = a->body->children.items[1];
    assert_int_equal(repeat->kind, NODE_REPEAT);
    assert_int_equal(repeat->max, REPEAT_UNBOUNDED);
    assert_ptr_equal(repeat->children.items[0]->rule, b);
    assert_int_equal(charset_count(&b->body->set), 3);
    arena_free(resolved.arena);
}

static void notes_hang_on_the_alternative_or_on_the_rule(void **state)
{
    resolved_t resolved =
        resolve_text("a = \"b\" ;@ emit\n  / \"c\" ;@ anomaly x\n  ;@ atomic\nb = \"d\" ;@ emit as e\n");
    const rule_t *a = get_rule(&resolved, "a"), *b = get_rule(&resolved, "b");

    (void)state;
    assert_int_equal(a->notes.count, 1);
    assert_int_equal(a->notes.items[0]->kind, NOTE_ATOMIC);
    assert_int_equal(a->body->children.items[0]->notes.items[0]->kind, NOTE_EMIT);
    assert_string_equal(a->body->children.items[0]->notes.items[0]->name, "a");
    assert_string_equal(a->body->children.items[1]->notes.items[0]->name, "x");
    assert_int_equal(b->body->notes.count, 0);
    assert_string_equal(b->notes.items[0]->name, "e");
    arena_free(resolved.arena);
}

static void keywords_are_numbered_from_one(void **state)
{
    resolved_t resolved = resolve_text(";@ register k : keyword(GET HEAD)\n"
                                       "a = \"b\" ;@ k = keyword\n"
                                       "c = a ;@ when k = head\n  / a ;@ when k = other\n");
    const rule_t *c = get_rule(&resolved, "c");
    const expr_t *head = c->body->children.items[0]->notes.items[0]->expr;
    const expr_t *other = c->body->children.items[1]->notes.items[0]->expr;

    (void)state;
    assert_int_equal(head->kind, EXPR_EQ);
    assert_int_equal(head->left->kind, EXPR_REGISTER);
    assert_ptr_equal(head->left->reg, resolved.grammar->registers.items[0]);
    assert_int_equal(head->right->number, 2);
    assert_int_equal(other->right->number, 0);
    arena_free(resolved.arena);
}

static void registers_of_a_side_and_shared_ones_are_numbered_apart(void **state)
{
    resolved_t resolved = resolve_text(";@ register a : uint, shared b : uint, register c : flag\n"
                                       ";@ queue q(8) : uint\n"
                                       "x = \"x\"\n");

    (void)state;
    assert_non_null(resolved.grammar);
    assert_int_equal(resolved.grammar->registers.count, 2);
    assert_int_equal(resolved.grammar->registers.items[1]->index, 1);
    assert_int_equal(resolved.grammar->shared.count, 1);
    assert_int_equal(resolved.grammar->shared.items[0]->index, 0);
    assert_int_equal(resolved.grammar->queues.items[0]->capacity, 8);
    arena_free(resolved.arena);
}

static void roots_and_ports_are_there(void **state)
{
    resolved_t resolved = resolve_text(";@ protocol p \"Pee\", port udp 53 5353, server = *a\na = \"a\"\n");

    (void)state;
    assert_non_null(resolved.grammar);
    assert_string_equal(resolved.grammar->name, "p");
    assert_string_equal(resolved.grammar->title, "Pee");
    assert_int_equal(resolved.grammar->ports.count, 2);
    assert_int_equal(resolved.grammar->ports.items[1].number, 5353);
    assert_string_equal(resolved.grammar->ports.items[1].transport, "udp");
    assert_null(resolved.grammar->client);
    assert_int_equal(resolved.grammar->server->kind, NODE_REPEAT);
    assert_int_equal(resolved.grammar->files.count, 1);
    arena_free(resolved.arena);
}

static void no_node_stands_in_two_places(void **state)
{
    resolved_t resolved = resolve_text("a = #\"x\"\n");
    const node_t *start = get_rule(&resolved, "a")->body->children.items[0]->children.items[0];

    (void)state;
    assert_int_equal(start->kind, NODE_CHOICE);
    const node_t *second = start->children.items[1]->children.items[1]->children.items[0]->children.items[1];
    assert_int_equal(second->kind, NODE_STRING);
    assert_ptr_not_equal(start->children.items[0], second);
    arena_free(resolved.arena);
}

static void what_is_wrong_has_no_grammar(void **state)
{
    const char *const texts[] = {"a = b", "a = ", "a = \"", ";@ x", "a = a"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        resolved_t resolved = resolve_text(texts[i]);
        assert_null(resolved.grammar);
        arena_free(resolved.arena);
    }
}

static void nothing_is_a_grammar_without_rules(void **state)
{
    resolved_t resolved = resolve_text("");

    (void)state;
    assert_non_null(resolved.grammar);
    assert_int_equal(resolved.grammar->rules.count, 0);
    arena_free(resolved.arena);
}

/* `count` rules, each made of the next. */
static resolved_t resolve_chain(unsigned count)
{
    arena_t *arena = arena_new();
    text_t text;

    text_init(&text, arena);
    for (unsigned i = 0; i < count; i++)
        text_print(&text, "r%u = r%u\n", i, i + 1);
    text_print(&text, "r%u = \"x\"\n", count);
    resolved_t resolved = resolve_text(text.bytes);
    arena_free(arena);
    return resolved;
}

static void rules_may_be_many_levels_deep_but_not_any_number(void **state)
{
    resolved_t deep = resolve_chain(300), deeper = resolve_chain(100000);

    (void)state;
    assert_non_null(deep.grammar);
    assert_null(deeper.grammar);
    arena_free(deep.arena);
    arena_free(deeper.arena);
}

static void lists_inside_lists_do_not_exhaust_memory(void **state)
{
    char text[512] = "a = ";

    (void)state;
    for (int i = 0; i < 60; i++)
        strcat(text, "1#( ");
    strcat(text, "\"x\"");
    for (int i = 0; i < 60; i++)
        strcat(text, " )");
    resolved_t resolved = resolve_text(text);
    assert_null(resolved.grammar);
    arena_free(resolved.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_numbered_in_the_order_of_definition),
        cmocka_unit_test(names_are_found_by_spelling_then_ignoring_case),
        cmocka_unit_test(references_point_at_rules),
        cmocka_unit_test(notes_hang_on_the_alternative_or_on_the_rule),
        cmocka_unit_test(keywords_are_numbered_from_one),
        cmocka_unit_test(registers_of_a_side_and_shared_ones_are_numbered_apart),
        cmocka_unit_test(roots_and_ports_are_there),
        cmocka_unit_test(no_node_stands_in_two_places),
        cmocka_unit_test(what_is_wrong_has_no_grammar),
        cmocka_unit_test(nothing_is_a_grammar_without_rules),
        cmocka_unit_test(rules_may_be_many_levels_deep_but_not_any_number),
        cmocka_unit_test(lists_inside_lists_do_not_exhaust_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
