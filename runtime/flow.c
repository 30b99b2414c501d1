/* flow.c: the table of conversations.
 *
 * In: decoded TCP segments. Out: the conversation that each belongs to, opened if it is new, with the direction told;
 * tcp.c goes on from there. Conversations leave when their addresses are used again, when they time out, when memory
 * runs short, or when the capture ends; each leaves through close_conv().
 *
 * The table is a hash of chains that grows with its content; the hash does not depend on the direction. Each
 * conversation is in one of three lists, by the time-out it is under, ordered by its latest packet: what times out, and
 * what was idle longest, is found at their heads. Those that wait for a late copy are in a fourth, by their deadline.
 *
 * VLANs and other tags are not part of a conversation's identity: often the two directions carry different ones. */
#include "flow.h"

#include <string.h>

#include "decode.h"
#include "handle.h"
#include "hash.h"

#define FIRST_BUCKETS 1024u

int qcapint_flow_init(qcap_t *q)
{
    qcapint_flow_t *flow = &q->flow;
    qcapint_hash_seed(flow->key);
    flow->buckets = qcapint_budget_alloc(&q->budget, FIRST_BUCKETS * sizeof *flow->buckets);
    if (!flow->buckets)
        return QCAP_E_MEMORY;
    flow->bucket_count = FIRST_BUCKETS;
    return QCAP_OK;
}

/* ---------------------------------------------------------------- lists */

/* A conversation's links in the list by time-out, or in the one of holes. */
static qcapint_conv_t **older_of(qcapint_conv_t *conv, bool is_hole)
{
    return is_hole ? &conv->hole_older : &conv->older;
}

static qcapint_conv_t **newer_of(qcapint_conv_t *conv, bool is_hole)
{
    return is_hole ? &conv->hole_newer : &conv->newer;
}

static void list_remove(qcapint_flow_queue_t *list, qcapint_conv_t *conv, bool is_hole)
{
    qcapint_conv_t *older = *older_of(conv, is_hole), *newer = *newer_of(conv, is_hole);
    *(older ? newer_of(older, is_hole) : &list->oldest) = newer;
    *(newer ? older_of(newer, is_hole) : &list->newest) = older;
}

static void list_add(qcapint_flow_queue_t *list, qcapint_conv_t *conv, bool is_hole)
{
    *older_of(conv, is_hole) = list->newest;
    *newer_of(conv, is_hole) = NULL;
    *(list->newest ? newer_of(list->newest, is_hole) : &list->oldest) = conv;
    list->newest = conv;
}

/* The conversation has had a packet: it becomes the newest of the list for its state. */
static void touch(qcap_t *q, qcapint_conv_t *conv)
{
    qcapint_flow_t *flow = &q->flow;
    qcapint_flow_list_t list = qcapint_tcp_is_over(conv)  ? QCAPINT_FLOW_CLOSED
                               : conv->tcp.has_traffic ? QCAPINT_FLOW_IDLE
                                                       : QCAPINT_FLOW_OPENING;
    conv->seen_ns = q->now_ns;
    if (conv->list == list && flow->lists[list].newest == conv)
        return;
    list_remove(&flow->lists[conv->list], conv, false);
    conv->list = (uint8_t)list;
    list_add(&flow->lists[list], conv, false);
}

/* Keeps the list of holes in step with the conversation. Its deadlines hardly differ, so the newest goes to the end. */
static void touch_hole(qcap_t *q, qcapint_conv_t *conv)
{
    bool has_hole = qcapint_tcp_hole_ns(conv) != INT64_MAX;
    if (has_hole == conv->in_hole_list)
        return;
    conv->in_hole_list = has_hole;
    if (has_hole)
        list_add(&q->flow.holes, conv, true);
    else
        list_remove(&q->flow.holes, conv, true);
}

/* ---------------------------------------------------------------- the table */

