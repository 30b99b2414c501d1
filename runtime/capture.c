/* capture.c: where packets come from.
 *
 * A trace is read by trace.c, a device through libpcap, one frame at a time; a pushed handle only has a link type. The
 * stages behind see frames, and nothing of where they came from. */
#include "capture.h"

#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "filter.h"
#include "trace.h"

#define DEFAULT_SNAP_LEN 262144
#define DEFAULT_BUFFER_SIZE (64 << 20)
#define DEFAULT_TIMEOUT_MS 100

typedef enum { KIND_TRACE, KIND_DEVICE, KIND_PUSHED } capture_kind_t;

struct qcapint_capture {
    capture_kind_t kind;
    int link_type;                /* DLT_ number: see qcapint_capture_link_type() */
    qcapint_trace_t trace;        /* KIND_TRACE */
    pcap_t *device;               /* KIND_DEVICE: activated */
    int ready;                    /* ... readable when there are packets; -1: none, then reading waits by itself */
    int timeout_ms;               /* ... how long to wait for one */
    uint64_t unit_ns;             /* ... what a timestamp's fraction counts */
    qcapint_filter_t filter;      /* the others; a device's is in the system */
    char error[QCAP_ERRBUF_SIZE]; /* last failure */
};

/* ---------------------------------------------------------------- opening */

static qcapint_capture_t *fail(qcapint_capture_t *capture, char *errbuf, const char *message)
{
    snprintf(errbuf, QCAP_ERRBUF_SIZE, "%s", message);
    qcapint_capture_close(capture);
    return NULL;
}

static qcapint_capture_t *new_capture(capture_kind_t kind, int link_type)
{
    qcapint_capture_t *capture = calloc(1, sizeof *capture);
    if (!capture)
        return NULL;
    capture->kind = kind;
    capture->link_type = link_type;
    return capture;
}

/* The capture, unless nothing of it could be decoded. */
static qcapint_capture_t *check_link_type(qcapint_capture_t *capture, char *errbuf)
{
    char message[QCAP_ERRBUF_SIZE];
    if (qcapint_decode_knows(capture->link_type))
        return capture;
    const char *name = pcap_datalink_val_to_name(capture->link_type);
    snprintf(message, sizeof message, "link type %s (%d) is not supported", name ? name : "?", capture->link_type);
    return fail(capture, errbuf, message);
}

/* A file that may have other interfaces behind the first is opened whatever that one is. */
qcapint_capture_t *qcapint_capture_open_trace(const char *path, char *errbuf)
{
    char message[QCAP_ERRBUF_SIZE];
    qcapint_capture_t *capture = new_capture(KIND_TRACE, -1);
    if (!capture)
        return fail(NULL, errbuf, "out of memory");
    if (qcapint_trace_open(&capture->trace, path) < 0) {
        memcpy(message, capture->trace.error, sizeof message);
        return fail(capture, errbuf, message);
    }
    if (capture->trace.interface_count > 0)
        capture->link_type = capture->trace.interfaces[0].link_type;
    return capture->trace.has_one_interface ? check_link_type(capture, errbuf) : capture;
}

static int timeout_of(const qcap_device_options_t *options)
{
    return options->timeout_ms && options->timeout_ms < INT32_MAX ? (int)options->timeout_ms : DEFAULT_TIMEOUT_MS;
}

/* Sets everything that has to be set before activation. */
static void set_options(pcap_t *pcap, const qcap_device_options_t *options)
{
    uint32_t buffer_size = options->buffer_size ? options->buffer_size : DEFAULT_BUFFER_SIZE;
    uint32_t snap_len = options->snap_len ? options->snap_len : DEFAULT_SNAP_LEN;
    pcap_set_snaplen(pcap, snap_len < DEFAULT_SNAP_LEN ? (int)snap_len : DEFAULT_SNAP_LEN);
    pcap_set_buffer_size(pcap, buffer_size < INT32_MAX ? (int)buffer_size : INT32_MAX);
    pcap_set_timeout(pcap, timeout_of(options));
    pcap_set_promisc(pcap, options->is_promiscuous);
    pcap_set_immediate_mode(pcap, options->is_immediate);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO); /* microseconds where it is refused: see unit_ns */
}

