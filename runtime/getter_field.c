/* getter_field.c: the fields of headers: one table.
 *
 * A row says which header a field lies in, and where. Names are Wireshark's, so that whoever knows its display filters knows
 * these. Whether the bytes were captured is asked when a field is read, so that a header that is cut off has the fields
 * before the cut.
 *
 * Sources: those of link.c, wlan.c, network.c and tunnel.c. */
#include "getter_field.h"

#include <strings.h>

#include "bytes.h"
#include "packet.h"

/* ---------------------------------------------------------------- fields that are computed */

static bool give(qcap_value_t *value, uint64_t number)
{
    value->number = number;
    return true;
}

static bool give_bytes(qcap_value_t *value, const unsigned char *bytes, size_t len)
{
    value->bytes = bytes;
    value->len = len;
    return true;
}

static bool frame_len(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return give(value, layer->packet->wire_len);
}

static bool frame_captured(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return give(value, layer->packet->len);
}

static bool frame_number(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return give(value, layer->packet->number);
}

static bool frame_time(const qcapint_layer_t *layer, qcap_value_t *value)
{
    value->time_ns = layer->packet->time_ns;
    return true;
}

/* IEEE 802.3, 3.2.6: up to 1500 it is a length. */
static bool ethernet_type(const qcapint_layer_t *layer, qcap_value_t *value)
{
    if (layer->len < 14 || qcapint_get_be16(layer->bytes + 12) <= 1500)
        return false;
    return give(value, qcapint_get_be16(layer->bytes + 12));
}

static bool ethernet_len(const qcapint_layer_t *layer, qcap_value_t *value)
{
    if (layer->len < 14 || qcapint_get_be16(layer->bytes + 12) > 1500)
        return false;
    return give(value, qcapint_get_be16(layer->bytes + 12));
}

/* RFC 1661, 6.5: the first byte of the protocol may be left out; it is even then. */
static bool ppp_protocol(const qcapint_layer_t *layer, qcap_value_t *value)
{
    if (layer->len >= 1 && layer->bytes[0] & 1u)
        return give(value, layer->bytes[0]);
    return layer->len >= 2 && give(value, qcapint_get_be16(layer->bytes));
}

/* An address of a loopback device's family, in the byte order of whoever captured. */
static bool loopback_family(const qcapint_layer_t *layer, qcap_value_t *value)
{
    if (layer->len < 4)
        return false;
    uint32_t family = qcapint_get_be32(layer->bytes);
    return give(value, family > 0xffff ? __builtin_bswap32(family) : family);
}

/* The bytes of a WLAN header are in the other order. */
static bool wlan_sequence(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return layer->len >= 24 && give(value, (unsigned)(layer->bytes[23] << 8 | layer->bytes[22]) >> 4);
}

/* RFC 826: hardware address of the sender, its protocol address, the same of the target; of Ethernet and IPv4. */
static bool arp_address(const qcapint_layer_t *layer, uint32_t offset, size_t len, qcap_value_t *value)
{
    if (layer->len < 28 || layer->bytes[4] != 6 || layer->bytes[5] != 4)
        return false;
    return give_bytes(value, layer->bytes + offset, len);
}

static bool arp_source_hardware(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return arp_address(layer, 8, 6, value);
}

static bool arp_source_protocol(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return arp_address(layer, 14, 4, value);
}

static bool arp_target_hardware(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return arp_address(layer, 18, 6, value);
}

static bool arp_target_protocol(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return arp_address(layer, 24, 4, value);
}

static bool tcp_len(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const qcapint_headers_t *h = &layer->packet->headers;
    return h->payload > h->transport && give(value, h->payload_wire);
}

/* What TCP or UDP carries; not where there is nothing. */
static bool payload(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const qcapint_headers_t *h = &layer->packet->headers;
    return h->payload > h->transport && h->payload_len > 0 &&
           give_bytes(value, layer->packet->bytes + h->payload, h->payload_len);
}

