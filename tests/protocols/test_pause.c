/* test_pause.c: a handler that pauses its parser at every event, also while that searches for a place to go on and reads again what
 * it has kept: nothing is lost or told twice, and no feed goes on behind a pause. */
#include "http.h"
#include "test.h"

#define LOG_SIZE 8192

/* Errors, a beginning inside what looked like one, a beginning that comes later. */
static const char text[] = "x GET / HTTP/1.1\r\nx GET /a HTTP/1.1\r\nHost: b\r\n\r\nGET GET /c\r\n x\r\nGET /d HTTP/1.1\r\nA: b\r\n\r\n";

typedef struct listener {
    char log[LOG_SIZE];
    size_t len;
    bool pauses;
    bool has_paused; /* since it was last asked */
} listener_t;

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    listener_t *listener = user;
    listener->len += (size_t)snprintf(listener->log + listener->len, LOG_SIZE - listener->len, "%s %u %u..%u\n",
                                      qcap_event_kind_name(event->kind), event->element, (unsigned)event->begin,
                                      (unsigned)event->end);
    assert_true(listener->len < LOG_SIZE);
    listener->has_paused |= listener->pauses;
    if (listener->pauses)
        qcap_parser_pause(parser);
}

static void read_in_pieces(listener_t *listener, size_t piece_len)
{
    qcap_http_t http;
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t len = sizeof text - 1;
    qcap_http_init(&http, on_event, listener);
    for (size_t at = 0; at < len;) {
        size_t left = len - at, taken;
        listener->has_paused = false;
        taken = qcap_parser_feed(&http.client, bytes + at, left < piece_len ? left : piece_len);
        assert_true(taken > 0 || listener->has_paused);
        if (listener->has_paused)
            assert_int_equal(qcap_parser_status(&http.client), QCAP_PARSER_PAUSED);
        at += taken;
    }
    qcap_parser_finish(&http.client);
}

static void pauses_change_nothing(void **state)
{
    static listener_t whole, paused;
    (void)state;
    whole = (listener_t){.pauses = false};
    read_in_pieces(&whole, sizeof text);
    assert_non_null(strstr(whole.log, "error"));
    for (size_t piece_len = 1; piece_len <= sizeof text; piece_len++) {
        paused = (listener_t){.pauses = true};
        read_in_pieces(&paused, piece_len);
        assert_string_equal(paused.log, whole.log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_change_nothing),
    };
    return cmocka_run_group_tests_name("pauses", tests, NULL, NULL);
}
