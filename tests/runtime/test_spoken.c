/* test_spoken.c: what conversations speak, also when they go over to another protocol, or were announced by others. */
#include "dialogue.h"
#include "handle.h"
#include "pings.h"
#include "switches.h"
#include "test.h"
#include "toy.h"

/* A capture with the toy protocol, one that agrees on others, and two of which it announces conversations: those are
 * only spoken where they were announced. */
typedef struct fixture {
    qcap_t *q;
    dialogue_t talk;
    chronicle_t log;
    qcap_protocol_t ftp_data, rtp;
} fixture_t;

#define PORT 6000
#define DATA_PORT 2000
#define TOY_PORT 4000

static int setup(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_non_null(f->q);
    f->ftp_data = qcap_toy_protocol;
    f->ftp_data.name = "ftp-data";
    f->ftp_data.is_entered = true;
    f->ftp_data.port_count = 0;
    f->rtp = qcap_pings_protocol;
    f->rtp.name = "rtp";
    f->rtp.is_entered = true;
    f->rtp.port_count = 0;
    const qcap_protocol_t *protocols[] = {&qcap_toy_protocol, &qcap_switches_protocol, &f->ftp_data, &f->rtp};
    static const char *const names[] = {"toy.item", "toy.status", "switches.command", "switches.reply", "ftp-data.item",
                                        "rtp.ping"};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        assert_int_equal(qcap_protocol_add(f->q, protocols[i]), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(qcap_tcpstr_handler_add(f->q, names[i], chronicle_match, &f->log), 0);
    assert_int_equal(qcap_error_handler_add(f->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_anomaly_handler_add(f->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_spoken_handler_add(f->q, chronicle_spoken, &f->log), 0);
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

static void ask(qcap_tcpstr_t *client, void *user)
{
    const qcap_protocol_t **protocol = user;
    *protocol = qcap_tcpstr_protocol(client);
    assert_ptr_equal(qcap_tcpstr_protocol(qcap_tcpstr_other(client)), *protocol);
}

/* What the one conversation that there is speaks now. */
static const char *protocol_now(fixture_t *f)
{
    const qcap_protocol_t *protocol = NULL;
    assert_int_equal(qcap_tcpstr_each(f->q, ask, &protocol), 1);
    return protocol ? protocol->name : "?";
}

#define GET ">GET a\n\n"
#define OK "<200 0\n"

/* ---------------------------------------------------------------- what is spoken */

static void a_protocol_is_told_before_its_first_match(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    assert_string_equal(protocol_now(f), "?");
    dialogue_say(&f->talk, CLIENT, GET);
    dialogue_say(&f->talk, SERVER, OK);
    assert_string_equal(protocol_now(f), "toy");
    assert_string_equal(f->log.text, "speaks toy from 0 0: its bytes fit\n"
                                     "client toy.request.item 5 \"a\"\n"
                                     "server toy.response.status 1 \"200\"\n");
}

static void what_is_unknown_is_told(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "EHLO a\n\n");
    assert_string_equal(protocol_now(f), "?");
    assert_string_equal(f->log.text, "speaks ? from 0 0: unknown\n");
}

/* Also when its parsers have stopped: the question is asked when the conversation closes. */
static void what_was_spoken_is_known_to_the_end(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, GET);
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    dialogue_fin(&f->talk, CLIENT);
    dialogue_fin(&f->talk, SERVER);
    assert_string_equal(protocol_now(f), "toy");
}

static void the_port_is_a_reason_of_its_own(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, ">GET a");
    qcap_finish(f->q);
    assert_string_equal(f->log.text, "speaks toy from 0 0: the port is its own, and nothing speaks against it\n");
}

static void handlers_come_before_the_first_packet(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    assert_int_equal(qcap_spoken_handler_add(f->q, chronicle_spoken, &f->log), QCAP_E_STATE);
}

/* ---------------------------------------------------------------- another protocol */

/* Up to the confirmation. */
static void agree(fixture_t *f, const char *next)
{
    char text[64];
    dialogue_open(&f->talk);
    snprintf(text, sizeof text, "next %s\n", next);
    dialogue_say(&f->talk, CLIENT, text);
    snprintf(text, sizeof text, "ok %s\n", next);
    dialogue_say(&f->talk, SERVER, text);
}

#define AGREED                                                                                                         \
    "speaks switches from 0 0: its bytes fit\n"                                                                        \
    "client switches.command 0 \"next toy\\n\"\n"                                                                      \
    "server switches.reply 0 \"ok toy\\n\"\n"

static void both_sides_go_over_to_what_they_agreed_on(void **state)
{
    fixture_t *f = *state;
    agree(f, "toy");
    dialogue_say(&f->talk, CLIENT, GET);
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    assert_string_equal(f->log.text, AGREED "speaks toy from 9 7: the protocol before agreed upon it\n"
                                            "client toy.request.item 14 \"a\"\n"
                                            "server toy.response.status 8 \"200\"\n");
    assert_string_equal(protocol_now(f), "toy");
}

/* What was sent ahead is no part of the new protocol, in the same segment ... */
static void what_is_pipelined_behind_the_request_belongs_to_the_old_protocol(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "next toy\nhello\n");
    dialogue_say(&f->talk, SERVER, "ok toy\n");
    dialogue_say(&f->talk, CLIENT, GET);
    assert_string_equal(f->log.text, "speaks switches from 0 0: its bytes fit\n"
                                     "client switches.command 0 \"next toy\\n\"\n"
                                     "client switches.command 9 \"hello\\n\"\n"
                                     "server switches.reply 0 \"ok toy\\n\"\n"
                                     "speaks toy from 15 7: the protocol before agreed upon it\n"
                                     "client toy.request.item 20 \"a\"\n");
}

