/* tcpstr.h: qcap_tcpstr_t, the bytes of one direction and the positions in them.
 *
 * tcp.c appends bytes in order, and says where some are missing. They are handed on where they lie, in the packet:
 * first to the taps, then to the sink, which pairs the directions and runs the parsers. Afterwards they are forgotten,
 * unless somebody needs them: the sink said so with qcapint_tcpstr_hold(), or a position was copied. Then, and only
 * then, the packet is kept (a copy, counted), and the segment is added to the stream's list.
 *
 * Invariants. Segments in the list do not overlap, are in order, end at or before `end`, and end behind need(), the
 * lowest offset that anybody needs. Places that no segment covers were lost: in the capture, or for lack of memory. */
#ifndef QCAP_TCPSTR_H
#define QCAP_TCPSTR_H

#include "qcap.h"
#include "segment.h"

typedef struct qcapint_conv qcapint_conv_t; /* flow.h */

/* What only few directions have: something waits, or is kept. The two of a conversation lie together, in conv->rare. Most
 * conversations share those that are empty, which must not be written to: qcapint_rare_get() gives one its own. */
typedef struct qcapint_rare {
    /* tcpstr.c's. */
    qcapint_segment_t *first, *last; /* kept; NULL: none */
    qcapint_segment_t *found;        /* kept, where the last search ended: the next one often begins there; or NULL */
    qcap_tcpstr_pos_t *positions;    /* copied ones, in no order */
    uint64_t held;                   /* the sink needs bytes from here on, if str->is_held */

    /* tcp.c's. */
    qcapint_queue_t queue;    /* out of order: all of it behind the end of the stream */
    qcapint_queue_t doubtful; /* with wrong checksums: see note [doubtful checksums] in order.c */
    uint64_t fin;             /* offset of a FIN that is behind the end of the stream; UINT64_MAX: none known */
    uint64_t snapped;         /* what is missing between the end of the stream and this was cut off by the capture */
    uint64_t hole_acked;      /* holes before this are given up at hole_ns */
    int64_t hole_ns;          /* when the wait for a late copy ends; INT64_MAX: there is no hole */
    uint32_t far_begin;       /* sequence numbers of bytes outside the window, and behind them; valid if has_far */
    uint32_t far_end;
    uint32_t far_ack;         /* the other side acknowledged everything before this, outside the window; if has_far_ack */
    bool has_far;             /* see note [lost bursts] in tcp.c */
    bool has_far_ack;

    /* flow.c's. */
    bool in_hole_list;
    qcap_tcpstr_t *hole_older, *hole_newer; /* in the list of those that wait for a late copy, if in_hole_list */
} qcapint_rare_t;

/* A part of its conversation: qcapint_conv_of() tells which. */
struct qcap_tcpstr {
    uint64_t end; /* bytes delivered and lost so far */
    void *user;   /* the application's */

    /* What tcp.c knows of the direction: RFC 9293, 3.3.1, from the side of somebody who listens. Offsets are those of the stream;
     * that of a FIN is told by qcapint_tcp_fin(). */
    uint64_t acked;       /* the other side has acknowledged everything before this */
    uint32_t room;        /* the other side takes nothing so many bytes behind `acked`; valid if has_window */
    uint32_t window_max;  /* the largest window that the other side ever offered, in bytes */
    uint32_t base_seq;    /* sequence number of offset 0; valid if has_base */
    uint8_t window_scale; /* what this side multiplies its windows with, as a shift; QCAPINT_NO_SCALE: not known */
    bool has_base : 1;          /* the sequence numbers of this direction can be told */
    bool is_base_guess : 1;     /* base_seq is from the first packet met, not from a SYN */
    bool has_window : 1;        /* the other side's window is known, from an acknowledgement */
    bool has_good_checksum : 1; /* this sender's checksums were right once */
    bool has_reset : 1;         /* sent a RST that counts */
    bool has_sent : 1;          /* a segment that is no SYN was captured */
    bool has_sent_syn : 1;      /* its SYN was captured; of has_syn the other side's acknowledgement may have told */
    bool has_fin : 1;           /* its FIN was captured */
    bool is_syn_data : 1;       /* the queue has data of the SYN, that the other side may not have taken: RFC 7413, 3 */
    bool is_absent : 1;         /* the sink was told that nothing of it is captured */
    bool is_fin_acked : 1;      /* the other side has acknowledged the FIN */
    bool is_second_fin : 1;     /* when this side sent its FIN, it had the other side's */

    bool is_server : 1; /* the second one of its conversation: from the server to the client, unless the roles are reversed */
    bool is_seen : 1;   /* a packet of this direction was captured */
    bool has_syn : 1;   /* its SYN was captured, or its SYN-ACK: offset 0 is the beginning */
    bool has_ended : 1; /* on_end was called */
    bool is_held : 1;   /* the sink needs bytes: from rare->held on; while the conversation has nothing rare, from the end on */
};

/* A place. A borrowed one is a plain struct on somebody's stack and not in the list of its stream. */
struct qcap_tcpstr_pos {
    qcap_tcpstr_t *str;               /* where */
    uint64_t offset;                  /* in it */
    qcap_tcpstr_pos_t *next, **owner; /* copied: in str->positions, and the pointer that points here; else NULL */
};

/* What comes behind the reassembly: pair.c's functions, or a test's. All are called in order, for each conversation:
 * open, then any of data, gap, absent, end (once for each direction), then close. `datagram` is not of a conversation. */
