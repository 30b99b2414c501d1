/* packet.h: qcap_packet_t, one packet on its way through the stages.
 *
 * note [borrowed packets]: the packet at hand is a struct on the stack whose bytes lie in the capture's buffer;
 * nothing is allocated for it. Whoever wants to keep it calls qcap_packet_ref(), which makes one counted copy of it,
 * remembers it in `kept`, and gives that same copy to everybody who asks again. Packets made of fragments are
 * counted from the start. */
#ifndef QCAP_PACKET_H
#define QCAP_PACKET_H

#include "capture.h"
#include "decode.h"
#include "qcap.h"

struct qcap_packet {
    qcap_t *q;                  /* the handle, whose budget pays */
    const unsigned char *bytes; /* captured; in the capture's buffer, or behind this struct if counted */
    uint32_t len;               /* of bytes */
    uint32_t wire_len;          /* on the wire */
    int64_t time_ns;            /* of arrival */
    uint64_t number;            /* in the capture, from 1 */
    uint64_t place;             /* offset of the bytes in their file, or QCAPINT_NO_PLACE */
    qcapint_headers_t headers;  /* what decoding found */
    qcap_endpoint_t *ends;      /* made up packets: source and destination, borrowed; else NULL: see headers */
    qcap_packet_t *kept;        /* borrowed packets: the counted copy, owned; NULL: none yet */
    qcap_packet_t **constituents; /* counted references, before the bytes; if borrowed, a borrowed one; NULL: none */
    uint32_t constituent_count;
    uint32_t references; /* 0: borrowed */
    uint32_t hash;       /* of its conversation, for flow.c; valid if is_hashed */
    bool is_hashed;
    bool is_right;       /* its checksums were looked at, and are right */
    uint8_t stage;       /* qcap_stage_t, the last one */
    uint8_t flags;       /* QCAP_PACKET_ */
    bool is_counted;     /* in stats.ended, at its stage; while a packet is being processed it is not yet */
    uint8_t depth;       /* how many packets it lies in */
    uint16_t link_type;  /* DLT_ number of the frame that was captured */
    uint16_t inner_type; /* artificial: the EtherType of what its bytes begin with; 0: they are a frame */
};

/* Makes a borrowed packet of a frame. */
void qcapint_packet_init(qcap_packet_t *packet, qcap_t *q, const unsigned char *bytes, uint32_t len, uint32_t wire_len);

/* The same, with all that the frame says, and decodes it. */
qcapint_decode_t qcapint_packet_begin(qcap_packet_t *packet, qcap_t *q, const qcapint_frame_t *frame);

/* Ends a borrowed packet: whoever kept it has a copy. */
void qcapint_packet_fini(qcap_packet_t *packet);

/* A counted packet of `len` bytes, to be written to `*bytes`, with room for references to `count` constituents. NULL if
 * there is no memory. */
qcap_packet_t *qcapint_packet_new(qcap_t *q, uint32_t len, uint32_t count, unsigned char **bytes);

/* The packet has come to a stage: counts it and calls the handlers. */
void qcapint_packet_stage(qcap_packet_t *packet, qcap_stage_t stage);

/* The packet's way has ended at a stage, of which others are told: no handler is called. */
void qcapint_packet_end(qcap_packet_t *packet, qcap_stage_t stage);

/* A packet that was read has been processed: it is counted where it is. If it waits there, it will be again where it
 * goes. */
void qcapint_packet_count(qcap_packet_t *packet);

#endif