/* ... or in one that crossed the confirmation on its way: its sender has heard nothing yet. */
static void so_does_what_did_not_know_of_the_confirmation(void **state)
{
    fixture_t *f = *state;
    agree(f, "toy");
    dialogue_segment(&f->talk, CLIENT, 9, "hello\n", 0);
    dialogue_segment(&f->talk, CLIENT, 15, "hello\n", 0);
    dialogue_say(&f->talk, CLIENT, GET);
    assert_string_equal(f->log.text, AGREED "client switches.command 9 \"hello\\n\"\n"
                                            "client switches.command 15 \"hello\\n\"\n"
                                            "speaks toy from 21 7: the protocol before agreed upon it\n"
                                            "client toy.request.item 26 \"a\"\n");
}

static void the_confirming_side_may_go_on_at_once(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "next toy\n");
    dialogue_say(&f->talk, SERVER, "ok toy\n<201 0\n");
    dialogue_say(&f->talk, CLIENT, GET);
    assert_string_equal(f->log.text, AGREED "speaks toy from 9 7: the protocol before agreed upon it\n"
                                            "server toy.response.status 8 \"201\"\n"
                                            "client toy.request.item 14 \"a\"\n");
}

static void it_goes_over_though_the_other_side_was_not_captured(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, SERVER, 0, "hello\n", 6);
    dialogue_segment(&f->talk, SERVER, 6, "ok toy\n", 15);
    dialogue_segment(&f->talk, SERVER, 13, "<200 0\n", 23);
    f->talk.now_ns += INT64_C(10000000000);
    dialogue_segment(&f->talk, SERVER, 20, "<200 0\n", 23);
    assert_non_null(strstr(f->log.text, "server switches.reply 6 \"ok toy\\n\"\n"));
    assert_non_null(strstr(f->log.text, "server toy.response.status 14 \"200\"\n"));
}

static void the_first_side_closed_and_the_other_goes_over(void **state)
{
    fixture_t *f = *state;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, "next toy\n");
    dialogue_fin(&f->talk, CLIENT);
    dialogue_say(&f->talk, SERVER, "ok toy\n");
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    assert_non_null(strstr(f->log.text, "server toy.response.status 8 \"200\"\n"));
}

static void a_protocol_that_was_not_added_stays_unknown(void **state)
{
    fixture_t *f = *state;
    agree(f, "sampler");
    dialogue_say(&f->talk, CLIENT, GET);
    dialogue_say(&f->talk, SERVER, "<200 0\n");
    assert_non_null(strstr(f->log.text, "\nspeaks sampler (not added) from 13 11: the protocol before agreed upon it\n"));
    assert_null(strstr(f->log.text, "toy."));
    assert_string_equal(protocol_now(f), "?");
}

