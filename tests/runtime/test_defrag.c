/* test_defrag.c: fragments become datagrams. */
#include "test.h"
#include "traffic.h"

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

#define OTHER_PROTOCOL 200 /* nothing looks into it, so that a datagram is its bytes */

/* A piece of `count` units of 8 bytes, filled with a letter. */
static void piece_of(traffic_t *t, bool is_ipv6, char letter, uint32_t offset, uint32_t count, bool is_last)
{
    unsigned char bytes[64];
    memset(bytes, letter, count * 8);
    traffic_fragment(t, .is_ipv6 = is_ipv6, .protocol = OTHER_PROTOCOL, .begin = offset * 8, .has_more = !is_last,
                     .bytes = bytes, .len = count * 8);
}

static void piece(traffic_t *t, char letter, uint32_t offset, uint32_t count, bool is_last)
{
    piece_of(t, false, letter, offset, count, is_last);
}

/* The datagram, one letter for each unit. */
static const char *units(const traffic_t *t)
{
    static char text[128];
    size_t count = t->datagram_len / 8;
    for (size_t i = 0; i < count; i++)
        text[i] = (char)t->datagram[8 * i];
    text[count] = '\0';
    return text;
}

static const char *put_together(const char *policy, bool is_ipv6, const char *letters, const uint32_t (*extents)[2])
{
    static char result[128];
    traffic_t *t = traffic_open();
    assert_int_equal(qcap_set_policy(t->q, NULL, policy), 0);
    for (size_t i = 0; letters[i]; i++)
        piece_of(t, is_ipv6, letters[i], extents[i][0], extents[i][1], letters[i + 1] == '\0');
    strcpy(result, units(t));
    traffic_close(t);
    return result;
}

