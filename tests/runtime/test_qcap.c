/* test_qcap.c: the handle: opening, settings, loops, numbers, and what happens when memory fails. */
#include <pcap/pcap.h>
#include <unistd.h>

#include "handle.h"
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

/* A handle for a trace of `count` packets of one byte. */
static qcap_t *open_trace(uint32_t count)
{
    char path[] = "/tmp/qcap-test-XXXXXX", errbuf[QCAP_ERRBUF_SIZE];
    unsigned char packet[128];
    close(mkstemp(path));
    pcap_t *dead = pcap_open_dead(TRAFFIC_LINK_TYPE, 65535);
    pcap_dumper_t *dumper = pcap_dump_open(dead, path);
    for (uint32_t i = 0; i < count; i++) {
        size_t len = traffic_build_tcp(packet, &(traffic_segment_t){.seq = i, .text = "x"});
        struct pcap_pkthdr header = {.ts = {.tv_sec = i}, .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len};
        pcap_dump((unsigned char *)dumper, &header, packet);
    }
    pcap_dump_close(dumper);
    pcap_close(dead);
    qcap_t *q = qcap_open_trace(path, errbuf);
    unlink(path);
    return q;
}

/* ---------------------------------------------------------------- loops */

static void a_loop_stops_after_so_many_packets(void **state)
{
    (void)state;
    traffic_t *t = traffic_record(open_trace(5));
    assert_int_equal(qcap_loop(t->q, 2), 0);
    assert_string_equal(t->text[0], "xx");
    assert_int_equal(qcap_dispatch(t->q, 2), 2);
    assert_int_equal(qcap_dispatch(t->q, 0), 1);
    assert_int_equal(qcap_dispatch(t->q, 0), 0);
    assert_int_equal(qcap_dispatch(t->q, -1), QCAP_E_ARGUMENT);
    assert_string_equal(t->text[0], "xxxxx$");
    traffic_close(t);
}

static void break_at_third(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    (void)stage;
    if (qcap_packet_number(packet) == 3)
        qcap_breakloop(user);
}

static void a_handler_can_break_the_loop(void **state)
{
    (void)state;
    traffic_t *t = traffic_record(open_trace(5));
    qcap_packet_handler_add(t->q, QCAP_STAGE_CAPTURED, break_at_third, t->q);
    assert_int_equal(qcap_loop(t->q, 0), QCAP_E_BREAK);
    assert_string_equal(t->text[0], "xxx");
    assert_int_equal(qcap_loop(t->q, 0), 0);
    assert_string_equal(t->text[0], "xxxxx$");
    traffic_close(t);
}

static void a_handle_in_the_middle_can_be_closed(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 5, .text = "queued");
    traffic_fragment(t, .has_more = true, .bytes = "12345678", .len = 8);
}

static void each_kind_of_handle_does_its_own(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_loop(t->q, 0), QCAP_E_STATE);
    assert_int_equal(qcap_dispatch(t->q, 0), QCAP_E_STATE);
    assert_int_equal(qcap_push(t->q, "", 1, 0, 0), QCAP_E_ARGUMENT);
    qcap_t *q = open_trace(1);
    assert_int_equal(qcap_push(q, "", 0, 0, 0), QCAP_E_STATE);
    assert_int_equal(qcap_link_type(q), TRAFFIC_LINK_TYPE);
    qcap_close(q);
    qcap_close(NULL);
}

static void pushed_packets_are_filtered(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set_filter(t->q, "port 81"), 0);
    assert_int_equal(qcap_set_filter(t->q, "port 80"), 0);
    traffic_tcp(t, .seq = C, .text = "yes");
    traffic_tcp(t, .seq = C, .text = "no", .server_port = 81);
    assert_string_equal(t->text[0], "yes");
}

/* ---------------------------------------------------------------- settings */

static void settings_are_made_before_the_first_packet(void **state)
{
    traffic_t *t = *state;
    qcap_options_t options;
    qcap_options(t->q, &options);
    traffic_handshake(t);
    assert_int_equal(qcap_set_filter(t->q, "tcp"), QCAP_E_STATE);
    assert_int_equal(qcap_set_options(t->q, &options), QCAP_E_STATE);
    assert_int_equal(qcap_set(t->q, "memory=64M"), QCAP_E_STATE);
    assert_int_equal(qcap_set_policy(t->q, NULL, "linux"), QCAP_E_STATE);
    assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"a", "nnnnnnnnn", "nnnnnnnnn", NULL}), QCAP_E_STATE);
    assert_string_equal(qcap_geterr(t->q), "settings are made before the first packet");
}

