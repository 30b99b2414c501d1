/* network.c: IP, what stands between it and its transport, and the transport's header; ARP.
 *
 * In: a decoder at the first byte of a network packet. Out: offsets and fields. A length field of zero means the
 * frame was captured before the sender's hardware cut it up: then the rest of the frame counts; jumbograms (RFC
 * 2675) come out of that as well.
 *
 * Sources: RFC 791; RFC 8200, 4 and RFC 4302, 2.2 (IPv6, extension headers); RFC 9293, 3.1 and RFC 7323, 2.2 (TCP);
 * RFC 768 (UDP); RFC 792, RFC 4443 (ICMP); RFC 826 (ARP). */
#include "decoder.h"

#define OPTION_LOOSE_ROUTE 131 /* RFC 791, 3.1 */
#define OPTION_STRICT_ROUTE 137

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

#define OPTION_HOME_ADDRESS 0xc9 /* among destination options: RFC 6275, 6.3 */

/* ---------------------------------------------------------------- transport */

uint8_t qcapint_decode_window_scale(const unsigned char *bytes, uint32_t bytes_len)
{
    qcapint_bytes_t options = qcapint_bytes(bytes, bytes_len);
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
static void set_payload(qcapint_decoder_t *d)
{
    d->headers->payload = qcapint_decoder_offset(d);
    d->headers->payload_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    d->headers->payload_wire = d->headers->payload_len + d->missing;
}

static qcapint_decode_t decode_tcp(qcapint_decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_decoder_note(d, QCAPINT_LAYER_TCP);
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
    if (bytes.is_short)
        return qcapint_decoder_fail(d, "TCP: the header is cut off");
    if (header_len < 20 || header_len > wire_len)
        return qcapint_decoder_fail(d, "TCP: the data offset is below 5, or behind the packet's end");
    if (header_len > qcapint_bytes_left(&d->bytes)) { /* snapped inside the options */
        d->missing -= header_len - (uint32_t)qcapint_bytes_left(&d->bytes);
        header_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    }
    h->window_scale = QCAPINT_NO_SCALE;
    if (h->tcp_flags & QCAPINT_TCP_SYN)
        h->window_scale = qcapint_decode_window_scale(bytes.at, header_len - 20);
    d->bytes.at += header_len;
    set_payload(d);
    return QCAPINT_DECODE_OK;
}

static qcapint_decode_t decode_udp(qcapint_decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t start = d->bytes;
    qcapint_decoder_note(d, QCAPINT_LAYER_UDP);
    h->source_port = qcapint_bytes_be16(&d->bytes);
    h->destination_port = qcapint_bytes_be16(&d->bytes);
    uint32_t len = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, 2); /* checksum */
    size_t wire_len = qcapint_bytes_left(&start) + d->missing;
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "UDP: the header is cut off");
    if ((len != 0 && len < 8) || len > wire_len)
        return qcapint_decoder_fail(d, "UDP: the length is below 8, or behind the packet's end");
    if (len != 0)
        qcapint_decoder_limit(d, len - 8);
    set_payload(d);
    return QCAPINT_DECODE_OK;
}

/* All messages have 8 bytes at least, those of ICMPv6 4. RFC 792; RFC 4443, 2.1. */
static qcapint_decode_t decode_icmp(qcapint_decoder_t *d, size_t least)
{
    if (qcapint_bytes_left(&d->bytes) < least)
        return qcapint_decoder_fail(d, "ICMP: the header is cut off");
    return QCAPINT_DECODE_OK;
}

/* What the IP packet, with its headers peeled off, carries. The parts of a fragment are looked at when they are
 * together. */