static void one_that_nobody_knows_is_identified_anew(void **state)
{
    fixture_t *f = *state;
    agree(f, "something");
    dialogue_say(&f->talk, CLIENT, GET);
    dialogue_say(&f->talk, SERVER, OK);
    assert_non_null(strstr(f->log.text, "speaks toy from 15 13: its bytes fit\n"
                                        "client toy.request.item 20 \"a\"\n"));
}

/* The port was that of the first one. */
static void the_port_says_nothing_of_what_comes_later(void **state)
{
    fixture_t *f = *state;
    dialogue_init(&f->talk, f->q, TOY_PORT);
    agree(f, "something");
    dialogue_say(&f->talk, CLIENT, ">GET ");
    qcap_finish(f->q);
    assert_non_null(strstr(f->log.text, "speaks ? from 15 13: unknown\n"));
    assert_null(strstr(f->log.text, "speaks toy"));
}

/* ---------------------------------------------------------------- another conversation */

#define PASSIVE "pasv 2000\n"
#define ANNOUNCED                                                                                                      \
    "speaks switches from 0 0: its bytes fit\n"                                                                        \
    "client switches.command 0 \"pasv 2000\\n\"\n"

static dialogue_t announce(fixture_t *f, const char *text)
{
    dialogue_t data;
    dialogue_open(&f->talk);
    dialogue_say(&f->talk, CLIENT, text);
    dialogue_say(&f->talk, SERVER, "hello\n");
    dialogue_init(&data, f->q, DATA_PORT);
    data.now_ns = f->talk.now_ns;
    return data;
}

static void an_announced_conversation_is_not_identified(void **state)
{
    fixture_t *f = *state;
    dialogue_t data = announce(f, PASSIVE);
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, ">GE");
    dialogue_say(&data, CLIENT, "T b\n\n");
    assert_string_equal(f->log.text,
                        ANNOUNCED "speaks ftp-data from 0 0: another conversation announced it, announced by switches "
                                  "client 10\n"
                                  "client ftp-data.request.item 5 \"b\"\n");
}

static void other_ports_are_not_meant(void **state)
{
    fixture_t *f = *state;
    dialogue_t data = announce(f, PASSIVE);
    data.server_port++;
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, GET);
    dialogue_say(&data, SERVER, OK);
    assert_string_equal(f->log.text, ANNOUNCED "speaks toy from 0 0: its bytes fit\n"
                                               "client toy.request.item 5 \"a\"\n"
                                               "server toy.response.status 1 \"200\"\n");
}

/* The server connects to the port that the client named. */
static void the_client_may_be_the_one_that_listens(void **state)
{
    fixture_t *f = *state;
    unsigned char packet[256];
    const traffic_segment_t steps[] = {
        {.from_server = true, .flags = "S", .seq = 99},
        {.flags = "SA", .seq = 499, .ack = 100},
        {.from_server = true, .seq = 100, .ack = 500, .text = GET},
    };
    announce(f, "mine 2000\n");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        traffic_segment_t step = steps[i];
        step.client_port = DATA_PORT;
        step.server_port = 20;
        uint32_t len = (uint32_t)traffic_build_tcp(packet, &step);
        qcap_push(f->q, packet, len, len, f->talk.now_ns);
    }
    assert_non_null(strstr(f->log.text, "client ftp-data.request.item 5 \"a\"\n"));
}

/* 192.168.1.1 is not the server, which may be known by that name inside its network. */
static void a_wrong_address_between_the_same_hosts_is_tolerated(void **state)
{
    fixture_t *f = *state;
    dialogue_t data = announce(f, "port \300\250\001\001,7,208\n");
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, GET);
    assert_non_null(strstr(f->log.text, "client ftp-data.request.item 5 \"a\"\n"));
}

