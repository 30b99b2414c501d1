/* test_policy.c: rules, names and networks. What the rules do to bytes is in test_tcp.c and test_defrag.c. */
#include "handle.h"
#include "policy.h"
#include "test.h"
#include "traffic.h"

static int setup(void **state)
{
    *state = traffic_open();
    return 0;
}

static int teardown(void **state)
{
    traffic_close(*state);
    return 0;
}

/* N against S = [10, 20), in the order of the letters of a rule. */
static const int64_t relations[9][2] = {{5, 15},  {5, 20},  {5, 25},  {10, 15}, {10, 20},
                                        {10, 25}, {15, 17}, {15, 20}, {15, 25}};

static void a_rule_is_read_letter_by_letter(void **state)
{
    traffic_t *t = *state;
    for (int only = 0; only < 9; only++) {
        char rule[] = "sss sss sss";
        qcapint_policy_t policy;
        rule[only + only / 3] = 'n';
        assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"mine", rule, "nnnnnnnnn", NULL}), 0);
        assert_int_equal(qcapint_policy_find(&t->q->policies, "mine", &policy), 0);
        for (int i = 0; i < 9; i++) {
            const int64_t *n = relations[i];
            assert_int_equal(qcapint_rule_newcomer_wins(policy.fragments, n[0], n[1], 10, 20), i == only);
            assert_true(qcapint_rule_newcomer_wins(policy.segments, n[0], n[1], 10, 20));
        }
    }
}

static void rules_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {"", "nnn sss ss", "nnn sss ssss", "nnn xss sss"};
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"mine", wrong[i], "nnnnnnnnn", NULL}), QCAP_E_ARGUMENT);
        assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"mine", "nnnnnnnnn", wrong[i], NULL}), QCAP_E_ARGUMENT);
    }
    assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"mine", "nnnnnnnnn", "nnnnnnnnn", "cut"}), QCAP_E_ARGUMENT);
    assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"a name that is far too long for a policy", "nnnnnnnnn",
                                                            "nnnnnnnnn", NULL}),
                     QCAP_E_ARGUMENT);
    assert_int_equal(qcap_set_policy(t->q, NULL, "mine"), QCAP_E_NAME);
    assert_non_null(strstr(qcap_geterr(t->q), "mine"));
}

static void every_name_of_the_manual_is_there(void **state)
{
    static const char *const names[] = {"first",   "last",        "bsd",   "bsd-right", "linux", "linux-old",
                                        "windows", "windows-old", "macos", "solaris",   "hp-ux"};
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(qcap_set_policy(t->q, NULL, names[i]), 0);
}

static qcap_endpoint_t ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (qcap_endpoint_t){.version = 4, .address = {a, b, c, d}};
}

static void the_narrowest_network_wins(void **state)
{
    traffic_t *t = *state;
    const qcapint_policies_t *policies = &t->q->policies;
    qcap_endpoint_t near = ipv4(10, 1, 2, 3), far = ipv4(10, 1, 200, 3);
    qcap_endpoint_t odd = ipv4(10, 96, 0, 1), other = ipv4(11, 0, 0, 1);
    qcap_endpoint_t ipv6 = {.version = 6, .address = {10, 1, 2, 3}};
    assert_int_equal(qcap_set_policy(t->q, "10.1.2.0/24", "last"), 0);
    assert_int_equal(qcap_set_policy(t->q, "10.0.0.0/8", "bsd"), 0);
    assert_int_equal(qcap_set_policy(t->q, "10.64.0.0/10", "solaris"), 0);
    assert_int_equal(qcap_set_policy(t->q, "::/0", "windows"), 0);
    assert_string_equal(qcapint_policy_of(policies, &near)->name, "last");
    assert_string_equal(qcapint_policy_of(policies, &far)->name, "bsd");
    assert_string_equal(qcapint_policy_of(policies, &odd)->name, "solaris");
    assert_string_equal(qcapint_policy_of(policies, &other)->name, "linux");
    assert_string_equal(qcapint_policy_of(policies, &ipv6)->name, "windows");
    assert_int_equal(qcap_set_policy(t->q, "10.1.2.0/24", "hp-ux"), 0);
    assert_string_equal(qcapint_policy_of(policies, &near)->name, "hp-ux");
}

static void networks_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "::1/129", "host", "10.0.0.0/8x",
        "1234:1234:1234:1234:1234:1234:1234:1:1",
    };
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(qcap_set_policy(t->q, wrong[i], "linux"), QCAP_E_ARGUMENT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_rule_is_read_letter_by_letter),
        test(rules_that_are_none_are_refused),
        test(every_name_of_the_manual_is_there),
        test(the_narrowest_network_wins),
        test(networks_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
