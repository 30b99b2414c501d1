/* flow_find.h: finding a conversation, for those who look for each packet: flow.c, and usual.c. */
#ifndef QCAP_FLOW_FIND_H
#define QCAP_FLOW_FIND_H

#include <string.h>

#include "bytes.h"
#include "flow.h"
#include "handle.h"

static inline uint64_t qcapint_ends_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* An end in one number, by four bytes of its address: all of it, in IPv4. */
static inline uint64_t qcapint_ends_key(const unsigned char *bytes, uint16_t port)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return (uint64_t)word << 16 | port;
}

/* In IPv6 these are the last bytes: the first are often those of both ends. */
static inline void qcapint_ends_set(qcapint_ends_t *ends, int which, const unsigned char *address, uint16_t port)
{
    ends->keys[which] = qcapint_ends_key(address + (ends->version == 4 ? 0 : 12), port);
    ends->addresses[which] = address;
}

/* Of an IP packet with that header, whose transport begins with the ports. RFC 791, 3.1; RFC 8200, 3. */
static inline void qcapint_ends_read(qcapint_ends_t *ends, const unsigned char *ip, uint8_t version, const unsigned char *transport)
{
    ends->version = version;
    qcapint_ends_set(ends, 0, ip + (version == 4 ? 12 : 8), qcapint_get_be16(transport));
    qcapint_ends_set(ends, 1, ip + (version == 4 ? 16 : 24), qcapint_get_be16(transport + 2));
}

/* 0 if that end is `a`, in IPv6. */
static inline uint64_t qcapint_ends_differ(const qcap_endpoint_t *a, const qcapint_ends_t *ends, int which)
{
    uint64_t first = qcapint_ends_word(a->address) ^ qcapint_ends_word(ends->addresses[which]);
    uint64_t second = qcapint_ends_word(a->address + 8) ^ qcapint_ends_word(ends->addresses[which] + 8);
    return first | second | (uint64_t)(a->port ^ (uint16_t)ends->keys[which]) | (uint64_t)(a->version ^ ends->version);
}

/* Whether the ends are those of the conversation; from which of them it came. Of the two nothing is a branch: packets come from
 * both, and a guess would be wrong every other time. */
static inline bool qcapint_ends_are(const qcapint_conv_t *conv, const qcapint_ends_t *ends, bool *is_server)
{
    bool from;
    if (ends->version == 4) {
        uint64_t client = qcapint_ends_key(conv->ends[0].address, conv->ends[0].port);
        uint64_t server = qcapint_ends_key(conv->ends[1].address, conv->ends[1].port);
        from = client != ends->keys[0];
        *is_server = from;
        return ((client ^ ends->keys[from]) | (server ^ ends->keys[!from]) | (uint64_t)(conv->ends[0].version ^ 4)) == 0;
    }
    from = qcapint_ends_differ(&conv->ends[0], ends, 0) != 0;
    *is_server = from;
    return (qcapint_ends_differ(&conv->ends[from], ends, 0) | qcapint_ends_differ(&conv->ends[!from], ends, 1)) == 0;
}

/* The same for both directions: the lower end comes first. Of IPv4; of any. */
static inline uint32_t qcapint_ends_hash4(const qcapint_flow_t *flow, const qcapint_ends_t *ends)
{
    uint64_t a = ends->keys[0], b = ends->keys[1];
    const uint64_t keys[2] = {a < b ? a : b, a < b ? b : a};
    return qcapint_hash_pairs(&flow->key, keys, 2);
}

/* Whether the second end is the higher one. */
static inline bool qcapint_ends_ascend(const qcapint_ends_t *ends)
{
    uint64_t a = ends->keys[0], b = ends->keys[1];
    return a != b ? a < b : memcmp(ends->addresses[0], ends->addresses[1], ends->version == 4 ? 4 : 16) < 0;
}

static inline uint32_t qcapint_ends_hash(const qcapint_flow_t *flow, const qcapint_ends_t *ends)
{
    if (ends->version == 4)
        return qcapint_ends_hash4(flow, ends);
    int high = qcapint_ends_ascend(ends);
    const unsigned char *first = ends->addresses[!high], *second = ends->addresses[high];
    const uint64_t words[5] = {qcapint_ends_word(first), qcapint_ends_word(first + 8), qcapint_ends_word(second),
                               qcapint_ends_word(second + 8), (uint16_t)ends->keys[!high] | ends->keys[high] << 32};
    return qcapint_hash_pairs(&flow->key, words, 5);
}

