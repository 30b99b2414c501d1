/* pcapng.c: pcapng files become frames: draft-ietf-opsawg-pcapng.
 *
 * A file is a sequence of blocks: type, length, body, length once more. A section header begins a section, which has
 * a byte order and interfaces of its own; an interface has a link type, a clock and a snap length. Three kinds of
 * block hold packets; one has counts of what the capture lost. All others, known (name resolution, secrets) or not,
 * are passed over, whatever their size. */
#include "trace.h"

#define NS_PER_S 1000000000u

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

/* Types of blocks: section 4 of the draft, and section 10.1 for the numbers. */
enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2,          /* obsolete */
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a
};

/* Options: section 3.5; of an interface: 4.2; of its statistics: 4.6. */
enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14, OPTION_DEVICE_DROPS = 5, OPTION_SYSTEM_DROPS = 7 };

/* One of them: a code, a length and as many bytes, padded to 4. */
typedef struct option {
    uint16_t code, len;
    const unsigned char *value;
} option_t;

#define BLOCK_HEAD_LEN 8u
#define BLOCK_TAIL_LEN 4u
#define BLOCK_LEAST (BLOCK_HEAD_LEN + BLOCK_TAIL_LEN)

static uint64_t u64(const qcapint_trace_t *trace, const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return trace->is_swapped ? __builtin_bswap64(value) : value;
}

/* ---------------------------------------------------------------- sections and interfaces */

/* note [byte order of a section]: it is said behind the block's length, which is in that order already. */
static qcapint_capture_next_t begin_section(qcapint_trace_t *trace)
{
    qcapint_capture_next_t status = qcapint_trace_need(trace, BLOCK_HEAD_LEN + 16);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    const unsigned char *body = trace->input.at + BLOCK_HEAD_LEN;
    trace->is_swapped = false;
    uint32_t magic = qcapint_trace_u32(trace, body);
    trace->is_swapped = magic != BYTE_ORDER_MAGIC;
    if (qcapint_trace_u32(trace, body) != BYTE_ORDER_MAGIC)
        return qcapint_trace_damaged(trace, "a section header of no byte order");
    unsigned major = qcapint_trace_u16(trace, body + 4), minor = qcapint_trace_u16(trace, body + 6);
    if (major != 1)
        return qcapint_trace_damaged(trace, "version %u.%u of pcapng is not known", major, minor);
    trace->interface_count = 0;
    return QCAPINT_CAPTURE_FRAME;
}

/* if_tsresol: units in a second, as a power of ten, or of two if the highest bit is set. */
static void set_resolution(qcapint_clock_t *clock, uint8_t resolution)
{
    unsigned exponent = resolution & 0x7fu;
    clock->divisor = clock->units = 1;
    clock->multiplier = 0;
    if (resolution & 0x80u) { /* 2^33 units, of a ninth of a nanosecond, are the finest that can be counted on with */
        clock->divisor = exponent > 33 + 63 ? UINT64_MAX : exponent > 33 ? UINT64_C(1) << (exponent - 33) : 1;
        clock->units = UINT64_C(1) << (exponent > 33 ? 33 : exponent);
        return;
    }
    clock->multiplier = 1;
    for (unsigned i = exponent; i < 9; i++)
        clock->multiplier *= 10;
    for (unsigned i = 9; i < exponent; i++)
        clock->divisor = clock->divisor > UINT64_MAX / 10 ? UINT64_MAX : clock->divisor * 10;
}

/* Takes the option at `*at`. Returns FRAME; END if there is none before `end`; or FAILED. */
static qcapint_capture_next_t next_option(qcapint_trace_t *trace, const unsigned char **at, const unsigned char *end,
                                          option_t *option)
{
    if (end - *at < 4)
        return QCAPINT_CAPTURE_END;
    option->code = qcapint_trace_u16(trace, *at);
    option->len = qcapint_trace_u16(trace, *at + 2);
    option->value = *at + 4;
    size_t room = (option->len + 3u) & ~(size_t)3;
    if (option->code == OPTION_END)
        return QCAPINT_CAPTURE_END;
    if ((size_t)(end - option->value) < room)
        return qcapint_trace_damaged(trace, "an option is longer than its block");
    *at = option->value + room;
    return QCAPINT_CAPTURE_FRAME;
}

static qcapint_capture_next_t read_clock(qcapint_trace_t *trace, const unsigned char *at, const unsigned char *end,
                                         qcapint_clock_t *clock)
{
    option_t option;
    qcapint_capture_next_t status;
    set_resolution(clock, 6);
    while ((status = next_option(trace, &at, end, &option)) == QCAPINT_CAPTURE_FRAME) {
        if (option.code == OPTION_TSRESOL && option.len == 1)
            set_resolution(clock, *option.value);
        if (option.code == OPTION_TSOFFSET && option.len == 8)
            clock->offset_ns = (int64_t)(u64(trace, option.value) * NS_PER_S);
    }
    return status == QCAPINT_CAPTURE_END ? QCAPINT_CAPTURE_FRAME : status;
}

