/* test_emit.c: the automaton's size, its names, and what the C text says for people. */
#include "compiled.h"
#include "test.h"

#define HEAD ";@ protocol p \"P\"\n"

static void assert_source_has(const char *spec, const char *text)
{
    compiled_t c = compiled_new(spec, COMPILE_STEP_NONE);

    if (!c.is_right)
        fail_msg("refused:\n%s", c.messages);
    if (!strstr(c.result.source.bytes, text) && !strstr(c.result.header.bytes, text))
        fail_msg("no `%s` in\n%s", text, c.result.source.bytes);
    compiled_free(&c);
}

static void states_of_one_rule_that_behave_alike_are_merged(void **state)
{
    (void)state;
    compiled_t c = compiled_new(HEAD ";@ client = *m\nm = \"a\" w / \"b\" w\nw = \"xyz\" LF\n", COMPILE_STEP_NONE);

    assert_true(c.is_right);
    assert_int_equal(compiled_state_count(&c), 5); /* the start, x, y, z, LF: the same behind "a" and "b" */
    compiled_free(&c);
}

static void a_state_shows_its_rule_and_an_example(void **state)
{
    (void)state;
    assert_source_has(HEAD ";@ client = *m\nm = \"a\" 2DIGIT LF ;@ emit\n", "m = \"a\" 2. DIGIT LF");
    assert_source_has(HEAD ";@ client = *m\nm = \"a\" 2DIGIT LF ;@ emit\n", "e.g. after \"a0\"");
}

static void bytes_are_written_as_characters(void **state)
{
    (void)state;
    assert_source_has(HEAD ";@ client = *m\nm = \":\" LF ;@ emit\n", "*at == ':'");
    assert_source_has(HEAD ";@ client = *m\nm = \":\" LF ;@ emit\n", "*at == '\\n'");
}

static void classes_have_the_names_of_rules(void **state)
{
    (void)state;
    assert_source_has(HEAD ";@ client = *m\nm = 1*sign LF ;@ emit\nsign = \"+\" / \"-\" / ALPHA\n", "IS_SIGN(*at)");
}

static void elements_have_constants_with_their_paths(void **state)
{
    (void)state;
    assert_source_has(HEAD ";@ client = *m\nm = user-name LF ;@ emit\nuser-name = 1*ALPHA ;@ emit\n",
                      "QCAP_P_M_USER_NAME = 1, /* p.m.user-name */");
}

static void a_comment_in_the_grammar_cannot_end_one_in_the_c_text(void **state)
{
    (void)state;
    assert_source_has(HEAD ";@ client = *m\nm = \"*/\" LF ;@ emit\n", "m = . \"*|\" LF");
}

static void registers_are_unset_together(void **state)
{
    (void)state;
    char spec[2000] = HEAD ";@ client = *m\n;@ shared s : uint\n", names[200] = "";

    for (unsigned i = 0; i < 20; i++) {
        size_t len = strlen(spec), used = strlen(names);
        snprintf(spec + len, sizeof spec - len, ";@ register r%u : uint\n;@ rule m: r%u = 1\n", i, i);
        snprintf(names + used, sizeof names - used, " r%u", i);
    }
    size_t len = strlen(spec);
    snprintf(spec + len, sizeof spec - len, "m = \"a\" ;@ s = 1, reset%s, reset s r2\n", names);
    assert_source_has(spec, "{QCAP_OP_RESET, 0, 0, 65535, 0, 0}");
    assert_source_has(spec, "{QCAP_OP_RESET, 0, 0, 15, 16, 0}, /* reset r16 r17 r18 r19 */");
    assert_source_has(spec, "{QCAP_OP_RESET, QCAP_OP_SHARED, 0, 1, 0, 0}, /* reset s */");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_of_one_rule_that_behave_alike_are_merged),
        cmocka_unit_test(a_state_shows_its_rule_and_an_example),
        cmocka_unit_test(bytes_are_written_as_characters),
        cmocka_unit_test(classes_have_the_names_of_rules),
        cmocka_unit_test(elements_have_constants_with_their_paths),
        cmocka_unit_test(registers_are_unset_together),
        cmocka_unit_test(a_comment_in_the_grammar_cannot_end_one_in_the_c_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
