/* test_pair.c: the two directions are read in the order the endpoints saw them, whatever the order of the capture. */
#include "dialogue.h"
#include "handle.h"
#include "offers.h"
#include "test.h"
#include "toy.h"

/* A capture with one toy conversation, and what came of it. */
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
    assert_int_equal(qcap_protocol_add(f->q, &qcap_offers_protocol), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "toy.item", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "toy.status", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_stream_handler_add(f->q, "toy.body", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_gap_handler_add(f->q, chronicle_report, &f->log), 0);
    dialogue_init(&f->talk, f->q, 4000);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t stats;
    qcap_finish(f->q);
    qcap_stats(f->q, &stats);
    assert_int_equal(stats.conversations_open, 0);
    qcap_close(f->q);
    free(f);
    return 0;
}

#define GET_A ">GET a\n\n"
#define HEAD_B ">HEAD b\n\n"

static void a_response_follows_its_request(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 2\nhi");
    dialogue_say(&f->talk, CLIENT, HEAD_B);
    dialogue_say(&f->talk, SERVER, "<204 2\n");
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n"
                                     "server toy.response.status 1 \"200\"\n"
                                     "server begin toy.response.body 7\n"
                                     "server piece toy.response.body 7 \"hi\"\n"
                                     "server end toy.response.body 7\n"
                                     "client toy.request.item 14 \"b\"\n"
                                     "server toy.response.status 10 \"204\"\n");
}

static void a_response_captured_before_its_request_waits(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<204 2\n", 9);
    assert_string_equal(f->log.text, "");
    dialogue_segment(&f->talk, CLIENT, 0, HEAD_B, 0);
    assert_string_equal(f->log.text, "client toy.request.item 6 \"b\"\n"
                                     "server toy.response.status 1 \"204\"\n");
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    assert_string_equal(f->log.text, "client toy.request.item 6 \"b\"\n"
                                     "server toy.response.status 1 \"204\"\n"
                                     "client toy.request.item 14 \"a\"\n"
                                     "server toy.response.status 8 \"200\"\n"
                                     "server begin toy.response.body 14\n"
                                     "server end toy.response.body 14\n");
}

static void pipelined_requests_are_paired_in_order(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A HEAD_B GET_A);
    dialogue_say(&f->talk, SERVER, "<200 1\nx<204 9\n<200 1\ny");
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n"
                                     "client toy.request.item 14 \"b\"\n"
                                     "client toy.request.item 22 \"a\"\n"
                                     "server toy.response.status 1 \"200\"\n"
                                     "server begin toy.response.body 7\n"
                                     "server piece toy.response.body 7 \"x\"\n"
                                     "server end toy.response.body 7\n"
                                     "server toy.response.status 9 \"204\"\n"
                                     "server toy.response.status 16 \"200\"\n"
                                     "server begin toy.response.body 22\n"
                                     "server piece toy.response.body 22 \"y\"\n"
                                     "server end toy.response.body 22\n");
}

/* The server speaks without having heard anything: nothing it could wait for can come. */
static void an_unasked_response_does_not_wait(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<408 0\n", 0);
    dialogue_segment(&f->talk, SERVER, 7, "<409 0\n", 0);
    assert_string_equal(f->log.text, "server toy.response.status 1 \"408\"\n"
                                     "server begin toy.response.body 7\n"
                                     "server end toy.response.body 7\n"
                                     "server toy.response.status 8 \"409\"\n"
                                     "server begin toy.response.body 14\n"
                                     "server end toy.response.body 14\n");
}

/* The client's second request acknowledges the response: so its first one, lost, was what the response answered. */
static void a_lost_request_does_not_block(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 0);
    dialogue_segment(&f->talk, SERVER, 0, "<200 0\n", 8);
    f->log = (chronicle_t){0};
    dialogue_segment(&f->talk, SERVER, 7, "<200 0\n", 16); /* answers bytes 8 to 16, not captured */
    dialogue_segment(&f->talk, CLIENT, 16, GET_A, 14);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_segment(&f->talk, SERVER, 14, "<200 0\n", 24);
    assert_non_null(strstr(f->log.text, "client gap 8 8 bytes were not captured\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 8 \"200\"\n"));
    assert_non_null(strstr(f->log.text, "client toy.request.item 21 \"a\"\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 15 \"200\"\n"));
}

