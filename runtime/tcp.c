/* tcp.c: TCP segments become ordered bytes, as the receiver sees them.
 *
 * In: the segments of one conversation, in the order they were captured. Out: for each direction, the bytes its
 * receiver reads, in order and once, handed to tcpstr.c; gaps where the capture lacks some; the end.
 *
 * The idea. Sequence numbers (32 bits, of one direction) become offsets (64 bits, from its first byte) at the door, by
 * their distance from the end of the stream, which is where the next byte belongs; nothing behind the door knows of
 * wrap-around.
 *
 *     offset:    0              str->end          acked                     right_edge
 *                |--------------|-----------------|-------------------------|-------
 *                  delivered       a hole, if the     still on its way;       the receiver
 *                                  receiver has it    may lie in the queue    takes nothing
 *
 * A segment at str->end is handed on where it lies. One behind it is queued until the hole before it fills. Where it
 * overlaps what is queued, the receiver's policy decides, pair by pair (policy.c); what was delivered stays.
 *
 * note [beyond the window]: a capture may show data before the ACK that made room for it, so bytes up to one window
 * beyond the right edge are taken.
 *
 * note [lost bursts]: where the capture lost everything for a while, of both directions and more than a window, all that comes
 * later lies outside. What one side sends there and the other one acknowledges is true all the same: bytes and an acknowledgement
 * that belong together move the stream on, and what is between is a gap. Longer than 4 GB it cannot be told; of one direction
 * alone, acknowledgements lead on step by step, any distance. Example: the stream ends at 100, its receiver's window at 600; then
 * come bytes 5000-5099, outside, and an ACK of 5100: the stream goes on there.
 *
 * note [after a RST]: a RST counts if the receiver would take it, but the capture may show segments behind it that were
 * before it, and a forged one that the receiver did not take is no end. So a conversation that was reset lingers, and
 * goes on if the sender of the RST goes on.
 *
 * Sources: RFC 9293, 3.4 (sequence numbers), 3.10.7 (arrival of segments); RFC 7323, 2 (window scale); RFC 7413
 * (data on the SYN); RFC 5961, 3 (RST). */
#include "tcp.h"

#include <string.h>

#include "bytes.h"
#include "conflict.h"
#include "flow.h"
#include "handle.h"
#include "order.h"
#include "smooth.h"

#define NONE UINT64_MAX

/* RFC 7323, 2.3: no window is larger. */
#define WINDOW_LIMIT (1u << 30)

/* At most so many segments of a direction with wrong checksums are kept. */
#define DOUBTFUL_LIMIT 64u

/* A queue of more segments is not waited for: bounds memory, and the search for a segment's place. */
#define QUEUE_LIMIT 16384u

/* A segment that arrives, and what it concerns. */
typedef struct arrival {
    qcapint_conv_t *conv;
    qcap_packet_t *packet;
    const qcapint_headers_t *headers; /* of packet */
    qcap_tcpstr_t *str;               /* from the sender */
    qcap_tcpstr_t *other;             /* to the sender */
    int64_t begin;                    /* offset of the first byte; below 0: before the stream */
    uint64_t ack;                     /* see qcapint_segment_t; valid if has_ack */
    bool has_ack;
} arrival_t;

/* How far the sender is at least. */
static uint64_t reach(const qcap_tcpstr_t *str)
{
    return str->acked > str->end ? str->acked : str->end;
}

/* The offset of a sequence number: the one nearest to where the sender is. RFC 9293, 3.4. */
static int64_t offset_of(const qcap_tcpstr_t *str, uint32_t seq)
{
    uint64_t near = reach(str);
    return (int64_t)near + (int32_t)(seq - (str->base_seq + (uint32_t)near));
}

/* The receiver does not take the segment: RFC 9293, 3.10.7.4, first. */
static void discard(const arrival_t *a, qcap_stage_t stage)
{
    a->packet->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(a->packet, stage);
}

/* ---------------------------------------------------------------- what a segment says */

