/* test_diag.c tests diag.c and source.c: messages, and the places they show. */
#include "test.h"

#include "source.h"

typedef struct fixture {
    arena_t *arena;
    diag_t *diag;
} fixture_t;

static int setup(void **state)
{
    fixture_t *fixture = test_malloc(sizeof *fixture);

    fixture->arena = arena_new();
    fixture->diag = diag_new(fixture->arena);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;

    arena_free(fixture->arena);
    test_free(fixture);
    return 0;
}

static place_t place_in(const fixture_t *fixture, const char *text, size_t len, unsigned offset, unsigned place_len)
{
    return (place_t){.source = source_new(fixture->arena, "x.abnf", text, len), .offset = offset, .len = place_len};
}

static void assert_messages(fixture_t *fixture, const char *expected)
{
    char *printed = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&printed, &len);

    assert_non_null(file);
    diag_print(fixture->diag, file);
    fclose(file);
    assert_string_equal(printed, expected);
    free(printed);
}

static void a_message_shows_its_line_and_a_caret(void **state)
{
    fixture_t *fixture = *state;
    const char *text = "a = b\nc = deed\n";

    diag_error(fixture->diag, place_in(fixture, text, strlen(text), 10, 4), "rule `%s` is not defined", "deed");
    diag_note(fixture->diag, "a %s", "note");
    assert_messages(fixture, "x.abnf:2:5: error: rule `deed` is not defined\n"
                             "    2 | c = deed\n"
                             "      |     ^~~~\n"
                             "      = a note\n");
}

static void colours_stand_around_the_text_alone(void **state)
{
    fixture_t *fixture = *state;
    const char *text = "c = deed\n";

    diag_colour(fixture->diag);
    diag_error(fixture->diag, place_in(fixture, text, strlen(text), 4, 4), "no");
    diag_note(fixture->diag, "a note");
    diag_warning(fixture->diag, (place_t){.source = NULL}, "odd");
    assert_messages(fixture, "\033[1mx.abnf:1:5:\033[0m \033[1;31merror:\033[0m no\n"
                             "    1 | c = deed\n"
                             "      |     \033[1;32m^~~~\033[0m\n"
                             "      = a note\n"
                             "\033[1;35mwarning:\033[0m odd\n");
}

static void a_warning_is_no_error(void **state)
{
    fixture_t *fixture = *state;

    diag_warning(fixture->diag, (place_t){.source = NULL}, "odd");
    assert_false(diag_has_errors(fixture->diag));
    diag_error(fixture->diag, (place_t){.source = NULL}, "wrong");
    assert_true(diag_has_errors(fixture->diag));
    assert_messages(fixture, "warning: odd\nerror: wrong\n");
}

static void columns_count_characters_and_carets_follow_tabs(void **state)
{
    fixture_t *fixture = *state;
    const char *text = "\tä ö x\r\n";

    diag_error(fixture->diag, place_in(fixture, text, strlen(text), 7, 1), "here");
    assert_messages(fixture, "x.abnf:1:6: error: here\n"
                             "    1 | \tä ö x\n"
                             "      | \t    ^\n");
}

static void control_bytes_do_not_reach_the_terminal(void **state)
{
    fixture_t *fixture = *state;
    const char text[] = "a\x1b[31m\0b";

    diag_error(fixture->diag, place_in(fixture, text, sizeof text - 1, 1, 1), "here");
    assert_messages(fixture, "x.abnf:1:2: error: here\n"
                             "    1 | a?[31m?b\n"
                             "      |  ^\n");
}

static void the_end_of_a_file_is_a_place(void **state)
{
    fixture_t *fixture = *state;

    diag_error(fixture->diag, place_in(fixture, "a =", 3, 3, 0), "missing");
    diag_error(fixture->diag, place_in(fixture, "", 0, 0, 0), "empty");
    assert_messages(fixture, "x.abnf:1:4: error: missing\n"
                             "    1 | a =\n"
                             "      |    ^\n"
                             "x.abnf:1:1: error: empty\n"
                             "    1 | \n"
                             "      | ^\n");
}

static void messages_of_a_file_are_in_the_order_of_its_lines(void **state)
{
    fixture_t *fixture = *state;
    place_t place = place_in(fixture, "abc", 3, 2, 1);

    diag_error(fixture->diag, place, "third");
    place.offset = 0;
    diag_error(fixture->diag, place, "first");
    diag_note(fixture->diag, "of the first");
    place.offset = 1;
    diag_error(fixture->diag, place, "second");
    assert_messages(fixture, "x.abnf:1:1: error: first\n    1 | abc\n      | ^\n      = of the first\n"
                             "x.abnf:1:2: error: second\n    1 | abc\n      |  ^\n"
                             "x.abnf:1:3: error: third\n    1 | abc\n      |   ^\n");
}

static void of_a_long_line_the_part_around_the_place_is_shown(void **state)
{
    fixture_t *fixture = *state;
    char text[1000], expected[1000];

    memset(text, '-', sizeof text);
    text[500] = '!';
    diag_error(fixture->diag, place_in(fixture, text, sizeof text, 500, 1), "here");
    snprintf(expected, sizeof expected, "x.abnf:1:501: error: here\n    1 | %.160s\n      | %80s^\n", text + 420, "");
    assert_messages(fixture, expected);
}

static void behind_fifty_messages_only_their_number_counts(void **state)
{
    fixture_t *fixture = *state;

    for (int i = 0; i < 49; i++)
        diag_warning(fixture->diag, (place_t){.source = NULL}, "w%02d", i);
    diag_error(fixture->diag, (place_t){.source = NULL}, "the last");
    diag_error(fixture->diag, (place_t){.source = NULL}, "dropped");
    diag_note(fixture->diag, "dropped, too");

    char expected[2000] = "";
    for (int i = 0; i < 49; i++)
        sprintf(expected + strlen(expected), "warning: w%02d\n", i);
    strcat(expected, "error: the last\nand 1 more\n");
    assert_messages(fixture, expected);
}

static void the_same_message_is_kept_once(void **state)
{
    fixture_t *fixture = *state;
    place_t place = place_in(fixture, "abc", 3, 0, 1);

    for (int i = 0; i < 3; i++) {
        diag_error(fixture->diag, place, "wrong");
        diag_note(fixture->diag, "a note");
    }
    diag_error(fixture->diag, place, "also wrong");
    assert_messages(fixture, "x.abnf:1:1: error: wrong\n    1 | abc\n      | ^\n      = a note\n"
                             "x.abnf:1:1: error: also wrong\n    1 | abc\n      | ^\n");
}

static void a_sibling_lies_in_the_same_folder(void **state)
{
    fixture_t *fixture = *state;

    assert_string_equal(source_sibling(fixture->arena, "specs/http.abnf", "uri.abnf"), "specs/uri.abnf");
    assert_string_equal(source_sibling(fixture->arena, "http.abnf", "uri.abnf"), "uri.abnf");
    assert_string_equal(source_sibling(fixture->arena, "a/b.abnf", "/c.abnf"), "/c.abnf");
    assert_string_equal(source_base_name("a/b/c.abnf"), "c.abnf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_shows_its_line_and_a_caret, setup, teardown),
        cmocka_unit_test_setup_teardown(colours_stand_around_the_text_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_warning_is_no_error, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_count_characters_and_carets_follow_tabs, setup, teardown),
        cmocka_unit_test_setup_teardown(control_bytes_do_not_reach_the_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_file_is_a_place, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_of_a_file_are_in_the_order_of_its_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_long_line_the_part_around_the_place_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_fifty_messages_only_their_number_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_message_is_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sibling_lies_in_the_same_folder, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