static void other_hosts_are_not_meant(void **state)
{
    fixture_t *f = *state;
    unsigned char packet[256];
    const traffic_segment_t steps[] = {
        {.flags = "S", .seq = 99},
        {.from_server = true, .flags = "SA", .seq = 499, .ack = 100},
        {.seq = 100, .ack = 500, .text = GET},
        {.from_server = true, .seq = 500, .ack = 108, .text = OK},
    };
    announce(f, PASSIVE);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        traffic_segment_t step = steps[i];
        step.server_port = DATA_PORT;
        step.is_ipv6 = true;
        uint32_t len = (uint32_t)traffic_build_tcp(packet, &step);
        qcap_push(f->q, packet, len, len, f->talk.now_ns);
    }
    assert_non_null(strstr(f->log.text, "client toy.request.item 5 \"a\"\n"));
}

static void what_does_not_come_in_time_is_not_expected(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(qcap_set(f->q, "timeout.expected=2s"), 0);
    dialogue_t data = announce(f, PASSIVE);
    data.now_ns += INT64_C(1000000000);
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, GET);
    assert_non_null(strstr(f->log.text, "client ftp-data.request.item"));
    f->log = (chronicle_t){.len = 0};
    dialogue_reset(&data, CLIENT);
    data.first_seq[0] += 100000;
    data.now_ns += INT64_C(2000000000);
    dialogue_open(&data);
    dialogue_segment(&data, CLIENT, 0, GET, 0);
    dialogue_segment(&data, SERVER, 0, OK, 8);
    assert_non_null(strstr(f->log.text, "client toy.request.item"));
}

static void the_oldest_announcement_makes_room(void **state)
{
    fixture_t *f = *state;
    char text[32];
    dialogue_t data = announce(f, PASSIVE);
    for (int i = 1; i <= 32; i++) {
        snprintf(text, sizeof text, "pasv %d\n", 3000 + i);
        dialogue_say(&f->talk, CLIENT, text);
    }
    f->log = (chronicle_t){.len = 0};
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, GET);
    dialogue_say(&data, SERVER, OK);
    assert_non_null(strstr(f->log.text, "client toy.request.item"));
    dialogue_init(&data, f->q, 3001);
    dialogue_open(&data);
    dialogue_say(&data, CLIENT, GET);
    assert_non_null(strstr(f->log.text, "client ftp-data.request.item"));
}

static void without_a_byte_it_is_what_was_announced(void **state)
{
    fixture_t *f = *state;
    dialogue_t data = announce(f, PASSIVE);
    dialogue_open(&data);
    dialogue_fin(&data, CLIENT);
    dialogue_fin(&data, SERVER);
    assert_non_null(strstr(f->log.text, "speaks ftp-data from 0 0"));
}

/* The parent can be asked for as long as its child lives, though it is over itself. */
static void look_at_parent(const qcap_match_t *match, void *user)
{
    const qcap_parent_t *parent = qcap_tcpstr_parent(match->str);
    (void)user;
    assert_non_null(parent);
    assert_string_equal(parent->protocol->name, "switches");
    assert_int_equal(qcap_tcpstr_number(parent->str), 1);
    assert_false(qcap_tcpstr_is_server(parent->str));
    assert_int_equal(qcap_tcpstr_offset(parent->str), 10);
    assert_int_equal(parent->offset, 10);
    assert_int_equal(parent->exchange, 0);
    assert_ptr_equal(qcap_tcpstr_user(parent->str), user);
}

static void set_user(const qcap_match_t *match, void *user)
{
    assert_null(qcap_tcpstr_parent(match->str));
    qcap_tcpstr_set_user(match->str, user);
}

static void the_parent_stays_as_long_as_it_may_be_asked_for(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t before, after;
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "switches.command", set_user, f), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->q, "ftp-data.item", look_at_parent, f), 0);
    qcap_stats(f->q, &before);
    dialogue_t data = announce(f, PASSIVE);
    dialogue_open(&data);
    dialogue_fin(&f->talk, CLIENT);
    dialogue_fin(&f->talk, SERVER);
    data.now_ns += INT64_C(60000000000);
    dialogue_say(&data, CLIENT, GET);
    assert_non_null(strstr(f->log.text, "client ftp-data.request.item"));
    data.now_ns += INT64_C(120000000000);
    dialogue_say(&data, CLIENT, GET);
    dialogue_say(&data, SERVER, "what is this");
    qcap_finish(f->q);
    qcap_stats(f->q, &after);
    assert_int_equal(after.conversations_open, 0);
}

