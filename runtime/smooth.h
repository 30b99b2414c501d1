/* smooth.h: segments that go on smoothly.
 *
 * note [smooth going]: nearly all segments are the next bytes of their direction, or none, and acknowledge bytes that were
 * captured, while nothing is waited for in either direction. For these the steps of the general way (tcp.c) come down to few,
 * which stand here: for tcp.c, and for usual.c, which asks before it has made a packet of the frame. Whether the conversation is in
 * that state is looked at after each segment that took the general way (conv->is_smooth): the others leave it there. */
#ifndef QCAP_SMOOTH_H
#define QCAP_SMOOTH_H

#include "decode.h"
#include "handle.h"

/* What counts of a segment that is captured whole. */
typedef struct qcapint_smooth {
    uint32_t seq, ack;
    uint16_t window; /* as sent, not scaled */
    uint8_t flags;   /* QCAPINT_TCP_ */
} qcapint_smooth_t;

/* Whether nothing that is rare stands in the way of the next bytes. */
static inline bool qcapint_smooth_is_rare(const qcapint_rare_t *rare, uint64_t end)
{
    return rare->queue.first || rare->hole_ns != INT64_MAX || rare->snapped > end || rare->has_far || rare->has_far_ack;
}

/* Whether nothing is waited for in the direction, and it goes on. */
static inline bool qcapint_smooth_goes_on(const qcap_tcpstr_t *str)
{
    return str->has_base && !str->is_base_guess && !str->is_syn_data && !str->has_reset && str->is_seen && !str->has_ended &&
           !str->has_fin && str->acked <= str->end && !qcapint_smooth_is_rare(qcapint_rare_of(str), str->end);
}

/* A segment took the general way. */
static inline void qcapint_smooth_look(qcapint_conv_t *conv)
{
    conv->is_smooth = qcapint_smooth_goes_on(&conv->str[0]) && qcapint_smooth_goes_on(&conv->str[1]);
}

/* Whether it is a segment like that. Nothing is changed. */
static inline bool qcapint_smooth_fits(const qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *s)
{
    const qcap_tcpstr_t *str = &conv->str[is_server], *other = &conv->str[!is_server];
    uint8_t flags = QCAPINT_TCP_FIN | QCAPINT_TCP_SYN | QCAPINT_TCP_RST | QCAPINT_TCP_URG | QCAPINT_TCP_ACK;
    uint32_t unacked = other->base_seq + (uint32_t)other->end - s->ack; /* bytes still on their way */
    return conv->is_smooth && (s->flags & flags) == QCAPINT_TCP_ACK && s->seq == str->base_seq + (uint32_t)str->end &&
           unacked <= other->end - other->acked && qcapint_tcp_is_before_edge(str, (int64_t)str->end);
}

/* Learns what it says, but for its bytes. Returns what it acknowledges, as an offset. */
static inline uint64_t qcapint_smooth_note(qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *s)
{
    qcap_tcpstr_t *str = &conv->str[is_server], *other = &conv->str[!is_server];
    uint64_t ack = other->end - (uint32_t)(other->base_seq + (uint32_t)other->end - s->ack);
    qcapint_tcp_note_ack(str, other, ack, s->window, false);
    str->has_sent = true;
    return ack;
}

/* Whether anybody is to be shown the next bytes of the direction. */
static inline bool qcapint_smooth_is_shown(const qcap_t *q, const qcap_tcpstr_t *str)
{
    return !qcapint_conv_of(str)->is_unread || q->taps || q->conflict_handlers || qcapint_rare_has(qcapint_conv_of(str));
}

/* The next bytes have come. */
static inline void qcapint_smooth_pass(qcap_t *q, qcap_tcpstr_t *str, uint32_t len)
{
    str->end += len;
    q->stats.stream_bytes += len;
}

#endif
