/* test_lanes.c tests lanes.c: classes of bytes as ranges for scan.h. */
#include "test.h"

#include "lanes.h"

static charset_t letters(void)
{
    return charset_union(charset_range('A', 'Z'), charset_range('a', 'z'));
}

static void assert_emitted(charset_t set, const char *expected)
{
    arena_t *arena = arena_new();
    lanes_t lanes = lanes_of(&set);
    text_t text;

    text_init(&text, arena);
    lanes_emit(&lanes, "scan", "IS_IT", &text);
    assert_string_equal(text.bytes, expected);
    arena_free(arena);
}

/* What lanes say is in the set; if they say that they are exact, it is all of it. */
static void assert_right(charset_t set)
{
    lanes_t lanes = lanes_of(&set);

    for (unsigned byte = 0; byte < 256; byte++) {
        if (lanes_has(&lanes, byte))
            assert_true(charset_has(&set, byte));
        else if (lanes.is_exact)
            assert_false(charset_has(&set, byte));
    }
    assert_true(lanes.count > 0);
}

static void a_range_is_one_comparison(void **state)
{
    (void)state;
    assert_emitted(charset_range('0', '9'), "static inline qcap_lanes_t in_scan(qcap_lanes_t v)\n"
                                            "{\n"
                                            "    qcap_lanes_t in = qcap_lanes_range(v, '0', '9');\n"
                                            "    return in;\n"
                                            "}\n"
                                            "QCAP_SCAN_EXACT(scan, in_scan, IS_IT)\n");
}

static void letters_are_compared_together(void **state)
{
    (void)state;
    assert_emitted(charset_union(letters(), charset_range('_', '_')),
                   "static inline qcap_lanes_t in_scan(qcap_lanes_t v)\n"
                   "{\n"
                   "    qcap_lanes_t in = qcap_lanes_range(qcap_lanes_small(v), 'a', 'z');\n"
                   "    in = qcap_lanes_or(in, qcap_lanes_byte(v, '_'));\n"
                   "    return in;\n"
                   "}\n"
                   "QCAP_SCAN_EXACT(scan, in_scan, IS_IT)\n");
}

static void few_bytes_outside_are_what_is_compared(void **state)
{
    charset_t stops = charset_union(charset_range('"', '"'), charset_range('\\', '\\'));

    (void)state;
    assert_emitted(charset_subtract(charset_range(0, 255), stops),
                   "static inline qcap_lanes_t in_scan(qcap_lanes_t v)\n"
                   "{\n"
                   "    qcap_lanes_t in = qcap_lanes_byte(v, '\"');\n"
                   "    in = qcap_lanes_or(in, qcap_lanes_byte(v, '\\\\'));\n"
                   "    return qcap_lanes_not(in);\n"
                   "}\n"
                   "QCAP_SCAN_EXACT(scan, in_scan, IS_IT)\n");
}

static void of_a_dear_set_the_letters_are_kept(void **state)
{
    charset_t set = letters();

    (void)state;
    for (unsigned byte = 0; byte < 256; byte += 2)
        set = charset_union(set, charset_range(byte, byte));
    lanes_t lanes = lanes_of(&set);
    assert_false(lanes.is_exact);
    assert_true(lanes_has(&lanes, 'q'));
    assert_true(lanes_has(&lanes, 'Q'));
    assert_right(set);
}

static void all_bytes_and_single_bytes_are_sets_too(void **state)
{
    (void)state;
    assert_right(charset_range(0, 255));
    assert_true(lanes_of(&(charset_t){{~0u, 0, 0, 0}}).is_exact);
    for (unsigned byte = 0; byte < 256; byte++) {
        assert_right(charset_range(byte, byte));
        assert_right(charset_subtract(charset_range(0, 255), charset_range(byte, byte)));
    }
}

static void any_set_is_told_rightly(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        charset_t set = charset_range(i % 256, i % 256);
        for (unsigned k = 0; k < i % 17; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned low = (unsigned)(seed >> 56), high = low + (unsigned)(seed >> 40) % 24;
            set = charset_union(set, charset_range(low, high < 256 ? high : 255));
        }
        assert_right(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_one_comparison),
        cmocka_unit_test(letters_are_compared_together),
        cmocka_unit_test(few_bytes_outside_are_what_is_compared),
        cmocka_unit_test(of_a_dear_set_the_letters_are_kept),
        cmocka_unit_test(all_bytes_and_single_bytes_are_sets_too),
        cmocka_unit_test(any_set_is_told_rightly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
