/* test_trace.c: capture files of every kind become frames, and files that are damaged, cut, compressed or growing. */
#include <fcntl.h>
#include <pcap/dlt.h>
#include <unistd.h>
#include <zlib.h>

#include "test.h"
#include "trace.h"

/* A file that is being written, in either byte order, and what is read of it. */
typedef struct fixture {
    char path[32];
    unsigned char bytes[4096];
    size_t len;
    bool is_swapped; /* the other byte order than ours */
    qcapint_trace_t trace;
    bool is_open;
    qcapint_frame_t frame;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/qcap-test-XXXXXX");
    close(mkstemp(f->path));
    *state = f;
    return 0;
}

static void close_trace(fixture_t *f)
{
    if (f->is_open)
        qcapint_trace_close(&f->trace);
    f->is_open = false;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    close_trace(f);
    unlink(f->path);
    free(f);
    return 0;
}

/* ---------------------------------------------------------------- writing */

static void put(fixture_t *f, const void *bytes, size_t len)
{
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
}

static void put16(fixture_t *f, unsigned value)
{
    uint16_t number = f->is_swapped ? __builtin_bswap16((uint16_t)value) : (uint16_t)value;
    put(f, &number, 2);
}

static void put32(fixture_t *f, uint32_t value)
{
    uint32_t number = f->is_swapped ? __builtin_bswap32(value) : value;
    put(f, &number, 4);
}

static void put64(fixture_t *f, uint64_t value)
{
    uint64_t number = f->is_swapped ? __builtin_bswap64(value) : value;
    put(f, &number, 8);
}

static void put_pcap(fixture_t *f, uint32_t magic, uint32_t link_type)
{
    put32(f, magic);
    put16(f, 2);
    put16(f, 4);
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, link_type);
}

static void put_record(fixture_t *f, uint32_t seconds, uint32_t fraction, const char *text, uint32_t wire_len)
{
    put32(f, seconds);
    put32(f, fraction);
    put32(f, (uint32_t)strlen(text));
    put32(f, wire_len);
    put(f, text, strlen(text));
}

/* A block is begun with its type, and ended when its body is there: that fills in both lengths. */
static size_t begin_block(fixture_t *f, uint32_t type)
{
    size_t begin = f->len;
    put32(f, type);
    put32(f, 0);
    return begin;
}

static void end_block(fixture_t *f, size_t begin)
{
    while (f->len % 4)
        f->bytes[f->len++] = 0;
    size_t end = f->len;
    f->len = begin + 4;
    put32(f, (uint32_t)(end + 4 - begin));
    f->len = end;
    put32(f, (uint32_t)(end + 4 - begin));
}

static void put_section(fixture_t *f)
{
    size_t block = begin_block(f, 0x0a0d0d0a);
    put32(f, 0x1a2b3c4d);
    put16(f, 1);
    put16(f, 0);
    put64(f, UINT64_MAX);
    end_block(f, block);
}

static void put_interface(fixture_t *f, unsigned link_type, uint32_t snap_len, int resolution, int64_t offset)
{
    size_t block = begin_block(f, 1);
    put16(f, link_type);
    put16(f, 0);
    put32(f, snap_len);
    put16(f, 2); /* a name, of five bytes */
    put16(f, 5);
    put(f, "wlan0\0\0", 8);
    if (resolution >= 0) {
        put16(f, 9);
        put16(f, 1);
        put(f, (unsigned char[4]){(unsigned char)resolution}, 4);
    }
    if (offset) {
        put16(f, 14);
        put16(f, 8);
        put64(f, (uint64_t)offset);
    }
    put32(f, 0);
    end_block(f, block);
}

static void put_enhanced(fixture_t *f, uint32_t interface, uint64_t time, const char *text, uint32_t wire_len)
{
    size_t block = begin_block(f, 6);
    put32(f, interface);
    put32(f, (uint32_t)(time >> 32));
    put32(f, (uint32_t)time);
    put32(f, (uint32_t)strlen(text));
    put32(f, wire_len);
    put(f, text, strlen(text));
    end_block(f, block);
}

