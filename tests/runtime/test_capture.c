/* test_capture.c: opening and reading traces, and what is said where that fails. */
#include <pcap/pcap.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "test.h"
#include "traffic.h"

/* A temporary file. */
typedef struct fixture {
    char path[32];
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/qcap-test-XXXXXX");
    close(mkstemp(f->path));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    unlink(f->path);
    free(f);
    return 0;
}

/* Writes a trace of `count` packets with 5 bytes of payload each, one a second. */
static void write_trace(const fixture_t *f, int link_type, unsigned precision, uint32_t count)
{
    unsigned char packet[128];
    pcap_t *dead = pcap_open_dead_with_tstamp_precision(link_type, 65535, precision);
    pcap_dumper_t *dumper = pcap_dump_open(dead, f->path);
    for (uint32_t i = 0; i < count; i++) {
        size_t len = traffic_build_tcp(packet, &(traffic_segment_t){.seq = 1 + 5 * i, .text = "hello"});
        struct pcap_pkthdr header = {.ts = {.tv_sec = 1000 + (time_t)i, .tv_usec = 5}};
        header.caplen = (bpf_u_int32)len - i % 2;
        header.len = (bpf_u_int32)len;
        pcap_dump((unsigned char *)dumper, &header, packet);
    }
    pcap_dump_close(dumper);
    pcap_close(dead);
}

/* Takes `len` bytes off the end of the file. */
static void cut_file(const fixture_t *f, long len)
{
    FILE *file = fopen(f->path, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    assert_int_equal(truncate(f->path, size - len), 0);
}

static qcapint_capture_next_t next(qcapint_capture_t *capture, qcapint_frame_t *frame)
{
    size_t count;
    return qcapint_capture_next(capture, frame, 1, &count);
}

static void frames_are_read_with_their_times(void **state)
{
    static const unsigned precisions[] = {PCAP_TSTAMP_PRECISION_MICRO, PCAP_TSTAMP_PRECISION_NANO};
    static const int64_t fractions[] = {5000, 5};
    char errbuf[QCAP_ERRBUF_SIZE];
    qcapint_frame_t frame;
    for (int i = 0; i < 2; i++) {
        write_trace(*state, TRAFFIC_LINK_TYPE, precisions[i], 2);
        qcapint_capture_t *capture = qcapint_capture_open_trace(((fixture_t *)*state)->path, errbuf);
        assert_non_null(capture);
        assert_int_equal(qcapint_capture_link_type(capture), TRAFFIC_LINK_TYPE);
        assert_int_equal(next(capture, &frame), QCAPINT_CAPTURE_FRAME);
        assert_int_equal(frame.len, 45);
        assert_int_equal(frame.time_ns, 1000 * INT64_C(1000000000) + fractions[i]);
        assert_int_equal(next(capture, &frame), QCAPINT_CAPTURE_FRAME);
        assert_int_equal(frame.len, 44);
        assert_int_equal(frame.wire_len, 45);
        assert_int_equal(next(capture, &frame), QCAPINT_CAPTURE_END);
        assert_int_equal(next(capture, &frame), QCAPINT_CAPTURE_END);
        qcapint_capture_close(capture);
    }
}

static void a_trace_that_is_cut_off_is_read_as_far_as_it_goes(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE];
    write_trace(f, TRAFFIC_LINK_TYPE, PCAP_TSTAMP_PRECISION_MICRO, 3);
    cut_file(f, 10);
    traffic_t *t = traffic_record(qcap_open_trace(f->path, errbuf));
    assert_int_equal(qcap_loop(t->q, 0), QCAP_E_CAPTURE);
    assert_non_null(strstr(qcap_geterr(t->q), "truncated"));
    assert_null(strchr(qcap_geterr(t->q), '\n'));
    assert_string_equal(t->text[0], "hellohell$");
    traffic_close(t);
}

static void a_filter_leaves_packets_out(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_stats_t stats;
    write_trace(f, TRAFFIC_LINK_TYPE, PCAP_TSTAMP_PRECISION_MICRO, 3);
    traffic_t *t = traffic_record(qcap_open_trace(f->path, errbuf));
    assert_int_equal(qcap_set_filter(t->q, "tcp port 80 and"), QCAP_E_FILTER);
    assert_non_null(strstr(qcap_geterr(t->q), "tcp port 80 and"));
    assert_int_equal(qcap_set_filter(t->q, "udp"), 0);
    assert_int_equal(qcap_loop(t->q, 0), 0);
    qcap_stats(t->q, &stats);
    assert_int_equal(stats.packets, 0);
    traffic_close(t);
}

/* ---------------------------------------------------------------- places */

/* What was kept of each packet: where it lies, and what it was. */
typedef struct kept {
    qcap_place_t places[64];
    unsigned char bytes[64][128];
    int64_t times_ns[64];
    size_t count;
} kept_t;

