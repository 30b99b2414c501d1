/* tcp.h: TCP segments become ordered bytes, as the receiver sees them. See tcp.c. */
#ifndef QCAP_TCP_H
#define QCAP_TCP_H

#include "packet.h"
#include "tcpstr.h"

/* The least leeway behind the right edge: the window of a receiver that does not scale. */
#define QCAPINT_TCP_LEEWAY 65535u

/* Whether the receiver may take what is at that offset: see note [beyond the window]. */
static inline bool qcapint_tcp_is_before_edge(const qcap_tcpstr_t *str, int64_t offset)
{
    uint64_t leeway = str->window_max > QCAPINT_TCP_LEEWAY ? str->window_max : QCAPINT_TCP_LEEWAY;
    return !str->has_window || offset <= (int64_t)(str->acked + str->room + leeway);
}

/* The SYN of `str` offers to scale windows, or not: RFC 7323, 2.2: both sides do if both say so. */
static inline void qcapint_tcp_note_scale(qcap_tcpstr_t *str, qcap_tcpstr_t *other, uint8_t scale)
{
    if (scale == QCAPINT_NO_SCALE)
        str->window_scale = other->window_scale = 0;
    else if (str->window_scale == QCAPINT_NO_SCALE)
        str->window_scale = scale;
}

/* An acknowledgement of the bytes of `other` before `ack` has come from its receiver, in the direction `str`, with a window, as sent.
 * Learns what may be sent. The SYN's window is never scaled: RFC 7323, 2.2. */
static inline void qcapint_tcp_note_ack(const qcap_tcpstr_t *str, qcap_tcpstr_t *other, uint64_t ack, uint16_t sent, bool is_syn)
{
    unsigned shift = is_syn ? 0 : str->window_scale == QCAPINT_NO_SCALE ? 14 : str->window_scale;
    uint32_t window = (uint32_t)sent << shift;
    uint64_t edge = ack + window, known = other->has_window ? other->acked + other->room : 0;
    uint64_t acked = ack > other->acked ? ack : other->acked;
    if (edge < known)
        edge = known;
    other->acked = acked;
    other->room = edge > acked ? (uint32_t)(edge - acked) : 0;
    if (window > other->window_max)
        other->window_max = window;
    other->has_window = true;
}

/* Takes the segment in `packet`, which belongs to the conversation. */
void qcapint_tcp_segment(qcapint_conv_t *conv, qcap_packet_t *packet, bool is_server);

/* Whether the packet, a SYN, opens another conversation between the same endpoints: the old one is over then. */
bool qcapint_tcp_is_reopened(const qcapint_conv_t *conv, const qcap_packet_t *packet, bool is_server);

/* Gives up the holes of a direction, whose time has come: see hole_ns. */
void qcapint_tcp_expire_holes(qcap_tcpstr_t *str);

/* Whether both directions have ended, or it was reset. */
bool qcapint_tcp_is_over(const qcapint_conv_t *conv);

/* Nothing more will come: delivers what is queued, with gaps, and ends both directions. */
void qcapint_tcp_finish(qcapint_conv_t *conv, qcap_end_t end);

/* Frees the queues. */
void qcapint_tcp_fini(qcapint_conv_t *conv);

#endif
