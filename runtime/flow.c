/* flow.c: the table of conversations.
 *
 * In: decoded TCP segments. Out: the conversation that each belongs to, opened if it is new, with the direction told;
 * tcp.c goes on from there. Conversations leave when their addresses are used again, when they time out, when memory
 * runs short, or when the capture ends; each leaves through end_conv().
 *
 * The table is one of hashes that do not depend on the direction (flow_table.c). Each conversation is in one of three lists,
 * by the time-out it is under, ordered by its latest packet: what times out, and what was idle longest, is found at their
 * heads. Those that wait for a late copy are in a fourth, by their deadline.
 *
 * note [lazy lists]: to move a conversation to the end of its list with each packet would cost a look at both its neighbours.
 * So it is moved only once in each epoch of the list, which is a sixteenth of the time-out; so much later may those behind it
 * expire. A byte is enough to tell epochs apart: who had no packet for 256 of them has expired. When memory is scarce it is moved
 * with each packet, so that the order is right when some have to leave; one that had a packet since it was moved last has another
 * turn.
 *
 * note [lines in time]: where a conversation lies in memory is known when its packet is decoded; that it is not in the cache
 * then is what costs most in a table of a million. qcap.c decodes a few packets ahead: first their buckets are fetched, then
 * their conversations, and then the packets are processed.
 *
 * VLANs and other tags are not part of a conversation's identity: often the two directions carry different ones. */
#include "flow.h"

#include <string.h>

#include "decode.h"
#include "flow_find.h"
#include "smooth.h"

#define EPOCHS 16     /* of a list, in its time-out: note [lazy lists] */
#define REST_NS 30000 /* between two that leave: note [one at a time] */

int qcapint_flow_init(qcap_t *q)
{
    qcapint_hash_key_init(&q->flow.key);
    q->flow.expire_ns = INT64_MAX;
    qcapint_pool_init(&q->flow.pool, &q->budget, sizeof(qcapint_conv_t));
    qcapint_pool_init(&q->flow.rares, &q->budget, sizeof qcapint_rare_none);
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        q->flow.lists[i].epoch_end_ns = INT64_MIN;
    return qcapint_flow_table_init(&q->flow.table, &q->budget);
}

/* ---------------------------------------------------------------- lists */

static void list_remove(qcapint_flow_queue_t *list, qcapint_conv_t *conv)
{
    *(conv->older ? &conv->older->newer : &list->oldest) = conv->newer;
    *(conv->newer ? &conv->newer->older : &list->newest) = conv->older;
}

static void list_add(qcapint_flow_queue_t *list, qcapint_conv_t *conv)
{
    conv->older = list->newest;
    conv->newer = NULL;
    *(list->newest ? &list->newest->newer : &list->oldest) = conv;
    list->newest = conv;
}

static void hole_remove(qcapint_flow_t *flow, qcap_tcpstr_t *str)
{
    qcapint_rare_t *rare = qcapint_rare_of(str);
    *(rare->hole_older ? &qcapint_rare_of(rare->hole_older)->hole_newer : &flow->first_hole) = rare->hole_newer;
    *(rare->hole_newer ? &qcapint_rare_of(rare->hole_newer)->hole_older : &flow->last_hole) = rare->hole_older;
    rare->in_hole_list = false;
}

static void hole_add(qcapint_flow_t *flow, qcap_tcpstr_t *str)
{
    qcapint_rare_t *rare = qcapint_rare_of(str);
    rare->hole_older = flow->last_hole;
    rare->hole_newer = NULL;
    *(flow->last_hole ? &qcapint_rare_of(flow->last_hole)->hole_newer : &flow->first_hole) = str;
    flow->last_hole = str;
    rare->in_hole_list = true;
}

static const qcap_timeout_t timeouts[QCAPINT_FLOW_LISTS] = {
    [QCAPINT_FLOW_OPENING] = QCAP_TIMEOUT_OPENING,
    [QCAPINT_FLOW_IDLE] = QCAP_TIMEOUT_IDLE,
    [QCAPINT_FLOW_CLOSED] = QCAP_TIMEOUT_CLOSED,
};

/* Something times out then. */
static void note_deadline(qcapint_flow_t *flow, int64_t ns)
{
    if (ns < flow->expire_ns)
        flow->expire_ns = ns;
}

