/* test_tcp.c: segments become ordered bytes, as the receiver sees them. */
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

/* ---------------------------------------------------------------- order */

static void bytes_in_order_are_delivered_at_once(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "GET ");
    assert_string_equal(t->text[0], "GET ");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 4, .text = "200");
    assert_string_equal(t->text[1], "200");
    assert_string_equal(t->stages, "TCP opened,TCP delivered,TCP delivered,");
}

static void a_segment_that_is_early_waits(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 6, .text = "c");
    traffic_tcp(t, .seq = C + 3, .text = "b--");
    assert_string_equal(t->text[0], "");
    traffic_tcp(t, .seq = C, .text = "a--");
    assert_string_equal(t->text[0], "a--b--c");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_QUEUED), 2);
}

static void a_copy_is_not_delivered_again(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C, .text = "xyz");
    traffic_tcp(t, .seq = C + 1, .text = "bcd");
    assert_string_equal(t->text[0], "abcd");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_RETRANSMITTED), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_OVERLAP), 1);
}

static void check_discarded(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    (void)stage;
    *(unsigned *)user += qcap_packet_flags(packet) == QCAP_PACKET_DISCARDED;
}

static void what_the_receiver_does_not_take_is_discarded(void **state)
{
    traffic_t *t = *state;
    unsigned count = 0;
    qcap_packet_handler_add(t->q, QCAP_STAGE_TCP_RETRANSMITTED, check_discarded, &count);
    qcap_packet_handler_add(t->q, QCAP_STAGE_TCP_OUTSIDE, check_discarded, &count);
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C + 1000000, .text = "far");
    traffic_tcp(t, .flags = "S", .seq = 7);
    assert_int_equal(count, 3);
}

static void sequence_numbers_wrap(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = 0xfffffffc);
    traffic_tcp(t, .seq = 3, .text = "fgh");
    traffic_tcp(t, .seq = 0xfffffffd, .text = "abcde-");
    traffic_tcp(t, .seq = 6, .text = "i");
    assert_string_equal(t->text[0], "abcde-fghi");
}

static void offsets_go_beyond_32_bits(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = 999, .scale = 14);
    for (uint32_t i = 0; i < 20; i++) { /* the capture lacks almost everything of 5 GiB */
        uint32_t seq = 1000 + i * 0x10000000u;
        traffic_tcp(t, .from_server = true, .seq = 1, .ack = seq);
        traffic_wait_ms(t, 2000);
        traffic_tcp(t, .seq = seq, .text = "x");
    }
    qcap_finish(t->q);
    assert_string_equal(strrchr(t->text[0], ']'), "]x$");
    assert_non_null(strstr(t->text[0], "[268435455]"));
}

static void a_keepalive_is_no_data(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C + 2, .text = "X");
    traffic_tcp(t, .seq = C + 2);
    traffic_tcp(t, .seq = C + 3, .text = "d");
    assert_string_equal(t->text[0], "abcd");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_KEEPALIVE), 2);
}

static void a_probe_of_a_zero_window_is_delivered_when_it_is_taken(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .is_window_zero = true);
    traffic_tcp(t, .seq = C + 3, .text = "d");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .is_window_zero = true);
    traffic_tcp(t, .seq = C + 3, .text = "d");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 4, .window = 1000);
    traffic_tcp(t, .seq = C + 4, .text = "ef");
    assert_string_equal(t->text[0], "abcdef");
}

/* ---------------------------------------------------------------- urgent bytes */

static void an_urgent_byte_is_one_of_the_stream(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "AU", .seq = C, .text = "ab!cd", .urgent = 3);
    assert_string_equal(t->text[0], "ab!cd");
}

static void an_urgent_byte_may_be_out_of_band(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "tcp.urgent=out-of-band"), 0);
    traffic_handshake(t);
    traffic_tcp(t, .flags = "AU", .seq = C, .text = "ab!cd", .urgent = 3);
    assert_string_equal(t->text[0], "abcd");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_URGENT), 1);
    traffic_tcp(t, .seq = C, .text = "ab!cdef");
    traffic_tcp(t, .flags = "AU", .seq = C + 7, .text = "!", .urgent = 1);
    traffic_tcp(t, .flags = "AU", .seq = C + 8, .text = "g", .urgent = 2); /* of bytes to come */
    traffic_tcp(t, .flags = "FAU", .seq = C + 9, .text = "!hi!", .urgent = 4);
    assert_string_equal(t->text[0], "abcdefg!hi.");
}