/* The data of a TCP option, RFC 9293, 3.2: kind, length, data; two kinds have no length. NULL if there is none. */
static const unsigned char *find_option(const qcapint_layer_t *layer, uint8_t wanted, size_t data_len)
{
    uint32_t header_len = layer->len >= 20 ? (layer->bytes[12] >> 4) * 4u : 0;
    if (header_len < 20)
        return NULL;
    qcapint_bytes_t options = qcapint_bytes(layer->bytes + 20, (header_len < layer->len ? header_len : layer->len) - 20);
    while (qcapint_bytes_left(&options) > 0) {
        uint8_t kind = qcapint_bytes_u8(&options);
        if (kind == 0)
            break;
        if (kind == 1)
            continue;
        uint8_t len = qcapint_bytes_u8(&options);
        const unsigned char *data = len >= 2 ? qcapint_bytes_take(&options, len - 2u) : NULL;
        if (!data)
            break;
        if (kind == wanted)
            return len == data_len + 2 ? data : NULL;
    }
    return NULL;
}

static bool tcp_mss(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const unsigned char *data = find_option(layer, 2, 2);
    return data && give(value, qcapint_get_be16(data));
}

/* RFC 7323, 2.2 and 3.2. */
static bool tcp_scale(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const unsigned char *data = find_option(layer, 3, 1);
    return data && give(value, data[0]);
}

static bool tcp_time(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const unsigned char *data = find_option(layer, 8, 8);
    return data && give(value, qcapint_get_be32(data));
}

static bool tcp_time_echo(const qcapint_layer_t *layer, qcap_value_t *value)
{
    const unsigned char *data = find_option(layer, 8, 8);
    return data && give(value, qcapint_get_be32(data + 4));
}

/* RFC 792: echo, timestamp, information and address mask have an identifier and a sequence number. */
static bool has_identifier(const qcapint_layer_t *layer)
{
    return layer->len >= 8 && (layer->bytes[0] == 0 || layer->bytes[0] == 8 || (layer->bytes[0] >= 13 && layer->bytes[0] <= 18));
}

static bool icmp_identifier(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return has_identifier(layer) && give(value, qcapint_get_be16(layer->bytes + 4));
}

static bool icmp_sequence(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return has_identifier(layer) && give(value, qcapint_get_be16(layer->bytes + 6));
}

/* RFC 4443, 4.1 and 4.2. */
static bool is_icmp6_echo(const qcapint_layer_t *layer)
{
    return layer->len >= 8 && (layer->bytes[0] == 128 || layer->bytes[0] == 129);
}

static bool icmp6_identifier(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return is_icmp6_echo(layer) && give(value, qcapint_get_be16(layer->bytes + 4));
}

static bool icmp6_sequence(const qcapint_layer_t *layer, qcap_value_t *value)
{
    return is_icmp6_echo(layer) && give(value, qcapint_get_be16(layer->bytes + 6));
}

/* RFC 2890, 2: behind the checksum, if the flags say that there is one. Version 1 has something else there. */
static bool gre_key(const qcapint_layer_t *layer, qcap_value_t *value)
{
    uint32_t flags = layer->len >= 4 ? qcapint_get_be16(layer->bytes) : 0, at = flags & 0xc000u ? 8 : 4;
    return (flags & 0x2007u) == 0x2000u && layer->len >= at + 4 && give(value, qcapint_get_be32(layer->bytes + at));
}

/* ---------------------------------------------------------------- the table */

#define ROW(name, type, kind, text) .field = {name, QCAP_VALUE_##type, text}, .layer = QCAPINT_LAYER_##kind
#define ALL(name, kind, text) {ROW(name, BYTES, kind, text), .width = 0}
#define NUMBER(name, kind, at, bytes, text) {ROW(name, UINT, kind, text), .offset = at, .width = bytes, .mask = 0xffffffffu}
#define BITS(name, kind, at, bytes, bits, text) {ROW(name, UINT, kind, text), .offset = at, .width = bytes, .mask = bits}
#define UNITS(name, kind, at, bytes, bits, unit, text)                                                                \
    {ROW(name, UINT, kind, text), .offset = at, .width = bytes, .mask = bits, .scale = unit}
#define FLAG(name, kind, at, bit, text) {ROW(name, BOOL, kind, text), .offset = at, .width = 1, .mask = bit}
#define MAC(name, kind, at, text) {ROW(name, ETHERNET, kind, text), .offset = at, .width = 6}
#define IPV4(name, kind, at, text) {ROW(name, IPV4, kind, text), .offset = at, .width = 4}
#define IPV6(name, kind, at, text) {ROW(name, IPV6, kind, text), .offset = at, .width = 16}
#define CALL(name, type, kind, function, text) {ROW(name, type, kind, text), .get = function}

