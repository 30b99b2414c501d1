/* qcap.c: the handle: open, set, loop, close; and the way of a packet through the stages.
 *
 * A frame from capture.c is decoded, put together if it is a fragment, and handed to the flow table if it is TCP.
 * Each stage says what became of the packet with qcapint_packet_stage(). Between two packets, what has timed out is
 * dropped. Frames are read and decoded some at a time, so that what their processing needs is in the cache by then:
 * see note [lines in time] in flow.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow_find.h"
#include "handle.h"
#include "tunnel.h"

/* What a conversation is read with is fetched so many packets before its own: long enough for memory to answer, twice. */
#define READER_AHEAD 6

/* Packets of a device may be on their way for so long when it seems to be silent. */
#define LATE_NS INT64_C(1000000000)

/* Times are believed up to here, so that differences and deadlines do not overflow. */
#define TIME_MAX (INT64_MAX / 4)

/* ---------------------------------------------------------------- failures */

int qcapint_fail(qcap_t *q, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(q->error, sizeof q->error, format, arguments);
    va_end(arguments);
    return status;
}

int qcapint_before_begin(qcap_t *q)
{
    return q->has_begun ? qcapint_fail(q, QCAP_E_STATE, "settings are made before the first packet") : QCAP_OK;
}

const char *qcap_geterr(const qcap_t *q)
{
    return q->error;
}

/* ---------------------------------------------------------------- opening and closing */

qcap_t *qcapint_open(qcapint_capture_t *capture, const qcapint_sink_t *sink, char *errbuf)
{
    if (!capture)
        return NULL;
    qcap_t *q = calloc(1, sizeof *q);
    if (!q) {
        snprintf(errbuf, QCAP_ERRBUF_SIZE, "out of memory");
        qcapint_capture_close(capture);
        return NULL;
    }
    qcapint_options_init(q);
    qcapint_policies_init(&q->policies);
    q->now_ns = -TIME_MAX;
    q->capture = capture;
    q->sink = sink;
    q->wake_ns = INT64_MAX;
    qcapint_defrag_init(q);
    if (qcapint_flow_init(q) || sink->init(q)) {
        snprintf(errbuf, QCAP_ERRBUF_SIZE, "out of memory");
        qcapint_flow_fini(q);
        qcapint_flow_free(q);
        qcapint_capture_close(capture);
        free(q);
        return NULL;
    }
    return q;
}

qcap_t *qcap_open_trace(const char *path, char *errbuf)
{
    return qcapint_open(qcapint_capture_open_trace(path, errbuf), &qcapint_pair_sink, errbuf);
}

qcap_t *qcap_open_device(const char *device, const qcap_device_options_t *options, char *errbuf)
{
    return qcapint_open(qcapint_capture_open_device(device, options, errbuf), &qcapint_pair_sink, errbuf);
}

qcap_t *qcap_open_pushed(int link_type, char *errbuf)
{
    return qcapint_open(qcapint_capture_open_pushed(link_type, errbuf), &qcapint_pair_sink, errbuf);
}

static void free_handlers(qcap_t *q)
{
    for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++)
        while (q->packet_handlers[stage]) {
            qcapint_packet_subscription_t *subscription = q->packet_handlers[stage];
            q->packet_handlers[stage] = subscription->next;
            qcapint_budget_free(&q->budget, subscription, sizeof *subscription);
        }
    while (q->conflict_handlers) {
        qcapint_conflict_subscription_t *subscription = q->conflict_handlers;
        q->conflict_handlers = subscription->next;
        qcapint_budget_free(&q->budget, subscription, sizeof *subscription);
    }
    while (q->taps) {
        qcapint_tap_t *tap = q->taps;
        q->taps = tap->next;
        qcapint_budget_free(&q->budget, tap, sizeof *tap);
    }
}