/* Link type, 16 bits unused, snap length, options. */
static qcapint_capture_next_t add_interface(qcapint_trace_t *trace, const unsigned char *body, const unsigned char *end)
{
    qcapint_clock_t clock = {0};
    if (end - body < 8)
        return qcapint_trace_damaged(trace, "an interface description is too short");
    qcapint_capture_next_t status = read_clock(trace, body + 8, end, &clock);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    uint32_t snap_len = qcapint_trace_u32(trace, body + 4);
    return qcapint_trace_interface_add(trace, qcapint_trace_u16(trace, body), snap_len, &clock);
}

/* Raises a count of all interfaces by what a count of one has grown since its statistics were last told. */
static void raise_count(uint64_t *total, uint64_t *last, uint64_t count)
{
    *total += count > *last ? count - *last : 0;
    *last = count;
}

/* Interface (32 bits), time, options: counts since the capture began. */
static qcapint_capture_next_t read_statistics(qcapint_trace_t *trace, const unsigned char *body,
                                              const unsigned char *end)
{
    option_t option;
    qcapint_capture_next_t status;
    uint32_t number = end - body < 12 ? UINT32_MAX : qcapint_trace_u32(trace, body);
    const unsigned char *at = body + 12;
    if (number >= trace->interface_count) /* that costs no packet */
        return QCAPINT_CAPTURE_FRAME;
    qcapint_interface_t *interface = &trace->interfaces[number];
    while ((status = next_option(trace, &at, end, &option)) == QCAPINT_CAPTURE_FRAME) {
        if (option.code == OPTION_DEVICE_DROPS && option.len == 8)
            raise_count(&trace->device_drops, &interface->device_drops, u64(trace, option.value));
        if (option.code == OPTION_SYSTEM_DROPS && option.len == 8)
            raise_count(&trace->system_drops, &interface->system_drops, u64(trace, option.value));
    }
    return status == QCAPINT_CAPTURE_END ? QCAPINT_CAPTURE_FRAME : status;
}

/* ---------------------------------------------------------------- packets */

/* A packet of interface `number` whose `len` bytes are at `bytes`, in a block whose body ends at `end`. */
static qcapint_capture_next_t take_packet(qcapint_trace_t *trace, uint32_t number, const unsigned char *bytes,
                                          const unsigned char *end, uint32_t len, qcapint_frame_t *frame)
{
    if (number >= trace->interface_count)
        return qcapint_trace_damaged(trace, "a packet of interface %u, of %u", number, trace->interface_count);
    if (len > (size_t)(end - bytes) || len > QCAPINT_TRACE_PACKET)
        return qcapint_trace_damaged(trace, "a packet of %u bytes in a block with room for %zu", len,
                                     (size_t)(end - bytes));
    frame->bytes = bytes;
    frame->len = len;
    if (frame->wire_len < len)
        frame->wire_len = len;
    frame->link_type = trace->interfaces[number].link_type;
    frame->time_ns = trace->time_ns;
    frame->place = qcapint_input_offset(&trace->input) + (size_t)(bytes - trace->input.at);
    return QCAPINT_CAPTURE_FRAME;
}

/* Enhanced: interface (32 bits), time (high, low), captured, on the wire. The obsolete one has 16 bits for the
 * interface, and 16 for a count of drops. */
static qcapint_capture_next_t read_packet(qcapint_trace_t *trace, bool is_obsolete, const unsigned char *body,
                                          const unsigned char *end, qcapint_frame_t *frame)
{
    if (end - body < 20)
        return qcapint_trace_damaged(trace, "a packet block is too short");
    uint32_t number = is_obsolete ? qcapint_trace_u16(trace, body) : qcapint_trace_u32(trace, body);
    uint64_t time = (uint64_t)qcapint_trace_u32(trace, body + 4) << 32 | qcapint_trace_u32(trace, body + 8);
    frame->wire_len = qcapint_trace_u32(trace, body + 16);
    if (number < trace->interface_count)
        trace->time_ns = qcapint_trace_time(&trace->interfaces[number].clock, time);
    return take_packet(trace, number, body + 20, end, qcapint_trace_u32(trace, body + 12), frame);
}

/* Simple: on the wire, bytes: of the first interface, whose snap length says how many. */
static qcapint_capture_next_t read_simple_packet(qcapint_trace_t *trace, const unsigned char *body,
                                                 const unsigned char *end, qcapint_frame_t *frame)
{
    if (end - body < 4)
        return qcapint_trace_damaged(trace, "a packet block is too short");
    uint32_t len = frame->wire_len = qcapint_trace_u32(trace, body);
    uint32_t snap_len = trace->interface_count > 0 ? trace->interfaces[0].snap_len : 0;
    if (snap_len > 0 && len > snap_len)
        len = snap_len;
    if (len > (size_t)(end - body) - 4) /* cut, and nobody said so */
        len = (uint32_t)(end - body) - 4;
    return take_packet(trace, 0, body + 4, end, len, frame);
}

/* ---------------------------------------------------------------- blocks */

