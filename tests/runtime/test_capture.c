/* test_capture.c: opening and reading traces, and what is said where that fails. */
#include <pcap/pcap.h>
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

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(frames_are_read_with_their_times),
        test(a_trace_that_is_cut_off_is_read_as_far_as_it_goes),
        test(a_filter_leaves_packets_out),
        test(what_is_no_trace_is_refused_with_a_reason),
        test(link_types_that_are_not_decoded_are_refused),
        test(a_device_that_is_none_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
