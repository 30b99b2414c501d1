/* smooth.h: segments that go on smoothly.
 *
 * note [smooth going]: nearly all segments are the next bytes of their direction, its FIN, or nothing, and acknowledge what was
 * captured, while nothing is waited for in either direction. For these the steps of the general way (tcp.c) come down to few,
 * which stand here: for tcp.c, and for usual.c, which asks before it has made a packet of the frame. Whether the conversation is in
 * that state is looked at after each segment that took the general way (conv->is_smooth): the others leave it there. What opens a
 * conversation is as plain mostly: a SYN, and the SYN that answers it. */
#ifndef QCAP_SMOOTH_H
#define QCAP_SMOOTH_H

#include "decode.h"
#include "handle.h"

/* What counts of a segment that is captured whole. */
typedef struct qcapint_smooth {
    uint32_t seq, ack;
    uint32_t len;    /* bytes of the stream */
    uint16_t window; /* as sent, not scaled */
    uint8_t flags;   /* QCAPINT_TCP_ */
} qcapint_smooth_t;

/* Whether nothing that is rare stands in the way of the next bytes. */
static inline bool qcapint_smooth_is_rare(const qcapint_rare_t *rare, uint64_t end)
{
    return rare->queue.first || rare->hole_ns != INT64_MAX || rare->snapped > end || rare->has_far || rare->has_far_ack;
}

/* Whether nothing is waited for in the direction: it goes on, or has ended with its FIN. */
static inline bool qcapint_smooth_goes_on(const qcap_tcpstr_t *str)
{
    return str->has_base && !str->is_base_guess && !str->is_syn_data && !str->has_reset && str->is_seen &&
           str->has_ended == str->has_fin && str->acked <= str->end &&
           !qcapint_smooth_is_rare(qcapint_rare_of(str), str->end);
}

/* A segment took the general way. */
static inline void qcapint_smooth_look(qcapint_conv_t *conv)
{
    conv->is_smooth = qcapint_smooth_goes_on(&conv->str[0]) && qcapint_smooth_goes_on(&conv->str[1]);
}

/* What counts of the flags. */
static inline uint8_t qcapint_smooth_flags(const qcapint_smooth_t *s)
{
    return s->flags & (QCAPINT_TCP_FIN | QCAPINT_TCP_SYN | QCAPINT_TCP_RST | QCAPINT_TCP_URG | QCAPINT_TCP_ACK);
}

/* Behind the last byte, and the FIN if there was one. */
static inline uint64_t qcapint_smooth_next(const qcap_tcpstr_t *str)
{
    return str->end + str->has_fin;
}

/* Whether it is a segment like that. Nothing is changed. */
static inline bool qcapint_smooth_fits(const qcapint_conv_t *conv, const qcap_tcpstr_t *str, const qcap_tcpstr_t *other,
                                       const qcapint_smooth_t *s)
{
    uint64_t next = qcapint_smooth_next(str), next_other = qcapint_smooth_next(other);
    uint32_t unacked = other->base_seq + (uint32_t)next_other - s->ack; /* what is still on its way */
    uint8_t flags = qcapint_smooth_flags(s);
    return conv->is_smooth && (flags & (uint8_t)~QCAPINT_TCP_FIN) == QCAPINT_TCP_ACK &&
           s->seq == str->base_seq + (uint32_t)next && unacked <= next_other - other->acked &&
           qcapint_tcp_is_before_edge(str, (int64_t)str->end) &&
           (str->has_fin & ((s->len > 0) | ((flags & QCAPINT_TCP_FIN) != 0))) == 0; /* no branch: half of the packets have bytes */
}

/* Learns what it says, but for its bytes, and its FIN. Returns what it acknowledges, as an offset. */
static inline uint64_t qcapint_smooth_note(qcap_tcpstr_t *str, qcap_tcpstr_t *other, const qcapint_smooth_t *s)
{
    uint64_t next = qcapint_smooth_next(other), ack = next - (uint32_t)(other->base_seq + (uint32_t)next - s->ack);
    if (ack > other->end) { /* its FIN */
        other->is_fin_acked = true;
        ack = other->end;
    }
    qcapint_tcp_note_ack(str, other, ack, s->window, false);
    str->has_sent = true;
    return ack;
}

/* The direction ends with a FIN behind all of its bytes. */
static inline void qcapint_smooth_end(qcap_tcpstr_t *str)
{
    str->has_fin = true;
    str->is_second_fin = qcapint_conv_other(str)->is_fin_acked;
    qcapint_tcpstr_end(str, QCAP_END_FIN);
}

/* ---------------------------------------------------------------- opening */

/* The SYN of a direction of which nothing was captured. */
static inline void qcapint_smooth_begin(qcap_tcpstr_t *str, const qcapint_smooth_t *s, uint8_t scale)
{
    str->base_seq = s->seq + 1;
    str->has_base = str->has_syn = str->has_sent_syn = str->is_seen = true;
    qcapint_tcp_note_scale(str, qcapint_conv_other(str), scale);
}

/* Whether a segment opens a conversation of which nothing was captured. */
static inline bool qcapint_smooth_opens(const qcapint_smooth_t *s)
{
    return qcapint_smooth_flags(s) == QCAPINT_TCP_SYN && s->len == 0;
}

/* Whether it answers what opened the conversation, of which nothing else was captured. */
static inline bool qcapint_smooth_answers(const qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *s)
{
    const qcap_tcpstr_t *str = &conv->str[is_server], *other = &conv->str[!is_server];
    return qcapint_smooth_flags(s) == (QCAPINT_TCP_SYN | QCAPINT_TCP_ACK) && s->len == 0 && is_server && !str->is_seen &&
           !str->has_base && !str->has_ended && other->has_sent_syn && other->end == 0 && !other->is_base_guess &&
           !other->has_sent && !other->has_window && !other->has_reset && !other->has_ended && !other->is_syn_data &&
           s->ack == other->base_seq && !qcapint_rare_has(conv);
}

static inline void qcapint_smooth_answer(qcapint_conv_t *conv, const qcapint_smooth_t *s, uint8_t scale)
{
    qcapint_smooth_begin(&conv->str[1], s, scale);
    qcapint_tcp_note_ack(&conv->str[1], &conv->str[0], 0, s->window, true);
    qcapint_smooth_look(conv);
}

/* ---------------------------------------------------------------- bytes */

/* Whether somebody keeps the next bytes of the direction, or sees them all. */
static inline bool qcapint_smooth_is_kept(const qcap_t *q, const qcap_tcpstr_t *str)
{
    return q->is_tapped || q->conflict_handlers || qcapint_rare_has(qcapint_conv_of(str));
}

/* Whether anybody is to be shown them. */
static inline bool qcapint_smooth_is_shown(const qcap_t *q, const qcap_tcpstr_t *str)
{
    return !qcapint_conv_of(str)->is_unread || qcapint_smooth_is_kept(q, str);
}

/* The next bytes have come. */
static inline void qcapint_smooth_pass(qcap_t *q, qcap_tcpstr_t *str, uint32_t len)
{
    str->end += len;
    q->stats.stream_bytes += len;
}

#endif
