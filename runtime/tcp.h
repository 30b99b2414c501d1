/* tcp.h: TCP segments become ordered bytes, as the receiver sees them. See tcp.c. */
#ifndef QCAP_TCP_H
#define QCAP_TCP_H

#include "packet.h"
#include "tcpstr.h"

/* What is known of one direction: RFC 9293, 3.3.1, from the side of somebody who listens. Offsets are those of the
 * stream. */
typedef struct qcapint_tcp_side {
    uint64_t acked;           /* the other side has acknowledged everything before this */
    uint64_t right_edge;      /* the other side takes nothing from here on; valid if has_window */
    uint64_t fin;             /* offset of the FIN; UINT64_MAX: none known */
    uint32_t base_seq;        /* sequence number of offset 0; valid if has_base */
    uint32_t window_max;      /* the largest window that the other side ever offered, in bytes */
    uint8_t window_scale;     /* what this side multiplies its windows with, as a shift; QCAPINT_NO_SCALE: not known */
    bool has_base : 1;        /* the sequence numbers of this direction can be told */
    bool is_base_guess : 1;   /* base_seq is from the first packet met, not from a SYN */
    bool has_window : 1;      /* the other side's window is known, from an acknowledgement */
    bool has_good_checksum : 1; /* this sender's checksums were right once */
    bool has_reset : 1;       /* sent a RST that counts */
    bool has_sent : 1;        /* a segment that is no SYN was captured */
    bool is_syn_data : 1;     /* the queue has data of the SYN, that the other side may not have taken: RFC 7413, 3 */
    bool is_absent : 1;       /* the sink was told that nothing of it is captured */
    bool has_sent_syn : 1;    /* its SYN was captured; of str->has_syn the other side's acknowledgement may have told */
    bool is_fin_acked : 1;    /* the other side has acknowledged the FIN */
    bool is_second_fin : 1;   /* when this side sent its FIN, it had the other side's */
} qcapint_tcp_side_t;

/* What is known of a conversation. */
typedef struct qcapint_tcp {
    qcapint_tcp_side_t side[2]; /* [0]: from the client */
    bool has_traffic;           /* anything but SYNs was captured */
} qcapint_tcp_t;

/* The least leeway behind the right edge: the window of a receiver that does not scale. */
#define QCAPINT_TCP_LEEWAY 65535u

/* Whether the receiver may take what is at that offset: see note [beyond the window]. */
static inline bool qcapint_tcp_is_before_edge(const qcapint_tcp_side_t *side, int64_t offset)
{
    uint64_t leeway = side->window_max > QCAPINT_TCP_LEEWAY ? side->window_max : QCAPINT_TCP_LEEWAY;
    return !side->has_window || offset <= (int64_t)(side->right_edge + leeway);
}

/* Learns what `peer` may send from the window that `side` offers, as sent, with an acknowledgement. The SYN's is never scaled: RFC
 * 7323, 2.2. */
static inline void qcapint_tcp_note_window(const qcapint_tcp_side_t *side, qcapint_tcp_side_t *peer, uint64_t ack,
                                           uint16_t sent, bool is_syn)
{
    unsigned shift = is_syn ? 0 : side->window_scale == QCAPINT_NO_SCALE ? 14 : side->window_scale;
    uint32_t window = (uint32_t)sent << shift;
    uint64_t edge = ack + window;
    if (!peer->has_window || edge > peer->right_edge)
        peer->right_edge = edge;
    if (window > peer->window_max)
        peer->window_max = window;
    peer->has_window = true;
}

void qcapint_tcp_init(qcapint_tcp_t *tcp);

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
