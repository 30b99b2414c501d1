/* test_tcpstr.c: bytes and positions; what is held, and until when. */
#include "handle.h"
#include "test.h"
#include "traffic.h"

#define C TRAFFIC_CLIENT_SEQ
#define S TRAFFIC_SERVER_SEQ

/* What the test does in on_data, and what it has kept. */
typedef struct fixture {
    traffic_t *t;
    qcap_tcpstr_t *client;     /* borrowed, once met */
    uint64_t copy_at;          /* copy a position when this offset is delivered */
    qcap_tcpstr_pos_t *copied; /* the copy; NULL: not yet */
    uint64_t packet_number;    /* of the packet that was at hand then */
    uint64_t before;           /* memory in use when nothing was kept */
} fixture_t;

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    fixture_t *f = user;
    (void)bytes;
    if (qcap_tcpstr_is_server(str))
        return;
    f->client = str;
    if (!f->copied && offset <= f->copy_at && f->copy_at < offset + len) {
        qcap_tcpstr_pos_t at_hand = qcapint_tcpstr_pos(str, f->copy_at);
        f->copied = qcap_tcpstr_pos_copy(&at_hand);
        f->packet_number = qcap_packet_number(packet);
    }
}

static int setup(void **state)
{
    static const qcap_tap_t tap = {.on_data = on_data};
    fixture_t *f = calloc(1, sizeof *f);
    f->t = traffic_open();
    f->copy_at = UINT64_MAX;
    qcap_tap_add(f->t->q, &tap, f);
    traffic_handshake(f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    qcap_tcpstr_pos_free(f->copied);
    traffic_close(f->t);
    free(f);
    return 0;
}

static void say(fixture_t *f, uint32_t offset, const char *text)
{
    traffic_tcp(f->t, .seq = C + offset, .text = text);
}

static uint64_t memory(const fixture_t *f)
{
    return f->t->q->budget.used;
}

/* ---------------------------------------------------------------- what is kept */

static void nothing_is_kept_that_nobody_needs(void **state)
{
    fixture_t *f = *state;
    uint64_t before = memory(f);
    say(f, 0, "abc");
    say(f, 3, "def");
    assert_int_equal(memory(f), before);
    assert_null(qcapint_rare_of(f->client)->first);
}

static void a_position_keeps_the_bytes_from_it_on(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 4;
    say(f, 0, "abc");
    say(f, 3, "def");
    say(f, 6, "ghi");
    assert_int_equal(qcap_tcpstr_pos_byte(f->copied), 'e');
    assert_int_equal(qcap_tcpstr_pos_offset(f->copied), 4);
    assert_ptr_equal(qcap_tcpstr_pos_stream(f->copied), f->client);
    assert_int_equal(qcap_packet_number(qcap_tcpstr_pos_packet(f->copied)), f->packet_number);
    assert_int_equal(qcapint_rare_of(f->client)->first->begin, 3);
}

static void a_position_that_advances_forgets(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 1;
    say(f, 0, "abc");
    say(f, 3, "def");
    uint64_t both = memory(f);
    assert_int_equal(qcap_tcpstr_pos_advance(f->copied, 4), 0);
    assert_int_equal(qcap_tcpstr_pos_byte(f->copied), 'f');
    assert_true(memory(f) < both);
    assert_int_equal(qcap_tcpstr_pos_advance(f->copied, 1), 0);
    assert_null(qcapint_rare_of(f->client)->first);
    assert_int_equal(qcap_tcpstr_pos_byte(f->copied), QCAP_E_GONE);
    assert_null(qcap_tcpstr_pos_packet(f->copied));
    assert_int_equal(qcap_tcpstr_pos_advance(f->copied, 1), QCAP_E_ARGUMENT);
    say(f, 6, "ghi");
    assert_int_equal(qcap_tcpstr_pos_byte(f->copied), 'g');
}

/* Bytes of the stream that are kept, and what the memory in use has them for: a packet is kept as long as one of its bytes is. */
static uint64_t count_kept(const fixture_t *f)
{
    uint64_t bytes = 0, size = qcapint_rare_has(qcapint_conv_of(f->client)) ? sizeof qcapint_rare_none : 0;
    for (const qcapint_segment_t *segment = qcapint_rare_of(f->client)->first; segment; segment = segment->next) {
        bytes += segment->len;
        size += sizeof *segment + sizeof(qcap_packet_t) + segment->packet->len;
    }
    for (const qcap_tcpstr_pos_t *pos = qcapint_rare_of(f->client)->positions; pos; pos = pos->next)
        size += sizeof *pos;
    assert_int_equal(memory(f), f->before + size);
    return bytes;
}

#define PIECE 10u
#define PIECES 50u

/* Positions at any places, moved and freed in any order: there are always exactly the pieces from the lowest on. */
static void positions_keep_exactly_what_is_behind_them(void **state)
{
    fixture_t *f = *state;
    qcap_tcpstr_pos_t *positions[8] = {NULL};
    uint32_t random = 1;
    f->copy_at = 0;
    f->before = memory(f);
    for (uint32_t i = 0; i < PIECES; i++)
        say(f, i * PIECE, "0123456789");
    assert_int_equal(count_kept(f), PIECES * PIECE);
    for (int i = 0; i < 8; i++) {
        positions[i] = qcap_tcpstr_pos_copy(f->copied);
        qcap_tcpstr_pos_advance(positions[i], 13u * (unsigned)i);
    }
    qcap_tcpstr_pos_free(f->copied);
    f->copied = positions[0];
    for (int step = 0; step < 200; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned which = random >> 24 & 7, count = random >> 16 & 31;
        uint64_t lowest = UINT64_MAX;
        if (step > 100 && which > 0 && positions[which]) {
            qcap_tcpstr_pos_free(positions[which]);
            positions[which] = NULL;
        } else if (positions[which] && qcap_tcpstr_pos_offset(positions[which]) + count <= PIECES * PIECE) {
            assert_int_equal(qcap_tcpstr_pos_advance(positions[which], count), 0);
        }
        for (int i = 0; i < 8; i++)
            if (positions[i] && qcap_tcpstr_pos_offset(positions[i]) < lowest)
                lowest = qcap_tcpstr_pos_offset(positions[i]);
        assert_int_equal(count_kept(f), PIECES * PIECE - lowest / PIECE * PIECE);
    }
    for (int i = 1; i < 8; i++)
        qcap_tcpstr_pos_free(positions[i]);
}

static void a_freed_position_keeps_nothing(void **state)
{
    fixture_t *f = *state;
    uint64_t before = memory(f);
    f->copy_at = 0;
    say(f, 0, "abc");
    qcap_tcpstr_pos_t *second = qcap_tcpstr_pos_copy(f->copied);
    qcap_tcpstr_pos_free(f->copied);
    assert_int_equal(qcap_tcpstr_pos_byte(second), 'a');
    qcap_tcpstr_pos_free(second);
    f->copied = NULL;
    f->copy_at = UINT64_MAX;
    assert_int_equal(memory(f), before);
}

static void queued_bytes_are_kept_without_another_copy(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 0;
    say(f, 3, "def");
    say(f, 0, "abc");
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(f->client, 6);
    size_t len;
    assert_memory_equal(qcap_tcpstr_bytes(f->copied, &end, &len), "abcdef", 6);
    assert_int_equal(len, 6);
}

static void a_position_survives_its_conversation(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 1;
    say(f, 0, "abc");
    qcap_finish(f->t->q);
    assert_int_equal(qcap_tcpstr_pos_byte(f->copied), 'b');
    assert_int_equal(qcap_tcpstr_source(qcap_tcpstr_pos_stream(f->copied))->port, 40000);
}

/* ---------------------------------------------------------------- holding, for the sink */

static void what_is_held_can_be_walked(void **state)
{
    fixture_t *f = *state;
    say(f, 0, "a");
    qcapint_tcpstr_hold(f->client, 1);
    say(f, 1, "bcd");
    say(f, 4, "efg");
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(f->client, 3);
    assert_int_equal(segment->begin, 1);
    assert_memory_equal(segment->bytes, "bcd", 3);
    assert_int_equal(qcapint_tcpstr_segment(f->client, 4)->begin, 4);
    assert_int_equal(qcapint_tcpstr_segment(f->client, 2)->begin, 1);
    assert_null(qcapint_tcpstr_segment(f->client, 7));
    qcapint_tcpstr_hold(f->client, 4);
    assert_int_equal(qcapint_rare_of(f->client)->first->begin, 4);
    assert_int_equal(qcapint_tcpstr_segment(f->client, 0)->begin, 4);
    qcapint_tcpstr_hold(f->client, UINT64_MAX);
    assert_null(qcapint_rare_of(f->client)->first);
}

static void a_segment_says_what_it_acknowledges(void **state)
{
    fixture_t *f = *state;
    traffic_tcp(f->t, .from_server = true, .seq = S, .ack = C, .text = "hello");
    traffic_tcp(f->t, .seq = C, .ack = S, .text = "a");
    qcapint_tcpstr_hold(f->client, 1);
    traffic_tcp(f->t, .seq = C + 1, .ack = S + 5, .text = "b");
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(f->client, 1);
    assert_true(segment->has_ack);
    assert_int_equal(segment->ack, 5);
}

/* ---------------------------------------------------------------- in one piece */

static void bytes_of_one_packet_are_not_copied(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 0;
    say(f, 0, "abcdef");
    qcap_tcpstr_pos_t begin = qcapint_tcpstr_pos(f->client, 2), end = qcapint_tcpstr_pos(f->client, 5);
    size_t len;
    const unsigned char *bytes = qcap_tcpstr_bytes(&begin, &end, &len);
    assert_ptr_equal(bytes, qcapint_rare_of(f->client)->first->bytes + 2);
    assert_int_equal(len, 3);
    assert_non_null(qcap_tcpstr_bytes(&begin, &begin, &len));
    assert_int_equal(len, 0);
    assert_null(qcap_tcpstr_bytes(&end, &begin, &len));
}

static void bytes_of_many_packets_are_gathered(void **state)
{
    fixture_t *f = *state;
    char text[2] = "";
    f->copy_at = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        text[0] = (char)('a' + i % 26);
        say(f, i, text);
    }
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(f->client, 10000);
    size_t len;
    const unsigned char *bytes = qcap_tcpstr_bytes(f->copied, &end, &len);
    assert_int_equal(len, 10000);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(bytes[i], 'a' + i % 26);
}

