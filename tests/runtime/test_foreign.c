/* test_foreign.c: conversations of protocols that are none of ours have no name: on ports of nobody, on ours, met in the middle. */
#include "foreign.h"
#include "handle.h"
#include "test.h"
#include "traffic.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint16_t odd_ports[] = {45001, 2, 119, 3306};
/* Those of http, tls, smtp, pop3, imap, ftp, irc, sip, rtsp, ssh, dns, redis, memcached */
static const uint16_t our_ports[] = {80, 443, 25, 110, 143, 21, 6667, 5060, 554, 22, 53, 6379, 11211};

#define FIRST_PORT 20000u /* of a client; each conversation has the next one */

typedef struct fixture {
    traffic_t *t;
    const char *names[65536]; /* by the client's port: what is spoken */
    uint16_t next_port;
    unsigned known;
} fixture_t;

static void on_spoken(const qcap_spoken_t *spoken, void *user)
{
    fixture_t *f = user;
    if (!spoken->protocol || spoken->is_over)
        return;
    uint16_t ports[2] = {spoken->ends[0].port, spoken->ends[1].port};
    bool is_reversed = !f->names[ports[0]];
    f->known++;
    print_message("%s on port %u%s: %s (%s)\n", f->names[ports[is_reversed]], ports[!is_reversed], is_reversed ? ", reversed" : "",
                  spoken->name, qcap_known_text(spoken->known));
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    *state = f;
    f->next_port = FIRST_PORT;
    f->t = traffic_open();
    assert_int_equal(qcap_protocols_builtin(f->t->q), 0);
    assert_int_equal(qcap_spoken_handler_add(f->t->q, on_spoken, f), 0);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    traffic_close(f->t);
    free(f);
    return 0;
}

static void open_connection(fixture_t *f, traffic_segment_t *segment)
{
    segment->flags = "S";
    segment->seq = TRAFFIC_CLIENT_SEQ - 1;
    traffic_send_tcp(f->t, segment);
    segment->from_server = true;
    segment->flags = "SA";
    segment->seq = TRAFFIC_SERVER_SEQ - 1;
    segment->ack = TRAFFIC_CLIENT_SEQ;
    traffic_send_tcp(f->t, segment);
}

/* One conversation from its turn `first` on; then a reset, and its ports are free again. */
static void converse(fixture_t *f, const foreign_t *foreign, uint16_t port, size_t first)
{
    uint16_t client_port = f->next_port++;
    uint32_t seq[2] = {TRAFFIC_CLIENT_SEQ, TRAFFIC_SERVER_SEQ};
    traffic_segment_t segment = {.client_port = client_port, .server_port = port};
    f->names[client_port] = foreign->name;
    if (first == 0)
        open_connection(f, &segment);
    segment.flags = "A";
    for (const foreign_turn_t *turn = foreign->turns + first; turn < foreign->turns + FOREIGN_TURNS && turn->bytes; turn++) {
        segment.from_server = turn->is_server;
        segment.seq = seq[turn->is_server];
        segment.ack = seq[!turn->is_server];
        segment.text = turn->bytes;
        segment.len = (uint32_t)turn->len;
        traffic_send_tcp(f->t, &segment);
        seq[turn->is_server] += segment.len;
    }
    segment = (traffic_segment_t){.client_port = client_port, .server_port = port, .flags = "RA", .seq = seq[0], .ack = seq[1]};
    traffic_send_tcp(f->t, &segment);
    traffic_wait_ms(f->t, 1000);
}

static void converse_all(fixture_t *f, const uint16_t *ports, size_t port_count)
{
    for (size_t i = 0; i < COUNT(foreign_streams); i++)
        for (size_t k = 0; k < port_count; k++)
            if (ports[k] != foreign_streams[i].kin)
                converse(f, &foreign_streams[i], ports[k], 0);
    qcap_finish(f->t->q);
    assert_int_equal(f->known, 0);
}

static void other_streams_have_no_name(void **state)
{
    converse_all(*state, odd_ports, COUNT(odd_ports));
}

static void nor_on_ports_of_ours(void **state)
{
    converse_all(*state, our_ports, COUNT(our_ports));
}

/* The server's port is the higher one in half of them. */
static void nor_in_the_middle(void **state)
{
    fixture_t *f = *state;
    for (size_t i = 0; i < COUNT(foreign_streams); i++)
        for (size_t first = 1; first < FOREIGN_TURNS && foreign_streams[i].turns[first].bytes; first++) {
            converse(f, &foreign_streams[i], 45001, first);
            converse(f, &foreign_streams[i], 2, first);
        }
    qcap_finish(f->t->q);
    assert_int_equal(f->known, 0);
}

/* Those of which the port's protocol knows no words: both sides have said something, of which nothing can be found. */
static const uint16_t plain_ports[] = {80, 443, 554, 5060, 22, 53};

static void nor_in_the_middle_on_ports_of_ours(void **state)
{
    fixture_t *f = *state;
    for (size_t i = 0; i < COUNT(foreign_streams); i++)
        for (size_t k = 0; k < COUNT(plain_ports); k++)
            if (foreign_streams[i].turns[1].bytes && foreign_streams[i].turns[2].bytes)
                converse(f, &foreign_streams[i], plain_ports[k], 1);
    qcap_finish(f->t->q);
    assert_int_equal(f->known, 0);
}

static void exchange(fixture_t *f, const foreign_t *foreign, uint16_t port)
{
    uint16_t client_port = f->next_port++;
    f->names[client_port] = foreign->name;
    for (const foreign_turn_t *turn = foreign->turns; turn < foreign->turns + FOREIGN_TURNS && turn->bytes; turn++) {
        traffic_datagram_t datagram = {.from_server = turn->is_server, .text = turn->bytes, .len = (uint32_t)turn->len,
                                       .client_port = client_port, .server_port = port};
        traffic_send_udp(f->t, &datagram);
    }
}

static void exchange_all(fixture_t *f, const uint16_t *ports, size_t port_count)
{
    for (size_t i = 0; i < COUNT(foreign_datagrams); i++)
        for (size_t k = 0; k < port_count; k++)
            exchange(f, &foreign_datagrams[i], ports[k]);
    qcap_finish(f->t->q);
    assert_int_equal(f->known, 0);
}

static void other_datagrams_have_no_name(void **state)
{
    exchange_all(*state, odd_ports, COUNT(odd_ports));
}

static void nor_have_datagrams_on_ports_of_ours(void **state)
{
    exchange_all(*state, our_ports, COUNT(our_ports));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(other_streams_have_no_name),
        TEST(nor_on_ports_of_ours),
        TEST(nor_in_the_middle),
        TEST(nor_in_the_middle_on_ports_of_ours),
        TEST(other_datagrams_have_no_name),
        TEST(nor_have_datagrams_on_ports_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
