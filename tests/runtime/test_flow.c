/* test_flow.c: the table of conversations: who is the client, time-outs, eviction, addresses used again. */
#include "test.h"
#include "traffic.h"

#define C TRAFFIC_CLIENT_SEQ
#define S TRAFFIC_SERVER_SEQ

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

static qcap_stats_t stats_of(const traffic_t *t)
{
    qcap_stats_t stats;
    qcap_stats(t->q, &stats);
    return stats;
}

/* ---------------------------------------------------------------- who is who */

static void a_syn_tells_the_client(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .flags = "S", .seq = 9, .client_port = 22);
    traffic_tcp(t, .from_server = true, .seq = 10, .text = "x", .client_port = 22);
    assert_string_equal(t->text[0], "x");
}

static void a_syn_ack_tells_the_server(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "SA", .seq = 9, .ack = 5);
    traffic_tcp(t, .seq = 10, .text = "x");
    assert_string_equal(t->text[1], "x");
}

static void the_lower_port_is_the_servers_otherwise(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .seq = 9, .text = "x");
    assert_string_equal(t->text[1], "x");
}

static void conversations_do_not_mix(void **state)
{
    traffic_t *t = *state;
    for (uint16_t round = 0; round < 2; round++)
        for (uint16_t port = 1; port <= 3000; port++) {
            traffic_tcp(t, .seq = 100u + round, .text = "x", .client_port = port, .server_port = 1);
            traffic_tcp(t, .is_ipv6 = true, .seq = 200u + round, .text = "x", .client_port = port, .server_port = 1);
        }
    qcap_stats_t stats = stats_of(t);
    assert_int_equal(stats.conversations, 6000);
    assert_int_equal(stats.conversations_open, 6000);
    assert_int_equal(stats.stream_bytes, 12000);
    assert_int_equal(stats.gaps, 0);
}

static void a_reset_without_a_conversation_opens_none(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "RA", .seq = 1);
    assert_int_equal(stats_of(t).conversations, 0);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_RESET), 1);
}

/* ---------------------------------------------------------------- addresses used again */

static void a_syn_after_the_end_opens_another_conversation(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S, .text = "one");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C + 4);
    traffic_tcp(t, .flags = "S", .seq = 70000);
    traffic_tcp(t, .seq = 70001, .text = "two");
    assert_string_equal(t->text[0], "one.two");
    assert_int_equal(stats_of(t).conversations, 2);
}

/* Its number is the conversation's, and its SYN was not captured before. */
static void a_syn_that_is_captured_last_opens_no_other_conversation(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S, .text = "one");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C + 4);
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    assert_int_equal(stats_of(t).conversations, 1);
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    assert_int_equal(stats_of(t).conversations, 2);
}

static void a_trace_that_repeats_itself_has_two_conversations(void **state)
{
    traffic_t *t = *state;
    for (int i = 0; i < 2; i++) {
        traffic_handshake(t);
        traffic_tcp(t, .flags = "FA", .seq = C, .ack = S, .text = "one");
        traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C + 4);
    }
    assert_string_equal(t->text[0], "one.one.");
    assert_int_equal(stats_of(t).conversations, 2);
}

/* Some time after it has left; from either end, in either order of the addresses. */
static void a_late_copy_opens_no_other_conversation(void **state)
{
    traffic_t *t = *state;
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
        for (uint16_t port = 70; port < 90; port += 19) {
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .flags = "S", .seq = C - 1);
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .flags = "FA", .seq = C, .ack = S, .text = "one");
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .from_server = true, .flags = "FA", .seq = S, .ack = C + 4, .text = "two");
            traffic_wait_ms(t, 12000);
            traffic_tcp(t, .client_port = 9, .flags = "R"); /* time goes on */
            uint64_t opened = stats_of(t).conversations, again = traffic_count(t, QCAP_STAGE_TCP_RETRANSMITTED);
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .flags = "FA", .seq = C, .ack = S + 4, .text = "one");
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .from_server = true, .flags = "FA", .seq = S + 3, .ack = C + 4);
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .from_server = true, .seq = S + 1, .ack = C + 4, .text = "wo");
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .seq = C + 4, .ack = S + 4);
            assert_int_equal(stats_of(t).conversations, opened);
            assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_RETRANSMITTED), again + 2);
            traffic_tcp(t, .is_ipv6 = is_ipv6, .client_port = port, .seq = C + 4, .ack = S + 4, .text = "more");
            assert_int_equal(stats_of(t).conversations, opened + 1);
        }
}

