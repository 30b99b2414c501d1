/* tunnel.c: packets that packets carry.
 *
 * In: a whole packet's headers. Out: where in its payload another one begins, and what it is. IP protocols say what
 * they carry; of UDP only ports do, so that a datagram whose header is none of the tunnel's is no tunnel, and
 * nothing is wrong with it.
 *
 * Sources: RFC 2003 and 4213 (IP in IP); RFC 2784, 2890, 1701 and 2637 (GRE); RFC 3378 (EtherIP); RFC 4023 (MPLS);
 * RFC 7348, 5 (VXLAN); RFC 8926, 3 (Geneve); RFC 4380, 5.1.1 (Teredo); 3GPP TS 29.281, 5.1 (GTP-U); IEEE
 * 802.11-2020, 9.3.2.2 (A-MSDU). */
#include "tunnel.h"

#include "bytes.h"

#define GRE_CHECKSUM 0x8000u
#define GRE_ROUTING 0x4000u
#define GRE_KEY 0x2000u
#define GRE_SEQUENCE 0x1000u
#define GRE_ACKNOWLEDGEMENT 0x0080u /* version 1 */
#define GRE_VERSION 0x0007u

#define GTP_G_PDU 0xffu   /* carries a packet of the user's */
#define GTP_OPTIONAL 0x07u /* any of the three bits for the fields behind the header */
#define GTP_EXTENSION 0x04u

/* Whether decoding goes on behind that type. */
static bool is_decoded(uint16_t ethertype)
{
    switch (ethertype) {
    case QCAPINT_ETHERTYPE_IPV4:
    case QCAPINT_ETHERTYPE_IPV6:
    case QCAPINT_ETHERTYPE_ETHERNET:
    case QCAPINT_ETHERTYPE_PPP:
    case QCAPINT_ETHERTYPE_MPLS:
    case QCAPINT_ETHERTYPE_MPLS_MULTICAST:
    case QCAPINT_ETHERTYPE_VLAN:
    case QCAPINT_ETHERTYPE_SERVICE:
        return true;
    default:
        return false;
    }
}

/* An IP packet by its first four bits; 0 if it is none. */
static uint16_t type_of_ip(const qcapint_bytes_t *bytes)
{
    if (qcapint_bytes_left(bytes) == 0)
        return 0;
    return bytes->at[0] >> 4 == 4 ? QCAPINT_ETHERTYPE_IPV4 : bytes->at[0] >> 4 == 6 ? QCAPINT_ETHERTYPE_IPV6 : 0;
}

static qcapint_decode_t bad(qcapint_headers_t *h, const char *reason)
{
    h->reason = reason;
    return QCAPINT_DECODE_BAD_HEADER;
}

/* ---------------------------------------------------------------- in IP */

/* RFC 1701: entries of an address family, an offset, a length and as many bytes, up to one of family and length 0. */
static void skip_routing(qcapint_bytes_t *bytes)
{
    uint32_t family, len;
    do {
        family = qcapint_bytes_be16(bytes);
        qcapint_bytes_take(bytes, 1);
        len = qcapint_bytes_u8(bytes);
        qcapint_bytes_take(bytes, len);
    } while (!bytes->is_short && (family != 0 || len != 0));
}

/* Flags and version, type, then what the flags say. Version 1 (RFC 2637, 4.1) has another idea of the key, and
 * carries nothing when it only acknowledges. */
static qcapint_decode_t find_in_gre(qcapint_headers_t *h, qcapint_bytes_t *bytes, uint16_t *type)
{
    uint32_t flags = qcapint_bytes_be16(bytes);
    *type = qcapint_bytes_be16(bytes);
    if ((flags & GRE_VERSION) > 1)
        return bad(h, "GRE: the version is neither 0 nor 1");
    if (flags & (GRE_CHECKSUM | GRE_ROUTING))
        qcapint_bytes_take(bytes, 4); /* and the routing's offset */
    if (flags & GRE_KEY)
        qcapint_bytes_take(bytes, 4);
    if (flags & GRE_SEQUENCE)
        qcapint_bytes_take(bytes, 4);
    if ((flags & GRE_VERSION) == 1 && flags & GRE_ACKNOWLEDGEMENT)
        qcapint_bytes_take(bytes, 4);
    if (flags & GRE_ROUTING)
        skip_routing(bytes);
    if (bytes->is_short)
        return bad(h, "GRE: the header is cut off");
    if ((flags & GRE_VERSION) == 1 && !(flags & GRE_SEQUENCE))
        return QCAPINT_DECODE_OTHER;
    return is_decoded(*type) ? QCAPINT_DECODE_OK : QCAPINT_DECODE_OTHER;
}

