/* step.h: the two directions of a conversation in step. See step.c. */
#ifndef QCAP_STEP_H
#define QCAP_STEP_H

#include "deliver.h"
#include "flow.h"
#include "identify.h"
#include "upper.h"

/* One direction. */
typedef struct qcapint_side {
    qcap_parser_t *parser;       /* of pair->deliver; valid while there is one */
    qcap_parser_status_t status; /* of the parser since it was last called */
    uint64_t at;                 /* its bytes before this offset were read */
    uint64_t free_until;         /* bytes before this offset wait for no other direction */
    uint64_t saw;                /* how much its sender had of the other direction when it sent the last byte read */
    qcap_end_t end;              /* how it ended; valid if the stream has ended */
    bool has_saw;                /* saw is known */
    bool is_absent;              /* not captured: not to be waited for */
    bool is_over;                /* its parser was told that it ended */
    bool is_mute;                /* its protocol says nothing in this direction: the parser takes no bytes */
} qcapint_side_t;

/* One conversation. */
typedef struct qcapint_pair {
    qcapint_speech_t speech;     /* what it speaks; is_pair is true */
    qcapint_conv_t *conv;
    qcapint_deliver_t *deliver;  /* its parsers; NULL: not identified yet, or nobody reads it any more */
    qcapint_identify_t identify; /* while deliver is NULL */
    const char *named;           /* the protocol to begin with, if another one named it; static; else NULL */
    qcap_known_t known;          /* how, if it is named */
    bool has_changed;            /* from one protocol to another, ... */
    uint64_t changed_at;         /* ... when so many bytes were read, of both directions */
    bool is_waiting;             /* is in the list of those in which nothing moves, ... */
    struct qcapint_pair *older, *newer; /* ... between these, ... */
    int64_t waiting_ns;          /* ... since this time, ... */
    uint64_t waiting_at;         /* ... when so many bytes were read, of both directions */
    int64_t woken_ns;            /* it was woken then: nothing waits at that time */
    qcapint_side_t sides[2];     /* [0]: from the client */
} qcapint_pair_t;

/* Reads all that may be read of both directions; the pair has parsers. */
void qcapint_step_read(qcapint_pair_t *pair);

/* The same where one direction goes on with a segment, as mostly: all before it, and all of the other direction, has been read, and
 * nothing waits. False: there is more to be done, whether or not it was read. */
bool qcapint_step_go_on(qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment);

/* The same with a segment of which only that is known, where nobody would notice its bytes. False: nothing was done. */
bool qcapint_step_pass(qcapint_pair_t *pair, bool is_server, uint32_t len, uint64_t ack);

/* What came of a direction is not read, up to here: all that is to be said about it is what was lost. */
void qcapint_step_skip(qcapint_pair_t *pair, bool is_server);

/* Whether the direction's parser takes nothing any more, so that its bytes can be forgotten. */
bool qcapint_step_is_closed(const qcapint_pair_t *pair, bool is_server);

/* Whether the direction has bytes that it may not read yet, or waits for what to make of those it has read. */
bool qcapint_step_is_blocked(const qcapint_pair_t *pair, bool is_server);

static inline qcap_tcpstr_t *qcapint_step_stream(const qcapint_pair_t *pair, bool is_server)
{
    return qcapint_conv_str(pair->conv, is_server);
}

static inline qcap_parser_status_t qcapint_step_status(const qcapint_pair_t *pair, bool is_server)
{
    return pair->sides[is_server].status;
}

/* The direction's parser was called. */
static inline void qcapint_step_note_status(qcapint_side_t *side)
{
    side->status = qcap_parser_status(side->parser);
}

static inline bool qcapint_step_is_drained(const qcapint_pair_t *pair, bool is_server)
{
    return pair->sides[is_server].at == qcapint_step_stream(pair, is_server)->end;
}

/* Nothing (more) will come of the direction, and all there was has been read. */
static inline bool qcapint_step_is_silent(const qcapint_pair_t *pair, bool is_server)
{
    return qcapint_step_is_drained(pair, is_server) &&
           (qcapint_step_stream(pair, is_server)->has_ended || pair->sides[is_server].is_absent);
}

#endif
