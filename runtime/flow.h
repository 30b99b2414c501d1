/* flow.h: the table of conversations: lookup, time-outs, eviction. See flow.c. */
#ifndef QCAP_FLOW_H
#define QCAP_FLOW_H

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

/* One TCP conversation. One reference is the table's; each copied position of its streams has another. */
struct qcapint_conv {
    /* What a lookup reads. */
    qcap_endpoint_t ends[2];       /* [0]: the client */
    uint32_t hash;                 /* of the endpoints */
    uint8_t list;                  /* qcapint_flow_list_t */
    bool is_open;                  /* in the table; false: only positions keep it */
    bool is_unread;                /* the sink said that it wants no bytes */
    bool is_smooth;                /* both directions go on, and nothing is waited for: note [smooth going] */

    /* What every packet touches. */
    qcap_t *q;                     /* the handle */
    qcapint_conv_t *older, *newer; /* in its list */
    int64_t seen_ns;               /* latest packet */
    int64_t listed_ns;             /* seen_ns when it came to its place in the list */
    void *upper;                   /* the sink's */
    qcapint_tcp_t tcp;             /* sequence numbers, queues */
    qcap_tcpstr_t str[2];          /* [0]: from the client */

    uint64_t number;               /* from 1, as they opened */
    int64_t opened_ns;             /* first packet */
    uint32_t references;           /* to free it, all must have gone */
};

/* A list of conversations, through older and newer. */
typedef struct qcapint_flow_queue {
    qcapint_conv_t *oldest, *newest; /* NULL: empty */
} qcapint_flow_queue_t;

typedef struct qcapint_flow {
    qcapint_flow_table_t table; /* all conversations */
    qcapint_pool_t pool;        /* where they lie, and those that only positions keep */
    qcapint_hash_key_t key;     /* random, per handle */
    int64_t expire_ns;          /* before this, nothing times out */
    qcapint_flow_queue_t lists[QCAPINT_FLOW_LISTS];
    qcap_tcpstr_t *first_hole, *last_hole; /* directions that wait for a late copy, earliest deadline first; NULL: none */
} qcapint_flow_t;

int qcapint_flow_init(qcap_t *q);
/* Drops all conversations without a word. Those that somebody keeps are in the pool still, which is left. */
void qcapint_flow_fini(qcap_t *q);

/* Where a conversation probably is: in the bucket of its hash, or the one behind. Anything else is no error, but slow. */
typedef struct qcapint_flow_hint {
    uint8_t bucket, slot;
} qcapint_flow_hint_t;

/* A packet that was decoded, and will be processed soon: see note [lines in time] in flow.c. First prepare, then, some packets
 * later, fetch. May be left out. */
void qcapint_flow_prepare(const qcap_t *q, qcap_packet_t *packet);
qcapint_flow_hint_t qcapint_flow_fetch(const qcap_t *q, uint32_t hash);

/* Finds or opens the conversation of a TCP segment, and hands it on to tcp.c. */
void qcapint_flow_segment(qcap_t *q, qcap_packet_t *packet);

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

static inline qcap_tcpstr_t *qcapint_conv_other(const qcap_tcpstr_t *str)
{
    return &str->conv->str[!str->is_server];
}

#endif
