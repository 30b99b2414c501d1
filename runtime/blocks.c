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
    qcapint_substream_fini(c);
    while (c->blocks)
        qcap_conversation_put(c, (head_t *)c->blocks + 1);
}

/* ---------------------------------------------------------------- bytes that are kept */

void qcapint_blocks_keep(qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    bool goes_on = p->undecided_end == p->piece_offset && p->undecided_begin <= begin && begin < p->piece_offset;
    if (!p->undecided)
        p->undecided = qcapint_blocks_get(p->conversation, QCAP_UNDECIDED_MAX);
    if (!p->undecided)
        return;
    if (!goes_on && begin < p->piece_offset) /* what was before it was certain to be none of it */
        begin = p->piece_offset;
    size_t kept = goes_on ? (size_t)(p->piece_offset - begin) : 0;
    if (kept > 0)
        memmove(p->undecided, p->undecided + (begin - p->undecided_begin), kept);
    uint64_t from = begin > p->piece_offset ? begin : p->piece_offset;
    size_t len = (size_t)(end - from);
    if (len > QCAP_UNDECIDED_MAX - kept)
        return;
    if (len > 0)
        memcpy(p->undecided + kept, p->piece + (from - p->piece_offset), len);
    p->undecided_begin = begin;
    p->undecided_end = end;
}

const unsigned char *qcapint_blocks_kept(const qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    bool is_kept = p->undecided && p->undecided_begin <= begin && end <= p->undecided_end;
    return is_kept ? p->undecided + (begin - p->undecided_begin) : NULL;
}
