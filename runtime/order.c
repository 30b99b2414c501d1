/* order.c: the bytes of one direction, in order and once.
 *
 * In: segments whose offsets tcp.c has told, and what the receiver has acknowledged. Out, to tcpstr.c: bytes as soon as they are in
 * order, gaps where the capture lacks some, the end once everything before the FIN was delivered.
 *
 * note [holes]: a byte before `acked` is one the receiver has. If it is not here, the capture lost it, or shows the ACK
 * before the data that it acknowledges, which happens where the two directions are captured apart. So a hole is given
 * up only after a while (QCAP_TIMEOUT_HOLE), and then all that were there when the wait began. Example: captured are
 * bytes 0-9 and 20-29, then an ACK of 30: 20-29 wait in the queue; a second later the stream is 0-9, gap of 10, 20-29.
 *
 * note [doubtful checksums]: if hardware computes a sender's checksums behind the capture, or a tool rewrote it, none
 * of them is right, and nothing can be told from them. If some are, the receiver will not have taken a segment whose
 * checksum is wrong. But if it acknowledges those bytes and no other copy was captured, it is the capture that is
 * wrong. So such a segment is put aside, and looked at again before a hole is given up.
 *
 * note [one byte acknowledged]: a FIN takes a sequence number. If the capture lacks it, its ACK looks like a hole of
 * one byte behind everything; that is not taken for one until more is acknowledged.
 *
 * Urgent bytes that are out of band are no bytes of the stream: where one would be delivered it is left out, and all offsets
 * behind it go down by one. RFC 6093, 3.1. */
#include "order.h"

#include "flow.h"
#include "handle.h"

#define NONE UINT64_MAX

/* ---------------------------------------------------------------- urgent bytes */

static bool has_urgent(const qcap_t *q, const qcapint_segment_t *segment)
{
    return q->options.urgent == QCAP_URGENT_OUT_OF_BAND && segment->urgent >= segment->begin &&
           segment->urgent < qcapint_segment_end(segment);
}

/* An offset behind the byte that leaves the stream. */
static void shift(uint64_t *offset, uint64_t gone)
{
    if (*offset > gone && *offset != NONE)
        --*offset;
}

static void shift_all(qcapint_segment_t *segments)
{
    for (qcapint_segment_t *segment = segments; segment; segment = segment->next) {
        segment->begin--;
        segment->urgent--;
    }
}

static void shift_acks(qcapint_segment_t *segments, uint64_t gone)
{
    for (qcapint_segment_t *segment = segments; segment; segment = segment->next)
        shift(&segment->ack, gone);
}

/* The next byte is out of band, no byte of the stream: what is behind it moves up by one. */
static void leave_out(qcap_tcpstr_t *str)
{
    uint64_t gone = str->end, edge = str->acked + str->room;
    qcap_tcpstr_t *other = qcapint_conv_other(str);
    str->base_seq++;
    shift(&str->acked, gone);
    shift(&edge, gone);
    str->room = (uint32_t)(edge - str->acked);
    if (!qcapint_rare_has(qcapint_conv_of(str)))
        return;
    qcapint_rare_t *rare = qcapint_rare_of(str), *others = qcapint_rare_of(other);
    shift(&rare->fin, gone);
    shift(&rare->snapped, gone);
    shift(&rare->hole_acked, gone);
    shift_all(rare->queue.first);
    shift_all(rare->doubtful.first);
    shift_acks(others->queue.first, gone);
    shift_acks(others->first, gone);
}

/* Delivers the segment up to the urgent byte, and leaves that out; the segment is the rest then. Returns whether there is any. */
static bool deliver_to_urgent(qcap_tcpstr_t *str, qcapint_segment_t *segment)
{
    qcapint_segment_t before = *segment;
    before.len = (uint32_t)(segment->urgent - segment->begin);
    if (before.len > 0)
        qcapint_tcpstr_append(str, &before);
    leave_out(str);
    segment->begin = str->end;
    segment->bytes += before.len + 1;
    segment->len -= before.len + 1;
    segment->urgent = NONE;
    return segment->len > 0;
}

/* ---------------------------------------------------------------- delivery */

void qcapint_order_end_wait(qcap_tcpstr_t *str)
{
    if (qcapint_rare_of(str)->hole_ns != INT64_MAX)
        qcapint_rare_of(str)->hole_ns = INT64_MAX;
}

void qcapint_order_append(qcap_tcpstr_t *str, qcapint_segment_t *segment)
{
    qcapint_order_end_wait(str);
    if (!has_urgent(qcapint_conv_of(str)->q, segment) || deliver_to_urgent(str, segment))
        qcapint_tcpstr_append(str, segment);
}

void qcapint_order_deliver(qcap_tcpstr_t *str)
{
    const qcapint_segment_t *next;
    while ((next = qcapint_rare_of(str)->queue.first) && next->begin == str->end && str->end < qcapint_tcp_fin(str) &&
           !str->is_syn_data) {
        qcapint_segment_t *segment = qcapint_queue_pop(&qcapint_rare_of(str)->queue);
        qcapint_order_end_wait(str);
        qcapint_packet_stage(segment->packet, QCAP_STAGE_TCP_DELIVERED);
        if (!has_urgent(qcapint_conv_of(str)->q, segment) || deliver_to_urgent(str, segment))
            qcapint_tcpstr_take(str, segment);
        else
            qcapint_segment_free(qcapint_conv_of(str)->q, segment);
    }
}

