/* decode.c: a frame becomes headers.
 *
 * In: captured bytes and their link type. Out: qcapint_headers_t, offsets and fields. A frame is peeled in a straight
 * line: link (with VLAN tags), IPv4 or IPv6 (with options or extension headers), then TCP, UDP or ICMP. Each layer
 * hands the next one a cursor that ends where its own length field says, so that no layer sees padding or reads beyond
 * what was captured.
 *
 * Lengths from the wire only ever shorten what is looked at. A length field of zero means the frame was captured before
 * the sender's hardware cut it up: then the rest of the frame counts.
 *
 * Sources: IEEE 802.1Q-2018, 9 (tags); RFC 791; RFC 8200, 4 and RFC 4302, 2.2 (IPv6, extension headers); RFC 9293,
 * 3.1 and RFC 7323, 2.2 (TCP); RFC 768 (UDP); RFC 1071 (checksums); pcap-linktype(7) (LINUX_SLL, LINUX_SLL2, NULL,
 * LOOP, RAW). */
#include "decode.h"

#include <pcap/dlt.h>
#include <string.h>

#include "bytes.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100    /* 802.1Q */
#define ETHERTYPE_SERVICE 0x88a8 /* 802.1ad: the outer of two tags */
#define ETHERTYPE_STACKED 0x9100 /* the same, before it was standardised */

/* IPv6 extension headers: RFC 8200, 4; RFC 6275, 6.1; RFC 7401, 5.1; RFC 5533, 5.2. */
enum {
    EXTENSION_HOP_BY_HOP = 0,
    EXTENSION_ROUTING = 43,
    EXTENSION_FRAGMENT = 44,
    EXTENSION_AUTHENTICATION = 51,
    EXTENSION_DESTINATION = 60,
    EXTENSION_MOBILITY = 135,
    EXTENSION_HOST_IDENTITY = 139,
    EXTENSION_SHIM6 = 140
};

/* What decoding carries along. */
typedef struct decoder {
    const unsigned char *frame; /* first captured byte */
    qcapint_bytes_t bytes;      /* what is left of the layer at hand */
    uint32_t missing;           /* bytes of the IP packet that were not captured, behind bytes.end */
    qcapint_headers_t *headers; /* result */
} decoder_t;

static uint32_t offset_of(const decoder_t *d)
{
    return (uint32_t)(d->bytes.at - d->frame);
}

/* Cuts the layer at hand to `len` bytes, or notes how much was not captured. */
static void limit(decoder_t *d, uint32_t len)
{
    size_t left = qcapint_bytes_left(&d->bytes);
    if (len <= left) {
        d->bytes.end = d->bytes.at + len;
        d->missing = 0;
    } else {
        d->missing = len - (uint32_t)left;
    }
}

/* ---------------------------------------------------------------- transport */

/* Finds the window scale among the options of a SYN: RFC 7323, 2.2. */
static uint8_t window_scale(qcapint_bytes_t options)
{
    while (qcapint_bytes_left(&options) > 0) {
        uint8_t kind = qcapint_bytes_u8(&options);
        if (kind == 0) /* end of options */
            break;
        if (kind == 1) /* no operation */
            continue;
        uint8_t len = qcapint_bytes_u8(&options);
        if (len < 2)
            break;
        if (kind == 3 && len == 3) {
            uint8_t shift = qcapint_bytes_u8(&options);
            return options.is_short ? QCAPINT_NO_SCALE : shift > 14 ? 14 : shift;
        }
        qcapint_bytes_take(&options, len - 2u);
        if (options.is_short)
            break;
    }
    return QCAPINT_NO_SCALE;
}

/* The rest of the layer is what TCP or UDP carries. */
static void set_payload(decoder_t *d)
{
    d->headers->payload = offset_of(d);
    d->headers->payload_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    d->headers->payload_wire = d->headers->payload_len + d->missing;
}

