/* parser.c: what is the same for every generated parser: the driver between machines, control points, operations, gaps.
 *
 * A machine (generated) reads bytes and follows states until the bytes end, a control point is reached, or nothing fits. The
 * driver, run(), does the rest: evaluates control points, opens and closes regions, skips what needs no look, and reports.
 *
 * note [piece]: nothing that has been read is looked at again once its piece is gone. So when a piece ends, what is under way
 * is put away: bytes of conversions go into accumulators, bytes of stream elements to the handler. Which they are is
 * known for each state at build time (qcap_suspend_t).
 *
 * note [undecided]: a piece may end in bytes of which only those to come tell whether they belong to the open stream element, such as
 * blanks that it does not end with. They are kept: what is told of a stream has its bytes.
 *
 * note [cut-free]: events must not depend on where pieces end. Limits are therefore not checked where a piece ends but at the
 * exact offset: the driver never lets a machine run past an offset at which a limit could be met (run_end).
 *
 * note [entry]: a state that reads nothing performs operations and goes on. It runs even when no bytes are left, so that what is
 * certain is reported at once. */
#include "parsing.h"

#include <string.h>

#define JUMPED_MAX (1u << 20) /* bytes of one datagram that `at` reads */
#define IDLE_MAX 100000u /* turns of the driver without a byte: so many that it goes round */
#define IDLE_ERROR 1000u /* an error at the end of a region counts for so many */
#define SMALL_LEN 16 /* bytes of a piece that are looked at one by one, before a machine is entered */

static const unsigned char no_bytes[1];

/* ---------------------------------------------------------------- small helpers */

static bool is_accepting(const qcap_parser_t *p)
{
    return (state_of(p)->kind & QCAP_STATE_ACCEPTING) != 0;
}

static void *in_block(void *block, uint32_t offset)
{
    return (unsigned char *)block + offset;
}

/* The state that every byte leads to, with nothing else to do; or QCAP_NONE. */
static uint16_t any_of(const qcap_parser_t *p)
{
    const qcap_state_t *s = state_of(p);
    unsigned before = keep_of(p)->counter_count + (s->kind & QCAP_STATE_END ? 1u : 0u);
    return s->kind & QCAP_STATE_ANY ? edge_of(protocol_of(p), s, before)->target : QCAP_NONE;
}

static bool is_wanted(const qcap_parser_t *p, unsigned element)
{
    return element < QCAP_FEED && qcap_is_wanted(p, element);
}

/* A slot of a rule that feeds a sub-stream. */
static bool is_feed(unsigned element)
{
    return element >= QCAP_FEED && element != QCAP_NONE;
}

/* Its bytes have to be there when it ends. */
static bool is_held(const qcap_parser_t *p, unsigned element)
{
    return element < QCAP_FEED && !protocol_of(p)->elements[element].is_stream &&
           !protocol_of(p)->elements[element].separator;
}

static void send(qcap_parser_t *p, const qcap_event_t *event)
{
    if (p->substream)
        qcap_op_send(p, event);
    else
        p->conversation->on_event(p, event, p->conversation->user);
}

void qcapint_parser_send(qcap_parser_t *p, const qcap_event_t *event)
{
    send(p, event);
}

/* Most events come from here: every member is written once. */
void qcap_op_tell(qcap_parser_t *p, unsigned element, uint64_t begin, uint64_t end, const unsigned char *bytes)
{
    qcap_event_t event;
    event.kind = QCAP_EVENT_ELEMENT;
    event.flags = 0;
    event.element = (uint16_t)element;
    event.begin = begin;
    event.end = end;
    event.bytes = bytes;
    event.value = NULL;
    event.value_len = 0;
    event.text = NULL;
    event.error = NULL;
    send(p, &event);
}

/* Field by field, since most are for some kinds of events only: clearing them all takes longer than the rest. */
static inline void send_span(qcap_parser_t *p, qcap_event_kind_t kind, unsigned element, uint64_t begin, uint64_t end,
                             unsigned flags)
{
    qcap_event_t event;
    event.kind = kind;
    event.flags = flags;
    event.element = (uint16_t)element;
    event.begin = begin;
    event.end = end;
    event.bytes = kind == QCAP_EVENT_ELEMENT || kind == QCAP_EVENT_PIECE ? bytes_at(p, begin) : NULL;
    event.value = NULL;
    event.value_len = 0;
    event.text = NULL;
    event.error = NULL;
    send(p, &event);
}

__attribute__((noinline)) void qcapint_parser_tell(qcap_parser_t *p, qcap_event_kind_t kind, const char *text, uint64_t begin,
                                                   uint64_t end)
{
    qcap_event_t event = {.kind = kind, .element = QCAP_NONE, .begin = begin, .end = end, .text = text};
    send(p, &event);
}

/* ---------------------------------------------------------------- stream elements */

/* The open stream element, or NULL. There are none inside it. */
static qcap_slot_t *open_stream(const qcap_parser_t *p)
{
    return p->stream_depth ? &side_slots(p)[p->stream_depth - 1] : NULL;
}

/* The sub-stream that is fed with the bytes of the open stream element, or of the rule that the slot is; NULL: none. */
static const qcap_slot_t *feed_of(const qcap_parser_t *p, const qcap_slot_t *slot)
{
    if (slot && !is_feed(slot->element))
        slot = slot > side_slots(p) ? slot - 1 : NULL;
    return slot && is_feed(slot->element) ? slot : NULL;
}

/* What stream_depth is when the stream element has closed: the rule that it is may go on to feed. */
static uint16_t fed_depth(const qcap_parser_t *p, const qcap_slot_t *slot)
{
    const qcap_slot_t *feed = is_feed(slot->element) ? NULL : feed_of(p, slot);
    return feed ? (uint16_t)(feed - side_slots(p) + 1) : 0;
}

/* Delivers the open stream element up to `end`, which is behind what has been delivered. */
static void deliver_piece(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    uint64_t begin = p->streamed;
    p->streamed = end;
    if (is_wanted(p, slot->element))
        send_span(p, QCAP_EVENT_PIECE, slot->element, begin, end, 0);
}

/* See note [undecided]. */
static __attribute__((noinline)) void deliver_undecided(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, slot);
    const unsigned char *bytes = qcapint_blocks_kept(p, p->streamed, end);
    const qcap_event_t event = {.kind = bytes ? QCAP_EVENT_PIECE : QCAP_EVENT_GAP, .element = slot->element, .begin = p->streamed,
                                .end = end, .bytes = bytes};
    size_t len = (size_t)(end - p->streamed);
    p->streamed = end;
    if (is_wanted(p, slot->element))
        send(p, &event);
    if (feed && bytes)
        qcapint_substream_feed(p, feed->element - QCAP_FEED, bytes, len);
    else if (feed)
        qcapint_substream_gap(p, feed->element - QCAP_FEED, len);
}

/* The same, if there is any of it; and feeds with it. */
static void deliver_stream(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, slot);
    if (end > p->streamed && p->streamed < p->piece_offset)
        deliver_undecided(p, slot, end < p->piece_offset ? end : p->piece_offset);
    uint64_t begin = p->streamed;
    if (end <= begin)
        return;
    deliver_piece(p, slot, end);
    if (feed)
        qcapint_substream_feed(p, feed->element - QCAP_FEED, bytes_at(p, begin), (size_t)(end - begin));
}

