/* test_position.c: which positions are remembered, and in how many variables. */
#include "position.h"

#include "compiled.h"
#include "test.h"

#define HEAD ";@ protocol p \"P\"\n"

/* Variables for positions, the spare one not counted. */
static unsigned variables(const char *spec)
{
    compiled_t c = compiled_new(spec, COMPILE_STEP_NONE);

    if (!c.is_right)
        fail_msg("refused:\n%s", c.messages);
    unsigned count = c.result.layout->position_count;
    compiled_free(&c);
    return count;
}

static void a_constant_distance_needs_no_register(void **state)
{
    (void)state;
    assert_int_equal(variables(HEAD ";@ client = *m\nm = x \"1\" / y \"2\"\nx = 3ALPHA ;@ emit\ny = 3ALPHA ;@ emit\n"), 0);
}

static void a_distance_that_varies_needs_one(void **state)
{
    (void)state;
    assert_int_equal(variables(HEAD ";@ client = *m\nm = x \"1\" / y \"2\"\nx = 1*ALPHA ;@ emit\ny = 1*ALPHA ;@ emit\n"), 1);
}

static void trailing_blanks_need_one_for_the_end(void **state)
{
    (void)state;
    assert_int_equal(variables(HEAD ";@ client = *m\nm = v *SP LF\nv = 1*( ALPHA / SP ) ;@ emit\n"), 0);
    assert_int_equal(variables(HEAD ";@ client = *m\nm = v *SP LF\nv = 1*ALPHA *( 1*SP 1*ALPHA ) ;@ emit\n"), 1);
}

static void positions_that_never_live_together_share_a_variable(void **state)
{
    (void)state;
    const char *one = "a = 1*ALPHA ;@ emit\nb = 1*ALPHA ;@ emit\n";
    const char *two = "c = 1*DIGIT ;@ emit\nd = 1*DIGIT ;@ emit\n";
    char spec[512];

    snprintf(spec, sizeof spec, HEAD ";@ client = *m\nm = ( a \"1\" / b \"2\" ) SP ( c \"x\" / d \"y\" ) LF\n%s%s", one, two);
    assert_int_equal(variables(spec), 1);
}

static stamp_t reg(int number)
{
    return (stamp_t){.reg = number};
}

static void moves_do_not_overwrite_what_is_still_needed(void **state)
{
    (void)state;
    dfa_t dfa = {.arena = arena_new()};
    edge_t edge = {0};
    vec_push(dfa.arena, &edge.moves, ((stamp_t){STAMP_BACK, 0})); /* 0 := here */
    vec_push(dfa.arena, &edge.moves, reg(0));                     /* 1 := 0 */
    moves_t moves = position_moves(&dfa, &edge, 9);

    assert_int_equal(moves.count, 2);
    assert_int_equal(moves.items[0].to, 1);
    assert_int_equal(moves.items[1].to, 0);
    arena_free(dfa.arena);
}

static void a_cycle_of_moves_goes_through_the_spare_variable(void **state)
{
    (void)state;
    dfa_t dfa = {.arena = arena_new()};
    edge_t edge = {0};
    vec_push(dfa.arena, &edge.moves, reg(1));
    vec_push(dfa.arena, &edge.moves, reg(0));
    moves_t moves = position_moves(&dfa, &edge, 9);
    int value[10] = {10, 11};

    for (size_t i = 0; i < moves.count; i++)
        value[moves.items[i].to] = value[moves.items[i].from.reg];
    assert_int_equal(value[0], 11);
    assert_int_equal(value[1], 10);
    arena_free(dfa.arena);
}

/* Two readings that differ only in their last byte, and `count` elements of unknown length in each. */
static char *many_positions(char *spec, size_t size, unsigned count)
{
    size_t len = (size_t)snprintf(spec, size, HEAD ";@ client = *m\nm = ");

    for (unsigned reading = 0; reading < 2; reading++) {
        for (unsigned i = 0; i < count; i++)
            len += (size_t)snprintf(spec + len, size - len, "%c%u \",\" ", 'x' + (char)reading, i);
        len += (size_t)snprintf(spec + len, size - len, reading ? "\"2\"\n" : "\"1\" / ");
    }
    for (unsigned reading = 0; reading < 2; reading++)
        for (unsigned i = 0; i < count; i++)
            len += (size_t)snprintf(spec + len, size - len, "%c%u = 1*ALPHA ;@ emit\n", 'x' + (char)reading, i);
    return spec;
}

static void more_positions_than_there_are_variables_are_refused(void **state)
{
    (void)state;
    char spec[4096];
    assert_int_equal(variables(many_positions(spec, sizeof spec, 8)), 15); /* begin and end of each; the last ends here */

    compiled_t c = compiled_new(many_positions(spec, sizeof spec, 20), COMPILE_STEP_NONE);
    assert_false(c.is_right);
    assert_non_null(strstr(c.messages, "more than 16 positions would have to be remembered"));
    compiled_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_distance_needs_no_register),
        cmocka_unit_test(a_distance_that_varies_needs_one),
        cmocka_unit_test(trailing_blanks_need_one_for_the_end),
        cmocka_unit_test(positions_that_never_live_together_share_a_variable),
        cmocka_unit_test(moves_do_not_overwrite_what_is_still_needed),
        cmocka_unit_test(more_positions_than_there_are_variables_are_refused),
        cmocka_unit_test(a_cycle_of_moves_goes_through_the_spare_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
