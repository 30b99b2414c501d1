/* defrag.c: IP fragments become datagrams.
 *
 * In: packets that are fragments. Out: when the last missing one has come, an artificial packet: the header of the
 * first fragment with the fragmentation taken out, and the data; its constituents are all fragments that came for it.
 *
 * Fragments of one datagram agree in source, destination, identification, and for IPv4 the protocol (RFC 791, 3.2; RFC
 * 8200, 4.5). They wait in a queue (segment.h), where the receiver's policy decides about overlaps. Completeness is a
 * sum: the queue has no overlaps, so the datagram is complete when the bytes in it are as many as the last fragment
 * says.
 *
 * Bounds: datagrams leave QCAP_TIMEOUT_FRAGMENT after their first fragment, the oldest ones when memory is short or
 * they are DATAGRAM_LIMIT; none has more than FRAGMENT_LIMIT fragments. */
#include "defrag.h"

#include <string.h>

#include "bytes.h"
#include "handle.h"
#include "hash.h"
#include "segment.h"

/* More than a datagram of the largest size needs on any real link; bounds the search for a fragment's place. */
#define FRAGMENT_LIMIT 1024u

/* More datagrams than that do not wait at a time; bounds the chains of the table. */
#define DATAGRAM_LIMIT 16384u

#define DATAGRAM_MAX 65535u
#define NOT_KNOWN UINT32_MAX

/* A fragment that came, whether its bytes are still needed or not. */
typedef struct fragment {
    struct fragment *next; /* came later */
    qcap_packet_t *packet; /* a counted reference */
} fragment_t;

struct qcapint_datagram {
    qcapint_datagram_t *chain;         /* the next in its bucket */
    qcapint_datagram_t *older, *newer; /* by first_ns */
    uint64_t hash;                     /* of ends, identification, protocol */
    qcap_endpoint_t ends[2];           /* source, destination; no ports */
    uint32_t identification;
    uint8_t protocol;                  /* 0 for IPv6, where it does not tell datagrams apart */
    bool is_discarded;                 /* overlaps were not allowed: it only swallows the rest */
    int64_t first_ns;                  /* when its first fragment came */
    qcapint_queue_t queue;             /* the data so far */
    uint32_t covered;                  /* bytes in the queue */
    uint32_t reach;                    /* end of the highest fragment so far */
    uint32_t len;                      /* of the whole data, or NOT_KNOWN */
    fragment_t *fragments, **last;     /* as they came */
    uint32_t fragment_count;
};

/* The place that a fragment's data has. */
typedef struct extent {
    uint32_t begin, end; /* as it arrived */
    uint32_t kept_end;   /* of what is not behind the end of the datagram */
    bool is_last; /* the datagram ends there */
} extent_t;

void qcapint_defrag_init(qcap_t *q)
{
    qcapint_hash_seed(q->defrag.key);
}

/* ---------------------------------------------------------------- the table */

static qcapint_datagram_t **bucket_of(qcapint_defrag_t *defrag, uint64_t hash)
{
    return &defrag->buckets[hash % QCAPINT_DEFRAG_BUCKETS];
}

/* Fills in what identifies the fragment's datagram. */
static void identify(const qcapint_defrag_t *defrag, const qcap_packet_t *fragment, qcapint_datagram_t *key)
{
    const qcapint_headers_t *headers = &fragment->headers;
    uint64_t words[5];
    qcap_packet_source(fragment, &key->ends[0]);
    qcap_packet_destination(fragment, &key->ends[1]);
    key->identification = headers->identification;
    key->protocol = headers->version == 4 ? headers->protocol : 0;
    memcpy(words, key->ends[0].address, 16);
    memcpy(words + 2, key->ends[1].address, 16);
    words[4] = (uint64_t)headers->identification << 32 | (uint64_t)headers->version << 8 | key->protocol;
    key->hash = qcapint_hash(defrag->key, words, 5);
}

