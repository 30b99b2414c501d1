/* test_carried.c: protocols inside protocols: what is fed to another parser is found, wherever it lies. */
#include "crates.h"
#include "dialogue.h"
#include "handle.h"
#include "pings.h"
#include "test.h"
#include "toy.h"

typedef struct fixture {
    qcap_t *q;
    dialogue_t talk;
    chronicle_t log;
} fixture_t;

#define PORT 4100

static int setup(void **state)
{
    static const qcap_protocol_t *const protocols[] = {&qcap_crates_protocol, &qcap_toy_protocol, &qcap_pings_protocol};
    char errbuf[QCAP_ERRBUF_SIZE];
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_non_null(f->q);
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        assert_int_equal(qcap_protocol_add(f->q, protocols[i]), 0);
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_anomaly_handler_add(f->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_gap_handler_add(f->q, chronicle_report, &f->log), 0);
    dialogue_init(&f->talk, f->q, PORT);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    qcap_close(f->q);
    free(f);
    return 0;
}

static void want(fixture_t *f, const char *name)
{
    assert_int_equal(qcap_tcpstr_handler_add(f->q, name, chronicle_match, &f->log), 0);
}

static void want_stream(fixture_t *f, const char *name)
{
    assert_int_equal(qcap_stream_handler_add(f->q, name, chronicle_match, &f->log), 0);
}

static void open_and_say(fixture_t *f, bool is_server, const char *text)
{
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, is_server, text);
}

static void say_by_bytes(fixture_t *f, bool is_server, const char *text)
{
    dialogue_open(&f->talk);
    for (; *text; text++)
        dialogue_say(&f->talk, is_server, (const char[]){*text, '\0'});
}

/* ---------------------------------------------------------------- where elements are */

#define LOGIN "p21:>GET a\nLogin:bob/pw\n\n"

static void an_element_is_found_in_what_another_protocol_carries(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.item");
    want(f, "toy.user");
    want(f, "crates.parcel");
    open_and_say(f, CLIENT, LOGIN);
    assert_string_equal(f->log.text, "client toy.request.item 9..10 (1: 5..6) \"a\"\n"
                                     "client toy.request.field.value.Login.user 17..20 (1: 13..16) \"bob\"\n"
                                     "client crates.parcel 0 \"p21:>GET a\\nLogin:bob/pw\\n\\n\"\n");
}

static void in_either_direction(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.item");
    open_and_say(f, SERVER, "tA=1\n" LOGIN);
    assert_string_equal(f->log.text, "server toy.request.item 14..15 (1: 5..6) \"a\"\n");
}

/* A crate in a crate, and a parcel in that. */
static void places_are_those_in_the_outermost_stream(void **state)
{
    fixture_t *f = *state;
    want(f, "crates.text");
    want(f, "toy.item");
    open_and_say(f, CLIENT, "tA=1\nc20:tB=2\nc11:p8:>GET z\n\ntC=");
    dialogue_say(&f->talk, CLIENT, "3\n");
    assert_string_equal(f->log.text, "client crates.tag.text 3 \"1\"\n"
                                     "client crates.tag.text 12..13 (1: 3..4) \"2\"\n"
                                     "client toy.request.item 26..27 (3: 5..6) \"z\"\n"
                                     "client crates.tag.text 32 \"3\"\n");
}

static void an_element_in_many_packets_is_whole(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value");
    say_by_bytes(f, CLIENT, "tA=1\nc25:" LOGIN);
    assert_string_equal(f->log.text, "client toy.request.field.value 26..32 (2: 13..19) \"bob/pw\"\n");
}

static void an_element_over_the_limit_is_cut(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value");
    assert_int_equal(qcap_set(f->q, "element=9"), 0);
    say_by_bytes(f, CLIENT, "tA=1\np23:>GET a\nA:0123456789abc");
    assert_string_equal(f->log.text, "client toy.request.field.value 18..27 (1: 9..18) \"012345678\" truncated\n");
}

static void what_was_encoded_has_its_decoded_bytes(void **state)
{
    fixture_t *f = *state;
    want(f, "crates.text");
    open_and_say(f, CLIENT, "z16:dEE9aGVsbG8KdEI9");
    dialogue_say(&f->talk, CLIENT, "z8:dEI9bm8Kz0:");
    assert_string_equal(f->log.text, "client crates.tag.text 4..4 (1: 3..8) \"hello\"\n"
                                     "client error 4 (1: crates) offset 12: the stream ends in the middle in text, expected LF / VCHAR / SP\n"
                                     "client crates.tag.text 23..23 (1: 3..5) \"no\"\n");
}

static void datagrams_may_be_carried(void **state)
{
    fixture_t *f = *state;
    want(f, "pings.ping");
    say_by_bytes(f, CLIENT, "d4:?123d4:?456");
    assert_string_equal(f->log.text, "client pings.ping 3..7 (1: 0..4) \"?123\"\n"
                                     "client pings.ping 10..14 (1: 0..4) \"?456\"\n");
}

