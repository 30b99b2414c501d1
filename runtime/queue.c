/* queue.c: what one side leaves for the other: requests that wait for their responses.
 *
 * Entries come out in the order in which they went in, or are found by a key. A search by key looks at one entry after the
 * other: queues are as long as there are requests under way. */
#include "parsing.h"

#include <string.h>

#define SECOND_SIZE 4u /* entries that there is room for, when one is not enough */

static qcap_queue_entry_t *queue_entry(const qcap_conversation_t *c, unsigned queue, uint32_t index)
{
    const qcap_queue_state_t *state = &c->queues[queue];
    uint32_t behind = state->size - state->first; /* entries up to the end of the ring */
    return &state->entries[(size_t)(index < behind ? state->first + index : index - behind) * c->protocol->queues[queue].stride];
}

static void drop_first(qcap_conversation_t *c, unsigned queue)
{
    qcap_queue_state_t *state = &c->queues[queue];
    state->first = state->first + 1 < state->size ? state->first + 1 : 0;
    state->count--;
}

/* Those before it move up by one. */
static void drop(qcap_conversation_t *c, unsigned queue, uint32_t index)
{
    for (; index > 0; index--)
        memcpy(queue_entry(c, queue, index), queue_entry(c, queue, index - 1),
               c->protocol->queues[queue].stride * sizeof(qcap_queue_entry_t));
    drop_first(c, queue);
}

/* ---------------------------------------------------------------- keys */

/* The register's value as a key: a number, or a text and its length. */
typedef struct key {
    uint64_t value;
    const unsigned char *text; /* NULL: it is a number */
    bool is_set;
} key_t;

static key_t key_of(const qcap_parser_t *p, unsigned reg)
{
    bool is_shared = reg & QCAP_SHARED;
    const qcap_text_t *texts = is_shared ? protocol_of(p)->shared_texts : protocol_of(p)->register_texts;
    if (texts[reg & ~QCAP_SHARED].size == 0) {
        qcap_number_t n = qcapint_value_of(p, reg);
        return (key_t){n.value, NULL, n.state == QCAP_NUMBER_SET};
    }
    qcap_bytes_t bytes = qcap_bytes(p, reg & ~QCAP_SHARED, is_shared);
    return (key_t){bytes.len, bytes.bytes, bytes.state == QCAP_NUMBER_SET};
}

static bool has_key(const qcap_queue_entry_t *entry, const key_t *key)
{
    const qcap_queue_key_t *of_entry = (const qcap_queue_key_t *)(const void *)(entry + 1);
    return entry->has_key && of_entry->value == key->value &&
           (!key->text || memcmp(of_entry->text, key->text, (size_t)key->value) == 0);
}

/* The oldest entry with that key: its index, or the number of entries. */
static uint32_t find(const qcap_parser_t *p, unsigned queue, unsigned reg)
{
    const qcap_conversation_t *c = p->conversation;
    key_t key = key_of(p, reg);
    uint32_t i = 0;
    while (i < c->queues[queue].count && !(key.is_set && has_key(queue_entry(c, queue, i), &key)))
        i++;
    return i;
}

static void set_key(qcap_queue_entry_t *entry, const key_t *key)
{
    qcap_queue_key_t *of_entry = (qcap_queue_key_t *)(void *)(entry + 1);
    entry->has_key = key->is_set;
    of_entry->value = key->value;
    if (key->text)
        memcpy(of_entry->text, key->text, (size_t)key->value);
}

/* ---------------------------------------------------------------- push */

/* Makes room for more entries, up to the capacity, if there is memory. */
static void grow(qcap_conversation_t *c, unsigned queue)
{
    qcap_queue_state_t *state = &c->queues[queue];
    uint32_t capacity = c->protocol->queues[queue].capacity, wanted = state->size > 1 ? state->size * 2 : SECOND_SIZE;
    uint32_t size = wanted < capacity ? wanted : capacity;
    size_t stride = c->protocol->queues[queue].stride;
    qcap_queue_entry_t *entries = qcapint_blocks_get(c, size * stride * sizeof *entries);
    if (!entries)
        return;
    uint32_t behind = state->size - state->first, straight = state->count < behind ? state->count : behind;
    memcpy(entries, state->entries + state->first * stride, straight * stride * sizeof *entries);
    memcpy(entries + straight * stride, state->entries, (state->count - straight) * stride * sizeof *entries);
    if (state->size > 1)
        qcap_conversation_put(c, state->entries);
    state->entries = entries;
    state->size = size;
    state->first = 0;
}

