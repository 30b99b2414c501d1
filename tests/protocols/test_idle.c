/* test_idle.c: input that makes a grammar go round without reading: reading goes on all the same, and soon. */
#include "rounds.h"
#include "test.h"

typedef struct seen {
    size_t errors;            /* of all kinds */
    qcap_error_code_t last;   /* the last one's */
    uint64_t line_begin;      /* of the last line that was read */
} seen_t;

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    seen_t *seen = user;
    (void)parser;
    if (event->kind == QCAP_EVENT_ERROR) {
        seen->errors++;
        seen->last = event->error->code;
    } else if (event->kind == QCAP_EVENT_ELEMENT && event->element == QCAP_ROUNDS_LINE) {
        seen->line_begin = event->begin;
    }
}

static seen_t read_text(const char *text, size_t piece)
{
    seen_t seen = {0};
    qcap_rounds_t rounds;
    qcap_rounds_init(&rounds, on_event, &seen);
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += piece)
        qcap_parser_feed(&rounds.client, (const unsigned char *)text + at, len - at < piece ? len - at : piece);
    return seen;
}

static void regions_of_no_bytes_are_given_up(void **state)
{
    (void)state;
    seen_t seen = read_text("idle 0\nabcd\n== end\n", 100);

    assert_in_range(seen.errors, 1, 200);
    assert_int_equal(seen.last, QCAP_ERROR_IDLE);
    assert_int_equal(seen.line_begin, 12);
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    assert_int_equal(read_text("idle 0\nabcd\n== end\n", 100).errors, read_text("idle 0\nabcd\n== end\n", 1).errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_of_no_bytes_are_given_up),
        cmocka_unit_test(pieces_make_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
