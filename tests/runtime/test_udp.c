/* test_udp.c: datagrams reach the parser of their protocol, and responses are related to their requests. */
#include "datagrams.h"
#include "dialogue.h"
#include "handle.h"
#include "pings.h"
#include "test.h"

typedef struct fixture {
    traffic_t *t;
    chronicle_t log;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->t = traffic_open();
    assert_int_equal(qcap_protocol_add(f->t->q, &qcap_datagrams_protocol), 0);
    assert_int_equal(qcap_protocol_add(f->t->q, &qcap_pings_protocol), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "datagrams.message", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "datagrams.known", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "datagrams.unknown", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "pings.ping", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "pings.hail", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_stream_handler_add(f->t->q, "pings.pong", chronicle_match, &f->log), 0);
    assert_int_equal(qcap_error_handler_add(f->t->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_anomaly_handler_add(f->t->q, chronicle_report, &f->log), 0);
    assert_int_equal(qcap_gap_handler_add(f->t->q, chronicle_report, &f->log), 0);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    traffic_close(f->t);
    free(f);
    return 0;
}

#define PORT 5353

/* Long enough to tell the protocol without a port: of datagrams and pings. */
#define NAMES "=\005alpha\004beta\0,"
#define NAMES_LEN (sizeof NAMES - 1)
#define HAIL "greetings,stranger"

/* ---------------------------------------------------------------- requests and responses */

static void a_response_is_related_to_its_request(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?123", .server_port = PORT);  /* id 12, size '3' = 51 */
    traffic_udp(f->t, .text = "?45\002", .server_port = PORT);
    traffic_udp(f->t, .from_server = true, .text = "!45ab", .server_port = PORT);
    assert_string_equal(f->log.text, "client datagrams.message 0 \"?123\"\n"
                                     "client datagrams.message 0 \"?45\002\"\n"
                                     "server datagrams.message.known 3 \"ab\"\n"
                                     "server datagrams.message 0 \"!45ab\"\n");
}

static void endpoints_are_told_apart(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?45\002", .server_port = PORT, .client_port = 1);
    traffic_udp(f->t, .from_server = true, .text = "!45ab", .server_port = PORT, .client_port = 2);
    assert_non_null(strstr(f->log.text, "server datagrams.message.unknown 3 \"ab\"\n"));
}

static void whoever_has_the_known_port_is_the_server(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .from_server = true, .text = "!45ab", .server_port = PORT);
    traffic_udp(f->t, .text = "?45\001", .server_port = PORT);
    assert_string_equal(f->log.text, "server datagrams.message.unknown 3 \"ab\"\n"
                                     "server datagrams.message 0 \"!45ab\"\n"
                                     "client datagrams.message 0 \"?45\001\"\n");
}

static void otherwise_whoever_speaks_first_is_the_client(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .from_server = true, .text = NAMES, .len = NAMES_LEN, .server_port = 9999);
    assert_memory_equal(f->log.text, "client datagrams.message 0 \"" NAMES, 27 + NAMES_LEN);
    f->log = (chronicle_t){.len = 0};
    traffic_udp(f->t, .text = "-x", .server_port = 9999);
    assert_string_equal(f->log.text, "server datagrams.message 0 \"-x\"\n");
}

static void a_silent_exchange_is_forgotten(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?45\002", .server_port = PORT);
    assert_int_equal(f->t->q->udp.count, 1);
    traffic_wait_ms(f->t, 60001);
    traffic_udp(f->t, .from_server = true, .text = "!45ab", .server_port = PORT);
    assert_non_null(strstr(f->log.text, "unknown 3 \"ab\"\n"));
    assert_int_equal(f->t->q->udp.count, 1);
    qcap_finish(f->t->q);
    assert_int_equal(f->t->q->udp.count, 0);
}

/* ---------------------------------------------------------------- which protocol */

static void a_port_decides_between_protocols_that_fit(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?123", .server_port = PORT);
    traffic_udp(f->t, .text = "?123", .server_port = 7);
    assert_string_equal(f->log.text, "client datagrams.message 0 \"?123\"\n"
                                     "client pings.ping 0 \"?123\"\n");
}

