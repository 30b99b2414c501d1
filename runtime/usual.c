/* usual.c: the usual packet, in one pass.
 *
 * Most of what there is to read: a TCP segment in IP without options, fragments or tunnels, in Ethernet or in nothing, whole and
 * without an error, of a conversation that opens, goes on or ends smoothly (smooth.h). Such a frame comes to
 * stages that nobody watches, and to a direction whose bytes often nobody reads; so no packet is made of it, and the stages
 * from link.c to tcp.c are not asked. What they would have done is done here, by the same functions.
 *
 * In: a frame, when it is read and when its turn has come. Out: what the general way would have made of it; or false, before
 * anything was changed. test_accounts.c reads everything in both ways and compares. */
#include "usual.h"

#include <pcap/dlt.h>

#include "checksum.h"
#include "flow_find.h"
#include "smooth.h"

#define ETHERNET_LEN 14u
#define TAG_LEN 4u
#define TAGS 2u
#define IPV4_LEN 20u
#define IPV6_LEN 40u
#define TCP_LEN 20u /* without options */

/* ---------------------------------------------------------------- the look */

static inline bool is_tag(uint16_t type)
{
    return type == QCAPINT_ETHERTYPE_VLAN || type == QCAPINT_ETHERTYPE_SERVICE || type == QCAPINT_ETHERTYPE_STACKED;
}

/* The offset of the IP header behind tags; one behind the frame if there is none. */
static uint32_t find_tagged(const qcapint_frame_t *frame)
{
    uint32_t at = ETHERNET_LEN;
    uint16_t type = qcapint_get_be16(frame->bytes + at - 2);
    for (unsigned i = 0; i < TAGS && is_tag(type); i++, at += TAG_LEN)
        type = qcapint_get_be16(frame->bytes + at + 2);
    bool is_v4 = frame->bytes[at] >> 4 == 4;
    return type == (is_v4 ? QCAPINT_ETHERTYPE_IPV4 : QCAPINT_ETHERTYPE_IPV6) ? at : frame->len + 1;
}

/* The same in any frame. */
static inline uint32_t find_network(const qcapint_frame_t *frame)
{
    if (frame->link_type == DLT_RAW)
        return 0;
    if (frame->link_type != DLT_EN10MB || frame->len < ETHERNET_LEN + TAGS * TAG_LEN + 1)
        return frame->len + 1;
    bool is_usual = qcapint_get_be16(frame->bytes + 12) == QCAPINT_ETHERTYPE_IPV4 && frame->bytes[ETHERNET_LEN] == 0x45;
    return is_usual ? ETHERNET_LEN : find_tagged(frame);
}

/* The bytes of the TCP segment in an IP packet of which `len` bytes are there; 0: it is not a usual one. RFC 791, 3.1; RFC 8200, 3. */
static inline uint32_t find_segment(const unsigned char *ip, uint32_t len, qcapint_usual_t *usual)
{
    uint32_t total_len;
    if (ip[0] == 0x45) {
        if ((qcapint_get_be16(ip + 6) & 0x3fff) != 0 || ip[9] != QCAPINT_PROTOCOL_TCP) /* a fragment; another protocol */
            return 0;
        usual->version = 4;
        usual->network_len = IPV4_LEN;
        total_len = qcapint_get_be16(ip + 2);
    } else {
        if (ip[0] >> 4 != 6 || ip[6] != QCAPINT_PROTOCOL_TCP)
            return 0;
        usual->version = 6;
        usual->network_len = IPV6_LEN;
        total_len = qcapint_get_be16(ip + 4) + IPV6_LEN;
    }
    return total_len <= len && total_len >= usual->network_len + TCP_LEN ? total_len - usual->network_len : 0;
}

