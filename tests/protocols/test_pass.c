/* test_pass.c: bytes that nobody wants, and nothing depends on, are passed over without being there; all others have to be fed. */
#include "http.h"
#include "test.h"

#define BODY_LEN 1000u
#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

/* What was told: kinds and ends of events. */
typedef struct told {
    uint64_t ends[64];
    unsigned count;
} told_t;

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    told_t *told = user;
    (void)parser;
    assert_in_range(told->count, 0, sizeof told->ends / sizeof *told->ends - 1);
    told->ends[told->count++] = event->end << 8 | (unsigned)event->kind;
}

static void feed(qcap_parser_t *parser, const char *text, size_t len)
{
    assert_int_equal(qcap_parser_feed(parser, (const unsigned char *)text, len), len);
}

static uint16_t find(const char *name)
{
    char path[256];
    for (uint16_t i = 0; i < qcap_http_protocol.element_count; i++) {
        qcap_element_path(&qcap_http_protocol, i, path, sizeof path);
        if (strcmp(path, name) == 0)
            return i;
    }
    fail_msg("there is no %s", name);
    return QCAP_NONE;
}

/* Two responses with bodies; of the first, a part is passed over, if it can be. Returns whether it was. */
static bool read_responses(told_t *told, bool is_wanted, bool passes)
{
    static const char body[BODY_LEN];
    uint64_t wanted[64] = {0};
    uint16_t status = find("http.response.status-code"), content = find("http.response.content");
    qcap_http_t http;
    bool has_passed = false;
    assert_in_range(qcap_http_protocol.element_count, 1, sizeof wanted * 8);
    wanted[status / 64] |= UINT64_C(1) << status % 64;
    wanted[content / 64] |= (uint64_t)is_wanted << content % 64;
    qcap_http_init(&http, on_event, told);
    qcap_conversation_set_wanted(qcap_parser_conversation(&http.client), wanted);
    feed(&http.client, REQUEST REQUEST, sizeof(REQUEST REQUEST) - 1);
    assert_false(qcap_parser_pass(&http.server, 1)); /* nobody knows yet what it will be */
    feed(&http.server, HEAD, sizeof HEAD - 1);
    feed(&http.server, body, 100);
    if (passes)
        has_passed = qcap_parser_pass(&http.server, 500);
    if (!has_passed)
        feed(&http.server, body, 500);
    assert_int_equal(qcap_parser_offset(&http.server), sizeof HEAD - 1 + 600);
    assert_false(qcap_parser_pass(&http.server, 400)); /* what ends the body has to be fed, */
    assert_false(qcap_parser_pass(&http.server, 500)); /* and what follows it */
    feed(&http.server, body, 400);
    assert_false(qcap_parser_pass(&http.server, 1));
    feed(&http.server, HEAD, sizeof HEAD - 1);
    feed(&http.server, body, BODY_LEN);
    qcap_parser_finish(&http.server);
    return has_passed;
}

static void what_nobody_wants_is_passed_over(void **state)
{
    static told_t fed, passed;
    (void)state;
    assert_false(read_responses(&fed, false, false));
    assert_true(read_responses(&passed, false, true));
    assert_true(fed.count >= 2);
    assert_int_equal(passed.count, fed.count);
    assert_memory_equal(passed.ends, fed.ends, sizeof fed.ends);
}

static void what_is_wanted_has_to_be_fed(void **state)
{
    static told_t told;
    (void)state;
    assert_false(read_responses(&told, true, true));
    assert_true(told.count > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_wants_is_passed_over),
        cmocka_unit_test(what_is_wanted_has_to_be_fed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