static qcapint_datagram_t *find(qcapint_defrag_t *defrag, const qcapint_datagram_t *key)
{
    qcapint_datagram_t *d = *bucket_of(defrag, key->hash);
    while (d && (d->hash != key->hash || d->identification != key->identification || d->protocol != key->protocol ||
                 d->ends[0].version != key->ends[0].version ||
                 memcmp(d->ends[0].address, key->ends[0].address, 16) != 0 ||
                 memcmp(d->ends[1].address, key->ends[1].address, 16) != 0))
        d = d->chain;
    return d;
}

static qcapint_datagram_t *add(qcap_t *q, const qcapint_datagram_t *key)
{
    qcapint_defrag_t *defrag = &q->defrag;
    qcapint_datagram_t *d = qcapint_budget_alloc(&q->budget, sizeof *d);
    if (!d)
        return NULL;
    *d = *key;
    d->first_ns = q->now_ns;
    d->len = NOT_KNOWN;
    d->last = &d->fragments;
    d->chain = *bucket_of(defrag, d->hash);
    *bucket_of(defrag, d->hash) = d;
    d->older = defrag->newest;
    *(d->older ? &d->older->newer : &defrag->oldest) = d;
    defrag->newest = d;
    defrag->count++;
    return d;
}

/* A fragment has come to the end of its way, with its datagram. */
static void end_fragment(qcap_packet_t *fragment, qcap_stage_t stage)
{
    if (stage == QCAP_STAGE_DEFRAGMENTED) { /* that is told of the datagram */
        qcapint_packet_end(fragment, stage);
        return;
    }
    fragment->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(fragment, stage);
}

/* Takes the datagram out of the table and frees it; `stage`, if not QCAP_STAGE_COUNT, is what became of its
 * fragments. */
static void drop(qcap_t *q, qcapint_datagram_t *d, qcap_stage_t stage)
{
    qcapint_defrag_t *defrag = &q->defrag;
    qcapint_datagram_t **link = bucket_of(defrag, d->hash);
    while (*link != d)
        link = &(*link)->chain;
    *link = d->chain;
    *(d->older ? &d->older->newer : &defrag->oldest) = d->newer;
    *(d->newer ? &d->newer->older : &defrag->newest) = d->older;
    defrag->count--;
    qcapint_queue_clear(q, &d->queue);
    while (d->fragments) {
        fragment_t *fragment = d->fragments;
        d->fragments = fragment->next;
        if (stage != QCAP_STAGE_COUNT)
            end_fragment(fragment->packet, stage);
        qcap_packet_unref(fragment->packet);
        qcapint_budget_free(&q->budget, fragment, sizeof *fragment);
    }
    qcapint_budget_free(&q->budget, d, sizeof *d);
}

/* ---------------------------------------------------------------- one fragment more */

/* Where the fragment belongs. All but the last one are cut to a multiple of 8 bytes, the unit of offsets. Returns
 * false for what no datagram can have. */
static bool place(const qcapint_headers_t *headers, extent_t *extent)
{
    uint32_t len = headers->payload_len;
    extent->is_last = !headers->has_more_fragments;
    if (!extent->is_last)
        len &= ~7u;
    extent->begin = headers->fragment_begin;
    extent->end = extent->kept_end = extent->begin + len;
    return len > 0 && headers->payload_len == headers->payload_wire && extent->end <= DATAGRAM_MAX;
}

/* Learns the length of the datagram. Returns false if the fragment contradicts what is known of it. */
static bool note_len(qcapint_datagram_t *d, const extent_t *extent)
{
    if (d->len != NOT_KNOWN && (extent->end > d->len || (extent->is_last && extent->end != d->len)))
        return false;
    if (extent->is_last && extent->end < d->reach)
        return false;
    if (extent->is_last)
        d->len = extent->end;
    if (extent->end > d->reach)
        d->reach = extent->end;
    return true;
}

/* The same where fragments are trimmed: the first last one tells the end. Returns false if all of this one is behind it. */
static bool trim_to_len(qcap_t *q, qcapint_datagram_t *d, extent_t *extent)
{
    if (extent->is_last && d->len == NOT_KNOWN) {
        d->len = extent->end;
        d->covered -= (uint32_t)qcapint_queue_trim(q, &d->queue, d->len);
    }
    if (extent->end > d->len)
        extent->kept_end = d->len;
    return extent->begin < extent->kept_end;
}

