/* trace.c: capture files become frames.
 *
 * In: the bytes of a file. Out: frames that lie where they were read to, with their times in nanoseconds and their
 * link type. A record is taken only when all of it is at hand, so that whatever interrupts the reading (a signal,
 * the end of a file that grows) leaves a place to go on from. What was handed out stays where it is until the next
 * call: the block is not filled again while a frame of this call lies in it.
 *
 * Nothing a file says is trusted: a length that no packet has ends the reading, with the place; what came before has
 * been handed out. Nothing is allocated by such a length.
 *
 * Sources: draft-ietf-opsawg-pcap (pcap); pcap-linktype(7), draft-ietf-opsawg-pcaplinktype (link types). */
#include "trace.h"

#include <pcap/dlt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_S 1000000000u
#define PCAP_HEADER_LEN 24u
#define PCAPNG_MAGIC 0x0a0d0d0au /* in either byte order */

/* As many as the obsolete packet block can name; no capture has more. */
#define INTERFACE_LIMIT 65536u

/* ---------------------------------------------------------------- what the formats share */

qcapint_capture_next_t qcapint_trace_damaged(qcapint_trace_t *trace, const char *format, ...)
{
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(trace->error, sizeof trace->error, "%s: see byte %llu of the file%s", what,
             (unsigned long long)qcapint_input_offset(&trace->input), trace->input.unpacker ? ", unpacked" : "");
    return QCAPINT_CAPTURE_FAILED;
}

static qcapint_capture_next_t fill(qcapint_trace_t *trace, size_t len)
{
    if (!trace->may_fill)
        return QCAPINT_CAPTURE_NOTHING;
    switch (qcapint_input_fill(&trace->input, len)) {
    case QCAPINT_INPUT_OK:
        return QCAPINT_CAPTURE_FRAME;
    case QCAPINT_INPUT_BROKEN:
        return QCAPINT_CAPTURE_NOTHING;
    case QCAPINT_INPUT_FAILED:
        return qcapint_trace_damaged(trace, "%s", trace->input.error);
    case QCAPINT_INPUT_END:
        break;
    }
    size_t left = qcapint_input_left(&trace->input);
    if (left == 0)
        return QCAPINT_CAPTURE_END;
    return qcapint_trace_damaged(trace, "truncated: the last record has %zu bytes of at least %zu", left, len);
}

qcapint_capture_next_t qcapint_trace_need(qcapint_trace_t *trace, size_t len)
{
    return qcapint_input_left(&trace->input) >= len ? QCAPINT_CAPTURE_FRAME : fill(trace, len);
}

/* Damaged times overflow; that is no matter. */
int64_t qcapint_trace_time(const qcapint_clock_t *clock, uint64_t time)
{
    if (clock->divisor != 1)
        time /= clock->divisor;
    uint64_t ns = clock->multiplier ? time * clock->multiplier
                                    : time / clock->units * NS_PER_S + time % clock->units * NS_PER_S / clock->units;
    return (int64_t)(ns + (uint64_t)clock->offset_ns);
}

/* Files number a few link types otherwise than systems do. */
static uint16_t dlt_of(uint16_t link_type)
{
    return link_type == 101 || link_type == 14 ? DLT_RAW : link_type;
}

qcapint_capture_next_t qcapint_trace_interface_add(qcapint_trace_t *trace, uint16_t link_type, uint32_t snap_len,
                                                   const qcapint_clock_t *clock)
{
    if (trace->interface_count == INTERFACE_LIMIT)
        return qcapint_trace_damaged(trace, "more than %u interfaces in a section", INTERFACE_LIMIT);
    if (trace->interface_count == trace->interface_size) {
        uint32_t size = trace->interface_size ? trace->interface_size * 2 : 4;
        qcapint_interface_t *interfaces = realloc(trace->interfaces, size * sizeof *interfaces);
        if (!interfaces)
            return qcapint_trace_damaged(trace, "no memory for an interface");
        trace->interfaces = interfaces;
        trace->interface_size = size;
    }
    qcapint_interface_t interface = {.clock = *clock, .snap_len = snap_len, .link_type = dlt_of(link_type)};
    trace->interfaces[trace->interface_count++] = interface;
    return QCAPINT_CAPTURE_FRAME;
}

/* ---------------------------------------------------------------- pcap */

/* Before each packet: seconds, their fraction, length captured, length on the wire; in files of a modified libpcap
 * (magic 0xa1b2cd34) also the interface, its protocol and direction. */
typedef struct record {
    uint32_t seconds, fraction, len, wire_len;
} record_t;

/* `is_plain`: the numbers are in our byte order, and each where it belongs. */
static inline record_t get_record(const qcapint_trace_t *trace, const unsigned char *at, bool is_plain)
{
    record_t record;
    memcpy(&record, at, sizeof record);
    if (is_plain)
        return record;
    if (trace->is_swapped)
        record = (record_t){__builtin_bswap32(record.seconds), __builtin_bswap32(record.fraction),
                            __builtin_bswap32(record.len), __builtin_bswap32(record.wire_len)};
    if (trace->has_mixed_lens && record.len > record.wire_len) {
        uint32_t swap = record.len;
        record.len = record.wire_len;
        record.wire_len = swap;
    }
    return record;
}