static void lost_bytes_are_in_no_piece(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 0;
    say(f, 0, "abc");
    say(f, 5, "xyz");
    traffic_tcp(f->t, .from_server = true, .seq = S, .ack = C + 8);
    traffic_wait_ms(f->t, 1001);
    traffic_tcp(f->t, .from_server = true, .seq = S, .ack = C + 8);
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(f->client, 8), hole = qcapint_tcpstr_pos(f->client, 4);
    size_t len;
    assert_null(qcap_tcpstr_bytes(f->copied, &end, &len));
    assert_int_equal(qcap_tcpstr_pos_byte(&hole), QCAP_E_GONE);
    assert_int_equal(qcapint_tcpstr_segment(f->client, 4)->begin, 5);
}

static void bytes_that_cannot_be_kept_are_lost_not_wrong(void **state)
{
    fixture_t *f = *state;
    f->copy_at = 0;
    say(f, 0, "abc");
    f->t->q->budget.fail_in = 1;
    say(f, 3, "def");
    say(f, 6, "ghi");
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(f->client, 9), third = qcapint_tcpstr_pos(f->client, 6);
    size_t len;
    assert_null(qcap_tcpstr_bytes(f->copied, &end, &len));
    assert_memory_equal(qcap_tcpstr_bytes(&third, &end, &len), "ghi", 3);
    assert_int_equal(traffic_count(f->t, QCAP_STAGE_NO_MEMORY), 1);
    assert_string_equal(f->t->text[0], "abcdefghi");
}