static qcapint_decode_t decode_tcp(decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    size_t wire_len = qcapint_bytes_left(&d->bytes) + d->missing;
    qcapint_bytes_t bytes = d->bytes;
    h->source_port = qcapint_bytes_be16(&bytes);
    h->destination_port = qcapint_bytes_be16(&bytes);
    h->seq = qcapint_bytes_be32(&bytes);
    h->ack = qcapint_bytes_be32(&bytes);
    uint32_t header_len = (uint32_t)(qcapint_bytes_u8(&bytes) >> 4) * 4;
    h->tcp_flags = qcapint_bytes_u8(&bytes);
    h->window = qcapint_bytes_be16(&bytes);
    qcapint_bytes_take(&bytes, 4); /* checksum, urgent pointer */
    if (bytes.is_short || header_len < 20 || header_len > wire_len)
        return QCAPINT_DECODE_BAD_HEADER;
    if (header_len > qcapint_bytes_left(&d->bytes)) { /* snapped inside the options */
        d->missing -= header_len - (uint32_t)qcapint_bytes_left(&d->bytes);
        header_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    }
    h->window_scale = QCAPINT_NO_SCALE;
    if (h->tcp_flags & QCAPINT_TCP_SYN)
        h->window_scale = window_scale(qcapint_bytes(bytes.at, header_len - 20));
    d->bytes.at += header_len;
    set_payload(d);
    return QCAPINT_DECODE_OK;
}

static qcapint_decode_t decode_udp(decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t start = d->bytes;
    h->source_port = qcapint_bytes_be16(&d->bytes);
    h->destination_port = qcapint_bytes_be16(&d->bytes);
    uint32_t len = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, 2); /* checksum */
    size_t wire_len = qcapint_bytes_left(&start) + d->missing;
    if (d->bytes.is_short || (len != 0 && len < 8) || len > wire_len)
        return QCAPINT_DECODE_BAD_HEADER;
    if (len != 0)
        limit(d, len - 8);
    set_payload(d);
    return QCAPINT_DECODE_OK;
}

/* What the IP packet, with its headers peeled off, carries. The parts of a fragment are looked at when they are
 * together. */
static qcapint_decode_t decode_transport(decoder_t *d, uint8_t protocol)
{
    d->headers->protocol = protocol;
    d->headers->transport = offset_of(d);
    set_payload(d);
    if (d->headers->is_fragment)
        return QCAPINT_DECODE_OK;
    if (protocol == QCAPINT_PROTOCOL_TCP)
        return decode_tcp(d);
    if (protocol == QCAPINT_PROTOCOL_UDP)
        return decode_udp(d);
    return QCAPINT_DECODE_OK;
}

/* ---------------------------------------------------------------- network */

/* RFC 791, 3.1. */
static qcapint_decode_t decode_ipv4(decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    uint8_t version_and_len = qcapint_bytes_u8(&bytes);
    qcapint_bytes_take(&bytes, 1); /* type of service */
    uint32_t total_len = qcapint_bytes_be16(&bytes);
    uint16_t identification = qcapint_bytes_be16(&bytes);
    uint16_t fragment = qcapint_bytes_be16(&bytes);
    qcapint_bytes_take(&bytes, 1); /* time to live */
    uint8_t protocol = qcapint_bytes_u8(&bytes);
    qcapint_bytes_take(&bytes, 10); /* checksum, addresses */
    uint32_t header_len = (version_and_len & 0x0fu) * 4u;
    if (bytes.is_short || version_and_len >> 4 != 4 || header_len < 20)
        return QCAPINT_DECODE_BAD_HEADER;
    h->network = offset_of(d);
    h->version = 4;
    if (total_len != 0)
        limit(d, total_len);
    h->network_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    if (!qcapint_bytes_take(&d->bytes, header_len))
        return QCAPINT_DECODE_BAD_HEADER;
    h->fragment_begin = (fragment & 0x1fffu) * 8u;
    h->has_more_fragments = (fragment & 0x2000u) != 0;
    h->is_fragment = h->has_more_fragments || h->fragment_begin > 0;
    h->identification = identification;
    return decode_transport(d, protocol);
}

static bool is_extension(uint8_t protocol)
{
    switch (protocol) {
    case EXTENSION_HOP_BY_HOP:
    case EXTENSION_ROUTING:
    case EXTENSION_FRAGMENT:
    case EXTENSION_AUTHENTICATION:
    case EXTENSION_DESTINATION:
    case EXTENSION_MOBILITY:
    case EXTENSION_HOST_IDENTITY:
    case EXTENSION_SHIM6:
        return true;
    default:
        return false;
    }
}

