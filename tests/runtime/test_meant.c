/* test_meant.c: what was probably meant by a name that does not exist. */
#include "test.h"

#include "meant.h"

static const char *const names[] = {"host", "username", "user-agent", "password", "Content-Type"};

static const char *meant(const char *name)
{
    static qcapint_meant_t meant;
    qcapint_meant_begin(&meant, name, strlen(name));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        qcapint_meant_offer(&meant, "a.", names[i]);
    return qcapint_meant_text(&meant);
}

static void each_kind_of_mistake_is_forgiven(void **state)
{
    (void)state;
    assert_string_equal(meant("hst"), "; did you mean a.host?");    /* missing */
    assert_string_equal(meant("hoost"), "; did you mean a.host?");  /* too many */
    assert_string_equal(meant("hast"), "; did you mean a.host?");   /* another */
    assert_string_equal(meant("hots"), "; did you mean a.host?");   /* swapped */
    assert_string_equal(meant("content-tyep"), "; did you mean a.Content-Type?");
}

static void a_part_means_the_first_that_has_it(void **state)
{
    (void)state;
    assert_string_equal(meant("user"), "; did you mean a.username?");
    assert_string_equal(meant("AGENT"), "; did you mean a.user-agent?");
    assert_string_equal(meant("word"), "; did you mean a.password?");
    assert_string_equal(meant("us"), "");
}

static void another_word_means_nothing(void **state)
{
    char longest[200];
    (void)state;
    memset(longest, 'h', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(meant("nonsense"), "");
    assert_string_equal(meant("x"), "");
    assert_string_equal(meant(""), "");
    assert_string_equal(meant(longest), "");
}

static void what_is_too_long_to_be_said_is_passed_over(void **state)
{
    qcapint_meant_t meant;
    char before[QCAPINT_MEANT_SIZE];
    (void)state;
    memset(before, 'p', sizeof before - 1);
    before[sizeof before - 1] = '\0';
    qcapint_meant_begin(&meant, "hots", 4);
    qcapint_meant_offer(&meant, before, "host");
    assert_string_equal(qcapint_meant_text(&meant), "");
    qcapint_meant_suggest(&meant, before);
    assert_string_equal(qcapint_meant_text(&meant), "");
    qcapint_meant_suggest(&meant, "a.field[hots]");
    assert_string_equal(qcapint_meant_text(&meant), "; did you mean a.field[hots]?");
    qcapint_meant_suggest(&meant, "another");
    assert_string_equal(qcapint_meant_text(&meant), "; did you mean a.field[hots]?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_mistake_is_forgiven),
        cmocka_unit_test(a_part_means_the_first_that_has_it),
        cmocka_unit_test(another_word_means_nothing),
        cmocka_unit_test(what_is_too_long_to_be_said_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