/* Forgets open elements deeper than `depth`; stream elements end there and then. */
static void abandon(qcap_parser_t *p, unsigned depth)
{
    if (p->joined_depth > depth)
        p->joined_depth = 0;
    while (p->depth > depth) {
        const qcap_slot_t *slot = &side_slots(p)[--p->depth];
        if (p->stream_depth != p->depth + 1)
            continue;
        p->stream_depth = fed_depth(p, slot);
        deliver_stream(p, slot, here(p));
        if (is_feed(slot->element))
            qcapint_substream_break(p, slot->element - QCAP_FEED);
        if (is_wanted(p, slot->element))
            send_span(p, QCAP_EVENT_END, slot->element, slot->begin, p->streamed, QCAP_EVENT_ABORTED);
    }
}

/* ---------------------------------------------------------------- operations
 * Where one has failed, those behind it on the same edge do nothing: the driver is about to report. */

static void open_slot(qcap_parser_t *p, unsigned depth, unsigned element, uint64_t at)
{
    side_slots(p)[p->base + depth] = (qcap_slot_t){.begin = at, .element = (uint16_t)element};
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
    if (slot->is_done || p->has_error)
        return;
    send_span(p, QCAP_EVENT_ELEMENT, slot->element, slot->begin, end, 0);
}

void qcap_op_close(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    const qcap_slot_t *slot = &side_slots(p)[p->base + depth];
    p->depth = (uint16_t)(p->base + depth);
    p->is_confirmed = true;
    if (is_wanted(p, slot->element))
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
    if (slot->is_done || !is_wanted(p, slot->element))
        return;
    qcap_event_t event = {.kind = QCAP_EVENT_ELEMENT,
                          .flags = p->is_joined_cut ? QCAP_EVENT_TRUNCATED : 0,
                          .element = slot->element,
                          .begin = slot->begin,
                          .end = at,
                          .bytes = bytes_at(p, slot->begin),
                          .value = side_text(p) + protocol_of(p)->joined_text,
                          .value_len = p->joined_len};
    send(p, &event);
}

void qcap_op_close_stream(qcap_parser_t *p, unsigned depth, uint64_t at)
{
    if (p->has_error)
        return;
    const qcap_slot_t *slot = &side_slots(p)[p->base + depth];
    deliver_stream(p, slot, at);
    p->stream_depth = fed_depth(p, slot);
    p->depth = (uint16_t)(p->base + depth);
    p->is_confirmed = true;
    if (is_wanted(p, slot->element))
        send_span(p, QCAP_EVENT_END, slot->element, slot->begin, at, 0);
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
    send(p, &event);
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
    deliver_stream(p, &side_slots(p)[p->base + depth], at);
    p->depth = (uint16_t)(p->base + depth);
    p->stream_depth = 0;
}

void qcapint_parser_abandon(qcap_parser_t *p)
{
    qcapint_substream_end_all(p, false);
    abandon(p, 0);
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
    qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, name, side_slots(p)[p->depth].begin, at);
}

void qcap_op_mismatch(qcap_parser_t *p, unsigned depth, const char *name, uint64_t at)
{
    if (p->has_error)
        return;
    abandon(p, p->base + depth);
    qcapint_parser_tell(p, QCAP_EVENT_ANOMALY, name, at, at);
}

static void end_search(qcap_parser_t *p, uint64_t at)
{
    p->is_searching = false;
    p->is_lossy = true;
    if (at > p->skip_begin)
        send_span(p, QCAP_EVENT_SKIPPED, QCAP_NONE, p->skip_begin, at, 0);
}

void qcap_op_found(qcap_parser_t *p, uint64_t at)
{
    if (p->has_error)
        return;
    end_search(p, at);
}

void qcapint_parser_fail(qcap_parser_t *p, qcap_error_code_t code, unsigned rule, uint64_t at)
{
    if (p->has_error)
        return;
    p->has_error = true;
    p->error = (qcap_failure_t){.code = (uint8_t)code, .offset = at, .byte = -1, .rule = (uint16_t)rule};
}

/* ---------------------------------------------------------------- errors and regions */

static void become(qcap_parser_t *p)
{
    p->has_become = true;
    qcapint_parser_tell(p, QCAP_EVENT_BECOME, p->conversation->becomes, here(p), here(p));
}

/* Forgets calls and repeats but for the first `count`. */
static void drop_frames(qcap_parser_t *p, unsigned count)
{
    while (p->frame_count > count) {
        const qcap_frame_t *frame = &side_frames(p)[--p->frame_count];
        if (frame->after != QCAP_NONE)
            p->waiting = frame->left;
    }
}

/* Looks for a place to go on, from here. */
static void search_from_here(qcap_parser_t *p)
{
    p->state = p->root->search;
    p->skip_len = 0;
    drop_frames(p, 0);
    p->base = 0;
    p->candidate = here(p);
    p->later_count = p->later_text = 0;
}

static void begin_search(qcap_parser_t *p, uint64_t from)
{
    if (p->root->search == QCAP_NONE || p->is_datagram) {
        qcapint_substream_end_all(p, false);
        p->has_failed = true;
        return;
    }
    qcapint_substream_end_all(p, false);
    p->skip_begin = from;
    p->is_searching = true;
    p->region_count = p->until_count = 0;
    p->is_skipping = false;
    search_from_here(p);
}

/* What was found so far was no beginning after all: goes on at the byte that did not fit, or behind it if nothing was found. */
static void search_on(qcap_parser_t *p)
{
    p->has_error = false;
    if (p->candidate == here(p) && p->error.byte >= 0)
        p->at++;
    search_from_here(p);
}

/* Reports `p->error` and forgets it; what was opened inside the region, or at all if that is NULL, is abandoned, and so are
 * values. Returns where it was. */
static uint64_t report_error(qcap_parser_t *p, const qcap_region_t *region)
{
    qcapint_value_lose(p);
    qcapint_value_restore(p, region ? region->saved : 0);
    const qcap_failure_t *failure = &p->error;
    const char *const *texts = protocol_of(p)->texts;
    qcap_error_t error = {.code = (qcap_error_code_t)failure->code,
                          .offset = failure->offset,
                          .byte = failure->byte,
                          .rule = texts[failure->rule],
                          .expected = texts[failure->expected]};
    p->has_error = false;
    p->later_count = p->later_text = 0;
    abandon(p, region ? region->depth : 0);
    if (open_stream(p)) /* it goes on behind the region: up to here it has been read */
        deliver_stream(p, open_stream(p), here(p));
    qcap_event_t event = {.kind = QCAP_EVENT_ERROR, .element = QCAP_NONE, .begin = error.offset, .end = error.offset,
                          .error = &error};
    send(p, &event);
    return error.offset;
}

static bool is_watched(const qcap_parser_t *p, unsigned region)
{
    return protocol_of(p)->until_max > 0 && qcapint_watch(p, region)->until;
}

static uint64_t end_of(const qcap_parser_t *p, const qcap_region_t *region)
{
    return region->is_jump ? p->piece_offset + p->datagram_len : region->end;
}

static void leave_region(qcap_parser_t *p, const qcap_region_t *region)
{
    p->region_count--;
    drop_frames(p, region->frame_count);
    p->base = region->base;
    p->state = region->after;
    if (!region->is_jump)
        return;
    p->jumped += (uint32_t)(p->at - p->piece) - QCAP_JUMP_TO(region->end);
    p->at = p->piece + QCAP_JUMP_BACK(region->end);
}

