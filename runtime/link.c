/* link.c: links become network packets.
 *
 * In: a frame and its link type, or what a tunnel carried. Out: see decode.h; the rest is network.c's. Tags, labels
 * and sessions are peeled off in any order and number, up to a bound.
 *
 * Sources: IEEE 802.3, 3.2.6 (type or length); IEEE 802.1Q-2018, 9 (tags); RFC 1042 (LLC and SNAP); RFC 3032, 2.1
 * and RFC 4385, 3 (MPLS); RFC 2516, 4 (PPPoE); RFC 1661, 2 and RFC 1662, 3 (PPP); pcap-linktype(7) (LINUX_SLL,
 * LINUX_SLL2, NULL, LOOP, RAW, PPP, C_HDLC). */
#include <pcap/dlt.h>

#include "decoder.h"

/* More layers than this have no use. */
#define LINKS 32u

#define ETHERNET_LENGTH_MAX 1500u /* larger numbers are types */

/* Numbers of Linux for frames without a type, and of devices whose frames have a header of their own. */
enum { SLL_802_3 = 0x0001, SLL_802_2 = 0x0004, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK = 824 };

/* RFC 1661, 2 and IANA's list. */
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057, PPP_MPLS = 0x0281, PPP_MPLS_MULTICAST = 0x0283 };

/* Whether another layer may be entered. */
static bool enter(qcapint_decoder_t *d)
{
    return d->links++ < LINKS;
}

static qcapint_decode_t too_many(qcapint_decoder_t *d)
{
    return qcapint_decoder_fail(d, "link: too many layers");
}

/* ---------------------------------------------------------------- IEEE 802 */

/* A destination and a source SAP, and a control field. IP has a SAP of its own, and SNAP, which says a vendor and a
 * type: IEEE 802, 9.2; vendor 0 means an EtherType, 00-00-F8 likewise (802.1H). */
qcapint_decode_t qcapint_decode_llc(qcapint_decoder_t *d)
{
    qcapint_decoder_note(d, QCAPINT_LAYER_LLC);
    uint32_t saps = qcapint_bytes_be16(&d->bytes);
    uint32_t control = qcapint_bytes_u8(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "LLC: the header is cut off");
    if (saps == 0x0606 && control == 3)
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_IPV4);
    if (saps != 0xaaaa || control != 3)
        return QCAPINT_DECODE_OTHER;
    uint32_t vendor = qcapint_bytes_be16(&d->bytes) * 256u;
    vendor += qcapint_bytes_u8(&d->bytes);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "SNAP: the header is cut off");
    if ((vendor != 0 && vendor != 0x0000f8) || type <= ETHERNET_LENGTH_MAX)
        return QCAPINT_DECODE_OTHER;
    return qcapint_decode_ethertype(d, type);
}

/* Two addresses of 6 bytes, then a type or a length. */
static qcapint_decode_t decode_ethernet(qcapint_decoder_t *d)
{
    qcapint_decoder_note(d, QCAPINT_LAYER_ETHERNET);
    qcapint_bytes_take(&d->bytes, 12);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "Ethernet: the header is cut off");
    return qcapint_decode_ethertype(d, type);
}

/* ---------------------------------------------------------------- MPLS and PPP */

/* Labels of 4 bytes, up to the one with the bit "bottom of stack". What they lead to is not said: IP tells itself,
 * and a pseudo-wire begins with a control word of four zero bits. */
static qcapint_decode_t decode_mpls(qcapint_decoder_t *d)
{
    uint32_t label;
    do {
        qcapint_decoder_note(d, QCAPINT_LAYER_MPLS);
        label = qcapint_bytes_be32(&d->bytes);
    } while (!(label & 0x100u) && !d->bytes.is_short);
    if (d->bytes.is_short || qcapint_bytes_left(&d->bytes) == 0)
        return qcapint_decoder_fail(d, "MPLS: the labels are cut off");
    switch (d->bytes.at[0] >> 4) {
    case 0:
        qcapint_bytes_take(&d->bytes, 4);
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_ETHERNET);
    case 4:
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_IPV4);
    case 6:
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_IPV6);
    default:
        return QCAPINT_DECODE_OTHER;
    }
}

/* Address and control (ff 03) may be left out, and so may the first byte of the protocol, which is even then: RFC
 * 1661, 6.5 and 6.6. */
static qcapint_decode_t decode_ppp(qcapint_decoder_t *d)
{
    if (qcapint_bytes_left(&d->bytes) >= 2 && d->bytes.at[0] == 0xff && d->bytes.at[1] == 0x03)
        qcapint_bytes_take(&d->bytes, 2);
    qcapint_decoder_note(d, QCAPINT_LAYER_PPP);
    uint32_t protocol = qcapint_bytes_u8(&d->bytes);
    if (!(protocol & 1u))
        protocol = protocol << 8 | qcapint_bytes_u8(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "PPP: the header is cut off");
    switch (protocol) {
    case PPP_IPV4:
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_IPV4);
    case PPP_IPV6:
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_IPV6);
    case PPP_MPLS:
    case PPP_MPLS_MULTICAST:
        return qcapint_decode_ethertype(d, QCAPINT_ETHERTYPE_MPLS);
    default:
        return QCAPINT_DECODE_OTHER;
    }
}

