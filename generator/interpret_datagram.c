/* interpret_datagram.c: datagrams, each of which is read by itself. */
#include "interpreter.h"

static void unset_registers(side_t *side)
{
    for (size_t i = 0; i < side->owner->grammar->registers.count; i++)
        side->registers[i] = number_unset();
}

/* The next one is another matter; so is a stream, which begins at its beginning. */
static void forget(side_t *side)
{
    side->has_failed = side->is_skipping = side->is_datagram = side->is_last = false;
    side->regions.count = side->slots.count = side->begun.count = side->list.count = side->saved.count = side->joints.count = 0;
    side->joined.depth = 0;
    side->skip_len = 0;
    side->offset = side->bytes.count;
    if (side->start)
        drive_begin_at(side, side->start);
}

void drive_datagram(side_t *side, spot_t *start, const unsigned char *bytes, size_t len)
{
    side->datagram_begin = side->offset;
    side->jumped = 0;
    side->is_datagram = side->is_last = true;
    drive_add_bytes(side, bytes, len);
    drive_begin_at(side, start);
    drive_read(side);
    drive_end(side);
    bool is_in_order = !side->has_error && !side->has_failed && !side->has_become;
    if (side->has_error)
        drive_report(side, NULL);
    feed_end_all(side, is_in_order);
    forget(side);
}

void interpret_datagram(interpret_t *it, bool is_server, const unsigned char *bytes, size_t len)
{
    side_t *side = &it->sides[is_server];
    if (!side->datagram || side->is_finished || side->has_become || it->complaint)
        return;
    unset_registers(side);
    drive_datagram(side, side->datagram, bytes, len);
}