/* The queue, the acknowledgements and the FIN know of it. */
static void urgent_bytes_out_of_order_leave_no_hole(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "tcp.urgent=out-of-band"), 0);
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 8, .text = "gh");
    traffic_tcp(t, .flags = "AU", .seq = C + 6, .text = "!f", .urgent = 1);
    traffic_tcp(t, .flags = "FA", .seq = C + 12);
    traffic_tcp(t, .flags = "AU", .seq = C + 3, .text = "d!e", .urgent = 2);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 10, .text = "ok");
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    assert_string_equal(t->text[0], "abcdefgh");
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .from_server = true, .seq = S + 2, .ack = C + 10);
    assert_string_equal(t->text[0], "abcdefgh");
    traffic_tcp(t, .seq = C + 10, .text = "ij");
    assert_string_equal(t->text[0], "abcdefghij.");
    assert_string_equal(t->text[1], "ok");
}

/* ---------------------------------------------------------------- overlaps */

/* Writes `count` copies of a letter, pushes them at an offset from C; the letter names the piece. */
static void piece(traffic_t *t, uint32_t first_seq, char letter, uint32_t offset, uint32_t count)
{
    char text[32];
    memset(text, letter, count);
    traffic_tcp(t, .seq = first_seq + offset, .text = text, .len = count);
}

static void put_pieces(traffic_t *t, uint32_t first_seq, const char *letters, const uint32_t (*extents)[2])
{
    for (size_t i = 0; letters[i]; i++)
        piece(t, first_seq, letters[i], extents[i][0], extents[i][1]);
}

static traffic_t *open_with_policy(const char *policy, uint32_t isn)
{
    traffic_t *t = traffic_open();
    assert_int_equal(qcap_set_policy(t->q, NULL, policy), 0);
    traffic_tcp(t, .flags = "S", .seq = isn);
    return t;
}

/* Seventeen pieces at ISN + 2 and on, then the byte before them: what each policy makes of them. */
static void seventeen_pieces_as_each_policy_says(void **state)
{
    static const uint32_t extents[][2] = {{0, 3}, {4, 2}, {6, 3},  {10, 1}, {13, 2}, {15, 3}, {18, 2}, {20, 2}, {22, 1},
                                          {1, 4}, {6, 3}, {9, 3},  {12, 3}, {16, 1}, {19, 1}, {20, 1}, {22, 2}};
    static const char *const table[][2] = {
        {"first", "AAAJBBCCCLDLMEEFFFGGHHIQ"},   {"windows", "AAAJBBCCCLDLMEEFFFGGHHIQ"},
        {"last", "AJJJJBKKKLLLMMMFNFGOPHQQ"},    {"bsd", "AAAJJBCCCLLLMMMFFFGGHHIQ"},
        {"macos", "AAAJJBCCCLLLMMMFFFGGHHIQ"},   {"windows-old", "AAAJJBCCCLLLMMMFFFGGHHIQ"},
        {"linux", "AAAJJBCCCLLLMMMFFFGGHHQQ"},   {"linux-old", "AAAJJBKKKLLLMMMFFFGGHHQQ"},
        {"solaris", "AJJJBBKKKLLLMMMFFFGGHHQQ"}, {"hp-ux", "AJJJBBKKKLLLMMMFFFGGHHQQ"},
        {"bsd-right", "AAAJJBCCCLLLMMMFFFGGHHIQ"},
    };
    static const uint32_t isns[] = {0, 1, 0xffffffff, 0xfffffff5};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t j = 0; j < sizeof isns / sizeof isns[0]; j++) {
            traffic_t *t = open_with_policy(table[i][0], isns[j]);
            put_pieces(t, isns[j] + 2, "ABCDEFGHIJKLMNOPQ", extents);
            traffic_tcp(t, .seq = isns[j] + 1, .text = "0");
            assert_int_equal(t->text[0][0], '0');
            assert_string_equal(t->text[0] + 1, table[i][1]);
            traffic_close(t);
        }
}