typedef struct qcapint_sink {
    /* Called with each handle that is made and closed; q->upper is theirs. init returns 0 or a status. */
    int (*init)(qcap_t *q);
    void (*fini)(qcap_t *q);

    /* Whether servers of a protocol that was added listen at this TCP port: helps to tell the client of a conversation
     * that was met in the middle. */
    bool (*is_server_port)(const qcap_t *q, uint16_t port);

    /* conv->upper is the sink's, NULL at first. */
    void (*open)(qcapint_conv_t *conv);

    /* The next bytes, at str->end of before. The segment is borrowed; str->end is behind it already. Not called where the sink has
     * set conv->is_unread. */
    void (*data)(qcap_tcpstr_t *str, const qcapint_segment_t *segment);

    /* The same, in place of data: true if nobody would notice the next `len` bytes, whose sender had seen the other direction up to
     * `ack`. They count as read then; str->end is before them. False: data is to be called. May be NULL. */
    bool (*pass)(qcap_tcpstr_t *str, uint32_t len, uint64_t ack);

    /* The next `len` bytes, from offset on, are lost; str->end is behind them already. */
    void (*gap)(qcap_tcpstr_t *str, uint64_t offset, uint64_t len);

    /* The other direction acknowledged bytes of this one, of which nothing was captured: do not wait for it. Data may
     * come all the same, later. At most once, before anything else of this direction. */
    void (*absent)(qcap_tcpstr_t *str);

    /* Nothing more comes. */
    void (*end)(qcap_tcpstr_t *str, qcap_end_t end);

    /* The conversation is over: free conv->upper. Copied positions may outlive it. Not called from inside another of
     * these functions. When the handle is closed in the middle, close comes without end. */
    void (*close)(qcapint_conv_t *conv);

    /* Capture time has come to q->wake_ns. Between packets. NULL: nobody set it. */
    void (*wake)(qcap_t *q);

    /* A UDP datagram has come. NULL: nobody reads them. */
    void (*datagram)(qcap_t *q, qcap_packet_t *packet);
    /* A segment of the conversation may come soon: fetches into the cache what it would be read with; first with step 0, then
     * with 1, when what 0 has fetched can be looked at. May be NULL. */
    void (*fetch)(const qcapint_conv_t *conv, unsigned step);
} qcapint_sink_t;

void qcapint_tcpstr_init(qcap_tcpstr_t *str, bool is_server);

/* Frees all bytes of the conversation; no copied position is left. */
void qcapint_tcpstr_fini(qcapint_conv_t *conv);

/* What is rare of the direction, to be written to. NULL if there is no memory. */
qcapint_rare_t *qcapint_rare_get(qcap_tcpstr_t *str);

/* Those that are empty. */
extern const qcapint_rare_t qcapint_rare_none[2];

/* Gives up what is rare of the conversation if there is nothing in it any more. */
void qcapint_rare_tidy(qcapint_conv_t *conv);

/* ---------------------------------------------------------------- for tcp.c */

/* The next bytes: segment->begin must be str->end. If the segment came from the heap, by qcapint_segment_new(), the
 * stream takes it over. */
void qcapint_tcpstr_append(qcap_tcpstr_t *str, const qcapint_segment_t *segment);
void qcapint_tcpstr_take(qcap_tcpstr_t *str, qcapint_segment_t *segment);
/* The payload of the packet is the next bytes; it acknowledges the other direction up to `ack`. */
void qcapint_tcpstr_next(qcap_tcpstr_t *str, uint64_t ack, qcap_packet_t *packet);
void qcapint_tcpstr_gap(qcap_tcpstr_t *str, uint64_t len);
void qcapint_tcpstr_absent(qcap_tcpstr_t *str);
void qcapint_tcpstr_end(qcap_tcpstr_t *str, qcap_end_t end);

/* ---------------------------------------------------------------- for the sink */

/* The sink needs the bytes from `offset` on until it says otherwise; UINT64_MAX: none. From inside data() this includes
 * those at hand. It may go up, and down to what is still there. */
void qcapint_tcpstr_hold(qcap_tcpstr_t *str, uint64_t offset);

/* The segment with the byte at `offset`: the one at hand, or a kept one. If that byte is lost: the next one behind
 * it (its begin is higher than offset). NULL if there is none. Borrowed until the sink's function returns, or hold
 * goes behind it. */
const qcapint_segment_t *qcapint_tcpstr_segment(qcap_tcpstr_t *str, uint64_t offset);

/* A growing buffer; zeros at first. */
typedef struct qcapint_buffer {
    unsigned char *bytes;
    size_t size;
} qcapint_buffer_t;

/* Makes it hold at least `size` bytes; false if there is no memory. */
bool qcapint_buffer_grow(qcap_t *q, qcapint_buffer_t *buffer, size_t size);

void qcapint_buffer_fini(qcap_t *q, qcapint_buffer_t *buffer);

/* The bytes [begin, end) in one piece: where they lie, or copied to `buffer`. NULL if some are lost or there is no
 * memory; for begin == end a pointer to no bytes. */
const unsigned char *qcapint_tcpstr_gather(qcap_tcpstr_t *str, uint64_t begin, uint64_t end, qcapint_buffer_t *buffer);

/* A borrowed position, for a handler to be called with. */
static inline qcap_tcpstr_pos_t qcapint_tcpstr_pos(qcap_tcpstr_t *str, uint64_t offset)
{
    qcap_tcpstr_pos_t pos = {str, offset, NULL, NULL};
    return pos;
}

#endif
