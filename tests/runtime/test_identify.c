/* test_identify.c: the first bytes of a conversation tell its protocol. */
#include "dialogue.h"
#include "test.h"
#include "toy.h"

/* A capture with the toy protocol and another one, which is the same with the directions exchanged. */
typedef struct fixture {
    qcap_t *q;
    dialogue_t talk;
    chronicle_t log;
    qcap_protocol_t other;
    qcap_port_t other_port;
} fixture_t;

#define TOY_PORT 4000
#define OTHER_PORT 5000
#define NO_PORT 6000

static void want(fixture_t *f, const char *name)
{
    assert_int_equal(qcap_tcpstr_handler_add(f->q, name, chronicle_match, &f->log), 0);
}

static int setup(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_non_null(f->q);
    assert_int_equal(qcap_protocol_add(f->q, &qcap_toy_protocol), 0);
    want(f, "toy.item");
    want(f, "toy.status");
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), 0);
    f->other = qcap_toy_protocol;
    f->other.name = "other";
    f->other_port = (qcap_port_t){"tcp", OTHER_PORT};
    f->other.ports = &f->other_port;
    f->other.port_count = 1;
    dialogue_init(&f->talk, f->q, NO_PORT);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    qcap_close(f->q);
    free(f);
    return 0;
}

/* The other protocol, in which the server asks; or in which the client asks, too: then only the port tells them
 * apart. */
static void add_other(fixture_t *f, bool is_reversed)
{
    if (is_reversed) {
        f->other.client = qcap_toy_protocol.server;
        f->other.server = qcap_toy_protocol.client;
    }
    assert_int_equal(qcap_protocol_add(f->q, &f->other), 0);
    want(f, "other.item");
    want(f, "other.status");
}

#define REQUEST ">GET a\n\n"
#define RESPONSE "<200 0\n"
#define TWO_REQUESTS ">GET a\n\n>HEAD b\n\n" /* enough without an answer */
#define MANY_REQUESTS TWO_REQUESTS TWO_REQUESTS  /* enough to be found anywhere */
#define TWO_RESPONSES "<200 0\n<404 0\n"
#define ITEM_A "toy.request.item 5 \"a\"\n"

static void the_client_is_enough(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GE");
    dialogue_say(&f->talk, CLIENT, "T a\n\n");
    assert_string_equal(f->log.text, "");
    dialogue_say(&f->talk, CLIENT, ">HEAD b\n\n");
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\nclient toy.request.item 14 \"b\"\n");
}

static void the_server_is_enough(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    assert_string_equal(f->log.text, "");
    dialogue_say(&f->talk, SERVER, TWO_RESPONSES TWO_RESPONSES);
    assert_memory_equal(f->log.text, "server toy.response.status 1 \"200\"\n", 35);
}

/* The client's beginning is malformed; the server's answer tells what it was meant to be. */
static void a_malformed_beginning_is_reported_if_the_other_side_confirms(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET !\n\n");
    assert_string_equal(f->log.text, "");
    dialogue_say(&f->talk, SERVER, RESPONSE);
    assert_non_null(strstr(f->log.text, "client error 5 offset 5: unexpected byte \"!\""));
    assert_non_null(strstr(f->log.text, "server toy.response.status 1 \"200\"\n"));
}

static void what_both_sides_reject_is_unknown(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t stats;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "EHLO a\n\n");
    dialogue_say(&f->talk, SERVER, "250 a\n\n");
    dialogue_say(&f->talk, CLIENT, REQUEST);
    dialogue_say(&f->talk, SERVER, RESPONSE);
    qcap_finish(f->q);
    qcap_stats(f->q, &stats);
    assert_string_equal(f->log.text, "");
    assert_int_equal(stats.errors, 0);
}

/* Whatever the search behind the error finds. */
static void a_message_behind_an_error_is_no_beginning(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "EHLO a\n" REQUEST);
    dialogue_say(&f->talk, SERVER, "250 a\n" RESPONSE);
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "");
}

static void many_bytes_without_an_answer_are_unknown(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t before, after;
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    dialogue_open(&f->talk);
    qcap_stats(f->q, &before);
    dialogue_say(&f->talk, CLIENT, ">GET ");
    for (int i = 0; i < 30; i++)
        dialogue_say(&f->talk, CLIENT, text);
    qcap_stats(f->q, &after);
    assert_int_equal(after.memory, before.memory);
    dialogue_say(&f->talk, CLIENT, "\n\n");
    assert_string_equal(f->log.text, "");
}