/* What tells a stored piece as it arrived from what is left of it. */
static void a_rule_looks_at_what_is_left_of_the_stored_piece(void **state)
{
    static const struct {
        const char *policy;
        uint32_t extents[3][2];
        const char *result;
    } table[] = {
        {"linux", {{1, 2}, {0, 2}, {1, 2}}, "BBC"},
        {"linux-old", {{1, 2}, {0, 2}, {2, 1}}, "BBC"},
        {"solaris", {{1, 2}, {0, 2}, {0, 1}}, "CAA"},
        {"bsd", {{0, 1}, {0, 2}, {0, 2}}, "AC"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        traffic_t *t = open_with_policy(table[i].policy, 0);
        put_pieces(t, 2, "ABC", table[i].extents);
        traffic_tcp(t, .seq = 1, .text = "0");
        assert_string_equal(t->text[0] + 1, table[i].result);
        traffic_close(t);
    }
}

/* A conflict, as text. */
static void note_conflict(const qcap_conflict_t *conflict, void *user)
{
    char *text = user;
    size_t len = strlen(text), count = (size_t)(conflict->end_offset - conflict->begin_offset);
    snprintf(text + len, 256 - len, "%d %.*s/%.*s of %d and %d: %s, ", (int)conflict->begin_offset, (int)count,
             (const char *)conflict->stored, (int)count, (const char *)conflict->newcomer,
             (int)qcap_packet_number(conflict->stored_packet), (int)qcap_packet_number(conflict->newcomer_packet),
             conflict->is_newcomer_kept ? "newcomer" : "stored");
}

static void a_conflict_is_shown_with_both_versions(void **state)
{
    traffic_t *t = *state;
    char text[256] = "";
    assert_int_equal(qcap_set_policy(t->q, NULL, "bsd"), 0);
    assert_int_equal(qcap_conflict_handler_add(t->q, note_conflict, text), 0);
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 2, .text = "abc");
    traffic_tcp(t, .seq = C + 2, .text = "abc"); /* a copy */
    traffic_tcp(t, .seq = C + 1, .text = "-xyz");
    traffic_tcp(t, .seq = C + 3, .text = "!!!");
    traffic_tcp(t, .seq = C, .text = "-");
    assert_string_equal(t->text[0], "--xyz!");
    assert_string_equal(text, "2 abc/xyz of 4 and 6: newcomer, 3 yz/!! of 6 and 7: stored, ");
    assert_int_equal(qcap_conflict_handler_add(t->q, note_conflict, text), QCAP_E_STATE);
}

static void a_late_copy_is_compared_with_what_was_delivered(void **state)
{
    traffic_t *t = *state;
    char text[256] = "";
    qcap_stats_t stats;
    assert_int_equal(qcap_conflict_handler_add(t->q, note_conflict, text), 0);
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C + 3, .text = "def");
    traffic_tcp(t, .seq = C, .text = "abcdef");
    assert_string_equal(text, "");
    traffic_tcp(t, .seq = C + 1, .text = "bXdeYgh");
    assert_string_equal(t->text[0], "abcdefgh");
    assert_string_equal(text, "1 bc/bX of 4 and 7: stored, 3 def/deY of 5 and 7: stored, ");
    qcap_stats(t->q, &stats);
    assert_int_equal(stats.conflicting_bytes, 2);
    assert_int_equal(stats.retransmitted_bytes, 6 + 5);
}

static void what_is_kept_to_compare_with_is_bounded(void **state)
{
    traffic_t *t = *state;
    char text[256] = "";
    static char bytes[1000];
    qcap_stats_t stats;
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(qcap_conflict_handler_add(t->q, note_conflict, text), 0);
    traffic_handshake(t);
    for (uint32_t i = 0; i < 200; i++) {
        traffic_tcp(t, .seq = C + 1000 * i, .text = bytes, .len = sizeof bytes);
        traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 1000 * (i + 1));
    }
    qcap_stats(t->q, &stats);
    assert_true(stats.memory < 60000);
    traffic_tcp(t, .seq = C + 150000, .text = "Y"); /* too old */
    traffic_tcp(t, .seq = C + 190000, .text = "Y");
    assert_string_equal(text, "190000 x/Y of 384 and 405: stored, ");
    qcap_finish(t->q);
    qcap_stats(t->q, &stats);
    assert_true(stats.memory < 30000);
}

static void a_conflict_is_counted(void **state)
{
    traffic_t *t = *state;
    qcap_stats_t stats;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 1, .text = "same");
    traffic_tcp(t, .seq = C + 1, .text = "sane");
    qcap_stats(t->q, &stats);
    assert_int_equal(stats.conflicting_bytes, 1);
    assert_int_equal(stats.retransmitted_bytes, 4);
    assert_int_equal(stats.stages[QCAP_STAGE_TCP_OVERLAP], 1);
}

