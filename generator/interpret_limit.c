/* interpret_limit.c: elements that are too long, and what stays undecided for too long. */
#include "interpreter.h"

static bool has_place(const effect_t *effect)
{
    switch (effect->kind) {
    case EFFECT_SET:
    case EFFECT_RESET:
    case EFFECT_LOCAL_OPEN:
    case EFFECT_LOCAL_CLOSE:
    case EFFECT_MARK:
    case EFFECT_ROLLBACK:
    case EFFECT_ATOMIC_BEGIN:
    case EFFECT_ATOMIC_END:
        return false;
    default:
        return true;
    }
}

static uint64_t oldest_of(const readings_t *readings, uint64_t oldest)
{
    for (size_t i = 0; i < readings->count; i++) {
        const deeds_t *deeds = &readings->items[i].deeds;
        for (size_t k = 0; k < deeds->count; k++)
            if (has_place(deeds->items[k].effect) && deeds->items[k].at < oldest)
                oldest = deeds->items[k].at;
    }
    return oldest;
}

/* Where the oldest thing that is not certain yet began. */
static uint64_t oldest_pending(const side_t *side)
{
    uint64_t oldest = side->is_entry ? side->offset : oldest_of(&side->readings, side->offset);
    for (size_t i = 0; i < side->joints.count; i++)
        oldest = oldest_of(&side->joints.items[i], oldest);
    if (side->list.count && side->list.items[0].deed.at < oldest)
        oldest = side->list.items[0].deed.at;
    return oldest;
}

static slot_t *oldest_element(side_t *side)
{
    for (size_t i = 0; i < side->slots.count; i++) {
        slot_t *slot = &side->slots.items[i];
        if (slot->element && !slot->element->is_stream && !slot->element->separator && !slot->is_done)
            return slot;
    }
    return NULL;
}

bool limit_is_past(side_t *side)
{
    const slot_t *slot = oldest_element(side);
    uint32_t limit = side->owner->limit;
    if (side->is_datagram) /* all of it is at hand */
        return false;
    return (slot && side->offset - slot->begin > limit) || side->offset - oldest_pending(side) > limit;
}

void limit_tell(side_t *side)
{
    uint32_t limit = side->owner->limit;
    if (side->is_datagram)
        return;
    for (slot_t *slot; (slot = oldest_element(side)) != NULL && side->offset - slot->begin >= limit;) {
        slot->is_done = true;
        effect_send(side, (interpret_event_t){.kind = INTERPRET_ELEMENT,
                                              .is_truncated = true,
                                              .path = slot->element->path,
                                              .begin = slot->begin,
                                              .end = slot->begin + limit});
    }
}

void limit_enforce(side_t *side)
{
    uint32_t limit = side->owner->limit;
    if (side->is_datagram)
        return;
    limit_tell(side);
    if (side->offset - oldest_pending(side) >= limit)
        effect_fail(side, INTERPRET_ERROR_LIMIT, drive_rule(side), side->offset);
}
