/* blocks.c: the memory of a conversation beyond its own block: what the memory handler gave, as a list, so that all of it is
 * given back. */
#include "parsing.h"

#include <string.h>

/* In front of each. */
typedef struct head {
    struct head *next, *previous;
    size_t size; /* with the head */
    size_t unused; /* what follows is aligned for any type */
} head_t;

void *qcapint_blocks_get(qcap_conversation_t *c, size_t size)
{
    head_t *head = c->memory && size <= SIZE_MAX - sizeof *head ? c->memory(NULL, sizeof *head + size, c->user) : NULL;
    if (!head)
        return NULL;
    *head = (head_t){.size = sizeof *head + size, .next = c->blocks};
    if (head->next)
        head->next->previous = head;
    c->blocks = head;
    return head + 1;
}

void *qcap_conversation_get(qcap_conversation_t *c, size_t size)
{
    void *block = qcapint_blocks_get(c, size);
    return block ? memset(block, 0, size) : NULL;
}

static size_t size_of(const void *block)
{
    const head_t *head = (const head_t *)block - 1;
    return head->size - sizeof *head;
}

void qcap_conversation_put(qcap_conversation_t *c, void *block)
{
    if (!block)
        return;
    head_t *head = (head_t *)block - 1;
    if (head->previous)
        head->previous->next = head->next;
    else
        c->blocks = head->next;
    if (head->next)
        head->next->previous = head->previous;
    c->memory(head, head->size, c->user);
}

void qcap_conversation_fini(qcap_conversation_t *c)
{
    if (c->blocks) /* what sub-streams have is one of these */
        qcapint_substream_fini(c);
    while (c->blocks)
        qcap_conversation_put(c, (head_t *)c->blocks + 1);
}

/* ---------------------------------------------------------------- bytes that are kept */

#define UNDECIDED_MIN 256u

/* Room for `size` bytes, of which the first `len` are there. False if there is none. */
static bool make_room(qcap_parser_t *p, size_t size, size_t len)
{
    size_t room = p->undecided ? size_of(p->undecided) - sizeof *p->undecided : 0, wanted = room ? room : UNDECIDED_MIN;
    if (size <= room)
        return true;
    while (wanted < size)
        wanted *= 2;
    qcap_undecided_t *larger =
        size <= QCAP_UNDECIDED_MAX ? qcapint_blocks_get(p->conversation, sizeof *p->undecided + wanted) : NULL;
    if (!larger)
        return false;
    if (len > 0)
        memcpy(larger->bytes, p->undecided->bytes, len);
    qcap_conversation_put(p->conversation, p->undecided);
    p->undecided = larger;
    return true;
}

void qcapint_blocks_keep(qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    const qcap_undecided_t *before = p->undecided;
    bool goes_on = before && before->end == p->piece_offset && begin < p->piece_offset;
    uint64_t first = goes_on ? before->begin : p->piece_offset;
    if (begin < first) /* what was before it was certain to be none of it */
        begin = first;
    size_t kept = goes_on ? (size_t)(p->piece_offset - begin) : 0;
    if (kept > 0)
        memmove(p->undecided->bytes, before->bytes + (begin - before->begin), kept);
    uint64_t from = begin > p->piece_offset ? begin : p->piece_offset;
    size_t len = (size_t)(end - from);
    bool has_room = len <= QCAP_UNDECIDED_MAX - kept && make_room(p, kept + len, kept);
    if (!has_room || !p->undecided) /* nothing is kept: of no bytes there need be no room */
        return;
    if (len > 0)
        memcpy(p->undecided->bytes + kept, p->piece + (from - p->piece_offset), len);
    p->undecided->begin = begin;
    p->undecided->end = end;
}

const unsigned char *qcapint_blocks_kept(const qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    const qcap_undecided_t *u = p->undecided;
    return u && u->begin <= begin && end <= u->end ? u->bytes + (begin - u->begin) : NULL;
}
