/* usual.h: the usual packet, in one pass. See usual.c. */
#ifndef QCAP_USUAL_H
#define QCAP_USUAL_H

#include "capture.h"
#include "flow.h"

/* What a look at a frame told. */
typedef struct qcapint_usual {
    uint32_t hash;       /* of its conversation, for flow.c */
    uint32_t tcp_len;    /* bytes of its TCP segment, with the header */
    uint16_t network;    /* offset of the IP header */
    uint8_t network_len; /* of that header */
    uint8_t header_len;  /* of TCP's */
    uint8_t version;     /* of IP: 4, 6; 0: the frame is not a usual one, and nothing else here is valid */
    qcapint_flow_hint_t hint; /* where the conversation is, if known */
} qcapint_usual_t;

/* Looks at a frame, and begins to fetch what its turn will need. Returns whether it is a usual one. */
bool qcapint_usual_look(const qcap_t *q, const qcapint_frame_t *frame, qcapint_usual_t *usual);

/* The turn of a usual frame, which has been counted. Does all there is to be done, or returns false, and has done nothing: then it
 * goes the general way. */
bool qcapint_usual_take(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual);

#endif