/* Not recognised as long as it lasts, but at its port nothing else is expected. */
static void a_long_first_element_is_known_by_its_port(void **state)
{
    fixture_t *f = *state;
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET ");
    for (int i = 0; i < 30; i++)
        dialogue_say(&f->talk, CLIENT, text);
    dialogue_say(&f->talk, CLIENT, "\n\n");
    assert_memory_equal(f->log.text, "client toy.request.item 5 \"xxx", 30);
    f->log = (chronicle_t){.len = 0};
    dialogue_say(&f->talk, CLIENT, REQUEST);
    assert_string_equal(f->log.text, "client toy.request.item 30012 \"a\"\n");
}

static void an_unfinished_first_element_is_known_by_its_port(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET ");
    dialogue_fin(&f->talk, CLIENT);
    assert_string_equal(f->log.text, "");
    dialogue_fin(&f->talk, SERVER);
    assert_non_null(strstr(f->log.text, "client error 5 offset 5: the stream ends in the middle"));
}

static void directions_tell_protocols_apart(void **state)
{
    fixture_t *f = *state;
    add_other(f, true);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, SERVER, REQUEST);
    dialogue_say(&f->talk, CLIENT, RESPONSE);
    assert_string_equal(f->log.text, "server other.request.item 5 \"a\"\n"
                                     "client other.response.status 1 \"200\"\n");
}

static void the_port_breaks_a_tie(void **state)
{
    fixture_t *f = *state;
    add_other(f, false);
    dialogue_init(&f->talk, f->q, OTHER_PORT);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, REQUEST);
    dialogue_say(&f->talk, SERVER, RESPONSE);
    assert_string_equal(f->log.text, "client other.request.item 5 \"a\"\n"
                                     "server other.response.status 1 \"200\"\n");
}

static void without_a_port_the_first_one_added_wins(void **state)
{
    fixture_t *f = *state;
    add_other(f, false);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, REQUEST);
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n");
}

static void the_port_decides_in_the_middle(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_say(&f->talk, SERVER, "the rest of a body");
    dialogue_say(&f->talk, CLIENT, REQUEST);
    dialogue_say(&f->talk, SERVER, RESPONSE);
    assert_string_equal(f->log.text, "client toy.request.item 5 \"a\"\n"
                                     "server error 0 offset 0: missing bytes\n"
                                     "server toy.response.status 19 \"200\"\n");
}

/* Nobody is told that all is well. */
static void what_cannot_be_read_in_the_middle_is_told(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_say(&f->talk, SERVER, "the rest of a body");
    assert_int_equal(qcap_finish(f->q), QCAP_OK);
    assert_string_equal(f->log.text, "server error 0 offset 0: missing bytes\n");
}

static void in_the_middle_without_a_port_messages_are_searched(void **state)
{
    fixture_t *f = *state;
    dialogue_say(&f->talk, CLIENT, "body");
    dialogue_say(&f->talk, CLIENT, MANY_REQUESTS);
    dialogue_say(&f->talk, SERVER, "body");
    dialogue_say(&f->talk, SERVER, TWO_RESPONSES TWO_RESPONSES);
    assert_non_null(strstr(f->log.text, "client toy.request.item 9 \"a\"\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 5 \"200\"\n"));
}

/* What looks like it, in what may be anything. */
static void in_the_middle_both_directions_have_to_say_it(void **state)
{
    fixture_t *f = *state;
    dialogue_say(&f->talk, CLIENT, "body");
    dialogue_say(&f->talk, CLIENT, TWO_REQUESTS);
    dialogue_say(&f->talk, SERVER, "body");
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "");
}

/* Its end was taken for the client's, since its port is the higher one. */
static void in_the_middle_the_roles_are_found_out(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, 50000);
    dialogue_say(&f->talk, CLIENT, TWO_REQUESTS);
    assert_string_equal(f->log.text, "");
    dialogue_say(&f->talk, SERVER, TWO_RESPONSES TWO_RESPONSES);
    assert_non_null(strstr(f->log.text, "client " ITEM_A));
    assert_non_null(strstr(f->log.text, "server toy.response.status 1 \"200\"\n"));
    assert_null(strstr(f->log.text, "server toy.request"));
    f->log = (chronicle_t){.len = 0};
    dialogue_say(&f->talk, CLIENT, REQUEST);
    assert_non_null(strstr(f->log.text, "client toy.request.item "));
}

