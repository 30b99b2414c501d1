/* test_failing.c: without memory for what they carry, messages are read all the same.
 *
 * Each scene of the pages about sub-streams and decoders runs again with each allocation failing in turn, whole and byte by
 * byte. What is told of the messages themselves must not change, but for bytes of streams that are undecided where a piece
 * ends; and of what they carry nothing is told that is not there. */
#include "datagrams.h"
#include "follow.h"
#include "parcels.h"
#include "test.h"
#include "toy.h"

#define MESSAGES_TELLERS 2u /* the sides; others are what they feed */

static bool is_of_message(const log_line_t *line)
{
    return line->teller < MESSAGES_TELLERS && line->kind != QCAP_EVENT_ANOMALY && line->kind != QCAP_EVENT_PIECE &&
           line->kind != QCAP_EVENT_GAP;
}

/* The line at `*at` or behind it that is about a message, or NULL. */
static const log_line_t *next_line(const event_log_t *log, size_t *at)
{
    while (*at < log->count)
        if (is_of_message(&log->lines[(*at)++]))
            return &log->lines[*at - 1];
    return NULL;
}

static void assert_same_messages(const event_log_t *expected, const event_log_t *log)
{
    size_t left = 0, right = 0;
    const log_line_t *line;
    while ((line = next_line(expected, &left))) {
        const log_line_t *other = next_line(log, &right);
        assert_non_null(other);
        assert_string_equal(other->text, line->text);
    }
    assert_null(next_line(log, &right));
}

/* Returns how many allocations failed, one a run. */
static unsigned fail_each(const scene_t *scene, cutting_t cutting)
{
    event_log_t expected, log;
    follow_failing = 0;
    follow(&qcap_parcels_protocol, scene, cutting, &expected);
    unsigned count = follow_allocations;
    for (follow_failing = 1; follow_failing <= count; follow_failing++) {
        follow(&qcap_parcels_protocol, scene, cutting, &log);
        assert_same_messages(&expected, &log);
        for (size_t i = 0; i < log.count; i++)
            assert_null(strstr(log.lines[i].text, "not the bytes"));
        event_log_fini(&log);
    }
    event_log_fini(&expected);
    follow_failing = 0;
    return count;
}

static void check_page(const char *path)
{
    page_t *page = page_read(path);
    unsigned count = 0;
    assert_non_null(page);
    for (size_t i = 0; i < page->scene_count; i++)
        count += fail_each(&page->scenes[i], (cutting_t){0}) + fail_each(&page->scenes[i], (cutting_t){.piece = 1});
    assert_true(count > 0);
    page_free(page);
}

static void sub_streams_without_memory_leave_messages_alone(void **state)
{
    (void)state;
    check_page("tests/protocols/parcels/feeds.md");
}

static void decoders_without_memory_leave_messages_alone(void **state)
{
    (void)state;
    check_page("tests/protocols/parcels/decoders.md");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sub_streams_without_memory_leave_messages_alone),
        cmocka_unit_test(decoders_without_memory_leave_messages_alone),
    };
    return cmocka_run_group_tests_name("failing", tests, NULL, NULL);
}