static bool same_end(const qcap_endpoint_t *a, const qcap_endpoint_t *b)
{
    return a->port == b->port && a->version == b->version && memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* The same for both directions: the two ends are hashed in the order of their bytes. */
static uint64_t hash_ends(const qcapint_flow_t *flow, const qcap_endpoint_t *source, const qcap_endpoint_t *destination)
{
    uint64_t words[5];
    int order = memcmp(source->address, destination->address, sizeof source->address);
    if (order > 0 || (order == 0 && source->port > destination->port)) {
        const qcap_endpoint_t *swapped = source;
        source = destination;
        destination = swapped;
    }
    memcpy(words, source->address, 16);
    memcpy(words + 2, destination->address, 16);
    words[4] = (uint64_t)source->port << 32 | (uint64_t)destination->port << 16 | source->version;
    return qcapint_hash(flow->key, words, 5);
}

static qcapint_conv_t **bucket_of(const qcapint_flow_t *flow, uint64_t hash)
{
    return &flow->buckets[hash & (flow->bucket_count - 1)];
}

static qcapint_conv_t *find(const qcapint_flow_t *flow, uint64_t hash, const qcap_endpoint_t *source,
                            const qcap_endpoint_t *destination, bool *is_server)
{
    for (qcapint_conv_t *conv = *bucket_of(flow, hash); conv; conv = conv->chain) {
        if (conv->hash != hash)
            continue;
        *is_server = !(same_end(&conv->ends[0], source) && same_end(&conv->ends[1], destination));
        if (!*is_server || (same_end(&conv->ends[1], source) && same_end(&conv->ends[0], destination)))
            return conv;
    }
    return NULL;
}

/* Doubles the table when it has more conversations than chains; without memory the chains get longer. */
static void grow(qcap_t *q)
{
    qcapint_flow_t *flow = &q->flow;
    size_t old_size = flow->bucket_count * sizeof *flow->buckets;
    if (flow->conv_count < flow->bucket_count || qcapint_budget_is_tight(&q->budget))
        return;
    qcapint_conv_t **old = flow->buckets, **buckets = qcapint_budget_alloc(&q->budget, old_size * 2);
    if (!buckets)
        return;
    uint64_t old_count = flow->bucket_count;
    flow->buckets = buckets;
    flow->bucket_count *= 2;
    for (uint64_t i = 0; i < old_count; i++)
        while (old[i]) {
            qcapint_conv_t *conv = old[i], **bucket = bucket_of(flow, conv->hash);
            old[i] = conv->chain;
            conv->chain = *bucket;
            *bucket = conv;
        }
    qcapint_budget_free(&q->budget, old, old_size);
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

static void tell_open(qcap_t *q, qcapint_conv_t *conv)
{
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_open)
            tap->tap.on_open(&conv->str[0], tap->user);
    q->sink->open(conv);
}

static qcapint_conv_t *open_conv(qcap_t *q, qcap_packet_t *packet, uint64_t hash, const qcap_endpoint_t ends[2],
                                 bool *is_server)
{
    grow(q);
    qcapint_conv_t *conv = qcapint_budget_alloc(&q->budget, sizeof *conv);
    if (!conv) {
        qcapint_packet_stage(packet, QCAP_STAGE_NO_MEMORY);
        return NULL;
    }
    *is_server = is_from_server(q, &packet->headers);
    conv->q = q;
    conv->hash = hash;
    conv->references = 1;
    conv->is_open = true;
    conv->opened_ns = conv->seen_ns = q->now_ns;
    conv->ends[0] = ends[*is_server];
    conv->ends[1] = ends[!*is_server];
    qcapint_tcpstr_init(&conv->str[0], conv, false);
    qcapint_tcpstr_init(&conv->str[1], conv, true);
    qcapint_tcp_init(&conv->tcp);
    conv->chain = *bucket_of(&q->flow, hash);
    *bucket_of(&q->flow, hash) = conv;
    q->flow.conv_count++;
    conv->list = QCAPINT_FLOW_OPENING;
    list_add(&q->flow.lists[conv->list], conv, false);
    count_open(&q->stats);
    conv->number = q->stats.conversations;
    qcapint_packet_stage(packet, QCAP_STAGE_TCP_OPENED);
    tell_open(q, conv);
    return conv;
}

/* ---------------------------------------------------------------- closing */

void qcapint_conv_unref(qcapint_conv_t *conv)
{
    if (--conv->references > 0)
        return;
    for (int i = 0; i < 2; i++)
        qcapint_tcpstr_fini(&conv->str[i]);
    qcapint_budget_free(&conv->q->budget, conv, sizeof *conv);
}

static void unlink_conv(qcap_t *q, qcapint_conv_t *conv)
{
    qcapint_conv_t **link = bucket_of(&q->flow, conv->hash);
    while (*link != conv)
        link = &(*link)->chain;
    *link = conv->chain;
    list_remove(&q->flow.lists[conv->list], conv, false);
    if (conv->in_hole_list)
        list_remove(&q->flow.holes, conv, true);
    conv->is_open = false;
    q->flow.conv_count--;
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
static void close_conv(qcap_t *q, qcapint_conv_t *conv, qcap_end_t end)
{
    qcapint_tcp_finish(conv, end);
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_close)
            tap->tap.on_close(&conv->str[0], tap->user);
    release_conv(q, conv);
}

/* A conversation that leaves has no packet: one is made up with its addresses. */
static void tell_stage(qcap_t *q, qcapint_conv_t *conv, qcap_stage_t stage)
{
    qcap_packet_t packet;
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

/* Who leaves when memory is short: what is over, then what was idle longest. */
static qcapint_conv_t *victim(const qcapint_flow_t *flow)
{
    qcapint_conv_t *opening = flow->lists[QCAPINT_FLOW_OPENING].oldest, *idle = flow->lists[QCAPINT_FLOW_IDLE].oldest;
    if (flow->lists[QCAPINT_FLOW_CLOSED].oldest)
        return flow->lists[QCAPINT_FLOW_CLOSED].oldest;
    if (!opening || !idle)
        return opening ? opening : idle;
    return opening->seen_ns < idle->seen_ns ? opening : idle;
}

static void expire_holes(qcap_t *q)
{
    qcapint_conv_t *conv;
    while ((conv = q->flow.holes.oldest) && qcapint_tcp_hole_ns(conv) <= q->now_ns) {
        qcapint_tcp_expire_holes(conv, q->now_ns);
        list_remove(&q->flow.holes, conv, true);
        conv->in_hole_list = false;
        touch_hole(q, conv);
    }
}

void qcapint_flow_expire(qcap_t *q)
{
    static const qcap_timeout_t timeouts[QCAPINT_FLOW_LISTS] = {
        [QCAPINT_FLOW_OPENING] = QCAP_TIMEOUT_OPENING,
        [QCAPINT_FLOW_IDLE] = QCAP_TIMEOUT_IDLE,
        [QCAPINT_FLOW_CLOSED] = QCAP_TIMEOUT_CLOSED,
    };
    qcapint_conv_t *conv;
    expire_holes(q);
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        while ((conv = q->flow.lists[i].oldest) && q->now_ns - conv->seen_ns >= q->timeouts_ns[timeouts[i]])
            expire_conv(q, conv);
    while (qcapint_budget_is_tight(&q->budget) && (conv = victim(&q->flow))) {
        tell_stage(q, conv, QCAP_STAGE_TCP_EVICTED);
        close_conv(q, conv, QCAP_END_EVICTED);
    }
}

void qcapint_flow_finish(qcap_t *q, qcap_end_t end)
{
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        while (q->flow.lists[i].oldest)
            close_conv(q, q->flow.lists[i].oldest, end);
}

void qcapint_flow_fini(qcap_t *q)
{
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        while (q->flow.lists[i].oldest)
            release_conv(q, q->flow.lists[i].oldest);
    qcapint_budget_free(&q->budget, q->flow.buckets, q->flow.bucket_count * sizeof *q->flow.buckets);
    q->flow.buckets = NULL;
    q->flow.bucket_count = 0;
}

uint64_t qcap_tcpstr_each(qcap_t *q, qcap_tcpstr_visitor_t visitor, void *user)
{
    uint64_t count = 0;
    for (int i = 0; i < QCAPINT_FLOW_LISTS; i++)
        for (qcapint_conv_t *conv = q->flow.lists[i].oldest; conv; conv = conv->newer, count++)
            visitor(&conv->str[0], user);
    return count;
}

/* ---------------------------------------------------------------- entry */

void qcapint_flow_segment(qcap_t *q, qcap_packet_t *packet)
{
    qcap_endpoint_t ends[2];
    bool is_server = false;
    qcap_packet_source(packet, &ends[0]);
    qcap_packet_destination(packet, &ends[1]);
    uint64_t hash = hash_ends(&q->flow, &ends[0], &ends[1]);
    qcapint_conv_t *conv = find(&q->flow, hash, &ends[0], &ends[1], &is_server);
    if (conv && qcapint_tcp_is_reopened(conv, packet, is_server)) {
        close_conv(q, conv, QCAP_END_REPLACED);
        conv = NULL;
    }
    if (!conv && (packet->headers.tcp_flags & QCAPINT_TCP_RST)) { /* an end without a beginning: nothing to follow */
        qcapint_packet_stage(packet, QCAP_STAGE_TCP_RESET);
        return;
    }
    if (!conv)
        conv = open_conv(q, packet, hash, ends, &is_server);
    if (!conv)
        return;
    qcapint_tcp_segment(conv, packet, is_server);
    touch(q, conv);
    touch_hole(q, conv);
}