static const qcapint_field_t fields[] = {
    ALL("frame", FRAME, "the packet as it was captured"),
    CALL("frame.number", UINT, FRAME, frame_number, "its place in the capture, from 1"),
    CALL("frame.time_epoch", TIME, FRAME, frame_time, "when it was captured"),
    CALL("frame.len", UINT, FRAME, frame_len, "bytes on the wire"),
    CALL("frame.cap_len", UINT, FRAME, frame_captured, "bytes captured"),

    ALL("eth", ETHERNET, "Ethernet"),
    MAC("eth.dst", ETHERNET, 0, "destination"),
    MAC("eth.src", ETHERNET, 6, "source"),
    MAC("eth.addr", ETHERNET, 0, "destination and source"),
    MAC("eth.addr", ETHERNET, 6, NULL),
    CALL("eth.type", UINT, ETHERNET, ethernet_type, "type"),
    CALL("eth.len", UINT, ETHERNET, ethernet_len, "length, of frames that have it in place of a type"),

    ALL("wlan", WLAN, "IEEE 802.11"),
    BITS("wlan.fc.type", WLAN, 0, 1, 0x0cu, "management 0, control 1, data 2"),
    BITS("wlan.fc.subtype", WLAN, 0, 1, 0xf0u, "which of these"),
    FLAG("wlan.fc.tods", WLAN, 1, 0x01u, "to an access point"),
    FLAG("wlan.fc.fromds", WLAN, 1, 0x02u, "from an access point"),
    FLAG("wlan.fc.frag", WLAN, 1, 0x04u, "more fragments follow"),
    FLAG("wlan.fc.retry", WLAN, 1, 0x08u, "it was sent before"),
    FLAG("wlan.fc.protected", WLAN, 1, 0x40u, "encrypted"),
    MAC("wlan.ra", WLAN, 4, "receiver"),
    MAC("wlan.ta", WLAN, 10, "transmitter"),
    CALL("wlan.seq", UINT, WLAN, wlan_sequence, "sequence number"),

    ALL("sll", COOKED, "Linux's cooked header"),
    ALL("sll", COOKED2, NULL),
    NUMBER("sll.pkttype", COOKED, 0, 2, "to us 0, broadcast 1, multicast 2, to others 3, by us 4"),
    NUMBER("sll.pkttype", COOKED2, 10, 1, NULL),
    NUMBER("sll.hatype", COOKED, 2, 2, "kind of the device"),
    NUMBER("sll.hatype", COOKED2, 8, 2, NULL),
    NUMBER("sll.halen", COOKED, 4, 2, "bytes of its address"),
    NUMBER("sll.halen", COOKED2, 11, 1, NULL),
    NUMBER("sll.etype", COOKED, 14, 2, "type"),
    NUMBER("sll.etype", COOKED2, 0, 2, NULL),
    NUMBER("sll.ifindex", COOKED2, 4, 4, "number of the interface"),

    ALL("null", LOOPBACK, "a loopback device's header"),
    CALL("null.family", UINT, LOOPBACK, loopback_family, "address family"),

    ALL("llc", LLC, "IEEE 802.2"),
    NUMBER("llc.dsap", LLC, 0, 1, "destination"),
    NUMBER("llc.ssap", LLC, 1, 1, "source"),

    ALL("vlan", VLAN, "IEEE 802.1Q, the outermost tag first"),
    BITS("vlan.priority", VLAN, 0, 2, 0xe000u, "priority"),
    BITS("vlan.dei", VLAN, 0, 2, 0x1000u, "may be dropped"),
    BITS("vlan.id", VLAN, 0, 2, 0x0fffu, "number of the VLAN"),
    NUMBER("vlan.etype", VLAN, 2, 2, "type"),
    ALL("ieee8021ad", SERVICE, "IEEE 802.1ad"),
    BITS("ieee8021ad.priority", SERVICE, 0, 2, 0xe000u, "priority"),
    BITS("ieee8021ad.dei", SERVICE, 0, 2, 0x1000u, "may be dropped"),
    BITS("ieee8021ad.id", SERVICE, 0, 2, 0x0fffu, "number of the service's VLAN"),

    ALL("mpls", MPLS, "MPLS, the outermost label first"),
    BITS("mpls.label", MPLS, 0, 4, 0xfffff000u, "label"),
    BITS("mpls.exp", MPLS, 0, 4, 0x00000e00u, "traffic class"),
    BITS("mpls.bottom", MPLS, 0, 4, 0x00000100u, "the last label"),
    NUMBER("mpls.ttl", MPLS, 3, 1, "time to live"),

    ALL("pppoe", PPPOE, "PPP over Ethernet"),
    NUMBER("pppoe.code", PPPOE, 1, 1, "0: a session"),
    NUMBER("pppoe.session_id", PPPOE, 2, 2, "number of the session"),
    NUMBER("pppoe.payload_length", PPPOE, 4, 2, "bytes that it carries"),
    ALL("ppp", PPP, "PPP"),
    CALL("ppp.protocol", UINT, PPP, ppp_protocol, "protocol"),

    ALL("arp", ARP, "ARP and RARP"),
    NUMBER("arp.hw.type", ARP, 0, 2, "kind of hardware addresses"),
    NUMBER("arp.proto.type", ARP, 2, 2, "kind of protocol addresses"),
    NUMBER("arp.hw.size", ARP, 4, 1, "bytes of a hardware address"),
    NUMBER("arp.proto.size", ARP, 5, 1, "bytes of a protocol address"),
    NUMBER("arp.opcode", ARP, 6, 2, "request 1, reply 2"),
    CALL("arp.src.hw_mac", ETHERNET, ARP, arp_source_hardware, "sender, Ethernet"),
    CALL("arp.src.proto_ipv4", IPV4, ARP, arp_source_protocol, "sender, IPv4"),
    CALL("arp.dst.hw_mac", ETHERNET, ARP, arp_target_hardware, "target, Ethernet"),
    CALL("arp.dst.proto_ipv4", IPV4, ARP, arp_target_protocol, "target, IPv4"),

    ALL("ip", IPV4, "IPv4"),
    BITS("ip.version", IPV4, 0, 1, 0xf0u, "4"),
    UNITS("ip.hdr_len", IPV4, 0, 1, 0x0fu, 4, "bytes of the header"),
    NUMBER("ip.dsfield", IPV4, 1, 1, "differentiated services"),
    BITS("ip.dsfield.dscp", IPV4, 1, 1, 0xfcu, "their code point"),
    BITS("ip.dsfield.ecn", IPV4, 1, 1, 0x03u, "explicit congestion notification"),
    NUMBER("ip.len", IPV4, 2, 2, "bytes of the packet, as it says"),
    NUMBER("ip.id", IPV4, 4, 2, "identification"),
    BITS("ip.flags", IPV4, 6, 1, 0xe0u, "the three flags"),
    FLAG("ip.flags.rb", IPV4, 6, 0x80u, "reserved"),
    FLAG("ip.flags.df", IPV4, 6, 0x40u, "do not fragment"),
    FLAG("ip.flags.mf", IPV4, 6, 0x20u, "more fragments follow"),
    BITS("ip.frag_offset", IPV4, 6, 2, 0x1fffu, "where a fragment's data begin in the datagram, in units of 8 bytes"),
    NUMBER("ip.ttl", IPV4, 8, 1, "time to live"),
    NUMBER("ip.proto", IPV4, 9, 1, "protocol that it carries"),
    NUMBER("ip.checksum", IPV4, 10, 2, "checksum of the header"),
    IPV4("ip.src", IPV4, 12, "source"),
    IPV4("ip.dst", IPV4, 16, "destination"),
    IPV4("ip.addr", IPV4, 12, "source and destination"),
    IPV4("ip.addr", IPV4, 16, NULL),

    ALL("ipv6", IPV6, "IPv6"),
    BITS("ipv6.version", IPV6, 0, 1, 0xf0u, "6"),
    BITS("ipv6.tclass", IPV6, 0, 2, 0x0ff0u, "traffic class"),
    BITS("ipv6.tclass.dscp", IPV6, 0, 2, 0x0fc0u, "its code point"),
    BITS("ipv6.tclass.ecn", IPV6, 0, 2, 0x0030u, "explicit congestion notification"),
    BITS("ipv6.flow", IPV6, 0, 4, 0x000fffffu, "flow label"),
    NUMBER("ipv6.plen", IPV6, 4, 2, "bytes behind the header, as it says"),
    NUMBER("ipv6.nxt", IPV6, 6, 1, "what comes next: an extension header or a protocol"),
    NUMBER("ipv6.hlim", IPV6, 7, 1, "hop limit"),
    IPV6("ipv6.src", IPV6, 8, "source"),
    IPV6("ipv6.dst", IPV6, 24, "destination"),
    IPV6("ipv6.addr", IPV6, 8, "source and destination"),
    IPV6("ipv6.addr", IPV6, 24, NULL),
    NUMBER("ipv6.fraghdr.nxt", FRAGMENT, 0, 1, "what comes behind the fragment header"),
    BITS("ipv6.fraghdr.offset", FRAGMENT, 2, 2, 0xfff8u, "where a fragment's data begin in the datagram, in units of 8 bytes"),
    FLAG("ipv6.fraghdr.more", FRAGMENT, 3, 0x01u, "more fragments follow"),
    NUMBER("ipv6.fraghdr.ident", FRAGMENT, 4, 4, "identification"),

    ALL("tcp", TCP, "TCP"),
    NUMBER("tcp.srcport", TCP, 0, 2, "source"),
    NUMBER("tcp.dstport", TCP, 2, 2, "destination"),
    NUMBER("tcp.port", TCP, 0, 2, "source and destination"),
    NUMBER("tcp.port", TCP, 2, 2, NULL),
    NUMBER("tcp.seq", TCP, 4, 4, "sequence number, as sent: tcp.seq_raw"),
    NUMBER("tcp.seq_raw", TCP, 4, 4, "sequence number, as sent"),
    NUMBER("tcp.ack", TCP, 8, 4, "acknowledgement, as sent: tcp.ack_raw"),
    NUMBER("tcp.ack_raw", TCP, 8, 4, "acknowledgement, as sent"),
    UNITS("tcp.hdr_len", TCP, 12, 1, 0xf0u, 4, "bytes of the header"),
    BITS("tcp.flags", TCP, 12, 2, 0x0fffu, "all twelve of them"),
    FLAG("tcp.flags.cwr", TCP, 13, 0x80u, "congestion window reduced"),
    FLAG("tcp.flags.ece", TCP, 13, 0x40u, "congestion was experienced"),
    FLAG("tcp.flags.urg", TCP, 13, 0x20u, "the urgent pointer counts"),
    FLAG("tcp.flags.ack", TCP, 13, 0x10u, "the acknowledgement counts"),
    FLAG("tcp.flags.push", TCP, 13, 0x08u, "not to be kept waiting"),
    FLAG("tcp.flags.reset", TCP, 13, 0x04u, "the connection is broken off"),
    FLAG("tcp.flags.syn", TCP, 13, 0x02u, "the connection opens"),
    FLAG("tcp.flags.fin", TCP, 13, 0x01u, "nothing more comes"),
    NUMBER("tcp.window_size_value", TCP, 14, 2, "window, as sent"),
    NUMBER("tcp.checksum", TCP, 16, 2, "checksum"),
    NUMBER("tcp.urgent_pointer", TCP, 18, 2, "behind the urgent byte"),
    CALL("tcp.options.mss_val", UINT, TCP, tcp_mss, "largest segment"),
    CALL("tcp.options.wscale.shift", UINT, TCP, tcp_scale, "window scale"),
    CALL("tcp.options.timestamp.tsval", UINT, TCP, tcp_time, "the sender's time"),
    CALL("tcp.options.timestamp.tsecr", UINT, TCP, tcp_time_echo, "the receiver's, echoed"),
    CALL("tcp.len", UINT, TCP, tcp_len, "bytes that it carries, captured or not"),
    CALL("tcp.payload", BYTES, TCP, payload, "those that were captured"),

    ALL("udp", UDP, "UDP"),
    NUMBER("udp.srcport", UDP, 0, 2, "source"),
    NUMBER("udp.dstport", UDP, 2, 2, "destination"),
    NUMBER("udp.port", UDP, 0, 2, "source and destination"),
    NUMBER("udp.port", UDP, 2, 2, NULL),
    NUMBER("udp.length", UDP, 4, 2, "bytes with the header, as it says"),
    NUMBER("udp.checksum", UDP, 6, 2, "checksum"),
    CALL("udp.payload", BYTES, UDP, payload, "bytes that it carries, as far as they were captured"),

    ALL("icmp", ICMP, "ICMP"),
    NUMBER("icmp.type", ICMP, 0, 1, "type"),
    NUMBER("icmp.code", ICMP, 1, 1, "code"),
    NUMBER("icmp.checksum", ICMP, 2, 2, "checksum"),
    CALL("icmp.ident", UINT, ICMP, icmp_identifier, "identifier, of messages that have one"),
    CALL("icmp.seq", UINT, ICMP, icmp_sequence, "sequence number, of messages that have one"),
    ALL("icmpv6", ICMP6, "ICMPv6"),
    NUMBER("icmpv6.type", ICMP6, 0, 1, "type"),
    NUMBER("icmpv6.code", ICMP6, 1, 1, "code"),
    NUMBER("icmpv6.checksum", ICMP6, 2, 2, "checksum"),
    CALL("icmpv6.echo.identifier", UINT, ICMP6, icmp6_identifier, "identifier of an echo"),
    CALL("icmpv6.echo.sequence_number", UINT, ICMP6, icmp6_sequence, "sequence number of an echo"),

    ALL("gre", GRE, "GRE"),
    NUMBER("gre.flags_and_version", GRE, 0, 2, "flags and version"),
    NUMBER("gre.proto", GRE, 2, 2, "type of what it carries"),
    CALL("gre.key", UINT, GRE, gre_key, "key"),
    ALL("etherip", ETHERIP, "EtherIP"),
    BITS("etherip.ver", ETHERIP, 0, 1, 0xf0u, "version"),
    ALL("vxlan", VXLAN, "VXLAN"),
    BITS("vxlan.vni", VXLAN, 4, 4, 0xffffff00u, "number of the network"),
    ALL("geneve", GENEVE, "Geneve"),
    NUMBER("geneve.proto_type", GENEVE, 2, 2, "type of what it carries"),
    BITS("geneve.vni", GENEVE, 4, 4, 0xffffff00u, "number of the network"),
    ALL("gtp", GTP, "GTP-U"),
    NUMBER("gtp.message", GTP, 1, 1, "255: it carries a packet"),
    NUMBER("gtp.length", GTP, 2, 2, "bytes behind the first eight"),
    NUMBER("gtp.teid", GTP, 4, 4, "number of the tunnel"),
    ALL("teredo", TEREDO, "Teredo"),
};