/* Reports `p->error`, and finds a way to go on: behind the region, or by a search. */
static void recover(qcap_parser_t *p)
{
    if (p->is_searching && p->error.code != QCAP_ERROR_IDLE) {
        search_on(p);
        return;
    }
    const qcap_region_t *region = p->region_count ? &side_regions(p)[p->region_count - 1] : NULL;
    bool is_bounded = region && (region->end != QCAP_REGION_OPEN || is_watched(p, p->region_count - 1u));
    if (p->error.code == QCAP_ERROR_MISSING && p->until_count > 0)
        is_bounded = false; /* its end may be among what is missing */
    uint64_t offset = report_error(p, is_bounded ? region : NULL);
    if (p->is_searching) { /* it would go round again */
        p->has_failed = true;
    } else if (is_bounded && region->is_jump) {
        leave_region(p, region);
    } else if (is_bounded) {
        p->is_skipping = true;
        p->skip_begin = offset;
    } else {
        begin_search(p, offset);
    }
}

static void fail_here(qcap_parser_t *p, qcap_error_code_t code, const unsigned char *end)
{
    const qcap_about_t *about = about_of(p);
    qcapint_parser_fail(p, code, about->rule, here(p));
    p->error.expected = about->expected;
    if (code == QCAP_ERROR_SYNTAX && p->at < end)
        p->error.byte = *p->at;
}

static void begin_region(qcap_parser_t *p, const qcap_control_t *control, uint64_t end)
{
    if (p->region_count == protocol_of(p)->region_max) {
        qcapint_parser_fail(p, QCAP_ERROR_DEPTH, control->rule, here(p));
        return;
    }
    side_regions(p)[p->region_count++] = (qcap_region_t){.end = end,
                                                    .after = control->targets[1],
                                                    .depth = p->depth,
                                                    .base = p->base,
                                                    .frame_count = p->frame_count,
                                                    .saved = p->saved_count};
    if (protocol_of(p)->until_max > 0)
        qcapint_watch(p, p->region_count - 1u)->until = NULL;
    p->state = control->targets[0];
}

/* Bytes that nobody reads: a sub-stream misses them. */
static void pass_over(qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, open_stream(p));
    if (feed && end > begin)
        qcapint_substream_gap(p, feed->element - QCAP_FEED, end - begin);
    p->streamed = end;
}

/* To the end of what is around it, unless something ends it before. */
static void begin_open_region(qcap_parser_t *p, const qcap_control_t *control)
{
    begin_region(p, control, p->region_count ? end_of(p, &side_regions(p)[p->region_count - 1]) : QCAP_REGION_OPEN);
    if (p->has_error)
        return;
    side_regions(p)[p->region_count - 1].is_open = true;
    if (control->until && !qcapint_until_begin(p, control->until)) {
        p->region_count--;
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    }
}

/* Passes over what has ended a region; false if not all of it is at hand. */
static bool skip(qcap_parser_t *p, const unsigned char *end)
{
    size_t left = (size_t)(end - p->at), len = left < p->skip_len ? left : p->skip_len;
    p->at += len;
    p->skip_len = (uint16_t)(p->skip_len - len);
    return p->skip_len == 0;
}

/* Has the region come to where its rule said that it ends? */
static bool is_complete(const qcap_parser_t *p, unsigned region)
{
    return is_watched(p, region) ? qcapint_watch(p, region)->is_found : side_regions(p)[region].is_open || !side_regions(p)[region].is_cut;
}

/* The region's last byte has been read: its rule must be able to end there. */
static void end_region(qcap_parser_t *p)
{
    const qcap_region_t region = side_regions(p)[p->region_count - 1];
    bool is_right = is_complete(p, p->region_count - 1u);
    if (is_watched(p, p->region_count - 1u)) {
        p->skip_len = is_right ? qcapint_watch(p, p->region_count - 1u)->len : 0;
        p->until_count--;
    }
    if (p->is_skipping) {
        p->is_skipping = false;
        send_span(p, QCAP_EVENT_SKIPPED, QCAP_NONE, p->skip_begin, here(p), 0);
        pass_over(p, p->streamed, here(p));
    } else if (is_right && is_accepting(p)) {
        qcap_table_perform(p, keep_of(p)->accept, here(p));
    } else {
        fail_here(p, QCAP_ERROR_EXTENT, p->at);
    }
    if (p->has_error) {
        report_error(p, &region); /* nothing is left of the region to skip: goes on behind it */
        p->idle += IDLE_ERROR;
    }
    leave_region(p, &region);
}

/* The oldest offset that something undecided may begin at. */
static uint64_t oldest_pending(const qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    uint64_t oldest = here(p) - keep->held_back;
    for (unsigned r = 0; keep->held_registers >> r; r++)
        if ((keep->held_registers >> r & 1) && side_positions(p)[r] < oldest)
            oldest = side_positions(p)[r];
    if (p->later_count && qcap_later_at(side_later(p)[0], here(p)) < oldest)
        oldest = qcap_later_at(side_later(p)[0], here(p));
    return oldest < p->waiting ? oldest : p->waiting;
}

/* NULL: there is no more room, which is an error of the input. */
static qcap_frame_t *push_frame(qcap_parser_t *p, const qcap_control_t *control)
{
    if (p->frame_count < protocol_of(p)->frame_max)
        return &side_frames(p)[p->frame_count++];
    qcapint_parser_fail(p, QCAP_ERROR_DEPTH, control->rule, here(p));
    return NULL;
}

static void call(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_frame_t *frame = push_frame(p, control);
    if (!frame)
        return;
    *frame = (qcap_frame_t){.left = p->waiting, .after = control->targets[1], .base = p->base};
    if (control->is_joint)
        p->waiting = oldest_pending(p);
    p->base = (uint16_t)(p->base + control->depth);
    p->state = control->targets[0];
}

static void begin_repeat(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_number_t n = control->value ? control->value(p) : qcap_number(control->max);
    qcap_frame_t *frame;
    if (n.state != QCAP_NUMBER_SET)
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    else if (n.value < control->min || (n.value > control->max && control->max != UINT32_MAX))
        qcapint_parser_fail(p, QCAP_ERROR_EXTENT, control->rule, here(p));
    else if ((frame = push_frame(p, control)) != NULL) {
        *frame = (qcap_frame_t){.left = n.value, .after = QCAP_NONE};
        p->state = control->targets[0];
    }
}

/* Between two rounds of a repeat. */
static void repeat(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_frame_t *frame = &side_frames(p)[p->frame_count - 1];
    bool is_last = frame->left == 0, is_free = control->max - frame->left >= control->min && control->max > 0;
    p->state = control->targets[is_last ? 2 : is_free ? 1 : 0];
    frame->left -= !is_last;
}

static void return_from_call(qcap_parser_t *p)
{
    const qcap_frame_t *frame = &side_frames(p)[--p->frame_count];
    p->base = frame->base;
    p->waiting = frame->left;
    p->state = frame->after;
}

static void begin_length(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_number_t n = control->value(p);
    uint64_t room = UINT64_MAX - 1 - here(p);
    if (p->region_count)
        room = end_of(p, &side_regions(p)[p->region_count - 1]) - here(p);
    if (n.state != QCAP_NUMBER_SET)
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    else if (n.value > room)
        qcapint_parser_fail(p, QCAP_ERROR_EXTENT, control->rule, here(p));
    else
        begin_region(p, control, here(p) + n.value);
}

/* The innermost region, if it is one of `at`; else NULL. */
static const qcap_region_t *jump_of(const qcap_parser_t *p)
{
    const qcap_region_t *region = p->region_count ? &side_regions(p)[p->region_count - 1] : NULL;
    return region && region->is_jump ? region : NULL;
}

/* From one jump to the next, offsets decrease, so a chain of them has an end. Several jumps from one place could still read the
 * same bytes again and again: all together may not read more than JUMPED_MAX. */
