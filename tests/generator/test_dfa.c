/* test_dfa.c: what the subset construction decides: when elements are certain, which reading wins, what is refused. */
#include "compiled.h"
#include "test.h"

#define HEAD ";@ protocol p \"P\"\n"

static void assert_dump_has(const char *spec, compile_step_t step, const char *line)
{
    compiled_t c = compiled_new(spec, step);

    if (!c.is_right)
        fail_msg("refused:\n%s", c.messages);
    if (!strstr(c.result.dump.bytes, line))
        fail_msg("no `%s` in\n%s", line, c.result.dump.bytes);
    compiled_free(&c);
}

static void assert_refused(const char *spec, const char *message)
{
    compiled_t c = compiled_new(spec, COMPILE_STEP_NONE);

    assert_false(c.is_right);
    if (!strstr(c.messages, message))
        fail_msg("no `%s` in\n%s", message, c.messages);
    compiled_free(&c);
}

static void an_element_ends_on_its_own_last_byte(void **state)
{
    (void)state;
    assert_dump_has(HEAD ";@ client = *m\nm = \"ab\" ;@ emit\n", COMPILE_STEP_OPTIMISED, "{ close e0 @ }");
}

static void an_element_that_may_go_on_ends_when_it_does_not(void **state)
{
    (void)state;
    assert_dump_has(HEAD ";@ client = *m\nm = w LF\nw = 1*ALPHA ;@ emit\n", COMPILE_STEP_OPTIMISED,
                    "LF -> 0 { close e0 @-1 }");
}

static void two_alternatives_wait_until_one_is_left(void **state)
{
    (void)state;
    /* "a" is either; what follows tells */
    assert_dump_has(HEAD ";@ client = *m\nm = x \"1\" / y \"2\"\nx = \"a\" ;@ emit\ny = \"a\" ;@ emit\n",
                    COMPILE_STEP_OPTIMISED, "\"1\" -> 0 { open e0 @-2, close e0 @-1 }");
}

static void the_first_alternative_wins_where_both_fit(void **state)
{
    (void)state;
    assert_dump_has(HEAD ";@ client = *m\nm = x / y\nx = \"a\" ;@ emit\ny = \"a\" ;@ emit\n", COMPILE_STEP_OPTIMISED,
                    "{ open e0 @-1, close e0 @ }");
}

static void an_annotated_alternative_of_one_byte_reads_it(void **state)
{
    (void)state;
    assert_dump_has(HEAD ";@ client = *m\nm = \"a\" n LF\nn = %x31 ;@ anomaly one\n / %x32 ;@ emit as two\n",
                    COMPILE_STEP_OPTIMISED, "\"1\" -> 2 { anomaly-open @-1, anomaly one @ }");
}

static void a_cut_decides_at_once(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ client = *m\nm = start n LF / o LF\nstart = \"a:\" ;@ cut\nn = 1*ALPHA ;@ emit\n"
                            "o = \"a:\" 1*ALPHA ;@ emit\n";

    assert_dump_has(spec, COMPILE_STEP_OPTIMISED, "{ open e0 @ }");
}

static void a_loop_of_elements_that_stays_undecided_is_refused(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ client = *m\nm = *x \"1\" / *y \"2\"\nx = \"a\" ;@ emit\ny = \"a\" ;@ emit\n";

    assert_refused(spec, "stays undecided for any number of bytes");
    assert_refused(spec, "for example after \"a\"");
}

static void an_atomic_rule_with_endless_elements_is_refused(void **state)
{
    (void)state;
    assert_refused(HEAD ";@ client = *m\nm = *x LF ;@ atomic\nx = \"a\" ;@ emit\n", "can hold any number of elements");
}

static void a_control_point_that_competes_is_refused(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ register n : uint\n;@ client = *m\nm = d body / d \"0\" LF\nd = 1*DIGIT ;@ n = decimal\n"
                            "body = *OCTET ;@ length n\n";

    assert_refused(spec, "this control point is not reached by one reading alone");
}