static void a_direction_that_was_not_captured_is_not_waited_for(void **state)
{
    fixture_t *f = *state;
    dialogue_segment(&f->talk, SERVER, 0, "<200 1\nx", 8);
    dialogue_segment(&f->talk, SERVER, 8, "<200 1\ny", 16);
    qcap_finish(f->q);
    assert_non_null(strstr(f->log.text, "server toy.response.status 1 \"200\"\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 9 \"200\"\n"));
}

/* Each side acknowledges what the other has not said yet: impossible, so the order of the capture decides. */
static void a_circle_is_broken_by_capture_order(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<200 0\n", 16);
    dialogue_segment(&f->talk, CLIENT, 8, GET_A, 14);
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 14);
    qcap_finish(f->q);
    assert_memory_equal(f->log.text, "server toy.response.status 1", 28);
    assert_non_null(strstr(f->log.text, "client toy.request.item 13 \"a\"\n"));
}

static void waiting_is_bounded_in_bytes(void **state)
{
    fixture_t *f = *state;
    char body[4097];
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 0);
    dialogue_segment(&f->talk, SERVER, 0, "<200 9\n", 8);
    f->log = (chronicle_t){0};
    for (uint32_t i = 0; i < 400; i++) {
        dialogue_segment(&f->talk, SERVER, 7 + i * 4096, body, 16);
        dialogue_segment(&f->talk, CLIENT, 16, "", 7 + i * 4096);
        f->talk.now_ns -= 2000000; /* no time passes: the missing request may still come */
    }
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"xxxxxxxxx\"\n"));
}

static void waiting_is_bounded_in_time(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 0);
    dialogue_segment(&f->talk, SERVER, 0, "<200 9\n", 8);
    f->log = (chronicle_t){0};
    dialogue_segment(&f->talk, SERVER, 7, "123456789", 16);
    assert_string_equal(f->log.text, "");
    f->talk.now_ns += INT64_C(10000000000);
    dialogue_segment(&f->talk, SERVER, 16, "<200 0\n", 16);
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"123456789\"\n"));
}

/* The missing request's bytes were acknowledged, so that they are given up as a hole; before that, less waits if so set. */
static void both_bounds_can_be_set(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_set(f->q, "timeout.hole=60s"), 0);
    assert_int_equal(qcap_set(f->q, "timeout.wait=100ms"), 0);
    assert_int_equal(qcap_set(f->q, "wait=20"), 0);
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 0);
    dialogue_segment(&f->talk, SERVER, 0, "<200 9\n", 8);
    f->log = (chronicle_t){0};
    dialogue_segment(&f->talk, SERVER, 7, "123456789", 16);
    assert_string_equal(f->log.text, "");
    dialogue_segment(&f->talk, SERVER, 16, "<200 9\n12345", 16); /* 21 bytes */
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"123456789\"\n"));
    assert_null(strstr(f->log.text, "server toy.response.status 17 \"200\"\n"));
    f->talk.now_ns += INT64_C(200000000);
    dialogue_segment(&f->talk, SERVER, 28, "6", 16);
    assert_non_null(strstr(f->log.text, "server toy.response.status 17 \"200\"\n"));
    assert_int_equal(qcap_set(f->q, "wait=20"), QCAP_E_STATE);
}

static void nothing_waits_if_so_set(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_set(f->q, "wait=0"), 0);
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<204 0\n", 9);
    assert_memory_equal(f->log.text, "server toy.response.status 1 \"204\"\n", 35);
}

/* ---------------------------------------------------------------- loss */

/* The second response, to HEAD, was not captured: the third request shows that its client has read it. */
static void a_lost_response_does_not_shift_the_pairs(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 2\nhi");
    dialogue_say(&f->talk, CLIENT, HEAD_B);
    f->talk.said[SERVER] += 7; /* <204 9 LF */
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 1\nx");
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_say(&f->talk, CLIENT, HEAD_B);
    dialogue_say(&f->talk, SERVER, "<204 5\n");
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 23 \"x\"\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 25 \"204\"\n"));
    assert_null(strstr(f->log.text, "begin toy.response.body 31"));
}