/* It becomes the newest of a list. */
static void move(qcap_t *q, qcapint_conv_t *conv, qcapint_flow_list_t which)
{
    qcapint_flow_queue_t *list = &q->flow.lists[which];
    int64_t timeout_ns = q->timeouts_ns[timeouts[which]];
    if (q->now_ns >= list->epoch_end_ns) {
        list->epoch++;
        list->epoch_end_ns = q->now_ns + timeout_ns / EPOCHS;
    }
    conv->epoch = list->epoch;
    conv->is_touched = false;
    note_deadline(&q->flow, q->now_ns + timeout_ns);
    if (conv->list == which && list->newest == conv)
        return;
    list_remove(&q->flow.lists[conv->list], conv);
    conv->list = which;
    list_add(list, conv);
}

/* See note [lazy lists]. */
static void touch_list(qcap_t *q, qcapint_conv_t *conv)
{
    qcapint_flow_list_t list = qcapint_tcp_is_over(conv)         ? QCAPINT_FLOW_CLOSED
                               : qcapint_tcp_has_traffic(conv) ? QCAPINT_FLOW_IDLE
                                                               : QCAPINT_FLOW_OPENING;
    conv->seen_ns = q->now_ns;
    conv->is_touched = true;
    if (!qcapint_flow_is_in_place(q, conv, list))
        move(q, conv, list);
}

/* Keeps the list of holes in step with a direction of which something is rare. The deadlines hardly differ, so the newest goes
 * to the end. */
static void touch_rare(qcap_t *q, qcap_tcpstr_t *str)
{
    const qcapint_rare_t *rare = qcapint_rare_of(str);
    bool has_hole = rare->hole_ns != INT64_MAX;
    if (has_hole)
        note_deadline(&q->flow, rare->hole_ns);
    if (has_hole && !rare->in_hole_list)
        hole_add(&q->flow, str);
    else if (!has_hole && rare->in_hole_list)
        hole_remove(&q->flow, str);
}

static void touch_holes(qcap_t *q, qcapint_conv_t *conv)
{
    if (!qcapint_rare_has(conv))
        return;
    touch_rare(q, &conv->str[0]);
    touch_rare(q, &conv->str[1]);
    qcapint_rare_tidy(conv);
}

void qcapint_flow_touch(qcap_t *q, qcapint_conv_t *conv)
{
    touch_list(q, conv);
    touch_holes(q, conv);
}

/* ---------------------------------------------------------------- opening */

/* Whether the sender of the first packet met is the server. A SYN tells; else a port where servers of a known protocol
 * listen, a port that is reserved for servers (RFC 6335, 6), the lower one; else who speaks first is the client. */
static bool is_from_server(const qcap_t *q, const qcapint_headers_t *headers)
{
    uint16_t source = headers->source_port, destination = headers->destination_port;
    if (headers->tcp_flags & QCAPINT_TCP_SYN)
        return headers->tcp_flags & QCAPINT_TCP_ACK;
    bool knows_source = q->sink->is_server_port(q, source), knows_destination = q->sink->is_server_port(q, destination);
    if (knows_source != knows_destination)
        return knows_source;
    return source < destination;
}

static void count_open(qcap_stats_t *stats)
{
    stats->conversations++;
    stats->conversations_open++;
    if (stats->conversations_open > stats->conversations_peak)
        stats->conversations_peak = stats->conversations_open;
}

static qcap_endpoint_t endpoint_of(const qcapint_ends_t *ends, int which)
{
    qcap_endpoint_t end = {.version = ends->version, .port = (uint16_t)ends->keys[which]};
    memcpy(end.address, ends->addresses[which], ends->version == 4 ? 4 : 16);
    return end;
}

static void tell_open(qcap_t *q, qcapint_conv_t *conv)
{
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_open)
            tap->tap.on_open(&conv->str[0], tap->user);
    q->sink->open(conv);
}