static void datagrams_may_carry(void **state)
{
    (void)state;
    chronicle_t log = {.len = 0};
    traffic_t *t = traffic_open();
    assert_int_equal(qcap_protocol_add(t->q, &qcap_crates_protocol), 0);
    assert_int_equal(qcap_protocol_add(t->q, &qcap_toy_protocol), 0);
    assert_int_equal(qcap_tcpstr_handler_add(t->q, "toy.item", chronicle_match, &log), 0);
    assert_int_equal(qcap_error_handler_add(t->q, chronicle_report, &log), 0);
    traffic_udp(t, .text = "p8:>GET z\n\n", .server_port = PORT);
    traffic_udp(t, .text = "p8:>GET y\n\n", .from_server = true, .server_port = PORT);
    traffic_udp(t, .text = "p8:>GET x\n\n", .snap = 1, .server_port = PORT); /* that the rest is missing is no error */
    assert_string_equal(log.text, "client toy.request.item 8..9 (1: 5..6) \"z\"\n"
                                  "server toy.request.item 8..9 (1: 5..6) \"y\"\n"
                                  "client toy.request.item 8..9 (1: 5..6) \"x\"\n");
    traffic_close(t);
}

/* ---------------------------------------------------------------- choices */

/* Each parser has its own: what is chosen inside says nothing of what comes outside. */
static void selectors_choose_in_their_own_stream(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value[login]");
    want(f, "crates.text[Weight]");
    open_and_say(f, CLIENT, "tWeight=1\nc19:tWeight=2\ntOther=3\n" LOGIN "tOther=4\n");
    dialogue_say(&f->talk, SERVER, "p16:>GET z\nOther:x\n\n" LOGIN);
    assert_string_equal(f->log.text, "client crates.tag.text 8 \"1\"\n"
                                     "client crates.tag.text 22..23 (1: 8..9) \"2\"\n"
                                     "client toy.request.field.value 50..56 (1: 13..19) \"bob/pw\"\n"
                                     "server toy.request.field.value 37..43 (1: 13..19) \"bob/pw\"\n");
}

/* ---------------------------------------------------------------- streams */

static void a_stream_comes_in_pieces(void **state)
{
    fixture_t *f = *state;
    want_stream(f, "crates.content");
    open_and_say(f, CLIENT, "c9:s6:ab");
    dialogue_say(&f->talk, CLIENT, "cdefs1:g");
    assert_string_equal(f->log.text, "client begin crates.goods.content 6..6 (1: 3..3)\n"
                                     "client piece crates.goods.content 6..8 (1: 3..5) \"ab\"\n"
                                     "client piece crates.goods.content 8..12 (1: 5..9) \"cdef\"\n"
                                     "client end crates.goods.content 6..12 (1: 3..9)\n"
                                     "client begin crates.goods.content 15\n"
                                     "client piece crates.goods.content 15 \"g\"\n"
                                     "client end crates.goods.content 15\n");
}

static void a_stream_learns_of_lost_bytes(void **state)
{
    fixture_t *f = *state;
    want_stream(f, "crates.content");
    open_and_say(f, CLIENT, "tA=\nc11:s8:ab");
    dialogue_segment(&f->talk, CLIENT, 16, "fgh", 0);
    dialogue_segment(&f->talk, SERVER, 0, "", 19);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_segment(&f->talk, SERVER, 0, "", 19);
    assert_string_equal(f->log.text, "client begin crates.goods.content 11..11 (1: 3..3)\n"
                                     "client piece crates.goods.content 11..13 (1: 3..5) \"ab\"\n"
                                     "client gap 13 3 bytes were not captured\n"
                                     "client gap crates.goods.content 13..16 (1: 5..8) 3\n"
                                     "client piece crates.goods.content 16..19 (1: 8..11) \"fgh\"\n"
                                     "client end crates.goods.content 11..19 (1: 3..11)\n");
}

static void a_stream_that_breaks_off_is_aborted(void **state)
{
    fixture_t *f = *state;
    want_stream(f, "crates.content");
    open_and_say(f, CLIENT, "c11:s8:ab");
    dialogue_reset(&f->talk, CLIENT);
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "client begin crates.goods.content 7..7 (1: 3..3)\n"
                                     "client piece crates.goods.content 7..9 (1: 3..5) \"ab\"\n"
                                     "client end crates.goods.content 7..9 (1: 3..5) aborted\n");
}

/* ---------------------------------------------------------------- what is not right */

static void an_error_is_that_of_the_protocol_that_met_it(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.item");
    open_and_say(f, CLIENT, "c12:p8:>GET !\n\nt" "p8:>GET z\n\n");
    assert_string_equal(f->log.text,
                        "client error 12 (2: toy) offset 5: unexpected byte \"!\" in item, expected ALPHA / DIGIT / \".\"\n"
                        "client error 16 (1: crates) offset 12: the stream ends in the middle in name, expected "
                        "ALPHA\n"
                        "client toy.request.item 24..25 (1: 5..6) \"z\"\n");
}

