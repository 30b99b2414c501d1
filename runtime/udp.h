/* udp.h: datagrams of two endpoints reach the parser of their protocol. See udp.c. */
#ifndef QCAP_UDP_H
#define QCAP_UDP_H

#include "pool.h"
#include "qcap.h"

typedef struct qcapint_exchange qcapint_exchange_t; /* the datagrams of two endpoints */

/* All exchanges of a handle; zeros at first. */
typedef struct qcapint_udp {
    qcapint_exchange_t **buckets;         /* chains; NULL: none allocated yet */
    size_t bucket_count;                  /* a power of 2 */
    uint64_t count;                       /* of exchanges */
    uint64_t met;                         /* exchanges ever */
    qcapint_pool_t exchanges;             /* their blocks; valid if there are buckets */
    qcapint_exchange_t *oldest, *newest;  /* by the latest datagram; NULL: none */
} qcapint_udp_t;

/* A UDP datagram: finds out its protocol, if it is not known, and delivers its elements. */
void qcapint_udp_datagram(qcap_t *q, qcap_packet_t *packet);

/* Forgets exchanges that have timed out at q->now_ns. */
void qcapint_udp_expire(qcap_t *q);

/* Since when one is idle longest; INT64_MAX: there is none. To make room, it is forgotten. */
int64_t qcapint_udp_oldest_ns(const qcap_t *q);
void qcapint_udp_evict(qcap_t *q);

/* Ends all exchanges: at the end of the capture. */
void qcapint_udp_finish(qcap_t *q);

/* Forgets all of them without a word: at the end of the handle. */
void qcapint_udp_fini(qcap_t *q);

#endif
