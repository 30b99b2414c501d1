/* capture.c: where packets come from.
 *
 * A trace or a device is read through libpcap, one frame at a time; a pushed handle only has a link type and a
 * filter. The stages behind see frames, and nothing of libpcap. */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define DEFAULT_SNAP_LEN 262144
#define DEFAULT_BUFFER_SIZE (64 << 20)
#define DEFAULT_TIMEOUT_MS 100

typedef enum { KIND_TRACE, KIND_DEVICE, KIND_PUSHED } capture_kind_t;

struct qcapint_capture {
    pcap_t *pcap;               /* trace and device: open for reading; pushed: "dead", with a link type only */
    capture_kind_t kind;
    int link_type;              /* DLT_ number */
    uint64_t unit_ns;           /* what a timestamp's fraction counts */
    bool has_filter;            /* pushed: filter is valid; the others filter inside libpcap */
    struct bpf_program filter;
    char error[QCAP_ERRBUF_SIZE]; /* last failure */
};

/* ---------------------------------------------------------------- opening */

static qcapint_capture_t *fail(qcapint_capture_t *capture, char *errbuf, const char *message)
{
    snprintf(errbuf, QCAP_ERRBUF_SIZE, "%s", message);
    qcapint_capture_close(capture);
    return NULL;
}

/* Makes a capture of an open libpcap handle, which it takes over, and checks that it can be decoded. */
static qcapint_capture_t *wrap(pcap_t *pcap, capture_kind_t kind, char *errbuf)
{
    char message[QCAP_ERRBUF_SIZE];
    qcapint_capture_t *capture = calloc(1, sizeof *capture);
    if (!capture) {
        pcap_close(pcap);
        return fail(NULL, errbuf, "out of memory");
    }
    capture->pcap = pcap;
    capture->kind = kind;
    capture->link_type = pcap_datalink(pcap);
    capture->unit_ns = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    if (qcapint_decode_knows(capture->link_type))
        return capture;
    const char *name = pcap_datalink_val_to_name(capture->link_type);
    snprintf(message, sizeof message, "link type %s (%d) is not supported", name ? name : "?", capture->link_type);
    return fail(capture, errbuf, message);
}

qcapint_capture_t *qcapint_capture_open_trace(const char *path, char *errbuf)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file)
        return fail(NULL, errbuf, strerror(errno));
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!pcap) {
        if (!is_stdin)
            fclose(file);
        return fail(NULL, errbuf, reason);
    }
    return wrap(pcap, KIND_TRACE, errbuf);
}

/* Sets everything that has to be set before activation. */
static void set_options(pcap_t *pcap, const qcap_device_options_t *options)
{
    static const qcap_device_options_t defaults = {0};
    if (!options)
        options = &defaults;
    uint32_t buffer_size = options->buffer_size ? options->buffer_size : DEFAULT_BUFFER_SIZE;
    uint32_t snap_len = options->snap_len ? options->snap_len : DEFAULT_SNAP_LEN;
    pcap_set_snaplen(pcap, snap_len < DEFAULT_SNAP_LEN ? (int)snap_len : DEFAULT_SNAP_LEN);
    pcap_set_buffer_size(pcap, buffer_size < INT32_MAX ? (int)buffer_size : INT32_MAX);
    pcap_set_timeout(pcap, options->timeout_ms && options->timeout_ms < INT32_MAX ? (int)options->timeout_ms
                                                                                   : DEFAULT_TIMEOUT_MS);
    pcap_set_promisc(pcap, options->is_promiscuous);
    pcap_set_immediate_mode(pcap, options->is_immediate);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO); /* microseconds where it is refused: see unit_ns */
}