/* RFC 9293, 3.1; note [doubtful checksums] in order.c. Returns false if the segment is not to be looked at now. */
static bool accept_checksum(const arrival_t *a)
{
    qcap_checksums_t mode = a->conv->q->options.checksums;
    if (mode == QCAP_CHECKSUMS_IGNORE)
        return true;
    qcapint_checksum_t checksum =
        a->packet->is_right ? QCAPINT_CHECKSUM_GOOD : qcapint_checksum_transport(a->packet->bytes, a->headers);
    if (checksum == QCAPINT_CHECKSUM_GOOD)
        a->str->has_good_checksum = true;
    if (checksum != QCAPINT_CHECKSUM_BAD)
        return true;
    bool is_believed = mode == QCAP_CHECKSUMS_VERIFY || a->str->has_good_checksum;
    if (is_believed)
        a->packet->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(a->packet, QCAP_STAGE_BAD_CHECKSUM);
    return !is_believed;
}

/* Offset 0 is at `seq`. Nothing that was learned with another base holds. */
static void set_base(qcap_tcpstr_t *str, uint32_t seq, bool is_guess)
{
    str->base_seq = seq;
    str->has_base = true;
    str->is_base_guess = is_guess;
    str->acked = 0;
    str->has_window = false;
    qcapint_order_end_wait(str);
}

/* Whether nothing was made yet of what is known of its sequence numbers. */
static bool may_rebase(const qcap_tcpstr_t *str)
{
    return !str->has_base || (str->is_base_guess && str->end == 0 && !qcapint_rare_of(str)->queue.first);
}

/* Learns where the sender's stream begins. Without a SYN that is at its first segment: what the other side acknowledged
 * before lies behind, or was on its way when the capture began. Returns false for a SYN that does not belong here. */
static bool note_seq(const arrival_t *a)
{
    uint32_t seq = a->headers->seq;
    bool may = may_rebase(a->str);
    if (!(a->headers->tcp_flags & QCAPINT_TCP_SYN)) {
        bool is_before = a->headers->payload_wire > 0 && (int32_t)(seq - a->str->base_seq) < 0;
        if (may && (!a->str->is_seen || is_before))
            set_base(a->str, seq, true);
        return true;
    }
    a->str->has_sent_syn |= a->str->base_seq == seq + 1 || may;
    if (may && (!a->str->has_base || a->str->base_seq != seq + 1))
        set_base(a->str, seq + 1, false);
    if (may) {
        a->str->is_base_guess = false;
        a->str->has_syn = true;
        qcapint_tcp_note_scale(a->str, a->other, a->headers->window_scale);
    }
    return a->str->base_seq == seq + 1;
}

/* Whether an offset, of bytes or of an acknowledgement, is one that the receiver could have made room for. */
static bool is_near(const qcap_tcpstr_t *str, int64_t offset)
{
    if (offset > (int64_t)reach(str) + WINDOW_LIMIT || offset < (int64_t)str->end - (int64_t)WINDOW_LIMIT)
        return false;
    return qcapint_tcp_is_before_edge(str, offset);
}

/* Before the first acknowledgement no window is known. What it says cannot be far from what was captured of that side since its
 * SYN. */
static bool is_first_ack_far(const arrival_t *a, int64_t offset)
{
    return !a->other->has_window && a->other->is_seen && a->other->has_sent_syn &&
           offset > (int64_t)reach(a->other) + QCAPINT_TCP_LEEWAY;
}

/* See note [lost bursts]: the stream goes on at `seq`, which is ahead. */
static void go_on_at(qcap_tcpstr_t *str, uint32_t seq)
{
    while (qcapint_rare_of(str)->queue.first)
        qcapint_order_skip(str, NONE);
    uint32_t missing = seq - (str->base_seq + (uint32_t)str->end);
    if (missing > 0)
        qcapint_tcpstr_gap(str, missing);
    str->acked = str->end;
    str->has_window = false;
    if (qcapint_rare_has(qcapint_conv_of(str)))
        qcapint_rare_of(str)->has_far = qcapint_rare_of(str)->has_far_ack = false;
    qcapint_order_end_wait(str);
}

