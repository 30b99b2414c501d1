/* trace.h: capture files become frames. trace.c has what the formats share, and pcap; pcapng.c has pcapng. */
#ifndef QCAP_TRACE_H
#define QCAP_TRACE_H

#include <string.h>

#include "capture.h"
#include "input.h"

/* How the times of an interface are told. Nanoseconds are time / divisor * multiplier; if the multiplier is 0,
 * `units` of the quotient are a second. */
typedef struct qcapint_clock {
    uint64_t divisor, multiplier, units;
    int64_t offset_ns; /* added */
} qcapint_clock_t;

/* Where packets were captured: a section of pcapng has any number of them, a pcap file has one. */
typedef struct qcapint_interface {
    qcapint_clock_t clock;
    uint32_t snap_len;  /* most bytes captured of a packet; 0: all */
    uint16_t link_type; /* DLT_ number */
    uint64_t system_drops, device_drops; /* as last told */
} qcapint_interface_t;

typedef struct qcapint_trace qcapint_trace_t;

struct qcapint_trace {
    qcapint_input_t input;
    /* Takes the next frame, and of those behind it what is at hand; `*count` is set if FRAME is returned. */
    qcapint_capture_next_t (*read)(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, size_t *count);
    bool has_one_interface; /* the format has no more */
    bool may_fill;          /* no frame that was handed out lies in the block any more */
    bool is_swapped;        /* numbers are in the other byte order than ours */
    qcapint_interface_t *interfaces; /* of the section at hand */
    uint32_t interface_count, interface_size;
    char error[QCAP_ERRBUF_SIZE]; /* the last failure */

    /* pcap */
    uint32_t record_len;  /* of what stands before each packet */
    bool has_mixed_lens;  /* its two lengths may be the other way round, as some old programs wrote them */

    /* pcapng */
    uint64_t skip;        /* bytes left of a block that nobody needs; then comes its length once more, */
    uint32_t skipped_len; /* which is this; 0: there is none */
    int64_t time_ns;      /* of the latest packet, for those that have no time */
    uint64_t system_drops, device_drops; /* that the file tells of, in all sections */
};

/* Opens a file and reads it up to its first interface. Returns 0, or -1 and the reason in trace->error. To be closed in
 * both cases. */
int qcapint_trace_open(qcapint_trace_t *trace, const char *path);
void qcapint_trace_close(qcapint_trace_t *trace);

/* The next frames, up to `limit` (at least 1), that lie in one block: there is at least one if FRAME is returned. */
qcapint_capture_next_t qcapint_trace_next(qcapint_trace_t *trace, qcapint_frame_t *frames, size_t limit, size_t *count);

/* ---------------------------------------------------------------- between trace.c and pcapng.c */

/* The most bytes of a packet that are believed. */
#define QCAPINT_TRACE_PACKET ((uint32_t)512 << 10)

/* Reads a pcapng file up to its first interface. FRAME if it is there. */
qcapint_capture_next_t qcapint_pcapng_begin(qcapint_trace_t *trace);

/* Gets `len` bytes at input.at: FRAME if they are there, NOTHING if not now, END if the file has ended where a record
 * would begin. */
qcapint_capture_next_t qcapint_trace_need(qcapint_trace_t *trace, size_t len);

/* Notes what is wrong with the record that begins at input.at. Returns FAILED. */
qcapint_capture_next_t qcapint_trace_damaged(qcapint_trace_t *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds an interface, with the number that a file has for its link type. */
qcapint_capture_next_t qcapint_trace_interface_add(qcapint_trace_t *trace, uint16_t link_type, uint32_t snap_len,
                                                   const qcapint_clock_t *clock);

int64_t qcapint_trace_time(const qcapint_clock_t *clock, uint64_t time);

static inline uint16_t qcapint_trace_u16(const qcapint_trace_t *trace, const unsigned char *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return trace->is_swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t qcapint_trace_u32(const qcapint_trace_t *trace, const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return trace->is_swapped ? __builtin_bswap32(value) : value;
}

#endif