static void six_and_seventeen_pieces_as_each_policy_says(void **state)
{
    static const uint32_t six[][2] = {{0, 3}, {4, 2}, {6, 3}, {1, 4}, {6, 3}, {9, 3}};
    static const uint32_t seventeen[][2] = {
        {0, 3}, {4, 2}, {6, 3}, {10, 1}, {13, 2}, {15, 3}, {18, 2}, {20, 2}, {22, 1},
        {1, 4}, {6, 3}, {9, 3}, {12, 3}, {16, 1}, {19, 1}, {20, 1}, {22, 2},
    };
    static const char *const table[][3] = {
        {"first", "111422333666", "AAAJBBCCCLDLMEEFFFGGHHIQ"},
        {"last", "144442555666", "AJJJJBKKKLLLMMMFNFGOPHQQ"},
        {"bsd", "111442333666", "AAAJJBCCCLLLMMMFFFGGHHIQ"},
        {"bsd-right", "144422555666", "AJJJBBKKKLLLMMMFFFGGHHQQ"},
        {"linux", "111442555666", "AAAJJBKKKLLLMMMFFFGGPHQQ"},
        {"windows", "111422333666", "AAAJBBCCCLLLMEEFFFGGHHIQ"},
        {"solaris", "111422333666", "AAAJBBCCCLLLMMMFFFGGHHIQ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
            assert_string_equal(put_together(table[i][0], is_ipv6, "123456", six), table[i][1]);
            assert_string_equal(put_together(table[i][0], is_ipv6, "ABCDEFGHIJKLMNOPQ", seventeen), table[i][2]);
        }
}

/* The pieces A, B, C, then one unit behind them that ends the datagram. */
static void a_rule_looks_at_what_is_left_of_the_stored_piece(void **state)
{
    static const struct {
        const char *policy;
        uint32_t extents[3][2];
        const char *result;
    } table[] = {
        {"bsd", {{0, 1}, {0, 2}, {0, 2}}, "AC"},     {"bsd-right", {{0, 2}, {1, 2}, {0, 1}}, "CBB"},
        {"linux", {{0, 2}, {0, 1}, {1, 1}}, "BC"},   {"windows", {{0, 1}, {0, 2}, {0, 3}}, "ACC"},
        {"solaris", {{0, 1}, {0, 2}, {0, 2}}, "AC"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint32_t extents[4][2];
        memcpy(extents, table[i].extents, sizeof table[i].extents);
        extents[3][0] = (uint32_t)strlen(table[i].result);
        extents[3][1] = 1;
        const char *result = put_together(table[i].policy, false, "ABC.", (const uint32_t(*)[2])extents);
        assert_memory_equal(result, table[i].result, strlen(table[i].result));
        assert_string_equal(result + strlen(table[i].result), ".");
    }
}

static void lengths_are_bytes_where_they_have_to_be(void **state)
{
    static const struct {
        char letter;
        uint32_t begin, len;
    } pieces[] = {{'A', 0, 24}, {'B', 40, 48}, {'C', 24, 48}, {'D', 88, 14}};
    traffic_t *t = *state;
    unsigned char bytes[64], expected[102];
    for (int i = 0; i < 4; i++) {
        memset(bytes, pieces[i].letter, sizeof bytes);
        traffic_fragment(t, .protocol = OTHER_PROTOCOL, .begin = pieces[i].begin, .has_more = i < 3, .bytes = bytes,
                         .len = pieces[i].len);
    }
    memset(expected, 'A', 24);
    memset(expected + 24, 'C', 48);
    memset(expected + 72, 'B', 16);
    memset(expected + 88, 'D', 14);
    assert_int_equal(t->datagram_len, sizeof expected);
    assert_memory_equal(t->datagram, expected, sizeof expected);
}

static void note_conflict(const qcap_conflict_t *conflict, void *user)
{
    char *text = user;
    size_t len = strlen(text);
    assert_null(conflict->str);
    snprintf(text + len, 256 - len, "%d-%d %c/%c of %d and %d: %s, ", (int)conflict->begin_offset,
             (int)conflict->end_offset, conflict->stored[0], conflict->newcomer[0],
             (int)qcap_packet_number(conflict->stored_packet), (int)qcap_packet_number(conflict->newcomer_packet),
             conflict->is_newcomer_kept ? "newcomer" : "stored");
}

static void a_conflict_is_shown_with_both_versions(void **state)
{
    traffic_t *t = *state;
    char text[256] = "";
    assert_int_equal(qcap_set_policy(t->q, NULL, "linux"), 0);
    assert_int_equal(qcap_conflict_handler_add(t->q, note_conflict, text), 0);
    piece(t, 'a', 0, 2, false);
    piece(t, 'b', 1, 2, false); /* begins behind a: a stays */
    piece(t, 'c', 0, 1, false); /* begins with it */
    piece(t, 'c', 0, 1, false);
    piece(t, 'd', 3, 1, true);
    assert_string_equal(units(t), "cabd");
    assert_string_equal(text, "8-16 a/b of 1 and 2: stored, 0-8 a/c of 1 and 3: newcomer, ");
}

/* ---------------------------------------------------------------- whole datagrams */

/* Cuts a TCP packet, without its IP header, in fragments of `unit` bytes, which come last one first. */
static void send_in_fragments(traffic_t *t, const traffic_segment_t *segment, uint32_t unit)
{
    unsigned char packet[4096];
    size_t header_len = segment->is_ipv6 ? 40 : 20;
    uint32_t len = (uint32_t)(traffic_build_tcp(packet, segment) - header_len);
    for (uint32_t begin = (len - 1) / unit * unit;; begin -= unit) {
        traffic_fragment(t, .is_ipv6 = segment->is_ipv6, .protocol = 6, .identification = 7, .begin = begin,
                         .has_more = begin + unit < len, .bytes = packet + header_len + begin,
                         .len = begin + unit < len ? unit : len - begin);
        if (begin == 0)
            break;
    }
}

static void fragments_of_segments_are_reassembled(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "checksums=verify"), 0);
    traffic_tcp(t, .flags = "S", .seq = 99);
    send_in_fragments(t, &(traffic_segment_t){.seq = 100, .text = "in several fragments"}, 8);
    assert_string_equal(t->text[0], "in several fragments");
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_CHECKSUM), 0);
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 1);
}

static void ipv6_fragments_are_reassembled(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "checksums=verify"), 0);
    send_in_fragments(t, &(traffic_segment_t){.is_ipv6 = true, .flags = "S", .seq = 99, .text = "syn data"}, 16);
    send_in_fragments(t, &(traffic_segment_t){.is_ipv6 = true, .seq = 108, .text = " and more"}, 16);
    assert_string_equal(t->text[0], "syn data and more");
}

