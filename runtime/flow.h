/* flow.h: the table of conversations: lookup, time-outs, eviction. See flow.c. */
#ifndef QCAP_FLOW_H
#define QCAP_FLOW_H

#include <stddef.h>

#include "ended.h"
#include "flow_table.h"
#include "hash.h"
#include "packet.h"
#include "pool.h"
#include "qcap.h"
#include "tcp.h"
#include "tcpstr.h"

/* Which time-out a conversation is under; each has a list, the one that was idle longest first. */
typedef enum {
    QCAPINT_FLOW_OPENING,
    QCAPINT_FLOW_IDLE,
    QCAPINT_FLOW_CLOSED,
    QCAPINT_FLOW_LISTS
} qcapint_flow_list_t;

/* One TCP conversation: three lines of the cache. One reference is the table's; each copied position of its streams has another. */
struct qcapint_conv {
    /* What a lookup reads. */
    qcap_endpoint_t ends[2];       /* [0]: the client, unless is_reversed */
    uint8_t epoch;                 /* of its list, when it came to its place there: note [lazy lists] in flow.c */
    qcapint_flow_list_t list : 2;
    bool is_open : 1;              /* in the table; false: only positions keep it */
    bool is_touched : 1;           /* it has had a packet at its place in the list */
    bool is_reversed : 1;          /* the roles are the other way: what it says has told so, see identify.c */
    bool is_unread;                /* the sink said that it wants no bytes */
    bool is_smooth;                /* both directions go on, and nothing is waited for: note [smooth going] */
    uint32_t references;           /* to free it, all must have gone */
    qcap_t *q;                     /* the handle */
    void *upper;                   /* the sink's */

    /* What every packet touches. */
    int64_t seen_ns;               /* latest packet */
    qcapint_rare_t *rare;          /* two of them, one for each direction; never NULL */
    qcap_tcpstr_t str[2];          /* [0]: from ends[0] */

    qcapint_conv_t *older, *newer; /* in its list */
    uint64_t number;               /* from 1, as they opened */
    int64_t opened_ns;             /* first packet */
};

/* A list of conversations, through older and newer. */
typedef struct qcapint_flow_queue {
    qcapint_conv_t *oldest, *newest; /* NULL: empty */
    int64_t epoch_end_ns;            /* until then, who comes to its end comes in ... */
    uint8_t epoch;                   /* ... this epoch */
} qcapint_flow_queue_t;

typedef struct qcapint_flow {
    qcapint_flow_table_t table; /* all conversations */
    qcapint_pool_t pool;        /* where they lie, and those that only positions keep */
    qcapint_pool_t rares;       /* of those that have something rare */
    qcapint_ended_t ended;      /* those that were over when they left */
    qcapint_hash_key_t key;     /* random, per handle */
    int64_t expire_ns;          /* before this, nothing times out */
    qcapint_flow_queue_t lists[QCAPINT_FLOW_LISTS];
    qcap_tcpstr_t *first_hole, *last_hole; /* directions that wait for a late copy, earliest deadline first; NULL: none */
} qcapint_flow_t;

int qcapint_flow_init(qcap_t *q);
/* Drops all conversations without a word, but for those that somebody keeps. */
void qcapint_flow_fini(qcap_t *q);
/* Frees these, too, after qcapint_flow_fini(). */
void qcapint_flow_free(qcap_t *q);

/* Where a conversation probably is: in the bucket of its hash, or the one behind. Anything else is no error, but slow. */
typedef struct qcapint_flow_hint {
    uint8_t bucket, slot;
} qcapint_flow_hint_t;

/* A packet that was decoded, and will be processed soon: see note [lines in time] in flow.c. First prepare, then, some packets
 * later, qcapint_flow_fetch(). May be left out. */
void qcapint_flow_prepare(const qcap_t *q, qcap_packet_t *packet);

/* Finds or opens the conversation of a TCP segment, and hands it on to tcp.c. */
void qcapint_flow_segment(qcap_t *q, qcap_packet_t *packet);

/* What a lookup compares: the ends of a packet, its source first. */
typedef struct qcapint_ends {
    uint64_t keys[2];                  /* four bytes of the address (IPv4: all), as they lie in memory, and the port: the lowest bits */
    const unsigned char *addresses[2]; /* borrowed */
    uint8_t version;                   /* of IP: 4, 6 */
} qcapint_ends_t;

/* Opens the conversation of a segment, which its server has sent, or not. `packet` is the segment, told to be its first; NULL: nobody
 * waits at that stage. Returns NULL if there is no memory. */
qcapint_conv_t *qcapint_flow_open(qcap_t *q, const qcapint_ends_t *ends, uint32_t hash, bool is_server, qcap_packet_t *packet);

/* The conversation has had a packet. */
void qcapint_flow_touch(qcap_t *q, qcapint_conv_t *conv);

/* Ends what has timed out at q->now_ns. Between packets. */
void qcapint_flow_expire(qcap_t *q);

/* Since when the one is idle that leaves first when memory is short: INT64_MIN for one that is over; INT64_MAX: there is none. To
 * make room, it is evicted. Between packets. */
int64_t qcapint_flow_oldest_ns(qcap_t *q);
void qcapint_flow_evict(qcap_t *q);

/* Ends all conversations. */
void qcapint_flow_finish(qcap_t *q, qcap_end_t end);

/* One reference less. */
void qcapint_conv_unref(qcapint_conv_t *conv);

/* The conversation that the direction is a part of. */
static inline qcapint_conv_t *qcapint_conv_of(const qcap_tcpstr_t *str)
{
    return (qcapint_conv_t *)((uintptr_t)(str - str->is_server) - offsetof(qcapint_conv_t, str));
}

static inline qcap_tcpstr_t *qcapint_conv_other(const qcap_tcpstr_t *str)
{
    return &qcapint_conv_of(str)->str[!str->is_server];
}

/* Whether the direction is from the server; the direction that is, or is not; and the end of either: as far as is known by now, which
 * is what everybody above the reassembly wants to know. */
static inline bool qcapint_str_is_server(const qcap_tcpstr_t *str)
{
    return str->is_server != qcapint_conv_of(str)->is_reversed;
}

static inline qcap_tcpstr_t *qcapint_conv_str(qcapint_conv_t *conv, bool is_server)
{
    return &conv->str[is_server != conv->is_reversed];
}

static inline const qcap_endpoint_t *qcapint_conv_end(const qcapint_conv_t *conv, bool is_server)
{
    return &conv->ends[is_server != conv->is_reversed];
}

/* What is rare of the direction, to be looked at. */
static inline qcapint_rare_t *qcapint_rare_of(const qcap_tcpstr_t *str)
{
    return &qcapint_conv_of(str)->rare[str->is_server];
}

static inline bool qcapint_rare_has(const qcapint_conv_t *conv)
{
    return conv->rare != qcapint_rare_none;
}

/* Whether anything but SYNs was captured. */
static inline bool qcapint_tcp_has_traffic(const qcapint_conv_t *conv)
{
    return conv->str[0].has_sent || conv->str[1].has_sent;
}

/* The offset of the direction's FIN, at the end of the stream or behind; UINT64_MAX: none known. */
static inline uint64_t qcapint_tcp_fin(const qcap_tcpstr_t *str)
{
    uint64_t behind = qcapint_rare_of(str)->fin;
    return str->has_fin && behind == UINT64_MAX ? str->end : behind;
}

#endif