/* Of pipelined requests nothing tells which response was lost; what is asked afterwards is paired right again. */
static void after_a_lost_response_of_a_pipeline_the_next_pairs_are_right(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A HEAD_B GET_A);
    dialogue_say(&f->talk, SERVER, "<200 2\nhi");
    f->talk.said[SERVER] += 7;
    dialogue_say(&f->talk, SERVER, "<200 1\nx");
    dialogue_say(&f->talk, CLIENT, HEAD_B);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_say(&f->talk, SERVER, "<204 5\n");
    f->log = (chronicle_t){0};
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 3\nabc");
    assert_string_equal(f->log.text, "client toy.request.item 39 \"a\"\n"
                                     "server toy.response.status 32 \"200\"\n"
                                     "server begin toy.response.body 38\n"
                                     "server piece toy.response.body 38 \"abc\"\n"
                                     "server end toy.response.body 38\n");
}

static void a_lost_request_leaves_the_next_pair_right(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 2\nhi");
    f->talk.said[CLIENT] += 9; /* a HEAD */
    dialogue_say(&f->talk, SERVER, "<204 9\n");
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 1\nx");
    assert_non_null(strstr(f->log.text, "client gap 8 9 bytes were not captured\n"));
    assert_non_null(strstr(f->log.text, "client toy.request.item 22 \"a\"\n"));
}

/* ---------------------------------------------------------------- the end */

/* Both have closed before the response could be read: it waits for a request that was captured later. */
static void both_sides_may_close_before_anything_can_be_read(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<200 2\nhi", 8);
    f->talk.said[CLIENT] = 8;
    dialogue_fin(&f->talk, SERVER);
    dialogue_fin(&f->talk, CLIENT);
    assert_string_equal(f->log.text, "");
    dialogue_segment(&f->talk, CLIENT, 0, GET_A, 0);
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n"
                                     "server toy.response.status 1 \"200\"\n"
                                     "server begin toy.response.body 7\n"
                                     "server piece toy.response.body 7 \"hi\"\n"
                                     "server end toy.response.body 7\n");
}

static void what_was_never_captured_is_not_waited_for_after_both_closed(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "<200 2\nhi", 8);
    f->talk.said[CLIENT] = 8;
    dialogue_fin(&f->talk, SERVER);
    dialogue_fin(&f->talk, CLIENT);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_segment(&f->talk, SERVER, 9, "", 9);
    assert_non_null(strstr(f->log.text, "client gap 0 8 bytes were not captured\n"));
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"hi\"\n"));
}

static void a_client_that_closes_early_still_hears_the_response(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_fin(&f->talk, CLIENT);
    dialogue_segment(&f->talk, SERVER, 0, "<200 2\nhi", 9);
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"hi\"\n"));
}

static void a_stream_element_ends_aborted_with_its_conversation(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 9\nhi");
    dialogue_reset(&f->talk, SERVER);
    qcap_finish(f->q);
    assert_non_null(strstr(f->log.text, "server piece toy.response.body 7 \"hi\"\n"
                                        "server end toy.response.body 7 aborted\n"));
}

/* One segment of a conversation, as its sender sent it. */
typedef struct line {
    bool is_server;
    uint32_t offset;
    uint32_t heard;
    const char *text;
} line_t;

static const char *const script[] = {
    ">GET a\n\n", "<200 3\nabc", ">HEAD b\n",      "Agent:x\n\n",
    "<204 9\n",  ">GET c\n\n>HEAD d\n\n", "<200 6\nabc", "def<204 1\n",
};

/* Writes down who says what, having heard all that was said before. Returns how many lines there are. */
static size_t write_lines(line_t *lines)
{
    uint32_t said[2] = {0, 0};
    bool is_server = false;
    size_t count = sizeof script / sizeof *script;
    for (size_t i = 0; i < count; i++) {
        if (script[i][0] == '>' || script[i][0] == '<')
            is_server = script[i][0] == '<';
        lines[i] = (line_t){is_server, said[is_server], said[!is_server], script[i]};
        said[is_server] += (uint32_t)strlen(script[i]);
    }
    return count;
}

/* The next line of a direction that was not said yet; count if there is none. */
static size_t next_line(const line_t *lines, size_t count, bool is_server, size_t from)
{
    while (from < count && lines[from].is_server != is_server)
        from++;
    return from;
}