void qcap_close(qcap_t *q)
{
    if (!q)
        return;
    qcapint_flow_fini(q);
    qcapint_defrag_fini(q);
    qcapint_udp_fini(q);
    q->sink->fini(q);
    qcapint_flow_free(q); /* the sink may have kept conversations */
    free_handlers(q);
    qcap_getter_free(q->where);
    qcapint_policies_fini(&q->policies, &q->budget);
    qcapint_buffer_fini(q, &q->scratch);
    qcapint_capture_close(q->capture);
    free(q);
}

/* ---------------------------------------------------------------- settings */

int qcap_set_filter(qcap_t *q, const char *expression)
{
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    status = qcapint_capture_set_filter(q->capture, expression);
    if (status)
        return qcapint_fail(q, status, "filter \"%s\": %s", expression, qcapint_capture_error(q->capture));
    return QCAP_OK;
}

/* ---------------------------------------------------------------- the way of a packet */

static bool process_tunnel(qcap_t *q, qcap_packet_t *carrier);

static void discard(qcap_packet_t *packet, qcap_stage_t stage)
{
    packet->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(packet, stage);
}

/* RFC 791, 3.1. Whether a wrong one, of IPv4 or GRE, is believed: hardware rarely computes it, but tools that rewrite
 * addresses leave it wrong, and then data must not be lost. So it is reported, and counts only where the user asked for it. */
static bool accept_checksum(const qcap_t *q, qcap_packet_t *packet,
                            qcapint_checksum_t (*check)(const unsigned char *bytes, const qcapint_headers_t *headers))
{
    if (q->options.checksums == QCAP_CHECKSUMS_IGNORE || check(packet->bytes, &packet->headers) != QCAPINT_CHECKSUM_BAD)
        return true;
    bool is_believed = q->options.checksums == QCAP_CHECKSUMS_VERIFY;
    if (is_believed)
        packet->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(packet, QCAP_STAGE_BAD_CHECKSUM);
    return !is_believed;
}

static void process_datagram(qcap_t *q, qcap_packet_t *packet)
{
    if (q->options.checksums == QCAP_CHECKSUMS_VERIFY &&
        qcapint_checksum_transport(packet->bytes, &packet->headers) == QCAPINT_CHECKSUM_BAD) {
        discard(packet, QCAP_STAGE_BAD_CHECKSUM);
        return;
    }
    if (process_tunnel(q, packet))
        return;
    qcapint_packet_stage(packet, QCAP_STAGE_UDP_DELIVERED);
    if (q->sink->datagram)
        q->sink->datagram(q, packet);
}

/* A whole IP packet: to whoever understands what it carries. */
static void process_network(qcap_t *q, qcap_packet_t *packet)
{
    switch (packet->headers.protocol) {
    case QCAPINT_PROTOCOL_TCP:
        qcapint_flow_segment(q, packet);
        break;
    case QCAPINT_PROTOCOL_UDP:
        process_datagram(q, packet);
        break;
    case QCAPINT_PROTOCOL_ICMP:
    case QCAPINT_PROTOCOL_ICMP6:
        qcapint_packet_stage(packet, QCAP_STAGE_ICMP);
        break;
    default:
        if (accept_checksum(q, packet, qcapint_checksum_gre) && !process_tunnel(q, packet))
            qcapint_packet_stage(packet, QCAP_STAGE_OTHER);
    }
}

static void process_fragment(qcap_t *q, qcap_packet_t *fragment)
{
    qcap_packet_t *whole = qcapint_defrag_fragment(q, fragment);
    if (!whole)
        return;
    whole->depth = fragment->depth;
    whole->link_type = fragment->link_type;
    whole->inner_type = fragment->headers.version == 4 ? QCAPINT_ETHERTYPE_IPV4 : QCAPINT_ETHERTYPE_IPV6;
    if (qcapint_decode_network(whole->bytes, whole->len, &whole->headers) == QCAPINT_DECODE_OK) {
        qcapint_packet_stage(whole, QCAP_STAGE_DEFRAGMENTED);
        process_network(q, whole);
    } else {
        discard(whole, QCAP_STAGE_BAD_HEADER);
    }
    qcap_packet_unref(whole);
}