/* ---------------------------------------------------------------- facts */

static void a_stream_knows_its_conversation(void **state)
{
    fixture_t *f = *state;
    char text[QCAP_ENDPOINT_SIZE];
    say(f, 0, "abc");
    qcap_tcpstr_t *server = qcap_tcpstr_other(f->client);
    assert_false(qcap_tcpstr_is_server(f->client));
    assert_true(qcap_tcpstr_is_server(server));
    assert_ptr_equal(qcap_tcpstr_other(server), f->client);
    assert_string_equal(qcap_endpoint_print(qcap_tcpstr_source(f->client), text, sizeof text), "10.0.0.1:40000");
    assert_string_equal(qcap_endpoint_print(qcap_tcpstr_destination(f->client), text, sizeof text), "10.0.0.2:80");
    assert_int_equal(qcap_tcpstr_number(server), 1);
    assert_int_equal(qcap_tcpstr_offset(f->client), 3);
    assert_true(qcap_tcpstr_has_syn(f->client));
    assert_true(qcap_tcpstr_opened_ns(server) < f->t->now_ns);
    qcap_tcpstr_set_user(server, text);
    assert_ptr_equal(qcap_tcpstr_user(server), text);
    assert_null(qcap_tcpstr_user(f->client));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(nothing_is_kept_that_nobody_needs),
        test(a_position_keeps_the_bytes_from_it_on),
        test(a_position_that_advances_forgets),
        test(positions_keep_exactly_what_is_behind_them),
        test(a_freed_position_keeps_nothing),
        test(queued_bytes_are_kept_without_another_copy),
        test(a_position_survives_its_conversation),
        test(what_is_held_can_be_walked),
        test(a_segment_says_what_it_acknowledges),
        test(bytes_of_one_packet_are_not_copied),
        test(bytes_of_many_packets_are_gathered),
        test(lost_bytes_are_in_no_piece),
        test(bytes_that_cannot_be_kept_are_lost_not_wrong),
        test(a_stream_knows_its_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
