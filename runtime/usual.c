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

/* Most: Ethernet, and IPv4 without options. */
static inline bool is_plain(const qcapint_frame_t *frame)
{
    return frame->link_type == DLT_EN10MB && frame->len >= ETHERNET_LEN + IPV4_LEN + TCP_LEN &&
           qcapint_get_be16(frame->bytes + 12) == QCAPINT_ETHERTYPE_IPV4 && frame->bytes[ETHERNET_LEN] == 0x45;
}

/* The offset of the IP header in any frame; one behind the frame if there is none. */
__attribute__((noinline)) static uint32_t find_network(const qcapint_frame_t *frame)
{
    if (frame->link_type == DLT_RAW)
        return 0;
    if (frame->link_type != DLT_EN10MB || frame->len < ETHERNET_LEN + TAGS * TAG_LEN + 1)
        return frame->len + 1;
    uint32_t at = ETHERNET_LEN;
    uint16_t type = qcapint_get_be16(frame->bytes + at - 2);
    for (unsigned i = 0; i < TAGS && is_tag(type); i++, at += TAG_LEN)
        type = qcapint_get_be16(frame->bytes + at + 2);
    bool is_v4 = frame->bytes[at] >> 4 == 4;
    return type == (is_v4 ? QCAPINT_ETHERTYPE_IPV4 : QCAPINT_ETHERTYPE_IPV6) ? at : frame->len + 1;
}

/* Both versions of IP have a copy of their own. */
#define EACH_VERSION static inline __attribute__((always_inline))

/* Whether the checksums say that all is right. Before the segment there is enough that may be read. */
EACH_VERSION bool is_right(const unsigned char *ip, uint8_t version, const unsigned char *tcp, uint32_t len, bool is_wide)
{
    uint64_t sum = qcapint_sum_pseudo(QCAPINT_PROTOCOL_TCP, len);
    sum += is_wide ? qcapint_sum_behind_wide(tcp, len) : qcapint_sum_behind(tcp, len);
    if (version == 4 && !qcapint_sum_is_right(qcapint_sum_ipv4(ip)))
        return false;
    sum += version == 4 ? qcapint_sum_addresses(ip) : qcapint_sum_part(ip + 8, 32);
    return qcapint_sum_is_right(sum) && (tcp[16] | tcp[17]) != 0; /* 0 is none: note [checksums that are not there yet] */
}

/* Looks at a TCP segment in an IP packet of which `left` bytes are there. RFC 791, 3.1; RFC 8200, 3. */
EACH_VERSION bool look_at(const qcap_t *q, const unsigned char *ip, uint8_t version, uint32_t left, qcapint_usual_t *usual, bool is_wide)
{
    uint32_t network_len = version == 4 ? IPV4_LEN : IPV6_LEN;
    uint32_t total_len = version == 4 ? qcapint_get_be16(ip + 2) : qcapint_get_be16(ip + 4) + IPV6_LEN;
    bool is_tcp = version == 4 ? (qcapint_get_be16(ip + 6) & 0x3fff) == 0 && ip[9] == QCAPINT_PROTOCOL_TCP /* no fragment */
                               : ip[6] == QCAPINT_PROTOCOL_TCP;
    if (!is_tcp || total_len > left || total_len < network_len + TCP_LEN)
        return false;
    const unsigned char *tcp = ip + network_len;
    uint32_t header_len = (tcp[12] >> 4) * 4u, len = total_len - network_len;
    if (header_len < TCP_LEN || header_len > len ||
        (q->options.checksums != QCAP_CHECKSUMS_IGNORE && !is_right(ip, version, tcp, len, is_wide)))
        return false;
    qcapint_ends_read(&usual->ends, ip, version, tcp);
    usual->tcp = tcp;
    usual->len = len - header_len;
    usual->hash = version == 4 ? qcapint_ends_hash4(&q->flow, &usual->ends) : qcapint_ends_hash(&q->flow, &usual->ends);
    qcapint_flow_fetch_bucket(&q->flow, usual->hash);
    return true;
}

/* In a frame that is not plain. */
__attribute__((noinline)) static bool look_closer(const qcap_t *q, const qcapint_frame_t *frame, qcapint_usual_t *usual)
{
    uint32_t at = find_network(frame);
    if (at > frame->len || frame->len - at < IPV4_LEN + TCP_LEN)
        return false;
    const unsigned char *ip = frame->bytes + at;
    if (ip[0] == 0x45)
        return look_at(q, ip, 4, frame->len - at, usual, false);
    return ip[0] >> 4 == 6 && look_at(q, ip, 6, frame->len - at, usual, false);
}