/* Goes on with what decoding found. */
static void process_decoded(qcap_t *q, qcap_packet_t *packet, qcapint_decode_t result)
{
    switch (result) {
    case QCAPINT_DECODE_OTHER:
        if (!packet->headers.is_aggregate || !process_tunnel(q, packet))
            qcapint_packet_stage(packet, QCAP_STAGE_OTHER);
        return;
    case QCAPINT_DECODE_ARP:
        qcapint_packet_stage(packet, QCAP_STAGE_ARP);
        return;
    case QCAPINT_DECODE_BAD_HEADER:
        discard(packet, QCAP_STAGE_BAD_HEADER);
        return;
    case QCAPINT_DECODE_OK:
        break;
    }
    if (packet->depth == 0)
        qcapint_packet_stage(packet, QCAP_STAGE_LINK_DECODED);
    if (!accept_checksum(q, packet, qcapint_checksum_network))
        return;
    if (packet->headers.is_fragment)
        process_fragment(q, packet);
    else
        process_network(q, packet);
}

/* note [packets in packets]: the inner packet is borrowed like its carrier, in whose bytes it lies, and its one
 * constituent is the carrier, borrowed too. Whoever keeps the inner one keeps a copy of both. */
static void process_inner(qcap_t *q, qcap_packet_t *carrier, const qcapint_inner_t *inner)
{
    qcap_packet_t packet;
    qcapint_packet_init(&packet, q, carrier->bytes + inner->offset, inner->len, inner->wire_len);
    packet.flags |= QCAP_PACKET_ARTIFICIAL;
    packet.time_ns = carrier->time_ns;
    packet.number = carrier->number;
    packet.link_type = carrier->link_type;
    packet.inner_type = inner->ethertype;
    packet.depth = (uint8_t)(carrier->depth + 1);
    packet.constituents = &carrier;
    packet.constituent_count = 1;
    qcapint_decode_t result = qcapint_decode_inner(inner->ethertype, packet.bytes, packet.len, &packet.headers);
    qcapint_packet_stage(&packet, QCAP_STAGE_DECAPSULATED);
    process_decoded(q, &packet, result);
    qcapint_packet_fini(&packet);
}

/* Takes the packets out of the carrier's payload. Returns false if there is none: then nothing has become of the
 * carrier. */
static bool process_tunnel(qcap_t *q, qcap_packet_t *carrier)
{
    qcapint_inner_t inner = {0};
    bool is_tunnel = false;
    qcapint_decode_t result;
    while ((result = qcapint_tunnel_next(carrier->bytes, &carrier->headers, &inner)) == QCAPINT_DECODE_OK) {
        if (carrier->depth == QCAPINT_TUNNEL_DEPTH) {
            carrier->headers.reason = "tunnel: too many packets in one another";
            result = QCAPINT_DECODE_BAD_HEADER;
            break;
        }
        if (!is_tunnel)
            qcapint_packet_stage(carrier, QCAP_STAGE_TUNNEL);
        is_tunnel = true;
        process_inner(q, carrier, &inner);
    }
    if (result == QCAPINT_DECODE_BAD_HEADER && !is_tunnel)
        discard(carrier, QCAP_STAGE_BAD_HEADER);
    else if (result == QCAPINT_DECODE_BAD_HEADER) /* what came before it was taken */
        qcapint_packet_stage(carrier, QCAP_STAGE_BAD_HEADER);
    return is_tunnel || result == QCAPINT_DECODE_BAD_HEADER;
}

static inline void count(qcap_t *q, const qcapint_frame_t *frame)
{
    qcap_stats_t *stats = &q->stats;
    if (stats->packets++ == 0)
        stats->first_ns = frame->time_ns;
    stats->bytes += frame->len;
    stats->wire_bytes += frame->wire_len;
    if (frame->time_ns > q->now_ns)
        q->now_ns = frame->time_ns < TIME_MAX ? frame->time_ns : TIME_MAX;
}