static void begin_jump(qcap_parser_t *p, const qcap_control_t *control)
{
    qcap_number_t n = control->value(p);
    uint64_t limit = (uint64_t)p->datagram_len + 1;
    for (unsigned i = p->region_count; i-- > 0 && limit > p->datagram_len;)
        if (side_regions(p)[i].is_jump)
            limit = QCAP_JUMP_TO(side_regions(p)[i].end);
    if (n.state != QCAP_NUMBER_SET)
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    else if (n.value >= limit)
        qcapint_parser_fail(p, QCAP_ERROR_EXTENT, control->rule, here(p));
    else if (p->jumped > JUMPED_MAX)
        qcapint_parser_fail(p, QCAP_ERROR_LIMIT, control->rule, here(p));
    else
        begin_region(p, control, (uint64_t)(p->at - p->piece) << 32 | n.value);
    if (p->has_error) { /* there is nothing to read; what follows here does not depend on it */
        report_error(p, &(qcap_region_t){.depth = p->depth, .saved = p->saved_count});
        p->state = control->targets[1];
        return;
    }
    side_regions(p)[p->region_count - 1].is_jump = true;
    p->at = p->piece + n.value;
}

/* The protocol that comes next: the register's keyword, unless it is none of them. */
static const char *name_of_next(const qcap_parser_t *p, const qcap_control_t *control)
{
    if (!control->names)
        return control->protocol;
    qcap_number_t n = qcapint_value_of(p, control->reg);
    bool is_known = n.state == QCAP_NUMBER_SET && n.value > 0 && n.value <= control->name_count;
    return is_known ? control->names[n.value - 1] : "?";
}