/* Takes one extension header, whose protocol number stood at `field`; `*protocol` becomes the next one's. */
static qcapint_decode_t decode_extension(decoder_t *d, uint8_t *protocol, uint32_t field)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    uint8_t next = qcapint_bytes_u8(&bytes);
    uint8_t units = qcapint_bytes_u8(&bytes);
    uint32_t word = qcapint_bytes_be16(&bytes);
    uint32_t identification = qcapint_bytes_be32(&bytes);
    size_t len = *protocol == EXTENSION_FRAGMENT         ? 8
                 : *protocol == EXTENSION_AUTHENTICATION ? (units + 2u) * 4u
                                                         : (units + 1u) * 8u;
    if (!qcapint_bytes_take(&d->bytes, len) || bytes.is_short)
        return QCAPINT_DECODE_BAD_HEADER;
    if (*protocol == EXTENSION_ROUTING && (word & 0xffu) > 0) /* segments left */
        h->is_routed = true;
    if (*protocol == EXTENSION_FRAGMENT) {
        h->fragment_begin = word & 0xfff8u;
        h->has_more_fragments = (word & 1u) != 0;
        h->is_fragment = h->has_more_fragments || h->fragment_begin > 0; /* else: atomic, RFC 6946 */
        h->identification = identification;
        h->fragment_field = field;
    }
    *protocol = next;
    return QCAPINT_DECODE_OK;
}

/* RFC 8200, 3 and 4. Nothing behind a fragment header that is one of several can be told from here. */
static qcapint_decode_t decode_ipv6(decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    uint32_t version = qcapint_bytes_be32(&bytes) >> 28;
    uint32_t payload_len = qcapint_bytes_be16(&bytes);
    uint8_t protocol = qcapint_bytes_u8(&bytes);
    qcapint_bytes_take(&bytes, 33); /* hop limit, addresses */
    if (bytes.is_short || version != 6)
        return QCAPINT_DECODE_BAD_HEADER;
    h->network = offset_of(d);
    h->version = 6;
    if (payload_len != 0)
        limit(d, payload_len + 40);
    h->network_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    if (!qcapint_bytes_take(&d->bytes, 40))
        return QCAPINT_DECODE_BAD_HEADER;
    uint32_t field = h->network + 6;
    while (!h->is_fragment && is_extension(protocol)) {
        uint32_t next_field = offset_of(d);
        qcapint_decode_t result = decode_extension(d, &protocol, field);
        if (result != QCAPINT_DECODE_OK)
            return result;
        field = next_field;
    }
    return decode_transport(d, protocol);
}

/* By the version in its first four bits: for links that do not name the protocol. */
static qcapint_decode_t decode_ip(decoder_t *d)
{
    if (qcapint_bytes_left(&d->bytes) == 0)
        return QCAPINT_DECODE_BAD_HEADER;
    switch (d->bytes.at[0] >> 4) {
    case 4:
        return decode_ipv4(d);
    case 6:
        return decode_ipv6(d);
    default:
        return QCAPINT_DECODE_BAD_HEADER;
    }
}

/* ---------------------------------------------------------------- link */

/* What stands behind an EtherType; tags may be stacked. */
static qcapint_decode_t decode_ethertype(decoder_t *d, uint16_t type)
{
    while (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE || type == ETHERTYPE_STACKED) {
        qcapint_bytes_take(&d->bytes, 2); /* priority and VLAN number */
        type = qcapint_bytes_be16(&d->bytes);
    }
    if (d->bytes.is_short)
        return QCAPINT_DECODE_BAD_HEADER;
    if (type == ETHERTYPE_IPV4)
        return decode_ipv4(d);
    if (type == ETHERTYPE_IPV6)
        return decode_ipv6(d);
    return QCAPINT_DECODE_OTHER;
}

/* Skips `skip` bytes, reads an EtherType, skips `behind` bytes, goes on by the type. */
static qcapint_decode_t decode_link(decoder_t *d, size_t skip, size_t behind)
{
    qcapint_bytes_take(&d->bytes, skip);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, behind);
    return decode_ethertype(d, type);
}

/* A loopback device's header is an address family in the byte order of whoever captured, IPv6's number his system's. */
static qcapint_decode_t decode_loopback(decoder_t *d)
{
    static const uint8_t families[] = {2, 10, 24, 28, 30};
    uint32_t family = qcapint_bytes_be32(&d->bytes);
    if (d->bytes.is_short)
        return QCAPINT_DECODE_BAD_HEADER;
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00u);
    for (size_t i = 0; i < sizeof families; i++)
        if (family == families[i])
            return decode_ip(d);
    return QCAPINT_DECODE_OTHER;
}

bool qcapint_decode_knows(int link_type)
{
    switch (link_type) {
    case DLT_EN10MB:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_NULL:
    case DLT_LOOP:
        return true;
    default:
        return false;
    }
}

static void init(decoder_t *d, const unsigned char *bytes, uint32_t len, qcapint_headers_t *headers)
{
    memset(headers, 0, sizeof *headers);
    headers->protocol = QCAPINT_PROTOCOL_NONE;
    d->frame = bytes;
    d->bytes = qcapint_bytes(bytes, len);
    d->missing = 0;
    d->headers = headers;
}

