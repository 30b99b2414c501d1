/* defrag.h: IP fragments become datagrams. See defrag.c. */
#ifndef QCAP_DEFRAG_H
#define QCAP_DEFRAG_H

#include "packet.h"
#include "qcap.h"

typedef struct qcapint_datagram qcapint_datagram_t; /* one that is not complete */

#define QCAPINT_DEFRAG_BUCKETS 1024u

typedef struct qcapint_defrag {
    qcapint_datagram_t *buckets[QCAPINT_DEFRAG_BUCKETS]; /* chains */
    qcapint_datagram_t *oldest, *newest;                 /* by the first fragment's arrival; NULL: none */
    uint32_t count;                                      /* of datagrams */
    uint64_t key[2];                                     /* of the hash: random, per handle */
} qcapint_defrag_t;

void qcapint_defrag_init(qcap_t *q);
/* Drops all fragments without a word. */
void qcapint_defrag_fini(qcap_t *q);

/* Takes a fragment. If it completes its datagram: returns that, a counted reference for the caller; else NULL. */
qcap_packet_t *qcapint_defrag_fragment(qcap_t *q, qcap_packet_t *fragment);

/* Drops datagrams that have timed out at q->now_ns. */
void qcapint_defrag_expire(qcap_t *q);

/* Since when the oldest waits; INT64_MAX: there is none. To make room, it is dropped. */
int64_t qcapint_defrag_oldest_ns(const qcap_t *q);
void qcapint_defrag_evict(qcap_t *q);

/* Drops all of them, as timed out. */
void qcapint_defrag_finish(qcap_t *q);

#endif