static qcapint_decode_t decode_transport(qcapint_decoder_t *d, uint8_t protocol)
{
    d->headers->protocol = protocol;
    d->headers->transport = qcapint_decoder_offset(d);
    set_payload(d);
    if (d->headers->is_fragment)
        return QCAPINT_DECODE_OK;
    switch (protocol) {
    case QCAPINT_PROTOCOL_TCP:
        return decode_tcp(d);
    case QCAPINT_PROTOCOL_UDP:
        return decode_udp(d);
    case QCAPINT_PROTOCOL_ICMP:
        qcapint_decoder_note(d, QCAPINT_LAYER_ICMP);
        return decode_icmp(d, 8);
    case QCAPINT_PROTOCOL_ICMP6:
        qcapint_decoder_note(d, QCAPINT_LAYER_ICMP6);
        return decode_icmp(d, 4);
    default:
        return QCAPINT_DECODE_OK;
    }
}

/* ---------------------------------------------------------------- network */

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

/* Whether destination options have a home address, which is the source that checksums are taken over. */
static bool has_home_address(qcapint_bytes_t options)
{
    while (qcapint_bytes_left(&options) > 0) {
        uint8_t type = qcapint_bytes_u8(&options);
        if (type == OPTION_HOME_ADDRESS)
            return true;
        if (type != 0 && !qcapint_bytes_take(&options, qcapint_bytes_u8(&options))) /* else one byte of padding */
            break;
    }
    return false;
}

/* Takes one extension header, whose protocol number stood at `field`; `*protocol` becomes the next one's. */
static qcapint_decode_t decode_extension(qcapint_decoder_t *d, uint8_t *protocol, uint32_t field)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    if (*protocol == EXTENSION_FRAGMENT)
        qcapint_decoder_note(d, QCAPINT_LAYER_FRAGMENT);
    uint8_t next = qcapint_bytes_u8(&bytes);
    uint8_t units = qcapint_bytes_u8(&bytes);
    uint32_t word = qcapint_bytes_be16(&bytes);
    uint32_t identification = qcapint_bytes_be32(&bytes);
    size_t len = *protocol == EXTENSION_FRAGMENT         ? 8
                 : *protocol == EXTENSION_AUTHENTICATION ? (units + 2u) * 4u
                                                         : (units + 1u) * 8u;
    if (!qcapint_bytes_take(&d->bytes, len) || bytes.is_short)
        return qcapint_decoder_fail(d, "IP: an extension header is cut off, or longer than the packet");
    if (*protocol == EXTENSION_ROUTING && (word & 0xffu) > 0) /* segments left */
        h->is_routed = true;
    if (*protocol == EXTENSION_DESTINATION && has_home_address(qcapint_bytes(d->bytes.at - len + 2, len - 2)))
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

/* Whether a source route has addresses left, so that the destination is not the final one. RFC 791, 3.1. */
static bool has_route(qcapint_bytes_t options)
{
    while (qcapint_bytes_left(&options) > 0) {
        uint8_t kind = qcapint_bytes_u8(&options);
        if (kind == 0) /* end of options */
            break;
        if (kind == 1) /* no operation */
            continue;
        uint8_t len = qcapint_bytes_u8(&options);
        if (kind == OPTION_LOOSE_ROUTE || kind == OPTION_STRICT_ROUTE)
            return qcapint_bytes_u8(&options) <= len && len > 3;
        if (len < 2 || !qcapint_bytes_take(&options, len - 2u))
            break;
    }
    return false;
}

/* RFC 791, 3.1. */
qcapint_decode_t qcapint_decode_ipv4(qcapint_decoder_t *d)
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
    if (bytes.is_short)
        return qcapint_decoder_fail(d, "IPv4: the header is cut off");
    if (version_and_len >> 4 != 4)
        return qcapint_decoder_fail(d, "IPv4: the version is another");
    if (header_len < 20)
        return qcapint_decoder_fail(d, "IPv4: the header length is below 5");
    h->network = qcapint_decoder_offset(d);
    h->version = 4;
    if (total_len != 0)
        qcapint_decoder_limit(d, total_len);
    h->network_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    qcapint_decoder_note(d, QCAPINT_LAYER_IPV4);
    if (!qcapint_bytes_take(&d->bytes, header_len))
        return qcapint_decoder_fail(d, "IPv4: the header is longer than the packet, or cut off");
    if (header_len > 20)
        h->is_routed = has_route(qcapint_bytes(d->frame + h->network + 20, header_len - 20));
    h->fragment_begin = (fragment & 0x1fffu) * 8u;
    h->has_more_fragments = (fragment & 0x2000u) != 0;
    h->is_fragment = h->has_more_fragments || h->fragment_begin > 0;
    h->identification = identification;
    while (protocol == EXTENSION_AUTHENTICATION && !h->is_fragment) {
        qcapint_decode_t result = decode_extension(d, &protocol, 0);
        if (result != QCAPINT_DECODE_OK)
            return result;
    }
    return decode_transport(d, protocol);
}

