/* layers.c: where the headers of a packet lie. See layers.h.
 *
 * Decoding has noted where IP and the transport are; for most questions that is enough. Whoever asks for tags, labels and the
 * like has the packet decoded once more, and each header noted as it is passed over: decoding is the only place that knows
 * what can follow what. */
#include "layers.h"

#include <pcap/dlt.h>

#include "decoder.h"
#include "packet.h"
#include "tunnel.h"

#define BIT(name) (1u << QCAPINT_LAYER_##name)

/* What only decoding once more tells. */
#define ONLY_DECODING                                                                                                  \
    (BIT(ETHERNET) | BIT(COOKED) | BIT(COOKED2) | BIT(LOOPBACK) | BIT(WLAN) | BIT(LLC) | BIT(VLAN) | BIT(SERVICE) |       \
     BIT(MPLS) | BIT(PPPOE) | BIT(PPP) | BIT(FRAGMENT))

#define TUNNELS (BIT(GRE) | BIT(ETHERIP) | BIT(VXLAN) | BIT(GENEVE) | BIT(GTP) | BIT(TEREDO))

static void add(qcapint_layers_t *layers, const qcap_packet_t *packet, qcapint_layer_kind_t kind, uint32_t begin, uint32_t end)
{
    if (begin <= end)
        qcapint_layers_add(layers, packet, kind, packet->bytes + begin, end - begin);
}

/* ---------------------------------------------------------------- from what decoding has noted */

static void add_transport(qcapint_layers_t *layers, const qcap_packet_t *packet, uint32_t end)
{
    const qcapint_headers_t *h = &packet->headers;
    qcapint_layer_kind_t kind;
    switch (h->protocol) {
    case QCAPINT_PROTOCOL_TCP:
        kind = QCAPINT_LAYER_TCP;
        break;
    case QCAPINT_PROTOCOL_UDP:
        kind = QCAPINT_LAYER_UDP;
        break;
    case QCAPINT_PROTOCOL_ICMP:
        kind = QCAPINT_LAYER_ICMP;
        break;
    case QCAPINT_PROTOCOL_ICMP6:
        kind = QCAPINT_LAYER_ICMP6;
        break;
    default:
        return;
    }
    if (!h->is_fragment)
        add(layers, packet, kind, h->transport, end);
}

static void add_noted(qcapint_layers_t *layers, const qcap_packet_t *packet)
{
    const qcapint_headers_t *h = &packet->headers;
    uint32_t end = h->network + h->network_len;
    if (packet->link_type == DLT_EN10MB && !packet->inner_type)
        add(layers, packet, QCAPINT_LAYER_ETHERNET, 0, packet->len);
    if (h->version == 4)
        add(layers, packet, QCAPINT_LAYER_IPV4, h->network, end);
    else if (h->version == 6)
        add(layers, packet, QCAPINT_LAYER_IPV6, h->network, end);
    else if (h->ethertype == QCAPINT_ETHERTYPE_ARP || h->ethertype == QCAPINT_ETHERTYPE_RARP)
        add(layers, packet, QCAPINT_LAYER_ARP, h->network, end);
    if (h->version && h->protocol != QCAPINT_PROTOCOL_NONE)
        add_transport(layers, packet, end);
}

/* Whether decoding has noted all that is wanted. What it says of Ethernet is all there is to say if IP comes next. */
static bool is_noted(const qcap_packet_t *packet, uint32_t wanted)
{
    const qcapint_headers_t *h = &packet->headers;
    bool is_plain = packet->link_type == DLT_EN10MB && !packet->inner_type && h->network == 14 && h->version;
    if (wanted & BIT(FRAGMENT) && h->version == 6)
        return false;
    return is_plain || !(wanted & ONLY_DECODING);
}

/* ---------------------------------------------------------------- from decoding once more */

static void add_decoded(qcapint_layers_t *layers, const qcap_packet_t *packet)
{
    qcapint_headers_t headers;
    qcapint_decoder_t d;
    qcapint_decoder_init(&d, packet->bytes, packet->len, &headers);
    d.packet = packet;
    d.layers = layers;
    if (packet->inner_type)
        qcapint_decode_ethertype(&d, packet->inner_type);
    else
        qcapint_decode_link(&d, packet->link_type);
}

/* ---------------------------------------------------------------- tunnels */

static qcapint_layer_kind_t tunnel_in_udp(const qcapint_headers_t *h)
{
    switch (h->destination_port) {
    case QCAPINT_PORT_VXLAN:
    case QCAPINT_PORT_VXLAN_LINUX:
        return QCAPINT_LAYER_VXLAN;
    case QCAPINT_PORT_GENEVE:
        return QCAPINT_LAYER_GENEVE;
    default:
        return h->destination_port == QCAPINT_PORT_GTP || h->source_port == QCAPINT_PORT_GTP ? QCAPINT_LAYER_GTP
                                                                                           : QCAPINT_LAYER_TEREDO;
    }
}

/* The tunnel's header is what the packet carries. GRE that carries nothing known is still GRE. */
static void add_tunnel(qcapint_layers_t *layers, const qcap_packet_t *packet)
{
    qcapint_headers_t h = packet->headers;
    qcapint_inner_t inner = {0};
    uint32_t end = h.payload + h.payload_len;
    if (!h.version || h.is_fragment)
        return;
    if (h.protocol == QCAPINT_PROTOCOL_GRE)
        add(layers, packet, QCAPINT_LAYER_GRE, h.payload, end);
    else if (h.protocol == QCAPINT_PROTOCOL_ETHERIP)
        add(layers, packet, QCAPINT_LAYER_ETHERIP, h.payload, end);
    else if (h.protocol == QCAPINT_PROTOCOL_UDP && qcapint_tunnel_next(packet->bytes, &h, &inner) == QCAPINT_DECODE_OK)
        add(layers, packet, tunnel_in_udp(&h), h.payload, end);
}

/* ---------------------------------------------------------------- entry */

void qcapint_layers_find(const qcap_packet_t *packet, uint32_t wanted, qcapint_layers_t *layers)
{
    layers->wanted = wanted;
    layers->count = 0;
    if (!packet->bytes) /* made up */
        return;
    for (;;) {
        if (is_noted(packet, wanted))
            add_noted(layers, packet);
        else
            add_decoded(layers, packet);
        if (wanted & TUNNELS)
            add_tunnel(layers, packet);
        if (packet->constituent_count == 0)
            break;
        packet = packet->constituents[packet->constituent_count - 1];
    }
    add(layers, packet, QCAPINT_LAYER_FRAME, 0, packet->len);
}