/* A conversation is fetched so many frames behind its bucket, which is there by then. */
#define FETCH_BEHIND 8u

static inline void fetch(const qcap_t *q, qcapint_usual_t *usual)
{
    usual->hint = qcapint_flow_fetch(q, usual->hash); /* of a frame that is not usual, it is another one's: nothing is lost */
}

EACH_VERSION uint32_t look(const qcap_t *q, const qcapint_frame_t *frames, uint32_t count, qcapint_usual_t *usual, bool is_wide)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < count; i++) {
        const qcapint_frame_t *frame = &frames[i];
        bool is_usual = is_plain(frame) ? look_at(q, frame->bytes + ETHERNET_LEN, 4, frame->len - ETHERNET_LEN, &usual[i], is_wide)
                                        : look_closer(q, frame, &usual[i]);
        if (!is_usual) {
            usual[i].ends.version = 0;
            usual[i].hash = 0;
            others |= (uint32_t)1 << i;
        }
        if (i >= FETCH_BEHIND)
            fetch(q, &usual[i - FETCH_BEHIND]);
    }
    for (uint32_t i = count > FETCH_BEHIND ? count - FETCH_BEHIND : 0; i < count; i++)
        fetch(q, &usual[i]);
    return others;
}

/* For processors that add up more bytes at once: behind Ethernet and IP there are enough of them. */
_Static_assert(ETHERNET_LEN + IPV4_LEN >= QCAPINT_SUM_WIDE_BLOCK, "the headers are shorter than a block");

QCAPINT_SUM_WIDE static uint32_t look_wide(const qcap_t *q, const qcapint_frame_t *frames, uint32_t count, qcapint_usual_t *usual)
{
    return look(q, frames, count, usual, true);
}

uint32_t qcapint_usual_look(const qcap_t *q, const qcapint_frame_t *frames, uint32_t count, qcapint_usual_t *usual)
{
    return qcapint_sum_has_wide() ? look_wide(q, frames, count, usual) : look(q, frames, count, usual, false);
}

/* ---------------------------------------------------------------- its turn */

