/* tunnel.h: packets that packets carry. See tunnel.c. */
#ifndef QCAP_TUNNEL_H
#define QCAP_TUNNEL_H

#include "decode.h"

/* How deep packets may lie in one another. */
#define QCAPINT_TUNNEL_DEPTH 8

/* UDP ports that tunnels listen at; of GTP and Teredo packets come from there, too. */
enum {
    QCAPINT_PORT_GTP = 2152,
    QCAPINT_PORT_TEREDO = 3544,
    QCAPINT_PORT_VXLAN = 4789,
    QCAPINT_PORT_VXLAN_LINUX = 8472, /* before it was standardised */
    QCAPINT_PORT_GENEVE = 6081
};

/* A packet inside a packet. */
typedef struct qcapint_inner {
    uint32_t offset;    /* of its first byte, from the carrier's */
    uint32_t len;       /* captured */
    uint32_t wire_len;  /* on the wire */
    uint16_t ethertype; /* QCAPINT_ETHERTYPE_: what it begins with; 0: none was found yet */
} qcapint_inner_t;

/* Finds the packet that the carrier's payload has behind `inner`; the first one if that is all zeros. Returns OK,
 * OTHER if there is none, or BAD_HEADER, and then headers->reason says why. */
qcapint_decode_t qcapint_tunnel_next(const unsigned char *bytes, qcapint_headers_t *headers, qcapint_inner_t *inner);

#endif