static void keep_place(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    kept_t *kept = user;
    size_t len, i = kept->count++;
    (void)stage;
    assert_int_equal(qcap_packet_place(packet, &kept->places[i]), 0);
    assert_int_equal(kept->places[i].number, kept->count);
    const unsigned char *bytes = qcap_packet_bytes(packet, &len);
    assert_int_equal(len, kept->places[i].len);
    memcpy(kept->bytes[i], bytes, len);
    kept->times_ns[i] = qcap_packet_time_ns(packet);
}

static void assert_same(qcap_t *q, const kept_t *kept, size_t i)
{
    size_t len, payload_len;
    qcap_packet_t *packet = qcap_packet_reread(q, &kept->places[i]);
    if (!packet)
        fail_msg("%s", qcap_geterr(q));
    const unsigned char *bytes = qcap_packet_bytes(packet, &len);
    assert_int_equal(len, kept->places[i].len);
    assert_memory_equal(bytes, kept->bytes[i], len);
    assert_int_equal(qcap_packet_time_ns(packet), kept->times_ns[i]);
    assert_int_equal(qcap_packet_number(packet), i + 1);
    assert_int_equal(qcap_packet_stage(packet), QCAP_STAGE_LINK_DECODED);
    assert_int_equal(qcap_packet_flags(packet), i % 2 ? QCAP_PACKET_SNAPPED : 0);
    qcap_packet_payload(packet, &payload_len);
    assert_int_equal(payload_len, 5 - i % 2);
    qcap_packet_unref(packet);
}

static void every_packet_can_be_read_again(void **state)
{
    static const char *const commands[] = {NULL, "gzip -c", "xz -c", "zstd -q -c"};
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE], line[256];
    for (size_t i = 0; i < 4; i++) {
        qcap_stats_t before, after;
        kept_t kept = {.count = 0};
        write_trace(f, TRAFFIC_LINK_TYPE, PCAP_TSTAMP_PRECISION_MICRO, 64);
        snprintf(line, sizeof line, "%s <%s >%s.packed && mv %s.packed %s", commands[i], f->path, f->path, f->path,
                 f->path);
        if (commands[i])
            assert_int_equal(system(line), 0);
        qcap_t *q = qcap_open_trace(f->path, errbuf);
        qcap_packet_handler_add(q, QCAP_STAGE_CAPTURED, keep_place, &kept);
        assert_int_equal(qcap_loop(q, 0), 0);
        assert_int_equal(kept.count, 64);
        qcap_stats(q, &before);
        for (size_t at = 0; at < 64; at++)
            assert_same(q, &kept, at);
        for (size_t at = 64; at-- > 0;)
            assert_same(q, &kept, at * 13 % 64);
        qcap_stats(q, &after);
        assert_memory_equal(before.stages, after.stages, sizeof after.stages);
        assert_int_equal(after.memory, before.memory);
        qcap_close(q);
    }
}

static void what_cannot_be_read_again_is_told(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE];
    kept_t kept = {.count = 0};
    write_trace(f, TRAFFIC_LINK_TYPE, PCAP_TSTAMP_PRECISION_MICRO, 3);
    qcap_t *q = qcap_open_trace(f->path, errbuf);
    qcap_packet_handler_add(q, QCAP_STAGE_CAPTURED, keep_place, &kept);
    assert_int_equal(qcap_loop(q, 0), 0);
    cut_file(f, 10);
    assert_null(qcap_packet_reread(q, &kept.places[2]));
    assert_string_equal(qcap_geterr(q), "packet 3 cannot be read again: the file has become shorter");
    assert_same(q, &kept, 1);
    kept.places[0].wire_len = kept.places[0].len = UINT32_MAX;
    assert_null(qcap_packet_reread(q, &kept.places[0]));
    assert_string_equal(qcap_geterr(q), "no packet has a place like that");
    kept.places[1].offset = UINT64_MAX - 5;
    assert_null(qcap_packet_reread(q, &kept.places[1]));
    assert_string_not_equal(qcap_geterr(q), "");
    qcap_close(q);
    q = qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf);
    assert_null(qcap_packet_reread(q, &kept.places[2]));
    assert_non_null(strstr(qcap_geterr(q), "only packets of a trace can be read again"));
    qcap_close(q);
}

static void note_no_place(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_place_t place;
    (void)stage;
    *(int *)user = qcap_packet_place(packet, &place);
}

static void what_was_pushed_or_made_has_no_place(void **state)
{
    static const qcap_stage_t stages[] = {QCAP_STAGE_CAPTURED, QCAP_STAGE_DEFRAGMENTED};
    (void)state;
    for (int i = 0; i < 2; i++) {
        int status = 0;
        traffic_t *t = traffic_open();
        qcap_packet_handler_add(t->q, stages[i], note_no_place, &status);
        traffic_fragment(t, .protocol = 99, .begin = 0, .has_more = true, .bytes = "12345678", .len = 8);
        traffic_fragment(t, .protocol = 99, .begin = 8, .bytes = "12345678", .len = 8);
        assert_int_equal(status, QCAP_E_GONE);
        traffic_close(t);
    }
}