/* Whether the stream can go on anywhere else. */
static bool may_go_on(const qcap_tcpstr_t *str)
{
    return str->has_base && str->is_seen && !str->has_fin && !str->has_ended;
}

/* An acknowledgement outside the window: that of bytes that were seen there? Then the stream is where it says. */
static bool follow_far_ack(const arrival_t *a)
{
    uint32_t ack = a->headers->ack;
    if (!may_go_on(a->other))
        return false;
    qcapint_rare_t *rare = qcapint_rare_get(a->other);
    if (!rare)
        return false;
    if (rare->has_far && ack - rare->far_begin - 1 < rare->far_end - rare->far_begin) {
        go_on_at(a->other, ack);
        return true;
    }
    rare->far_ack = ack;
    rare->has_far_ack = true;
    return false;
}

/* Bytes outside the window: those behind an acknowledgement that was seen there? Then the stream is where they are. */
static bool follow_far_bytes(arrival_t *a)
{
    uint32_t seq = a->headers->seq, end = seq + a->headers->payload_wire, leeway = a->str->window_max;
    if (!may_go_on(a->str) || (a->headers->tcp_flags & QCAPINT_TCP_SYN))
        return false;
    qcapint_rare_t *rare = qcapint_rare_get(a->str);
    if (!rare)
        return false;
    uint32_t ahead = seq - rare->far_ack, behind = rare->far_ack - seq;
    if (rare->has_far_ack && (ahead <= leeway || behind <= a->headers->payload_wire)) {
        go_on_at(a->str, ahead <= leeway ? rare->far_ack : seq);
        a->begin = offset_of(a->str, seq);
        return true;
    }
    if (!rare->has_far || seq != rare->far_end)
        rare->far_begin = seq;
    rare->far_end = end;
    rare->has_far = true;
    return false;
}

/* Learns from an acknowledgement where the other side's stream begins, of which nothing was captured so far. It is
 * at its true beginning if this is a SYN-ACK, or the first segment behind a SYN. */
static void learn_base(const arrival_t *a)
{
    bool is_syn = a->headers->tcp_flags & QCAPINT_TCP_SYN;
    a->other->has_syn = is_syn || (a->str->has_syn && a->str->end == 0 && a->headers->seq == a->str->base_seq);
    set_base(a->other, a->headers->ack, !a->other->has_syn);
}

/* The segment's acknowledgement, below 0 if it is older than the stream, as an offset of the other side's. */
static uint64_t clip_ack(const arrival_t *a, int64_t offset)
{
    uint64_t ack = offset < 0 ? 0 : (uint64_t)offset, fin = qcapint_tcp_fin(a->other);
    return ack > fin ? fin : ack;
}

/* Takes the segment's acknowledgement: RFC 9293, 3.10.7.4, fifth. */
static void note_ack(arrival_t *a)
{
    bool is_syn = a->headers->tcp_flags & QCAPINT_TCP_SYN;
    if (!(a->headers->tcp_flags & QCAPINT_TCP_ACK))
        return;
    if (!a->other->has_base)
        learn_base(a);
    int64_t offset = offset_of(a->other, a->headers->ack);
    if (!is_near(a->other, offset) || is_first_ack_far(a, offset)) {
        if (!follow_far_ack(a))
            return;
        offset = (int64_t)a->other->end;
    }
    uint64_t ack = clip_ack(a, offset);
    if (a->other->has_fin && offset > (int64_t)qcapint_tcp_fin(a->other))
        a->other->is_fin_acked = true;
    qcapint_tcp_note_ack(a->str, a->other, ack, a->headers->window, is_syn);
    if (a->other->is_syn_data && is_syn && ack == 0) /* RFC 7413, 3: the data was not taken, and will come again */
        qcapint_queue_clear(a->conv->q, &qcapint_rare_of(a->other)->queue);
    a->other->is_syn_data = false;
    a->ack = ack;
    a->has_ack = true;
}

