/* test_options.c: settings as text. */
#include "handle.h"
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

static void each_setting_is_made(void **state)
{
    traffic_t *t = *state;
    qcap_endpoint_t receiver = {.version = 4, .address = {10, 1, 2, 3}}, other = {.version = 4, .address = {192, 0, 2, 1}};
    assert_int_equal(qcap_set(t->q, "memory=64M"), 0);
    assert_int_equal(t->q->budget.limit, 64 << 20);
    assert_int_equal(qcap_set(t->q, "memory=2000000"), 0);
    assert_int_equal(t->q->budget.limit, 2000000);
    assert_int_equal(qcap_set(t->q, "checksums=ignore"), 0);
    assert_int_equal(t->q->options.checksums, QCAP_CHECKSUMS_IGNORE);
    assert_int_equal(qcap_set(t->q, "tcp.policy=10.0.0.0/8:windows"), 0);
    assert_int_equal(qcap_set(t->q, "tcp.policy=2001:db8::/32:solaris"), 0);
    assert_int_equal(qcap_set(t->q, "tcp.policy=bsd"), 0);
    assert_string_equal(qcapint_policy_of(&t->q->policies, &receiver)->name, "windows");
    assert_string_equal(qcapint_policy_of(&t->q->policies, &other)->name, "bsd");
    assert_int_equal(qcap_set(t->q, "tcp.urgent=out-of-band"), 0);
    assert_int_equal(t->q->options.urgent, QCAP_URGENT_OUT_OF_BAND);
    assert_int_equal(qcap_set(t->q, "ipv6.overlap=discard"), 0);
    assert_true(t->q->options.is_ipv6_overlap_strict);
    assert_int_equal(qcap_set(t->q, "timeout.idle=10m"), 0);
    assert_int_equal(t->q->timeouts_ns[QCAP_TIMEOUT_IDLE], INT64_C(600) * 1000000000);
    assert_int_equal(qcap_set(t->q, "wait=64K"), 0);
    assert_int_equal(t->q->options.wait_limit, 65536);
    assert_int_equal(qcap_set(t->q, "element=100"), 0);
    assert_int_equal(t->q->options.element_limit, 100);
    assert_int_equal(qcap_set(t->q, "decoded.size=2G"), 0);
    assert_int_equal(t->q->options.decoded_size, (uint64_t)2 << 30);
    assert_int_equal(qcap_set(t->q, "decoded.ratio=10"), 0);
    assert_int_equal(t->q->options.decoded_ratio, 10);
    assert_int_equal(qcap_set(t->q, "timeout.hole=250ms"), 0);
    assert_int_equal(t->q->timeouts_ns[QCAP_TIMEOUT_HOLE], 250000000);
}

/* What the list says of a setting is what a handle begins with. */
static void the_list_has_the_defaults(void **state)
{
    traffic_t *t = *state;
    char setting[80];
    qcap_options_t before, after;
    const char *policy = t->q->policies.standard.name;
    qcap_options(t->q, &before);
    memset(&after, 0, sizeof after);
    after.memory = 1 << 20;
    after.element_limit = 1;
    assert_int_equal(qcap_set_options(t->q, &after), 0);
    for (size_t i = 0; qcap_option(i); i++) {
        snprintf(setting, sizeof setting, "%s=%s", qcap_option(i)->name, qcap_option(i)->standard);
        assert_int_equal(qcap_set(t->q, setting), 0);
    }
    qcap_options(t->q, &after);
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(after.wait_limit, before.wait_limit);
    assert_int_equal(after.element_limit, before.element_limit);
    assert_int_equal(after.decoded_size, before.decoded_size);
    assert_int_equal(after.decoded_ratio, before.decoded_ratio);
    assert_int_equal(after.checksums, before.checksums);
    assert_int_equal(after.urgent, before.urgent);
    assert_int_equal(after.is_ipv6_overlap_strict, before.is_ipv6_overlap_strict);
    assert_memory_equal(after.timeouts_ms, before.timeouts_ms, sizeof before.timeouts_ms);
    assert_string_equal(t->q->policies.standard.name, policy);
}

