/* test_segment.c: queues of segments, beside a model that knows of every byte who put it there. */
#include "handle.h"
#include "segment.h"
#include "test.h"
#include "traffic.h"

#define SPACE 64u /* offsets of the model */

/* A packet whose bytes are all one letter, and the queue. */
typedef struct fixture {
    traffic_t *t;          /* for its handle's budget */
    qcapint_queue_t queue;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->t = traffic_open();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    uint64_t before = f->t->q->budget.used;
    qcapint_queue_clear(f->t->q, &f->queue);
    assert_true(f->t->q->budget.used <= before);
    traffic_close(f->t);
    free(f);
    return 0;
}

static qcapint_overlap_t insert(fixture_t *f, char letter, uint32_t begin, uint32_t len, qcapint_rule_t rule)
{
    unsigned char bytes[SPACE];
    qcap_packet_t packet;
    memset(bytes, letter, sizeof bytes);
    qcapint_packet_init(&packet, f->t->q, bytes, sizeof bytes, sizeof bytes);
    qcapint_segment_t segment = {.begin = begin, .bytes = bytes + begin, .packet = &packet, .len = len};
    qcapint_overlap_t overlap = qcapint_queue_insert(f->t->q, &f->queue, &segment, begin, begin + len, rule, NULL);
    qcapint_packet_fini(&packet);
    return overlap;
}

/* The queue as text: one letter for each offset, '.' where there is nothing, '|' between neighbouring pieces. */
static const char *content(const fixture_t *f)
{
    static char text[4 * SPACE];
    size_t len = 0;
    uint64_t at = 0;
    uint32_t count = 0;
    for (const qcapint_segment_t *segment = f->queue.first; segment; segment = segment->next) {
        assert_true(segment->begin >= at && segment->len > 0);
        if (segment->begin == at && at > 0)
            text[len++] = '|';
        for (; at < segment->begin; at++)
            text[len++] = '.';
        for (; at < qcapint_segment_end(segment); at++)
            text[len++] = (char)segment->bytes[at - segment->begin];
        assert_true(segment->next || !f->queue.last || f->queue.last == segment);
        count++;
    }
    assert_int_equal(count, f->queue.count);
    text[len] = '\0';
    return text;
}

#define BEFORE 7u /* N.begin < S.begin */
#define ALWAYS 0x1ffu

static void pieces_that_do_not_touch_are_sorted(void **state)
{
    fixture_t *f = *state;
    insert(f, 'c', 8, 2, 0);
    insert(f, 'a', 0, 2, 0);
    insert(f, 'b', 4, 2, 0);
    insert(f, 'd', 10, 1, 0);
    assert_string_equal(content(f), "aa..bb..cc|d");
}

static void what_a_newcomer_wins_stays_one_piece(void **state)
{
    fixture_t *f = *state;
    insert(f, 'B', 2, 2, BEFORE);
    insert(f, 'D', 6, 2, BEFORE);
    qcapint_overlap_t overlap = insert(f, 'N', 0, 7, BEFORE);
    assert_string_equal(content(f), "NNNNNNN|D");
    assert_int_equal(overlap.bytes, 3);
    assert_int_equal(overlap.conflicting, 3);
    assert_false(overlap.is_incomplete);
}

static void a_stored_piece_that_loses_its_middle_becomes_two(void **state)
{
    fixture_t *f = *state;
    insert(f, 'S', 0, 6, 0);
    insert(f, 'N', 2, 2, ALWAYS);
    assert_string_equal(content(f), "SS|NN|SS");
}

static void a_newcomer_that_loses_fills_what_is_free(void **state)
{
    fixture_t *f = *state;
    insert(f, 'B', 2, 2, 0);
    insert(f, 'D', 6, 2, 0);
    insert(f, 'N', 1, 9, 0);
    assert_string_equal(content(f), ".N|BB|NN|DD|NN");
}

static void without_memory_a_part_is_missing(void **state)
{
    fixture_t *f = *state;
    insert(f, 'S', 0, 6, 0);
    f->t->q->budget.fail_in = 1;
    assert_true(insert(f, 'N', 2, 2, ALWAYS).is_incomplete);
    assert_string_equal(content(f), "SS|NN");
}

static void the_lowest_is_taken_first(void **state)
{
    fixture_t *f = *state;
    insert(f, 'b', 3, 2, 0);
    insert(f, 'a', 0, 2, 0);
    qcapint_segment_t *segment = qcapint_queue_pop(&f->queue);
    assert_int_equal(segment->bytes[0], 'a');
    qcapint_segment_free(f->t->q, segment);
    assert_string_equal(content(f), "...bb");
    qcapint_segment_free(f->t->q, qcapint_queue_pop(&f->queue));
    insert(f, 'c', 1, 1, 0);
    assert_string_equal(content(f), ".c");
}

/* ---------------------------------------------------------------- the model */

/* owner[i] is the letter of the piece that has offset i, or 0. Neighbours with one letter are one piece. */
static void model_insert(char *owner, char letter, uint32_t begin, uint32_t end, qcapint_rule_t rule)
{
    char old[SPACE + 1] = {0};
    memcpy(old, owner, SPACE);
    for (uint32_t s = 0, s_end; s < SPACE; s = s_end) {
        for (s_end = s + 1; s_end < SPACE && old[s_end] == old[s]; s_end++)
            ;
        bool wins = old[s] == 0 || qcapint_rule_newcomer_wins(rule, begin, end, s, s_end);
        for (uint32_t i = s; wins && i < s_end; i++)
            if (i >= begin && i < end)
                owner[i] = letter;
    }
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void any_pieces_under_any_rule_are_what_the_model_says(void **state)
{
    fixture_t *f = *state;
    uint32_t random = 1;
    for (uint32_t round = 0; round < 5000; round++) {
        char owner[SPACE] = {0}, text[4 * SPACE];
        qcapint_rule_t rule = (qcapint_rule_t)(next_random(&random) & ALWAYS);
        for (char letter = 'a'; letter < 'a' + 12; letter++) {
            uint32_t begin = next_random(&random) % 40, len = 1 + next_random(&random) % 20;
            insert(f, letter, begin, len, rule);
            model_insert(owner, letter, begin, begin + len, rule);
        }
        size_t len = 0, end = 0;
        for (uint32_t i = 0; i < SPACE; i++) {
            if (i > 0 && owner[i] && owner[i - 1] && owner[i] != owner[i - 1])
                text[len++] = '|';
            text[len++] = owner[i] ? owner[i] : '.';
            end = owner[i] ? len : end;
        }
        text[end] = '\0';
        assert_string_equal(content(f), text);
        qcapint_queue_clear(f->t->q, &f->queue);
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(pieces_that_do_not_touch_are_sorted),
        test(what_a_newcomer_wins_stays_one_piece),
        test(a_stored_piece_that_loses_its_middle_becomes_two),
        test(a_newcomer_that_loses_fills_what_is_free),
        test(without_memory_a_part_is_missing),
        test(the_lowest_is_taken_first),
        test(any_pieces_under_any_rule_are_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
