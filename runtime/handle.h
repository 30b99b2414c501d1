/* handle.h: struct qcap, the capture in progress: what the stages share. Its life is in qcap.c. */
#ifndef QCAP_HANDLE_H
#define QCAP_HANDLE_H

#include <signal.h>

#include "budget.h"
#include "capture.h"
#include "conflict.h"
#include "defrag.h"
#include "flow.h"
#include "policy.h"
#include "qcap.h"
#include "tcpstr.h"
#include "udp.h"
#include "usual.h"

/* A packet handler that was added. */
typedef struct qcapint_packet_subscription {
    struct qcapint_packet_subscription *next; /* added later, for the same stage */
    qcap_packet_handler_t handler;
    void *user;
} qcapint_packet_subscription_t;

/* A tap that was added. */
typedef struct qcapint_tap {
    struct qcapint_tap *next; /* added later */
    qcap_tap_t tap;
    void *user;
} qcapint_tap_t;

/* The bytes that are being delivered. */
typedef struct qcapint_hand {
    const qcap_tcpstr_t *str; /* whose they are; NULL: none */
    const qcapint_segment_t *segment; /* not in its list */
    uint64_t held;                    /* from here on the sink needs them, and those before: in place of rare->held */
} qcapint_hand_t;

/* A packet that was decoded before its turn. */
typedef struct qcapint_early {
    qcap_packet_t packet;     /* borrowed, over the frame */
    qcapint_decode_t decoded; /* what became of it */
} qcapint_early_t;

/* Packets that were read together. */
#define QCAPINT_BATCH 32 /* as many as a mask has bits */

typedef struct qcapint_batch {
    uint32_t at;    /* the next to be processed */
    uint32_t count; /* packets */
    qcapint_frame_t frames[QCAPINT_BATCH];
    qcapint_usual_t usual[QCAPINT_BATCH]; /* valid from `at` on */
    qcapint_early_t early[QCAPINT_BATCH]; /* valid from `at` on, of frames that are not usual */
} qcapint_batch_t;

struct qcap {
    char error[QCAP_ERRBUF_SIZE];  /* the last failure */
    bool has_begun;                /* a packet was read: settings are fixed */
    bool is_running;               /* handlers may be called: nobody else may read */
    volatile sig_atomic_t is_broken; /* qcap_breakloop() was called */
    int64_t now_ns;                /* capture time: the latest packet's, never going back */
    qcap_stats_t stats;            /* counted by all stages; memory and drops are filled in when asked for */
    qcapint_budget_t budget;       /* pays for everything */

    qcapint_capture_t *capture;    /* where packets come from; owned */
    qcapint_batch_t batch;         /* read from there */
    int link_type;                 /* of the latest packet: DLT_ number */
    uint64_t number;               /* packets that came, looked at or not */
    qcap_getter_t *where;          /* what the packets that are looked at have in common; owned; NULL: nothing */
    qcap_options_t options;
    int64_t timeouts_ns[QCAP_TIMEOUT_COUNT]; /* those of the options */
    qcapint_policies_t policies;   /* who wins an overlap */
    qcapint_defrag_t defrag;
    qcapint_flow_t flow;
    qcapint_hand_t hand;
    qcapint_udp_t udp;

    qcapint_packet_subscription_t *packet_handlers[QCAP_STAGE_COUNT];
    uint64_t watched;              /* stages that have any: a bit for each */
    qcapint_tap_t *taps;           /* in the order they were added */
    bool is_tapped;                /* one of them sees all bytes */
    qcapint_conflict_subscription_t *conflict_handlers; /* likewise */
    qcapint_buffer_t scratch;      /* of qcap_tcpstr_bytes() */

    const qcapint_sink_t *sink;    /* what comes behind the reassembly */
    void *upper;                   /* the sink's */
    bool is_read;                  /* the sink may read conversations: what it needs for that is fetched ahead */
    int64_t wake_ns;               /* when the sink is to be woken; INT64_MAX: it sleeps */
};

/* True when so little is left of what conversations need that something should go, between packets. */
static inline bool qcapint_is_tight(const qcap_t *q)
{
    return qcapint_budget_is_tight(&q->budget) || qcapint_flow_table_is_tight(&q->flow.table);
}

/* What comes behind the reassembly in every handle that the public functions open: defined in pair.c. */
extern const qcapint_sink_t qcapint_pair_sink;

/* A handle with another sink: for tests. */
qcap_t *qcapint_open(qcapint_capture_t *capture, const qcapint_sink_t *sink, char *errbuf);

/* Notes a failure: the line for qcap_geterr(), as printf. Returns status. */
int qcapint_fail(qcap_t *q, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The defaults, of a handle that is made; and its budget. */
void qcapint_options_init(qcap_t *q);

/* 0, or QCAP_E_STATE with its text if the capture has begun. */
int qcapint_before_begin(qcap_t *q);

#endif