/* Four bytes, of which three may be any: that is no evidence. */
static void few_bytes_are_not_enough_without_a_port(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?123", .server_port = 9999);
    assert_string_equal(f->log.text, "");
    traffic_udp(f->t, .text = HAIL, .server_port = 9999);
    traffic_udp(f->t, .text = "?123", .server_port = 9999);
    assert_string_equal(f->log.text, "client pings.hail 0 \"" HAIL "\"\n"
                                     "client pings.ping 0 \"?123\"\n");
}

static void a_long_datagram_is_identified_like_others(void **state)
{
    enum { LEN = 60000 };
    fixture_t *f = *state;
    char *text = malloc(LEN + 1);
    assert_non_null(text);
    memset(text, 'x', LEN);
    memcpy(text, HAIL, sizeof HAIL - 1);
    text[LEN] = '\0';
    traffic_udp(f->t, .text = text, .server_port = 9999);
    free(text);
    assert_memory_equal(f->log.text, "client pings.hail 0 \"" HAIL "xxx", sizeof "client pings.hail 0 \"" HAIL "xxx" - 1);
}

static void what_fits_counts_more_than_the_port(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = HAIL, .server_port = PORT);
    assert_string_equal(f->log.text, "client pings.hail 0 \"" HAIL "\"\n");
}

static void a_malformed_datagram_belongs_to_the_port(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = ":abc\001", .server_port = 7);
    traffic_udp(f->t, .text = "?123", .server_port = 7);
    assert_non_null(strstr(f->log.text, "client error 4 "));
    assert_non_null(strstr(f->log.text, "client pings.ping 0 \"?123\"\n"));
}

static void what_is_hardly_begun_belongs_to_nobody(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?", .server_port = 7);
    traffic_udp(f->t, .text = ":\001\002\003", .server_port = 7);
    assert_string_equal(f->log.text, "");
    traffic_udp(f->t, .text = "?123", .server_port = 7);
    assert_string_equal(f->log.text, "client pings.ping 0 \"?123\"\n");
}

static void what_fits_nothing_is_soon_nobodys(void **state)
{
    fixture_t *f = *state;
    for (int i = 0; i < 7; i++)
        traffic_udp(f->t, .text = "\001", .server_port = 9999);
    traffic_udp(f->t, .text = HAIL, .server_port = 9999);
    assert_string_equal(f->log.text, "client pings.hail 0 \"" HAIL "\"\n");
    for (int i = 0; i < 8; i++)
        traffic_udp(f->t, .text = "\001", .server_port = 9998);
    traffic_udp(f->t, .text = HAIL, .server_port = 9998);
    assert_string_equal(f->log.text, "client pings.hail 0 \"" HAIL "\"\n");
}

static void after_the_protocol_changed_it_is_identified_anew(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?abc", .server_port = 7);
    traffic_udp(f->t, .text = ".", .server_port = 7);
    traffic_udp(f->t, .text = NAMES, .len = NAMES_LEN, .server_port = 7);
    assert_non_null(strstr(f->log.text, "client pings.ping 0 \"?abc\"\n"
                                        "client datagrams.message 0 "));
}

/* It named one that was not added: that is no other one. */
static void after_a_change_to_what_is_not_known_nothing_is_read(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "x!", .server_port = PORT);
    traffic_udp(f->t, .text = "?12\001", .server_port = PORT);
    assert_string_equal(f->log.text, "client datagrams.message 0 \"x!\"\n");
}

/* ---------------------------------------------------------------- what is not whole */

static void what_the_capture_cut_off_is_a_gap_and_no_error(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .text = "?45\004", .server_port = PORT);
    traffic_udp(f->t, .from_server = true, .text = "!45abcd", .server_port = PORT, .snap = 2);
    assert_non_null(strstr(f->log.text, "server gap 5 2 bytes were not captured\n"));
    assert_null(strstr(f->log.text, "error"));
    f->log = (chronicle_t){.len = 0};
    traffic_udp(f->t, .text = ":abcd", .server_port = 7, .snap = 2);
    assert_string_equal(f->log.text, "client begin pings.pong 0\n"
                                     "client piece pings.pong 0 \":ab\"\n"
                                     "client end pings.pong 0 truncated\n"
                                     "client gap 3 2 bytes were not captured\n");
}

static void an_empty_datagram_says_nothing(void **state)
{
    fixture_t *f = *state;
    traffic_udp(f->t, .server_port = PORT);
    assert_string_equal(f->log.text, "");
    assert_int_equal(traffic_count(f->t, QCAP_STAGE_UDP_DELIVERED), 1);
}