/* The client's port happens to be a protocol's. */
static void in_the_middle_the_roles_count_more_than_the_port(void **state)
{
    fixture_t *f = *state;
    const traffic_segment_t segments[] = {
        {.client_port = TOY_PORT, .server_port = NO_PORT, .seq = 1, .ack = 1, .text = MANY_REQUESTS},
        {.client_port = TOY_PORT, .server_port = NO_PORT, .from_server = true, .seq = 1, .ack = sizeof MANY_REQUESTS,
         .text = TWO_RESPONSES TWO_RESPONSES},
    };
    unsigned char packet[256];
    for (int i = 0; i < 2; i++) {
        uint32_t len = (uint32_t)traffic_build_tcp(packet, &segments[i]);
        assert_int_equal(qcap_push(f->q, packet, len, len, i), 0);
    }
    assert_non_null(strstr(f->log.text, "client " ITEM_A));
    assert_non_null(strstr(f->log.text, "server toy.response.status 1 \"200\"\n"));
}

/* The port is the toy's, but both sides speak the other protocol. */
static void in_the_middle_what_is_said_counts_more_than_the_port(void **state)
{
    fixture_t *f = *state;
    f->other.client = qcap_toy_protocol.server;
    f->other.server = qcap_toy_protocol.client;
    assert_int_equal(qcap_protocol_add(f->q, &f->other), 0);
    want(f, "other.item");
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_say(&f->talk, SERVER, MANY_REQUESTS);
    dialogue_say(&f->talk, CLIENT, TWO_RESPONSES TWO_RESPONSES);
    assert_non_null(strstr(f->log.text, "server other.request.item 5 \"a\"\n"));
}

static void in_the_middle_the_port_is_nothing_if_neither_side_speaks_so(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_say(&f->talk, SERVER, "login: ");
    dialogue_say(&f->talk, CLIENT, "fred\n");
    dialogue_say(&f->talk, SERVER, "password: ");
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "");
}

/* The beginning of the client is lost; what follows the hole is searched. */
static void behind_a_hole_messages_are_searched(void **state)
{
    fixture_t *f = *state;
    const uint32_t end = 100 + (uint32_t)strlen(MANY_REQUESTS);
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 100, MANY_REQUESTS, 0);
    dialogue_segment(&f->talk, SERVER, 0, RESPONSE, end);
    f->talk.now_ns += INT64_C(2000000000);
    dialogue_segment(&f->talk, SERVER, (uint32_t)strlen(RESPONSE), "", end);
    assert_non_null(strstr(f->log.text, "client toy.request.item 105 \"a\"\n"));
}

static void a_protocol_is_added_once(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_protocol_add(f->q, &qcap_toy_protocol), QCAP_E_ARGUMENT);
    assert_string_equal(qcap_geterr(f->q), "protocol toy was added before");
    assert_int_equal(qcap_protocol_count(f->q), 1);
    assert_ptr_equal(qcap_protocol_at(f->q, 0), &qcap_toy_protocol);
    assert_null(qcap_protocol_at(f->q, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_client_is_enough),
        TEST(the_server_is_enough),
        TEST(a_malformed_beginning_is_reported_if_the_other_side_confirms),
        TEST(what_both_sides_reject_is_unknown),
        TEST(a_message_behind_an_error_is_no_beginning),
        TEST(many_bytes_without_an_answer_are_unknown),
        TEST(a_long_first_element_is_known_by_its_port),
        TEST(an_unfinished_first_element_is_known_by_its_port),
        TEST(directions_tell_protocols_apart),
        TEST(the_port_breaks_a_tie),
        TEST(without_a_port_the_first_one_added_wins),
        TEST(the_port_decides_in_the_middle),
        TEST(what_cannot_be_read_in_the_middle_is_told),
        TEST(in_the_middle_without_a_port_messages_are_searched),
        TEST(in_the_middle_both_directions_have_to_say_it),
        TEST(in_the_middle_the_roles_are_found_out),
        TEST(in_the_middle_the_roles_count_more_than_the_port),
        TEST(in_the_middle_what_is_said_counts_more_than_the_port),
        TEST(in_the_middle_the_port_is_nothing_if_neither_side_speaks_so),
        TEST(behind_a_hole_messages_are_searched),
        TEST(a_protocol_is_added_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