/* Version 3 and zeros. */
static qcapint_decode_t find_in_etherip(qcapint_headers_t *h, qcapint_bytes_t *bytes, uint16_t *type)
{
    uint16_t version = qcapint_bytes_be16(bytes);
    *type = QCAPINT_ETHERTYPE_ETHERNET;
    if (bytes->is_short || version != 0x3000)
        return bad(h, "EtherIP: the header is cut off, or of another version");
    return QCAPINT_DECODE_OK;
}

/* ---------------------------------------------------------------- in UDP */

/* Flags, of which one must be set, and a network number, each in 4 bytes. */
static uint16_t find_in_vxlan(qcapint_bytes_t *bytes)
{
    uint32_t flags = qcapint_bytes_u8(bytes);
    qcapint_bytes_take(bytes, 6);
    uint8_t reserved = qcapint_bytes_u8(bytes);
    return flags & 0x08u && reserved == 0 ? QCAPINT_ETHERTYPE_ETHERNET : 0;
}

/* Version (0) and length of options in words, flags, type, network number, a zero. */
static uint16_t find_in_geneve(qcapint_bytes_t *bytes)
{
    uint32_t version_and_words = qcapint_bytes_u8(bytes);
    qcapint_bytes_take(bytes, 1);
    uint16_t type = qcapint_bytes_be16(bytes);
    qcapint_bytes_take(bytes, 3);
    uint8_t reserved = qcapint_bytes_u8(bytes);
    qcapint_bytes_take(bytes, (version_and_words & 0x3fu) * 4);
    return version_and_words >> 6 == 0 && reserved == 0 && is_decoded(type) ? type : 0;
}

/* Before the IPv6 packet, authentication (type 1: lengths of two fields, 9 bytes) and the origin (type 0: 6 bytes). */
static uint16_t find_in_teredo(qcapint_bytes_t *bytes)
{
    while (qcapint_bytes_left(bytes) >= 2 && bytes->at[0] == 0 && bytes->at[1] <= 1) {
        bool is_authentication = qcapint_bytes_be16(bytes) == 1;
        uint32_t lens = is_authentication ? qcapint_bytes_u8(bytes) : 0u;
        lens += is_authentication ? qcapint_bytes_u8(bytes) : 0u;
        qcapint_bytes_take(bytes, is_authentication ? lens + 9 : 6);
    }
    return type_of_ip(bytes) == QCAPINT_ETHERTYPE_IPV6 ? QCAPINT_ETHERTYPE_IPV6 : 0;
}

/* Version (1) and flags, message, length, tunnel; then, if any of three flags is set, a sequence number, another
 * number and the type of an extension header: those have their length in words, and the next one's type at their
 * end. */
static uint16_t find_in_gtp(qcapint_bytes_t *bytes)
{
    uint32_t flags = qcapint_bytes_u8(bytes);
    uint8_t message = qcapint_bytes_u8(bytes);
    qcapint_bytes_take(bytes, 6);
    if ((flags & 0xf0u) != 0x30u || message != GTP_G_PDU)
        return 0;
    if (flags & GTP_OPTIONAL) {
        qcapint_bytes_take(bytes, 3);
        uint8_t next = qcapint_bytes_u8(bytes);
        while (flags & GTP_EXTENSION && next != 0 && !bytes->is_short) {
            uint32_t words = qcapint_bytes_u8(bytes);
            if (words == 0)
                return 0;
            qcapint_bytes_take(bytes, words * 4 - 2);
            next = qcapint_bytes_u8(bytes);
        }
    }
    return type_of_ip(bytes);
}