qcapint_conv_t *qcapint_flow_open(qcap_t *q, const qcapint_ends_t *ends, uint32_t hash, bool is_server, qcap_packet_t *packet)
{
    qcapint_conv_t *conv = qcapint_pool_alloc(&q->flow.pool);
    if (!conv || !qcapint_flow_table_add(&q->flow.table, &q->budget, hash, conv)) {
        qcapint_pool_free(&q->flow.pool, conv);
        return NULL;
    }
    conv->q = q;
    conv->rare = (qcapint_rare_t *)(uintptr_t)qcapint_rare_none;
    conv->references = 1;
    conv->is_open = true;
    conv->opened_ns = conv->seen_ns = q->now_ns;
    conv->ends[is_server] = endpoint_of(ends, 0);
    conv->ends[!is_server] = endpoint_of(ends, 1);
    qcapint_tcpstr_init(&conv->str[0], false);
    qcapint_tcpstr_init(&conv->str[1], true);
    conv->list = QCAPINT_FLOW_OPENING;
    list_add(&q->flow.lists[conv->list], conv);
    move(q, conv, QCAPINT_FLOW_OPENING);
    count_open(&q->stats);
    conv->number = q->stats.conversations;
    if (packet)
        qcapint_packet_stage(packet, QCAP_STAGE_TCP_OPENED);
    else
        q->stats.stages[QCAP_STAGE_TCP_OPENED]++;
    tell_open(q, conv);
    return conv;
}

/* ---------------------------------------------------------------- closing */

void qcapint_conv_unref(qcapint_conv_t *conv)
{
    if (--conv->references > 0)
        return;
    qcapint_tcpstr_fini(conv);
    qcapint_pool_free(&conv->q->flow.pool, conv);
}

static void unlink_conv(qcap_t *q, qcapint_conv_t *conv)
{
    list_remove(&q->flow.lists[conv->list], conv);
    for (int i = 0; i < 2; i++)
        if (conv->rare[i].in_hole_list)
            hole_remove(&q->flow, &conv->str[i]);
    conv->is_open = false;
    q->stats.conversations_open--;
}

/* Frees all but what copied positions need. */
static void release_conv(qcap_t *q, qcapint_conv_t *conv)
{
    q->sink->close(conv);
    unlink_conv(q, conv);
    qcapint_tcp_fini(conv);
    for (int i = 0; i < 2; i++)
        qcapint_tcpstr_hold(&conv->str[i], UINT64_MAX);
    qcapint_conv_unref(conv);
}

/* Ends the conversation in order: what is queued is delivered, both directions end, then it is over. */
static void end_conv(qcap_t *q, qcapint_conv_t *conv, qcap_end_t end)
{
    qcapint_tcp_finish(conv, end);
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_close)
            tap->tap.on_close(qcapint_conv_str(conv, false), tap->user);
    release_conv(q, conv);
}

/* As the client's packets have them. */
static qcapint_ends_t ends_of_conv(const qcapint_conv_t *conv)
{
    qcapint_ends_t ends = {.version = conv->ends[0].version};
    for (int i = 0; i < 2; i++)
        qcapint_ends_set(&ends, i, conv->ends[i].address, conv->ends[i].port);
    return ends;
}

/* The hash of a conversation in the table: not kept, since it is needed no more before this one leaves. */
static uint32_t hash_of(const qcapint_flow_t *flow, const qcapint_conv_t *conv)
{
    qcapint_ends_t ends = ends_of_conv(conv);
    return qcapint_ends_hash(flow, &ends);
}

/* What is over has late copies all the same: see ended.c. */
static void remember(qcap_t *q, const qcapint_conv_t *conv, uint32_t hash)
{
    const qcapint_ends_t ends = ends_of_conv(conv);
    const bool ascend = qcapint_ends_ascend(&ends); /* the client's is the lower end */
    uint32_t behind[2];
    for (int i = 0; i < 2; i++)
        behind[ascend ? i : !i] = conv->str[i].base_seq + (uint32_t)conv->str[i].end + conv->str[i].has_fin;
    qcapint_ended_add(&q->flow.ended, &q->budget, hash, behind, conv->seen_ns);
}

/* Who leaves behind this one: its bucket, and the lines of the one behind that: see note [lines in time]. Inlined, since a compiler
 * leaves out calls of what only fetches. */
static inline __attribute__((always_inline)) void fetch_next(const qcapint_flow_t *flow, const qcapint_conv_t *conv)
{
    const qcapint_conv_t *next = conv->newer;
    if (!next)
        return;
    qcapint_flow_fetch_bucket(flow, hash_of(flow, next));
    qcapint_fetch(next->newer, sizeof *next);
}