qcapint_capture_t *qcapint_capture_open_device(const char *device, const qcap_device_options_t *options, char *errbuf)
{
    char message[QCAP_ERRBUF_SIZE], reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(device, reason);
    if (!pcap)
        return fail(NULL, errbuf, reason);
    set_options(pcap, options);
    int status = pcap_activate(pcap);
    if (status < 0) { /* above 0 are warnings */
        const char *detail = pcap_geterr(pcap);
        snprintf(message, sizeof message, "%s%s%s", pcap_statustostr(status), *detail ? ": " : "", detail);
        pcap_close(pcap);
        return fail(NULL, errbuf, message);
    }
    return wrap(pcap, KIND_DEVICE, errbuf);
}

qcapint_capture_t *qcapint_capture_open_pushed(int link_type, char *errbuf)
{
    pcap_t *pcap = pcap_open_dead(link_type, DEFAULT_SNAP_LEN);
    return pcap ? wrap(pcap, KIND_PUSHED, errbuf) : fail(NULL, errbuf, "out of memory");
}

void qcapint_capture_close(qcapint_capture_t *capture)
{
    if (!capture)
        return;
    if (capture->has_filter)
        pcap_freecode(&capture->filter);
    pcap_close(capture->pcap);
    free(capture);
}

/* ---------------------------------------------------------------- reading */

/* Unsigned, since a damaged file may say anything. */
static int64_t time_of(const qcapint_capture_t *capture, const struct timeval *ts)
{
    return (int64_t)((uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_usec * capture->unit_ns);
}

qcapint_capture_next_t qcapint_capture_next(qcapint_capture_t *capture, qcapint_frame_t *frame)
{
    struct pcap_pkthdr *header;
    const unsigned char *bytes;
    switch (pcap_next_ex(capture->pcap, &header, &bytes)) {
    case 1:
        frame->bytes = bytes;
        frame->len = header->caplen;
        frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
        frame->time_ns = time_of(capture, &header->ts);
        return QCAPINT_CAPTURE_FRAME;
    case 0:
        return QCAPINT_CAPTURE_NOTHING;
    case PCAP_ERROR_BREAK: /* pcap_next_ex says so at the end of a file, and a device after pcap_breakloop() */
        return capture->kind == KIND_TRACE ? QCAPINT_CAPTURE_END : QCAPINT_CAPTURE_NOTHING;
    default:
        snprintf(capture->error, sizeof capture->error, "%s", pcap_geterr(capture->pcap));
        return QCAPINT_CAPTURE_FAILED;
    }
}

const char *qcapint_capture_error(const qcapint_capture_t *capture)
{
    return capture->error;
}

void qcapint_capture_break(qcapint_capture_t *capture)
{
    if (capture->kind == KIND_DEVICE)
        pcap_breakloop(capture->pcap);
}

/* ---------------------------------------------------------------- filters */

int qcapint_capture_set_filter(qcapint_capture_t *capture, const char *expression)
{
    struct bpf_program program;
    if (pcap_compile(capture->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        snprintf(capture->error, sizeof capture->error, "%s", pcap_geterr(capture->pcap));
        return QCAP_E_FILTER;
    }
    if (capture->kind == KIND_PUSHED) {
        if (capture->has_filter)
            pcap_freecode(&capture->filter);
        capture->filter = program;
        capture->has_filter = true;
        return QCAP_OK;
    }
    int status = pcap_setfilter(capture->pcap, &program);
    pcap_freecode(&program);
    if (status < 0) {
        snprintf(capture->error, sizeof capture->error, "%s", pcap_geterr(capture->pcap));
        return QCAP_E_FILTER;
    }
    return QCAP_OK;
}

bool qcapint_capture_accepts(const qcapint_capture_t *capture, const qcapint_frame_t *frame)
{
    struct pcap_pkthdr header = {.caplen = frame->len, .len = frame->wire_len};
    return !capture->has_filter || pcap_offline_filter(&capture->filter, &header, frame->bytes) != 0;
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
    *system = *hardware = 0;
    if (capture->kind != KIND_DEVICE || pcap_stats(capture->pcap, &stat) < 0)
        return;
    *system = stat.ps_drop;
    *hardware = stat.ps_ifdrop;
}