static void the_receivers_network_chooses_the_policy(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set_policy(t->q, NULL, "first"), 0);
    assert_int_equal(qcap_set_policy(t->q, "10.0.0.0/8", "first"), 0);
    assert_int_equal(qcap_set_policy(t->q, "10.0.0.2", "last"), 0);
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 1, .text = "old");
    traffic_tcp(t, .seq = C + 1, .text = "new");
    traffic_tcp(t, .seq = C, .text = "-");
    traffic_tcp(t, .from_server = true, .seq = S + 1, .text = "old");
    traffic_tcp(t, .from_server = true, .seq = S + 1, .text = "new");
    traffic_tcp(t, .from_server = true, .seq = S, .text = "-");
    assert_string_equal(t->text[0], "-new");
    assert_string_equal(t->text[1], "-old");
}

/* ---------------------------------------------------------------- holes */

static void a_hole_is_given_up_when_it_was_acknowledged_and_time_has_passed(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C + 13, .text = "xyz");
    traffic_wait_ms(t, 60000);
    traffic_tcp(t, .seq = C + 16, .text = "!");
    assert_string_equal(t->text[0], "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 17);
    assert_string_equal(t->text[0], "abc");
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 17);
    assert_string_equal(t->text[0], "abc[10]xyz!");
}

static void an_ack_may_overtake_its_data(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "answer");
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .seq = C + 3, .ack = S + 6, .text = "d");
    assert_string_equal(t->text[0], "abcd");
    assert_string_equal(t->text[1], "answer");
}

static void several_holes_are_given_up_together(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    for (uint32_t i = 0; i < 3; i++)
        traffic_tcp(t, .seq = C + 2 + 3 * i, .text = "x");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 9);
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 9);
    assert_string_equal(t->text[0], "[2]x[2]x[2]x");
}

static void a_lost_fin_is_no_hole(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 4);
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 4);
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "abc$");
}

static void what_the_capture_cut_off_is_a_gap_without_waiting(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "abcdef", .snap = 4);
    assert_string_equal(t->text[0], "ab");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 6);
    assert_string_equal(t->text[0], "ab[4]");
    traffic_tcp(t, .seq = C + 6, .text = "g");
    assert_string_equal(t->text[0], "ab[4]g");
}

static void a_direction_that_was_not_captured_has_no_gaps(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .seq = C, .ack = S, .text = "a");
    traffic_tcp(t, .seq = C + 1, .ack = S + 500, .text = "b");
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .seq = C + 2, .ack = S + 900, .text = "c");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "abc$");
    assert_string_equal(t->text[1], "$");
}

static void an_ack_far_beyond_the_window_is_not_believed(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 0x20000000u);
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    assert_string_equal(t->text[0], "abc");
}

static void acknowledgements_alone_lead_over_gigabytes(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .scale = 14);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C, .scale = 14);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3); /* a window of 1 GB */
    for (uint32_t i = 1; i <= 10; i++) /* 5 GB in less than the time of a hole */
        traffic_tcp(t, .from_server = true, .seq = S, .ack = C + i * 500000000u);
    traffic_tcp(t, .seq = C + 5000000000u % 0x100000000u, .ack = S, .text = "xyz");
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + (uint32_t)5000000003u);
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + (uint32_t)5000000003u);
    qcap_finish(t->q);
    qcap_stats_t stats;
    qcap_stats(t->q, &stats);
    assert_int_equal(stats.gap_bytes, 5000000000u - 3);
    assert_memory_equal(t->text[0], "abc[", 4);
    assert_string_equal(strrchr(t->text[0], ']'), "]xyz$");
}

/* Nothing of either direction was captured for a while: see note [lost bursts]. */
static void a_burst_that_was_lost_in_both_directions_is_a_gap(void **state)
{
    static const uint32_t lost[] = {200000, 5000000, 1500000000, 3000000000};
    (void)state;
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        for (int ack_is_first = 0; ack_is_first < 2; ack_is_first++) {
            traffic_t *t = traffic_open();
            qcap_stats_t stats;
            uint32_t there = C + 3 + lost[i];
            traffic_handshake(t);
            traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
            traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
            if (ack_is_first)
                traffic_tcp(t, .from_server = true, .seq = S, .ack = there);
            traffic_tcp(t, .seq = there, .ack = S, .text = "def");
            traffic_tcp(t, .seq = there + 3, .ack = S, .text = "ghi");
            traffic_tcp(t, .from_server = true, .seq = S, .ack = there + 6, .text = "ok");
            traffic_tcp(t, .seq = there + 6, .ack = S + 2, .text = "jkl");
            traffic_tcp(t, .flags = "FA", .seq = there + 9, .ack = S + 2);
            qcap_stats(t->q, &stats);
            assert_int_equal(stats.gap_bytes, ack_is_first ? lost[i] : lost[i] + 6);
            assert_string_equal(strrchr(t->text[0], ']'), ack_is_first ? "]defghijkl." : "]jkl.");
            assert_string_equal(t->text[1], "ok");
            traffic_close(t);
        }
}