static inline qcapint_smooth_t smooth_of(const qcapint_usual_t *usual)
{
    const unsigned char *tcp = usual->tcp;
    qcapint_smooth_t smooth = {.seq = qcapint_get_be32(tcp + 4),
                               .ack = qcapint_get_be32(tcp + 8),
                               .len = usual->len,
                               .window = qcapint_get_be16(tcp + 14),
                               .flags = tcp[13]};
    return smooth;
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

/* The ways of so many packets end at that stage. */
static inline void end_at(qcap_t *q, qcap_stage_t stage, uint32_t count)
{
    q->stats.stages[stage] += count;
    q->stats.ended[stage] += count;
}

#define BIT(stage) (UINT64_C(1) << QCAP_STAGE_##stage)

/* The stages that a segment like that comes to. */
static inline uint64_t stages_of(const qcapint_smooth_t *s)
{
    uint64_t stages = BIT(CAPTURED) | BIT(LINK_DECODED) | (s->len > 0 ? BIT(TCP_DELIVERED) : BIT(TCP_CONTROL));
    return s->flags & QCAPINT_TCP_FIN ? stages | BIT(TCP_CLOSED) : s->flags & QCAPINT_TCP_SYN ? stages | BIT(TCP_OPENED) : stages;
}

/* The sender's checksums count, if they are looked at. */
static inline void note_checksum(const qcap_t *q, qcap_tcpstr_t *str)
{
    str->has_good_checksum |= q->options.checksums != QCAP_CHECKSUMS_IGNORE;
}

/* Whether those who are to be shown the next bytes would not notice them. */
static inline bool is_passed(const qcap_t *q, qcap_tcpstr_t *str, uint32_t len, uint64_t ack)
{
    return q->sink->pass && !qcapint_smooth_is_kept(q, str) && q->sink->pass(str, len, ack);
}

/* The next bytes of a direction, or an acknowledgement alone. */
static void go_on(qcap_t *q, const qcapint_frame_t *frame, qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *smooth)
{
    qcap_tcpstr_t *str = &conv->str[is_server];
    uint64_t ack = qcapint_smooth_note(str, &conv->str[!is_server], smooth);
    note_checksum(q, str);
    if (smooth->len > 0 && qcapint_smooth_is_shown(q, str) && !is_passed(q, str, smooth->len, ack)) {
        q->stats.stages[QCAP_STAGE_TCP_DELIVERED]++;
        show(q, frame, str, ack);
    } else {
        qcapint_smooth_pass(q, str, smooth->len);
        end_at(q, smooth->len > 0 ? QCAP_STAGE_TCP_DELIVERED : QCAP_STAGE_TCP_CONTROL, 1);
    }
    conv->seen_ns = q->now_ns;
    conv->is_touched = true;
    if (qcapint_rare_has(conv) || !qcapint_flow_is_in_place(q, conv, QCAPINT_FLOW_IDLE))
        qcapint_flow_touch(q, conv);
}

/* The same, with the FIN. False, and has done nothing, if a packet must be made of it. */
static bool end_side(qcap_t *q, qcapint_conv_t *conv, bool is_server, const qcapint_smooth_t *smooth)
{
    qcap_tcpstr_t *str = &conv->str[is_server];
    if (!qcapint_smooth_fits(conv, str, &conv->str[!is_server], smooth) || (smooth->len > 0 && qcapint_smooth_is_shown(q, str)))
        return false;
    qcapint_smooth_note(str, &conv->str[!is_server], smooth);
    note_checksum(q, str);
    q->stats.stages[QCAP_STAGE_TCP_DELIVERED] += smooth->len > 0;
    qcapint_smooth_pass(q, str, smooth->len);
    end_at(q, QCAP_STAGE_TCP_CLOSED, 1);
    qcapint_smooth_end(str);
    qcapint_flow_touch(q, conv);
    return true;
}

/* Opens a conversation (`conv` is NULL), or answers. False, and has done nothing, if it does neither, or there is no memory. */
static bool open_conv(qcap_t *q, qcapint_conv_t *conv, const qcapint_usual_t *usual, bool is_server, const qcapint_smooth_t *smooth)
{
    const unsigned char *tcp = usual->tcp;
    if (conv ? !qcapint_smooth_answers(conv, is_server, smooth) : !qcapint_smooth_opens(smooth))
        return false;
    uint8_t scale = qcapint_decode_window_scale(tcp + TCP_LEN, (tcp[12] >> 4) * 4u - TCP_LEN);
    if (conv) {
        qcapint_smooth_answer(conv, smooth, scale);
    } else {
        conv = qcapint_flow_open(q, &usual->ends, usual->hash, false, NULL);
        if (!conv)
            return false;
        qcapint_smooth_begin(&conv->str[0], smooth, scale);
    }
    note_checksum(q, &conv->str[is_server]);
    end_at(q, QCAP_STAGE_TCP_CONTROL, 1);
    qcapint_flow_touch(q, conv);
    return true;
}

/* A segment that opens or ends something; `conv` is NULL if it is not where it was expected. */
__attribute__((noinline)) static bool take_rarer(qcap_t *q, const qcapint_usual_t *usual, qcapint_conv_t *conv, bool is_server)
{
    const qcapint_smooth_t smooth = smooth_of(usual);
    if (!conv)
        conv = qcapint_flow_find(&q->flow, usual->hash, &usual->ends, &is_server);
    if (q->watched & stages_of(&smooth))
        return false;
    if (conv && (smooth.flags & QCAPINT_TCP_FIN))
        return end_side(q, conv, is_server, &smooth);
    return open_conv(q, conv, usual, is_server, &smooth);
}

/* Of the stages it comes to, the first two are counted by who asks. */
static bool take(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual)
{
    bool is_server = false;
    const qcapint_smooth_t smooth = smooth_of(usual);
    qcapint_conv_t *conv = qcapint_flow_find_at(&q->flow, usual->hash, usual->hint, &usual->ends, &is_server);
    if (!conv || (smooth.flags & QCAPINT_TCP_FIN) || !qcapint_smooth_fits(conv, &conv->str[is_server], &conv->str[!is_server], &smooth) ||
        (q->watched & stages_of(&smooth)) != 0)
        return take_rarer(q, usual, conv, is_server);
    go_on(q, frame, conv, is_server, &smooth);
    return true;
}

bool qcapint_usual_take(qcap_t *q, const qcapint_frame_t *frame, const qcapint_usual_t *usual)
{
    bool is_taken = take(q, frame, usual);
    q->stats.stages[QCAP_STAGE_CAPTURED] += is_taken;
    q->stats.stages[QCAP_STAGE_LINK_DECODED] += is_taken;
    return is_taken;
}

/* ---------------------------------------------------------------- many turns */

/* Whether somebody is to be shown every packet, or the bytes of every conversation; or when each packet counts for who leaves first. */
static bool is_watched(const qcap_t *q)
{
    return q->is_read || q->taps || q->conflict_handlers || qcapint_budget_is_scarce(&q->budget) ||
           (q->watched & (BIT(CAPTURED) | BIT(LINK_DECODED) | BIT(TCP_DELIVERED) | BIT(TCP_CONTROL))) != 0;
}

/* Whether what it says next goes on in its conversation, and in no other way than most; nothing is changed. */
static inline bool is_plain_turn(const qcapint_conv_t *conv, const qcap_tcpstr_t *str, const qcap_tcpstr_t *other,
                                 const qcapint_smooth_t *smooth, uint8_t epoch)
{
    return conv->list == QCAPINT_FLOW_IDLE && conv->epoch == epoch && conv->is_unread && !qcapint_rare_has(conv) &&
           !(smooth->flags & QCAPINT_TCP_FIN) && qcapint_smooth_fits(conv, str, other, smooth);
}

/* Until then nothing times out, and no epoch of those that go on ends. */
static inline int64_t calm_until(const qcap_t *q, int64_t calm_ns)
{
    const int64_t epoch_end_ns = q->flow.lists[QCAPINT_FLOW_IDLE].epoch_end_ns;
    int64_t until_ns = q->flow.expire_ns < epoch_end_ns ? q->flow.expire_ns : epoch_end_ns;
    return until_ns < calm_ns ? until_ns : calm_ns;
}

static inline void count_frame(qcap_stats_t *stats, const qcapint_frame_t *frame)
{
    stats->bytes += frame->len;
    stats->wire_bytes += frame->wire_len;
}

/* Of all stages only those of conversations that open or end are told to anybody. */
uint32_t qcapint_usual_run(qcap_t *q, const qcapint_frame_t *frames, const qcapint_usual_t *usual, uint32_t count, int64_t calm_ns)
{
    const bool is_checked = q->options.checksums != QCAP_CHECKSUMS_IGNORE;
    const uint64_t number = q->number;
    uint64_t bytes = 0;
    uint32_t at = 0, ended[2] = {0, 0}; /* [1]: with bytes */
    if (q->stats.packets == 0 || is_watched(q))
        return 0;
    int64_t until_ns = calm_until(q, calm_ns);
    for (; at < count && usual[at].ends.version; at++) {
        const int64_t now_ns = frames[at].time_ns > q->now_ns ? frames[at].time_ns : q->now_ns;
        bool is_server = false;
        if (now_ns >= until_ns)
            break;
        q->now_ns = now_ns;
        const qcapint_smooth_t smooth = smooth_of(&usual[at]);
        qcapint_conv_t *conv = qcapint_flow_find_at(&q->flow, usual[at].hash, usual[at].hint, &usual[at].ends, &is_server);
        qcap_tcpstr_t *str = conv ? &conv->str[is_server] : NULL, *other = conv ? &conv->str[!is_server] : NULL;
        if (conv && is_plain_turn(conv, str, other, &smooth, q->flow.lists[QCAPINT_FLOW_IDLE].epoch)) {
            qcapint_smooth_note(str, other, &smooth);
            str->end += smooth.len;
            str->has_good_checksum |= is_checked;
            conv->seen_ns = now_ns;
            conv->is_touched = true;
            bytes += smooth.len;
            ended[smooth.len > 0]++;
        } else {
            q->number = number + at + 1;
            if (qcapint_is_tight(q) || !take(q, &frames[at], &usual[at]))
                break;
            until_ns = calm_until(q, calm_ns);
        }
        count_frame(&q->stats, &frames[at]);
    }
    q->number = number + at; /* also where the one at `at` was not taken */
    if (at == 0)
        return 0;
    q->link_type = frames[at - 1].link_type;
    q->stats.packets += at;
    q->stats.stages[QCAP_STAGE_CAPTURED] += at;
    q->stats.stages[QCAP_STAGE_LINK_DECODED] += at;
    q->stats.stream_bytes += bytes;
    end_at(q, QCAP_STAGE_TCP_CONTROL, ended[0]);
    end_at(q, QCAP_STAGE_TCP_DELIVERED, ended[1]);
    return at;
}