/* Passes a control point; false if it has to wait for more input or for the other side. */
static bool pass_control(qcap_parser_t *p, const qcap_control_t *control, const unsigned char *end)
{
    switch (control->kind) {
    case QCAP_CONTROL_CHOICE: {
        if (control->is_shared && p->at == end && !p->is_finished && !p->is_datagram)
            return false;
        int choice = control->choose(p);
        if (choice >= 0)
            p->state = control->targets[choice];
        else
            qcapint_parser_fail(p, choice == QCAP_CHOOSE_NONE ? QCAP_ERROR_CHOICE : QCAP_ERROR_ARITHMETIC, control->rule, here(p));
        return true;
    }
    case QCAP_CONTROL_LENGTH:
        begin_length(p, control);
        return true;
    case QCAP_CONTROL_AT:
        begin_jump(p, control);
        return true;
    case QCAP_CONTROL_CLOSE:
    case QCAP_CONTROL_UNTIL:
        begin_open_region(p, control);
        return true;
    case QCAP_CONTROL_SKIP:
        if (!skip(p, end))
            return false;
        p->state = control->targets[0];
        return true;
    case QCAP_CONTROL_POP:
        p->is_waiting = !qcapint_parser_pop(p, control);
        if (p->is_waiting)
            return false;
        p->is_hurried = false;
        p->state = control->targets[0];
        return true;
    case QCAP_CONTROL_REFINE: /* elsewhere machines and tables pass it */
        p->state = control->targets[side_underway(p)[control->slot].value];
        return true;
    case QCAP_CONTROL_BECOME:
        p->conversation->becomes = name_of_next(p, control);
        other_side(p)->calm_end = 0;
        p->state = control->targets[0];
        if (is_kind(p, QCAP_STATE_ENTRY)) /* what ends here ends before the change */
            qcap_table_run(p, p->at, p->at);
        become(p);
        return true;
    case QCAP_CONTROL_CALL:
        call(p, control);
        return true;
    case QCAP_CONTROL_RETURN:
        return_from_call(p);
        return true;
    case QCAP_CONTROL_REPEAT:
        if (control->is_shared && p->at == end && !p->is_finished && !p->is_datagram)
            return false;
        begin_repeat(p, control);
        return true;
    case QCAP_CONTROL_AGAIN:
        repeat(p, control);
        return true;
    case QCAP_CONTROL_DONE:
        p->frame_count--;
        p->state = control->targets[0];
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- the driver */

/* The outermost open element that is to be delivered whole and has not been yet, or NULL. */
static qcap_slot_t *oldest_element(const qcap_parser_t *p)
{
    for (unsigned d = 0; d < p->depth; d++) {
        qcap_slot_t *slot = &side_slots(p)[d];
        if (!slot->is_done && is_wanted(p, slot->element) && is_held(p, slot->element))
            return slot;
    }
    return NULL;
}

/* How many bytes something may stay undecided for. */
static uint32_t undecided_max(const qcap_parser_t *p)
{
    return p->conversation->limit < QCAP_UNDECIDED_MAX ? p->conversation->limit : QCAP_UNDECIDED_MAX;
}

/* Delivers elements that have reached the limit, and gives up what has been undecided for so long. */
static void enforce_limit(qcap_parser_t *p)
{
    uint64_t now = here(p);
    uint32_t limit = p->conversation->limit;
    for (qcap_slot_t *slot; (slot = oldest_element(p)) != NULL && now - slot->begin >= limit;) {
        slot->is_done = true;
        if (open_stream(p)) /* what came before the limit comes before the event that tells of it */
            deliver_stream(p, open_stream(p), place(p, keep_of(p)->stream_end));
        send_span(p, QCAP_EVENT_ELEMENT, slot->element, slot->begin, slot->begin + limit, QCAP_EVENT_TRUNCATED);
    }
    if (now - oldest_pending(p) >= undecided_max(p))
        qcapint_parser_fail(p, QCAP_ERROR_LIMIT, about_of(p)->rule, now);
}

/* The offset at which a counter of this state reaches its number; UINT64_MAX: it has none. */
static uint64_t next_full(const qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < keep->counter_count; i++) {
        const qcap_counter_t *c = &protocol_of(p)->counters[keep->counter + i];
        uint64_t full = place(p, c->begin) + c->limit;
        next = full < next ? full : next;
    }
    return next;
}

static const unsigned char *earlier(const qcap_parser_t *p, const unsigned char *end, uint64_t offset)
{
    return offset < qcap_offset_of(p, end) ? p->piece + (offset - p->piece_offset) : end;
}

/* The end of the region at hand, or what may be that of one around. */
static const unsigned char *region_end(const qcap_parser_t *p, const unsigned char *end)
{
    if (p->until_count > 0)
        end = earlier(p, end, qcapint_until_safe(p));
    return p->region_count ? earlier(p, end, end_of(p, &side_regions(p)[p->region_count - 1])) : end;
}

/* The offset at which a limit would be met first. */
static uint64_t first_limit(const qcap_parser_t *p)
{
    uint64_t first = oldest_pending(p) + undecided_max(p);
    const qcap_slot_t *slot = oldest_element(p);
    if (slot && slot->begin + p->conversation->limit < first)
        first = slot->begin + p->conversation->limit;
    return first;
}

/* What opens, or is undecided, later on begins no earlier than what is now: once found, a bound holds until it is reached. */
static void renew_limit(qcap_parser_t *p)
{
    enforce_limit(p);
    p->unlimited = first_limit(p);
}

/* How far a machine may run: see note [cut-free]. */
static const unsigned char *run_end(const qcap_parser_t *p, const unsigned char *end)
{
    uint64_t limit = p->unlimited > here(p) ? p->unlimited : here(p); /* what is due comes first */
    end = p->is_datagram ? end : earlier(p, end, limit);
    if (keep_of(p)->counter_count)
        end = earlier(p, end, next_full(p));
    return region_end(p, end);
}

static bool is_region_at_end(const qcap_parser_t *p)
{
    return p->region_count && end_of(p, &side_regions(p)[p->region_count - 1]) == here(p);
}

static inline qcap_stop_t run_machine(qcap_parser_t *p, const qcap_state_t *s, const unsigned char *end)
{
    return s->machine == QCAP_MACHINE_NONE ? QCAP_STOP_TABLE : protocol_of(p)->machines[s->machine](p, p->at, end);
}

/* Where a machine has left off, tables and machines in turn, until neither goes on. In a state that counts, `end` may be too far. */
static __attribute__((noinline)) qcap_stop_t read_on(qcap_parser_t *p, const unsigned char *end)
{
    qcap_stop_t stop;
    do {
        stop = qcap_table_run(p, p->at, end);
        if (stop == QCAP_STOP_TABLE)
            stop = run_machine(p, state_of(p), end);
    } while (stop == QCAP_STOP_TABLE && !is_counting(state_of(p)));
    return stop;
}

/* The same from the beginning; `s` is the parser's state. */
static inline qcap_stop_t read_bytes(qcap_parser_t *p, const qcap_state_t *s, const unsigned char *end)
{
    qcap_stop_t stop = run_machine(p, s, end);
    if (stop != QCAP_STOP_TABLE || (!is_counting(s) && is_counting(state_of(p))))
        return stop;
    return read_on(p, end);
}

/* Goes on as it must where no byte follows. */
static void run_ending(qcap_parser_t *p)
{
    p->is_ending = true;
    qcap_table_run(p, p->at, p->at);
    p->is_ending = false;
}

/* What `at` reads ends where its rule does: before the first byte that does not fit. False if it cannot end there. */
static bool end_jump(qcap_parser_t *p)
{
    if (!jump_of(p))
        return false;
    if (state_of(p)->kind & QCAP_STATE_END)
        run_ending(p);
    else if (is_accepting(p))
        end_region(p);
    else
        return false;
    return true;
}

/* The next place where something may be found; false if there is none yet. */
static bool find_candidate(qcap_parser_t *p, const unsigned char *end)
{
    const int byte = p->root->search_byte;
    const unsigned char *found = byte == QCAP_NONE ? qcapint_table_find(p, p->at, end)
                                 : p->at == end    ? NULL
                                                   : memchr(p->at, byte, (size_t)(end - p->at));
    p->at = found ? found : end;
    p->candidate = here(p);
    return p->at != end;
}

/* One run of a machine, or of skipping where every byte does the same. False: more input is needed. */
static bool advance_with_care(qcap_parser_t *p, const unsigned char *end)
{
    if (p->is_searching && p->state == p->root->search && p->candidate == here(p) && !find_candidate(p, end))
        return false;
    if (p->until_count > 0)
        qcapint_until_look(p);
    bool is_counting = keep_of(p)->counter_count > 0;
    bool is_due = is_kind(p, QCAP_STATE_ENTRY) || (is_counting && next_full(p) == here(p)); /* goes on without a byte */
    if ((!is_due || p->is_skipping) && is_region_at_end(p)) {
        if ((state_of(p)->kind & QCAP_STATE_END) && !p->is_skipping)
            run_ending(p);
        else
            end_region(p);
        return true;
    }
    if (p->is_skipping) {
        p->at = region_end(p, end);
        return is_region_at_end(p);
    }
    if (!p->is_datagram && here(p) >= p->unlimited) /* of a datagram all bytes are at hand */
        if (!is_due || here(p) > first_limit(p))    /* what is due may end an element of just as many bytes as it may have */
            renew_limit(p);
    if (p->has_error)
        return true;
    const unsigned char *stop = run_end(p, end);
    if (p->at == stop && !is_due)
        return false;
    if (is_any_loop(state_of(p)) && !is_due) {
        p->at = stop;
        return true;
    }
    if (read_bytes(p, state_of(p), stop) == QCAP_STOP_ERROR)
        if (!end_jump(p))
            fail_here(p, QCAP_ERROR_SYNTAX, stop);
    return true;
}

/* Nothing that is open, or undecided, has a limit. */
static bool is_unlimited(const qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    return keep->held_back == 0 && keep->held_registers == 0 && p->later_count == 0 && p->waiting == UINT64_MAX && !oldest_element(p);
}

/* The same where it is likely to be simple: there are regions that end where they said, and nothing else to look out for. */
static inline bool advance(qcap_parser_t *p, const unsigned char *end)
{
    const qcap_state_t *s = state_of(p);
    bool is_entry = (s->kind & QCAP_STATE_KIND) == QCAP_STATE_ENTRY, is_skippable = is_any_loop(s);
    if (is_counting(s) || p->is_searching || p->is_skipping || p->is_datagram || p->until_count > 0)
        return advance_with_care(p, end);
    uint64_t now = here(p), bound = p->unlimited;
    if (is_skippable && bound < qcap_offset_of(p, end) && is_unlimited(p))
        bound = UINT64_MAX;
    if (p->region_count > 0) {
        const qcap_region_t *region = &side_regions(p)[p->region_count - 1];
        if (region->end == now && !is_entry && !(s->kind & QCAP_STATE_END)) {
            end_region(p);
            return true;
        }
        bound = region->end < bound ? region->end : bound;
    }
    if (now >= bound && (!is_entry || now >= p->unlimited))
        return advance_with_care(p, end);
    if (bound - now < (size_t)(end - p->at))
        end = p->at + (bound - now);
    if (p->at == end && !is_entry)
        return false;
    if (is_skippable)
        p->at = end;
    else if (read_bytes(p, s, end) == QCAP_STOP_ERROR)
        fail_here(p, QCAP_ERROR_SYNTAX, end);
    return true;
}

/* Runs until the input is used up, or something else is needed first. */
static void run(qcap_parser_t *p, const unsigned char *end)
{
    const unsigned char *before = p->at;
    p->idle = 0;
    while (!p->is_paused && !p->has_become && !p->has_failed) {
        p->idle = p->at == before ? p->idle + 1 : 0;
        before = p->at;
        if (p->idle >= IDLE_MAX) {
            qcapint_parser_fail(p, QCAP_ERROR_IDLE, about_of(p)->rule, here(p));
            p->idle = 0;
        }
        if (p->has_error) {
            recover(p);
            continue;
        }
        bool is_control = !p->is_skipping && is_kind(p, QCAP_STATE_CONTROL);
        if (is_control ? !pass_control(p, &protocol_of(p)->controls[state_of(p)->row], end) : !advance(p, end))
            return;
    }
}

/* Pieces that end before this offset need nothing but reading: neither limit nor end of a region is met. 0: there are none.
 * Of small pieces there are many: what is done for each of them is what they cost. */
static uint64_t calm_end(const qcap_parser_t *p)
{
    if (p->is_searching || p->is_skipping || p->is_paused || p->is_waiting || p->has_error || p->has_failed || p->has_become ||
        p->until_count > 0 || p->conversation->becomes || !(state_of(p)->kind & QCAP_STATE_CALM))
        return 0;
    uint64_t end = p->region_count ? end_of(p, &side_regions(p)[p->region_count - 1]) : UINT64_MAX;
    return end < p->unlimited ? end : p->unlimited;
}

/* Delivers what there is of the open stream element. */
static void suspend_stream(qcap_parser_t *p)
{
    const qcap_slot_t *slot = open_stream(p);
    uint16_t end = keep_of(p)->stream_end;
    bool is_plain = p->growing == QCAP_GROWS_NOTHING && end == QCAP_PLACE_BACK && is_any_loop(state_of(p)) && !feed_of(p, slot);
    p->growing = is_plain ? QCAP_GROWS_STREAM : QCAP_GROWS_UNKNOWN;
    deliver_stream(p, slot, place(p, end));
    if (p->streamed < here(p))
        qcapint_blocks_keep(p, p->streamed, here(p));
}

/* See note [piece]. */
static inline void suspend(qcap_parser_t *p)
{
    p->growing = QCAP_GROWS_NOTHING;
    if (state_of(p)->kind & QCAP_STATE_SUSPENDS)
        qcapint_value_put_away(p);
    if (p->stream_depth > 0)
        suspend_stream(p);
}

/* The bytes before p->offset have been read; their piece is gone. */
static inline void end_piece(qcap_parser_t *p)
{
    p->piece = p->at = no_bytes;
    p->piece_offset = p->offset;
}

/* What the next byte is looked up in, where that is enough: fewer steps to it from a byte that leads to another state. */
static inline void prepare_row(qcap_parser_t *p, const qcap_state_t *s)
{
    p->row = row_of(protocol_of(p), s);
    p->loop = s->loop;
}

static void put_away(qcap_parser_t *p)
{
    if (!p->is_skipping && !p->has_failed && !p->has_become)
        suspend(p);
    p->offset = here(p);
    end_piece(p);
}

static void begin_piece(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    p->piece = p->at = bytes ? bytes : no_bytes;
    p->piece_end = p->piece + len;
    p->piece_offset = p->offset;
    p->is_paused = false;
    p->is_waiting = false;
}

/* The other side has confirmed that both speak something else now, and this side is between messages. */
static bool is_to_become(const qcap_parser_t *p)
{
    return p->is_searching || (p->region_count == 0 && is_accepting(p));
}

/* Once the other side has confirmed a change of protocol, this one changes at the first place where it can, whatever the pieces:
 * it is looked for byte by byte. */
static void run_to_change(qcap_parser_t *p)
{
    const unsigned char *before = NULL;
    run(p, p->at); /* it may not have begun yet */
    while (!p->has_become && p->at != before) {
        if (is_to_become(p)) {
            become(p);
            return;
        }
        before = p->at;
        if (p->at != p->piece_end)
            run(p, p->at + 1);
    }
}

static void read_piece(qcap_parser_t *p)
{
    if (p->conversation->becomes && !p->substream) /* a sub-stream goes on: it is not spoken */
        run_to_change(p);
    else
        run(p, p->piece_end);
}

/* Does reading stop only because the next bytes may end a region, and more of them are needed to tell? */
static bool is_undecided(const qcap_parser_t *p)
{
    if (p->until_count == 0 || p->is_paused || p->has_become || p->has_failed || (!p->is_skipping && is_kind(p, QCAP_STATE_CONTROL)))
        return false;
    return p->at != p->piece_end && !p->is_last && qcapint_until_safe(p) == here(p);
}

static void keep_ahead(qcap_parser_t *p)
{
    if (!is_undecided(p))
        return;
    p->ahead_len = (uint16_t)(p->piece_end - p->at);
    memcpy(side_ahead(p), p->at, p->ahead_len);
}

/* Reads the bytes that were kept, now that others follow. Those are kept, too, if that still does not tell. Returns how many of
 * them. */
static size_t read_ahead(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    begin_piece(p, side_ahead(p), p->ahead_len);
    p->next = bytes;
    p->next_len = len;
    read_piece(p);
    bool is_short = is_undecided(p);
    size_t left = (size_t)(p->piece_end - p->at);
    const unsigned char *rest = p->at;
    put_away(p);
    p->next_len = 0;
    memmove(side_ahead(p), rest, left);
    size_t taken = is_short ? len : 0;
    if (taken > 0)
        memcpy(side_ahead(p) + left, bytes, taken);
    p->ahead_len = (uint16_t)(left + taken);
    return taken;
}

/* Nothing follows that would belong to what ends a region: what was kept is read. */
static void read_last_ahead(qcap_parser_t *p)
{
    p->is_last = true;
    for (uint16_t before = 0; p->ahead_len != before;) {
        before = p->ahead_len;
        read_ahead(p, NULL, 0);
    }
    p->offset += p->ahead_len; /* still waiting for the other side */
    p->ahead_len = 0;
}

/* Reads the piece, that began at `begin`, on to its end. Returns how many of its bytes were taken. */
static size_t read_with_care(qcap_parser_t *p, uint64_t begin)
{
    read_piece(p);
    keep_ahead(p);
    put_away(p);
    p->calm_end = calm_end(p);
    if (p->calm_end > 0)
        prepare_row(p, state_of(p));
    return (size_t)(p->offset - begin) + p->ahead_len;
}

static __attribute__((noinline)) size_t feed_with_care(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->is_finished || p->has_failed || p->has_become || p->root->start == QCAP_NONE)
        return 0;
    bool has_ahead = p->ahead_len > 0;
    size_t taken = has_ahead ? read_ahead(p, bytes, len) : 0;
    if (p->ahead_len > 0 || (has_ahead && p->is_paused))
        return taken;
    begin_piece(p, bytes, len);
    return read_with_care(p, p->offset);
}