static void options_that_make_no_sense_change_nothing(void **state)
{
    traffic_t *t = *state;
    qcap_options_t good, bad;
    qcap_options(t->q, &good);
#define REFUSES(member, value) \
    bad = good; \
    bad.wait_limit = 7; \
    bad.member = value; \
    assert_int_equal(qcap_set_options(t->q, &bad), QCAP_E_ARGUMENT)
    REFUSES(memory, 1000);
    REFUSES(element_limit, 0);
    REFUSES(checksums, (qcap_checksums_t)7);
    REFUSES(urgent, (qcap_urgent_t)7);
    assert_int_equal(t->q->options.wait_limit, good.wait_limit);
    assert_int_equal(t->q->budget.limit, good.memory);
}

static void what_makes_no_sense_is_refused_with_a_reason(void **state)
{
    static const char *const wrong[] = {"memory", "memory=", "memory=1T", "memory=-1", "memory=99999999999999999999G", "memory=1",
                                        "checksums=maybe", "tcp.policy=10.0.0.0/99:windows", "timeout.idle=5",
                                        "timeout.idle=99999h", "element=4G", "element=0", "tcp.urgent=", "ipv6.overlap=yes", "wait=x",
                                        "tcp.policy=1111111111111111111111111111111111111111111111111111111111111111111:bsd"};
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(qcap_set(t->q, wrong[i]), QCAP_E_ARGUMENT);
        assert_true(strlen(qcap_geterr(t->q)) > 0);
    }
    assert_int_equal(qcap_set(t->q, "tcp.policy=10.0.0.0/8:none"), QCAP_E_NAME);
    assert_int_equal(qcap_set(t->q, "colour=blue"), QCAP_E_NAME);
    assert_non_null(strstr(qcap_geterr(t->q), "colour=blue"));
    assert_int_equal(qcap_set(t->q, ""), QCAP_E_NAME);
}

/* A line that says what was written, as it was written, and what would do. */
static void reasons_are_for_people(void **state)
{
    static const char *const reasons[][2] = {
        {"memory=lots", "memory=lots: \"lots\" is not a number of bytes, as in 4096, 64K, 512M, 2G"},
        {"Memory=64m", "Memory=64m: \"64m\" is not a number of bytes, as in 4096, 64K, 512M, 2G"},
        {"memory=1", "memory=1: the memory ceiling is at least 1048576 bytes"},
        {"memory=99999999999999999999", "memory=99999999999999999999: that is too large"},
        {"element=4G", "element=4G: that is too large"},
        {"memory", "memory: its value is missing, as in memory=512M"},
        {"timeout.idle=5", "timeout.idle=5: \"5\" is not a time, as in 250ms, 30s, 10m, 1h"},
        {"checksums=", "checksums=: \"\" is not one of auto, verify, ignore"},
        {"tcp.policy=10.0.0.0/99:bsd", "tcp.policy=10.0.0.0/99:bsd: \"10.0.0.0/99\" is no network: write 10.0.0.0/8 or 2001:db8::/32"},
        {"tcp.policy=beos", "tcp.policy=beos: no overlap policy is named \"beos\""},
        {"colour=blue", "colour=blue: there is no setting of that name"},
    };
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        assert_true(qcap_set(t->q, reasons[i][0]) < 0);
        assert_string_equal(qcap_geterr(t->q), reasons[i][1]);
    }
}

static void each_policy_of_the_list_is_there(void **state)
{
    traffic_t *t = *state;
    for (size_t i = 0; qcap_option(i); i++) {
        const char *names = strstr(qcap_option(i)->values, "POLICY: ");
        char words[256], setting[300];
        if (!names)
            continue;
        snprintf(words, sizeof words, "%s", names + strlen("POLICY: "));
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
            snprintf(setting, sizeof setting, "%s=%s", qcap_option(i)->name, word);
            assert_int_equal(qcap_set(t->q, setting), 0);
            assert_string_equal(t->q->policies.standard.name, word);
        }
        return;
    }
    fail_msg("no setting lists policies");
}

static void nothing_is_set_once_it_has_begun(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S");
    assert_int_equal(qcap_set(t->q, "memory=64M"), QCAP_E_STATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_setting_is_made),
        TEST(the_list_has_the_defaults),
        TEST(options_that_make_no_sense_change_nothing),
        TEST(what_makes_no_sense_is_refused_with_a_reason),
        TEST(reasons_are_for_people),
        TEST(each_policy_of_the_list_is_there),
        TEST(nothing_is_set_once_it_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