/* Finds it in a bucket. */
static inline qcapint_conv_t *qcapint_flow_look(const qcapint_flow_bucket_t *bucket, uint32_t hash,
                                                const qcapint_ends_t *ends, bool *is_server)
{
    for (unsigned slots = qcapint_flow_slots(bucket, hash); slots; slots &= slots - 1) {
        qcapint_conv_t *conv = bucket->convs[__builtin_ctz(slots)];
        if (conv && qcapint_ends_are(conv, ends, is_server)) /* who left leaves his hash behind */
            return conv;
    }
    return NULL;
}

static inline qcapint_conv_t *qcapint_flow_find(const qcapint_flow_t *flow, uint32_t hash, const qcapint_ends_t *ends, bool *is_server)
{
    const qcapint_flow_bucket_t *bucket = qcapint_flow_bucket(&flow->table, hash);
    qcapint_conv_t *conv = qcapint_flow_look(bucket, hash, ends, is_server);
    for (uint32_t at = 1; !conv && bucket->passed > 0 && at <= flow->table.mask; at++) {
        bucket = qcapint_flow_bucket(&flow->table, hash + at);
        conv = qcapint_flow_look(bucket, hash, ends, is_server);
    }
    return conv;
}

/* The same, if it is where the hint says; else NULL. */
static inline qcapint_conv_t *qcapint_flow_find_at(const qcapint_flow_t *flow, uint32_t hash, qcapint_flow_hint_t hint,
                                                   const qcapint_ends_t *ends, bool *is_server)
{
    const qcapint_flow_bucket_t *bucket = qcapint_flow_bucket(&flow->table, hash + hint.bucket);
    qcapint_conv_t *conv = bucket->convs[hint.slot];
    return bucket->hashes[hint.slot] == hash && conv && qcapint_ends_are(conv, ends, is_server) ? conv : NULL;
}

/* What stands where the hint says: another one, or NULL, if something has changed since. */
static inline qcapint_conv_t *qcapint_flow_hinted(const qcapint_flow_t *flow, uint32_t hash, qcapint_flow_hint_t hint)
{
    return qcapint_flow_bucket(&flow->table, hash + hint.bucket)->convs[hint.slot];
}

/* Where it will be looked for. */
static inline void qcapint_flow_fetch_bucket(const qcapint_flow_t *flow, uint32_t hash)
{
    const qcapint_flow_bucket_t *bucket = qcapint_flow_bucket(&flow->table, hash);
    __builtin_prefetch(bucket);
    __builtin_prefetch((const void *)((uintptr_t)bucket + sizeof *bucket));
}

/* Fetches a conversation whose bucket is there. */
static inline qcapint_flow_hint_t qcapint_flow_fetch(const qcap_t *q, uint32_t hash)
{
    qcapint_flow_hint_t hint = {0, 0};
    const qcapint_flow_bucket_t *bucket = qcapint_flow_bucket(&q->flow.table, hash);
    unsigned slots = qcapint_flow_slots(bucket, hash);
    if (!slots && bucket->passed > 0) {
        hint.bucket = 1;
        bucket = qcapint_flow_bucket(&q->flow.table, hash + 1);
        slots = qcapint_flow_slots(bucket, hash);
    }
    if (!slots)
        return hint;
    hint.slot = (uint8_t)__builtin_ctz(slots);
    qcapint_fetch(bucket->convs[hint.slot], sizeof(qcapint_conv_t)); /* if it is another one, nothing is lost */
    return hint;
}

/* Whether a conversation that has a packet now need not be moved in, or to, the list: note [lazy lists] in flow.c. */
static inline bool qcapint_flow_is_in_place(const qcap_t *q, const qcapint_conv_t *conv, qcapint_flow_list_t which)
{
    const qcapint_flow_queue_t *list = &q->flow.lists[which];
    return conv->list == which && conv->epoch == list->epoch && q->now_ns < list->epoch_end_ns &&
           !qcapint_budget_is_scarce(&q->budget);
}

#endif