/* Then the same numbers are others', and so are those far away. */
static void after_minutes_there_are_no_late_copies(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S, .text = "one");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C + 4);
    traffic_wait_ms(t, 12000);
    traffic_tcp(t, .client_port = 9, .flags = "R");
    traffic_tcp(t, .from_server = true, .seq = S - 20000000, .ack = C, .text = "far");
    assert_int_equal(stats_of(t).conversations, 2);
    traffic_tcp(t, .from_server = true, .flags = "R", .seq = S - 20000000 + 3);
    traffic_wait_ms(t, 300000);
    traffic_tcp(t, .client_port = 9, .flags = "R");
    traffic_tcp(t, .from_server = true, .seq = S - 20000000, .text = "far");
    assert_int_equal(stats_of(t).conversations, 3);
}

static void a_syn_after_a_reset_opens_another_conversation(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "R", .seq = C);
    traffic_tcp(t, .flags = "S", .seq = 70000);
    traffic_tcp(t, .seq = 70001, .text = "two");
    assert_string_equal(t->text[0], "!two");
}

static void a_syn_in_the_middle_is_not_taken_until_it_is_answered(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "one");
    traffic_tcp(t, .flags = "S", .seq = 70000);
    traffic_tcp(t, .seq = C + 3, .ack = S, .text = " more");
    assert_int_equal(stats_of(t).conversations, 1);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = 90000, .ack = 70001);
    traffic_tcp(t, .seq = 70001, .ack = 90001, .text = "two");
    assert_string_equal(t->text[0], "one more^two");
    assert_int_equal(stats_of(t).conversations, 2);
}

/* RFC 9293, 3.5.1, figure 9: the client has crashed, and begins anew; the server knows nothing of that until it is reset. */
static void a_half_open_connection_is_found_out_and_replaced(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "one");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
    traffic_tcp(t, .flags = "S", .seq = 400);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
    traffic_tcp(t, .flags = "R", .seq = C + 3);
    assert_int_equal(stats_of(t).conversations, 1);
    traffic_tcp(t, .flags = "S", .seq = 400);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = 900, .ack = 401);
    traffic_tcp(t, .seq = 401, .ack = 901, .text = "two");
    assert_string_equal(t->text[0], "one!two");
    assert_int_equal(stats_of(t).conversations, 2);
}

/* RFC 9293, 3.5.1, figure 10: the other side sends first, and is reset. */
static void a_half_open_connection_is_reset_by_whoever_has_forgotten_it(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C, .text = "hello?");
    traffic_tcp(t, .flags = "R", .seq = C);
    traffic_wait_ms(t, 10001);
    traffic_tcp(t, .flags = "S", .seq = 7, .client_port = 2);
    assert_string_equal(t->text[1], "hello?!");
    assert_string_equal(t->text[0], "!");
}

static void a_copy_of_a_syn_changes_nothing(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    traffic_tcp(t, .seq = C, .ack = S, .text = "one");
    assert_int_equal(stats_of(t).conversations, 1);
    assert_string_equal(t->text[0], "one");
}

static void another_try_replaces_one_that_was_not_answered(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .flags = "S", .seq = 70000);
    traffic_tcp(t, .seq = 70001, .text = "two");
    assert_string_equal(t->text[0], "^two");
}

/* ---------------------------------------------------------------- time-outs */

static void a_conversation_that_is_idle_expires(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "one");
    traffic_wait_ms(t, 3600000 - 1000);
    traffic_tcp(t, .seq = C + 3, .ack = S, .text = "two");
    traffic_wait_ms(t, 3600001);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 1234);
    assert_string_equal(t->text[0], "onetwo~");
    assert_string_equal(t->text[1], "~");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_EXPIRED), 1);
    assert_int_equal(stats_of(t).conversations_open, 1);
}

static void an_opening_without_an_answer_expires_sooner(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = 1);
    traffic_wait_ms(t, 60001);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 1234);
    assert_string_equal(t->text[0], "~");
}

