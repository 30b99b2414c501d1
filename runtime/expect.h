/* expect.h: conversations that others have announced. See expect.c. */
#ifndef QCAP_EXPECT_H
#define QCAP_EXPECT_H

#include "qcap.h"

typedef struct qcapint_conv qcapint_conv_t;         /* flow.h */
typedef struct qcapint_expected qcapint_expected_t; /* a conversation to come */

/* Who announces: the conversations that it expects, oldest first. Zeros at first. */
typedef struct qcapint_announcer {
    qcapint_expected_t *first, *last; /* NULL: none */
    uint32_t count;
} qcapint_announcer_t;

#define QCAPINT_EXPECT_BUCKETS 256u

/* All that are expected, oldest first, and by port; zeros at first. */
typedef struct qcapint_expect {
    qcapint_expected_t *first, *last; /* NULL: none */
    qcapint_expected_t *buckets[QCAPINT_EXPECT_BUCKETS]; /* newest first */
    uint32_t count;
} qcapint_expect_t;

/* Where an announcement was found. */
typedef struct qcapint_announcement {
    qcapint_conv_t *conv;        /* in this conversation; NULL: in datagrams */
    uint64_t exchange;           /* of that number; 0: a stream */
    qcap_endpoint_t ends[2];     /* between these, [0]: the client */
    const qcap_protocol_t *protocol; /* of the conversation */
    bool is_server;              /* in what the server sent, */
    uint64_t offset;             /* that ends there */
} qcapint_announcement_t;

/* Expects the conversation of the event, a QCAP_EVENT_EXPECT. The oldest one of the announcer, or of all, makes room. */
void qcapint_expect_add(qcap_t *q, qcapint_announcer_t *announcer, const qcapint_announcement_t *found,
                        const qcap_event_t *event);

/* The announcer is gone; what it has announced may still come. */
void qcapint_expect_leave(qcapint_announcer_t *announcer);

/* The link to who announced a conversation, with the protocol's name. Kept by the conversation. */
typedef struct qcapint_link {
    qcap_parent_t parent; /* what the application is told */
    qcapint_conv_t *conv; /* of parent.str, with one reference; NULL: datagrams */
    const char *name;     /* of the protocol that is to be spoken */
} qcapint_link_t;

/* Whether a conversation of "tcp" or "udp" between these ends, [0] being the client's, was announced: the link to who did.
 * NULL: it was not, or there is no memory. */
qcapint_link_t *qcapint_expect_find(qcap_t *q, const char *transport, const qcap_endpoint_t ends[2]);
void qcapint_link_free(qcap_t *q, qcapint_link_t *link); /* NULL is allowed */

/* Forgets all of it. */
void qcapint_expect_fini(qcap_t *q);

#endif