/* The place of a new entry, or NULL. A full queue whose entries are found by key gives up the oldest: the one that it belongs to
 * has most likely been lost. In one that goes by order, that would shift all pairs: it remembers that one is missing. */
static qcap_queue_entry_t *new_entry(qcap_parser_t *p, unsigned queue, bool has_key, uint64_t at)
{
    qcap_conversation_t *c = p->conversation;
    qcap_queue_state_t *state = &c->queues[queue];
    if (state->count == state->size && state->size < c->protocol->queues[queue].capacity)
        grow(c, queue);
    bool is_full = state->count == state->size;
    if (is_full)
        qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, "queue-full", at, at);
    if (is_full && !has_key) {
        state->missing++;
        return NULL;
    }
    if (is_full)
        drop_first(c, queue);
    qcap_queue_entry_t *entry = queue_entry(c, queue, state->count++);
    entry->missing = state->missing;
    state->missing = 0;
    return entry;
}

void qcap_op_push(qcap_parser_t *p, unsigned queue, unsigned reg, unsigned key, uint64_t at)
{
    const qcap_parser_t *other = other_side(p);
    if (p->has_error || other->is_absent) /* nobody would pop it */
        return;
    qcap_queue_entry_t *entry = new_entry(p, queue, key != QCAP_NONE, at);
    if (!entry)
        return;
    qcap_number_t value = qcapint_value_of(p, reg);
    entry->has_key = false;
    if (key != QCAP_NONE) {
        key_t found_by = key_of(p, key);
        set_key(entry, &found_by);
    }
    entry->value = value.value;
    entry->is_set = value.state == QCAP_NUMBER_SET;
    entry->position = at;
    entry->other = qcap_parser_offset(other);
}

/* ---------------------------------------------------------------- pop */

/* Pairing must not shift when an answer was lost: if the second entry was pushed after that side had seen bytes beyond our last
 * pop, but none of this message, then the first entry's answer is among what was lost. */
static void drop_lost(qcap_parser_t *p, unsigned queue)
{
    qcap_conversation_t *c = p->conversation;
    uint64_t begin = p->depth > 0 ? begin_of(p, &side_slots(p)[0]) : here(p);
    while (c->queues[queue].count >= 2) {
        const qcap_queue_entry_t *next = queue_entry(c, queue, 1);
        if (next->other <= p->popped || next->other > begin)
            break;
        drop_first(c, queue);
        queue_entry(c, queue, 0)->missing = 0;
    }
}

/* Whether it is the turn of an entry that there was no room for; its turn is over then. */
static bool pass_missing(qcap_conversation_t *c, unsigned queue)
{
    qcap_queue_state_t *state = &c->queues[queue];
    uint32_t *missing = state->count > 0 ? &queue_entry(c, queue, 0)->missing : &state->missing;
    if (*missing == 0)
        return false;
    --*missing;
    return true;
}

/* The index of the entry that is meant; the number of entries if it is not there. */
static uint32_t choose(qcap_parser_t *p, const qcap_control_t *control)
{
    if (control->key != QCAP_NONE)
        return find(p, control->queue, control->key);
    if (p->is_lossy)
        drop_lost(p, control->queue);
    return 0;
}

/* The entry may still be pushed. What has no key has no entry, and never will. */
static bool may_come(const qcap_parser_t *p, const qcap_control_t *control)
{
    const qcap_parser_t *other = other_side(p);
    if (control->key != QCAP_NONE && !key_of(p, control->key).is_set)
        return false;
    return !other->is_absent && !other->is_finished && !other->has_failed && !other->has_become && !p->is_hurried &&
           !p->is_finished && !p->is_datagram && !p->substream;
}

bool qcapint_parser_pop(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_conversation_t *c = p->conversation;
    uint32_t index = choose(p, control);
    bool is_missing = control->key == QCAP_NONE && pass_missing(c, control->queue);
    qcapint_value_reset(p, control->reg);
    if (!is_missing && index == c->queues[control->queue].count)
        return !may_come(p, control);
    if (!is_missing) {
        const qcap_queue_entry_t *entry = queue_entry(c, control->queue, index);
        if (entry->is_set)
            qcapint_value_put(p, control->reg, entry->value);
        drop(c, control->queue, index);
    }
    p->popped = here(p);
    p->is_lossy = false;
    return true;
}