/* RFC 9293, 3.10.7.4, second; RFC 5961, 3: it counts from what the receiver has on. */
static void reset(const arrival_t *a)
{
    bool has_base = a->str->has_base;
    int64_t offset = has_base ? offset_of(a->str, a->headers->seq) : 0;
    if (has_base && (offset < (int64_t)a->str->acked || !is_near(a->str, offset))) {
        discard(a, QCAP_STAGE_TCP_OUTSIDE);
        return;
    }
    a->str->has_reset = true;
    qcapint_packet_stage(a->packet, QCAP_STAGE_TCP_RESET);
}

/* ---------------------------------------------------------------- bytes */

/* RFC 9293, 3.8.4: a byte, or none, before the next one, to make the other side answer. */
static bool is_keepalive(const arrival_t *a)
{
    return a->headers->payload_wire <= 1 && a->begin + 1 == (int64_t)a->str->end &&
           !(a->headers->tcp_flags & (QCAPINT_TCP_SYN | QCAPINT_TCP_FIN));
}

/* Notes the FIN; of several that are not reached yet, the receiver reaches the first one first. With a SYN it means
 * nothing. */
static void note_fin(const arrival_t *a)
{
    int64_t fin = a->begin + a->headers->payload_wire;
    if ((a->headers->tcp_flags & (QCAPINT_TCP_FIN | QCAPINT_TCP_SYN)) != QCAPINT_TCP_FIN)
        return;
    if (fin < (int64_t)a->str->end || (uint64_t)fin >= qcapint_tcp_fin(a->str) || !is_near(a->str, fin))
        return;
    if (fin > (int64_t)a->str->end && !qcapint_rare_get(a->str)) {
        qcapint_packet_stage(a->packet, QCAP_STAGE_NO_MEMORY);
        return;
    }
    a->str->has_fin = true;
    if (qcapint_rare_has(a->conv))
        qcapint_rare_of(a->str)->fin = fin > (int64_t)a->str->end ? (uint64_t)fin : NONE;
    a->str->is_fin_acked = a->str->acked > (uint64_t)fin;
    a->str->is_second_fin = a->other->is_fin_acked;
}

/* Queues bytes that are not in order, or overlap some that are queued: the receiver's policy decides. */
static void enqueue(const arrival_t *a, const qcapint_segment_t *segment)
{
    qcap_t *q = a->conv->q;
    qcapint_rule_t rule = qcapint_policy_of(&q->policies, qcap_tcpstr_destination(a->str))->segments;
    qcapint_rare_t *rare = qcapint_rare_get(a->str);
    if (!rare) {
        qcapint_packet_stage(a->packet, QCAP_STAGE_NO_MEMORY);
        return;
    }
    qcapint_overlap_t overlap = qcapint_queue_insert(q, &rare->queue, segment, a->begin,
                                                     a->begin + a->headers->payload_len, rule, a->str);
    q->stats.retransmitted_bytes += overlap.bytes;
    q->stats.conflicting_bytes += overlap.conflicting;
    if (overlap.is_incomplete)
        qcapint_packet_stage(a->packet, QCAP_STAGE_NO_MEMORY);
    qcapint_packet_stage(a->packet, overlap.bytes ? QCAP_STAGE_TCP_OVERLAP : QCAP_STAGE_TCP_QUEUED);
}

