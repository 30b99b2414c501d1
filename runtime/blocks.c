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
