/* operation.c: what machines do: elements and streams open and close, anomalies are told, events go to the handler.
 *
 * The generator's regop.h has the meaning of each operation. Where one has failed, those behind it on the same edge do nothing:
 * the driver is about to report. */
#include "parsing.h"

/* ---------------------------------------------------------------- events */

void qcapint_parser_tell(qcap_parser_t *p, qcap_event_kind_t kind, const char *text, uint64_t begin, uint64_t end)
{
    qcap_event_t event = {.kind = kind, .element = QCAP_NONE, .begin = begin, .end = end, .text = text};
    send_event(p, &event);
}

/* Most events come from here: every member is written once. */
void qcap_op_tell(qcap_parser_t *p, unsigned element, const unsigned char *begin, const unsigned char *end)
{
    qcap_event_t *event = p->conversation->told;
    uint64_t origin = qcap_origin(p);
    event->element = (uint16_t)element;
    event->begin = origin + (uintptr_t)begin;
    event->end = origin + (uintptr_t)end;
    event->bytes = begin;
    send_event(p, event);
}

void qcap_op_tell_at(qcap_parser_t *p, unsigned element, uint64_t begin, uint64_t end)
{
    qcap_event_t *event = p->conversation->told;
    event->element = (uint16_t)element;
    event->begin = begin;
    event->end = end;
    event->bytes = bytes_at(p, begin);
    send_event(p, event);
}

/* ---------------------------------------------------------------- stream elements */

/* What stream_depth is when the stream element has closed: the rule that it is may go on to feed. */
static uint16_t fed_depth(const qcap_parser_t *p, const qcap_slot_t *slot)
{
    const qcap_slot_t *feed = is_feed(qcap_slot_element(slot)) ? NULL : feed_of(p, slot);
    return feed ? (uint16_t)(feed - side_slots(p) + 1) : 0;
}

/* See note [undecided] in parser.c. */
static __attribute__((noinline)) void deliver_undecided(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, slot);
    const unsigned char *bytes = qcapint_blocks_kept(p, p->streamed, end);
    const qcap_event_t event = {.kind = bytes ? QCAP_EVENT_PIECE : QCAP_EVENT_GAP, .element = (uint16_t)qcap_slot_element(slot), .begin = p->streamed,
                                .end = end, .bytes = bytes};
    size_t len = (size_t)(end - p->streamed);
    p->streamed = end;
    if (is_wanted(p, qcap_slot_element(slot)))
        send_event(p, &event);
    if (feed && bytes)
        qcapint_substream_feed(p, qcap_slot_element(feed) - QCAP_FEED, bytes, len);
    else if (feed)
        qcapint_substream_gap(p, qcap_slot_element(feed) - QCAP_FEED, len);
}

void qcapint_stream_deliver(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, slot);
    if (end > p->streamed && p->streamed < p->piece_offset)
        deliver_undecided(p, slot, end < p->piece_offset ? end : p->piece_offset);
    uint64_t begin = p->streamed;
    if (end <= begin)
        return;
    deliver_piece(p, slot, end);
    if (feed)
        qcapint_substream_feed(p, qcap_slot_element(feed) - QCAP_FEED, bytes_at(p, begin), (size_t)(end - begin));
}

void qcapint_parser_leave(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->joined_depth > depth)
        p->joined_depth = 0;
    while (p->depth > depth) {
        const qcap_slot_t *slot = &side_slots(p)[--p->depth];
        if (p->stream_depth != p->depth + 1)
            continue;
        p->stream_depth = fed_depth(p, slot);
        qcapint_stream_deliver(p, slot, at);
        if (is_feed(qcap_slot_element(slot)))
            qcapint_substream_break(p, qcap_slot_element(slot) - QCAP_FEED);
        if (is_wanted(p, qcap_slot_element(slot)))
            send_span(p, QCAP_EVENT_END, qcap_slot_element(slot), begin_of(p, slot), p->streamed, QCAP_EVENT_ABORTED);
    }
}

void qcapint_parser_abandon(qcap_parser_t *p)
{
    if (p->is_skipping)
        qcapint_region_end_skipping(p);
    qcapint_parser_leave(p, 0, here(p));
    qcapint_substream_end_all(p, false);
}

/* ---------------------------------------------------------------- operations */

static void open_slot(qcap_parser_t *p, unsigned depth, unsigned element, uint64_t at)
{
    qcap_slot_set(&side_slots(p)[p->base + depth], element, at);
    p->depth = (uint16_t)(p->base + depth + 1);
}

void qcap_op_open(qcap_parser_t *p, unsigned depth, unsigned element, uint64_t at)
{
    if (p->has_error)
        return;
    open_slot(p, depth, element, at);
}

void qcap_op_open_stream(qcap_parser_t *p, unsigned depth, unsigned element, uint64_t at)
{
    if (p->has_error)
        return;
    open_slot(p, depth, element, at);
    p->stream_depth = p->depth;
    p->streamed = at;
    if (is_wanted(p, element))
        send_span(p, QCAP_EVENT_BEGIN, element, at, at, 0);
}