/* See note [one at a time] in flow.c. */
static void of_many_that_expire_one_leaves_at_a_time_but_none_stays_long(void **state)
{
    traffic_t *t = *state;
    for (uint16_t i = 0; i < 10; i++)
        traffic_tcp(t, .flags = "S", .seq = 1, .client_port = (uint16_t)(1000 + i));
    traffic_wait_ms(t, 60001);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 2000);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_EXPIRED), 1);
    traffic_wait_ms(t, 1);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 2001);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_EXPIRED), 2);
    traffic_wait_ms(t, 60000 / 16);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 2002);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_EXPIRED), 10);
    assert_int_equal(stats_of(t).conversations_open, 3);
}

static void time_outs_can_be_set(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "timeout.idle=50ms"), 0);
    traffic_tcp(t, .seq = C, .text = "one");
    traffic_wait_ms(t, 51);
    traffic_tcp(t, .seq = C + 3, .text = "two");
    assert_string_equal(t->text[0], "one~two");
    assert_int_equal(qcap_set(t->q, "timeout.idle=50ms"), QCAP_E_STATE);
}

static void capture_time_does_not_go_back(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .seq = C, .text = "one");
    traffic_wait_ms(t, -5000000);
    traffic_tcp(t, .seq = C + 3, .text = "two");
    assert_string_equal(t->text[0], "onetwo");
    assert_true(stats_of(t).last_ns >= stats_of(t).first_ns);
}

static void times_may_be_anything(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_MAX - 1, INT64_MIN + 1};
    traffic_t *t = *state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        unsigned char packet[128];
        traffic_segment_t segment = {.seq = C, .text = "x", .client_port = (uint16_t)(1000 + i)};
        size_t len = traffic_build_tcp(packet, &segment);
        assert_int_equal(qcap_push(t->q, packet, (uint32_t)len, (uint32_t)len, times[i]), 0);
    }
    qcap_finish(t->q);
    assert_int_equal(stats_of(t).stream_bytes, 6);
}

/* ---------------------------------------------------------------- bounds */

static void check_evicted(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_endpoint_t client, server;
    (void)stage;
    qcap_packet_source(packet, &client);
    qcap_packet_destination(packet, &server);
    assert_int_equal(server.port, 80);
    assert_int_equal(qcap_packet_flags(packet), QCAP_PACKET_ARTIFICIAL);
    assert_null(qcap_packet_ref(packet));
    *(uint16_t *)user = client.port;
}

static void the_oldest_conversations_leave_when_memory_is_short(void **state)
{
    traffic_t *t = *state;
    uint16_t evicted = 0;
    assert_int_equal(qcap_set(t->q, "memory=1M"), 0);
    qcap_packet_handler_add(t->q, QCAP_STAGE_TCP_EVICTED, check_evicted, &evicted);
    for (uint16_t port = 1000; port < 21000; port++)
        traffic_tcp(t, .seq = C, .text = "x", .client_port = port);
    qcap_stats_t stats = stats_of(t);
    assert_true(stats.memory_peak <= 1 << 20);
    assert_int_equal(stats.memory_refused, 0);
    assert_int_equal(stats.stream_bytes, 20000);
    assert_int_equal(stats.conversations_open + stats.stages[QCAP_STAGE_TCP_EVICTED], 20000);
    assert_int_equal(evicted, 21000 - stats.conversations_open - 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_syn_tells_the_client),
        test(a_syn_ack_tells_the_server),
        test(the_lower_port_is_the_servers_otherwise),
        test(conversations_do_not_mix),
        test(a_reset_without_a_conversation_opens_none),
        test(a_syn_after_the_end_opens_another_conversation),
        test(a_syn_that_is_captured_last_opens_no_other_conversation),
        test(a_trace_that_repeats_itself_has_two_conversations),
        test(a_late_copy_opens_no_other_conversation),
        test(after_minutes_there_are_no_late_copies),
        test(a_syn_after_a_reset_opens_another_conversation),
        test(a_syn_in_the_middle_is_not_taken_until_it_is_answered),
        test(a_half_open_connection_is_found_out_and_replaced),
        test(a_half_open_connection_is_reset_by_whoever_has_forgotten_it),
        test(a_copy_of_a_syn_changes_nothing),
        test(another_try_replaces_one_that_was_not_answered),
        test(a_conversation_that_is_idle_expires),
        test(an_opening_without_an_answer_expires_sooner),
        test(of_many_that_expire_one_leaves_at_a_time_but_none_stays_long),
        test(time_outs_can_be_set),
        test(capture_time_does_not_go_back),
        test(times_may_be_anything),
        test(the_oldest_conversations_leave_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