static void check_origin(const qcap_match_t *match, void *user)
{
    qcap_endpoint_t source;
    size_t len;
    assert_null(match->str);
    assert_null(match->begin);
    assert_null(match->end);
    assert_int_equal(match->exchange, 1);
    qcap_packet_source(match->packet, &source);
    assert_int_equal(source.port, 40000);
    assert_memory_equal(qcap_packet_payload(match->packet, &len), "?", 1);
    assert_int_equal(qcap_packet_constituent_count(match->packet), *(size_t *)user);
}

/* UDP header and all, in two fragments: 8 bytes, and the rest. */
static void a_datagram_in_fragments_is_read_like_any_other(void **state)
{
    fixture_t *f = *state;
    size_t fragments = 2;
    static const unsigned char bytes[] = {0x9c, 0x40, PORT >> 8, PORT & 0xff, 0, 12, 0, 0, '?', '4', '5', 1};
    assert_int_equal(qcap_tcpstr_handler_add(f->t->q, "datagrams.message", check_origin, &fragments), 0);
    traffic_fragment(f->t, .begin = 8, .bytes = bytes + 8, .len = 4);
    assert_string_equal(f->log.text, "");
    traffic_fragment(f->t, .has_more = true, .bytes = bytes, .len = 8);
    assert_string_equal(f->log.text, "client datagrams.message 0 \"?45\001\"\n");
}

/* ---------------------------------------------------------------- bounds */

static void many_exchanges_stay_below_the_ceiling(void **state)
{
    fixture_t *f = *state;
    qcap_stats_t stats;
    assert_int_equal(qcap_set(f->t->q, "memory=2M"), 0);
    for (uint32_t i = 0; i < 20000; i++)
        traffic_udp(f->t, .text = "?45\001", .client_port = (uint16_t)(1024 + i), .server_port = PORT);
    qcap_stats(f->t->q, &stats);
    assert_true(stats.memory_peak <= 2 << 20);
    assert_true(f->t->q->udp.count > 50);
    f->log = (chronicle_t){.len = 0};
    traffic_udp(f->t, .from_server = true, .text = "!45a", .client_port = (uint16_t)(1024 + 19999), .server_port = PORT);
    assert_non_null(strstr(f->log.text, "known 3 \"a\"\n"));
}

static void the_table_grows_with_its_content(void **state)
{
    fixture_t *f = *state;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 3000; i++)
            traffic_udp(f->t, .text = "\001", .client_port = (uint16_t)(1024 + i), .server_port = 9999);
    assert_int_equal(f->t->q->udp.count, 3000);
    assert_true(f->t->q->udp.bucket_count >= 2048);
}

static void each_allocation_may_fail(void **state)
{
    fixture_t *f = *state;
    for (uint64_t fail_in = 1; fail_in < 20; fail_in++) {
        f->t->q->budget.fail_in = fail_in;
        traffic_udp(f->t, .text = "?45\001", .client_port = (uint16_t)fail_in, .server_port = PORT);
        traffic_udp(f->t, .from_server = true, .text = "!45a", .client_port = (uint16_t)fail_in, .server_port = PORT);
        f->t->q->budget.fail_in = 0;
    }
    assert_non_null(strstr(f->log.text, "known 3 \"a\"\n"));
    assert_true(traffic_count(f->t, QCAP_STAGE_NO_MEMORY) > 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_response_is_related_to_its_request),
        test(endpoints_are_told_apart),
        test(whoever_has_the_known_port_is_the_server),
        test(otherwise_whoever_speaks_first_is_the_client),
        test(a_silent_exchange_is_forgotten),
        test(few_bytes_are_not_enough_without_a_port),
        test(a_long_datagram_is_identified_like_others),
        test(a_port_decides_between_protocols_that_fit),
        test(what_fits_counts_more_than_the_port),
        test(a_malformed_datagram_belongs_to_the_port),
        test(what_is_hardly_begun_belongs_to_nobody),
        test(what_fits_nothing_is_soon_nobodys),
        test(after_the_protocol_changed_it_is_identified_anew),
        test(after_a_change_to_what_is_not_known_nothing_is_read),
        test(what_the_capture_cut_off_is_a_gap_and_no_error),
        test(an_empty_datagram_says_nothing),
        test(a_datagram_in_fragments_is_read_like_any_other),
        test(many_exchanges_stay_below_the_ceiling),
        test(the_table_grows_with_its_content),
        test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