static void bytes_outside_the_window_that_nobody_acknowledges_are_no_way_on(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C);
    traffic_tcp(t, .seq = C + 1000000, .ack = S, .text = "forged");
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 2000000); /* nor this, of bytes elsewhere */
    traffic_tcp(t, .seq = C + 3, .ack = S, .text = "def");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "abcdef$");
}

static void a_first_ack_far_beyond_the_syn_is_not_believed(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C + 77777, .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .seq = C, .ack = S + 400000000, .checksum = TRAFFIC_BAD);
    traffic_wait_ms(t, 2000);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "ok");
    assert_string_equal(t->text[0], "abc");
    assert_string_equal(t->text[1], "ok");
}

static void a_lost_fin_behind_doubtful_bytes_is_no_hole(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 2, .text = "edited", .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 9);
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 9);
    assert_string_equal(t->text[0], "[2]edited");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "[2]edited$");
}

static void bytes_before_the_first_number_met_count_if_nothing_was_read(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 333);
    traffic_tcp(t, .from_server = true, .seq = 700, .ack = 333, .text = "served");
    traffic_tcp(t, .from_server = true, .seq = 706, .ack = 333, .text = " more");
    assert_string_equal(t->text[1], "served more");
}

static void queued_bytes_come_at_the_end_of_the_capture(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 2, .text = "x");
    traffic_tcp(t, .seq = C + 5, .flags = "FA", .text = "y");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "[2]x[2]y.");
    assert_string_equal(t->text[1], "$");
}

/* ---------------------------------------------------------------- the window */

static void bytes_far_beyond_the_window_are_not_taken(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C, .window = 1000);
    traffic_tcp(t, .seq = C + 200000, .text = "far");
    traffic_tcp(t, .seq = C + 60000, .text = "near");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_OUTSIDE), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_QUEUED), 1);
}

static void windows_are_scaled_if_both_sides_say_so(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .scale = 2);
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C, .scale = 8);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C, .window = 60000);
    traffic_tcp(t, .seq = C + 15000000, .text = "far"); /* 60000 << 8 = 15360000 */
    traffic_tcp(t, .from_server = true, .seq = S + 1000000, .ack = C, .text = "far");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_QUEUED), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_OUTSIDE), 1);
}

/* ---------------------------------------------------------------- the end */

static void a_fin_ends_its_direction_only(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S, .text = "bye");
    assert_string_equal(t->text[0], "bye.");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 4, .text = "still here");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S + 10, .ack = C + 4);
    assert_string_equal(t->text[1], "still here.");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_CLOSED), 2);
}

static void a_fin_waits_for_what_is_before_it(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C + 3);
    assert_string_equal(t->text[0], "");
    traffic_tcp(t, .seq = C, .text = "abc");
    assert_string_equal(t->text[0], "abc.");
}

static void bytes_behind_a_fin_are_not_taken(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .text = "abc");
    traffic_tcp(t, .seq = C + 3, .text = "def");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "abc.");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_OUTSIDE), 1);
}

static void a_reset_ends_both_directions_after_a_while(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .flags = "R", .seq = C + 3);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "late");
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_RESET), 1);
    traffic_wait_ms(t, 10001);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 40001);
    assert_string_equal(t->text[0], "abc!");
    assert_string_equal(t->text[1], "late!");
}

static void a_reset_with_an_old_number_is_ignored(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
    traffic_tcp(t, .flags = "R", .seq = C + 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_RESET), 0);
    assert_int_equal(traffic_count(t, QCAP_STAGE_TCP_OUTSIDE), 1);
}

static void a_sender_that_goes_on_did_not_reset(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "R", .seq = C);
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    traffic_wait_ms(t, 30000);
    traffic_tcp(t, .seq = C + 3, .ack = S, .text = "def");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "abcdef$");
}

