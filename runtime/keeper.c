/* keeper.c: keeps the bytes that a parser still needs, for those whose input does not stay where it was. */
#include "parsing.h"

#include <string.h>

void qcap_keeper_init(qcap_keeper_t *k, void *buffer, size_t size)
{
    *k = (qcap_keeper_t){.buffer = buffer, .size = size};
}

size_t qcap_keeper_size(const qcap_conversation_t *c)
{
    size_t ahead = c->protocol->until_max + 1u;
    return c->limit + (ahead > QCAP_SEARCH_MAX ? ahead : QCAP_SEARCH_MAX);
}

/* Keeps [held, end of the piece), of which a part may be kept already. */
static void keep(qcap_keeper_t *k, uint64_t held)
{
    uint64_t kept_end = k->begin + k->len;
    if (held >= kept_end) {
        k->len = 0;
        k->begin = held;
    } else if (held > k->begin) {
        memmove(k->buffer, k->buffer + (held - k->begin), (size_t)(kept_end - held));
        k->len = (size_t)(kept_end - held);
        k->begin = held;
    }
    uint64_t from = k->begin + k->len, end = k->piece_begin + k->piece_len;
    if (from < k->piece_begin || end <= from)
        return;
    size_t len = (size_t)(end - from);
    if (len > k->size - k->len)
        len = k->size - k->len;
    if (len > 0) /* there may be no buffer */
        memcpy(k->buffer + k->len, k->piece + (from - k->piece_begin), len);
    k->len += len;
}

void qcapint_keeper_keep(qcap_keeper_t *k, const qcap_parser_t *p, const unsigned char *piece, size_t len)
{
    k->piece = piece;
    k->piece_begin = k->begin = qcap_parser_offset(p) - len;
    k->piece_len = len;
    k->len = 0;
    keep(k, qcap_parser_held(p));
    k->piece_len = 0;
}

const unsigned char *qcapint_keeper_whole(qcap_keeper_t *k, uint64_t begin, uint64_t end)
{
    uint64_t kept_end = k->begin + k->len;
    size_t more = end > kept_end ? (size_t)(end - kept_end) : 0;
    if (begin < k->begin || begin > kept_end || end - begin > k->size)
        return NULL;
    if (more > 0 && end > k->piece_begin + k->piece_len)
        return NULL;
    if (more > k->size - k->len) { /* what began so far before has been told, cut at the limit */
        size_t gone = more - (k->size - k->len);
        memmove(k->buffer, k->buffer + gone, k->len - gone);
        k->begin += gone;
        k->len -= gone;
    }
    if (more > 0) /* behind what is kept; it is kept there, too, if it is needed again */
        memcpy(k->buffer + k->len, k->piece + (kept_end - k->piece_begin), more);
    return k->buffer + (begin - k->begin);
}

size_t qcap_keeper_feed(qcap_keeper_t *k, qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    k->piece = bytes ? bytes : qcapint_no_bytes;
    k->piece_begin = qcap_parser_offset(p);
    if (k->begin + k->len != k->piece_begin) { /* a gap: what was before it is no use any more */
        k->begin = k->piece_begin;
        k->len = 0;
    }
    k->piece_len = len;
    size_t taken = qcap_parser_feed(p, bytes, len);
    k->piece_len = taken;
    keep(k, qcap_parser_held(p));
    k->piece_len = 0;
    return taken;
}

static size_t copy_part(uint64_t have, const unsigned char *bytes, size_t have_len, uint64_t begin, uint64_t end,
                        unsigned char *to)
{
    uint64_t from = begin > have ? begin : have;
    uint64_t until = end < have + have_len ? end : have + have_len;
    if (until <= from)
        return 0;
    memcpy(to + (from - begin), bytes + (from - have), (size_t)(until - from));
    return (size_t)(until - from);
}

size_t qcap_keeper_copy(const qcap_keeper_t *k, uint64_t begin, uint64_t end, void *to)
{
    uint64_t kept_end = k->begin + k->len;
    size_t copied = copy_part(k->begin, k->buffer, k->len, begin, end, to);
    uint64_t from = kept_end > begin && copied > 0 ? kept_end : begin;
    if (from >= end || k->piece_len == 0)
        return copied;
    return copied + copy_part(k->piece_begin, k->piece, k->piece_len, from, end, (unsigned char *)to + (from - begin));
}
