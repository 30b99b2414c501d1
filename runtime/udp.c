/* udp.c: datagrams reach the parser of their protocol.
 *
 * In: UDP datagrams. Out: those of two endpoints, fed to one conversation of a protocol that has a `datagram` root, so that what
 * its two sides share (a queue of questions, say) relates a response to its request. Without such a protocol nothing is kept.
 *
 * note [which protocol]: each protocol's own parser tries the datagram: see evidence.c. It fits if it is read to its end
 * without a complaint, an element was recognised, and other bytes would have been refused. Of several that fit, the one
 * whose port it is wins, then the one that was added first. If none fits, but most of it was read as of the one whose port
 * it is, that is it: it is malformed then, and the parser says so. Otherwise the next datagrams are tried, TRIES of them; then the exchange is nobody's. A datagram
 * that fits no protocol that is read, while nobody asked what is spoken, is not looked at further.
 *
 * The client is whoever sends the first datagram, unless only that one's port is of a known protocol. Exchanges leave
 * QCAP_TIMEOUT_EXCHANGE after their latest datagram, and the ones that were idle longest when memory is short. */
#include "udp.h"

#include <string.h>

#include "deliver.h"
#include "evidence.h"
#include "flow_find.h"
#include "handle.h"
#include "identify.h"
#include "spoken.h"

#define FIRST_BUCKETS 256u
#define TRIES 8u

struct qcapint_exchange {
    qcapint_exchange_t *chain;         /* the next in its bucket */
    qcapint_exchange_t *older, *newer; /* by seen_ns */
    qcap_endpoint_t ends[2];           /* [0]: the client */
    uint32_t hash;                     /* of the endpoints */
    uint32_t tries;                    /* datagrams that fitted no protocol */
    int64_t seen_ns;                   /* latest datagram */
    uint64_t number;                   /* from 1, as they were met */
    qcapint_deliver_t *deliver;        /* its parsers; NULL: not identified */
    const char *named;                 /* the protocol to begin with, if another one named it; static; else NULL */
    qcap_known_t known;                /* how, if it is named */
    qcapint_link_t *link;              /* who announced it; NULL: nobody */
    const qcapint_plan_t *plan;        /* what is spoken; NULL: not known */
};

static const qcapint_upper_t *upper_of(const qcap_t *q)
{
    return q->upper;
}

/* ---------------------------------------------------------------- the table */