static void check_constituents(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    assert_int_equal(qcap_packet_stage(packet), stage);
    assert_int_equal(qcap_packet_flags(packet), QCAP_PACKET_ARTIFICIAL);
    assert_int_equal(qcap_packet_constituent_count(packet), 2);
    assert_int_equal(qcap_packet_number(packet), 2);
    assert_int_equal(qcap_packet_number(qcap_packet_constituent(packet, 0)), 1);
    assert_true(qcap_packet_flags(qcap_packet_constituent(packet, 1)) & QCAP_PACKET_FRAGMENT);
    assert_null(qcap_packet_constituent(packet, 2));
    *(int *)user += 1;
}

static void a_datagram_knows_its_fragments(void **state)
{
    traffic_t *t = *state;
    int calls = 0;
    qcap_packet_handler_add(t->q, QCAP_STAGE_DEFRAGMENTED, check_constituents, &calls);
    piece(t, 'b', 1, 1, true);
    piece(t, 'a', 0, 1, false);
    assert_int_equal(calls, 1);
    assert_string_equal(units(t), "ab");
}

static void count_constituents(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    char *text = user;
    (void)stage;
    for (size_t i = 0; i < qcap_packet_constituent_count(packet); i++)
        snprintf(text + strlen(text), 64 - strlen(text), "%d ", (int)qcap_packet_number(qcap_packet_constituent(packet, i)));
}

/* Copies and fragments whose bytes all lost are constituents, too; those that were refused are none. */
static void all_fragments_that_came_for_a_datagram_are_its_constituents(void **state)
{
    traffic_t *t = *state;
    char text[64] = "";
    qcap_packet_handler_add(t->q, QCAP_STAGE_DEFRAGMENTED, count_constituents, text);
    piece(t, 'c', 2, 1, true);
    piece(t, 'b', 1, 1, false);
    piece(t, 'b', 1, 1, false);
    piece(t, 'x', 3, 1, false); /* behind the end */
    traffic_fragment(t, .protocol = OTHER_PROTOCOL, .identification = 9, .has_more = true, .bytes = "elsewhere", .len = 8);
    piece(t, 'B', 1, 1, false); /* wins */
    piece(t, 'a', 0, 1, false);
    assert_string_equal(text, "1 2 3 6 7 ");
    assert_string_equal(units(t), "aBc");
}

static void the_time_a_datagram_has_can_be_set(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "timeout.fragment=100ms"), 0);
    piece(t, 'a', 0, 1, false);
    traffic_wait_ms(t, 90);
    piece(t, 'b', 1, 1, false); /* counts from the first one */
    traffic_wait_ms(t, 20);
    piece(t, 'c', 2, 1, true);
    assert_int_equal(traffic_count(t, QCAP_STAGE_FRAGMENT_EXPIRED), 2);
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 0);
}

static void the_receivers_network_chooses_the_policy(void **state)
{
    static const char *const networks[] = {"10.0.0.0/8", "10.0.0.2"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        traffic_t *t = traffic_open();
        assert_int_equal(qcap_set_policy(t->q, NULL, "first"), 0);
        assert_int_equal(qcap_set_policy(t->q, "10.0.0.1", "first"), 0); /* the sender's */
        assert_int_equal(qcap_set_policy(t->q, networks[i], "last"), 0);
        piece(t, 'a', 0, 2, false);
        piece(t, 'b', 1, 2, true);
        assert_string_equal(units(t), "abb");
        traffic_close(t);
    }
}

static void datagrams_are_told_apart(void **state)
{
    traffic_t *t = *state;
    traffic_fragment(t, .protocol = 200, .identification = 1, .has_more = true, .bytes = "aaaaaaaa", .len = 8);
    traffic_fragment(t, .protocol = 200, .identification = 2, .begin = 8, .bytes = "bbbbbbbb", .len = 8);
    traffic_fragment(t, .protocol = 201, .identification = 1, .begin = 8, .bytes = "cccccccc", .len = 8);
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 0);
    traffic_fragment(t, .protocol = 200, .identification = 1, .begin = 8, .bytes = "dddddddd", .len = 8);
    assert_string_equal(units(t), "ad");
}

/* ---------------------------------------------------------------- what is wrong */

