/* usual.h: the usual packet, in one pass. See usual.c. */
#ifndef QCAP_USUAL_H
#define QCAP_USUAL_H

#include "capture.h"
#include "flow.h"

/* What a look at a frame told: a line of the cache. */
typedef struct qcapint_usual {
    qcapint_ends_t ends;      /* version 0: the frame is not a usual one, and nothing else here is valid */
    const unsigned char *tcp; /* the header; borrowed */
    uint32_t hash;            /* of its conversation, for flow.c */
    uint32_t len;             /* bytes of the stream */
    qcapint_flow_hint_t hint; /* where the conversation is, if known */
} qcapint_usual_t;

/* Looks at frames, at most 32, one entry of `usual` for each, and fetches what their turns will need. Returns which of them are not
 * usual: a bit for each, the lowest is the first. */
uint32_t qcapint_usual_look(const qcap_t *q, const qcapint_frame_t *frames, uint32_t count, qcapint_usual_t *usual);

/* The turns of frames, as long as they are usual ones, nothing has to be done between them (nothing but conversations waits for a time
 * before `calm_ns`), and nobody is shown any. Returns how many, which have been counted. */
uint32_t qcapint_usual_run(qcap_t *q, const qcapint_frame_t *frames, const qcapint_usual_t *usual, uint32_t count, int64_t calm_ns);

/* The turn of a usual frame, which has been counted. Does all there is to be done, or returns false, and has done nothing: then it
 * goes the general way. */
bool qcapint_usual_take(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual);

#endif