static void the_next_byte_may_tell_that_a_control_point_is_reached(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ register n : uint\n;@ client = *m\nm = d body LF\nd = 1*DIGIT ;@ n = decimal\n"
                            "body = 1*ALPHA ;@ length n\n";

    assert_dump_has(spec, COMPILE_STEP_OPTIMISED, "ALPHA / LF (not read)");
}

static void a_control_point_in_an_atomic_rule_is_refused(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ register n : uint\n;@ client = *m\nm = d body ;@ atomic\nd = DIGIT ;@ n = decimal\n"
                            "body = *OCTET ;@ length n\n";

    assert_refused(spec, "a control point inside an atomic rule");
}

static void readings_that_convert_different_numbers_are_refused(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ register n : uint\n;@ client = *m\nm = d 1*DIGIT LF\nd = 1*DIGIT ;@ n = decimal\n";

    assert_refused(spec, "would convert different bytes of rule `d`");
}

static void a_fallback_does_not_delay_what_it_stands_behind(void **state)
{
    (void)state;
    const char *spec = HEAD ";@ client = *m\nm = name \":\" value LF ;@ refine value by name: a\nname = 1*ALPHA ;@ emit\n"
                            "value = *VCHAR ;@ emit\na = *( digit \",\" )\ndigit = DIGIT ;@ emit\n";

    assert_dump_has(spec, COMPILE_STEP_OPTIMISED, "DIGIT -> ");
    assert_dump_has(spec, COMPILE_STEP_OPTIMISED, "open e2 @-1, close e2 @");
    assert_dump_has(spec, COMPILE_STEP_OPTIMISED, "mismatch a @-1");
}

static size_t count_states(const char *spec)
{
    compiled_t c = compiled_new(spec, COMPILE_STEP_OPTIMISED);
    assert_true(c.is_right);
    size_t count = c.result.layout->dfa->states.count;
    compiled_free(&c);
    return count;
}

static void sides_that_send_the_same_are_read_by_the_same_states(void **state)
{
    (void)state;
#define LINE "m = n \":\" v LF ;@ emit, refine v by n: a b\nn = 1*ALPHA ;@ emit\nv = *VCHAR ;@ emit\na = 1*DIGIT ;@ emit\nb = *DIGIT\n"
    assert_int_equal(count_states(HEAD ";@ client = *m\n;@ server = *m\n" LINE), count_states(HEAD ";@ client = *m\n" LINE));
}

static void states_are_numbered_as_they_are_found(void **state)
{
    (void)state;
    compiled_t a = compiled_new(HEAD ";@ client = *m\nm = \"abc\" LF ;@ emit\n", COMPILE_STEP_NONE);
    compiled_t b = compiled_new(HEAD ";@ client = *m\nm = \"abc\" LF ;@ emit\n", COMPILE_STEP_NONE);

    assert_string_equal(a.result.source.bytes, b.result.source.bytes);
    compiled_free(&a);
    compiled_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_ends_on_its_own_last_byte),
        cmocka_unit_test(an_element_that_may_go_on_ends_when_it_does_not),
        cmocka_unit_test(two_alternatives_wait_until_one_is_left),
        cmocka_unit_test(the_first_alternative_wins_where_both_fit),
        cmocka_unit_test(an_annotated_alternative_of_one_byte_reads_it),
        cmocka_unit_test(a_cut_decides_at_once),
        cmocka_unit_test(a_loop_of_elements_that_stays_undecided_is_refused),
        cmocka_unit_test(an_atomic_rule_with_endless_elements_is_refused),
        cmocka_unit_test(a_control_point_that_competes_is_refused),
        cmocka_unit_test(the_next_byte_may_tell_that_a_control_point_is_reached),
        cmocka_unit_test(a_control_point_in_an_atomic_rule_is_refused),
        cmocka_unit_test(readings_that_convert_different_numbers_are_refused),
        cmocka_unit_test(a_fallback_does_not_delay_what_it_stands_behind),
        cmocka_unit_test(sides_that_send_the_same_are_read_by_the_same_states),
        cmocka_unit_test(states_are_numbered_as_they_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