static void send_end(traffic_t *t, unsigned which)
{
    bool from_server = which & 1;
    traffic_tcp(t, .from_server = from_server, .flags = which & 2 ? "R" : "FA", .seq = from_server ? S + 2 : C + 3,
                .ack = from_server ? C + 3 : S + 2);
}

/* FIN and RST of both sides: all orders of any of them. What was said before stays, each direction ends once, and the next SYN
 * opens another conversation. */
static void fins_and_resets_come_in_any_order(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 4 * 4 * 4 * 4; order++)
        for (unsigned count = 1; count <= 4; count++) {
            traffic_t *t = traffic_open();
            unsigned seen = 0;
            traffic_handshake(t);
            traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
            traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "de");
            for (unsigned i = 0; i < count; i++) {
                send_end(t, order >> 2 * i & 3);
                seen |= 1u << (order >> 2 * i & 3);
            }
            bool is_reset = seen & 0xc, is_closed = is_reset || (seen & 3) == 3;
            if (!is_closed)
                traffic_wait_ms(t, 3600001);
            traffic_tcp(t, .flags = "S", .seq = 90000);
            traffic_tcp(t, .from_server = true, .flags = "SA", .seq = 80000, .ack = 90001);
            traffic_tcp(t, .seq = 90001, .ack = 80001, .text = "two");
            for (int i = 0; i < 2; i++) {
                const char *said = i ? "de" : "abc", *next = i ? "" : "two";
                size_t len = strlen(said);
                assert_memory_equal(t->text[i], said, len);
                assert_non_null(strchr(is_reset ? ".!" : is_closed ? "." : ".~", t->text[i][len]));
                assert_string_equal(t->text[i] + len + 1, next);
            }
            traffic_close(t);
        }
}

/* ---------------------------------------------------------------- the beginning */

static void a_server_may_answer_data_of_the_syn_at_once(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .text = "GET");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C + 3);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "200");
    traffic_tcp(t, .seq = C + 3, .ack = S + 3, .text = "!");
    assert_string_equal(t->text[0], "GET!");
    assert_string_equal(t->text[1], "200");
}

static void a_syn_with_data_may_come_twice(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .text = "GET");
    traffic_tcp(t, .flags = "S", .seq = C - 1, .text = "GET");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C + 3);
    traffic_tcp(t, .seq = C + 3, .ack = S, .text = "!");
    assert_string_equal(t->text[0], "GET!");
}

static void data_on_the_syn_counts_if_the_server_took_it(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .text = "early");
    assert_string_equal(t->text[0], "");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C + 5);
    assert_string_equal(t->text[0], "early");
    traffic_tcp(t, .seq = C + 5, .ack = S, .text = "more");
    assert_string_equal(t->text[0], "earlymore");
}

static void data_on_the_syn_that_was_refused_comes_again(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .text = "EARLY");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    traffic_tcp(t, .seq = C, .ack = S, .text = "later");
    assert_string_equal(t->text[0], "later");
}

static void a_conversation_is_picked_up_in_the_middle(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 333, .text = "served");
    traffic_tcp(t, .seq = 333, .ack = 783, .text = "asked");
    assert_string_equal(t->text[1], "served");
    assert_string_equal(t->text[0], "asked");
}

static void the_first_bytes_met_may_be_older_than_their_ack(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 338);
    traffic_tcp(t, .seq = 333, .ack = 777, .text = "asked");
    assert_string_equal(t->text[0], "asked");
}

static void what_was_on_its_way_when_the_capture_began_is_no_gap(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 333);
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 400);
    traffic_tcp(t, .seq = 500, .ack = 777, .text = "asked");
    traffic_tcp(t, .from_server = true, .seq = 777, .ack = 505);
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .seq = 505, .ack = 777, .text = " more");
    assert_string_equal(t->text[0], "asked more");
}

static void the_ack_of_a_syn_ack_tells_the_beginning(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .seq = C, .ack = S);
    traffic_tcp(t, .from_server = true, .seq = S + 3, .ack = C, .text = "def");
    traffic_tcp(t, .seq = C, .ack = S + 6);
    traffic_wait_ms(t, 5000);
    traffic_tcp(t, .seq = C, .ack = S + 6);
    assert_string_equal(t->text[1], "[3]def");
}

/* ---------------------------------------------------------------- checksums */

static void a_wrong_checksum_of_a_sender_who_has_them_right_is_believed(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "evil", .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .seq = C, .text = "good");
    assert_string_equal(t->text[0], "good");
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), 1);
}