static void every_number_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(qcap_status_name(QCAP_E_NAME), "E_NAME");
    for (int status = QCAP_E_GONE; status <= QCAP_OK; status++)
        assert_string_not_equal(qcap_status_text(status), "?");
    for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++)
        assert_string_not_equal(qcap_stage_text((qcap_stage_t)stage), "?");
    for (int end = 0; end < QCAP_END_COUNT; end++)
        assert_string_not_equal(qcap_end_text((qcap_end_t)end), "?");
    for (int state_now = 0; state_now <= QCAP_TCP_TIME_WAIT; state_now++)
        assert_string_not_equal(qcap_tcp_state_text((qcap_tcp_state_t)state_now), "?");
    assert_string_equal(qcap_status_name(1), "?");
    assert_string_equal(qcap_status_text(1), "?");
    assert_string_equal(qcap_stage_text(QCAP_STAGE_COUNT), "?");
    assert_string_equal(qcap_end_text(QCAP_END_COUNT), "?");
}

/* ---------------------------------------------------------------- the way of a packet */

static void what_is_not_tcp_is_told_apart(void **state)
{
    traffic_t *t = *state;
    traffic_fragment(t, .bytes = "\0\x35\xc0\0\0\x0a\0\0hi", .len = 10);
    traffic_fragment(t, .protocol = 1, .bytes = "\x08\0pingpi", .len = 8);
    traffic_fragment(t, .protocol = 99, .bytes = "what", .len = 4);
    traffic_push(t, "nonsense", 8, 8);
    assert_int_equal(traffic_count(t, QCAP_STAGE_CAPTURED), 4);
    assert_int_equal(traffic_count(t, QCAP_STAGE_LINK_DECODED), 3);
    assert_int_equal(traffic_count(t, QCAP_STAGE_UDP_DELIVERED), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_ICMP), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_OTHER), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_HEADER), 1);
}

/* Pushes a segment whose IPv4 header has a wrong checksum. */
static void push_with_bad_header_checksum(traffic_t *t)
{
    unsigned char packet[128];
    size_t len = traffic_build_tcp(packet, &(traffic_segment_t){.seq = C, .text = "x"});
    packet[10] ^= 0xff;
    traffic_push(t, packet, len, len);
}

static void a_wrong_header_checksum_is_reported_but_counts_only_if_asked_for(void **state)
{
    traffic_t *t = *state, *u = traffic_open();
    assert_int_equal(qcap_set(u->q, "checksums=verify"), 0);
    push_with_bad_header_checksum(t);
    push_with_bad_header_checksum(u);
    assert_string_equal(t->text[0], "x");
    assert_string_equal(u->text[0], "");
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), 1);
    traffic_close(u);
}

static void the_numbers_add_up(void **state)
{
    traffic_t *t = *state;
    qcap_stats_t stats;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abcdef", .snap = 2);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 6, .text = "xyz");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 6, .text = "xyz");
    qcap_finish(t->q);
    qcap_stats(t->q, &stats);
    assert_int_equal(stats.packets, 6);
    assert_int_equal(stats.bytes + 2, stats.wire_bytes);
    assert_int_equal(stats.conversations, 1);
    assert_int_equal(stats.conversations_open, 0);
    assert_int_equal(stats.conversations_peak, 1);
    assert_int_equal(stats.stream_bytes, 7);
    assert_int_equal(stats.gaps, 1);
    assert_int_equal(stats.gap_bytes, 2);
    assert_int_equal(stats.retransmitted_bytes, 3);
    assert_int_equal(stats.last_ns - stats.first_ns, 5000);
    assert_int_equal(stats.memory_limit, 512 << 20);
    assert_true(stats.memory_peak > stats.memory);
}

/* ---------------------------------------------------------------- memory */

/* Copies a position at every delivery, and gives back the one before. */
static void hoard(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                  void *user)
{
    qcap_tcpstr_pos_t **kept = user, at = qcapint_tcpstr_pos(str, offset);
    (void)bytes, (void)len, (void)packet;
    qcap_tcpstr_pos_free(*kept);
    *kept = qcap_tcpstr_pos_copy(&at);
}

/* Something of everything that allocates. */
static void play(traffic_t *t)
{
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 3, .text = "def");
    traffic_tcp(t, .seq = C + 2, .text = "CDEFG");
    traffic_tcp(t, .seq = C + 4, .text = "e");
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .seq = C + 9, .text = "bad", .checksum = TRAFFIC_BAD);
    traffic_fragment(t, .protocol = 99, .has_more = true, .bytes = "12345678", .len = 8);
    traffic_fragment(t, .protocol = 99, .begin = 8, .bytes = "12345678", .len = 8);
    traffic_fragment(t, .protocol = 99, .identification = 1, .begin = 8, .bytes = "12345678", .len = 8);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 12, .text = "xyz");
    traffic_tcp(t, .seq = 1, .text = "other", .client_port = 9);
    qcap_finish(t->q);
}

