/* test_sink.c: what comes behind the reassembly is told everything, in order. */
#include "capture.h"
#include "handle.h"
#include "test.h"
#include "traffic.h"

#define C TRAFFIC_CLIENT_SEQ
#define S TRAFFIC_SERVER_SEQ

/* What the sink was told: one word each. q->upper points to it. */
typedef struct diary {
    char text[1024];
} diary_t;

static diary_t *diary_of(const qcap_t *q)
{
    return q->upper;
}

static void note(const qcap_t *q, const char *format, ...)
{
    va_list arguments;
    diary_t *diary = diary_of(q);
    size_t len = strlen(diary->text);
    va_start(arguments, format);
    vsnprintf(diary->text + len, sizeof diary->text - len, format, arguments);
    va_end(arguments);
}

static char side(const qcap_tcpstr_t *str)
{
    return str->is_server ? 's' : 'c';
}

static int init(qcap_t *q)
{
    q->upper = qcapint_budget_alloc(&q->budget, sizeof(diary_t));
    return q->upper ? QCAP_OK : QCAP_E_MEMORY;
}

static void fini(qcap_t *q)
{
    qcapint_budget_free(&q->budget, q->upper, sizeof(diary_t));
}

static bool is_server_port(const qcap_t *q, uint16_t port)
{
    (void)q;
    return port == 60000;
}

static void on_open(qcapint_conv_t *conv)
{
    assert_null(conv->upper);
    note(conv->q, "open ");
}

static void on_data(qcap_tcpstr_t *str, const qcapint_segment_t *segment)
{
    assert_int_equal(str->end, segment->begin + segment->len);
    note(qcapint_conv_of(str)->q, "%c%.*s", side(str), (int)segment->len, (const char *)segment->bytes);
    if (segment->has_ack)
        note(qcapint_conv_of(str)->q, "/%d", (int)segment->ack);
    note(qcapint_conv_of(str)->q, " ");
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    assert_int_equal(str->end, offset + len);
    note(qcapint_conv_of(str)->q, "%c[%d] ", side(str), (int)len);
}

static void on_absent(qcap_tcpstr_t *str)
{
    note(qcapint_conv_of(str)->q, "%c? ", side(str));
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end)
{
    note(qcapint_conv_of(str)->q, "%c%c ", side(str), ".!~#^$"[end]);
}

static void on_close(qcapint_conv_t *conv)
{
    note(conv->q, "close ");
}

static int setup(void **state)
{
    static const qcapint_sink_t sink = {.init = init, .fini = fini, .is_server_port = is_server_port, .open = on_open,
                                        .data = on_data, .gap = on_gap, .absent = on_absent, .end = on_end, .close = on_close};
    char errbuf[QCAP_ERRBUF_SIZE];
    *state = traffic_record(qcapint_open(qcapint_capture_open_pushed(TRAFFIC_LINK_TYPE, errbuf), &sink, errbuf));
    return 0;
}

static int teardown(void **state)
{
    traffic_close(*state);
    return 0;
}

static void assert_diary(const traffic_t *t, const char *expected)
{
    assert_string_equal(diary_of(t->q)->text, expected);
}

static void a_conversation_is_told_from_its_opening_to_its_close(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "ask");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "tell");
    traffic_tcp(t, .flags = "FA", .seq = C + 3, .ack = S + 4);
    qcap_finish(t->q);
    assert_diary(t, "open cask/0 stell/3 c. s$ close ");
}

static void what_was_queued_says_what_it_acknowledged_when_it_came(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C, .text = "12");
    traffic_tcp(t, .seq = C + 1, .ack = S + 1, .text = "b");
    traffic_tcp(t, .seq = C, .ack = S + 2, .text = "a");
    assert_diary(t, "open s12/0 ca/2 cb/1 ");
}

static void gaps_are_told_in_their_place(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C + 2, .ack = S, .text = "b");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3);
    traffic_wait_ms(t, 1001);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 3, .text = "x");
    assert_diary(t, "open c[2] cb/0 sx/3 ");
}

static void a_direction_that_is_not_captured_is_told_once(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .seq = C, .ack = S, .text = "a");
    for (uint32_t i = 1; i < 5; i++) {
        traffic_wait_ms(t, 1001);
        traffic_tcp(t, .seq = C + i, .ack = S + 100 * i, .text = "b");
    }
    assert_diary(t, "open ca/0 cb/100 s? cb/200 cb/300 cb/400 ");
}

static void a_known_port_tells_the_server(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .seq = C, .text = "x", .client_port = 60000, .server_port = 50000);
    assert_diary(t, "open sx/0 ");
}

static void closing_the_handle_ends_nothing_but_frees_all(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .seq = C, .ack = S, .text = "ask");
    qcapint_flow_fini(t->q); /* as qcap_close() does, which takes the diary along */
    assert_diary(t, "open cask/0 close ");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_conversation_is_told_from_its_opening_to_its_close),
        test(what_was_queued_says_what_it_acknowledged_when_it_came),
        test(gaps_are_told_in_their_place),
        test(a_direction_that_is_not_captured_is_told_once),
        test(a_known_port_tells_the_server),
        test(closing_the_handle_ends_nothing_but_frees_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
