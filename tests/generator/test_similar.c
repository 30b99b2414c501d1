/* test_similar.c: what was probably meant. */
#include "test.h"

#include "similar.h"

static const char *const names[] = {"check", "elements", "generate", "explain", "extract", "graph"};

static const char *meant(const char *name)
{
    const char *found = similar_find(name, names, sizeof names / sizeof *names);

    return found ? found : "";
}

static void each_kind_of_mistake_is_forgiven(void **state)
{
    (void)state;
    assert_string_equal(meant("check"), "check");
    assert_string_equal(meant("chck"), "check");    /* missing */
    assert_string_equal(meant("cheeck"), "check");  /* too many */
    assert_string_equal(meant("chack"), "check");   /* another */
    assert_string_equal(meant("chekc"), "check");   /* swapped */
    assert_string_equal(meant("genrete"), "generate");
}

static void the_fewest_mistakes_win_and_then_the_first(void **state)
{
    (void)state;
    assert_string_equal(meant("exlain"), "explain");
    assert_string_equal(meant("extrakt"), "extract");
    assert_string_equal(meant("grph"), "graph");
    assert_string_equal(meant("exptain"), "explain");
}

static void another_word_means_nothing(void **state)
{
    char longest[100];

    (void)state;
    memset(longest, 'c', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(meant("improve"), "");
    assert_string_equal(meant(""), "");
    assert_string_equal(meant(longest), "");
    assert_null(similar_find("check", names, 0));
}

static void what_may_be_right_is_doubted_for_one_mistake_alone(void **state)
{
    static const char *const rules[] = {"lines", "key"};

    (void)state;
    assert_string_equal(similar_almost("lins", rules, 2), "lines");
    assert_null(similar_almost("liens-", rules, 2));
    assert_null(similar_almost("lines", rules, 2));
    assert_null(similar_almost("kex", rules, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_mistake_is_forgiven),
        cmocka_unit_test(the_fewest_mistakes_win_and_then_the_first),
        cmocka_unit_test(another_word_means_nothing),
        cmocka_unit_test(what_may_be_right_is_doubted_for_one_mistake_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