/* Delivers or queues the bytes of the segment that are new: `segment` has them all. */
static void take(const arrival_t *a, qcapint_segment_t *segment)
{
    uint64_t old = (int64_t)a->str->end > a->begin ? a->str->end - (uint64_t)a->begin : 0;
    segment->begin = (uint64_t)(a->begin + (int64_t)old);
    segment->bytes += old;
    segment->len -= (uint32_t)old;
    if (qcapint_segment_end(segment) > qcapint_tcp_fin(a->str))
        segment->len = (uint32_t)(qcapint_tcp_fin(a->str) - segment->begin);
    if (segment->len == 0)
        return;
    bool is_in_order = segment->begin == a->str->end && !a->str->is_syn_data;
    const qcapint_segment_t *queued = qcapint_rare_of(a->str)->queue.first;
    if (is_in_order && (!queued || queued->begin >= qcapint_segment_end(segment))) {
        a->str->has_reset = false; /* note [after a RST] */
        qcapint_packet_stage(a->packet, old > 0 ? QCAP_STAGE_TCP_OVERLAP : QCAP_STAGE_TCP_DELIVERED);
        qcapint_order_append(a->str, segment);
    } else {
        enqueue(a, segment);
    }
}

/* The urgent byte is the one before the one that is pointed to: RFC 6093, 3.1. */
static void note_urgent(const arrival_t *a, qcapint_segment_t *segment)
{
    segment->urgent = NONE;
    if (a->conv->q->options.urgent != QCAP_URGENT_OUT_OF_BAND || !(a->headers->tcp_flags & QCAPINT_TCP_URG))
        return;
    uint32_t pointer = qcapint_get_be16(a->packet->bytes + a->headers->transport + 18);
    if (pointer == 0 || pointer > a->headers->payload_len || a->begin + pointer <= (int64_t)a->str->end)
        return;
    segment->urgent = (uint64_t)(a->begin + pointer - 1);
    qcapint_packet_stage(a->packet, QCAP_STAGE_TCP_URGENT);
}

/* Bytes that were delivered before are compared with what is still there of them. Where bytes were left out, offsets do not say
 * which these are. */
static void note_copy(const arrival_t *a, const qcapint_segment_t *segment)
{
    qcap_stats_t *stats = &a->conv->q->stats;
    uint64_t before = a->begin < 0 ? (uint64_t)-a->begin : 0, len = a->headers->payload_len;
    uint64_t known = a->str->end - (uint64_t)a->begin;
    stats->retransmitted_bytes += known < len ? known : len;
    if (before >= len || !qcapint_rare_of(a->str)->first || a->conv->q->options.urgent == QCAP_URGENT_OUT_OF_BAND)
        return;
    qcapint_segment_t copy = *segment;
    copy.begin = (uint64_t)a->begin + before;
    copy.bytes += before;
    copy.len -= (uint32_t)before;
    stats->conflicting_bytes += qcapint_conflict_delivered(a->str, &copy);
}

/* The segment's payload: RFC 9293, 3.10.7.4, first and seventh. */
static void receive(arrival_t *a)
{
    const qcapint_headers_t *h = a->headers;
    qcapint_segment_t segment = {.ack = a->ack,
                                 .has_ack = a->has_ack,
                                 .bytes = a->packet->bytes + h->payload,
                                 .packet = a->packet,
                                 .len = h->payload_len};
    if (is_keepalive(a)) {
        qcapint_packet_stage(a->packet, QCAP_STAGE_TCP_KEEPALIVE);
        return;
    }
    if (h->payload_wire == 0)
        return;
    if (!is_near(a->str, a->begin))
        follow_far_bytes(a);
    int64_t end = a->begin + h->payload_len, wire_end = a->begin + h->payload_wire;
    bool is_behind_fin = a->str->has_fin && a->begin >= (int64_t)qcapint_tcp_fin(a->str);
    if (a->str->has_ended || is_behind_fin || !is_near(a->str, a->begin)) {
        bool is_old = wire_end <= (int64_t)a->str->end && is_near(a->str, a->begin);
        discard(a, is_old ? QCAP_STAGE_TCP_RETRANSMITTED : QCAP_STAGE_TCP_OUTSIDE);
        return;
    }
    if (wire_end > end && a->begin <= (int64_t)a->str->end && wire_end > (int64_t)qcapint_rare_of(a->str)->snapped &&
        qcapint_rare_get(a->str))
        qcapint_rare_of(a->str)->snapped = (uint64_t)wire_end;
    note_urgent(a, &segment);
    if (a->begin < (int64_t)a->str->end)
        note_copy(a, &segment);
    if (end > (int64_t)a->str->end)
        take(a, &segment);
    else if (wire_end <= (int64_t)a->str->end) /* else the capture cut off what is new of it */
        discard(a, QCAP_STAGE_TCP_RETRANSMITTED);
}