/* Gets all of the next record. */
static qcapint_capture_next_t need_record(qcapint_trace_t *trace)
{
    qcapint_capture_next_t status = qcapint_trace_need(trace, trace->record_len);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    uint32_t len = get_record(trace, trace->input.at, false).len;
    if (len > QCAPINT_TRACE_PACKET)
        return qcapint_trace_damaged(trace, "no packet has %u bytes", len);
    return qcapint_trace_need(trace, trace->record_len + len);
}

/* Takes the records that are at hand, up to one that is damaged. Returns how many. */
static inline size_t take_records(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, bool is_plain)
{
    const uint64_t ns_per_unit = trace->interfaces->clock.multiplier;
    const uint16_t link_type = trace->interfaces->link_type;
    const unsigned char *at = trace->input.at, *end = trace->input.end;
    const uint32_t head = trace->record_len;
    const uint64_t begin_offset = trace->input.end_offset - (size_t)(end - at);
    size_t count = 0;
    for (; count < limit && (size_t)(end - at) >= head; count++) {
        record_t record = get_record(trace, at, is_plain);
        if (record.len > QCAPINT_TRACE_PACKET || record.len > (size_t)(end - at) - head)
            break;
        at += head;
        frames[count] = (qcapint_frame_t){
            .bytes = at,
            .len = record.len,
            .wire_len = record.wire_len > record.len ? record.wire_len : record.len,
            .time_ns = (int64_t)((uint64_t)record.seconds * NS_PER_S + record.fraction * ns_per_unit),
            .place = begin_offset + (size_t)(at - trace->input.at),
            .link_type = link_type};
        at += record.len;
    }
    trace->input.at = at;
    return count;
}

static qcapint_capture_next_t read_pcap(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, size_t *count)
{
    qcapint_capture_next_t status = need_record(trace);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    bool is_plain = !trace->is_swapped && !trace->has_mixed_lens;
    *count = is_plain ? take_records(trace, frames, limit, true) : take_records(trace, frames, limit, false);
    return status;
}

/* The file header: magic, version (major, minor), two fields of no use, snap length, link type (16 bits, and what is
 * known of frame check sequences). */
static qcapint_capture_next_t begin_pcap(qcapint_trace_t *trace, unsigned ns_per_unit, uint32_t record_len)
{
    qcapint_clock_t clock = {.divisor = 1, .multiplier = ns_per_unit};
    qcapint_capture_next_t status = qcapint_trace_need(trace, PCAP_HEADER_LEN);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    const unsigned char *at = trace->input.at;
    unsigned major = qcapint_trace_u16(trace, at + 4), minor = qcapint_trace_u16(trace, at + 6);
    if (major != 2)
        return qcapint_trace_damaged(trace, "version %u.%u of pcap is not known", major, minor);
    trace->has_mixed_lens = minor < 4;
    trace->record_len = record_len;
    trace->has_one_interface = true;
    trace->read = read_pcap;
    uint16_t link_type = (uint16_t)qcapint_trace_u32(trace, at + 20);
    uint32_t snap_len = qcapint_trace_u32(trace, at + 16);
    trace->input.at += PCAP_HEADER_LEN;
    return qcapint_trace_interface_add(trace, link_type, snap_len, &clock);
}

/* ---------------------------------------------------------------- entry */

/* By the first four bytes. */
static qcapint_capture_next_t begin(qcapint_trace_t *trace)
{
    static const struct {
        uint32_t magic;
        unsigned ns_per_unit;
        uint32_t record_len;
    } kinds[] = {{0xa1b2c3d4, 1000, 16}, {0xa1b23c4d, 1, 16}, {0xa1b2cd34, 1000, 24}};
    trace->may_fill = true;
    qcapint_capture_next_t status = qcapint_trace_need(trace, 4);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    uint32_t magic = qcapint_trace_u32(trace, trace->input.at);
    if (magic == PCAPNG_MAGIC)
        return qcapint_pcapng_begin(trace);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (magic == kinds[i].magic || magic == __builtin_bswap32(kinds[i].magic)) {
            trace->is_swapped = magic != kinds[i].magic;
            return begin_pcap(trace, kinds[i].ns_per_unit, kinds[i].record_len);
        }
    return qcapint_trace_damaged(trace, "unknown file format");
}

int qcapint_trace_open(qcapint_trace_t *trace, const char *path)
{
    memset(trace, 0, sizeof *trace);
    if (qcapint_input_open(&trace->input, path) < 0) {
        snprintf(trace->error, sizeof trace->error, "%s", trace->input.error);
        return -1;
    }
    switch (begin(trace)) {
    case QCAPINT_CAPTURE_FRAME:
        return 0;
    case QCAPINT_CAPTURE_END:
        qcapint_trace_damaged(trace, "the file is empty");
        return -1;
    case QCAPINT_CAPTURE_NOTHING:
        qcapint_trace_damaged(trace, "interrupted");
        return -1;
    default:
        return -1;
    }
}

void qcapint_trace_close(qcapint_trace_t *trace)
{
    qcapint_input_close(&trace->input);
    free(trace->interfaces);
}

qcapint_capture_next_t qcapint_trace_next(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, size_t *count)
{
    qcapint_capture_next_t status = QCAPINT_CAPTURE_FRAME;
    size_t taken;
    trace->may_fill = true;
    for (*count = 0; *count < limit && status == QCAPINT_CAPTURE_FRAME; *count += taken) {
        taken = 0;
        status = trace->read(trace, frames + *count, limit - *count, &taken);
        trace->may_fill = false;
    }
    return *count > 0 ? QCAPINT_CAPTURE_FRAME : status;
}