bool qcapint_usual_look(const qcap_t *q, const qcapint_frame_t *frame, qcapint_usual_t *usual)
{
    uint32_t at = find_network(frame);
    usual->version = 0;
    if (at > frame->len || frame->len - at < IPV4_LEN + TCP_LEN)
        return false;
    const unsigned char *ip = frame->bytes + at;
    uint32_t len = find_segment(ip, frame->len - at, usual);
    const unsigned char *tcp = ip + usual->network_len;
    if (len > 0) {
        usual->header_len = (uint8_t)((tcp[12] >> 4) * 4);
        usual->tcp_len = len;
        usual->network = (uint16_t)at;
    }
    if (len == 0 || usual->header_len < TCP_LEN || usual->header_len > len) {
        usual->version = 0;
        return false;
    }
    const qcapint_ends_t ends = qcapint_ends_of(ip, usual->version, tcp);
    usual->hash = qcapint_ends_hash(&q->flow, &ends);
    usual->hint = (qcapint_flow_hint_t){0, 0};
    qcapint_flow_fetch_bucket(&q->flow, usual->hash);
    return true;
}

/* ---------------------------------------------------------------- its turn */

/* Whether the checksums say that all is right, in one piece from the addresses on. */
static inline bool is_right(const unsigned char *ip, const qcapint_usual_t *usual)
{
    uint32_t addresses_len = usual->version == 4 ? 8 : 32;
    const unsigned char *tcp = ip + usual->network_len;
    if (usual->version == 4 && qcapint_sum_fold(qcapint_sum_ipv4(ip)) != 0xffff)
        return false;
    uint64_t sum = qcapint_sum_pseudo(QCAPINT_PROTOCOL_TCP, usual->tcp_len);
    sum = qcapint_sum_add(sum, tcp - addresses_len, addresses_len + usual->tcp_len);
    return qcapint_sum_fold(sum) == 0xffff && (tcp[16] | tcp[17]) != 0; /* 0 is none: note [checksums that are not there yet] */
}

/* The conversation is not where it was expected. */
__attribute__((noinline)) static qcapint_conv_t *search(const qcap_t *q, uint32_t hash, qcapint_ends_t ends, bool *is_server)
{
    return qcapint_flow_find(&q->flow, hash, &ends, is_server);
}

/* Hands the bytes on, to whom a packet must be shown. */
static void show(qcap_t *q, const qcapint_frame_t *frame, qcap_tcpstr_t *str, uint64_t ack)
{
    qcap_packet_t packet;
    qcapint_packet_begin(&packet, q, frame);
    packet.number = q->number;
    packet.stage = QCAP_STAGE_TCP_DELIVERED;
    qcapint_tcpstr_next(str, ack, &packet);
    qcapint_packet_count(&packet);
    qcapint_packet_fini(&packet);
}

/* The packet has come to that stage, behind those that all come to. */
static inline void count(qcap_t *q, qcap_stage_t stage)
{
    q->stats.stages[QCAP_STAGE_CAPTURED]++;
    q->stats.stages[QCAP_STAGE_LINK_DECODED]++;
    q->stats.stages[stage]++;
}

#define BIT(stage) (UINT64_C(1) << QCAP_STAGE_##stage)

/* The stages that a segment like that comes to. */
static inline uint64_t stages_of(const qcapint_smooth_t *s)
{
    uint64_t stages = BIT(CAPTURED) | BIT(LINK_DECODED) | (s->len > 0 ? BIT(TCP_DELIVERED) : BIT(TCP_CONTROL));
    return s->flags & QCAPINT_TCP_FIN ? stages | BIT(TCP_CLOSED) : s->flags & QCAPINT_TCP_SYN ? stages | BIT(TCP_OPENED) : stages;
}

static inline void go_on(qcap_t *q, const qcapint_frame_t *frame, qcapint_conv_t *conv, bool is_server,
                         const qcapint_smooth_t *smooth)
{
    qcap_tcpstr_t *str = &conv->str[is_server];
    uint64_t ack = qcapint_smooth_note(conv, is_server, smooth);
    qcap_stage_t last = smooth->len > 0 ? QCAP_STAGE_TCP_DELIVERED : QCAP_STAGE_TCP_CONTROL;
    count(q, last);
    if (smooth->len > 0 && qcapint_smooth_is_shown(q, str)) {
        show(q, frame, str, ack);
    } else {
        qcapint_smooth_pass(q, str, smooth->len);
        q->stats.ended[last]++;
    }
    conv->seen_ns = q->now_ns;
    conv->is_touched = true;
    if (qcapint_rare_has(conv) || !qcapint_flow_is_in_place(q, conv, QCAPINT_FLOW_IDLE))
        qcapint_flow_touch(q, conv);
}