static void a_wrong_checksum_is_not_believed_if_nothing_else_fills_the_hole(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "edited", .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 6, .text = "ok");
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S + 2, .ack = C + 6);
    assert_string_equal(t->text[0], "edited");
}

static void a_wrong_checksum_is_not_rescued_without_an_ack(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .text = "edited", .checksum = TRAFFIC_BAD);
    traffic_tcp(t, .seq = C + 6, .text = "rest");
    qcap_finish(t->q);
    assert_string_equal(t->text[0], "[6]rest$");
}

static void a_sender_without_right_checksums_loses_nothing(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1, .checksum = TRAFFIC_PARTIAL);
    traffic_tcp(t, .seq = C, .text = "a", .checksum = TRAFFIC_PARTIAL);
    traffic_tcp(t, .seq = C + 1, .text = "b", .checksum = TRAFFIC_ZERO);
    traffic_tcp(t, .seq = C + 2, .text = "c", .checksum = TRAFFIC_BAD);
    assert_string_equal(t->text[0], "abc");
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), 1);
}

static void checksums_can_be_verified_strictly_or_ignored(void **state)
{
    traffic_t *t = *state, *u = traffic_open();
    assert_int_equal(qcap_set(t->q, "checksums=verify"), 0);
    assert_int_equal(qcap_set(u->q, "checksums=ignore"), 0);
    traffic_tcp(t, .seq = C, .text = "x", .checksum = TRAFFIC_BAD);
    traffic_handshake(u);
    traffic_tcp(u, .seq = C, .text = "x", .checksum = TRAFFIC_BAD);
    assert_string_equal(t->text[0], "");
    assert_string_equal(u->text[0], "x");
    assert_int_equal(traffic_count(u, QCAP_STAGE_BAD_CHECKSUM), 0);
    traffic_close(u);
}

static void ipv6_conversations_are_reassembled_alike(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .is_ipv6 = true, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .is_ipv6 = true, .seq = C + 1, .text = "b");
    traffic_tcp(t, .is_ipv6 = true, .seq = C, .text = "a");
    assert_string_equal(t->text[0], "ab");
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), 0);
}

/* ---------------------------------------------------------------- any order */

/* The same numbers on every machine. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static char letter_at(uint32_t offset)
{
    return (char)('a' + (offset * 7 + offset / 26) % 26);
}

#define STREAM_LEN 3000u

/* Sends [begin, end) of the stream. */
static void send_part(traffic_t *t, uint32_t isn, uint32_t begin, uint32_t end)
{
    char text[64];
    for (uint32_t i = begin; i < end; i++)
        text[i - begin] = letter_at(i);
    traffic_tcp(t, .seq = isn + 1 + begin, .text = text, .len = end - begin);
}

/* Sends the stream in parts of any length, out of order by some hundred bytes, with copies that are cut elsewhere. */
static void send_in_disorder(traffic_t *t, uint32_t isn, uint32_t seed)
{
    uint32_t sent[STREAM_LEN] = {0}, missing = STREAM_LEN, from = 0;
    while (missing > 0) {
        uint32_t begin = from + next_random(&seed) % 400, end = begin + 1 + next_random(&seed) % 60;
        begin = begin < STREAM_LEN ? begin : STREAM_LEN - 1;
        end = end < STREAM_LEN ? end : STREAM_LEN;
        send_part(t, isn, begin, end);
        for (uint32_t i = begin; i < end; i++)
            missing -= sent[i]++ == 0;
        while (from < STREAM_LEN && sent[from])
            from++;
        if (next_random(&seed) % 8 == 0 && from < STREAM_LEN) /* what is missing does not stay missing for ever */
            send_part(t, isn, from, from + 1 < STREAM_LEN ? from + 2 : from + 1);
    }
}

static void the_order_of_segments_does_not_matter(void **state)
{
    static const char *const policies[] = {"first", "last", "bsd", "linux", "solaris"};
    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        uint32_t isn = 0xfffff000u + round * 100;
        traffic_t *t = open_with_policy(policies[round % 5], isn);
        qcap_stats_t stats;
        send_in_disorder(t, isn, round);
        assert_int_equal(strlen(t->text[0]), STREAM_LEN);
        for (uint32_t i = 0; i < STREAM_LEN; i++)
            assert_int_equal(t->text[0][i], letter_at(i));
        qcap_stats(t->q, &stats);
        assert_int_equal(stats.conflicting_bytes, 0);
        traffic_close(t);
    }
}