/* Looks at frames whose turn will come soon: each is a usual one, or is decoded, as are all that a getter has to look at. */
static void look(qcap_t *q, const qcapint_frame_t *frames, uint32_t count, qcapint_usual_t *usual, qcapint_early_t *early)
{
    uint32_t others = q->where ? UINT32_MAX >> (32 - count) : qcapint_usual_look(q, frames, count, usual);
    for (uint32_t left = others; left; left &= left - 1) {
        const unsigned i = (unsigned)__builtin_ctz(left);
        usual[i].ends.version = 0;
        early[i].decoded = qcapint_packet_begin(&early[i].packet, q, &frames[i]);
        if (early[i].decoded == QCAPINT_DECODE_OK)
            qcapint_flow_prepare(q, &early[i].packet);
    }
    for (uint32_t left = others; left; left &= left - 1) {
        const qcap_packet_t *packet = &early[__builtin_ctz(left)].packet;
        if (packet->is_hashed)
            qcapint_flow_fetch(q, packet->hash);
    }
}

/* What was idle longest leaves, of whatever kind. */
static void make_room(qcap_t *q)
{
    while (qcapint_is_tight(q)) {
        int64_t conv_ns = qcapint_flow_oldest_ns(q), datagram_ns = qcapint_defrag_oldest_ns(q);
        int64_t exchange_ns = qcapint_udp_oldest_ns(q);
        if (conv_ns == INT64_MAX && datagram_ns == INT64_MAX && exchange_ns == INT64_MAX)
            return;
        if (conv_ns <= datagram_ns && conv_ns <= exchange_ns)
            qcapint_flow_evict(q);
        else if (datagram_ns <= exchange_ns)
            qcapint_defrag_evict(q);
        else
            qcapint_udp_evict(q);
    }
}

/* Between two packets: what has timed out leaves, or what there is no room for. */
static inline void clean_up(qcap_t *q)
{
    if (q->now_ns >= q->flow.expire_ns)
        qcapint_flow_expire(q);
    if (q->defrag.oldest)
        qcapint_defrag_expire(q);
    if (q->udp.oldest)
        qcapint_udp_expire(q);
    if (q->now_ns >= q->wake_ns)
        q->sink->wake(q);
    if (qcapint_is_tight(q))
        make_room(q);
}

/* Until then nothing has to be done between packets, but for conversations; INT64_MIN: there always is. */
static inline int64_t calm_until(const qcap_t *q)
{
    if (q->defrag.oldest || q->udp.oldest)
        return INT64_MIN;
    return q->wake_ns < TIME_MAX ? q->wake_ns : TIME_MAX;
}

/* A frame's turn has come. False if it is none of those that are looked at. */
static inline bool begin(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual, qcapint_early_t *early)
{
    q->has_begun = true;
    q->link_type = frame->link_type;
    q->number++;
    if (!usual->ends.version)
        early->packet.number = q->number;
    if (q->where && !qcap_getter_holds(q->where, &early->packet))
        return false;
    count(q, frame);
    clean_up(q);
    return true;
}

/* A TCP segment in a usual frame: of the way there, only what others are told of is left to be done. */
static void process_usual(qcap_t *q, qcap_packet_t *packet, const qcapint_usual_t *usual)
{
    packet->hash = usual->hash;
    packet->is_hashed = true;
    packet->is_right = q->options.checksums != QCAP_CHECKSUMS_IGNORE;
    qcapint_packet_stage(packet, QCAP_STAGE_CAPTURED);
    qcapint_packet_stage(packet, QCAP_STAGE_LINK_DECODED);
    qcapint_flow_segment(q, packet);
}

/* The general way. */
__attribute__((noinline)) static void process(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual,
                                              qcapint_early_t *early)
{
    qcap_packet_t *packet = &early->packet;
    if (usual->ends.version) {
        qcapint_packet_begin(packet, q, frame);
        packet->number = q->number;
        process_usual(q, packet, usual);
    } else {
        qcapint_packet_stage(packet, QCAP_STAGE_CAPTURED);
        process_decoded(q, packet, early->decoded);
    }
    qcapint_packet_count(packet);
    qcapint_packet_fini(packet);
}

