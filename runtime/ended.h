/* ended.h: what is remembered of conversations that are over and have left: enough to tell their late copies from what opens another
 * one. See ended.c. */
#ifndef QCAP_ENDED_H
#define QCAP_ENDED_H

#include <stdbool.h>
#include <stdint.h>

#include "budget.h"

/* One of them: a quarter of a line of the cache. */
typedef struct qcapint_ended_mark {
    uint32_t hash;      /* of the conversation, in the table of flow.c */
    uint32_t behind[2]; /* sequence numbers behind all that its ends have sent: see qcapint_ended_add() */
    uint32_t seen_s;    /* its latest packet, in seconds of capture time; 0: there is none */
} qcapint_ended_mark_t;

/* Zeros at first. */
typedef struct qcapint_ended {
    qcapint_ended_mark_t *marks; /* each in the place that its hash tells; NULL: none was needed yet */
    uint32_t mask;               /* places, a power of 2, less one */
} qcapint_ended_t;

/* A conversation leaves, whose latest packet came at `seen_ns`. `behind`: the sequence number behind the last byte, and the FIN
 * if there was one, of the end whose address and port are lower, and of the other one. Without memory it is not remembered. */
void qcapint_ended_add(qcapint_ended_t *ended, qcapint_budget_t *budget, uint32_t hash, const uint32_t behind[2], int64_t seen_ns);

/* Whether a segment of no conversation, whose numbers end before `end`, comes from one that has left: `is_higher` says which of its
 * two ends has sent it. */
bool qcapint_ended_has(const qcapint_ended_t *ended, uint32_t hash, bool is_higher, uint32_t end, int64_t now_ns);

/* Forgets all. */
void qcapint_ended_fini(qcapint_ended_t *ended, qcapint_budget_t *budget);

#endif
