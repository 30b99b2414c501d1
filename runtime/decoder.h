/* decoder.h: what the files that decode share: link.c, wlan.c, network.c.
 *
 * A frame is peeled in a straight line: the link with its tags and labels, IP with its options or extension headers,
 * the transport. Each layer hands the next one a cursor that ends where its own length field says, so that no layer
 * sees padding, or reads beyond what was captured. Lengths from the wire only ever shorten what is looked at. */
#ifndef QCAP_DECODER_H
#define QCAP_DECODER_H

#include <string.h>

#include "bytes.h"
#include "decode.h"
#include "layers.h"

typedef struct qcapint_decoder {
    const unsigned char *frame; /* first byte */
    qcapint_bytes_t bytes;      /* what is left of the layer at hand */
    uint32_t missing;           /* bytes of that layer that were not captured, behind bytes.end */
    unsigned links;             /* layers of links that were entered: bounded */
    qcapint_headers_t *headers; /* result */
    qcapint_layers_t *layers;   /* where headers are noted as they are passed over; NULL: nowhere */
    const qcap_packet_t *packet; /* that they are noted of; valid if layers is not NULL */
} qcapint_decoder_t;

static inline void qcapint_decoder_init(qcapint_decoder_t *d, const unsigned char *bytes, uint32_t len,
                                        qcapint_headers_t *headers)
{
    memset(headers, 0, sizeof *headers);
    headers->protocol = QCAPINT_PROTOCOL_NONE;
    d->frame = bytes;
    d->bytes = qcapint_bytes(bytes, len);
    d->missing = 0;
    d->links = 0;
    d->headers = headers;
    d->layers = NULL;
    d->packet = NULL;
}

static inline uint32_t qcapint_decoder_offset(const qcapint_decoder_t *d)
{
    return (uint32_t)(d->bytes.at - d->frame);
}

/* Notes that the bytes at hand begin with such a header. */
static inline void qcapint_decoder_note(qcapint_decoder_t *d, qcapint_layer_kind_t kind)
{
    if (d->layers)
        qcapint_layers_add(d->layers, d->packet, kind, d->bytes.at, (uint32_t)qcapint_bytes_left(&d->bytes));
}

/* Cuts the layer at hand to `len` bytes, or notes how much was not captured. */
static inline void qcapint_decoder_limit(qcapint_decoder_t *d, uint32_t len)
{
    size_t left = qcapint_bytes_left(&d->bytes);
    if (len <= left) {
        d->bytes.end = d->bytes.at + len;
        d->missing = 0;
    } else {
        d->missing = len - (uint32_t)left;
    }
}

/* Notes what is wrong, a static text. */
static inline qcapint_decode_t qcapint_decoder_fail(qcapint_decoder_t *d, const char *reason)
{
    d->headers->reason = reason;
    return QCAPINT_DECODE_BAD_HEADER;
}

/* Each goes on from the byte at hand. */
qcapint_decode_t qcapint_decode_link(qcapint_decoder_t *d, uint32_t link_type);  /* a DLT_ number */
qcapint_decode_t qcapint_decode_ethertype(qcapint_decoder_t *d, uint16_t type); /* behind the type */
qcapint_decode_t qcapint_decode_llc(qcapint_decoder_t *d);                      /* IEEE 802.2 */
qcapint_decode_t qcapint_decode_wlan(qcapint_decoder_t *d, uint32_t link_type); /* IEEE 802.11, and what is before it */
qcapint_decode_t qcapint_decode_ipv4(qcapint_decoder_t *d);
qcapint_decode_t qcapint_decode_ipv6(qcapint_decoder_t *d);
qcapint_decode_t qcapint_decode_ip(qcapint_decoder_t *d); /* either: by its version */
qcapint_decode_t qcapint_decode_arp(qcapint_decoder_t *d);

#endif