static bool same_end(const qcap_endpoint_t *a, const qcap_endpoint_t *b)
{
    return a->port == b->port && a->version == b->version && memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* The same for both directions. */
static uint32_t hash_ends(const qcap_t *q, const qcap_endpoint_t both[2])
{
    qcapint_ends_t ends = {.version = both[0].version};
    for (int i = 0; i < 2; i++)
        qcapint_ends_set(&ends, i, both[i].address, both[i].port);
    return qcapint_ends_hash(&q->flow, &ends);
}

static qcapint_exchange_t **bucket_of(const qcapint_udp_t *udp, uint32_t hash)
{
    return &udp->buckets[hash & (udp->bucket_count - 1)];
}

static qcapint_exchange_t *find(const qcapint_udp_t *udp, uint32_t hash, const qcap_endpoint_t ends[2])
{
    qcapint_exchange_t *e = *bucket_of(udp, hash);
    while (e && (e->hash != hash || !((same_end(&e->ends[0], &ends[0]) && same_end(&e->ends[1], &ends[1])) ||
                                      (same_end(&e->ends[0], &ends[1]) && same_end(&e->ends[1], &ends[0])))))
        e = e->chain;
    return e;
}

/* Makes the first buckets, or twice as many when there are more exchanges. Without memory the chains get longer; false: there
 * are no buckets at all. */
static bool grow(qcap_t *q)
{
    qcapint_udp_t *udp = &q->udp;
    size_t old_count = udp->bucket_count, count = old_count ? old_count * 2 : FIRST_BUCKETS;
    if (udp->count < old_count)
        return true;
    qcapint_exchange_t **old = udp->buckets, **buckets = qcapint_budget_alloc(&q->budget, count * sizeof *buckets);
    if (!buckets)
        return old != NULL;
    if (!old)
        qcapint_pool_init(&udp->exchanges, &q->budget, sizeof(qcapint_exchange_t));
    udp->buckets = buckets;
    udp->bucket_count = count;
    for (size_t i = 0; i < old_count; i++)
        while (old[i]) {
            qcapint_exchange_t *e = old[i], **bucket = bucket_of(udp, e->hash);
            old[i] = e->chain;
            e->chain = *bucket;
            *bucket = e;
        }
    qcapint_budget_free(&q->budget, old, old_count * sizeof *old);
    return true;
}

static void list_remove(qcapint_udp_t *udp, qcapint_exchange_t *e)
{
    *(e->older ? &e->older->newer : &udp->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &udp->newest) = e->older;
}

static void list_add(qcapint_udp_t *udp, qcapint_exchange_t *e)
{
    e->older = udp->newest;
    e->newer = NULL;
    *(e->older ? &e->older->newer : &udp->oldest) = e;
    udp->newest = e;
}

static void tell(qcap_t *q, const qcapint_exchange_t *e, bool is_over)
{
    qcapint_spoken_tell(q, &(qcap_spoken_t){
                               .exchange = e->number,
                               .ends = e->ends,
                               .protocol = e->plan ? e->plan->protocol : NULL,
                               .name = e->plan ? e->plan->protocol->name : e->named,
                               .known = e->plan || e->named ? e->known : QCAP_KNOWN_NOT,
                               .parent = e->link ? &e->link->parent : NULL,
                               .is_over = is_over,
                               .time_ns = q->now_ns,
                           });
}

static void drop(qcap_t *q, qcapint_exchange_t *e)
{
    qcapint_exchange_t **link = bucket_of(&q->udp, e->hash);
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    list_remove(&q->udp, e);
    q->udp.count--;
    qcapint_deliver_free(e->deliver);
    qcapint_link_free(q, e->link);
    qcapint_pool_free(&q->udp.exchanges, e);
}

/* The same, and says so. */
static void end(qcap_t *q, qcapint_exchange_t *e)
{
    tell(q, e, true);
    drop(q, e);
}

static uint64_t of_port(const qcap_t *q, uint16_t port)
{
    return qcapint_ports_find(&upper_of(q)->ports, true, port);
}

/* The exchange between these endpoints, source first: found, or made. NULL if there is no memory. */
static qcapint_exchange_t *get(qcap_t *q, const qcap_endpoint_t ends[2])
{
    qcapint_udp_t *udp = &q->udp;
    if (!grow(q))
        return NULL;
    uint32_t hash = hash_ends(q, ends);
    qcapint_exchange_t *e = find(udp, hash, ends);
    if (e) {
        list_remove(udp, e);
    } else {
        e = qcapint_pool_alloc(&udp->exchanges);
        if (!e)
            return NULL;
        bool is_from_server = of_port(q, ends[0].port) && !of_port(q, ends[1].port);
        e->hash = hash;
        e->ends[0] = ends[is_from_server];
        e->ends[1] = ends[!is_from_server];
        e->number = ++udp->met;
        e->link = upper_of(q)->expect.count > 0 ? qcapint_expect_find(q, "udp", e->ends) : NULL;
        e->named = e->link ? e->link->name : NULL;
        e->known = QCAP_KNOWN_BY_PARENT;
        e->chain = *bucket_of(udp, hash);
        *bucket_of(udp, hash) = e;
        udp->count++;
    }
    e->seen_ns = q->now_ns;
    list_add(udp, e);
    return e;
}

/* ---------------------------------------------------------------- which protocol */

static bool may_be(const qcapint_plan_t *plan)
{
    return plan->protocol->datagram != QCAP_NONE && !plan->protocol->is_entered;
}

/* Whether anybody would notice what the datagram is: it fits a protocol that is read, or it is its port, or somebody asked what is
 * spoken. */
static bool is_of_interest(const qcap_t *q, uint64_t of_ports, bool is_server, const unsigned char *bytes, size_t len)
{
    bool is_fit = upper_of(q)->listeners != NULL;
    for (uint32_t i = 0; i < upper_of(q)->plan_count && !is_fit; i++) {
        const qcapint_plan_t *plan = upper_of(q)->plans[i];
        bool is_port = of_ports >> i & 1;
        is_fit = plan->is_read && may_be(plan) &&
                 (is_port || qcapint_evidence_datagram(plan, is_server, bytes, len, false) == QCAPINT_VERDICT_CONFIRMED);
    }
    return is_fit;
}

/* See note [which protocol]. NULL: none, as far as this datagram tells. */
static const qcapint_plan_t *identify(const qcap_t *q, qcapint_exchange_t *e, bool is_server, const unsigned char *bytes,
                                      size_t len)
{
    const qcapint_plan_t *by_port = NULL, *by_trial = NULL;
    uint64_t of_ports = of_port(q, e->ends[0].port) | of_port(q, e->ends[1].port);
    if (!is_of_interest(q, of_ports, is_server, bytes, len))
        return NULL;
    e->known = QCAP_KNOWN_BY_BYTES;
    for (uint32_t i = 0; i < upper_of(q)->plan_count; i++) {
        const qcapint_plan_t *plan = upper_of(q)->plans[i];
        if (!may_be(plan))
            continue;
        bool is_port = of_ports >> i & 1;
        qcapint_verdict_t verdict = qcapint_evidence_datagram(plan, is_server, bytes, len, is_port);
        bool is_fit = verdict == QCAPINT_VERDICT_CONFIRMED;
        if (is_fit && is_port)
            return plan;
        if (is_fit && !by_trial)
            by_trial = plan;
        if (verdict != QCAPINT_VERDICT_EXCLUDED && !by_port)
            by_port = plan;
    }
    if (!by_trial)
        e->known = by_port ? QCAP_KNOWN_BY_PORT : QCAP_KNOWN_NOT;
    return by_trial ? by_trial : by_port;
}

/* Finds the protocol, if this datagram tells it. A protocol that was named and not added, or that has no datagrams, is nobody's
 * for good. */
static void begin(qcap_t *q, qcapint_exchange_t *e, bool is_server, const unsigned char *bytes, size_t len)
{
    const qcapint_plan_t *plan = e->named ? qcapint_identify_find(q, e->named) : identify(q, e, is_server, bytes, len);
    if (plan && plan->protocol->datagram == QCAP_NONE)
        plan = NULL;
    e->tries = plan ? 0 : e->named ? TRIES : e->tries + 1;
    e->plan = plan;
    if (plan || e->tries == TRIES)
        tell(q, e, false);
}

/* The parsers of the exchange: made when there is something to read, given back when nothing waits for anything. False if there is
 * no memory for them. */
static bool prepare(qcap_t *q, qcapint_exchange_t *e)
{
    bool is_read = e->plan && e->plan->is_read;
    if (!e->deliver && is_read)
        e->deliver = qcapint_deliver_new(q, NULL, e->plan, (uint64_t[2]){0, 0});
    return e->deliver || !is_read;
}

/* The protocol goes over to another one with the next datagram: the one that it named, or it is identified anew. */
static void become(qcapint_exchange_t *e, qcap_parser_t *parser)
{
    const char *name = qcap_parser_conversation(parser)->becomes;
    e->named = name && strcmp(name, "?") != 0 ? name : NULL;
    e->known = QCAP_KNOWN_BY_CHANGE;
    e->plan = NULL;
}

static void give_back(qcapint_exchange_t *e)
{
    qcapint_deliver_free(e->deliver);
    e->deliver = NULL;
}

/* ---------------------------------------------------------------- entry */

static bool reads_datagrams(const qcap_t *q)
{
    for (uint32_t i = 0; i < upper_of(q)->plan_count; i++)
        if (upper_of(q)->plans[i]->protocol->datagram != QCAP_NONE)
            return true;
    return false;
}

void qcapint_udp_datagram(qcap_t *q, qcap_packet_t *packet)
{
    qcap_endpoint_t ends[2];
    size_t len;
    const unsigned char *bytes = qcap_packet_payload(packet, &len);
    if (!bytes || packet->headers.payload_wire == 0 || !reads_datagrams(q))
        return;
    qcap_packet_source(packet, &ends[0]);
    qcap_packet_destination(packet, &ends[1]);
    qcapint_exchange_t *e = get(q, ends);
    if (!e) {
        qcapint_packet_stage(packet, QCAP_STAGE_NO_MEMORY);
        return;
    }
    bool is_server = !same_end(&e->ends[0], &ends[0]);
    if (!e->plan && e->tries < TRIES)
        begin(q, e, is_server, bytes, len);
    if (!prepare(q, e))
        qcapint_packet_stage(packet, QCAP_STAGE_NO_MEMORY);
    if (!e->deliver)
        return;
    qcap_parser_t *parser = qcapint_deliver_parser(e->deliver, is_server);
    qcapint_deliver_datagram(e->deliver, is_server, packet, e->number);
    bool has_become = qcap_parser_status(parser) == QCAP_PARSER_BECAME;
    if (has_become)
        become(e, parser);
    if (has_become || qcapint_deliver_is_idle(e->deliver))
        give_back(e);
}

void qcapint_udp_expire(qcap_t *q)
{
    int64_t timeout_ns = q->timeouts_ns[QCAP_TIMEOUT_EXCHANGE];
    while (q->udp.oldest && q->now_ns - q->udp.oldest->seen_ns >= timeout_ns)
        end(q, q->udp.oldest);
}

int64_t qcapint_udp_oldest_ns(const qcap_t *q)
{
    return q->udp.oldest ? q->udp.oldest->seen_ns : INT64_MAX;
}

void qcapint_udp_evict(qcap_t *q)
{
    end(q, q->udp.oldest);
}

void qcapint_udp_finish(qcap_t *q)
{
    while (q->udp.oldest)
        end(q, q->udp.oldest);
}

void qcapint_udp_fini(qcap_t *q)
{
    while (q->udp.oldest)
        drop(q, q->udp.oldest);
    if (q->udp.buckets)
        qcapint_pool_fini(&q->udp.exchanges);
    qcapint_budget_free(&q->budget, q->udp.buckets, q->udp.bucket_count * sizeof *q->udp.buckets);
    q->udp.buckets = NULL;
    q->udp.bucket_count = 0;
}