static bool keep_fragment(qcap_t *q, qcapint_datagram_t *d, qcap_packet_t *packet)
{
    if (d->fragment_count >= FRAGMENT_LIMIT)
        return false;
    fragment_t *fragment = qcapint_budget_alloc(&q->budget, sizeof *fragment);
    if (!fragment)
        return false;
    fragment->packet = qcap_packet_ref(packet);
    if (!fragment->packet) {
        qcapint_budget_free(&q->budget, fragment, sizeof *fragment);
        return false;
    }
    *d->last = fragment;
    d->last = &fragment->next;
    d->fragment_count++;
    return true;
}

/* Queues the fragment's data. Returns false if there was no memory: the datagram cannot be completed any more. */
static bool queue(qcap_t *q, qcapint_datagram_t *d, qcap_packet_t *packet, const extent_t *extent)
{
    qcapint_segment_t segment = {.begin = extent->begin,
                                 .bytes = packet->bytes + packet->headers.payload,
                                 .packet = packet,
                                 .len = extent->kept_end - extent->begin};
    qcapint_rule_t rule = qcapint_policy_of(&q->policies, &d->ends[1])->fragments;
    if (!keep_fragment(q, d, packet))
        return false;
    qcapint_overlap_t overlap =
        qcapint_queue_insert(q, &d->queue, &segment, extent->begin, extent->end, rule, NULL);
    if (overlap.is_incomplete)
        return false;
    d->covered += segment.len - (uint32_t)overlap.bytes;
    q->stats.conflicting_bytes += overlap.conflicting;
    qcapint_packet_stage(packet, overlap.bytes ? QCAP_STAGE_FRAGMENT_OVERLAP : QCAP_STAGE_FRAGMENT_QUEUED);
    bool is_copy = overlap.bytes == segment.len && overlap.conflicting == 0;
    if (overlap.bytes > 0 && !is_copy && d->ends[0].version == 6 && q->options.is_ipv6_overlap_strict) /* RFC 8200, 4.5 */
        d->is_discarded = true;
    return true;
}

/* ---------------------------------------------------------------- the datagram */

/* The fragment that the header is taken from: the first that came of those that begin the datagram. */
static const qcap_packet_t *header_source(const qcapint_datagram_t *d)
{
    for (const fragment_t *fragment = d->fragments; fragment; fragment = fragment->next)
        if (fragment->packet->headers.fragment_begin == 0)
            return fragment->packet;
    return NULL;
}

/* Bytes of the IP header; for IPv6 with the extension headers before the fragment header, which has 8 bytes. */
static uint32_t header_len(const qcapint_headers_t *headers)
{
    return headers->transport - headers->network - (headers->version == 6 ? 8 : 0);
}

/* Makes the header one of a whole datagram. RFC 791, 3.2; RFC 8200, 4.5. */
static void rewrite_header(unsigned char *ip, const qcapint_headers_t *headers, uint32_t len, uint32_t data_len)
{
    if (headers->version == 4) {
        qcapint_put_be16(ip + 2, len + data_len);
        memset(ip + 6, 0, 2);  /* flags, fragment offset */
        memset(ip + 10, 0, 2); /* checksum */
        qcapint_put_be16(ip + 10, qcapint_checksum_of(ip, len));
    } else {
        qcapint_put_be16(ip + 4, len - 40 + data_len);
        ip[headers->fragment_field - headers->network] = headers->protocol;
    }
}