/* RFC 8200, 3 and 4. Nothing behind a fragment header that is one of several can be told from here. */
qcapint_decode_t qcapint_decode_ipv6(qcapint_decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    uint32_t version = qcapint_bytes_be32(&bytes) >> 28;
    uint32_t payload_len = qcapint_bytes_be16(&bytes);
    uint8_t protocol = qcapint_bytes_u8(&bytes);
    qcapint_bytes_take(&bytes, 33); /* hop limit, addresses */
    if (bytes.is_short)
        return qcapint_decoder_fail(d, "IPv6: the header is cut off");
    if (version != 6)
        return qcapint_decoder_fail(d, "IPv6: the version is another");
    h->network = qcapint_decoder_offset(d);
    h->version = 6;
    if (payload_len != 0)
        qcapint_decoder_limit(d, payload_len + 40);
    h->network_len = (uint32_t)qcapint_bytes_left(&d->bytes);
    qcapint_decoder_note(d, QCAPINT_LAYER_IPV6);
    qcapint_bytes_take(&d->bytes, 40); /* it is there */
    uint32_t field = h->network + 6;
    while (!h->is_fragment && is_extension(protocol)) {
        uint32_t next_field = qcapint_decoder_offset(d);
        qcapint_decode_t result = decode_extension(d, &protocol, field);
        if (result != QCAPINT_DECODE_OK)
            return result;
        field = next_field;
    }
    return decode_transport(d, protocol);
}

/* By the version in its first four bits: for links that do not name the protocol. */
qcapint_decode_t qcapint_decode_ip(qcapint_decoder_t *d)
{
    if (qcapint_bytes_left(&d->bytes) == 0)
        return qcapint_decoder_fail(d, "IP: the packet is empty");
    switch (d->bytes.at[0] >> 4) {
    case 4:
        return qcapint_decode_ipv4(d);
    case 6:
        return qcapint_decode_ipv6(d);
    default:
        return qcapint_decoder_fail(d, "IP: the version is neither 4 nor 6");
    }
}

qcapint_decode_t qcapint_decode_network(const unsigned char *bytes, uint32_t len, qcapint_headers_t *headers)
{
    qcapint_decoder_t d;
    qcapint_decoder_init(&d, bytes, len, headers);
    return qcapint_decode_ip(&d);
}

/* RFC 826: types of both kinds of addresses, their lengths, operation, then two of each. */
qcapint_decode_t qcapint_decode_arp(qcapint_decoder_t *d)
{
    qcapint_headers_t *h = d->headers;
    qcapint_bytes_t bytes = d->bytes;
    h->network = qcapint_decoder_offset(d);
    qcapint_decoder_note(d, QCAPINT_LAYER_ARP);
    qcapint_bytes_take(&bytes, 4);
    uint32_t hardware_len = qcapint_bytes_u8(&bytes);
    uint32_t protocol_len = qcapint_bytes_u8(&bytes);
    qcapint_bytes_take(&bytes, 2 + 2 * (hardware_len + protocol_len));
    if (bytes.is_short)
        return qcapint_decoder_fail(d, "ARP: the packet is cut off");
    h->network_len = 8 + 2 * (hardware_len + protocol_len);
    return QCAPINT_DECODE_ARP;
}
