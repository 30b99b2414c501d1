/* test_deliver.c: names, and what their handlers are called with. */
#include "dialogue.h"
#include "handle.h"
#include "test.h"
#include "toy.h"

typedef struct fixture {
    qcap_t *q;
    dialogue_t talk;
    chronicle_t log;
} fixture_t;

static int setup(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_non_null(f->q);
    assert_int_equal(qcap_protocol_add(f->q, &qcap_toy_protocol), 0);
    dialogue_init(&f->talk, f->q, 4000);
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

#define REQUEST ">GET a\nLogin:bob/secret\nAgent:x\n\n"

static void hold(fixture_t *f)
{
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, REQUEST);
}

/* ---------------------------------------------------------------- names */

static void a_name_fits_every_path_that_ends_with_it(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value");
    want(f, "toy.request.field.value");
    want(f, "toy.Login.user");
    hold(f);
    assert_string_equal(f->log.text, "client toy.request.field.value.Login.user 13 \"bob\"\n"
                                     "client toy.request.field.value 13 \"bob/secret\"\n"
                                     "client toy.request.field.value 13 \"bob/secret\"\n"
                                     "client toy.request.field.value 30 \"x\"\n"
                                     "client toy.request.field.value 30 \"x\"\n");
}

static void case_does_not_matter(void **state)
{
    fixture_t *f = *state;
    want(f, "TOY.REQUEST.Item");
    hold(f);
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n");
}

static void a_selector_chooses_by_its_text(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value[agent]");
    want(f, "toy.field.value[LOGIN]");
    want(f, "toy.value[Other]");
    hold(f);
    assert_string_equal(f->log.text, "client toy.request.field.value 13 \"bob/secret\"\n"
                                     "client toy.request.field.value 30 \"x\"\n");
}

static void refused(fixture_t *f, const char *name, const char *message)
{
    assert_int_equal(qcap_tcpstr_handler_add(f->q, name, chronicle_match, &f->log), QCAP_E_NAME);
    assert_string_equal(qcap_geterr(f->q), message);
}

static void a_name_that_fits_nothing_is_refused(void **state)
{
    fixture_t *f = *state;
    refused(f, "", "\"\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]");
    refused(f, "toy", "\"toy\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]");
    refused(f, "toy.", "\"toy.\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]");
    refused(f, ".item", "\".item\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]");
    refused(f, "toy.value[x", "\"toy.value[x\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]");
    refused(f, "game.item", "game.item: there is no protocol \"game\"");
    refused(f, "toi.item", "toi.item: there is no protocol \"toi\"; did you mean toy?");
    refused(f, "toy.tem", "toy.tem: protocol toy has no such element; did you mean toy.item?");
    refused(f, "toy.thing", "toy.thing: protocol toy has no such element; did you mean toy.value[thing]?");
    refused(f, "toy.toy.request", "toy.toy.request: protocol toy has no such element; did you mean toy.request?");
    refused(f, "toy.item[x]", "toy.item[x]: this element has no selector");
    refused(f, "toy.body", "toy.body comes in pieces: it needs a stream handler");
    assert_int_equal(qcap_stream_handler_add(f->q, "toy.item", chronicle_match, &f->log), QCAP_E_NAME);
    assert_string_equal(qcap_geterr(f->q), "toy.item comes whole: it has no pieces");
}

static void handlers_come_before_the_first_packet(void **state)
{
    fixture_t *f = *state;
    hold(f);
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "toy.item", chronicle_match, &f->log), QCAP_E_STATE);
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), QCAP_E_STATE);
    assert_int_equal(qcap_protocol_add(f->q, &qcap_toy_protocol), QCAP_E_STATE);
}

/* ---------------------------------------------------------------- whole elements */