/* ---------------------------------------------------------------- bounds */

static void a_queue_without_end_is_delivered_with_a_gap(void **state)
{
    traffic_t *t = *state;
    static char text[60000];
    memset(text, 'x', sizeof text);
    assert_int_equal(qcap_set(t->q, "memory=1M"), 0);
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    for (uint32_t i = 0; i < 10; i++)
        traffic_tcp(t, .seq = C + 1 + i * 60000, .text = text, .len = 60000);
    qcap_stats_t stats;
    qcap_stats(t->q, &stats);
    assert_true(stats.gaps >= 1);
    assert_true(stats.stream_bytes >= 8 * 60000);
    assert_true(stats.memory < 1 << 20);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(bytes_in_order_are_delivered_at_once),
        test(a_segment_that_is_early_waits),
        test(a_copy_is_not_delivered_again),
        test(what_the_receiver_does_not_take_is_discarded),
        test(sequence_numbers_wrap),
        test(offsets_go_beyond_32_bits),
        test(a_keepalive_is_no_data),
        test(a_probe_of_a_zero_window_is_delivered_when_it_is_taken),
        test(an_urgent_byte_is_one_of_the_stream),
        test(an_urgent_byte_may_be_out_of_band),
        test(urgent_bytes_out_of_order_leave_no_hole),
        cmocka_unit_test(seventeen_pieces_as_each_policy_says),
        cmocka_unit_test(a_rule_looks_at_what_is_left_of_the_stored_piece),
        test(a_conflict_is_counted),
        test(a_conflict_is_shown_with_both_versions),
        test(a_late_copy_is_compared_with_what_was_delivered),
        test(what_is_kept_to_compare_with_is_bounded),
        test(the_receivers_network_chooses_the_policy),
        test(a_hole_is_given_up_when_it_was_acknowledged_and_time_has_passed),
        test(an_ack_may_overtake_its_data),
        test(several_holes_are_given_up_together),
        test(a_lost_fin_is_no_hole),
        test(what_the_capture_cut_off_is_a_gap_without_waiting),
        test(a_direction_that_was_not_captured_has_no_gaps),
        test(an_ack_far_beyond_the_window_is_not_believed),
        test(acknowledgements_alone_lead_over_gigabytes),
        cmocka_unit_test(a_burst_that_was_lost_in_both_directions_is_a_gap),
        test(bytes_outside_the_window_that_nobody_acknowledges_are_no_way_on),
        test(a_first_ack_far_beyond_the_syn_is_not_believed),
        test(a_lost_fin_behind_doubtful_bytes_is_no_hole),
        test(bytes_before_the_first_number_met_count_if_nothing_was_read),
        test(queued_bytes_come_at_the_end_of_the_capture),
        test(bytes_far_beyond_the_window_are_not_taken),
        test(windows_are_scaled_if_both_sides_say_so),
        test(a_fin_ends_its_direction_only),
        test(a_fin_waits_for_what_is_before_it),
        test(bytes_behind_a_fin_are_not_taken),
        test(a_reset_ends_both_directions_after_a_while),
        test(a_reset_with_an_old_number_is_ignored),
        test(a_sender_that_goes_on_did_not_reset),
        cmocka_unit_test(fins_and_resets_come_in_any_order),
        test(a_server_may_answer_data_of_the_syn_at_once),
        test(a_syn_with_data_may_come_twice),
        test(data_on_the_syn_counts_if_the_server_took_it),
        test(data_on_the_syn_that_was_refused_comes_again),
        test(a_conversation_is_picked_up_in_the_middle),
        test(the_first_bytes_met_may_be_older_than_their_ack),
        test(what_was_on_its_way_when_the_capture_began_is_no_gap),
        test(the_ack_of_a_syn_ack_tells_the_beginning),
        test(a_wrong_checksum_of_a_sender_who_has_them_right_is_believed),
        test(a_wrong_checksum_is_not_believed_if_nothing_else_fills_the_hole),
        test(a_wrong_checksum_is_not_rescued_without_an_ack),
        test(a_sender_without_right_checksums_loses_nothing),
        test(checksums_can_be_verified_strictly_or_ignored),
        test(ipv6_conversations_are_reassembled_alike),
        cmocka_unit_test(the_order_of_segments_does_not_matter),
        test(a_queue_without_end_is_delivered_with_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
