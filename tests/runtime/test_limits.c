/* test_limits.c: the memory ceiling holds, whatever comes, and conversations that go on are not lost for it.
 *
 * LIMITS_SCALE makes each flood so many times as long: see `make stress`. */
#include <stdlib.h>
#include <sys/resource.h>

#include "qcap.h"
#include "test.h"
#include "traffic.h"

#define MEMORY ((uint64_t)8 << 20)
#define ESTABLISHED_PORT 40000 /* the flood's client ports are below */
#define ESTABLISHED_EVERY 100  /* packets of the flood */
#define TEXT "still here"
#define TEXT_LEN (sizeof TEXT - 1)
#define IDLE 20000u     /* conversations at a time */
#define IDLE_SIZE 256u  /* bytes of each, of both directions */
#define FIXED 16384u    /* bytes of a handle without any */

/* A capture with one conversation that goes on all the time. */
typedef struct flood {
    qcap_t *q;
    int64_t now_ns;
    uint32_t count;       /* packets of the flood so far */
    uint64_t sent, heard; /* bytes of the conversation that goes on */
    qcap_end_t end;       /* how it ended */
} flood_t;

static uint32_t scaled(uint32_t count)
{
    const char *scale = getenv("LIMITS_SCALE");
    return count * (scale ? (uint32_t)atoi(scale) : 1);
}

static bool is_established(const qcap_tcpstr_t *str)
{
    return !qcap_tcpstr_is_server(str) && qcap_tcpstr_source(str)->port == ESTABLISHED_PORT;
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    flood_t *f = user;
    (void)packet;
    if (!is_established(str))
        return;
    assert_int_equal(offset, f->heard);
    assert_memory_equal(bytes, TEXT, TEXT_LEN);
    f->heard += len;
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    if (is_established(str))
        ((flood_t *)user)->end = end;
}

static void push(flood_t *f, const void *packet, size_t len)
{
    f->now_ns += 1000;
    assert_int_equal(qcap_push(f->q, packet, (uint32_t)len, (uint32_t)len, f->now_ns), 0);
}

static void send(flood_t *f, const traffic_segment_t *segment)
{
    unsigned char packet[2048];
    push(f, packet, traffic_build_tcp(packet, segment));
}

/* The next packet of the flood follows; the conversation goes on from time to time. */
static void go_on(flood_t *f)
{
    if (f->count++ % ESTABLISHED_EVERY > 0)
        return;
    send(f, &(traffic_segment_t){.client_port = ESTABLISHED_PORT, .seq = 1000 + (uint32_t)f->sent, .ack = 1, .text = TEXT});
    f->sent += TEXT_LEN;
    send(f, &(traffic_segment_t){.client_port = ESTABLISHED_PORT, .from_server = true, .seq = 1, .ack = 1000 + (uint32_t)f->sent});
}

/* Other ports than before, of two billion. */
static uint16_t client_port(const flood_t *f)
{
    return (uint16_t)(1024 + f->count % 32768);
}

static uint16_t server_port(const flood_t *f)
{
    return (uint16_t)(1024 + f->count / 32768 % 60000);
}

static int setup(void **state)
{
    static const qcap_tap_t tap = {.on_data = on_data, .on_end = on_end};
    char errbuf[QCAP_ERRBUF_SIZE];
    flood_t *f = calloc(1, sizeof *f);
    f->q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_int_equal(qcap_set(f->q, "memory=8M"), 0);
    assert_int_equal(qcap_tap_add(f->q, &tap, f), 0);
    send(f, &(traffic_segment_t){.client_port = ESTABLISHED_PORT, .flags = "S", .seq = 999});
    send(f, &(traffic_segment_t){.client_port = ESTABLISHED_PORT, .from_server = true, .flags = "SA", .ack = 1000});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    flood_t *f = *state;
    qcap_close(f->q);
    free(f);
    return 0;
}

/* What was said by the conversation was heard, the ceiling held, and `stage` counts those who left for it. */
static void assert_withstood(flood_t *f, qcap_stage_t stage)
{
    qcap_stats_t stats;
    qcap_finish(f->q);
    qcap_stats(f->q, &stats);
    assert_int_equal(f->heard, f->sent);
    assert_true(f->sent > 0);
    assert_int_equal(f->end, QCAP_END_CAPTURE);
    assert_true(stats.memory_peak <= MEMORY);
    assert_true(stats.stages[stage] > 0);
    assert_int_equal(stats.conversations_open, 0);
}