/* Puts the datagram together. NULL if its parts do not fit in one, or there is no memory. */
static qcap_packet_t *assemble(qcap_t *q, const qcapint_datagram_t *d, const qcap_packet_t *completing)
{
    unsigned char *bytes;
    const qcap_packet_t *first = header_source(d);
    uint32_t len = first ? header_len(&first->headers) : 0;
    if (!first || len - (first->headers.version == 6 ? 40 : 0) + d->len > DATAGRAM_MAX)
        return NULL;
    qcap_packet_t *whole = qcapint_packet_new(q, len + d->len, d->fragment_count, &bytes);
    if (!whole)
        return NULL;
    memcpy(bytes, first->bytes + first->headers.network, len);
    rewrite_header(bytes, &first->headers, len, d->len);
    for (const qcapint_segment_t *segment = d->queue.first; segment; segment = segment->next)
        memcpy(bytes + len + segment->begin, segment->bytes, segment->len);
    uint32_t i = 0;
    for (const fragment_t *fragment = d->fragments; fragment; fragment = fragment->next)
        whole->constituents[i++] = qcap_packet_ref(fragment->packet);
    whole->flags = QCAP_PACKET_ARTIFICIAL;
    whole->time_ns = completing->time_ns;
    whole->number = completing->number;
    return whole;
}

/* ---------------------------------------------------------------- entry */

static qcap_packet_t *refuse(qcap_packet_t *fragment, qcap_stage_t stage)
{
    fragment->flags |= QCAP_PACKET_DISCARDED;
    qcapint_packet_stage(fragment, stage);
    return NULL;
}

qcap_packet_t *qcapint_defrag_fragment(qcap_t *q, qcap_packet_t *fragment)
{
    qcapint_datagram_t key = {0};
    extent_t extent;
    fragment->flags |= QCAP_PACKET_FRAGMENT;
    if (!place(&fragment->headers, &extent)) {
        fragment->headers.reason = "fragment: it has no data, or was not captured whole, or ends behind byte 65535";
        return refuse(fragment, QCAP_STAGE_BAD_HEADER);
    }
    identify(&q->defrag, fragment, &key);
    qcapint_datagram_t *d = find(&q->defrag, &key);
    if (!d)
        d = add(q, &key);
    if (!d)
        return refuse(fragment, QCAP_STAGE_NO_MEMORY);
    if (d->is_discarded)
        return refuse(fragment, QCAP_STAGE_FRAGMENT_OVERLAP);
    bool trims = qcapint_policy_of(&q->policies, &d->ends[1])->trims_ends;
    if (trims ? !trim_to_len(q, d, &extent) : !note_len(d, &extent)) {
        fragment->headers.reason = "fragment: it contradicts the length of its datagram";
        return refuse(fragment, QCAP_STAGE_BAD_HEADER);
    }
    if (!queue(q, d, fragment, &extent)) {
        drop(q, d, QCAP_STAGE_NO_MEMORY);
        return refuse(fragment, QCAP_STAGE_NO_MEMORY);
    }
    if (d->is_discarded || d->covered != d->len)
        return NULL;
    qcap_packet_t *whole = assemble(q, d, fragment);
    drop(q, d, whole ? QCAP_STAGE_DEFRAGMENTED : QCAP_STAGE_NO_MEMORY);
    if (whole)
        q->stats.datagrams++;
    return whole;
}

void qcapint_defrag_expire(qcap_t *q)
{
    qcapint_datagram_t *d;
    int64_t timeout = q->timeouts_ns[QCAP_TIMEOUT_FRAGMENT];
    while ((d = q->defrag.oldest) && (q->now_ns - d->first_ns >= timeout || q->defrag.count >= DATAGRAM_LIMIT))
        drop(q, d, QCAP_STAGE_FRAGMENT_EXPIRED);
}

int64_t qcapint_defrag_oldest_ns(const qcap_t *q)
{
    return q->defrag.oldest ? q->defrag.oldest->first_ns : INT64_MAX;
}

void qcapint_defrag_evict(qcap_t *q)
{
    drop(q, q->defrag.oldest, QCAP_STAGE_FRAGMENT_EXPIRED);
}

void qcapint_defrag_finish(qcap_t *q)
{
    while (q->defrag.oldest)
        drop(q, q->defrag.oldest, QCAP_STAGE_FRAGMENT_EXPIRED);
}

void qcapint_defrag_fini(qcap_t *q)
{
    while (q->defrag.oldest)
        drop(q, q->defrag.oldest, QCAP_STAGE_COUNT);
}