/* Version and type (1 and 1), code (0: a session), its number, length. */
static qcapint_decode_t decode_pppoe(qcapint_decoder_t *d)
{
    qcapint_decoder_note(d, QCAPINT_LAYER_PPPOE);
    uint8_t version_and_type = qcapint_bytes_u8(&d->bytes);
    uint8_t code = qcapint_bytes_u8(&d->bytes);
    qcapint_bytes_take(&d->bytes, 2);
    uint16_t len = qcapint_bytes_be16(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "PPPoE: the header is cut off");
    if (version_and_type != 0x11)
        return qcapint_decoder_fail(d, "PPPoE: the version is another");
    if (code != 0)
        return QCAPINT_DECODE_OTHER;
    qcapint_decoder_limit(d, len);
    return decode_ppp(d);
}

/* PPP in frames like HDLC's; Cisco's own have 0f or 8f for an address, a zero, and an EtherType. */
static qcapint_decode_t decode_serial(qcapint_decoder_t *d)
{
    if (qcapint_bytes_left(&d->bytes) == 0)
        return qcapint_decoder_fail(d, "HDLC: the header is cut off");
    if (d->bytes.at[0] != 0x0f && d->bytes.at[0] != 0x8f)
        return decode_ppp(d);
    qcapint_bytes_take(&d->bytes, 2);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "HDLC: the header is cut off");
    return qcapint_decode_ethertype(d, type);
}

/* ---------------------------------------------------------------- types */

/* Priority and VLAN number, then another type; one tag behind the other. */
static uint16_t skip_tags(qcapint_decoder_t *d, uint16_t type)
{
    while (type == QCAPINT_ETHERTYPE_VLAN || type == QCAPINT_ETHERTYPE_SERVICE || type == QCAPINT_ETHERTYPE_STACKED) {
        qcapint_decoder_note(d, type == QCAPINT_ETHERTYPE_SERVICE ? QCAPINT_LAYER_SERVICE : QCAPINT_LAYER_VLAN);
        qcapint_bytes_take(&d->bytes, 2);
        type = qcapint_bytes_be16(&d->bytes);
    }
    return type;
}

qcapint_decode_t qcapint_decode_ethertype(qcapint_decoder_t *d, uint16_t type)
{
    type = skip_tags(d, type);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "link: a header is cut off");
    d->headers->ethertype = type;
    if (type == QCAPINT_ETHERTYPE_IPV4)
        return qcapint_decode_ipv4(d);
    if (type == QCAPINT_ETHERTYPE_IPV6)
        return qcapint_decode_ipv6(d);
    if (!enter(d))
        return too_many(d);
    switch (type) {
    case QCAPINT_ETHERTYPE_ARP:
    case QCAPINT_ETHERTYPE_RARP:
        return qcapint_decode_arp(d);
    case QCAPINT_ETHERTYPE_MPLS:
    case QCAPINT_ETHERTYPE_MPLS_MULTICAST:
        return decode_mpls(d);
    case QCAPINT_ETHERTYPE_PPPOE:
        return decode_pppoe(d);
    case QCAPINT_ETHERTYPE_PPP:
        return decode_ppp(d);
    case QCAPINT_ETHERTYPE_ETHERNET:
        return decode_ethernet(d);
    default:
        break;
    }
    if (type > ETHERNET_LENGTH_MAX)
        return QCAPINT_DECODE_OTHER;
    qcapint_decoder_limit(d, type);
    return qcapint_decode_llc(d);
}

/* ---------------------------------------------------------------- links of systems */

/* A loopback device's header is an address family in the byte order of whoever captured, IPv6's number his system's. */
static qcapint_decode_t decode_loopback(qcapint_decoder_t *d)
{
    static const uint8_t families[] = {2, 10, 24, 28, 30};
    qcapint_decoder_note(d, QCAPINT_LAYER_LOOPBACK);
    uint32_t family = qcapint_bytes_be32(&d->bytes);
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "loopback: the header is cut off");
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00u);
    for (size_t i = 0; i < sizeof families; i++)
        if (family == families[i])
            return qcapint_decode_ip(d);
    return QCAPINT_DECODE_OTHER;
}

/* What a cooked header says of the frame: its type, and the kind of the device. */
static qcapint_decode_t decode_cooked(qcapint_decoder_t *d, uint16_t type, uint16_t device)
{
    if (d->bytes.is_short)
        return qcapint_decoder_fail(d, "cooked: the header is cut off");
    if (device == ARPHRD_NETLINK) /* its types are others */
        return QCAPINT_DECODE_OTHER;
    if (device == ARPHRD_RADIOTAP)
        return qcapint_decode_wlan(d, DLT_IEEE802_11_RADIO);
    if (type == SLL_802_2)
        return qcapint_decode_llc(d);
    if (type <= ETHERNET_LENGTH_MAX)
        return QCAPINT_DECODE_OTHER;
    return qcapint_decode_ethertype(d, type);
}

