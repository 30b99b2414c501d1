/* test_tcp_state.c: the state of both ends of a connection, after each packet. */
#include "test.h"
#include "traffic.h"

#define C TRAFFIC_CLIENT_SEQ
#define S TRAFFIC_SERVER_SEQ

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

static void print_states(qcap_tcpstr_t *client, void *user)
{
    char *text = user;
    size_t len = strlen(text);
    snprintf(text + len, 256 - len, "%s%s/%s", len ? ", " : "", qcap_tcp_state_text(qcap_tcp_state(client)),
             qcap_tcp_state_text(qcap_tcp_state(qcap_tcpstr_other(client))));
}

/* "CLIENT/SERVER" of each conversation. */
static const char *states(const traffic_t *t)
{
    static char text[256];
    text[0] = '\0';
    qcap_tcpstr_each(t->q, print_states, text);
    return text;
}

static void a_connection_opens(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    assert_string_equal(states(t), "SYN-SENT/LISTEN");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    assert_string_equal(states(t), "ESTABLISHED/SYN-RECEIVED");
    traffic_tcp(t, .seq = C, .ack = S);
    assert_string_equal(states(t), "ESTABLISHED/ESTABLISHED");
}

/* RFC 9293, 3.5, figure 7. */
static void both_sides_open_at_once(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .from_server = true, .flags = "S", .seq = S - 1);
    assert_string_equal(states(t), "SYN-RECEIVED/SYN-RECEIVED");
    traffic_tcp(t, .flags = "SA", .seq = C - 1, .ack = S);
    assert_string_equal(states(t), "SYN-RECEIVED/ESTABLISHED");
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    assert_string_equal(states(t), "ESTABLISHED/ESTABLISHED");
    traffic_tcp(t, .seq = C, .ack = S, .text = "hello");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 5, .text = "hi");
    assert_string_equal(t->text[0], "hello");
    assert_string_equal(t->text[1], "hi");
}

/* RFC 9293, 3.6, figure 12. */
static void one_side_closes_then_the_other(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S);
    assert_string_equal(states(t), "FIN-WAIT-1/CLOSE-WAIT");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 1);
    assert_string_equal(states(t), "FIN-WAIT-2/CLOSE-WAIT");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C + 1);
    assert_string_equal(states(t), "TIME-WAIT/LAST-ACK");
    traffic_tcp(t, .seq = C + 1, .ack = S + 1);
    assert_string_equal(states(t), "TIME-WAIT/CLOSED");
    traffic_wait_ms(t, 10001);
    traffic_tcp(t, .flags = "S", .seq = 1, .client_port = 40001);
    assert_string_equal(states(t), "SYN-SENT/LISTEN");
}

/* RFC 9293, 3.6, figure 13. */
static void both_sides_close_at_once(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S);
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S, .ack = C);
    assert_string_equal(states(t), "CLOSING/CLOSING");
    traffic_tcp(t, .seq = C + 1, .ack = S + 1);
    assert_string_equal(states(t), "CLOSING/TIME-WAIT");
    traffic_tcp(t, .from_server = true, .seq = S + 1, .ack = C + 1);
    assert_string_equal(states(t), "TIME-WAIT/TIME-WAIT");
}

static void a_fin_before_its_data_is_not_reached_yet(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .flags = "FA", .seq = C + 3, .ack = S);
    assert_string_equal(states(t), "FIN-WAIT-1/ESTABLISHED");
    traffic_tcp(t, .seq = C, .ack = S, .text = "abc");
    assert_string_equal(states(t), "FIN-WAIT-1/CLOSE-WAIT");
}

static void the_ack_of_a_fin_may_be_captured_before_it(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 1);
    traffic_tcp(t, .flags = "FA", .seq = C, .ack = S);
    assert_string_equal(states(t), "FIN-WAIT-2/CLOSE-WAIT");
}

static void a_reset_closes_both_ends_until_its_sender_goes_on(void **state)
{
    traffic_t *t = *state;
    traffic_handshake(t);
    traffic_tcp(t, .from_server = true, .flags = "R", .seq = S);
    assert_string_equal(states(t), "CLOSED/CLOSED");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C, .text = "x");
    assert_string_equal(states(t), "ESTABLISHED/ESTABLISHED");
}

static void a_refused_connection_is_closed(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .flags = "S", .seq = C - 1);
    traffic_tcp(t, .from_server = true, .flags = "RA", .seq = 0, .ack = C);
    assert_string_equal(states(t), "CLOSED/CLOSED");
}

static void one_side_alone_tells_both_states(void **state)
{
    traffic_t *t = *state;
    traffic_tcp(t, .from_server = true, .flags = "SA", .seq = S - 1, .ack = C);
    assert_string_equal(states(t), "SYN-SENT/SYN-RECEIVED");
    traffic_tcp(t, .from_server = true, .seq = S, .ack = C + 5, .text = "x");
    assert_string_equal(states(t), "ESTABLISHED/ESTABLISHED");
    traffic_tcp(t, .from_server = true, .flags = "FA", .seq = S + 1, .ack = C + 5);
    assert_string_equal(states(t), "CLOSE-WAIT/FIN-WAIT-1");
}

static void all_conversations_are_listed(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_tcpstr_each(t->q, print_states, (char[256]){""}), 0);
    traffic_tcp(t, .seq = 1, .ack = 1, .text = "in the middle", .client_port = 1);
    traffic_handshake(t);
    traffic_tcp(t, .flags = "S", .seq = 7, .client_port = 2);
    traffic_tcp(t, .flags = "R", .seq = 8, .client_port = 2);
    char text[256] = "";
    assert_int_equal(qcap_tcpstr_each(t->q, print_states, text), 3);
    assert_string_equal(text, "ESTABLISHED/ESTABLISHED, ESTABLISHED/ESTABLISHED, CLOSED/CLOSED");
    assert_string_equal(qcap_tcp_state_text(QCAP_TCP_TIME_WAIT + 1), "?");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_connection_opens),
        test(both_sides_open_at_once),
        test(one_side_closes_then_the_other),
        test(both_sides_close_at_once),
        test(a_fin_before_its_data_is_not_reached_yet),
        test(the_ack_of_a_fin_may_be_captured_before_it),
        test(a_reset_closes_both_ends_until_its_sender_goes_on),
        test(a_refused_connection_is_closed),
        test(one_side_alone_tells_both_states),
        test(all_conversations_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