static void an_element_in_many_packets_is_gathered(void **state)
{
    fixture_t *f = *state;
    const char text[] = REQUEST;
    want(f, "toy.request.field.value");
    want(f, "toy.user");
    dialogue_open(&f->talk);
    for (size_t i = 0; i + 1 < sizeof text; i++)
        dialogue_say(&f->talk, CLIENT, (const char[]){text[i], '\0'});
    assert_string_equal(f->log.text, "client toy.request.field.value.Login.user 13 \"bob\"\n"
                                     "client toy.request.field.value 13 \"bob/secret\"\n"
                                     "client toy.request.field.value 30 \"x\"\n");
}

static void an_element_over_the_limit_is_cut(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.value[Login]");
    assert_int_equal(qcap_set(f->q, "element=0"), QCAP_E_ARGUMENT);
    assert_int_equal(qcap_set(f->q, "element=7"), 0);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET a\nLogin:bob/s");
    dialogue_say(&f->talk, CLIENT, "ecret\n\n");
    assert_string_equal(f->log.text, "client toy.request.field.value 13 \"bob/sec\" truncated\n");
}

/* Positions, kept beyond the handler, still have the bytes after the packets are gone. */
static void keep(const qcap_match_t *match, void *user)
{
    qcap_tcpstr_pos_t **kept = user;
    assert_int_equal(qcap_tcpstr_pos_offset(match->begin), match->begin_offset);
    assert_int_equal(qcap_tcpstr_pos_offset(match->end), match->end_offset);
    kept[0] = qcap_tcpstr_pos_copy(match->begin);
    kept[1] = qcap_tcpstr_pos_copy(match->end);
}

static void positions_may_be_kept(void **state)
{
    fixture_t *f = *state;
    qcap_tcpstr_pos_t *kept[2];
    size_t len;
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "toy.value[Login]", keep, kept), 0);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET a\nLogin:bob");
    dialogue_say(&f->talk, CLIENT, "/secret\n\n");
    dialogue_say(&f->talk, CLIENT, ">GET b\n\n");
    qcap_finish(f->q);
    assert_memory_equal(qcap_tcpstr_bytes(kept[0], kept[1], &len), "bob/secret", 10);
    assert_int_equal(len, 10);
    assert_int_equal(qcap_packet_number(qcap_tcpstr_pos_packet(kept[0])), 4);
    qcap_tcpstr_pos_free(kept[0]);
    qcap_tcpstr_pos_free(kept[1]);
}

static void elements_are_counted(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t stats;
    want(f, "toy.item");
    want(f, "toy.name");
    hold(f);
    qcap_stats(f->q, &stats);
    assert_int_equal(stats.elements, 3);
}

/* ---------------------------------------------------------------- streams and reports */

static void a_stream_comes_in_pieces(void **state)
{
    fixture_t *f = *state;
    want_stream(f, "toy.body");
    hold(f);
    dialogue_say(&f->talk, SERVER, "<200 5\nab");
    dialogue_say(&f->talk, SERVER, "cde");
    assert_string_equal(f->log.text, "server begin toy.response.body 7\n"
                                     "server piece toy.response.body 7 \"ab\"\n"
                                     "server piece toy.response.body 9 \"cde\"\n"
                                     "server end toy.response.body 7\n");
}

static void a_gap_in_a_stream_is_told_twice(void **state)
{
    fixture_t *f = *state;
    want_stream(f, "toy.body");
    want(f, "toy.status");
    assert_int_equal(qcap_gap_handler_add(f->q, chronicle_report, &f->log), 0);
    hold(f);
    dialogue_say(&f->talk, SERVER, "<200 9\nab");
    dialogue_segment(&f->talk, SERVER, 12, "6789", 32);
    dialogue_segment(&f->talk, CLIENT, 32, REQUEST, 16);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_segment(&f->talk, SERVER, 16, "<200 0\n", 64);
    assert_string_equal(f->log.text, "server toy.response.status 1 \"200\"\n"
                                     "server begin toy.response.body 7\n"
                                     "server piece toy.response.body 7 \"ab\"\n"
                                     "server gap 9 3 bytes were not captured\n"
                                     "server gap toy.response.body 9 3\n"
                                     "server piece toy.response.body 12 \"6789\"\n"
                                     "server end toy.response.body 7\n"
                                     "server toy.response.status 17 \"200\"\n"
                                     "server begin toy.response.body 23\n"
                                     "server end toy.response.body 23\n");
}