/* The same, out of the table. */
static void close_conv(qcap_t *q, qcapint_conv_t *conv, qcap_end_t end)
{
    const uint32_t hash = hash_of(&q->flow, conv);
    fetch_next(&q->flow, conv);
    qcapint_flow_table_remove(&q->flow.table, hash, conv);
    if (conv->list == QCAPINT_FLOW_CLOSED)
        remember(q, conv, hash);
    end_conv(q, conv, end);
}

/* A conversation that leaves has no packet: one is made up with its addresses. */
static void tell_stage(qcap_t *q, qcapint_conv_t *conv, qcap_stage_t stage)
{
    qcap_packet_t packet;
    if (!q->packet_handlers[stage]) {
        q->stats.stages[stage]++;
        return;
    }
    qcapint_packet_init(&packet, q, NULL, 0, 0);
    packet.ends = conv->ends;
    packet.time_ns = q->now_ns;
    packet.headers.protocol = QCAPINT_PROTOCOL_TCP;
    packet.flags = QCAP_PACKET_ARTIFICIAL;
    qcapint_packet_stage(&packet, stage);
    qcapint_packet_fini(&packet);
}

static void expire_conv(qcap_t *q, qcapint_conv_t *conv)
{
    tell_stage(q, conv, QCAP_STAGE_TCP_EXPIRED);
    close_conv(q, conv, QCAP_END_EXPIRED);
}

/* The one of the list that was idle longest: see note [lazy lists]. NULL: it is empty. */
static qcapint_conv_t *most_idle(qcap_t *q, qcapint_flow_list_t list)
{
    qcapint_conv_t *conv;
    while ((conv = q->flow.lists[list].oldest) && conv->is_touched)
        move(q, conv, list);
    return conv;
}

/* Who leaves when memory is short: what is over, then what was idle longest. */
static qcapint_conv_t *victim(qcap_t *q)
{
    if (q->flow.lists[QCAPINT_FLOW_CLOSED].oldest)
        return q->flow.lists[QCAPINT_FLOW_CLOSED].oldest;
    qcapint_conv_t *opening = most_idle(q, QCAPINT_FLOW_OPENING), *idle = most_idle(q, QCAPINT_FLOW_IDLE);
    if (!opening || !idle)
        return opening ? opening : idle;
    return opening->seen_ns < idle->seen_ns ? opening : idle;
}

static void expire_holes(qcap_t *q)
{
    qcap_tcpstr_t *str;
    while ((str = q->flow.first_hole) && qcapint_rare_of(str)->hole_ns <= q->now_ns) {
        hole_remove(&q->flow, str);
        qcapint_tcp_expire_holes(str);
        touch_holes(q, qcapint_conv_of(str));
    }
    if (str)
        note_deadline(&q->flow, qcapint_rare_of(str)->hole_ns);
}

/* Ends what has timed out, and finds out when something will again.
 *
 * note [one at a time]: many time out together, nothing of them is in the cache, and where one lies only the one before tells:
 * that would be a wait for memory for each. So one leaves, and packets go on for a while (REST_NS) in which the next is fetched;
 * but none stays more than an epoch of its list. */
static void expire(qcap_t *q)
{
    qcapint_conv_t *conv;
    q->flow.expire_ns = INT64_MAX;
    expire_holes(q);
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++) {
        int64_t timeout_ns = q->timeouts_ns[timeouts[i]];
        int64_t leave_ns = q->now_ns - timeout_ns, late_ns = leave_ns - timeout_ns / EPOCHS;
        for (int count = 0; (conv = q->flow.lists[i].oldest) && conv->seen_ns <= (count > 0 ? late_ns : leave_ns); count++)
            expire_conv(q, conv);
        if (conv)
            note_deadline(&q->flow, conv->seen_ns <= leave_ns ? q->now_ns + REST_NS : conv->seen_ns + timeout_ns);
    }
}

void qcapint_flow_expire(qcap_t *q)
{
    if (q->now_ns >= q->flow.expire_ns)
        expire(q);
}

int64_t qcapint_flow_oldest_ns(qcap_t *q)
{
    const qcapint_conv_t *conv = victim(q);
    return !conv ? INT64_MAX : conv->list == QCAPINT_FLOW_CLOSED ? INT64_MIN : conv->seen_ns;
}

void qcapint_flow_evict(qcap_t *q)
{
    qcapint_conv_t *conv = victim(q);
    tell_stage(q, conv, QCAP_STAGE_TCP_EVICTED);
    close_conv(q, conv, QCAP_END_EVICTED);
}