void qcapint_order_check_fin(qcap_tcpstr_t *str, qcap_packet_t *packet)
{
    if (!str->has_fin || str->end < qcapint_tcp_fin(str) || str->has_ended)
        return;
    qcapint_queue_clear(qcapint_conv_of(str)->q, &qcapint_rare_of(str)->queue);
    qcapint_order_end_wait(str);
    if (packet)
        qcapint_packet_stage(packet, QCAP_STAGE_TCP_CLOSED);
    qcapint_tcpstr_end(str, QCAP_END_FIN);
}

/* ---------------------------------------------------------------- holes */

/* The first doubtful segment with bytes at the end of the stream or behind, if the receiver has all of it; NULL:
 * there is none. */
static qcapint_segment_t *first_doubtful(const qcap_tcpstr_t *str)
{
    qcapint_queue_t *doubtful = &qcapint_rare_of(str)->doubtful;
    while (doubtful->first && qcapint_segment_end(doubtful->first) <= str->end)
        qcapint_segment_free(qcapint_conv_of(str)->q, qcapint_queue_pop(doubtful));
    qcapint_segment_t *segment = doubtful->first;
    return segment && qcapint_segment_end(segment) <= str->acked ? segment : NULL;
}

/* Delivers the doubtful segment, which begins at or before the end of the stream, up to `until`. */
static void deliver_doubtful(qcap_tcpstr_t *str, uint64_t until)
{
    qcapint_segment_t *segment = qcapint_queue_pop(&qcapint_rare_of(str)->doubtful);
    uint64_t end = qcapint_segment_end(segment) < until ? qcapint_segment_end(segment) : until;
    segment->bytes += str->end - segment->begin;
    segment->begin = str->end;
    segment->len = (uint32_t)(end - str->end);
    segment->packet->flags &= (uint8_t)~QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(segment->packet, QCAP_STAGE_TCP_DELIVERED);
    qcapint_tcpstr_take(str, segment);
}

void qcapint_order_skip(qcap_tcpstr_t *str, uint64_t until)
{
    const qcapint_segment_t *queued = qcapint_rare_of(str)->queue.first;
    if (queued && queued->begin < until)
        until = queued->begin;
    qcapint_segment_t *doubtful = first_doubtful(str);
    if (doubtful && doubtful->begin > str->end && doubtful->begin < until)
        qcapint_tcpstr_gap(str, doubtful->begin - str->end);
    if (doubtful && doubtful->begin <= str->end)
        deliver_doubtful(str, until);
    else if (str->end < until)
        qcapint_tcpstr_gap(str, until - str->end);
    str->is_syn_data = false;
    qcapint_order_end_wait(str);
    qcapint_order_deliver(str);
}

/* Whether the receiver has bytes that the capture lacks: note [holes], note [one byte acknowledged]. */
static bool has_hole(const qcap_tcpstr_t *str)
{
    if (str->acked <= str->end || str->end >= qcapint_tcp_fin(str) || str->has_ended)
        return false;
    const qcapint_rare_t *rare = qcapint_rare_of(str);
    return rare->queue.first || str->has_fin || str->acked > str->end + 1 || rare->snapped > str->end;
}

static void give_up(qcap_tcpstr_t *str)
{
    if (!str->is_seen) {
        if (!str->is_absent)
            qcapint_tcpstr_absent(str);
        str->is_absent = true;
        qcapint_order_end_wait(str);
        return;
    }
    while (str->end < qcapint_rare_of(str)->hole_acked && has_hole(str))
        qcapint_order_skip(str, qcapint_rare_of(str)->hole_acked);
    qcapint_order_end_wait(str);
    qcapint_order_check_fin(str, NULL);
}

void qcapint_order_check_hole(qcap_tcpstr_t *str)
{
    qcap_t *q = qcapint_conv_of(str)->q;
    if (!has_hole(str) || (str->is_absent && !str->is_seen)) {
        qcapint_order_end_wait(str);
        return;
    }
    qcapint_rare_t *rare = qcapint_rare_get(str);
    if (rare && rare->hole_ns == INT64_MAX) {
        rare->hole_ns = q->now_ns + q->timeouts_ns[QCAP_TIMEOUT_HOLE];
        rare->hole_acked = str->acked;
    }
    if (rare && rare->snapped > str->end && str->is_seen) {
        qcapint_order_skip(str, rare->snapped < str->acked ? rare->snapped : str->acked);
        qcapint_order_check_fin(str, NULL);
    }
}

void qcapint_order_expire(qcap_tcpstr_t *str)
{
    give_up(str);
    qcapint_order_check_hole(str);
}

void qcapint_order_flush(qcap_tcpstr_t *str)
{
    str->is_syn_data = false;
    qcapint_order_deliver(str);
    while (qcapint_rare_of(str)->queue.first && str->end < qcapint_tcp_fin(str))
        qcapint_order_skip(str, NONE);
    while (str->has_fin && str->end < qcapint_tcp_fin(str))
        qcapint_order_skip(str, qcapint_tcp_fin(str));
    while (str->is_seen && has_hole(str))
        qcapint_order_skip(str, str->acked);
    qcapint_order_check_fin(str, NULL);
}
