/* test_limits.c: specs that are larger than anything sensible: each is refused with a message that says so. */
#include "compiled.h"
#include "test.h"

#include "source.h"

#define HEAD ";@ protocol p \"P\"\n"

typedef struct spec {
    arena_t *arena;
    text_t text;
} spec_t;

static spec_t begin(const char *first)
{
    spec_t spec = {.arena = arena_new()};

    text_init(&spec.text, spec.arena);
    text_print(&spec.text, "%s", first);
    return spec;
}

static void repeat(spec_t *spec, const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        text_print(&spec->text, "%s", text);
}

/* And what is wrong is the only thing that is said to be. */
static void assert_refused(spec_t *spec, const char *message)
{
    compiled_t c = compiled_new(spec->text.bytes, COMPILE_STEP_NONE);

    assert_false(c.is_right);
    if (!strstr(c.messages, message))
        fail_msg("no `%s` in\n%.2000s", message, c.messages);
    assert_null(strstr(strstr(c.messages, "error: ") + 1, "error: "));
    compiled_free(&c);
    arena_free(spec->arena);
}

static void a_spec_that_is_too_long(void **state)
{
    (void)state;
    spec_t spec = begin("");
    char *blanks = arena_alloc(spec.arena, SOURCE_SIZE_MAX + 1);

    memset(blanks, ' ', SOURCE_SIZE_MAX + 1);
    text_append(&spec.text, blanks, SOURCE_SIZE_MAX + 1);
    assert_refused(&spec, " is longer than 4194304 bytes");
}

static void more_parts_than_a_million(void **state)
{
    (void)state;
    spec_t spec = begin("a = b");

    repeat(&spec, "/b", 1200000);
    text_print(&spec.text, "\nb = \"b\"\n");
    assert_refused(&spec, "the grammar has more than 1000000 parts");
}

static void more_registers_than_bits(void **state)
{
    (void)state;
    spec_t spec = begin(HEAD ";@ client = m\nm = \"a\"\n");

    for (unsigned i = 0; i < 65; i++)
        text_print(&spec.text, ";@ register r%u : uint\n;@ rule m: r%u = 1\n", i, i);
    assert_refused(&spec, "more than 64 registers");
}

static void rules_inside_rules(void **state)
{
    (void)state;
    spec_t spec = begin(HEAD ";@ client = r0\n");

    for (unsigned i = 0; i < 1100; i++)
        text_print(&spec.text, "r%u = \"a\" r%u\n", i, i + 1);
    text_print(&spec.text, "r1100 = \"b\"\n");
    assert_refused(&spec, "rules are more than 1000 levels deep inside `r0`");
}

static void elements_inside_elements(void **state)
{
    (void)state;
    spec_t spec = begin(HEAD ";@ client = r0\n");

    for (unsigned i = 0; i < 210; i++)
        text_print(&spec.text, "r%u = \"a\" r%u ;@ emit\n", i, i + 1);
    text_print(&spec.text, "r210 = \"b\"\n");
    assert_refused(&spec, "elements are nested more than 200 deep");
}

/* Either side has 200 bytes each of which begins 90 elements, the last one its own. */
static void operations_of_all_edges(void **state)
{
    (void)state;
    spec_t spec = begin(HEAD ";@ client = *c0\n;@ server = *s0\n");

    for (const char *side = "cs"; *side; side++) {
        for (int i = 0; i < 88; i++)
            text_print(&spec.text, "%c%d = %c%d ;@ emit\n", *side, i, *side, i + 1);
        text_print(&spec.text, "%c88 =", *side);
        for (unsigned i = 0; i < 200; i++)
            text_print(&spec.text, "%s %%x%02X LF ;@ emit as %c-%u\n", i ? " /" : "", i, *side, i);
    }
    assert_refused(&spec, "the tables of this parser have more than 65536 rows");
}

/* Each byte of a long text is in twenty values of either alternative, and which of them it is only the last byte tells. */
static void values_that_are_under_way(void **state)
{
    (void)state;
    spec_t spec = begin(HEAD ";@ client = *( a0 LF / b0 CR )\n");

    for (const char *side = "ab"; *side; side++) {
        for (int i = 0; i < 20; i++)
            text_print(&spec.text, ";@ register %c_%d : bytes(4)\n%c%d = %c%d ;@ %c_%d = bytes\n", *side, i, *side, i, *side, i + 1,
                       *side, i);
        text_print(&spec.text, "%c20 = \"", *side);
        for (unsigned i = 0; i < 1800; i++)
            text_append(&spec.text, "x", 1);
        text_print(&spec.text, "\"\n");
    }
    assert_refused(&spec, "the tables of this parser have more than 65536 rows");
}

static void annotations_in_one_place(void **state)
{
    (void)state;
    spec_t spec = begin(";@ register n : uint\na = \"a\" ;@ n = 1");

    repeat(&spec, ", n = 1", 1000);
    assert_refused(&spec, "more than 1000 annotations for `a`");
}

static void keywords_of_one_register(void **state)
{
    (void)state;
    spec_t spec = begin(";@ register k : keyword(");

    for (unsigned i = 0; i < 4097; i++)
        text_print(&spec.text, "A%u ", i);
    text_print(&spec.text, ")\n");
    assert_refused(&spec, "a register has 4096 keywords at most");
}

static void entries_of_one_refinement(void **state)
{
    (void)state;
    spec_t spec = begin("m = n v ;@ refine v by n:");

    for (unsigned i = 0; i < 4097; i++)
        text_print(&spec.text, " A%u=w", i);
    text_print(&spec.text, "\nn = 1*ALPHA\nv = \"v\"\nw = \"w\"\n");
    assert_refused(&spec, "`refine` has 4096 entries at most");
}

static void negations(void **state)
{
    (void)state;
    spec_t spec = begin(";@ register n : uint\na = \"a\" ;@ n = 1\n  / \"b\" ;@ when ");

    repeat(&spec, "not ", 20000);
    text_print(&spec.text, "n\n");
    assert_refused(&spec, "this is nested too deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_that_is_too_long),
        cmocka_unit_test(more_parts_than_a_million),
        cmocka_unit_test(more_registers_than_bits),
        cmocka_unit_test(rules_inside_rules),
        cmocka_unit_test(elements_inside_elements),
        cmocka_unit_test(operations_of_all_edges),
        cmocka_unit_test(values_that_are_under_way),
        cmocka_unit_test(annotations_in_one_place),
        cmocka_unit_test(keywords_of_one_register),
        cmocka_unit_test(entries_of_one_refinement),
        cmocka_unit_test(negations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
