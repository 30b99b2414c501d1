/* decode.h: a frame becomes headers.
 *
 * In: captured bytes and their link type. Out: where the IP packet, its transport header and its payload lie, and the
 * fields that later stages need. Nothing is copied. */
#ifndef QCAP_DECODE_H
#define QCAP_DECODE_H

#include "qcap.h"

#define QCAPINT_PROTOCOL_ICMP 1
#define QCAPINT_PROTOCOL_IPV4 4 /* IPv4 in it, and so on: RFC 2003, RFC 4213, RFC 2784, RFC 3378, RFC 4023 */
#define QCAPINT_PROTOCOL_TCP 6
#define QCAPINT_PROTOCOL_UDP 17
#define QCAPINT_PROTOCOL_IPV6 41
#define QCAPINT_PROTOCOL_GRE 47
#define QCAPINT_PROTOCOL_ICMP6 58
#define QCAPINT_PROTOCOL_ETHERIP 97
#define QCAPINT_PROTOCOL_MPLS 137
#define QCAPINT_PROTOCOL_NONE 255

/* EtherTypes: IEEE's registry, and RFC 1701 for those that stand for what GRE carries. */
enum {
    QCAPINT_ETHERTYPE_IPV4 = 0x0800,
    QCAPINT_ETHERTYPE_ARP = 0x0806,
    QCAPINT_ETHERTYPE_ETHERNET = 0x6558,
    QCAPINT_ETHERTYPE_RARP = 0x8035,
    QCAPINT_ETHERTYPE_VLAN = 0x8100, /* 802.1Q */
    QCAPINT_ETHERTYPE_IPV6 = 0x86dd,
    QCAPINT_ETHERTYPE_PPP = 0x880b,
    QCAPINT_ETHERTYPE_MPLS = 0x8847,
    QCAPINT_ETHERTYPE_MPLS_MULTICAST = 0x8848, /* or labels that the upstream assigned */
    QCAPINT_ETHERTYPE_PPPOE = 0x8864,          /* a session */
    QCAPINT_ETHERTYPE_SERVICE = 0x88a8,        /* 802.1ad: the outer of two tags */
    QCAPINT_ETHERTYPE_STACKED = 0x9100         /* the same, before it was standardised */
};

/* TCP's control bits: RFC 9293, 3.1. */
#define QCAPINT_TCP_FIN 0x01u
#define QCAPINT_TCP_SYN 0x02u
#define QCAPINT_TCP_RST 0x04u
#define QCAPINT_TCP_ACK 0x10u
#define QCAPINT_TCP_URG 0x20u

#define QCAPINT_NO_SCALE 0xffu

/* What decoding found. Offsets count from the first captured byte; each is valid if the one before is. */
typedef struct qcapint_headers {
    uint32_t network;      /* offset of the IP header; of ARP likewise */
    uint32_t network_len;  /* captured bytes of the IP or ARP packet, without padding behind it */
    uint32_t transport;    /* offset behind the IP header and its extensions: what the fragment or the packet carries */
    uint32_t payload;      /* offset of what TCP or UDP carries; = transport for others */
    uint32_t payload_len;  /* captured bytes of it */
    uint32_t payload_wire; /* bytes of it on the wire: more if the packet was snapped */
    uint8_t version;       /* of IP: 4, 6; 0: no IP packet */
    uint8_t protocol;      /* of the payload: QCAPINT_PROTOCOL_; NONE if not known */
    bool is_routed;        /* checksums are over others than its addresses: a routing header, a home address, a source route */
    bool is_aggregate;     /* not IP: several frames of an 802.11 one, which payload tells */
    uint16_t ethertype;    /* what the link says it carries; 0: it does not say */
    const char *reason;    /* why a header is bad, or what it leads to is left alone, static; NULL: neither */

    bool is_fragment;        /* the next five are valid */
    bool has_more_fragments; /* not the last one */
    uint32_t fragment_begin; /* offset of its data in the datagram */
    uint32_t identification; /* which datagram */
    uint32_t fragment_field; /* IPv6: offset of the next-header field that names the fragment header */

    uint16_t source_port, destination_port; /* TCP, UDP */

    uint8_t tcp_flags;     /* QCAPINT_TCP_ */
    uint8_t window_scale;  /* of a SYN: RFC 7323, 2.2; QCAPINT_NO_SCALE: none */
    uint16_t window;       /* as sent, not scaled */
    uint32_t seq, ack;     /* TCP */
} qcapint_headers_t;

/* What became of the frame. */
typedef enum {
    QCAPINT_DECODE_OK,         /* all headers are there */
    QCAPINT_DECODE_ARP,        /* an ARP packet */
    QCAPINT_DECODE_OTHER,      /* neither */
    QCAPINT_DECODE_BAD_HEADER, /* a header is cut off or contradicts itself; what comes before it is valid */
} qcapint_decode_t;

/* Whether link types of that DLT_ number are decoded. */
bool qcapint_decode_knows(int link_type);

/* Decodes `len` captured bytes. */
qcapint_decode_t qcapint_decode_frame(int link_type, const unsigned char *bytes, uint32_t len,
                                      qcapint_headers_t *headers);

/* Decodes what stands behind that EtherType: for what was taken out of a tunnel. */
qcapint_decode_t qcapint_decode_inner(uint16_t ethertype, const unsigned char *bytes, uint32_t len,
                                      qcapint_headers_t *headers);

/* Finds the window scale among the options of a SYN: RFC 7323, 2.2. */
uint8_t qcapint_decode_window_scale(const unsigned char *options, uint32_t len);

/* Decodes from the IP header on: for what was put together from fragments. */
qcapint_decode_t qcapint_decode_network(const unsigned char *bytes, uint32_t len, qcapint_headers_t *headers);

/* What a checksum says. */
typedef enum {
    QCAPINT_CHECKSUM_UNKNOWN, /* not computed, not captured whole, or not used by the sender */
    QCAPINT_CHECKSUM_GOOD,
    QCAPINT_CHECKSUM_BAD,
} qcapint_checksum_t;

/* The IPv4 header's own (RFC 791, 3.1), and TCP's or UDP's with the pseudo-header (RFC 9293, 3.1; RFC 768). UNKNOWN for
 * fields that hold zero or the sum of the pseudo-header alone: the sender's hardware was to fill them in. */
qcapint_checksum_t qcapint_checksum_network(const unsigned char *bytes, const qcapint_headers_t *headers);
qcapint_checksum_t qcapint_checksum_transport(const unsigned char *bytes, const qcapint_headers_t *headers);
/* Of a GRE packet with what it carries; UNKNOWN if it has none. */
qcapint_checksum_t qcapint_checksum_gre(const unsigned char *bytes, const qcapint_headers_t *headers);

/* The checksum of RFC 1071 over `len` bytes, to be written in network order into a header that had 0 there. */
uint16_t qcapint_checksum_of(const unsigned char *bytes, size_t len);

#endif