/* Puts a segment whose checksum is wrong aside: note [doubtful checksums] in order.c. Nothing but its bytes is looked at. */
static void put_aside(const arrival_t *a)
{
    const qcapint_headers_t *h = a->headers;
    qcap_t *q = a->conv->q;
    if (q->options.checksums != QCAP_CHECKSUMS_AUTO || !a->str->has_base || (h->tcp_flags & QCAPINT_TCP_SYN) ||
        qcapint_rare_of(a->str)->doubtful.count >= DOUBTFUL_LIMIT)
        return;
    int64_t begin = offset_of(a->str, h->seq);
    if (h->payload_len == 0 || begin < (int64_t)a->str->end || !is_near(a->str, begin))
        return;
    qcapint_segment_t segment = {.begin = (uint64_t)begin,
                                 .bytes = a->packet->bytes + h->payload,
                                 .packet = a->packet,
                                 .len = h->payload_len};
    if (qcapint_rare_get(a->str))
        qcapint_queue_add(q, &qcapint_rare_of(a->str)->doubtful, &segment);
}

/* Bounds the queue: what has waited in it is delivered, as if what is missing before it had been given up. */
static void bound_queue(const arrival_t *a)
{
    uint64_t fair_share = a->conv->q->budget.limit / 8;
    uint64_t packet_size = sizeof(qcap_packet_t) + sizeof(qcapint_segment_t) + a->packet->len;
    uint64_t most = fair_share / packet_size < QUEUE_LIMIT ? fair_share / packet_size : QUEUE_LIMIT;
    while (qcapint_rare_of(a->str)->queue.count > most && a->str->end < qcapint_tcp_fin(a->str))
        qcapint_order_skip(a->str, NONE);
}

/* ---------------------------------------------------------------- entry */

/* Returns false, and has done nothing, if it is not one of those of note [smooth going]. */
static bool take_smooth(const arrival_t *a)
{
    const qcapint_headers_t *h = a->headers;
    const qcapint_smooth_t smooth = {
        .seq = h->seq, .ack = h->ack, .len = h->payload_len, .window = h->window, .flags = h->tcp_flags};
    bool is_end = h->tcp_flags & QCAPINT_TCP_FIN;
    if (h->payload_len != h->payload_wire || !qcapint_smooth_fits(a->conv, a->str, a->other, &smooth))
        return false;
    uint64_t ack = qcapint_smooth_note(a->str, a->other, &smooth);
    if (h->payload_len > 0 || !is_end)
        qcapint_packet_stage(a->packet, h->payload_len ? QCAP_STAGE_TCP_DELIVERED : QCAP_STAGE_TCP_CONTROL);
    if (h->payload_len > 0)
        qcapint_tcpstr_next(a->str, ack, a->packet);
    if (is_end) {
        qcapint_packet_stage(a->packet, QCAP_STAGE_TCP_CLOSED);
        qcapint_smooth_end(a->str);
    }
    return true;
}