void qcapint_flow_finish(qcap_t *q, qcap_end_t end)
{
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        while (q->flow.lists[i].oldest)
            end_conv(q, q->flow.lists[i].oldest, end);
    qcapint_flow_table_clear(&q->flow.table);
    qcapint_ended_fini(&q->flow.ended, &q->budget);
}

void qcapint_flow_fini(qcap_t *q)
{
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        while (q->flow.lists[i].oldest)
            release_conv(q, q->flow.lists[i].oldest);
    qcapint_flow_table_fini(&q->flow.table, &q->budget);
    qcapint_ended_fini(&q->flow.ended, &q->budget);
}

void qcapint_flow_free(qcap_t *q)
{
    qcapint_pool_fini(&q->flow.rares);
    qcapint_pool_fini(&q->flow.pool);
}

uint64_t qcap_tcpstr_each(qcap_t *q, qcap_tcpstr_visitor_t visitor, void *user)
{
    uint64_t count = 0;
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        for (qcapint_conv_t *conv = q->flow.lists[i].oldest; conv; conv = conv->newer, count++)
            visitor(qcapint_conv_str(conv, false), user);
    return count;
}

/* ---------------------------------------------------------------- entry */

/* The ends of a packet that was decoded. */
static qcapint_ends_t ends_of(const qcap_packet_t *packet)
{
    const qcapint_headers_t *h = &packet->headers;
    qcapint_ends_t ends;
    qcapint_ends_read(&ends, packet->bytes + h->network, h->version, packet->bytes + h->transport);
    return ends;
}

void qcapint_flow_prepare(const qcap_t *q, qcap_packet_t *packet)
{
    if (packet->headers.protocol != QCAPINT_PROTOCOL_TCP || packet->headers.is_fragment)
        return;
    const qcapint_ends_t ends = ends_of(packet);
    packet->hash = qcapint_ends_hash(&q->flow, &ends);
    packet->is_hashed = true;
    qcapint_flow_fetch_bucket(&q->flow, packet->hash);
}

/* Whether the segment, of no conversation, is a late copy of one that is over: then that is all there is to it. */
static bool take_late(qcap_t *q, qcap_packet_t *packet, const qcapint_ends_t *ends, uint32_t hash)
{
    const qcapint_headers_t *h = &packet->headers;
    uint32_t end = h->seq + h->payload_wire + ((h->tcp_flags & QCAPINT_TCP_FIN) != 0);
    if ((h->tcp_flags & QCAPINT_TCP_SYN) || !qcapint_ended_has(&q->flow.ended, hash, !qcapint_ends_ascend(ends), end, q->now_ns))
        return false;
    q->stats.retransmitted_bytes += h->payload_len;
    packet->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(packet, h->payload_len > 0 ? QCAP_STAGE_TCP_RETRANSMITTED : QCAP_STAGE_TCP_CONTROL);
    return true;
}

void qcapint_flow_segment(qcap_t *q, qcap_packet_t *packet)
{
    bool is_server = false;
    const qcapint_ends_t ends = ends_of(packet);
    uint32_t hash = packet->is_hashed ? packet->hash : qcapint_ends_hash(&q->flow, &ends);
    qcapint_conv_t *conv = qcapint_flow_find(&q->flow, hash, &ends, &is_server);
    if (conv && qcapint_tcp_is_reopened(conv, packet, is_server)) {
        close_conv(q, conv, QCAP_END_REPLACED);
        conv = NULL;
    }
    if (!conv && (packet->headers.tcp_flags & QCAPINT_TCP_RST)) { /* an end without a beginning: nothing to follow */
        qcapint_packet_stage(packet, QCAP_STAGE_TCP_RESET);
        return;
    }
    if (!conv && take_late(q, packet, &ends, hash))
        return;
    if (!conv) {
        is_server = is_from_server(q, &packet->headers);
        conv = qcapint_flow_open(q, &ends, hash, is_server, packet);
    }
    if (!conv) {
        qcapint_packet_stage(packet, QCAP_STAGE_NO_MEMORY);
        return;
    }
    qcapint_tcp_segment(conv, packet, is_server);
    qcapint_flow_touch(q, conv);
    qcapint_smooth_look(conv);
}
