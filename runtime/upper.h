/* upper.h: what the stages above the reassembly share in one handle: q->upper, made and freed in pair.c.
 *
 * A plan is a protocol that was added, together with what the application wants of it. Plans do not move, and do not
 * change once the capture has begun: conversations point to them. */
#ifndef QCAP_UPPER_H
#define QCAP_UPPER_H

#include "expect.h"
#include "pool.h"
#include "ports.h"
#include "qcap.h"
#include "spare.h"
#include "tcpstr.h"

/* The most protocols in a handle: identify.c keeps one bit for each. */
#define QCAPINT_PROTOCOLS 64u

/* A text that subscriptions want the selector of an element to have: the Cookie of field-value[Cookie]. */
typedef struct qcapint_choice {
    struct qcapint_choice *next; /* added earlier */
    uint16_t selector;           /* the element whose text is compared */
    uint16_t index;              /* of this choice in the plan, from 0 */
    size_t len;                  /* of text */
    char text[];                 /* compared ignoring case; not terminated */
} qcapint_choice_t;

/* One subscription to one element. */
typedef struct qcapint_row {
    struct qcapint_row *next;       /* added later, for the same element */
    uint16_t element;               /* index in the protocol's elements */
    qcap_match_handler_t handler;
    void *user;                     /* the handler's */
    const qcapint_choice_t *choice; /* only while the selector has this text; NULL: always */
} qcapint_row_t;

/* What is wanted of one element. */
typedef struct qcapint_interest {
    qcapint_row_t *rows; /* in the order they were added; NULL: none */
    char *path;          /* its full name; NULL as long as there is no row */
    bool is_selector;    /* a choice compares its text */
} qcapint_interest_t;

/* What is known of a conversation's protocol. conv->upper is NULL or points to one: of its own, or one that others share. */
typedef struct qcapint_speech {
    const struct qcapint_plan *plan; /* that it speaks; NULL: not known (yet), or not added */
    qcapint_link_t *link;            /* who announced the conversation; owned by it; NULL: nobody */
    bool is_pair;                    /* it begins a pair, of this conversation alone */
    bool is_read;                    /* which parsers read, or will */
    bool is_encrypted;               /* not known, and it looks like noise */
} qcapint_speech_t;

/* How many bytes are in a class of a protocol's parser. */
typedef struct qcapint_class_size {
    uint16_t all;
    uint16_t text; /* of them, those that texts are made of */
} qcapint_class_size_t;

/* What a byte says that is read in a state with that row of its parser's tables: see evidence.c. */
typedef struct qcapint_row_bits {
    uint16_t row;
    bool is_known; /* else the rest means nothing */
    uint8_t noise, text; /* bits, in its units */
} qcapint_row_bits_t;

#define QCAPINT_ROW_BITS 256u /* each row has its place among so many */

typedef struct qcapint_plan {
    const qcap_protocol_t *protocol; /* borrowed from the application */
    qcapint_interest_t *interests;   /* one for each element */
    uint64_t *wanted;                /* bits of the elements with rows, or that are selectors: what parsers are given */
    qcapint_choice_t *choices;       /* the last one added first; NULL: none */
    uint16_t choice_count;
    qcapint_pool_t *delivers;        /* deliver.c's blocks for this protocol; owned */
    qcap_t *q;                       /* the handle */
    void *scratch;                   /* room for a conversation, in which evidence.c tries bytes */
    qcapint_class_size_t *class_sizes; /* by class of bytes */
    qcapint_row_bits_t *row_bits;    /* found out so far */
    uint32_t first[3][8];            /* a bit for each byte that a client, a server, a datagram may begin with */
    qcapint_speech_t left;           /* of conversations that speak it, but are not read any more */
    bool is_noticed, is_read;        /* somebody would notice if a sub-stream, a conversation were not read: see subscribe.c */
} qcapint_plan_t;

/* A handler for anomalies, gaps or errors. */
typedef struct qcapint_reporter {
    struct qcapint_reporter *next; /* added later, for the same kind */
    qcap_report_handler_t handler;
    void *user; /* the handler's */
} qcapint_reporter_t;

/* A handler for what conversations speak. */
typedef struct qcapint_listener {
    struct qcapint_listener *next; /* added later */
    qcap_spoken_handler_t handler;
    void *user; /* the handler's */
} qcapint_listener_t;

typedef struct qcapint_upper {
    qcapint_plan_t *plans[QCAPINT_PROTOCOLS]; /* in the order they were added; owned */
    uint32_t plan_count;
    qcapint_ports_t ports;
    qcapint_pool_t pairs;               /* pair.c's blocks */
    qcapint_spares_t spares;            /* what parsers need beside their own blocks */
    uint64_t entered;                   /* of those that nobody speaks from the beginning, a bit each */
    qcapint_reporter_t *reporters[QCAP_REPORT_ERROR + 1]; /* by qcap_report_kind_t */
    qcapint_buffer_t gathered;          /* an element's bytes that lie in several packets */
    qcapint_buffer_t altered;           /* evidence.c's: bytes of which some are replaced */
    qcapint_listener_t *listeners;      /* in the order they were added */
    qcapint_expect_t expect;            /* conversations to come */
    struct qcapint_pair *first_waiting, *last_waiting; /* pair.c's: who waited longest, and last; NULL: nobody waits */
} qcapint_upper_t;

#endif