/* Direction, kind of device, address (its length, 8 bytes), type. */
static qcapint_decode_t decode_cooked_v1(qcapint_decoder_t *d)
{
    qcapint_decoder_note(d, QCAPINT_LAYER_COOKED);
    qcapint_bytes_take(&d->bytes, 2);
    uint16_t device = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, 10);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    return decode_cooked(d, type, device);
}

/* Type, 2 bytes unused, interface, kind of device, direction, address (its length, 8 bytes). */
static qcapint_decode_t decode_cooked_v2(qcapint_decoder_t *d)
{
    qcapint_decoder_note(d, QCAPINT_LAYER_COOKED2);
    uint16_t type = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, 6);
    uint16_t device = qcapint_bytes_be16(&d->bytes);
    qcapint_bytes_take(&d->bytes, 10);
    return decode_cooked(d, type, device);
}

/* ---------------------------------------------------------------- entry */

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
    case DLT_PPP:
    case DLT_PPP_SERIAL:
    case DLT_PPP_ETHER:
    case DLT_PPP_PPPD:
    case DLT_C_HDLC:
    case DLT_IEEE802_11:
    case DLT_IEEE802_11_RADIO:
    case DLT_IEEE802_11_RADIO_AVS:
    case DLT_PRISM_HEADER:
    case DLT_PPI:
        return true;
    default:
        return false;
    }
}

qcapint_decode_t qcapint_decode_link(qcapint_decoder_t *d, uint32_t link_type)
{
    switch (link_type) {
    case DLT_EN10MB:
        return decode_ethernet(d);
    case DLT_LINUX_SLL:
        return decode_cooked_v1(d);
    case DLT_LINUX_SLL2:
        return decode_cooked_v2(d);
    case DLT_NULL:
    case DLT_LOOP:
        return decode_loopback(d);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return qcapint_decode_ip(d);
    case DLT_PPP:
    case DLT_PPP_SERIAL:
    case DLT_C_HDLC:
        return decode_serial(d);
    case DLT_PPP_PPPD: /* behind the direction */
        qcapint_bytes_take(&d->bytes, 1);
        return decode_ppp(d);
    case DLT_PPP_ETHER:
        return decode_pppoe(d);
    default:
        return qcapint_decode_wlan(d, link_type);
    }
}

/* note [the usual frame]: TCP in IPv4 without options in Ethernet without tags is most of what there is. All its
 * headers are read at once if that is what it is and nothing is wrong with it; else false, and nothing was done. */
static bool decode_usual(int link_type, const unsigned char *frame, uint32_t len, qcapint_headers_t *headers)
{
    const unsigned char *ip = frame + 14, *tcp = ip + 20;
    if (link_type != DLT_EN10MB || len < 54 || qcapint_get_be16(frame + 12) != QCAPINT_ETHERTYPE_IPV4 || ip[0] != 0x45 ||
        (qcapint_get_be16(ip + 6) & 0x3fff) != 0 || ip[9] != QCAPINT_PROTOCOL_TCP)
        return false;
    uint32_t total_len = qcapint_get_be16(ip + 2), header_len = (tcp[12] >> 4) * 4u;
    if (total_len > len - 14 || header_len < 20 || header_len > total_len - 20 || total_len < 40 ||
        (tcp[13] & QCAPINT_TCP_SYN))
        return false;
    *headers = (qcapint_headers_t){.network = 14,
                                   .network_len = total_len,
                                   .transport = 34,
                                   .payload = 34 + header_len,
                                   .payload_len = total_len - 20 - header_len,
                                   .payload_wire = total_len - 20 - header_len,
                                   .version = 4,
                                   .protocol = QCAPINT_PROTOCOL_TCP,
                                   .ethertype = QCAPINT_ETHERTYPE_IPV4,
                                   .identification = qcapint_get_be16(ip + 4),
                                   .source_port = qcapint_get_be16(tcp),
                                   .destination_port = qcapint_get_be16(tcp + 2),
                                   .tcp_flags = tcp[13],
                                   .window_scale = QCAPINT_NO_SCALE,
                                   .window = qcapint_get_be16(tcp + 14),
                                   .seq = qcapint_get_be32(tcp + 4),
                                   .ack = qcapint_get_be32(tcp + 8)};
    return true;
}

qcapint_decode_t qcapint_decode_frame(int link_type, const unsigned char *bytes, uint32_t len,
                                      qcapint_headers_t *headers)
{
    qcapint_decoder_t d;
    if (decode_usual(link_type, bytes, len, headers))
        return QCAPINT_DECODE_OK;
    qcapint_decoder_init(&d, bytes, len, headers);
    return qcapint_decode_link(&d, (uint32_t)link_type);
}

qcapint_decode_t qcapint_decode_inner(uint16_t ethertype, const unsigned char *bytes, uint32_t len,
                                      qcapint_headers_t *headers)
{
    qcapint_decoder_t d;
    qcapint_decoder_init(&d, bytes, len, headers);
    return qcapint_decode_ethertype(&d, ethertype);
}