static inline void take_turn(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual, qcapint_early_t *early)
{
    if (begin(q, frame, usual, early) && (!usual->ends.version || !qcapint_usual_take(q, frame, usual)))
        process(q, frame, usual, early);
}

static void finish(qcap_t *q)
{
    qcapint_defrag_finish(q);
    qcapint_flow_finish(q, QCAP_END_CAPTURE);
    qcapint_udp_finish(q);
}

/* ---------------------------------------------------------------- running */

/* Fetches what the conversation of a packet is read with, some packets before its turn; one that carries nothing is not read. See
 * qcapint_sink_t. */
static inline void fetch_reader(qcap_t *q, uint32_t at, unsigned step)
{
    const qcapint_batch_t *batch = &q->batch;
    if (at >= batch->count || !batch->usual[at].ends.version)
        return;
    const qcapint_usual_t *usual = &batch->usual[at];
    if (usual->len == 0 && !(usual->tcp[13] & QCAPINT_TCP_FIN))
        return;
    const qcapint_conv_t *conv = qcapint_flow_hinted(&q->flow, usual->hash, usual->hint);
    if (conv && conv->upper && !conv->is_unread)
        q->sink->fetch(conv, step);
}

/* The same for packets of which those before `*done` have had it: up to `ahead` packets from the one at `at`. */
static inline void fetch_readers(qcap_t *q, uint32_t *done, uint32_t at, uint32_t ahead, unsigned step)
{
    for (*done = *done > at ? *done : at + 1; *done <= at + ahead; ++*done)
        fetch_reader(q, *done, step);
}

/* Reads some packets, at most `limit`, and looks at them. */
static qcapint_capture_next_t fill_batch(qcap_t *q, uint64_t limit)
{
    qcapint_batch_t *batch = &q->batch;
    size_t count;
    qcapint_capture_next_t status =
        qcapint_capture_next(q->capture, batch->frames, limit < QCAPINT_BATCH ? (size_t)limit : QCAPINT_BATCH, &count);
    batch->at = 0;
    batch->count = (uint32_t)count;
    if (count > 0)
        look(q, batch->frames, batch->count, batch->usual, batch->early);
    return status;
}

/* Processes packets of the batch, at most `limit`, until the reading is broken off. Returns how many. */
static uint64_t process_batch(qcap_t *q, uint64_t limit)
{
    qcapint_batch_t *batch = &q->batch;
    uint32_t begin = batch->at, end = batch->count - begin < limit ? batch->count : begin + (uint32_t)limit;
    uint32_t fetched[2] = {begin, begin};
    while (batch->at < end && !q->is_broken) {
        uint32_t at = batch->at + qcapint_usual_run(q, &batch->frames[batch->at], &batch->usual[batch->at], end - batch->at,
                                                    calm_until(q));
        batch->at = at;
        if (at == end)
            break;
        batch->at++;
        if (q->is_read) {
            fetch_readers(q, &fetched[0], at, READER_AHEAD, 0);
            fetch_readers(q, &fetched[1], at, READER_AHEAD / 2, 1);
        }
        take_turn(q, &batch->frames[at], &batch->usual[at], &batch->early[at]);
    }
    return batch->at - begin;
}

/* While a device is silent time goes on: what waits for it happens, without a packet. */
static void pass_time(qcap_t *q)
{
    struct timespec time;
    if (!q->has_begun || !qcapint_capture_is_device(q->capture) || clock_gettime(CLOCK_REALTIME, &time) != 0)
        return;
    int64_t now_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec - LATE_NS;
    if (now_ns > q->now_ns)
        q->now_ns = now_ns;
    clean_up(q);
}

/* Reads up to `limit` packets (0: no limit), or until there is none for the time being if `is_patient` is false.
 * Returns how many were read, or a negative status. */
