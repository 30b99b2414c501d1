/* test_charset.c tests charset.c: sets of bytes. */
#include "test.h"

#include "charset.h"

static charset_t letters(void)
{
    return charset_union(charset_range('A', 'Z'), charset_range('a', 'z'));
}

static void assert_printed(charset_t set, const char *expected)
{
    arena_t *arena = arena_new();
    text_t text;

    text_init(&text, arena);
    charset_print(&set, &text);
    assert_string_equal(text.bytes, expected);
    arena_free(arena);
}

static void a_range_includes_both_its_ends(void **state)
{
    charset_t set = charset_range('0', '9');

    (void)state;
    assert_true(charset_has(&set, '0'));
    assert_true(charset_has(&set, '9'));
    assert_false(charset_has(&set, '0' - 1));
    assert_false(charset_has(&set, '9' + 1));
    assert_false(charset_has(&set, 256));
    assert_int_equal(charset_count(&set), 10);
    assert_int_equal(charset_first(&set), '0');
}

static void the_set_of_all_bytes_has_256(void **state)
{
    charset_t all = charset_range(0, 255), none = charset_none();

    (void)state;
    assert_int_equal(charset_count(&all), 256);
    assert_int_equal(charset_count(&none), 0);
    assert_true(charset_is_empty(&none));
    assert_false(charset_is_empty(&all));
}

static void operations_are_those_of_sets(void **state)
{
    charset_t upper = charset_range('A', 'Z'), letter = letters();
    charset_t lower = charset_subtract(letter, upper), both = charset_intersect(letter, upper);
    charset_t expected = charset_range('a', 'z');

    (void)state;
    assert_true(charset_equal(&lower, &expected));
    assert_true(charset_equal(&both, &upper));
    assert_false(charset_equal(&letter, &upper));
}

static void sets_are_printed_by_core_rules_and_ranges(void **state)
{
    (void)state;
    assert_printed(charset_none(), "");
    assert_printed(charset_range(0, 255), "OCTET");
    assert_printed(charset_union(letters(), charset_range('0', '9')), "ALPHA / DIGIT");
    assert_printed(charset_range('b', 'd'), "\"b\"-\"d\"");
    assert_printed(charset_range('-', '-'), "\"-\"");
    assert_printed(charset_range('"', '"'), "DQUOTE");
    assert_printed(charset_range(0x80, 0xff), "%x80-FF");
    assert_printed(charset_union(charset_range('\r', '\r'), charset_range('\n', '\n')), "CR / LF");
}

static void classes_keep_apart_what_a_set_tells_apart(void **state)
{
    const charset_t sets[] = {charset_range('0', '9'), charset_range('5', 'a'), charset_range(0, 255)};
    uint8_t class_of[256];

    (void)state;
    assert_int_equal(charset_classes(sets, 3, class_of), 4);
    assert_int_equal(class_of['0'], class_of['4']);
    assert_int_equal(class_of['5'], class_of['9']);
    assert_int_equal(class_of['A'], class_of['a']);
    assert_int_equal(class_of['!'], class_of['b']);
    assert_int_not_equal(class_of['4'], class_of['5']);
    assert_int_not_equal(class_of['9'], class_of['A']);
    assert_int_not_equal(class_of['0'], class_of['b']);
}

static void without_sets_all_bytes_are_one_class(void **state)
{
    uint8_t class_of[256];

    (void)state;
    assert_int_equal(charset_classes(NULL, 0, class_of), 1);
    assert_int_equal(class_of[0], class_of[255]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_includes_both_its_ends),
        cmocka_unit_test(the_set_of_all_bytes_has_256),
        cmocka_unit_test(operations_are_those_of_sets),
        cmocka_unit_test(sets_are_printed_by_core_rules_and_ranges),
        cmocka_unit_test(classes_keep_apart_what_a_set_tells_apart),
        cmocka_unit_test(without_sets_all_bytes_are_one_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