static void a_gap_of_an_unknown_protocol_is_reported(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_gap_handler_add(f->q, chronicle_report, &f->log), 0);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "unknown");
    dialogue_say(&f->talk, SERVER, "unknown");
    dialogue_segment(&f->talk, CLIENT, 10, "unknown", 7);
    dialogue_segment(&f->talk, SERVER, 7, "", 17);
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "client gap 7 3 bytes were not captured\n");
}

static void an_error_names_place_and_expectation(void **state)
{
    fixture_t *f = *state;
    want(f, "toy.item");
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), 0);
    hold(f);
    dialogue_say(&f->talk, CLIENT, ">GET !\n\n");
    dialogue_say(&f->talk, CLIENT, ">GET b\n\n");
    assert_non_null(strstr(f->log.text, "client error 38 offset 38: unexpected byte \"!\" in item, expected "));
    assert_non_null(strstr(f->log.text, "client toy.request.item 46 \"b\"\n"));
}

static void a_mismatch_is_an_anomaly(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t stats;
    assert_int_equal(qcap_anomaly_handler_add(f->q, chronicle_report, &f->log), 0);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET a\nLogin:bob\n\n");
    qcap_stats(f->q, &stats);
    assert_int_equal(stats.anomalies, 1);
    assert_non_null(strstr(f->log.text, "client anomaly"));
}

/* ---------------------------------------------------------------- memory */

/* Every allocation is refused in turn: nothing is delivered wrongly, and nothing leaks. */
static void any_allocation_may_fail(void **state)
{
    fixture_t *f = *state;
    bool is_refused = true;
    for (uint64_t n = 1; is_refused; n++) {
        chronicle_t log = {.len = 0};
        char errbuf[QCAP_ERRBUF_SIZE];
        qcap_t *q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
        assert_non_null(q);
        q->budget.fail_in = n;
        if (qcap_protocol_add(q, &qcap_toy_protocol) == 0 &&
            qcap_tcpstr_handler_add(q, "toy.value[Login]", chronicle_match, &log) == 0 &&
            qcap_stream_handler_add(q, "toy.body", chronicle_match, &log) == 0) {
            dialogue_init(&f->talk, q, 4000);
            dialogue_open(&f->talk);
            dialogue_say(&f->talk, CLIENT, ">GET a\nLogin:bob/");
            dialogue_say(&f->talk, CLIENT, "secret\n\n");
            dialogue_say(&f->talk, SERVER, "<200 2\n");
            dialogue_say(&f->talk, SERVER, "ab");
            qcap_finish(q);
        }
        is_refused = q->budget.refused > 0;
        qcap_close(q);
        if (!is_refused)
            assert_string_equal(log.text, "client toy.request.field.value 13 \"bob/secret\"\n"
                                          "server begin toy.response.body 7\n"
                                          "server piece toy.response.body 7 \"ab\"\n"
                                          "server end toy.response.body 7\n");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_name_fits_every_path_that_ends_with_it),
        TEST(case_does_not_matter),
        TEST(a_selector_chooses_by_its_text),
        TEST(a_name_that_fits_nothing_is_refused),
        TEST(handlers_come_before_the_first_packet),
        TEST(an_element_in_many_packets_is_gathered),
        TEST(an_element_over_the_limit_is_cut),
        TEST(positions_may_be_kept),
        TEST(elements_are_counted),
        TEST(a_stream_comes_in_pieces),
        TEST(a_gap_in_a_stream_is_told_twice),
        TEST(a_gap_of_an_unknown_protocol_is_reported),
        TEST(an_error_names_place_and_expectation),
        TEST(a_mismatch_is_an_anomaly),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