static int64_t read_packets(qcap_t *q, uint64_t limit, bool is_patient)
{
    uint64_t read = 0;
    while (limit == 0 || read < limit) {
        if (q->is_broken) {
            q->is_broken = 0;
            return qcapint_fail(q, QCAP_E_BREAK, "%s", qcap_status_text(QCAP_E_BREAK));
        }
        if (q->batch.at < q->batch.count) {
            read += process_batch(q, limit ? limit - read : QCAPINT_BATCH);
            continue;
        }
        switch (fill_batch(q, limit ? limit - read : QCAPINT_BATCH)) {
        case QCAPINT_CAPTURE_FRAME:
            break;
        case QCAPINT_CAPTURE_NOTHING:
            pass_time(q);
            if (!is_patient)
                return (int64_t)read;
            break;
        case QCAPINT_CAPTURE_END:
            finish(q);
            return (int64_t)read;
        case QCAPINT_CAPTURE_FAILED:
            finish(q);
            return qcapint_fail(q, QCAP_E_CAPTURE, "%s", qcapint_capture_error(q->capture));
        }
    }
    return (int64_t)read;
}

/* Handlers are called in the middle of a packet: nothing may be read there. */
static int check_handlers(qcap_t *q)
{
    return q->is_running ? qcapint_fail(q, QCAP_E_STATE, "not from a handler") : QCAP_OK;
}

static int check_reads(qcap_t *q)
{
    int status = check_handlers(q);
    if (status < 0)
        return status;
    return qcapint_capture_is_pushed(q->capture)
               ? qcapint_fail(q, QCAP_E_STATE, "this handle reads nothing: packets are pushed")
               : QCAP_OK;
}

int qcap_loop(qcap_t *q, uint64_t limit)
{
    int status = check_reads(q);
    if (status)
        return status;
    q->is_running = true;
    int64_t read = read_packets(q, limit, true);
    q->is_running = false;
    return read < 0 ? (int)read : QCAP_OK;
}

int qcap_dispatch(qcap_t *q, int limit)
{
    int status = check_reads(q);
    if (status)
        return status;
    if (limit < 0)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "a negative number of packets");
    q->is_running = true;
    int64_t read = read_packets(q, limit ? (uint64_t)limit : INT32_MAX, false);
    q->is_running = false;
    return (int)read;
}

void qcap_breakloop(qcap_t *q)
{
    q->is_broken = 1;
    qcapint_capture_break(q->capture);
}

int qcap_push(qcap_t *q, const void *bytes, uint32_t len, uint32_t wire_len, int64_t time_ns)
{
    qcapint_frame_t frame = {.bytes = bytes,
                             .len = len,
                             .wire_len = wire_len,
                             .time_ns = time_ns,
                             .place = QCAPINT_NO_PLACE,
                             .link_type = (uint16_t)qcapint_capture_link_type(q->capture)};
    if (!qcapint_capture_is_pushed(q->capture))
        return qcapint_fail(q, QCAP_E_STATE, "packets are pushed to handles of qcap_open_pushed()");
    if (wire_len < len)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "more was captured than there was on the wire");
    int status = check_handlers(q);
    if (status < 0)
        return status;
    if (!qcapint_capture_accepts(q->capture, &frame))
        return QCAP_OK;
    qcapint_usual_t usual;
    qcapint_early_t early;
    look(q, &frame, 1, &usual, &early);
    q->is_running = true;
    take_turn(q, &frame, &usual, &early);
    q->is_running = false;
    return QCAP_OK;
}

int qcap_finish(qcap_t *q)
{
    int status = check_handlers(q);
    if (status < 0)
        return status;
    q->is_running = true;
    finish(q);
    q->is_running = false;
    return QCAP_OK;
}

/* ---------------------------------------------------------------- facts */

int qcap_link_type(const qcap_t *q)
{
    return q->has_begun ? q->link_type : qcapint_capture_link_type(q->capture);
}

void qcap_stats(qcap_t *q, qcap_stats_t *stats)
{
    *stats = q->stats;
    stats->last_ns = q->stats.packets ? q->now_ns : 0;
    stats->memory = q->budget.used;
    stats->memory_peak = q->budget.peak;
    stats->memory_limit = q->budget.limit;
    stats->memory_refused = q->budget.refused;
    qcapint_capture_drops(q->capture, &stats->system_drops, &stats->device_drops);
}