qcapint_decode_t qcapint_decode_frame(int link_type, const unsigned char *bytes, uint32_t len,
                                      qcapint_headers_t *headers)
{
    decoder_t d;
    init(&d, bytes, len, headers);
    switch (link_type) {
    case DLT_EN10MB:
        return decode_link(&d, 12, 0);
    case DLT_LINUX_SLL:
        return decode_link(&d, 14, 0);
    case DLT_LINUX_SLL2:
        return decode_link(&d, 0, 18);
    case DLT_NULL:
    case DLT_LOOP:
        return decode_loopback(&d);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return decode_ip(&d);
    default:
        return QCAPINT_DECODE_OTHER;
    }
}

qcapint_decode_t qcapint_decode_network(const unsigned char *bytes, uint32_t len, qcapint_headers_t *headers)
{
    decoder_t d;
    init(&d, bytes, len, headers);
    return decode_ip(&d);
}

/* ---------------------------------------------------------------- checksums */

/* note [byte order of sums]: adding 16-bit words with carries around the end gives the same 16 bits in either byte
 * order, so words are added as they lie in memory and only the result is looked at: RFC 1071, 2(B). */

static uint64_t add_bytes(uint64_t sum, const unsigned char *bytes, size_t len)
{
    for (; len >= 4; bytes += 4, len -= 4) {
        uint32_t word;
        memcpy(&word, bytes, 4);
        sum += word;
    }
    unsigned char rest[4] = {0};
    uint32_t word;
    memcpy(rest, bytes, len);
    memcpy(&word, rest, 4);
    return sum + word;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

uint16_t qcapint_checksum_of(const unsigned char *bytes, size_t len)
{
    uint16_t in_memory_order = (uint16_t)~fold(add_bytes(0, bytes, len));
    unsigned char pair[2];
    memcpy(pair, &in_memory_order, 2);
    return qcapint_get_be16(pair);
}

qcapint_checksum_t qcapint_checksum_network(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    const unsigned char *ip = bytes + headers->network;
    if (headers->version != 4)
        return QCAPINT_CHECKSUM_UNKNOWN;
    if (fold(add_bytes(0, ip, (ip[0] & 0x0fu) * 4u)) == 0xffff)
        return QCAPINT_CHECKSUM_GOOD;
    return qcapint_get_be16(ip + 10) == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}

/* The sum of the pseudo-header: addresses, protocol, length. RFC 9293, 3.1; RFC 8200, 8.1. */
static uint64_t add_pseudo_header(const unsigned char *ip, const qcapint_headers_t *headers, uint32_t len)
{
    unsigned char tail[8] = {0};
    qcapint_put_be32(tail, len);
    tail[7] = headers->protocol;
    uint64_t sum = add_bytes(0, tail, sizeof tail);
    return headers->version == 4 ? add_bytes(sum, ip + 12, 8) : add_bytes(sum, ip + 8, 32);
}

/* note [checksums that are not there yet]: a sender whose hardware computes checksums writes nothing, or the folded
 * sum of the pseudo-header, for the hardware to go on with; a capture on that machine sees it so. */
qcapint_checksum_t qcapint_checksum_transport(const unsigned char *bytes, const qcapint_headers_t *headers)
{
    bool is_tcp = headers->protocol == QCAPINT_PROTOCOL_TCP;
    if ((!is_tcp && headers->protocol != QCAPINT_PROTOCOL_UDP) || headers->is_fragment || headers->is_routed ||
        headers->payload_len != headers->payload_wire)
        return QCAPINT_CHECKSUM_UNKNOWN;
    const unsigned char *transport = bytes + headers->transport;
    if (is_tcp && headers->transport + (transport[12] >> 4) * 4u != headers->payload) /* options were snapped */
        return QCAPINT_CHECKSUM_UNKNOWN;
    uint32_t len = headers->payload + headers->payload_len - headers->transport;
    uint16_t field;
    memcpy(&field, transport + (is_tcp ? 16 : 6), 2);
    uint64_t pseudo = add_pseudo_header(bytes + headers->network, headers, len);
    if (fold(add_bytes(pseudo, transport, len)) == 0xffff)
        return field == 0 ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_GOOD;
    return field == 0 || field == fold(pseudo) ? QCAPINT_CHECKSUM_UNKNOWN : QCAPINT_CHECKSUM_BAD;
}