static void datagrams_may_be_announced(void **state)
{
    fixture_t *f = *state;
    announce(f, "host 10.0.0.2:5004\n");
    traffic_t *t = calloc(1, sizeof *t);
    *t = (traffic_t){.q = f->q, .now_ns = f->talk.now_ns};
    traffic_udp(t, .text = "?123", .server_port = 5004);
    assert_non_null(strstr(f->log.text, "speaks rtp from 0 0: another conversation announced it, announced by switches "
                                        "client 19\n"
                                        "client rtp.ping 0 \"?123\"\n"));
    f->log = (chronicle_t){.len = 0};
    qcap_finish(f->q);
    assert_non_null(strstr(f->log.text, "spoke rtp from 0 0: another conversation announced it"));
    free(t);
}

/* ---------------------------------------------------------------- time */

/* Nothing more comes of the conversation that waits. */
static void waiting_ends_in_time_whoever_comes(void **state)
{
    fixture_t *f = *state;
    dialogue_t other;
    assert_int_equal(qcap_set(f->q, "timeout.hole=60s"), 0);
    dialogue_init(&other, f->q, PORT + 1);
    dialogue_open(&f->talk);
    dialogue_segment(&f->talk, CLIENT, 0, GET, 0);
    dialogue_segment(&f->talk, SERVER, 0, "<200 0\n", 8);
    dialogue_segment(&f->talk, SERVER, 7, "<201 0\n", 16);
    assert_null(strstr(f->log.text, "\"201\""));
    other.now_ns = f->talk.now_ns + INT64_C(4900000000);
    dialogue_open(&other);
    assert_null(strstr(f->log.text, "\"201\""));
    other.now_ns = f->talk.now_ns + INT64_C(5100000000);
    dialogue_open(&other);
    assert_non_null(strstr(f->log.text, "server toy.response.status 8 \"201\"\n"));
}

/* ---------------------------------------------------------------- memory */

static void any_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1, has_failed = 1; has_failed; n++) {
        fixture_t *f;
        setup((void **)&f);
        f->q->budget.fail_in = n;
        dialogue_t data = announce(f, PASSIVE);
        dialogue_open(&data);
        dialogue_say(&data, CLIENT, GET);
        dialogue_say(&f->talk, CLIENT, "next toy\n");
        dialogue_say(&f->talk, SERVER, "ok toy\n");
        dialogue_say(&f->talk, CLIENT, GET);
        qcap_finish(f->q);
        has_failed = f->q->budget.fail_in == 0;
        teardown((void **)&f);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_protocol_is_told_before_its_first_match),
        TEST(what_is_unknown_is_told),
        TEST(what_was_spoken_is_known_to_the_end),
        TEST(the_port_is_a_reason_of_its_own),
        TEST(handlers_come_before_the_first_packet),
        TEST(both_sides_go_over_to_what_they_agreed_on),
        TEST(what_is_pipelined_behind_the_request_belongs_to_the_old_protocol),
        TEST(so_does_what_did_not_know_of_the_confirmation),
        TEST(the_confirming_side_may_go_on_at_once),
        TEST(it_goes_over_though_the_other_side_was_not_captured),
        TEST(the_first_side_closed_and_the_other_goes_over),
        TEST(a_protocol_that_was_not_added_stays_unknown),
        TEST(one_that_nobody_knows_is_identified_anew),
        TEST(the_port_says_nothing_of_what_comes_later),
        TEST(an_announced_conversation_is_not_identified),
        TEST(other_ports_are_not_meant),
        TEST(the_client_may_be_the_one_that_listens),
        TEST(a_wrong_address_between_the_same_hosts_is_tolerated),
        TEST(other_hosts_are_not_meant),
        TEST(what_does_not_come_in_time_is_not_expected),
        TEST(the_oldest_announcement_makes_room),
        TEST(without_a_byte_it_is_what_was_announced),
        TEST(the_parent_stays_as_long_as_it_may_be_asked_for),
        TEST(datagrams_may_be_announced),
        TEST(waiting_ends_in_time_whoever_comes),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