/* Goes on with a block that nobody needs. */
static qcapint_capture_next_t skip_block(qcapint_trace_t *trace)
{
    qcapint_capture_next_t status = QCAPINT_CAPTURE_FRAME;
    while (trace->skip > 0) {
        size_t left = qcapint_input_left(&trace->input);
        size_t step = trace->skip < left ? (size_t)trace->skip : left;
        trace->input.at += step;
        trace->skip -= step;
        if (trace->skip > 0)
            status = qcapint_trace_need(trace, 1);
        if (status != QCAPINT_CAPTURE_FRAME)
            break;
    }
    if (trace->skip == 0)
        status = qcapint_trace_need(trace, BLOCK_TAIL_LEN);
    if (status == QCAPINT_CAPTURE_END)
        return qcapint_trace_damaged(trace, "truncated: the last block lacks some of its %u bytes",
                                     trace->skipped_len);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    if (qcapint_trace_u32(trace, trace->input.at) != trace->skipped_len)
        return qcapint_trace_damaged(trace, "the two lengths of a block differ");
    trace->input.at += BLOCK_TAIL_LEN;
    trace->skipped_len = 0;
    return QCAPINT_CAPTURE_FRAME;
}

/* Whether a block is passed over. */
static bool is_skipped(uint32_t type, uint32_t len)
{
    switch (type) {
    case BLOCK_INTERFACE:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE_PACKET:
    case BLOCK_ENHANCED_PACKET:
        return false;
    case BLOCK_STATISTICS:
        return len > QCAPINT_INPUT_PIECE;
    default:
        return true;
    }
}

static qcapint_capture_next_t read_block(qcapint_trace_t *trace, uint32_t type, uint32_t len, qcapint_frame_t *frame)
{
    const unsigned char *body = trace->input.at + BLOCK_HEAD_LEN, *end = trace->input.at + len - BLOCK_TAIL_LEN;
    if (qcapint_trace_u32(trace, end) != len)
        return qcapint_trace_damaged(trace, "the two lengths of a block differ: %u and %u", len,
                                     qcapint_trace_u32(trace, end));
    switch (type) {
    case BLOCK_INTERFACE:
        return add_interface(trace, body, end);
    case BLOCK_SIMPLE_PACKET:
        return read_simple_packet(trace, body, end, frame);
    case BLOCK_STATISTICS:
        return read_statistics(trace, body, end);
    default:
        return read_packet(trace, type == BLOCK_PACKET, body, end, frame);
    }
}

/* Takes the next block; `*has_frame` tells whether it was a packet. */
static qcapint_capture_next_t next_block(qcapint_trace_t *trace, qcapint_frame_t *frame, bool *has_frame)
{
    qcapint_capture_next_t status = qcapint_trace_need(trace, BLOCK_LEAST);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    uint32_t type = qcapint_trace_u32(trace, trace->input.at);
    if (type == BLOCK_SECTION)
        status = begin_section(trace);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    uint32_t len = qcapint_trace_u32(trace, trace->input.at + 4);
    if (len < BLOCK_LEAST + (type == BLOCK_SECTION ? 16 : 0) || len % 4 != 0)
        return qcapint_trace_damaged(trace, "no block has %u bytes", len);
    if (is_skipped(type, len)) {
        trace->skip = len - BLOCK_TAIL_LEN;
        trace->skipped_len = len;
        return QCAPINT_CAPTURE_FRAME;
    }
    if (len > QCAPINT_INPUT_PIECE)
        return qcapint_trace_damaged(trace, "a block of packets or interfaces has %u bytes, which is too much", len);
    status = qcapint_trace_need(trace, len);
    if (status == QCAPINT_CAPTURE_FRAME)
        status = read_block(trace, type, len, frame);
    if (status != QCAPINT_CAPTURE_FRAME)
        return status;
    *has_frame = type != BLOCK_INTERFACE && type != BLOCK_STATISTICS;
    trace->input.at += len;
    return QCAPINT_CAPTURE_FRAME;
}

/* Frees the way from what is passed over, then takes a block. */
static qcapint_capture_next_t step(qcapint_trace_t *trace, qcapint_frame_t *frame, bool *has_frame)
{
    if (trace->skipped_len > 0)
        return skip_block(trace);
    return next_block(trace, frame, has_frame);
}

/* One at a time. */
static qcapint_capture_next_t read_pcapng(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, size_t *count)
{
    bool has_frame = false;
    qcapint_capture_next_t status = QCAPINT_CAPTURE_FRAME;
    (void)limit;
    while (status == QCAPINT_CAPTURE_FRAME && !has_frame)
        status = step(trace, frames, &has_frame);
    *count = has_frame;
    return status;
}

/* A file may end before any interface is described: then it has no packets. */
qcapint_capture_next_t qcapint_pcapng_begin(qcapint_trace_t *trace)
{
    qcapint_frame_t frame;
    bool has_frame = false;
    qcapint_capture_next_t status = QCAPINT_CAPTURE_FRAME;
    trace->read = read_pcapng;
    while (status == QCAPINT_CAPTURE_FRAME && trace->interface_count == 0)
        status = step(trace, &frame, &has_frame);
    return status == QCAPINT_CAPTURE_END ? QCAPINT_CAPTURE_FRAME : status;
}
