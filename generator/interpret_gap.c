/* interpret_gap.c: missing bytes: skipped where nobody would have looked at them, else an error. */
#include "interpreter.h"

/* Is a value made of the bytes that are read now? */
static bool is_converting(const side_t *side)
{
    for (size_t i = 0; i < side->readings.count; i++) {
        const deeds_t *deeds = &side->readings.items[i].deeds;
        for (size_t k = 0; k < deeds->count; k++)
            if (deeds->items[k].effect->kind == EFFECT_CONVERT_OPEN)
                return true;
    }
    return side->begun.count > 0;
}

/* Does every byte do the same? Each reading that goes on takes any. */
static bool is_blind(side_t *side)
{
    charset_t all = charset_range(0, 255);
    size_t readers = 0;
    for (size_t i = 0; i < side->readings.count; i++) {
        charset_t first = walk_first(side->owner->walk, side->readings.items[i].spot);
        if (charset_is_empty(&first))
            continue;
        if (side->readings.items[i].spot->kind == SPOT_STOP || !charset_equal(&first, &all))
            return false;
        readers++;
    }
    return readers > 0 && !is_converting(side);
}

static bool is_same_place(const readings_t *a, const readings_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].spot != b->items[i].spot)
            return false;
    return true;
}

/* How many missing bytes can be skipped because none would have been looked at. */
static uint64_t skip_unseen(side_t *side, uint64_t len)
{
    interpret_t *it = side->owner;
    uint64_t left = (drive_region(side) ? drive_region(side)->end : UINT64_MAX) - side->offset;
    uint64_t skipped = len < left ? len : left;
    if (region_is_looking(side)) /* what it looks for may be in the hole */
        return 0;
    if (side->is_skipping)
        return skipped;
    for (uint64_t i = 0; i < skipped; i++) {
        if (side->is_entry || !is_blind(side))
            return i;
        deeds_t certain = {0};
        uint64_t at = side->offset + i + 1;
        readings_t next = reading_step(it->walk, it->readings, drive_next_number(it), &side->readings, 0, at);
        reading_settle(it->walk, it->readings, &next, at - 1, &certain);
        bool is_loop = is_same_place(&next, &side->readings);
        side->readings = next;
        if (certain.count) { /* whichever byte it was: done behind the hole */
            side->certain = certain;
            side->is_entry = true;
            return i + 1;
        }
        if (is_loop && i + 2 < skipped)
            i = skipped - 2; /* all alike from here on; the last one says where a rule that ends with it ends */
    }
    return skipped;
}

static void note_gap(side_t *side, uint64_t len)
{
    const char *path = NULL;
    for (size_t i = 0; i < side->slots.count; i++)
        if (side->slots.items[i].element && side->slots.items[i].element->is_stream)
            path = side->slots.items[i].element->path;
    drive_lose_conversions(side);
    effect_send(
        side,
        (interpret_event_t){.kind = INTERPRET_GAP, .path = path, .begin = side->offset, .end = side->offset + len});
    drive_add_bytes(side, NULL, (size_t)len);
    drive_mark(side, side->offset, side->offset + len, BYTE_MISSING);
    feed_gap(side, side->offset, side->offset + len);
    side->offset += len;
}

void drive_gap(side_t *side, uint64_t len)
{
    const interpret_t *it = side->owner;
    if (side->is_finished || side->has_become || !side->start || it->complaint)
        return;
    if (side->has_failed) {
        drive_add_bytes(side, NULL, (size_t)len);
        side->offset += len;
        return;
    }
    drive_read_last(side);
    while (len > 0 && !side->has_become && !it->complaint) {
        side->is_waiting = false;
        drive_run(side, false);
        uint64_t skipped = side->is_searching || side->has_failed ? len : skip_unseen(side, len);
        if (skipped == 0) { /* a byte that would have been looked at */
            drive_fail_here(side, INTERPRET_ERROR_MISSING, -1);
            drive_recover(side, false);
            continue;
        }
        if (side->is_searching)
            drive_search_from_here(side);
        note_gap(side, skipped);
        side->candidate = side->offset;
        if (side->is_searching)
            drive_search_from_here(side);
        len -= skipped;
    }
    drive_run(side, false);
    side->is_last = false;
}

void interpret_gap(interpret_t *it, bool is_server, uint64_t len)
{
    drive_gap(&it->sides[is_server], len);
}