/* Says all lines, in an order that keeps each direction's, and mixes the two as `random` has it. */
static void say_mixed(dialogue_t *talk, const line_t *lines, size_t count, uint32_t random)
{
    size_t next[2] = {next_line(lines, count, false, 0), next_line(lines, count, true, 0)};
    while (next[0] < count || next[1] < count) {
        random = random * 1664525 + 1013904223;
        bool is_server = next[0] == count || (next[1] < count && random >> 31);
        const line_t *line = &lines[next[is_server]];
        dialogue_segment(talk, is_server, line->offset, line->text, line->heard);
        next[is_server] = next_line(lines, count, is_server, next[is_server] + 1);
    }
}

static void the_order_of_the_capture_makes_no_difference(void **state)
{
    fixture_t *f = *state;
    line_t lines[sizeof script / sizeof *script];
    size_t count = write_lines(lines);
    char expected[sizeof f->log.text] = "";
    for (uint32_t round = 0; round < 200; round++) {
        dialogue_init(&f->talk, f->q, 4000);
        f->talk.now_ns += round * INT64_C(100000000000);
        f->log = (chronicle_t){.len = 0};
        dialogue_open(&f->talk);
        if (round == 0)
            for (size_t i = 0; i < count; i++)
                dialogue_segment(&f->talk, lines[i].is_server, lines[i].offset, lines[i].text, lines[i].heard);
        else
            say_mixed(&f->talk, lines, count, round);
        if (round == 0)
            strcpy(expected, f->log.text);
        assert_string_equal(f->log.text, expected);
        qcap_finish(f->q);
    }
    assert_non_null(strstr(expected, "client toy.request.item 39 \"d\"\n"));
}

/* The response makes both directions something else; what they are is found anew. */
static void another_protocol_is_identified_where_the_first_one_ended(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">SWITCH p\n\n");
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    dialogue_say(&f->talk, CLIENT, GET_A);
    dialogue_say(&f->talk, SERVER, "<200 1\nx");
    assert_string_equal(f->log.text, "client toy.request.item 8 \"p\"\n"
                                     "server toy.response.status 1 \"200\"\n"
                                     "client toy.request.item 16 \"a\"\n"
                                     "server toy.response.status 8 \"200\"\n"
                                     "server begin toy.response.body 14\n"
                                     "server piece toy.response.body 14 \"x\"\n"
                                     "server end toy.response.body 14\n");
}

static void after_an_unknown_protocol_nothing_is_held(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t before, after;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">SWITCH p\n\n");
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    dialogue_say(&f->talk, CLIENT, "\001\002\003");
    dialogue_say(&f->talk, SERVER, "\001\002\003");
    qcap_stats(f->q, &before);
    for (int i = 0; i < 100; i++)
        dialogue_say(&f->talk, i % 2 ? SERVER : CLIENT, "whatever this may be");
    qcap_stats(f->q, &after);
    assert_int_equal(before.memory, after.memory);
    assert_int_equal(after.errors, 0);
}

/* What the client says behind its offer depends on an answer that it has not had when it makes the offer. */
static void a_client_waits_for_what_its_next_byte_depends_on(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "offers.verdict", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "offers.remark", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_stream_handler_add(f->q, "offers.gift", chronicle_match, &f->log), 0);
    dialogue_init(&f->talk, f->q, 4100);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "OFFER\n");
    dialogue_say(&f->talk, SERVER, "YES\n");
    dialogue_say(&f->talk, CLIENT, "HM\n.\nOFFER\n");
    dialogue_say(&f->talk, SERVER, "NO\n");
    dialogue_say(&f->talk, CLIENT, "HM\n");
    assert_string_equal(f->log.text, "server offers.verdict 0 \"YES\\n\"\n"
                                     "client begin offers.gift 6\n"
                                     "client piece offers.gift 6 \"HM\\n\"\n"
                                     "client end offers.gift 6\n"
                                     "server offers.verdict 4 \"NO\\n\"\n"
                                     "client offers.remark 17 \"HM\\n\"\n");
}

/* ---------------------------------------------------------------- bodies that nobody wants */

static unsigned passed; /* segments */