static void put_simple(fixture_t *f, const char *text, uint32_t wire_len)
{
    size_t block = begin_block(f, 3);
    put32(f, wire_len);
    put(f, text, strlen(text));
    end_block(f, block);
}

static void put_obsolete(fixture_t *f, unsigned interface, uint64_t time, const char *text)
{
    size_t block = begin_block(f, 2);
    put16(f, interface);
    put16(f, 77); /* drops */
    put32(f, (uint32_t)(time >> 32));
    put32(f, (uint32_t)time);
    put32(f, (uint32_t)strlen(text));
    put32(f, (uint32_t)strlen(text));
    put(f, text, strlen(text));
    end_block(f, block);
}

/* A block of a type that holds no packet, with `len` bytes. */
static void put_other(fixture_t *f, uint32_t type, size_t len)
{
    size_t block = begin_block(f, type);
    memset(f->bytes + f->len, 'x', len);
    f->len += len;
    end_block(f, block);
}

/* ---------------------------------------------------------------- reading */

static void write_file(const fixture_t *f, const void *bytes, size_t len)
{
    FILE *file = fopen(f->path, "wb");
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static int open_trace(fixture_t *f)
{
    close_trace(f);
    write_file(f, f->bytes, f->len);
    f->is_open = true;
    return qcapint_trace_open(&f->trace, f->path);
}

static qcapint_capture_next_t next(fixture_t *f)
{
    size_t count;
    return qcapint_trace_next(&f->trace, &f->frame, 1, &count);
}

static void assert_frame(fixture_t *f, const char *text, uint32_t wire_len, int64_t time_ns, unsigned link_type)
{
    assert_int_equal(next(f), QCAPINT_CAPTURE_FRAME);
    assert_int_equal(f->frame.len, strlen(text));
    assert_memory_equal(f->frame.bytes, text, strlen(text));
    assert_int_equal(f->frame.wire_len, wire_len);
    assert_int_equal(f->frame.time_ns, time_ns);
    assert_int_equal(f->frame.link_type, link_type);
    assert_memory_equal(f->bytes + f->frame.place, text, strlen(text));
}

static void assert_failed(fixture_t *f, const char *text)
{
    assert_int_equal(next(f), QCAPINT_CAPTURE_FAILED);
    if (!strstr(f->trace.error, text))
        fail_msg("\"%s\" is not in \"%s\"", text, f->trace.error);
}

static void assert_refused(fixture_t *f, const char *text)
{
    assert_int_equal(open_trace(f), -1);
    if (!strstr(f->trace.error, text))
        fail_msg("\"%s\" is not in \"%s\"", text, f->trace.error);
}

#define SECOND INT64_C(1000000000)

/* ---------------------------------------------------------------- pcap */

static void pcap_is_read_in_both_byte_orders_and_resolutions(void **state)
{
    static const struct {
        uint32_t magic;
        int64_t unit_ns;
    } kinds[] = {{0xa1b2c3d4, 1000}, {0xa1b23c4d, 1}};
    fixture_t *f = *state;
    for (int i = 0; i < 4; i++) {
        f->len = 0;
        f->is_swapped = i & 1;
        put_pcap(f, kinds[i / 2].magic, DLT_EN10MB | 0x50000000u); /* with a frame check sequence of 5 * 2 bytes */
        put_record(f, 3000000000u, 5, "one", 3);
        put_record(f, 1, 999999, "two and", 1500);
        put_record(f, 0, 0, "", 0);
        put_record(f, 0, 0, "more than there was", 4);
        assert_int_equal(open_trace(f), 0);
        assert_frame(f, "one", 3, 3000000000 * SECOND + 5 * kinds[i / 2].unit_ns, DLT_EN10MB);
        assert_frame(f, "two and", 1500, SECOND + 999999 * kinds[i / 2].unit_ns, DLT_EN10MB);
        assert_frame(f, "", 0, 0, DLT_EN10MB);
        assert_frame(f, "more than there was", 19, 0, DLT_EN10MB);
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    }
}

static void pcap_of_a_modified_libpcap_has_more_before_each_packet(void **state)
{
    fixture_t *f = *state;
    put_pcap(f, 0xa1b2cd34, 101);
    for (int i = 0; i < 2; i++) {
        put_record(f, 1, 2, "", 5);
        f->len -= 8;
        put32(f, 5);
        put32(f, 5);
        put(f, "\0\0\0\1\x08\0\4\0hello", 13);
    }
    assert_int_equal(open_trace(f), 0);
    assert_frame(f, "hello", 5, SECOND + 2000, DLT_RAW);
    assert_frame(f, "hello", 5, SECOND + 2000, DLT_RAW);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
}

static void the_lengths_of_old_pcap_may_have_changed_places(void **state)
{
    fixture_t *f = *state;
    put_pcap(f, 0xa1b2c3d4, 1);
    f->len = 6;
    put16(f, 3);
    f->len = 24;
    put_record(f, 1, 2, "hello", 60);
    f->len -= 13;
    put32(f, 60);
    put32(f, 5);
    put(f, "hello", 5);
    assert_int_equal(open_trace(f), 0);
    assert_frame(f, "hello", 60, SECOND + 2000, DLT_EN10MB);
}

static void what_no_pcap_has_ends_the_reading_with_its_place(void **state)
{
    fixture_t *f = *state;
    put_pcap(f, 0xa1b2c3d4, 1);
    put_record(f, 1, 2, "hello", 5);
    put_record(f, 1, 2, "", 0xffffffffu);
    f->len -= 8;
    put32(f, 0xfffffff0u);
    put32(f, 0xfffffff0u);
    assert_int_equal(open_trace(f), 0);
    assert_frame(f, "hello", 5, SECOND + 2000, DLT_EN10MB);
    assert_failed(f, "no packet has 4294967280 bytes: see byte 45 of the file");
    assert_failed(f, "see byte 45 of the file");
    f->len = 4;
    put16(f, 3);
    f->len = 24;
    assert_refused(f, "version 3.4 of pcap is not known");
}

/* ---------------------------------------------------------------- pcapng */

static void every_packet_block_is_read_and_every_other_one_passed_over(void **state)
{
    static const uint32_t others[] = {4, 5, 7, 8, 9, 10, 0xbad, 0x40000bad, 0x12345678, 0x80000001};
    fixture_t *f = *state;
    for (int i = 0; i < 2; i++) {
        f->len = 0;
        f->is_swapped = i;
        put_section(f);
        put_other(f, 4, 8);
        put_interface(f, 1, 4, -1, 0);
        put_interface(f, 101, 0, 9, 0);
        put_enhanced(f, 1, 7000000001, "one", 3);
        for (size_t other = 0; other < sizeof others / sizeof others[0]; other++)
            put_other(f, others[other], other * 7);
        put_simple(f, "two!", 1500); /* snapped at 4 */
        put_obsolete(f, 0, 8000001, "three");
        put_simple(f, "4", 1);
        put_other(f, 5, 60);
        assert_int_equal(open_trace(f), 0);
        assert_int_equal(f->trace.interface_count, 1);
        assert_frame(f, "one", 3, 7 * SECOND + 1, DLT_RAW);
        assert_frame(f, "two!", 1500, 7 * SECOND + 1, DLT_EN10MB);
        assert_frame(f, "three", 5, 8 * SECOND + 1000, DLT_EN10MB);
        assert_frame(f, "4", 1, 8 * SECOND + 1000, DLT_EN10MB);
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    }
}

static void sections_have_their_own_byte_order_and_interfaces(void **state)
{
    fixture_t *f = *state;
    put_section(f);
    put_interface(f, 1, 0, -1, 0);
    put_interface(f, 113, 0, -1, 0);
    put_enhanced(f, 1, 1000000, "one", 3);
    f->is_swapped = true;
    put_section(f);
    put_interface(f, 276, 0, -1, 0);
    put_enhanced(f, 0, 2000000, "two", 3);
    put_enhanced(f, 1, 3000000, "three", 5);
    assert_int_equal(open_trace(f), 0);
    assert_frame(f, "one", 3, SECOND, DLT_LINUX_SLL);
    assert_frame(f, "two", 3, 2 * SECOND, DLT_LINUX_SLL2);
    assert_failed(f, "a packet of interface 1, of 1");
}

static void each_interface_has_its_clock(void **state)
{
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t time;
        int64_t time_ns;
    } clocks[] = {
        {-1, 0, 1500000, 1500000000},
        {0, 0, 3, 3 * SECOND},
        {3, 1000, 1500, 1001500000000},
        {6, -1, 1500000, 500000000},
        {9, 0, UINT64_C(1700000000123456789), 1700000000123456789},
        {12, 0, 1500000000001, 1500000000},
        {18, 0, UINT64_C(1500000000000000001), 1500000000},
        {19, 5, UINT64_C(15000000000000000000), 6500000000},
        {127, 0, UINT64_MAX - 1, 0},
        {0x80 | 0, 0, 3, 3 * SECOND},
        {0x80 | 1, 0, 3, 1500000000},
        {0x80 | 10, 0, 1025, 1000976562},
        {0x80 | 33, 0, (UINT64_C(1) << 32) + (UINT64_C(5) << 33), 5500000000},
        {0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
        {0x80 | 100, 0, UINT64_MAX - 1, 0},
    };
    fixture_t *f = *state;
    put_section(f);
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        put_interface(f, 1, 0, clocks[i].resolution, clocks[i].offset);
    for (uint32_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        put_enhanced(f, i, clocks[i].time, "x", 1);
    assert_int_equal(open_trace(f), 0);
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        assert_frame(f, "x", 1, clocks[i].time_ns, DLT_EN10MB);
}

static void put_statistics(fixture_t *f, uint32_t interface, uint64_t device_drops, uint64_t system_drops)
{
    size_t block = begin_block(f, 5);
    put32(f, interface);
    put64(f, 0);
    put16(f, 5);
    put16(f, 8);
    put64(f, device_drops);
    put16(f, 7);
    put16(f, 8);
    put64(f, system_drops);
    put32(f, 0);
    end_block(f, block);
}

/* They are counted from the begin of the capture on, for each interface. */
static void what_the_capture_lost_is_counted(void **state)
{
    fixture_t *f = *state;
    for (int i = 0; i < 2; i++) {
        f->is_swapped = i;
        put_section(f);
        put_interface(f, 1, 0, -1, 0);
        put_interface(f, 1, 0, -1, 0);
        put_statistics(f, 0, 3, 40);
        put_enhanced(f, 0, 1, "x", 1);
        put_statistics(f, 1, 1, 0);
        put_statistics(f, 0, 5, 60);
        put_statistics(f, 7, 999, 999); /* of nobody */
    }
    assert_int_equal(open_trace(f), 0);
    assert_frame(f, "x", 1, 1000, DLT_EN10MB);
    assert_frame(f, "x", 1, 1000, DLT_EN10MB);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    assert_int_equal(f->trace.device_drops, 12);
    assert_int_equal(f->trace.system_drops, 120);
}

static void blocks_of_any_size_are_passed_over(void **state)
{
    fixture_t *f = *state;
    const uint32_t large = 5u << 20;
    put_section(f);
    put_interface(f, 1, 0, -1, 0);
    size_t head = f->len;
    put32(f, 0xbad);
    put32(f, large);
    size_t hole = f->len;
    put32(f, large); /* the length once more */
    put_enhanced(f, 0, 1000000, "behind", 6);
    unsigned char *whole = calloc(1, large + 4096);
    memcpy(whole, f->bytes, hole);
    memcpy(whole + head + large - 4, f->bytes + hole, f->len - hole);
    write_file(f, whole, head + large + f->len - hole - 4);
    f->is_open = true;
    assert_int_equal(qcapint_trace_open(&f->trace, f->path), 0);
    assert_int_equal(next(f), QCAPINT_CAPTURE_FRAME);
    assert_memory_equal(f->frame.bytes, "behind", 6);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    free(whole);
}

static void what_no_pcapng_has_ends_the_reading_with_its_place(void **state)
{
    static const struct {
        size_t at; /* of the number that is changed, in the last block */
        uint32_t value;
        const char *text;
    } damages[] = {
        {0, 0x0a0d0d0a, "a section header of no byte order: see byte 96 of the file"},
        {4, 0, "no block has 0 bytes: see byte 96 of the file"},
        {4, 8, "no block has 8 bytes"},
        {4, 39, "no block has 39 bytes"},
        {4, 12, "the two lengths of a block differ"},
        {4, 0x7ffffff0, "too much"},
        {8, 1, "a packet of interface 1, of 1"},
        {20, 9, "a packet of 9 bytes in a block with room for 8"},
        {20, 0xffffffff, "a packet of 4294967295 bytes"},
        {36, 36, "the two lengths of a block differ: 40 and 36"},
        {4, 44, "truncated: the last record has 40 bytes of at least 44"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        f->len = 0;
        put_section(f);
        put_interface(f, 1, 0, -1, 0);
        put_enhanced(f, 0, 1, "", 0);
        size_t last = f->len;
        put_enhanced(f, 0, 2, "12345678", 8);
        size_t end = f->len;
        f->len = last + damages[i].at;
        put32(f, damages[i].value);
        f->len = end;
        assert_int_equal(open_trace(f), 0);
        assert_frame(f, "", 0, 1000, DLT_EN10MB);
        assert_failed(f, damages[i].text);
    }
}

static void a_pcapng_without_interfaces_has_no_packets(void **state)
{
    fixture_t *f = *state;
    put_section(f);
    put_other(f, 4, 8);
    assert_int_equal(open_trace(f), 0);
    assert_int_equal(f->trace.interface_count, 0);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
}

/* ---------------------------------------------------------------- cut, growing, compressed */

static void put_every_kind(fixture_t *f, bool is_pcapng)
{
    f->len = 0;
    if (is_pcapng) {
        put_section(f);
        put_interface(f, 1, 0, -1, 0);
        put_enhanced(f, 0, 1, "one", 3);
        put_other(f, 0xbad, 20);
        put_simple(f, "two", 3);
    } else {
        put_pcap(f, 0xa1b2c3d4, 1);
        put_record(f, 0, 1, "one", 3);
        put_record(f, 0, 2, "two", 3);
    }
}

/* Whatever the file is cut to, it is refused, or what is there is read and the rest called truncated. */
static void files_may_be_cut_anywhere(void **state)
{
    fixture_t *f = *state;
    for (int is_pcapng = 0; is_pcapng < 2; is_pcapng++) {
        put_every_kind(f, is_pcapng);
        while (f->len-- > 0) {
            qcapint_capture_next_t result = QCAPINT_CAPTURE_FRAME;
            if (open_trace(f) < 0) {
                assert_non_null(strstr(f->trace.error, f->len == 0 ? "empty" : "truncated"));
                continue;
            }
            while (result == QCAPINT_CAPTURE_FRAME)
                result = next(f);
            if (result == QCAPINT_CAPTURE_FAILED)
                assert_non_null(strstr(f->trace.error, "truncated"));
            else
                assert_int_equal(result, QCAPINT_CAPTURE_END);
        }
    }
}

/* A record that is written while the file is read is read when it is whole. */
static void a_file_that_grows_is_read_on(void **state)
{
    fixture_t *f = *state;
    for (int is_pcapng = 0; is_pcapng < 2; is_pcapng++) {
        put_every_kind(f, is_pcapng);
        size_t whole = f->len, begin = is_pcapng ? 68 : 24;
        f->len = begin;
        assert_int_equal(open_trace(f), 0);
        FILE *file = fopen(f->path, "ab");
        char text[8] = "";
        for (size_t at = begin; at <= whole; at++) {
            qcapint_capture_next_t result = next(f);
            if (result == QCAPINT_CAPTURE_FRAME)
                strncat(text, (const char *)f->frame.bytes, f->frame.len);
            fwrite(f->bytes + at, 1, at < whole, file);
            fflush(file);
        }
        fclose(file);
        assert_string_equal(text, "onetwo");
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    }
}

static void a_file_that_shrinks_ends(void **state)
{
    fixture_t *f = *state;
    put_pcap(f, 0xa1b2c3d4, 1);
    assert_int_equal(open_trace(f), 0);
    assert_int_equal(truncate(f->path, 3), 0);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
}

/* More packets than a block holds; what lies in one block is given together, and stays. */
static void frames_of_one_block_are_given_together(void **state)
{
    enum { PACKETS = 1500, LEN = 1400, LIMIT = 64 };
    fixture_t *f = *state;
    qcapint_frame_t frames[LIMIT];
    size_t count, total = 0, calls = 0;
    put_pcap(f, 0xa1b2c3d4, 1);
    open_trace(f);
    FILE *file = fopen(f->path, "ab");
    for (uint32_t i = 0; i < PACKETS; i++) {
        unsigned char packet[LEN];
        memset(packet, (int)(i % 251), LEN);
        fwrite((uint32_t[4]){i, 0, LEN, LEN}, 1, 16, file);
        fwrite(packet, 1, LEN, file);
    }
    fclose(file);
    while (qcapint_trace_next(&f->trace, frames, LIMIT, &count) == QCAPINT_CAPTURE_FRAME) {
        assert_true(count >= 1 && count <= LIMIT);
        for (size_t i = 0; i < count; i++, total++) {
            assert_int_equal(frames[i].time_ns, (int64_t)total * SECOND);
            assert_int_equal(frames[i].bytes[0], total % 251);
            assert_int_equal(frames[i].bytes[LEN - 1], total % 251);
        }
        calls++;
    }
    assert_int_equal(total, PACKETS);
    assert_in_range(calls, PACKETS / LIMIT, PACKETS / LIMIT + 20);
}

/* The file that f->bytes are, as a command compresses it. */
static void pack(const fixture_t *f, const char *command)
{
    char line[256];
    write_file(f, f->bytes, f->len);
    snprintf(line, sizeof line, "%s <%s >%s.packed && mv %s.packed %s", command, f->path, f->path, f->path, f->path);
    assert_int_equal(system(line), 0);
}

static void compressed_files_are_unpacked(void **state)
{
    static const char *const commands[] = {"gzip -c", "zstd -q -c", "xz -c", "sh -c 'gzip -c; printf \"\\0\\0\\0\"'"};
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        put_every_kind(f, i & 1);
        pack(f, commands[i]);
        close_trace(f);
        f->is_open = true;
        assert_int_equal(qcapint_trace_open(&f->trace, f->path), 0);
        assert_frame(f, "one", 3, 1000, DLT_EN10MB);
        assert_int_equal(next(f), QCAPINT_CAPTURE_FRAME);
        assert_memory_equal(f->frame.bytes, "two", 3);
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
    }
}

/* One member for each byte. */
static void members_behind_each_other_are_one_file(void **state)
{
    fixture_t *f = *state;
    put_every_kind(f, false);
    write_file(f, "", 0);
    for (size_t i = 0; i < f->len; i++) {
        gzFile file = gzopen(f->path, "ab");
        gzwrite(file, f->bytes + i, 1);
        gzclose(file);
    }
    f->is_open = true;
    assert_int_equal(qcapint_trace_open(&f->trace, f->path), 0);
    assert_frame(f, "one", 3, 1000, DLT_EN10MB);
    assert_frame(f, "two", 3, 2000, DLT_EN10MB);
    assert_int_equal(next(f), QCAPINT_CAPTURE_END);
}

static void compressed_files_may_be_cut_and_damaged_anywhere(void **state)
{
    static const char *const commands[] = {"gzip -c", "zstd -q -c", "xz -c"};
    unsigned char packed[4096];
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        put_every_kind(f, true);
        pack(f, commands[i]);
        FILE *file = fopen(f->path, "rb");
        size_t len = fread(packed, 1, sizeof packed, file);
        fclose(file);
        for (size_t at = 0; at < 2 * len; at++) {
            bool is_cut = at < len;
            if (!is_cut)
                packed[at - len] ^= 0x55;
            write_file(f, packed, is_cut ? at : len);
            if (!is_cut)
                packed[at - len] ^= 0x55;
            close_trace(f);
            f->is_open = true;
            qcapint_capture_next_t result =
                qcapint_trace_open(&f->trace, f->path) < 0 ? QCAPINT_CAPTURE_FAILED : QCAPINT_CAPTURE_FRAME;
            while (result == QCAPINT_CAPTURE_FRAME)
                result = next(f);
            if (is_cut)
                assert_int_equal(result, QCAPINT_CAPTURE_FAILED);
            assert_true(result != QCAPINT_CAPTURE_FAILED || f->trace.error[0]);
        }
    }
}

static void standard_input_is_read(void **state)
{
    fixture_t *f = *state;
    for (int is_pipe = 0; is_pipe < 2; is_pipe++) {
        int ends[2], saved = dup(STDIN_FILENO);
        put_every_kind(f, is_pipe);
        write_file(f, f->bytes, f->len);
        if (is_pipe) {
            assert_int_equal(pipe(ends), 0);
            assert_int_equal(write(ends[1], f->bytes, f->len), f->len);
            close(ends[1]);
        } else {
            ends[0] = open(f->path, O_RDONLY);
        }
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close_trace(f);
        f->is_open = true;
        assert_int_equal(qcapint_trace_open(&f->trace, "-"), 0);
        assert_frame(f, "one", 3, 1000, DLT_EN10MB);
        assert_int_equal(next(f), QCAPINT_CAPTURE_FRAME);
        assert_int_equal(next(f), QCAPINT_CAPTURE_END);
        close_trace(f);
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
}

/* ---------------------------------------------------------------- main */

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(pcap_is_read_in_both_byte_orders_and_resolutions),
        test(pcap_of_a_modified_libpcap_has_more_before_each_packet),
        test(the_lengths_of_old_pcap_may_have_changed_places),
        test(what_no_pcap_has_ends_the_reading_with_its_place),
        test(every_packet_block_is_read_and_every_other_one_passed_over),
        test(sections_have_their_own_byte_order_and_interfaces),
        test(each_interface_has_its_clock),
        test(what_the_capture_lost_is_counted),
        test(blocks_of_any_size_are_passed_over),
        test(what_no_pcapng_has_ends_the_reading_with_its_place),
        test(a_pcapng_without_interfaces_has_no_packets),
        test(files_may_be_cut_anywhere),
        test(a_file_that_grows_is_read_on),
        test(a_file_that_shrinks_ends),
        test(frames_of_one_block_are_given_together),
        test(compressed_files_are_unpacked),
        test(members_behind_each_other_are_one_file),
        test(compressed_files_may_be_cut_and_damaged_anywhere),
        test(standard_input_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