static void connections_that_never_open(void **state)
{
    flood_t *f = *state;
    for (uint32_t i = scaled(200000); i > 0; i--) {
        go_on(f);
        send(f, &(traffic_segment_t){.client_port = client_port(f), .server_port = server_port(f), .flags = "S", .seq = i});
    }
    assert_withstood(f, QCAP_STAGE_TCP_EVICTED);
}

/* Each has bytes behind a hole. */
static void queues_that_never_fill(void **state)
{
    static const char text[512] = "queued";
    flood_t *f = *state;
    for (uint32_t i = scaled(40000); i > 0; i--) {
        traffic_segment_t segment = {.client_port = client_port(f), .server_port = server_port(f), .seq = 100, .ack = 1};
        go_on(f);
        send(f, &segment);
        segment.text = text;
        segment.len = sizeof text;
        segment.seq = 700;
        send(f, &segment);
        segment.seq = 2700;
        send(f, &segment);
    }
    assert_withstood(f, QCAP_STAGE_TCP_EVICTED);
}

static void fragments_that_never_end(void **state)
{
    static const char bytes[256] = "fragment";
    unsigned char packet[512];
    flood_t *f = *state;
    for (uint32_t i = scaled(100000); i > 0; i--) {
        const traffic_fragment_t fragment = {
            .identification = f->count, .begin = f->count % 64 * 256, .has_more = true, .bytes = bytes, .len = sizeof bytes};
        go_on(f);
        push(f, packet, traffic_build_fragment(packet, &fragment));
    }
    assert_withstood(f, QCAP_STAGE_FRAGMENT_EXPIRED);
}

/* Whatever the length of the capture, memory is that of what is open at a time. */
static void memory_does_not_grow_with_the_capture(void **state)
{
    flood_t *f = *state;
    uint64_t peak = 0;
    for (uint32_t i = 0; i < scaled(100000); i++) {
        qcap_stats_t stats;
        traffic_segment_t segment = {.client_port = client_port(f), .server_port = server_port(f), .seq = 100, .ack = 200,
                                     .flags = "FA", .text = TEXT};
        go_on(f);
        send(f, &segment);
        segment = (traffic_segment_t){.client_port = segment.client_port, .server_port = segment.server_port, .seq = 200,
                                      .ack = 111, .flags = "FA", .from_server = true};
        send(f, &segment);
        f->now_ns += 10000000; /* the closed ones leave after ten seconds */
        qcap_stats(f->q, &stats);
        if (i == 20000)
            peak = stats.memory_peak;
    }
    qcap_stats_t stats;
    qcap_stats(f->q, &stats);
    assert_int_equal(stats.memory_peak, peak);
    assert_int_equal(stats.stages[QCAP_STAGE_TCP_EVICTED], 0);
    assert_int_equal(f->heard, f->sent);
}

/* Says something in each direction of a conversation, or opens it. */
static void talk(flood_t *f, uint32_t number, bool is_opening)
{
    traffic_segment_t client = {.client_port = (uint16_t)(1024 + number % 32768), .server_port = (uint16_t)(1024 + number / 32768),
                                .flags = is_opening ? "S" : "A", .seq = is_opening ? 99 : 100, .ack = is_opening ? 0 : 200,
                                .text = is_opening ? NULL : TEXT};
    traffic_segment_t server = client;
    server.from_server = true;
    server.flags = is_opening ? "SA" : "A";
    server.seq = is_opening ? 199 : 200;
    server.ack = is_opening ? 100 : 100 + TEXT_LEN;
    send(f, &client);
    send(f, &server);
}

/* Conversations that nothing waits in, with their share of the table, before and after they have carried data. */
static void an_idle_conversation_takes_256_bytes(void **state)
{
    flood_t *f = *state;
    qcap_stats_t stats;
    for (uint32_t i = 0; i < IDLE; i++) {
        talk(f, i, true);
        qcap_stats(f->q, &stats);
        assert_true(stats.memory <= FIXED + (i + 1) * IDLE_SIZE);
    }
    for (uint32_t i = 0; i < IDLE; i++)
        talk(f, i, false);
    qcap_stats(f->q, &stats);
    assert_true(stats.memory <= FIXED + IDLE * IDLE_SIZE);
    assert_int_equal(stats.conversations_open, IDLE + 1);
    assert_int_equal(stats.stages[QCAP_STAGE_TCP_DELIVERED], 2 * IDLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connections_that_never_open),
        TEST(queues_that_never_fill),
        TEST(fragments_that_never_end),
        TEST(memory_does_not_grow_with_the_capture),
        TEST(an_idle_conversation_takes_256_bytes),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("most memory of the process: %ld KB\n", usage.ru_maxrss);
    return failures;
}