/* The same where a machine is likely to be enough: see calm_end(). */
static __attribute__((noinline)) size_t read_calmly(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    uint64_t begin = p->offset;
    begin_piece(p, bytes, len);
    if (read_bytes(p, state_of(p), bytes + len) != QCAP_STOP_INPUT || !(state_of(p)->kind & QCAP_STATE_CALM))
        return read_with_care(p, begin);
    suspend(p);
    p->offset = begin + len;
    end_piece(p);
    prepare_row(p, state_of(p));
    return len;
}

/* More of the open stream element: QCAP_GROWS_STREAM. */
static size_t feed_stream(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (len == 0)
        return 0;
    begin_piece(p, bytes, len);
    p->at = bytes + len;
    deliver_piece(p, open_stream(p), p->offset + len);
    p->offset += len;
    end_piece(p);
    return len;
}

/* More of the value: QCAP_GROWS_VALUE; or nobody knows. */
static __attribute__((noinline)) size_t feed_value(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->growing == QCAP_GROWS_UNKNOWN)
        return read_calmly(p, bytes, len);
    qcapint_value_grow(p, bytes, len);
    p->offset += len;
    p->piece_offset = p->offset;
    return len;
}

/* An action that is nothing but moves of position registers, and reads its byte. */
static bool is_moves(const qcap_protocol_t *protocol, unsigned action)
{
    const uint16_t *words = &protocol->actions[protocol->action_at[action]];
    return !(*words & QCAP_ACTION_PEEK) && (protocol->steps[words[1]].what & QCAP_STEP_MOVE); /* operations come before moves */
}

/* A small piece that does not lead back to its state: follows it to the state that it ends in. NULL: there is more to do, on
 * the way or where it ends. */
static const qcap_state_t *pass(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    const qcap_state_t *s = state_of(p);
    unsigned action = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned number = edge_by_byte(protocol, s, bytes[i]);
        if (number == 0 || action != 0)
            return NULL;
        const qcap_edge_t *edge = edge_of(protocol, s, number - 1);
        action = edge->action;
        s = &protocol->states[edge->target];
        if ((s->kind & (QCAP_STATE_CALM | QCAP_STATE_SUSPENDS)) != QCAP_STATE_CALM)
            return NULL;
    }
    if (action != 0 && !is_moves(protocol, action))
        return NULL;
    if (action != 0)
        qcap_table_perform(p, action, p->offset + len);
    return s;
}