/* libpcap's own time-out is for packets that have come: where there are none, it may wait for ever. So it never waits. */
static void set_waiting(qcapint_capture_t *capture, const qcap_device_options_t *options)
{
    char reason[PCAP_ERRBUF_SIZE];
    capture->timeout_ms = timeout_of(options);
    capture->ready = pcap_get_selectable_fd(capture->device);
    if (capture->ready >= 0 && pcap_setnonblock(capture->device, 1, reason) < 0)
        capture->ready = -1;
}

qcapint_capture_t *qcapint_capture_open_device(const char *device, const qcap_device_options_t *options, char *errbuf)
{
    static const qcap_device_options_t defaults = {0};
    char message[QCAP_ERRBUF_SIZE], reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(device, reason);
    if (!pcap)
        return fail(NULL, errbuf, reason);
    options = options ? options : &defaults;
    set_options(pcap, options);
    int status = pcap_activate(pcap);
    if (status < 0) { /* above 0 are warnings */
        const char *kind = pcap_statustostr(status), *detail = pcap_geterr(pcap);
        bool is_more = *detail && strcmp(detail, kind) != 0;
        snprintf(message, sizeof message, "%s%s%s", kind, is_more ? ": " : "", is_more ? detail : "");
        pcap_close(pcap);
        return fail(NULL, errbuf, message);
    }
    qcapint_capture_t *capture = new_capture(KIND_DEVICE, pcap_datalink(pcap));
    if (!capture) {
        pcap_close(pcap);
        return fail(NULL, errbuf, "out of memory");
    }
    capture->device = pcap;
    set_waiting(capture, options);
    capture->unit_ns = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    return check_link_type(capture, errbuf);
}

qcapint_capture_t *qcapint_capture_open_pushed(int link_type, char *errbuf)
{
    qcapint_capture_t *capture = new_capture(KIND_PUSHED, link_type);
    return capture ? check_link_type(capture, errbuf) : fail(NULL, errbuf, "out of memory");
}

void qcapint_capture_close(qcapint_capture_t *capture)
{
    if (!capture)
        return;
    if (capture->kind == KIND_TRACE)
        qcapint_trace_close(&capture->trace);
    if (capture->device)
        pcap_close(capture->device);
    qcapint_filter_fini(&capture->filter);
    free(capture);
}

/* ---------------------------------------------------------------- reading */

/* Drops what does not pass, and closes the ranks. Returns how many are left, or QCAP_E_FILTER. */
static int filter_frames(qcapint_filter_t *filter, qcapint_frame_t *frames, size_t count)
{
    size_t kept = 0;
    if (!filter->expression)
        return (int)count;
    for (size_t i = 0; i < count; i++) {
        int result = qcapint_filter_matches(filter, &frames[i]);
        if (result < 0)
            return result;
        if (result > 0)
            frames[kept++] = frames[i];
    }
    return (int)kept;
}

static qcapint_capture_next_t next_of_trace(qcapint_capture_t *capture, qcapint_frame_t *frames, size_t limit,
                                            size_t *count)
{
    qcapint_trace_t *trace = &capture->trace;
    do {
        qcapint_capture_next_t next = qcapint_trace_next(trace, frames, limit, count);
        if (next == QCAPINT_CAPTURE_FAILED)
            memcpy(capture->error, trace->error, sizeof capture->error);
        if (next != QCAPINT_CAPTURE_FRAME)
            return next;
        capture->link_type = frames[*count - 1].link_type;
        int kept = filter_frames(&capture->filter, frames, *count);
        *count = kept < 0 ? 0 : (size_t)kept;
        if (kept < 0) {
            snprintf(capture->error, sizeof capture->error, "a link type of this trace: %.200s", capture->filter.error);
            return QCAPINT_CAPTURE_FAILED;
        }
    } while (*count == 0);
    return QCAPINT_CAPTURE_FRAME;
}