static void a_datagram_that_is_late_expires(void **state)
{
    traffic_t *t = *state;
    piece(t, 'a', 0, 1, false);
    traffic_wait_ms(t, 30001);
    piece(t, 'b', 1, 1, true);
    assert_int_equal(traffic_count(t, QCAP_STAGE_FRAGMENT_EXPIRED), 1);
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 0);
}

static void fragments_that_contradict_each_other_are_refused(void **state)
{
    traffic_t *t = *state;
    piece(t, 'a', 0, 1, false);
    piece(t, 'b', 3, 1, true);  /* ends at 4 */
    piece(t, 'c', 5, 1, false); /* behind the end */
    piece(t, 'd', 4, 1, true);  /* another end */
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_HEADER), 2);
    piece(t, 'e', 1, 2, false);
    assert_string_equal(units(t), "aeeb");
}

/* The last fragment ends at 4; then come some that reach behind it. */
static void fragments_are_trimmed_at_the_end_if_the_policy_says_so(void **state)
{
    static const uint32_t extents[][2] = {{3, 1}, {5, 1}, {2, 4}, {0, 2}};
    const char *const trimming[] = {"first", "last", "windows", "solaris"}, *const refusing[] = {"linux", "bsd", "macos"};
    (void)state;
    for (size_t i = 0; i < 4 + 3; i++) {
        traffic_t *t = traffic_open();
        bool trims = i < 4;
        assert_int_equal(qcap_set_policy(t->q, NULL, trims ? trimming[i] : refusing[i - 4]), 0);
        for (size_t j = 0; j < 4; j++)
            piece(t, "abcd"[j], extents[j][0], extents[j][1], j == 0);
        assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), trims);
        assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_HEADER), trims ? 1 : 2);
        if (trims)
            assert_string_equal(units(t), i == 0 ? "ddca" : "ddcc");
        traffic_close(t);
    }
}

static void a_policy_of_ones_own_says_what_is_done_with_ends(void **state)
{
    static const char *const ends[] = {NULL, "refuse", "trim"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        traffic_t *t = traffic_open();
        assert_int_equal(qcap_policy_add(t->q, &(qcap_policy_t){"mine", "sssssssss", "sssssssss", ends[i]}), 0);
        assert_int_equal(qcap_set_policy(t->q, NULL, "mine"), 0);
        piece(t, 'a', 1, 1, true);
        piece(t, 'b', 0, 3, false);
        assert_string_equal(units(t), i == 2 ? "ba" : "");
        traffic_close(t);
    }
}

/* What lies behind the end came before it was told; a second end changes nothing. */
static void the_last_fragment_may_trim_what_came_before(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set_policy(t->q, NULL, "first"), 0);
    piece(t, 'a', 1, 2, false);
    piece(t, 'b', 4, 2, false);
    piece(t, 'c', 3, 4, false);
    piece(t, 'd', 3, 1, true);
    piece(t, 'e', 3, 2, true);
    piece(t, 'f', 0, 1, false);
    assert_string_equal(units(t), "faac");
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 1);
    traffic_fragment(t, .protocol = OTHER_PROTOCOL, .identification = 9, .has_more = true, .bytes = "bbbbbbbbcccccccc",
                     .len = 16);
    traffic_fragment(t, .protocol = OTHER_PROTOCOL, .identification = 9, .begin = 8, .bytes = "d", .len = 1);
    assert_int_equal(t->datagram_len, 9); /* complete by being cut */
    assert_memory_equal(t->datagram, "bbbbbbbbc", 9);
}

static void fragments_that_no_datagram_can_have_are_refused(void **state)
{
    traffic_t *t = *state;
    static unsigned char bytes[64];
    traffic_fragment(t, .begin = 65528, .has_more = true, .bytes = bytes, .len = 16);
    traffic_fragment(t, .begin = 0, .has_more = true, .bytes = bytes, .len = 7);
    assert_int_equal(traffic_count(t, QCAP_STAGE_BAD_HEADER), 2);
    traffic_fragment(t, .identification = 1, .begin = 65520, .bytes = bytes, .len = 8);
    for (uint32_t begin = 0; begin < 65520; begin += 65520 / 9)
        traffic_fragment(t, .identification = 1, .begin = begin, .has_more = true, .bytes = (unsigned char[7280]){0},
                         .len = 65520 / 9);
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 0); /* header and data are longer than a datagram */
}