static bool count_passed(qcap_tcpstr_t *str, uint32_t len, uint64_t ack)
{
    bool is_passed = qcapint_pair_sink.pass(str, len, ack);
    passed += is_passed;
    return is_passed;
}

static void ignore_bytes(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet, void *user)
{
    (void)str, (void)offset, (void)bytes, (void)len, (void)packet, (void)user;
}

/* Two responses whose bodies lie in many segments; of the first, one comes too early. Whoever taps sees all segments. */
static void say_bodies(chronicle_t *log, bool is_tapped, qcap_stats_t *stats)
{
    const qcap_tap_t tap = {.on_data = ignore_bytes};
    char errbuf[QCAP_ERRBUF_SIZE];
    qcapint_sink_t sink = qcapint_pair_sink;
    dialogue_t talk;
    qcap_t *q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_int_equal(qcap_protocol_add(q, &qcap_toy_protocol), 0);
    assert_int_equal(qcap_tcpstr_handler_add(q, "toy.item", chronicle_match, log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(q, "toy.status", chronicle_match, log), 0);
    assert_int_equal(qcap_gap_handler_add(q, chronicle_report, log), 0);
    if (is_tapped)
        assert_int_equal(qcap_tap_add(q, &tap, NULL), 0);
    sink.pass = count_passed;
    q->sink = &sink;
    dialogue_init(&talk, q, 4000);
    dialogue_open(&talk);
    dialogue_say(&talk, CLIENT, GET_A);
    dialogue_say(&talk, SERVER, "<200 41\n.");
    for (unsigned i = 0; i < 3; i++)
        dialogue_say(&talk, SERVER, "<200 7777\n");
    dialogue_segment(&talk, SERVER, 45, "5678901<201 5\n", 8);
    dialogue_segment(&talk, SERVER, 39, "901234", 8);
    dialogue_segment(&talk, SERVER, 59, "a", 8);
    dialogue_segment(&talk, CLIENT, 8, GET_A, 60);
    dialogue_segment(&talk, SERVER, 60, "b", 16);
    dialogue_segment(&talk, SERVER, 61, "cde<202 0\n", 16);
    qcap_finish(q);
    qcap_stats(q, stats);
    qcap_close(q);
}

static void a_body_that_nobody_wants_is_passed_over(void **state)
{
    static chronicle_t with, without;
    qcap_stats_t stats[2];
    (void)state;
    passed = 0;
    say_bodies(&with, true, &stats[1]);
    assert_int_equal(passed, 0);
    say_bodies(&without, false, &stats[0]);
    assert_true(passed >= 3);
    assert_non_null(strstr(without.text, "server toy.response.status 53 \"201\"\n"));
    assert_non_null(strstr(without.text, "server toy.response.status 65 \"202\"\n"));
    assert_string_equal(without.text, with.text);
    assert_memory_equal(&stats[0], &stats[1], offsetof(qcap_stats_t, memory)); /* the tap takes some */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_response_follows_its_request),
        TEST(a_response_captured_before_its_request_waits),
        TEST(the_order_of_the_capture_makes_no_difference),
        TEST(pipelined_requests_are_paired_in_order),
        TEST(a_client_waits_for_what_its_next_byte_depends_on),
        TEST(an_unasked_response_does_not_wait),
        TEST(a_lost_request_does_not_block),
        TEST(a_direction_that_was_not_captured_is_not_waited_for),
        TEST(a_circle_is_broken_by_capture_order),
        TEST(waiting_is_bounded_in_bytes),
        TEST(waiting_is_bounded_in_time),
        TEST(both_bounds_can_be_set),
        TEST(nothing_waits_if_so_set),
        TEST(a_lost_response_does_not_shift_the_pairs),
        TEST(after_a_lost_response_of_a_pipeline_the_next_pairs_are_right),
        TEST(a_lost_request_leaves_the_next_pair_right),
        TEST(both_sides_may_close_before_anything_can_be_read),
        TEST(what_was_never_captured_is_not_waited_for_after_both_closed),
        TEST(a_client_that_closes_early_still_hears_the_response),
        TEST(a_stream_element_ends_aborted_with_its_conversation),
        TEST(another_protocol_is_identified_where_the_first_one_ended),
        TEST(after_an_unknown_protocol_nothing_is_held),
        TEST(a_body_that_nobody_wants_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