static __attribute__((noinline)) size_t feed_small(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    const qcap_state_t *s = p->growing == QCAP_GROWS_NOTHING ? pass(p, bytes, len) : NULL;
    if (!s)
        return read_calmly(p, bytes, len);
    p->state = (uint16_t)(s - protocol_of(p)->states);
    prepare_row(p, s);
    p->offset += len;
    p->piece_offset = p->offset;
    return len;
}

/* One that is part of the open stream element, or that a machine is for. */
static __attribute__((noinline)) size_t feed_large(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    return p->growing == QCAP_GROWS_STREAM ? feed_stream(p, bytes, len) : read_calmly(p, bytes, len);
}

/* Most bytes of small pieces lead back to the state in which they are read. */
size_t qcap_parser_feed(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->offset + len >= p->calm_end)
        return feed_with_care(p, bytes, len);
    if (p->growing == QCAP_GROWS_STREAM || len - 1 >= SMALL_LEN)
        return feed_large(p, bytes, len);
    const uint8_t *class_of = protocol_of(p)->class_of;
    size_t looked = 0;
    do
        if (p->row[class_of[bytes[looked]]] != p->loop)
            return feed_small(p, bytes, len);
    while (++looked < len);
    if (p->growing != QCAP_GROWS_NOTHING)
        return feed_value(p, bytes, len);
    p->offset += len;
    p->piece_offset = p->offset;
    return len;
}

/* ---------------------------------------------------------------- datagrams */

/* Leaves the regions that last to the end of the stream. */
static void end_open_regions(qcap_parser_t *p)
{
    while (p->region_count && side_regions(p)[p->region_count - 1].end == QCAP_REGION_OPEN && !is_watched(p, p->region_count - 1u) &&
           !p->has_failed) {
        side_regions(p)[p->region_count - 1].end = here(p);
        run(p, p->at);
    }
}

/* No byte follows: what is open ends, or is unfinished, which is an error. */
static void end_input(qcap_parser_t *p)
{
    run(p, p->at);
    end_open_regions(p);
    while (p->region_count == 0 && (state_of(p)->kind & QCAP_STATE_END) && !p->is_searching && !p->has_failed) {
        run_ending(p);
        run(p, p->at);
    }
    if (p->has_failed || p->has_become || p->is_searching)
        return;
    if (p->region_count == 0 && is_accepting(p))
        qcap_table_perform(p, keep_of(p)->accept, here(p));
    else
        fail_here(p, QCAP_ERROR_UNFINISHED, p->at);
}

static void begin_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len)
{
    begin_piece(p, bytes, len);
    p->is_last = true;
    p->skip_len = 0;
    p->state = start;
    p->jumped = 0;
    p->is_datagram = true;
    p->calm_end = 0;
    p->datagram_len = (uint32_t)len;
}

/* The next one is another matter. */
static void forget_datagram(qcap_parser_t *p)
{
    p->has_failed = p->is_skipping = p->is_datagram = false;
    p->is_last = false;
    drop_frames(p, 0);
    p->region_count = p->until_count = p->base = p->depth = p->stream_depth = 0;
    p->offset = p->piece_offset + p->datagram_len;
    p->piece = p->at = p->piece_end = no_bytes;
    p->piece_offset = p->offset;
}

void qcapint_parser_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len)
{
    begin_datagram(p, start, bytes, len < UINT32_MAX ? len : UINT32_MAX);
    do {
        p->is_paused = false;
        run(p, p->piece + p->datagram_len);
    } while (p->is_paused);
    end_input(p);
    qcapint_substream_end_all(p, !p->has_error && !p->has_failed && !p->has_become);
    if (p->has_error)
        report_error(p, NULL);
    forget_datagram(p);
}

void qcap_parser_datagram(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (protocol_of(p)->datagram == QCAP_NONE || p->is_finished || p->has_become)
        return;
    p->set = 0;
    qcapint_parser_datagram(p, protocol_of(p)->datagram, bytes, len);
}

/* ---------------------------------------------------------------- gaps and ends */

static void note_gap(qcap_parser_t *p, uint64_t len)
{
    const qcap_slot_t *slot = open_stream(p);
    unsigned element = slot && is_wanted(p, slot->element) ? slot->element : QCAP_NONE;
    send_span(p, QCAP_EVENT_GAP, element, p->offset, p->offset + len, 0);
    p->offset += len;
    if (p->streamed < p->offset)
        pass_over(p, p->streamed, p->offset);
    begin_piece(p, NULL, 0);
}

/* Skips missing bytes as far as no byte would have been looked at, at most to the end of the region or until a counter is full.
 * Returns how many. */
static uint64_t skip_unseen(qcap_parser_t *p, uint64_t len)
{
    bool is_counting = !p->is_skipping && keep_of(p)->counter_count > 0;
    if ((is_kind(p, QCAP_STATE_CONTROL) && !p->is_skipping) || p->until_count > 0)
        return 0;
    uint64_t end = p->region_count ? side_regions(p)[p->region_count - 1].end : UINT64_MAX;
    uint64_t full = is_counting ? next_full(p) : UINT64_MAX;
    uint64_t left = (full < end ? full : end) - p->offset;
    uint64_t skipped = len < left ? len : left;
    for (uint64_t i = 0; i < skipped && !p->is_skipping; i++) {
        uint16_t any = any_of(p);
        if (any == QCAP_NONE || keep_of(p)->suspend_count > 0) /* it decides, or is part of a value */
            return i;
        if (any == p->state)
            break;
        p->state = any;
    }
    return skipped;
}

void qcap_parser_gap(qcap_parser_t *p, uint64_t len)
{
    if (p->is_finished || p->has_become || p->root->start == QCAP_NONE)
        return;
    if (p->has_failed) {
        p->offset += len;
        return;
    }
    p->calm_end = 0;
    read_last_ahead(p);
    while (len > 0 && !p->has_become) {
        begin_piece(p, NULL, 0);
        run(p, p->at);
        uint64_t skipped = p->is_searching || p->has_failed ? len : skip_unseen(p, len);
        if (skipped == 0) { /* a byte that would have been looked at */
            fail_here(p, QCAP_ERROR_MISSING, p->at);
            recover(p);
            continue;
        }
        if (p->is_searching)
            search_from_here(p); /* what looked like a beginning has a hole */
        note_gap(p, skipped);
        p->candidate = p->offset;
        len -= skipped;
    }
    run(p, p->at);
    put_away(p);
    p->is_last = false;
}

void qcap_parser_finish(qcap_parser_t *p)
{
    if (p->is_finished)
        return;
    p->is_finished = true;
    p->calm_end = 0;
    if (p->has_failed || p->has_become || p->root->start == QCAP_NONE)
        return;
    read_last_ahead(p);
    begin_piece(p, NULL, 0);
    end_input(p);
    qcapint_substream_end_all(p, !p->has_error && !p->has_failed && !p->has_become && !p->is_searching);
    if (p->is_searching && !p->has_failed)
        end_search(p, p->offset);
    if (!p->has_error)
        return;
    p->region_count = p->until_count = 0;
    recover(p);
    p->is_searching = false;
}

void qcap_parser_absent(qcap_parser_t *p)
{
    p->is_absent = true;
}

void qcap_parser_hurry(qcap_parser_t *p)
{
    p->is_hurried = p->is_waiting;
}

void qcap_parser_pause(qcap_parser_t *p)
{
    p->is_paused = true;
}

void qcap_parser_search(qcap_parser_t *p)
{
    p->calm_end = 0;
    if (p->root->search != QCAP_NONE)
        begin_search(p, p->offset);
}