/* It has the FIN, too. Returns its conversation; NULL, and has done nothing, if a packet must be made of it. */
__attribute__((noinline)) static qcapint_conv_t *end_side(qcap_t *q, qcapint_conv_t *conv, bool is_server,
                                                          const qcapint_smooth_t *smooth)
{
    qcap_tcpstr_t *str = &conv->str[is_server];
    if (smooth->len > 0 && qcapint_smooth_is_shown(q, str))
        return NULL;
    qcapint_smooth_note(conv, is_server, smooth);
    q->stats.stages[QCAP_STAGE_TCP_DELIVERED] += smooth->len > 0;
    qcapint_smooth_pass(q, str, smooth->len);
    count(q, QCAP_STAGE_TCP_CLOSED);
    q->stats.ended[QCAP_STAGE_TCP_CLOSED]++;
    qcapint_smooth_end(str);
    qcapint_flow_touch(q, conv);
    return conv;
}

/* Whether a segment that does not go on opens a conversation, or answers: `conv` is NULL, or where it belongs. */
static bool may_open(const qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *smooth)
{
    return conv ? qcapint_smooth_answers(conv, is_server, smooth) : qcapint_smooth_opens(smooth);
}

/* Such a segment. Returns its conversation; NULL, and has done nothing, if there is no memory. */
__attribute__((noinline)) static qcapint_conv_t *open_conv(qcap_t *q, qcapint_conv_t *conv, const qcapint_usual_t *usual,
                                                           qcapint_ends_t ends, const unsigned char *tcp,
                                                           const qcapint_smooth_t *smooth)
{
    uint8_t scale = qcapint_decode_window_scale(tcp + TCP_LEN, usual->header_len - TCP_LEN);
    if (conv) {
        qcapint_smooth_answer(conv, smooth, scale);
    } else {
        conv = qcapint_flow_open(q, &ends, usual->hash, false, NULL);
        if (!conv)
            return NULL;
        qcapint_smooth_begin(&conv->str[0], smooth, scale);
    }
    count(q, QCAP_STAGE_TCP_CONTROL);
    q->stats.ended[QCAP_STAGE_TCP_CONTROL]++;
    qcapint_flow_touch(q, conv);
    return conv;
}

bool qcapint_usual_take(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual)
{
    const unsigned char *ip = frame->bytes + usual->network, *tcp = ip + usual->network_len;
    const qcapint_smooth_t smooth = {.seq = qcapint_get_be32(tcp + 4),
                                     .ack = qcapint_get_be32(tcp + 8),
                                     .len = usual->tcp_len - usual->header_len,
                                     .window = qcapint_get_be16(tcp + 14),
                                     .flags = tcp[13]};
    const qcapint_ends_t ends = qcapint_ends_of(ip, usual->version, tcp);
    bool is_server = false, is_checked = q->options.checksums != QCAP_CHECKSUMS_IGNORE;
    qcapint_conv_t *conv = qcapint_flow_find_at(&q->flow, usual->hash, usual->hint, &ends, &is_server);
    if (!conv)
        conv = search(q, usual->hash, ends, &is_server);
    bool goes_on = conv && qcapint_smooth_fits(conv, is_server, &smooth);
    if ((!goes_on && !may_open(conv, is_server, &smooth)) || (q->watched && (q->watched & stages_of(&smooth)) != 0) ||
        (is_checked && !is_right(ip, usual)))
        return false;
    if (!goes_on)
        conv = open_conv(q, conv, usual, ends, tcp, &smooth);
    else if (smooth.flags & QCAPINT_TCP_FIN)
        conv = end_side(q, conv, is_server, &smooth);
    else
        go_on(q, frame, conv, is_server, &smooth);
    if (conv && is_checked)
        conv->str[is_server].has_good_checksum = true;
    return conv != NULL;
}