/* Two fragments at the beginning, then the rest. */
static void send_twice(traffic_t *t, uint32_t id, const char *first, const char *second)
{
    const char *texts[] = {first, second};
    for (int i = 0; i < 2; i++)
        traffic_fragment(t, .is_ipv6 = true, .protocol = OTHER_PROTOCOL, .identification = id, .has_more = true,
                         .bytes = texts[i], .len = 8);
    traffic_fragment(t, .is_ipv6 = true, .protocol = OTHER_PROTOCOL, .identification = id, .begin = 8,
                     .bytes = "cccccccc", .len = 8);
}

static void ipv6_overlaps_discard_the_datagram_if_strict(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set(t->q, "ipv6.overlap=discard"), 0);
    send_twice(t, 1, "aaaaaaaa", "bbbbbbbb");
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 0);
    send_twice(t, 2, "aaaaaaaa", "aaaaaaaa"); /* an exact copy does no harm */
    assert_int_equal(traffic_count(t, QCAP_STAGE_DEFRAGMENTED), 1);
}

static void ipv6_overlaps_follow_the_policy_otherwise(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_set_policy(t->q, "2001:db8::/32", "last"), 0);
    send_twice(t, 1, "aaaaaaaa", "bbbbbbbb");
    assert_string_equal(units(t), "bc");
}

static void the_oldest_go_when_memory_is_short(void **state)
{
    traffic_t *t = *state;
    static unsigned char bytes[8192];
    assert_int_equal(qcap_set(t->q, "memory=1M"), 0);
    for (uint32_t id = 0; id < 500; id++)
        traffic_fragment(t, .identification = id, .has_more = true, .bytes = bytes, .len = sizeof bytes);
    qcap_stats_t stats;
    qcap_stats(t->q, &stats);
    assert_true(stats.stages[QCAP_STAGE_FRAGMENT_EXPIRED] > 300);
    assert_true(stats.memory_peak <= 1 << 20);
}

static void a_datagram_of_too_many_fragments_is_dropped(void **state)
{
    traffic_t *t = *state;
    for (uint32_t i = 0; i < 2000; i++)
        traffic_fragment(t, .begin = 8 * i, .has_more = true, .bytes = "12345678", .len = 8);
    assert_int_equal(traffic_count(t, QCAP_STAGE_NO_MEMORY), 1025);
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    traffic_t *t = *state;
    for (uint32_t id = 0; id < 20000; id++)
        traffic_fragment(t, .is_ipv6 = true, .identification = id, .has_more = true, .bytes = "12345678", .len = 8);
    assert_int_equal(traffic_count(t, QCAP_STAGE_FRAGMENT_EXPIRED), 20000 - 16384);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_and_seventeen_pieces_as_each_policy_says),
        cmocka_unit_test(a_rule_looks_at_what_is_left_of_the_stored_piece),
        test(lengths_are_bytes_where_they_have_to_be),
        test(a_conflict_is_shown_with_both_versions),
        test(fragments_of_segments_are_reassembled),
        test(ipv6_fragments_are_reassembled),
        test(a_datagram_knows_its_fragments),
        test(all_fragments_that_came_for_a_datagram_are_its_constituents),
        test(the_time_a_datagram_has_can_be_set),
        cmocka_unit_test(the_receivers_network_chooses_the_policy),
        test(datagrams_are_told_apart),
        test(a_datagram_that_is_late_expires),
        test(fragments_that_contradict_each_other_are_refused),
        cmocka_unit_test(fragments_are_trimmed_at_the_end_if_the_policy_says_so),
        cmocka_unit_test(a_policy_of_ones_own_says_what_is_done_with_ends),
        test(the_last_fragment_may_trim_what_came_before),
        test(fragments_that_no_datagram_can_have_are_refused),
        test(ipv6_overlaps_discard_the_datagram_if_strict),
        test(ipv6_overlaps_follow_the_policy_otherwise),
        test(the_oldest_go_when_memory_is_short),
        test(a_datagram_of_too_many_fragments_is_dropped),
        test(the_oldest_go_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
