/* segment.h: bytes that a packet carried to a place, and queues of them.
 *
 * TCP segments that are out of order and IP fragments wait in the same kind of queue: sorted, without overlap. Where a
 * newcomer overlaps what is there, a rule (policy.h) decides pair by pair who keeps the bytes they share. */
#ifndef QCAP_SEGMENT_H
#define QCAP_SEGMENT_H

#include "packet.h"
#include "policy.h"
#include "qcap.h"

/* Bytes that one packet carried to one place of a stream, or of a datagram. */
typedef struct qcapint_segment {
    struct qcapint_segment *next; /* the one with higher offsets */
    uint64_t begin;               /* offset of the first byte */
    uint64_t ack;                 /* how far the packet acknowledges the other direction, as its offset; if has_ack */
    uint64_t urgent;              /* offset of the byte that is out of band, if it is one of these; else anything */
    const unsigned char *bytes;   /* in the packet */
    qcap_packet_t *packet;        /* owns bytes; a counted reference in lists, borrowed while at hand */
    uint32_t len;                 /* of bytes */
    bool has_ack;                 /* false: no ACK flag, or nothing is known of the other direction */
} qcapint_segment_t;

/* Zeros are an empty queue. */
typedef struct qcapint_queue {
    qcapint_segment_t *first; /* the lowest; NULL: empty */
    qcapint_segment_t *last;  /* the highest; NULL: empty, or not known */
    uint32_t count;           /* segments */
} qcapint_queue_t;

/* What a newcomer met. */
typedef struct qcapint_overlap {
    uint64_t bytes;       /* that were there already, whoever kept them */
    uint64_t conflicting; /* of those, with another value */
    bool is_incomplete;   /* there was no memory for a part; it is missing now */
} qcapint_overlap_t;

static inline uint64_t qcapint_segment_end(const qcapint_segment_t *segment)
{
    return segment->begin + segment->len;
}

/* A segment on the heap, like `segment`, with a counted reference to its packet. NULL if there is no memory. */
qcapint_segment_t *qcapint_segment_new(qcap_t *q, const qcapint_segment_t *segment);
void qcapint_segment_free(qcap_t *q, qcapint_segment_t *segment);

/* Queues the newcomer, which arrived with the extent [begin, end) but may have been trimmed since. Conflicts are told, as of
 * the direction `str`, or of a datagram if it is NULL. */
qcapint_overlap_t qcapint_queue_insert(qcap_t *q, qcapint_queue_t *queue, const qcapint_segment_t *newcomer,
                                       int64_t begin, int64_t end, qcapint_rule_t rule, qcap_tcpstr_t *str);

/* The same without a word: the first copy stays. */
void qcapint_queue_add(qcap_t *q, qcapint_queue_t *queue, const qcapint_segment_t *newcomer);

/* Forgets what is at `end` or behind. Returns how many bytes. */
uint64_t qcapint_queue_trim(qcap_t *q, qcapint_queue_t *queue, uint64_t end);

/* Takes the lowest segment of a queue that is not empty. */
qcapint_segment_t *qcapint_queue_pop(qcapint_queue_t *queue);

void qcapint_queue_clear(qcap_t *q, qcapint_queue_t *queue);

#endif