void qcapint_tcp_segment(qcapint_conv_t *conv, qcap_packet_t *packet, bool is_server)
{
    arrival_t a = {.conv = conv,
                   .packet = packet,
                   .headers = &packet->headers,
                   .str = &conv->str[is_server],
                   .other = &conv->str[!is_server]};
    bool is_syn = packet->headers.tcp_flags & QCAPINT_TCP_SYN;
    if (!accept_checksum(&a)) {
        put_aside(&a);
        return;
    }
    if (take_smooth(&a))
        return;
    uint8_t stage = packet->stage;
    if (packet->headers.tcp_flags & QCAPINT_TCP_RST) {
        reset(&a);
        return;
    }
    if (!note_seq(&a)) {
        discard(&a, QCAP_STAGE_TCP_OUTSIDE);
        return;
    }
    a.str->is_seen = true;
    a.str->has_sent |= !is_syn;
    note_ack(&a);
    if (!is_syn)
        a.str->is_syn_data = false;
    else if (packet->headers.payload_wire > 0 && a.str->end == 0 && !a.str->has_window)
        a.str->is_syn_data = true;
    qcapint_order_deliver(a.other);
    qcapint_order_deliver(a.str);
    if (a.has_ack && conv->q->options.urgent == QCAP_URGENT_OUT_OF_BAND) /* bytes may have left the other stream just now */
        a.ack = clip_ack(&a, offset_of(a.other, packet->headers.ack));
    a.begin = offset_of(a.str, packet->headers.seq + is_syn);
    note_fin(&a);
    receive(&a);
    qcapint_order_deliver(a.str);
    bound_queue(&a);
    qcapint_order_check_fin(a.str, packet);
    qcapint_order_check_hole(a.str);
    qcapint_order_check_hole(a.other);
    if (packet->stage == stage || packet->stage == QCAP_STAGE_TCP_URGENT) /* there was nothing else to say of its bytes */
        qcapint_packet_stage(packet, QCAP_STAGE_TCP_CONTROL);
}

bool qcapint_tcp_is_over(const qcapint_conv_t *conv)
{
    return (conv->str[0].has_ended && conv->str[1].has_ended) || conv->str[0].has_reset || conv->str[1].has_reset;
}

/* note [ports used again]: a SYN with another sequence number opens another conversation if this one is over, or
 * never got beyond its opening. Otherwise the receiver does not take it (RFC 9293, 3.10.7.4, fourth), unless the
 * capture missed the end: then its SYN-ACK tells. */
bool qcapint_tcp_is_reopened(const qcapint_conv_t *conv, const qcap_packet_t *packet, bool is_server)
{
    const qcapint_headers_t *h = &packet->headers;
    const qcap_tcpstr_t *str = &conv->str[is_server], *other = &conv->str[!is_server];
    if (!(h->tcp_flags & QCAPINT_TCP_SYN) || (h->tcp_flags & QCAPINT_TCP_RST))
        return false;
    bool has_closed = conv->str[0].has_ended && conv->str[1].has_ended;
    if (str->has_base && str->base_seq == h->seq + 1 && (!has_closed || !str->has_sent_syn)) /* a copy, or a late one */
        return false;
    if (h->tcp_flags & QCAPINT_TCP_ACK)
        return !may_rebase(str) && other->base_seq != h->ack;
    return qcapint_tcp_is_over(conv) || (!is_server && str->has_base && !qcapint_tcp_has_traffic(conv));
}

void qcapint_tcp_expire_holes(qcap_tcpstr_t *str)
{
    qcapint_order_expire(str);
}

void qcapint_tcp_finish(qcapint_conv_t *conv, qcap_end_t end)
{
    if (conv->str[0].has_ended && conv->str[1].has_ended && !qcapint_rare_has(conv)) /* most: nothing is left to be done */
        return;
    for (int i = 0; i < 2; i++)
        qcapint_order_flush(&conv->str[i]);
    if (conv->str[0].has_reset || conv->str[1].has_reset)
        end = QCAP_END_RESET;
    for (int i = 0; i < 2; i++)
        qcapint_tcpstr_end(&conv->str[i], end);
}

void qcapint_tcp_fini(qcapint_conv_t *conv)
{
    if (!qcapint_rare_has(conv))
        return;
    for (int i = 0; i < 2; i++) {
        qcapint_queue_clear(conv->q, &conv->rare[i].queue);
        qcapint_queue_clear(conv->q, &conv->rare[i].doubtful);
        qcapint_order_end_wait(&conv->str[i]);
    }
}