/* The scenario runs again and again, each time with the next allocation failing, until none is left to fail. */
static void any_allocation_may_fail(void **state)
{
    static const qcap_tap_t tap = {.on_data = hoard};
    (void)state;
    for (uint64_t n = 1;; n++) {
        qcap_tcpstr_pos_t *kept = NULL;
        traffic_t *t = traffic_open();
        assert_int_equal(qcap_tap_add(t->q, &tap, &kept), 0);
        uint64_t before = t->q->budget.used;
        t->q->budget.fail_in = n;
        play(t);
        bool has_failed = t->q->budget.fail_in == 0;
        qcap_tcpstr_pos_free(kept);
        qcap_stats_t stats;
        qcap_stats(t->q, &stats);
        assert_int_equal(stats.memory_refused, has_failed);
        assert_int_equal(stats.memory, before);
        traffic_close(t);
        if (!has_failed)
            break;
        assert_true(n < 1000);
    }
}

static void ignore_conflict(const qcap_conflict_t *conflict, void *user)
{
    (void)conflict, (void)user;
}

static void handlers_without_memory_are_refused(void **state)
{
    traffic_t *t = *state;
    t->q->budget.fail_in = 1;
    assert_int_equal(qcap_tap_add(t->q, &(qcap_tap_t){.on_data = NULL}, NULL), QCAP_E_MEMORY);
    t->q->budget.fail_in = 1;
    assert_int_equal(qcap_packet_handler_add(t->q, QCAP_STAGE_ICMP, break_at_third, NULL), QCAP_E_MEMORY);
    t->q->budget.fail_in = 1;
    assert_int_equal(qcap_conflict_handler_add(t->q, ignore_conflict, NULL), QCAP_E_MEMORY);
    t->q->budget.fail_in = 1;
    assert_int_equal(qcap_set_policy(t->q, "10.0.0.0/8", "linux"), QCAP_E_MEMORY);
    t->q->budget.fail_in = 1;
    assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"a", "nnnnnnnnn", "nnnnnnnnn", NULL}), QCAP_E_MEMORY);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What a handler gets for trying to read. */
typedef struct attempts {
    qcap_t *q;
    int loop, dispatch, push, finish;
} attempts_t;

static void try_to_read(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    attempts_t *attempts = user;
    size_t len;
    const unsigned char *bytes = qcap_packet_bytes(packet, &len);
    (void)stage;
    attempts->loop = qcap_loop(attempts->q, 0);
    attempts->dispatch = qcap_dispatch(attempts->q, 1);
    attempts->push = qcap_push(attempts->q, bytes, (uint32_t)len, (uint32_t)len, 0);
    attempts->finish = qcap_finish(attempts->q);
}

static void handlers_do_not_read(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    static const unsigned char frame[60];
    attempts_t attempts = {.q = qcap_open_pushed(1, errbuf)};
    (void)state;
    assert_non_null(attempts.q);
    assert_int_equal(qcap_packet_handler_add(attempts.q, QCAP_STAGE_CAPTURED, try_to_read, &attempts), QCAP_OK);
    assert_int_equal(qcap_push(attempts.q, frame, sizeof frame, sizeof frame, 0), QCAP_OK);
    assert_int_equal(attempts.loop, QCAP_E_STATE);
    assert_int_equal(attempts.dispatch, QCAP_E_STATE);
    assert_int_equal(attempts.push, QCAP_E_STATE);
    assert_int_equal(attempts.finish, QCAP_E_STATE);
    assert_int_equal(qcap_finish(attempts.q), QCAP_OK);
    qcap_close(attempts.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_loop_stops_after_so_many_packets),
        test(a_handler_can_break_the_loop),
        test(a_handle_in_the_middle_can_be_closed),
        test(each_kind_of_handle_does_its_own),
        test(pushed_packets_are_filtered),
        test(settings_are_made_before_the_first_packet),
        test(every_number_has_a_text),
        test(what_is_not_tcp_is_told_apart),
        test(a_wrong_header_checksum_is_reported_but_counts_only_if_asked_for),
        test(the_numbers_add_up),
        test(any_allocation_may_fail),
        test(handlers_without_memory_are_refused),
        cmocka_unit_test(handlers_do_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