static uint16_t find_in_udp(const qcapint_headers_t *h, qcapint_bytes_t *bytes)
{
    switch (h->destination_port) {
    case QCAPINT_PORT_VXLAN:
    case QCAPINT_PORT_VXLAN_LINUX:
        return find_in_vxlan(bytes);
    case QCAPINT_PORT_GENEVE:
        return find_in_geneve(bytes);
    default:
        break;
    }
    if (h->destination_port == QCAPINT_PORT_GTP || h->source_port == QCAPINT_PORT_GTP)
        return find_in_gtp(bytes);
    if (h->destination_port == QCAPINT_PORT_TEREDO || h->source_port == QCAPINT_PORT_TEREDO)
        return find_in_teredo(bytes);
    return 0;
}

/* ---------------------------------------------------------------- entry */

/* Moves `bytes` to the packet that the payload carries. */
static qcapint_decode_t find(qcapint_headers_t *h, qcapint_bytes_t *bytes, uint16_t *type)
{
    switch (h->protocol) {
    case QCAPINT_PROTOCOL_UDP:
        *type = find_in_udp(h, bytes);
        return *type != 0 && !bytes->is_short ? QCAPINT_DECODE_OK : QCAPINT_DECODE_OTHER;
    case QCAPINT_PROTOCOL_IPV4:
        *type = QCAPINT_ETHERTYPE_IPV4;
        return QCAPINT_DECODE_OK;
    case QCAPINT_PROTOCOL_IPV6:
        *type = QCAPINT_ETHERTYPE_IPV6;
        return QCAPINT_DECODE_OK;
    case QCAPINT_PROTOCOL_MPLS:
        *type = QCAPINT_ETHERTYPE_MPLS;
        return QCAPINT_DECODE_OK;
    case QCAPINT_PROTOCOL_GRE:
        return find_in_gre(h, bytes, type);
    case QCAPINT_PROTOCOL_ETHERIP:
        return find_in_etherip(h, bytes, type);
    default:
        return QCAPINT_DECODE_OTHER;
    }
}

/* The next frame of an aggregate: destination, source, length, data; each begins at a multiple of 4. */
static qcapint_decode_t next_of_aggregate(const unsigned char *bytes, qcapint_headers_t *h, qcapint_inner_t *inner)
{
    uint32_t done = inner->ethertype ? (inner->offset - h->payload + inner->wire_len + 3) & ~UINT32_C(3) : 0;
    if (done >= h->payload_len || h->payload_len - done <= 4) /* what is left is a frame check sequence */
        return QCAPINT_DECODE_OTHER;
    qcapint_bytes_t frame = qcapint_bytes(bytes + h->payload + done, h->payload_len - done);
    qcapint_bytes_take(&frame, 12);
    uint32_t len = 14u + qcapint_bytes_be16(&frame);
    if (frame.is_short)
        return bad(h, "A-MSDU: a frame is cut off");
    uint32_t left = h->payload_len - done;
    *inner = (qcapint_inner_t){.offset = h->payload + done,
                               .len = len < left ? len : left,
                               .wire_len = len,
                               .ethertype = QCAPINT_ETHERTYPE_ETHERNET};
    return QCAPINT_DECODE_OK;
}

qcapint_decode_t qcapint_tunnel_next(const unsigned char *bytes, qcapint_headers_t *headers, qcapint_inner_t *inner)
{
    uint16_t type = 0;
    if (headers->is_aggregate)
        return next_of_aggregate(bytes, headers, inner);
    if (inner->ethertype || headers->is_fragment)
        return QCAPINT_DECODE_OTHER;
    qcapint_bytes_t payload = qcapint_bytes(bytes + headers->payload, headers->payload_len);
    qcapint_decode_t result = find(headers, &payload, &type);
    if (result != QCAPINT_DECODE_OK)
        return result;
    uint32_t before = (uint32_t)(payload.at - bytes) - headers->payload;
    *inner = (qcapint_inner_t){.offset = headers->payload + before,
                               .len = headers->payload_len - before,
                               .wire_len = headers->payload_wire - before,
                               .ethertype = type};
    return QCAPINT_DECODE_OK;
}