/* ---------------------------------------------------------------- looking at a parser */

qcap_parser_status_t qcap_parser_status(const qcap_parser_t *p)
{
    if (p->has_become)
        return QCAP_PARSER_BECAME;
    if (p->has_failed)
        return QCAP_PARSER_FAILED;
    if (p->is_finished)
        return QCAP_PARSER_FINISHED;
    if (p->is_waiting)
        return QCAP_PARSER_WAITING;
    if (p->is_paused)
        return QCAP_PARSER_PAUSED;
    return p->is_searching ? QCAP_PARSER_SEARCHING : QCAP_PARSER_READY;
}

uint64_t qcap_parser_offset(const qcap_parser_t *p)
{
    return p->offset + p->ahead_len;
}

uint64_t qcap_parser_held(const qcap_parser_t *p)
{
    if (p->has_failed || p->has_become || p->is_finished || p->root->start == QCAP_NONE)
        return p->offset;
    uint64_t held = oldest_pending(p);
    const qcap_slot_t *slot = oldest_element(p);
    return slot && slot->begin < held ? slot->begin : held;
}

bool qcap_parser_is_confirmed(const qcap_parser_t *p)
{
    return p->is_confirmed;
}

bool qcap_parser_is_server(const qcap_parser_t *p)
{
    return p->is_server;
}

qcap_conversation_t *qcap_parser_conversation(const qcap_parser_t *p)
{
    return p->conversation;
}

/* ---------------------------------------------------------------- conversations */

void qcapint_parser_init(qcap_conversation_t *c, qcap_parser_t *p, const qcap_root_t *root, bool is_server)
{
    p->conversation = c;
    p->root = root;
    p->is_server = is_server;
    p->piece = p->at = no_bytes;
    p->waiting = UINT64_MAX;
    p->state = root->start == QCAP_NONE ? 0 : root->start;
}

/* In place of a handler, where there is none. */
static void ignore(qcap_parser_t *p, const qcap_event_t *event, void *user)
{
    (void)p;
    (void)event;
    (void)user;
}

void qcap_conversation_init(void *block, const qcap_protocol_t *protocol, qcap_event_handler_t on_event, void *user)
{
    memset(block, 0, protocol->size);
    qcap_conversation_t *c = block;
    c->protocol = protocol;
    c->on_event = on_event ? on_event : ignore;
    c->wanted = protocol->all_elements;
    c->user = user;
    c->limit = QCAP_LIMIT;
    c->decoded_size = QCAP_DECODED_SIZE;
    c->decoded_ratio = QCAP_DECODED_RATIO;
    c->shared = in_block(block, protocol->shared);
    c->shared_text = in_block(block, protocol->shared_text);
    c->queues = in_block(block, protocol->queue_states);
    qcapint_parser_init(c, qcap_conversation_client(c), &protocol->client, false);
    qcapint_parser_init(c, qcap_conversation_server(c), &protocol->server, true);
}

void qcap_conversation_set_memory(qcap_conversation_t *c, qcap_memory_handler_t memory)
{
    c->memory = memory;
}

void qcap_conversation_set_find(qcap_conversation_t *c, qcap_find_handler_t find)
{
    c->find = find;
}

void qcap_conversation_set_decoders(qcap_conversation_t *c, const qcap_decoder_t *const *decoders)
{
    c->decoders = decoders;
}

void qcap_conversation_set_decoded_limits(qcap_conversation_t *c, uint64_t size, uint32_t ratio)
{
    c->decoded_size = size;
    c->decoded_ratio = ratio;
}

static void forget_limits(qcap_conversation_t *c)
{
    qcap_parser_t *sides[] = {qcap_conversation_client(c), qcap_conversation_server(c)};
    for (size_t i = 0; i < 2; i++)
        sides[i]->unlimited = sides[i]->calm_end = 0;
}

void qcap_conversation_set_wanted(qcap_conversation_t *c, const uint64_t *wanted)
{
    c->wanted = wanted ? wanted : c->protocol->all_elements;
    forget_limits(c);
}

void qcap_conversation_set_limit(qcap_conversation_t *c, uint32_t limit)
{
    c->limit = limit ? limit : 1;
    forget_limits(c);
}

qcap_parser_t *qcap_conversation_client(qcap_conversation_t *c)
{
    return in_block(c, c->protocol->client_offset);
}

qcap_parser_t *qcap_conversation_server(qcap_conversation_t *c)
{
    return in_block(c, c->protocol->server_offset);
}

/* ---------------------------------------------------------------- keeping bytes */

void qcap_keeper_init(qcap_keeper_t *k, void *buffer, size_t size)
{
    *k = (qcap_keeper_t){.buffer = buffer, .size = size};
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
    if (begin < k->begin || begin > kept_end || more > k->size - k->len)
        return NULL;
    if (more > 0 && end > k->piece_begin + k->piece_len)
        return NULL;
    if (more > 0) /* behind what is kept; it is kept there, too, if it is needed again */
        memcpy(k->buffer + k->len, k->piece + (kept_end - k->piece_begin), more);
    return k->buffer + (begin - k->begin);
}

size_t qcap_keeper_feed(qcap_keeper_t *k, qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    k->piece = bytes ? bytes : no_bytes;
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

/* ---------------------------------------------------------------- text for people */

/* Appends to a bounded text; counts what would have been written. */
static size_t append(char *text, size_t size, size_t len, const char *more)
{
    for (; *more; more++, len++)
        if (len + 1 < size)
            text[len] = *more;
    if (size > 0)
        text[len < size ? len : size - 1] = '\0';
    return len;
}

static size_t append_number(char *text, size_t size, size_t len, uint64_t number)
{
    char digits[24];
    size_t i = sizeof digits - 1;
    digits[i] = '\0';
    do
        digits[--i] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return append(text, size, len, digits + i);
}

size_t qcap_element_path(const qcap_protocol_t *protocol, uint16_t element, char *text, size_t size)
{
    const qcap_element_t *e = &protocol->elements[element];
    size_t len = e->parent == QCAP_NONE ? append(text, size, 0, protocol->name)
                                        : qcap_element_path(protocol, e->parent, text, size);
    len = append(text, size, len, ".");
    return append(text, size, len, e->name);
}

static size_t append_byte(char *text, size_t size, size_t len, int byte)
{
    static const char hex[] = "0123456789abcdef";
    char quoted[] = {' ', '"', (char)byte, '"', '\0'};
    char number[] = {' ', '0', 'x', hex[byte >> 4 & 15], hex[byte & 15], '\0'};
    return append(text, size, len, byte > 0x20 && byte < 0x7f ? quoted : number);
}

size_t qcap_error_print(const qcap_error_t *error, char *text, size_t size)
{
    static const char *const codes[] = {
#define X(name, text) text,
        QCAP_ERROR_MAP(X)
#undef X
    };
    size_t len = append(text, size, 0, "offset ");
    len = append_number(text, size, len, error->offset);
    len = append(text, size, len, ": ");
    len = append(text, size, len, codes[error->code]);
    if (error->byte >= 0)
        len = append_byte(text, size, len, error->byte);
    if (error->rule[0]) {
        len = append(text, size, len, " in ");
        len = append(text, size, len, error->rule);
    }
    if (error->expected[0]) {
        len = append(text, size, len, ", expected ");
        len = append(text, size, len, error->expected);
    }
    return len;
}

const char *qcap_event_kind_name(qcap_event_kind_t kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        QCAP_EVENT_MAP(X)
#undef X
    };
    return names[kind];
}
