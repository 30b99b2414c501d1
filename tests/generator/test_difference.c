/* test_difference.c: how a text differs from what it should be. */
#include "test.h"

#include "difference.h"

static void assert_difference(const char *is, const char *should, unsigned line_max, const char *expected)
{
    arena_t *arena = arena_new();
    text_t a, b, text;

    text_init(&a, arena);
    text_init(&b, arena);
    text_init(&text, arena);
    text_print(&a, "%s", is);
    text_print(&b, "%s", should);
    difference_print(&a, &b, line_max, &text);
    assert_string_equal(text.bytes, expected);
    arena_free(arena);
}

static void equal_texts_do_not_differ(void **state)
{
    (void)state;
    assert_difference("", "", 40, "");
    assert_difference("a\nb\n", "a\nb\n", 40, "");
}

static void a_change_is_shown_between_equal_lines(void **state)
{
    (void)state;
    assert_difference("1\n2\n3\n4\nold\n5\n6\n7\n8\n", "1\n2\n3\n4\nnew\n5\n6\n7\n8\n", 40,
                      "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-old\n+new\n 5\n 6\n 7\n");
    assert_difference("1\n2\n", "1\nnew\n2\n", 40, "@@ -1,2 +1,3 @@\n 1\n+new\n 2\n");
    assert_difference("1\nold\n2\n", "1\n2\n", 40, "@@ -1,3 +1,2 @@\n 1\n-old\n 2\n");
}

static void nothing_is_a_text_as_well(void **state)
{
    (void)state;
    assert_difference("", "1\n2\n", 40, "@@ -0,0 +1,2 @@\n+1\n+2\n");
    assert_difference("1\n", "", 40, "@@ -1,1 +0,0 @@\n-1\n");
}

static void an_end_of_line_that_is_missing_shows(void **state)
{
    (void)state;
    assert_difference("1", "1\n", 40, "@@ -1,1 +1,1 @@\n-1\n\\ No newline at end of file\n+1\n");
}

static void behind_the_first_difference_there_may_be_more(void **state)
{
    (void)state;
    assert_difference("a\n1\n2\n3\n4\nb\n", "A\n1\n2\n3\n4\nB\n", 40,
                      "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\nand more\n");
    assert_difference("a\nb\nc\n", "A\nB\nC\n", 2, "@@ -1,2 +0,0 @@\n-a\n-b\nand more\n");
}

static void neither_long_texts_nor_long_differences_take_long(void **state)
{
    const size_t count = 100000;
    char *is = test_malloc(2 * count + 1), *should = test_malloc(2 * count + 1);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        memcpy(is + 2 * i, "a\n", 3);
        memcpy(should + 2 * i, "b\n", 3);
    }
    assert_difference(is, should, 3, "@@ -1,3 +0,0 @@\n-a\n-a\n-a\nand more\n");
    test_free(is);
    test_free(should);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_do_not_differ),
        cmocka_unit_test(a_change_is_shown_between_equal_lines),
        cmocka_unit_test(nothing_is_a_text_as_well),
        cmocka_unit_test(an_end_of_line_that_is_missing_shows),
        cmocka_unit_test(behind_the_first_difference_there_may_be_more),
        cmocka_unit_test(neither_long_texts_nor_long_differences_take_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
