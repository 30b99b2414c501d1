/* queue.c: what one side leaves for the other: requests that wait for their responses. */
#include "parsing.h"

static qcap_queue_entry_t *queue_entry(const qcap_conversation_t *c, unsigned queue, uint32_t index)
{
    const qcap_queue_t *q = &c->protocol->queues[queue];
    qcap_queue_entry_t *entries = (qcap_queue_entry_t *)(void *)((unsigned char *)c->extra + q->offset);
    return &entries[(c->queues[queue].first + index) % q->capacity];
}

void qcap_op_push(qcap_parser_t *p, unsigned queue, unsigned reg, uint64_t at)
{
    qcap_conversation_t *c = p->conversation;
    if (p->has_error)
        return;
    if (!c->extra && c->memory)
        c->extra = c->memory(c->protocol->extra_size, c->user);
    if (!c->extra || c->queues[queue].count == c->protocol->queues[queue].capacity) {
        qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, "queue-full", at, at);
        return;
    }
    qcap_number_t value = qcap_register(p, reg);
    *queue_entry(c, queue, c->queues[queue].count++) =
        (qcap_queue_entry_t){.value = value.value,
                             .is_set = value.state == QCAP_NUMBER_SET,
                             .position = at,
                             .other = qcap_parser_offset(other_side(p))};
}

static void drop_first(qcap_conversation_t *c, unsigned queue)
{
    c->queues[queue].first = (c->queues[queue].first + 1) % c->protocol->queues[queue].capacity;
    c->queues[queue].count--;
}

/* Pairing must not shift when an answer was lost: if the second entry was pushed after that side had seen bytes beyond our last
 * pop, but none of this message, then the first entry's answer is among what was lost. */
static void drop_lost(qcap_parser_t *p, unsigned queue)
{
    qcap_conversation_t *c = p->conversation;
    uint64_t begin = p->depth > 0 ? p->slots[0].begin : here(p);
    while (c->queues[queue].count >= 2) {
        const qcap_queue_entry_t *next = queue_entry(c, queue, 1);
        if (next->other <= p->popped || next->other > begin)
            break;
        drop_first(c, queue);
    }
}

bool qcapint_parser_pop(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_conversation_t *c = p->conversation;
    const qcap_parser_t *other = other_side(p);
    qcap_op_reset(p, control->reg);
    if (c->queues[control->queue].count == 0) {
        bool may_come = !other->is_absent && !other->is_finished && !other->has_failed && !other->has_become;
        return !may_come || p->is_hurried || p->is_finished;
    }
    if (p->is_lossy)
        drop_lost(p, control->queue);
    const qcap_queue_entry_t *entry = queue_entry(c, control->queue, 0);
    if (entry->is_set) {
        p->registers[control->reg].value = entry->value;
        p->set |= (uint64_t)1 << control->reg;
    }
    drop_first(c, control->queue);
    p->popped = here(p);
    p->is_lossy = false;
    return true;
}
