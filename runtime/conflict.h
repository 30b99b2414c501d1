/* conflict.h: where two copies of the same bytes differ. See conflict.c. */
#ifndef QCAP_CONFLICT_H
#define QCAP_CONFLICT_H

#include "qcap.h"
#include "segment.h"

/* A conflict handler that was added. */
typedef struct qcapint_conflict_subscription {
    struct qcapint_conflict_subscription *next; /* added later */
    qcap_conflict_handler_t handler;
    void *user;
} qcapint_conflict_subscription_t;

/* Compares [begin, end), which both pieces have, of the direction `str` or, if it is NULL, of a datagram. Returns how many bytes
 * differ, and tells the handlers if any do. */
uint64_t qcapint_conflict_compare(qcap_t *q, qcap_tcpstr_t *str, const qcapint_segment_t *stored,
                                  const qcapint_segment_t *newcomer, uint64_t begin, uint64_t end, bool is_newcomer_kept);

/* The same for a newcomer whose bytes, or the first of them, were delivered before, as far as those are still there. */
uint64_t qcapint_conflict_delivered(qcap_tcpstr_t *str, const qcapint_segment_t *newcomer);

#endif