static void a_protocol_that_was_not_added_is_an_anomaly(void **state)
{
    fixture_t *f = *state;
    want(f, "crates.text");
    open_and_say(f, CLIENT, "tA=1\nx3:abctA=2\n");
    assert_string_equal(f->log.text, "client crates.tag.text 3 \"1\"\n"
                                     "client anomaly 8 substream-unknown\n"
                                     "client crates.tag.text 14 \"2\"\n");
}

static void nesting_has_a_bound(void **state)
{
    fixture_t *f = *state;
    char text[1024] = "tA=1\n", wrapped[1024];
    want(f, "crates.text");
    for (unsigned i = 0; i < QCAP_NESTING + 3; i++) {
        snprintf(wrapped, sizeof wrapped, "c%zu:%.1000s", strlen(text), text);
        memcpy(text, wrapped, sizeof text);
    }
    strcat(text, "tB=2\n");
    open_and_say(f, CLIENT, text);
    assert_non_null(strstr(f->log.text, "anomaly 68 (16: crates) substream-depth\n"));
    assert_null(strstr(f->log.text, "\"1\""));
    assert_non_null(strstr(f->log.text, "\"2\""));
}

/* How many errors are met in a text whose third byte is one of the toy's, if `name` is wanted, and nobody hears of errors. */
static uint64_t count_errors(const char *name)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    dialogue_t talk;
    chronicle_t log = {0};
    qcap_stats_t stats;
    qcap_t *q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_non_null(q);
    assert_int_equal(qcap_protocol_add(q, &qcap_crates_protocol), 0);
    assert_int_equal(qcap_protocol_add(q, &qcap_toy_protocol), 0);
    assert_int_equal(qcap_tcpstr_handler_add(q, name, chronicle_match, &log), 0);
    dialogue_init(&talk, q, PORT);
    dialogue_open(&talk);
    dialogue_say(&talk, CLIENT, "tA=1\np8:>GET !\n\ntB=2\n");
    qcap_stats(q, &stats);
    qcap_close(q);
    return stats.errors;
}

static void what_nobody_wants_is_not_read(void **state)
{
    (void)state;
    assert_int_equal(count_errors("toy.item"), 1);
    assert_int_equal(count_errors("crates.text"), 0);
}

/* ---------------------------------------------------------------- memory */

static void memory_is_given_back(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t before, during, after;
    want(f, "toy.value[login]");
    want(f, "crates.text");
    dialogue_open(&f->talk);
    qcap_stats(f->q, &before);
    dialogue_say(&f->talk, CLIENT, "c25:" LOGIN "z16:dEE9aGVsbG8K");
    qcap_stats(f->q, &during);
    assert_true(during.memory > before.memory + 2 * qcap_crates_protocol.size + qcap_toy_protocol.size);
    dialogue_fin(&f->talk, CLIENT);
    dialogue_fin(&f->talk, SERVER);
    qcap_finish(f->q);
    qcap_stats(f->q, &after);
    assert_true(after.memory <= before.memory);
}

/* Whatever allocation fails, it is told, and nothing is lost but what needed it. */
static void any_allocation_may_fail(void **state)
{
    fixture_t *f = *state;
    (void)f;
    for (uint64_t n = 1, has_failed = 1; has_failed; n++) {
        fixture_t *each;
        setup((void **)&each);
        want(each, "toy.value[login]");
        want(each, "crates.text");
        want_stream(each, "crates.content");
        each->q->budget.fail_in = n;
        say_by_bytes(each, CLIENT, "c25:" LOGIN "z16:dEE9aGVsbG8Kc4:s1:ad4:?123");
        dialogue_say(&each->talk, CLIENT, "tB=2\n");
        has_failed = each->q->budget.fail_in == 0;
        dialogue_fin(&each->talk, CLIENT);
        dialogue_fin(&each->talk, SERVER);
        qcap_finish(each->q);
        if (!has_failed)
            assert_non_null(strstr(each->log.text, "\"bob/pw\""));
        teardown((void **)&each);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_element_is_found_in_what_another_protocol_carries),
        TEST(in_either_direction),
        TEST(places_are_those_in_the_outermost_stream),
        TEST(an_element_in_many_packets_is_whole),
        TEST(an_element_over_the_limit_is_cut),
        TEST(what_was_encoded_has_its_decoded_bytes),
        TEST(datagrams_may_be_carried),
        TEST(datagrams_may_carry),
        TEST(selectors_choose_in_their_own_stream),
        TEST(a_stream_comes_in_pieces),
        TEST(a_stream_learns_of_lost_bytes),
        TEST(a_stream_that_breaks_off_is_aborted),
        TEST(an_error_is_that_of_the_protocol_that_met_it),
        TEST(a_protocol_that_was_not_added_is_an_anomaly),
        TEST(nesting_has_a_bound),
        cmocka_unit_test(what_nobody_wants_is_not_read),
        TEST(memory_is_given_back),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
