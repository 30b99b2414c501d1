/* test_decoded.c: what decoders make is bounded, in all and by what they read, at the same byte however the input is cut. */
#include <zlib.h>

#include "decoders.h"
#include "parcels.h"
#include "test.h"

#define TEXT_LEN 400000u

typedef struct outcome {
    uint64_t len;        /* bytes of the stream that have been told */
    unsigned cut_count;  /* anomalies that it is too much */
    unsigned other_count; /* any others */
    bool is_complete;    /* what comes behind it was read, too */
} outcome_t;

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    outcome_t *outcome = user;
    (void)parser;
    if (event->kind == QCAP_EVENT_PIECE && event->element == QCAP_PARCELS_ALL)
        outcome->len += event->end - event->begin;
    if (event->kind == QCAP_EVENT_ANOMALY) {
        bool is_cut = strcmp(event->text, "decoded-too-much") == 0;
        outcome->cut_count += is_cut;
        outcome->other_count += !is_cut;
    }
    outcome->is_complete |= event->kind == QCAP_EVENT_ELEMENT && event->element == QCAP_PARCELS_TITLE;
}

static void *memory(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return calloc(1, size);
    free(block);
    return NULL;
}

/* A message with TEXT_LEN times the same letter, in gzip; returns its length. */
static size_t make(unsigned char *message, size_t size)
{
    static const char after[] = ";== after\n";
    unsigned char *text = malloc(TEXT_LEN + 2), *packed = malloc(TEXT_LEN);
    assert_non_null(text);
    assert_non_null(packed);
    memset(text, 'a', TEXT_LEN + 2);
    text[0] = text[TEXT_LEN + 1] = '%';
    z_stream z = {.next_in = text, .avail_in = TEXT_LEN + 2, .next_out = packed, .avail_out = TEXT_LEN};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = (size_t)snprintf((char *)message, size, "dgzip,%lu:", (unsigned long)z.total_out);
    assert_true(len + z.total_out + sizeof after < size);
    memcpy(message + len, packed, z.total_out);
    len += z.total_out;
    memcpy(message + len, after, sizeof after - 1);
    deflateEnd(&z);
    free(text);
    free(packed);
    return len + sizeof after - 1;
}

/* One that nothing is done to, but that a decoder reads. */
static size_t make_plain(unsigned char *message, size_t size)
{
    size_t len = (size_t)snprintf((char *)message, size, "ddot-unstuff,%u:%%", TEXT_LEN + 2);
    memset(message + len, 'a', TEXT_LEN);
    return len + TEXT_LEN + (size_t)snprintf((char *)message + len + TEXT_LEN, size - len - TEXT_LEN, "%%;== after\n");
}

static outcome_t feed_message(const unsigned char *message, size_t len, uint64_t size, uint32_t ratio, size_t piece)
{
    outcome_t outcome = {0};
    qcap_parcels_t *parcels = calloc(1, sizeof *parcels);
    assert_non_null(parcels);
    qcap_parcels_init(parcels, on_event, &outcome);
    qcap_conversation_set_memory(&parcels->conversation, memory);
    qcap_conversation_set_decoders(&parcels->conversation, qcap_decoders);
    qcap_conversation_set_decoded_limits(&parcels->conversation, size, ratio);
    for (size_t at = 0; at < len; at += piece) {
        size_t more = len - at < piece ? len - at : piece;
        assert_int_equal(qcap_parser_feed(&parcels->client, message + at, more), more);
    }
    qcap_conversation_fini(&parcels->conversation);
    free(parcels);
    return outcome;
}

static outcome_t feed(uint64_t size, uint32_t ratio, size_t piece)
{
    unsigned char message[4096];
    size_t len = make(message, sizeof message);
    return feed_message(message, len, size, ratio, piece);
}

/* In particular, what a piece comes to may just fill the room that there is for it. */
static void pieces_of_any_size_are_decoded(void **state)
{
    static unsigned char message[TEXT_LEN + 100];
    size_t len = make_plain(message, sizeof message);
    (void)state;
    for (size_t piece = 1020; piece < 4100; piece += piece % 1024 < 4 || piece % 1024 >= 1020 ? 1 : 17) {
        outcome_t outcome = feed_message(message, len, 0, 0, piece);
        assert_int_equal(outcome.len, TEXT_LEN);
        assert_int_equal(outcome.other_count, 0);
        assert_true(outcome.is_complete);
    }
}

static void assert_outcome(uint64_t size, uint32_t ratio, uint64_t len, bool is_cut)
{
    static const size_t pieces[] = {1, 2, 3, 7, 100, 4096};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        outcome_t outcome = feed(size, ratio, pieces[i]);
        assert_int_equal(outcome.len, len);
        assert_int_equal(outcome.cut_count, is_cut);
        assert_int_equal(outcome.other_count, 0);
        assert_true(outcome.is_complete);
    }
}

static void without_limits_all_is_read(void **state)
{
    (void)state;
    assert_outcome(0, 0, TEXT_LEN, false);
    assert_outcome(QCAP_DECODED_SIZE, QCAP_DECODED_RATIO, TEXT_LEN, false);
}

/* The first byte is a sign in front of the stream. */
static void size_is_exact(void **state)
{
    (void)state;
    assert_outcome(1, 0, 0, true);
    assert_outcome(11, 0, 10, true);
    assert_outcome(100001, 0, 100000, true);
    assert_outcome(TEXT_LEN + 1, 0, TEXT_LEN, true);
    assert_outcome(TEXT_LEN + 2, 0, TEXT_LEN, false);
}

static void ratio_counts_at_every_64_kib(void **state)
{
    (void)state;
    assert_outcome(0, 1, 65535, true);
    assert_outcome(0, 100, 65535, true);
}

static void the_smaller_of_both_counts(void **state)
{
    (void)state;
    assert_outcome(1001, 1, 1000, true);
    assert_outcome(100001, 1, 65535, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_all_is_read),
        cmocka_unit_test(pieces_of_any_size_are_decoded),
        cmocka_unit_test(size_is_exact),
        cmocka_unit_test(ratio_counts_at_every_64_kib),
        cmocka_unit_test(the_smaller_of_both_counts),
    };
    return cmocka_run_group_tests_name("decoded", tests, NULL, NULL);
}