/* ---------------------------------------------------------------- waiting */

static qcap_t *waiting; /* for on_alarm() */

static void on_alarm(int number)
{
    (void)number;
    qcap_breakloop(waiting);
}

/* The pipe's other end is open, and nothing comes. */
static void a_loop_that_waits_is_broken_by_a_signal(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE], path[64];
    int ends[2];
    qcap_stats_t stats;
    unsigned char bytes[4096];
    struct sigaction action = {.sa_handler = on_alarm};
    write_trace(f, TRAFFIC_LINK_TYPE, PCAP_TSTAMP_PRECISION_MICRO, 3);
    FILE *file = fopen(f->path, "rb");
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, len - 10), len - 10);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    waiting = qcap_open_trace(path, errbuf);
    assert_non_null(waiting);
    sigaction(SIGALRM, &action, NULL);
    ualarm(50000, 0);
    assert_int_equal(qcap_loop(waiting, 0), QCAP_E_BREAK);
    qcap_stats(waiting, &stats);
    assert_int_equal(stats.packets, 2);
    assert_int_equal(write(ends[1], bytes + len - 10, 10), 10); /* the rest of the third */
    close(ends[1]);
    assert_int_equal(qcap_loop(waiting, 0), 0);
    qcap_stats(waiting, &stats);
    assert_int_equal(stats.packets, 3);
    qcap_close(waiting);
    close(ends[0]);
}

static void what_is_no_trace_is_refused_with_a_reason(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE];
    assert_null(qcap_open_trace("/nowhere/to/be/found", errbuf));
    assert_string_equal(errbuf, "No such file or directory");
    assert_null(qcap_open_trace(f->path, errbuf)); /* empty */
    assert_string_not_equal(errbuf, "");
    assert_null(qcap_open_trace("/tmp", errbuf));
    assert_string_not_equal(errbuf, "");
    FILE *file = fopen(f->path, "w");
    fputs("this is no capture file, but it is long enough to be one", file);
    fclose(file);
    assert_null(qcap_open_trace(f->path, errbuf));
    assert_non_null(strstr(errbuf, "unknown file format"));
}

static void link_types_that_are_not_decoded_are_refused(void **state)
{
    fixture_t *f = *state;
    char errbuf[QCAP_ERRBUF_SIZE];
    write_trace(f, DLT_USB_LINUX, PCAP_TSTAMP_PRECISION_MICRO, 1);
    assert_null(qcap_open_trace(f->path, errbuf));
    assert_string_equal(errbuf, "link type USB_LINUX (189) is not supported");
    assert_null(qcap_open_pushed(DLT_USB_LINUX, errbuf));
}

static void a_device_that_is_none_is_refused_with_a_reason(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE] = "";
    (void)state;
    assert_null(qcap_open_device("no-such-device", NULL, errbuf));
    assert_string_not_equal(errbuf, "");
    assert_null(strchr(errbuf, '\n'));
}

/* ---------------------------------------------------------------- devices */

static void count_closed(qcap_tcpstr_t *client, void *user)
{
    (void)client;
    ++*(unsigned *)user;
}

/* Two sockets of this machine that connect, and close. */
static void connect_once(int listener, const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)address, sizeof *address), 0);
    int server = accept(listener, NULL, NULL);
    close(client);
    close(server);
}

/* The last packet that comes is the connection's own: nothing but time can end it. */
static void time_goes_on_while_a_device_is_silent(void **state)
{
    char errbuf[QCAP_ERRBUF_SIZE], filter[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    unsigned closed = 0;
    (void)state;
    qcap_t *q = qcap_open_device("lo", &(qcap_device_options_t){.timeout_ms = 20}, errbuf);
    if (!q)
        skip(); /* it takes rights that not everybody has */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(filter, sizeof filter, "tcp port %u", ntohs(address.sin_port));
    assert_int_equal(qcap_set_filter(q, filter), 0);
    assert_int_equal(qcap_set(q, "timeout.closed=1ms"), 0);
    assert_int_equal(qcap_tap_add(q, &(qcap_tap_t){.on_close = count_closed}, &closed), 0);
    connect_once(listener, &address);
    for (time_t end = time(NULL) + 10; closed == 0 && time(NULL) < end;)
        assert_true(qcap_dispatch(q, 0) >= 0);
    assert_int_equal(closed, 1);
    close(listener);
    qcap_close(q);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(frames_are_read_with_their_times),
        test(a_trace_that_is_cut_off_is_read_as_far_as_it_goes),
        test(a_filter_leaves_packets_out),
        test(every_packet_can_be_read_again),
        test(what_cannot_be_read_again_is_told),
        test(what_was_pushed_or_made_has_no_place),
        test(a_loop_that_waits_is_broken_by_a_signal),
        test(what_is_no_trace_is_refused_with_a_reason),
        test(link_types_that_are_not_decoded_are_refused),
        test(a_device_that_is_none_is_refused_with_a_reason),
        test(time_goes_on_while_a_device_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