/* An element that is wanted has ended. */
void qcap_op_deliver(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    if (qcap_slot_is_done(slot) || p->has_error)
        return;
    send_span(p, QCAP_EVENT_ELEMENT, qcap_slot_element(slot), begin_of(p, slot), end, 0);
}

void qcap_op_close(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    const qcap_slot_t *slot = &side_slots(p)[p->base + depth];
    p->depth = (uint16_t)(p->base + depth);
    p->is_confirmed = true;
    if (is_wanted(p, qcap_slot_element(slot)))
        qcap_op_deliver(p, slot, at);
}

void qcap_op_open_joined(qcap_parser_t *p, unsigned depth, unsigned element, uint64_t at)
{
    if (p->has_error)
        return;
    open_slot(p, depth, element, at);
    p->joined_depth = p->depth;
    p->joined_len = 0;
    p->is_joined_cut = p->has_part = false;
}

void qcap_op_close_joined(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    const qcap_slot_t *slot = &side_slots(p)[p->base + depth];
    p->depth = (uint16_t)(p->base + depth);
    p->is_confirmed = true;
    p->joined_depth = 0;
    if (!is_wanted(p, qcap_slot_element(slot)))
        return;
    qcap_event_t event = {.kind = QCAP_EVENT_ELEMENT,
                          .flags = p->is_joined_cut ? QCAP_EVENT_TRUNCATED : 0,
                          .element = (uint16_t)qcap_slot_element(slot),
                          .begin = begin_of(p, slot),
                          .end = at,
                          .bytes = bytes_at(p, begin_of(p, slot)),
                          .value = side_text(p) + protocol_of(p)->joined_text,
                          .value_len = p->joined_len};
    send_event(p, &event);
}

void qcap_op_close_stream(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    const qcap_slot_t *slot = &side_slots(p)[p->base + depth];
    qcapint_stream_deliver(p, slot, at);
    p->stream_depth = fed_depth(p, slot);
    p->depth = (uint16_t)(p->base + depth);
    p->is_confirmed = true;
    if (is_wanted(p, qcap_slot_element(slot)))
        send_span(p, QCAP_EVENT_END, qcap_slot_element(slot), begin_of(p, slot), at, 0);
}

/* An address or a port that is not known is an anomaly: nobody could say what is expected. */
void qcap_op_expect(qcap_parser_t *p, unsigned expect, uint64_t at)
{
    const qcap_expect_t *e = &protocol_of(p)->expects[expect];
    qcap_expected_t expected = {.transport = e->transport, .host = e->host};
    qcap_number_t port = e->port(p), address = {0, QCAP_NUMBER_SET};
    if (p->has_error)
        return;
    if (e->host == QCAP_HOST_TEXT) {
        qcap_bytes_t text = qcap_bytes(p, e->reg & ~QCAP_SHARED, e->reg & QCAP_SHARED);
        expected.text = text.bytes;
        expected.text_len = text.len;
        address.state = text.state;
    } else if (e->host == QCAP_HOST_ADDRESS) {
        address = qcapint_value_of(p, e->reg);
        expected.address = (uint32_t)address.value;
    }
    if (port.state != QCAP_NUMBER_SET || port.value > UINT16_MAX || address.state != QCAP_NUMBER_SET ||
        address.value > UINT32_MAX) {
        qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, "expect-unknown", at, at);
        return;
    }
    expected.port = (uint16_t)port.value;
    const qcap_event_t event = {.kind = QCAP_EVENT_EXPECT, .element = QCAP_NONE, .begin = at, .end = at,
                                .text = e->protocol, .expected = &expected};
    send_event(p, &event);
}

void qcap_op_feed_open(qcap_parser_t *p, unsigned depth, unsigned feed, uint64_t at)
{
    if (p->has_error)
        return;
    open_slot(p, depth, QCAP_FEED + feed, at);
    p->stream_depth = p->depth;
    p->streamed = at;
    qcapint_substream_open(p, feed, at);
}

void qcap_op_feed_close(qcap_parser_t *p, unsigned depth, unsigned feed, uint64_t at)
{
    (void)feed;
    if (p->has_error)
        return;
    qcapint_stream_deliver(p, &side_slots(p)[p->base + depth], at);
    p->depth = (uint16_t)(p->base + depth);
    p->stream_depth = 0;
}

void qcap_op_anomaly_open(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    open_slot(p, depth, QCAP_NONE, at);
}

void qcap_op_anomaly_close(qcap_parser_t *p, unsigned depth, const char *name, uint64_t at)
{
    if (p->has_error)
        return;
    p->depth = (uint16_t)(p->base + depth);
    if (open_stream(p)) /* what came before the end of the anomaly comes before the event that tells of it, whatever the pieces */
        qcapint_stream_deliver(p, open_stream(p), at);
    qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, name, begin_of(p, &side_slots(p)[p->depth]), at);
}

void qcap_op_mismatch(qcap_parser_t *p, unsigned depth, const char *name, uint64_t at)
{
    if (p->has_error)
        return;
    qcapint_parser_leave(p, p->base + depth, at);
    qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, name, at, at);
}

void qcap_op_found(qcap_parser_t *p, uint64_t at)
{
    if (p->has_error)
        return;
    qcapint_recovery_found(p, at);
}