#define ROW_COUNT (sizeof fields / sizeof *fields)

const qcap_field_t *qcap_field(size_t index)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (fields[i].field.text && index-- == 0) /* other rows are more places of the field before */
            return &fields[i].field;
    return NULL;
}

const qcapint_field_t *qcapint_field_find(const char *name, uint32_t *row_count)
{
    size_t at = 0;
    while (at < ROW_COUNT && strcasecmp(fields[at].field.name, name) != 0)
        at++;
    if (at == ROW_COUNT)
        return NULL;
    *row_count = 1;
    while (at + *row_count < ROW_COUNT && !fields[at + *row_count].field.text)
        ++*row_count;
    return &fields[at];
}

/* ---------------------------------------------------------------- reading */

static uint32_t read_number(const unsigned char *bytes, unsigned width)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < width; i++)
        number = number << 8 | bytes[i];
    return number;
}

bool qcapint_field_read(const qcapint_field_t *field, const qcapint_layer_t *layer, qcap_value_t *value)
{
    value->type = field->field.type;
    if (field->get)
        return field->get(layer, value);
    if (field->width == 0)
        return give_bytes(value, layer->bytes, layer->len);
    if (layer->len < (uint32_t)field->offset + field->width)
        return false;
    const unsigned char *bytes = layer->bytes + field->offset;
    if (!field->mask)
        return give_bytes(value, bytes, field->width);
    uint32_t number = (read_number(bytes, field->width) & field->mask) / (field->mask & -field->mask);
    return give(value, (uint64_t)number * (field->scale ? field->scale : 1));
}