/* Unsigned, since a device may say anything. */
static int64_t time_of(const qcapint_capture_t *capture, const struct timeval *ts)
{
    return (int64_t)((uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_usec * capture->unit_ns);
}

/* Reads a packet, if one comes in time: as pcap_next_ex(). A signal ends the wait. */
static int wait_for_packet(const qcapint_capture_t *capture, struct pcap_pkthdr **header, const unsigned char **bytes)
{
    struct pollfd device = {.fd = capture->ready, .events = POLLIN};
    int status = pcap_next_ex(capture->device, header, bytes);
    if (status != 0 || capture->ready < 0 || poll(&device, 1, capture->timeout_ms) <= 0)
        return status;
    return pcap_next_ex(capture->device, header, bytes);
}

static qcapint_capture_next_t next_of_device(qcapint_capture_t *capture, qcapint_frame_t *frame, size_t *count)
{
    struct pcap_pkthdr *header;
    *count = 0;
    switch (wait_for_packet(capture, &header, &frame->bytes)) {
    case 1:
        frame->len = header->caplen;
        frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
        frame->time_ns = time_of(capture, &header->ts);
        frame->link_type = (uint16_t)capture->link_type;
        frame->place = QCAPINT_NO_PLACE;
        *count = 1;
        return QCAPINT_CAPTURE_FRAME;
    case 0:
    case PCAP_ERROR_BREAK:
        return QCAPINT_CAPTURE_NOTHING;
    default:
        snprintf(capture->error, sizeof capture->error, "%s", pcap_geterr(capture->device));
        return QCAPINT_CAPTURE_FAILED;
    }
}

qcapint_capture_next_t qcapint_capture_next(qcapint_capture_t *capture, qcapint_frame_t *frames, size_t limit,
                                            size_t *count)
{
    return capture->kind == KIND_DEVICE ? next_of_device(capture, frames, count)
                                        : next_of_trace(capture, frames, limit, count);
}

int qcapint_capture_reread(qcapint_capture_t *capture, uint64_t place, void *to, uint32_t len)
{
    const char *problem = "the file has become shorter";
    if (capture->kind != KIND_TRACE) {
        snprintf(capture->error, sizeof capture->error, "only packets of a trace can be read again");
        return QCAP_E_STATE;
    }
    qcapint_input_t *input = &capture->trace.input;
    switch (qcapint_input_read_at(input, place, to, len)) {
    case QCAPINT_INPUT_OK:
        return QCAP_OK;
    case QCAPINT_INPUT_BROKEN:
        problem = "interrupted";
        break;
    case QCAPINT_INPUT_FAILED:
        problem = input->error;
        break;
    case QCAPINT_INPUT_END:
        break;
    }
    snprintf(capture->error, sizeof capture->error, "%s", problem);
    return input->is_seekable ? QCAP_E_CAPTURE : QCAP_E_STATE;
}

const char *qcapint_capture_error(const qcapint_capture_t *capture)
{
    return capture->error;
}

void qcapint_capture_break(qcapint_capture_t *capture)
{
    if (capture->kind == KIND_DEVICE)
        pcap_breakloop(capture->device);
    else
        capture->trace.input.is_broken = true;
}

/* ---------------------------------------------------------------- filters */

static int set_device_filter(qcapint_capture_t *capture, const char *expression)
{
    struct bpf_program program;
    int status = pcap_compile(capture->device, &program, expression, 1, PCAP_NETMASK_UNKNOWN);
    if (status == 0) {
        status = pcap_setfilter(capture->device, &program);
        pcap_freecode(&program);
    }
    if (status == 0)
        return QCAP_OK;
    snprintf(capture->error, sizeof capture->error, "%s", pcap_geterr(capture->device));
    return QCAP_E_FILTER;
}

int qcapint_capture_set_filter(qcapint_capture_t *capture, const char *expression)
{
    if (capture->kind == KIND_DEVICE)
        return set_device_filter(capture, expression);
    int status = qcapint_filter_set(&capture->filter, expression, capture->link_type);
    if (status < 0)
        memcpy(capture->error, capture->filter.error, sizeof capture->error);
    return status;
}

bool qcapint_capture_accepts(qcapint_capture_t *capture, const qcapint_frame_t *frame)
{
    return qcapint_filter_matches(&capture->filter, frame) > 0;
}

/* ---------------------------------------------------------------- facts */

int qcapint_capture_link_type(const qcapint_capture_t *capture)
{
    return capture->link_type;
}

bool qcapint_capture_is_pushed(const qcapint_capture_t *capture)
{
    return capture->kind == KIND_PUSHED;
}

bool qcapint_capture_is_device(const qcapint_capture_t *capture)
{
    return capture->kind == KIND_DEVICE;
}

void qcapint_capture_drops(qcapint_capture_t *capture, uint64_t *system, uint64_t *hardware)
{
    struct pcap_stat stat;
    *system = capture->trace.system_drops;
    *hardware = capture->trace.device_drops;
    if (capture->kind != KIND_DEVICE || pcap_stats(capture->device, &stat) < 0)
        return;
    *system = stat.ps_drop;
    *hardware = stat.ps_ifdrop;
}
