/* layers.h: where the headers of a packet lie.
 *
 * In: a packet. Out: a list of its headers, from the link to the transport; then those of the packet that carries it (the
 * tunnel, or the last of its fragments), and so on outwards. Nothing is copied. See layers.c. */
#ifndef QCAP_LAYERS_H
#define QCAP_LAYERS_H

#include "qcap.h"

/* Kinds of headers. ORDER kinds that decoding passes over first: see layers.c. */
typedef enum {
    QCAPINT_LAYER_FRAME, /* all of the packet that was captured */
    QCAPINT_LAYER_ETHERNET,
    QCAPINT_LAYER_COOKED,    /* Linux's, version 1 */
    QCAPINT_LAYER_COOKED2,   /* version 2 */
    QCAPINT_LAYER_LOOPBACK,
    QCAPINT_LAYER_WLAN,      /* IEEE 802.11 */
    QCAPINT_LAYER_LLC,
    QCAPINT_LAYER_VLAN,      /* IEEE 802.1Q: behind its type */
    QCAPINT_LAYER_SERVICE,   /* IEEE 802.1ad, likewise */
    QCAPINT_LAYER_MPLS,      /* one label */
    QCAPINT_LAYER_PPPOE,
    QCAPINT_LAYER_PPP,       /* from the protocol's number on */
    QCAPINT_LAYER_ARP,
    QCAPINT_LAYER_IPV4,
    QCAPINT_LAYER_IPV6,
    QCAPINT_LAYER_FRAGMENT,  /* IPv6's extension header */
    QCAPINT_LAYER_TCP,
    QCAPINT_LAYER_UDP,
    QCAPINT_LAYER_ICMP,
    QCAPINT_LAYER_ICMP6,
    QCAPINT_LAYER_GRE,
    QCAPINT_LAYER_ETHERIP,
    QCAPINT_LAYER_VXLAN,
    QCAPINT_LAYER_GENEVE,
    QCAPINT_LAYER_GTP,
    QCAPINT_LAYER_TEREDO,
    QCAPINT_LAYER_COUNT
} qcapint_layer_kind_t;

/* A header, and what it carries. */
typedef struct qcapint_layer {
    const qcap_packet_t *packet; /* that it lies in */
    const unsigned char *bytes;  /* its first byte, in the packet */
    uint32_t len;                /* captured from there on, to the end of what it carries */
    uint8_t kind;                /* qcapint_layer_kind_t */
} qcapint_layer_t;

/* More than so many headers are not looked at. */
#define QCAPINT_LAYERS 64u

typedef struct qcapint_layers {
    uint32_t wanted; /* kinds that are looked for: 1 << kind for each */
    uint32_t count;
    qcapint_layer_t items[QCAPINT_LAYERS];
} qcapint_layers_t;

/* Adds a header, if it is wanted and there is room. */
static inline void qcapint_layers_add(qcapint_layers_t *layers, const qcap_packet_t *packet, qcapint_layer_kind_t kind,
                                      const unsigned char *bytes, uint32_t len)
{
    if (layers->wanted >> kind & 1u && layers->count < QCAPINT_LAYERS)
        layers->items[layers->count++] = (qcapint_layer_t){packet, bytes, len, (uint8_t)kind};
}

/* Finds the headers of the kinds that are `wanted`, one bit (1 << kind) for each. */
void qcapint_layers_find(const qcap_packet_t *packet, uint32_t wanted, qcapint_layers_t *layers);

#endif
