/* test_memory.c: what a parser does where there is no memory for what it should keep. */
#include <stdlib.h>
#include <string.h>

#include "decoders.h"
#include "parcels.h"
#include "test.h"
#include "toy.h"

static unsigned allowed; /* allocations that succeed */

static void *get_memory(void *block, size_t size, void *user)
{
    (void)user;
    if (block) {
        free(block);
        return NULL;
    }
    if (allowed == 0)
        return NULL;
    allowed--;
    return malloc(size);
}

static const qcap_protocol_t *find(const char *name, const uint64_t **wanted, void *user)
{
    (void)wanted;
    (void)user;
    return strcmp(name, "toy") == 0 ? &qcap_toy_protocol : NULL;
}

typedef struct record {
    char text[512];
    size_t len;
} record_t;

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    record_t *record = user;
    (void)parser;
    size_t room = sizeof record->text - record->len;
    if (event->kind == QCAP_EVENT_PIECE && room > 64)
        record->len += (size_t)snprintf(record->text + record->len, room, "piece %.*s\n", (int)(event->end - event->begin),
                                        (const char *)event->bytes);
    if (event->kind == QCAP_EVENT_GAP && room > 64)
        record->len += (size_t)snprintf(record->text + record->len, room, "gap %d..%d\n", (int)event->begin, (int)event->end);
    if (event->kind == QCAP_EVENT_ANOMALY && room > 64)
        record->len += (size_t)snprintf(record->text + record->len, room, "%s\n", event->text);
}

/* Feeds it byte by byte. */
static record_t read_text(const char *text, unsigned count, bool has_handler)
{
    static qcap_parcels_t parcels;
    record_t record = {.len = 0};
    qcap_conversation_t *c = &parcels.conversation;
    allowed = count;
    qcap_parcels_init(&parcels, on_event, &record);
    qcap_conversation_set_find(c, find);
    qcap_conversation_set_decoders(c, qcap_decoders);
    if (has_handler)
        qcap_conversation_set_memory(c, get_memory);
    for (size_t i = 0; text[i]; i++)
        assert_int_equal(qcap_parser_feed(&parcels.client, (const unsigned char *)text + i, 1), 1);
    qcap_parser_finish(&parcels.client);
    qcap_conversation_fini(c);
    return record;
}

static void undecided_bytes_of_a_stream_are_kept(void **state)
{
    (void)state;
    assert_string_equal(read_text("ua--b\n", 1, true).text, "piece a\npiece --\npiece b\n");
}

static void undecided_bytes_of_a_stream_are_missing_without_memory(void **state)
{
    (void)state;
    assert_string_equal(read_text("ua--b\n", 0, false).text, "piece a\ngap 2..4\npiece b\n");
    assert_string_equal(read_text("ua--b\n", 0, true).text, "piece a\ngap 2..4\npiece b\n");
}

static void any_allocation_may_fail(void **state)
{
    static const char text[] = "c3\nabc\n2\n\nd\n0\nw9<abx><cd>l3ab2cd0f4ping"
                               "dgzip,4:\x1f\x8b\x08\x01;dbase64,8:aGVsbG8K;kKEY!4:abcd;va--b-\nua---b\nvcd--e\n";
    (void)state;
    for (unsigned count = 0; count < 16; count++)
        read_text(text, count, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undecided_bytes_of_a_stream_are_kept),
        cmocka_unit_test(undecided_bytes_of_a_stream_are_missing_without_memory),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
