/* parser.c: what is fed to a parser: pieces, datagrams, gaps, ends.
 *
 * note [piece]: nothing that has been read is looked at again once its piece is gone. So when a piece ends, what is under way
 * is put away: bytes of conversions go into accumulators, bytes of stream elements to the handler. Which they are is
 * known for each state at build time (qcap_suspend_t).
 *
 * note [undecided]: a piece may end in bytes of which only those to come tell whether they belong to a stream element: blanks that
 * it does not end with, or its beginning, if something else begins likewise. They are kept: what is told of a stream has its bytes.
 * Behind an error, all bytes that were read before it are the open stream element's, and its sub-stream's, also those that might
 * have turned out to be something else. */
#include "parsing.h"

#include <string.h>

#define SMALL_LEN 16 /* bytes of a piece that are looked at one by one, before a machine is entered */

const unsigned char qcapint_no_bytes[1];

/* ---------------------------------------------------------------- pieces */

/* Delivers what there is of the open stream element. */
static void suspend_stream(qcap_parser_t *p)
{
    const qcap_slot_t *slot = open_stream(p);
    uint16_t end = keep_of(p)->stream_end;
    const qcap_slot_t *feed = feed_of(p, slot);
    bool is_fed = feed && qcapint_substream_is_read(p, qcap_slot_element(feed) - QCAP_FEED);
    bool is_plain = p->growing == QCAP_GROWS_NOTHING && end == QCAP_PLACE_BACK && is_any_loop(state_of(p)) && !is_fed;
    p->growing = is_plain ? QCAP_GROWS_STREAM : QCAP_GROWS_UNKNOWN;
    qcapint_stream_deliver(p, slot, qcapint_driver_stream_end(p));
    if (p->streamed < here(p))
        qcapint_blocks_keep(p, p->streamed, here(p));
}

/* See note [undecided]. */
static __attribute__((noinline)) void keep_undecided(qcap_parser_t *p)
{
    p->growing = QCAP_GROWS_UNKNOWN;
    qcapint_blocks_keep(p, qcapint_driver_pending(p), here(p));
}

/* See note [piece]. */
static inline void suspend(qcap_parser_t *p)
{
    p->growing = QCAP_GROWS_NOTHING;
    if (state_of(p)->kind & QCAP_STATE_SUSPENDS)
        qcapint_value_put_away(p);
    if (p->stream_depth > 0)
        suspend_stream(p);
    else if (state_of(p)->kind & QCAP_STATE_STREAMS)
        keep_undecided(p);
}

/* The bytes before that offset have been read; their piece is gone. */
static inline void end_piece(qcap_parser_t *p, uint64_t offset)
{
    p->piece = p->at = qcapint_no_bytes;
    p->piece_offset = offset;
}

static void put_away(qcap_parser_t *p)
{
    if (!p->is_skipping && !p->has_failed && !p->has_become)
        suspend(p);
    end_piece(p, here(p));
}

static void begin_piece(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    p->piece = p->at = bytes ? bytes : qcapint_no_bytes;
    p->piece_end = p->piece + len;
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
    qcapint_driver_run(p, p->at); /* it may not have begun yet */
    while (!p->has_become && p->at != before) {
        if (is_to_become(p)) {
            qcapint_control_become(p);
            return;
        }
        before = p->at;
        if (p->at != p->piece_end)
            qcapint_driver_run(p, p->at + 1);
    }
}

static bool is_changing(const qcap_parser_t *p)
{
    return p->conversation->becomes && !p->substream && !p->is_staying; /* a sub-stream goes on: it is not spoken */
}

static void read_piece(qcap_parser_t *p)
{
    if (is_changing(p))
        run_to_change(p);
    else
        qcapint_driver_run(p, p->piece_end);
}

/* ---------------------------------------------------------------- bytes that are read later, or again
 *
 * Those that may end a region, and, while a beginning is searched for, those of what looks like one: if it is none, the search goes
 * back. They have been taken, but are kept. */

/* Does reading stop only because the next bytes may end a region, and more of them are needed to tell? */
static bool is_undecided(const qcap_parser_t *p)
{
    if (p->until_count == 0 || p->is_paused || p->has_become || p->has_failed || (!p->is_skipping && is_kind(p, QCAP_STATE_CONTROL)))
        return false;
    return p->at != p->piece_end && !p->is_last && qcapint_until_safe(p) == here(p);
}

/* Does the piece end in what looks like a beginning? Then that is read again, with what follows. */
static bool is_beginning(const qcap_parser_t *p)
{
    return !p->is_last && !p->has_become && qcapint_recovery_may_go_back(p);
}

static void keep_ahead(qcap_parser_t *p)
{
    if (is_beginning(p))
        qcapint_recovery_go_back(p, p->candidate);
    else if (!is_undecided(p))
        return;
    p->ahead_len = (uint16_t)(p->piece_end - p->at);
    memcpy(side_ahead(p), p->at, p->ahead_len);
}

/* Nothing follows: what looks like a beginning is none, but there may be one in it. */
static void search_to_end(qcap_parser_t *p)
{
    while (p->is_last && qcapint_recovery_may_go_back(p)) {
        qcapint_recovery_go_back(p, p->candidate + 1);
        read_piece(p);
    }
}

/* In front of the bytes that follow, those that were kept are a piece: while a beginning is searched for with as many of the others
 * as there is room for, so that the search may go back. Returns how many. */
static size_t begin_ahead(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    bool has_room = p->is_searching && !is_changing(p) && p->ahead_len < QCAP_SEARCH_MAX;
    size_t room = has_room ? QCAP_SEARCH_MAX - p->ahead_len : 0, more = len < room ? len : room;
    if (more > 0)
        memcpy(side_ahead(p) + p->ahead_len, bytes, more);
    begin_piece(p, side_ahead(p), p->ahead_len + more);
    if (p->is_searching && is_changing(p))
        p->at = p->piece_end; /* it has been read before the change */
    p->conversation->next = bytes ? bytes + more : NULL;
    p->conversation->next_len = len - more;
    return more;
}

/* Reads the bytes that were kept, now that others follow. Those are kept, too, if that still does not tell. Returns how many of
 * them were taken. */
static size_t read_ahead(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    qcap_conversation_t *c = p->conversation;
    const unsigned char *next = c->next; /* of the parser that feeds this one, perhaps */
    size_t next_len = c->next_len;
    size_t more = begin_ahead(p, bytes, len);
    read_piece(p);
    search_to_end(p);
    bool is_again = is_beginning(p), is_short = is_undecided(p);
    if (is_again)
        qcapint_recovery_go_back(p, p->candidate);
    size_t left = (size_t)(p->piece_end - p->at);
    const unsigned char *rest = p->at;
    put_away(p);
    c->next = next;
    c->next_len = next_len;
    memmove(side_ahead(p), rest, left);
    size_t untaken = is_again || is_short ? 0 : left < more ? left : more; /* what has not been read, and did not wait before */
    size_t behind = is_short ? len - more : 0;
    if (behind > 0)
        memcpy(side_ahead(p) + left, bytes + more, behind);
    p->ahead_len = (uint16_t)(left - untaken + behind);
    return more - untaken + behind;
}

/* Nothing follows that would belong to what ends a region: what was kept is read. */
static void read_last_ahead(qcap_parser_t *p)
{
    p->is_last = true;
    for (uint16_t before = 0; p->ahead_len != before;) {
        before = p->ahead_len;
        read_ahead(p, NULL, 0);
    }
    p->piece_offset += p->ahead_len; /* still waiting for the other side */
    p->ahead_len = 0;
}

/* ---------------------------------------------------------------- feeding */

/* Pieces that end before this offset need nothing but reading: neither limit nor end of a region is met. 0: there are none.
 * Of small pieces there are many: what is done for each of them is what they cost. */
static uint64_t calm_end(const qcap_parser_t *p)
{
    if (p->is_paused || p->is_waiting || p->has_error || p->has_failed || p->has_become || p->until_count > 0 ||
        p->conversation->becomes || !(state_of(p)->kind & QCAP_STATE_CALM))
        return 0;
    uint64_t end = p->region_count ? end_of(p, &side_regions(p)[p->region_count - 1]) : UINT64_MAX;
    return end < p->unlimited ? end : p->unlimited;
}

/* What the next byte is looked up in, where that is enough: fewer steps to it from a byte that leads to another state. */
static inline void prepare_row(qcap_parser_t *p, const qcap_state_t *s)
{
    p->row = row_of(protocol_of(p), s);
    p->loop = s->loop;
}

/* Reads the piece, that began at `begin`, on to its end. Returns how many of its bytes were taken. */
static size_t read_with_care(qcap_parser_t *p, uint64_t begin)
{
    read_piece(p);
    keep_ahead(p);
    put_away(p);
    if (!p->is_searching && !p->is_skipping) {
        p->calm_end = calm_end(p);
        if (p->calm_end > 0)
            prepare_row(p, state_of(p));
    }
    return (size_t)(p->piece_offset - begin) + p->ahead_len;
}

static __attribute__((noinline)) size_t feed_with_care(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->is_finished || p->has_failed || p->has_become || root_of(p)->start == QCAP_NONE)
        return 0;
    bool has_ahead = p->ahead_len > 0;
    size_t taken = has_ahead ? read_ahead(p, bytes, len) : 0;
    while (p->ahead_len > 0 && p->is_searching && !p->is_paused && taken < len)
        taken += read_ahead(p, bytes + taken, len - taken);
    if (p->ahead_len > 0 || (has_ahead && p->is_paused))
        return taken;
    begin_piece(p, bytes ? bytes + taken : NULL, len - taken);
    return taken + read_with_care(p, p->piece_offset);
}

/* The same where a machine is likely to be enough: see calm_end(). */
static __attribute__((noinline)) size_t read_calmly(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    uint64_t begin = p->piece_offset;
    begin_piece(p, bytes, len);
    if (read_bytes(p, state_of(p), bytes + len) != QCAP_STOP_INPUT || !(state_of(p)->kind & QCAP_STATE_CALM))
        return read_with_care(p, begin);
    suspend(p);
    end_piece(p, begin + len);
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
    deliver_piece(p, open_stream(p), p->piece_offset + len);
    end_piece(p, p->piece_offset + len);
    return len;
}

/* More of the value: QCAP_GROWS_VALUE; or nobody knows. */
static __attribute__((noinline)) size_t feed_value(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->growing == QCAP_GROWS_UNKNOWN)
        return read_calmly(p, bytes, len);
    qcapint_value_grow(p, bytes, len);
    p->piece_offset += len;
    return len;
}

/* An action that is nothing but moves of position registers, and reads its byte. */
static bool is_moves(const qcap_protocol_t *protocol, unsigned action)
{
    const uint16_t *words = &protocol->actions[action];
    return !(*words & QCAP_ACTION_PEEK) && (protocol->steps[words[1]].what & QCAP_STEP_MOVE); /* operations come before moves */
}

/* A byte that does not lead back to its state, but all that it does is to lead to another. False: there is more to do. */
static inline bool pass(qcap_parser_t *p, unsigned char byte)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    unsigned number = edge_by_byte(protocol, state_of(p), byte);
    if (number == 0)
        return false;
    const qcap_edge_t *edge = edge_of(protocol, state_of(p), number - 1);
    const qcap_state_t *s = &protocol->states[edge->target];
    if ((s->kind & (QCAP_STATE_CALM | QCAP_STATE_SUSPENDS | QCAP_STATE_STREAMS)) != QCAP_STATE_CALM)
        return false;
    if (edge->action != 0) {
        if (!is_moves(protocol, edge->action))
            return false;
        qcap_table_perform(p, edge->action, p->piece_offset + 1);
    }
    p->state = edge->target;
    prepare_row(p, s);
    return true;
}

/* A small piece that does not lead back to its state. */
static __attribute__((noinline)) size_t feed_small(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (len > 1 || p->growing != QCAP_GROWS_NOTHING || !pass(p, *bytes))
        return read_calmly(p, bytes, len);
    p->piece_offset++;
    return 1;
}

/* One that is part of the open stream element, or that a machine is for. */
static __attribute__((noinline)) size_t feed_large(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    return p->growing == QCAP_GROWS_STREAM ? feed_stream(p, bytes, len) : read_calmly(p, bytes, len);
}

/* Of small pieces, most bytes lead back to the state in which they are read. */
size_t qcap_parser_feed(qcap_parser_t *p, const unsigned char *bytes, size_t len)
{
    if (p->piece_offset + len >= p->calm_end)
        return feed_with_care(p, bytes, len);
    if (p->growing == QCAP_GROWS_STREAM || len - 1 >= SMALL_LEN)
        return feed_large(p, bytes, len);
    const uint8_t *class_of = protocol_of(p)->class_of;
    size_t same = 0;
    do
        if (p->row[class_of[bytes[same]]] != p->loop)
            return feed_small(p, bytes, len);
    while (++same < len);
    if (p->growing != QCAP_GROWS_NOTHING)
        return feed_value(p, bytes, len);
    p->piece_offset += len;
    return len;
}

bool qcap_parser_pass(qcap_parser_t *p, size_t len)
{
    if (!qcapint_parser_is_passing(p, len) || is_wanted(p, qcap_slot_element(open_stream(p))))
        return false;
    p->piece_offset += len;
    p->streamed = p->piece_offset;
    return true;
}

/* ---------------------------------------------------------------- datagrams */

/* Leaves the regions that last to the end of the stream. */
static void end_open_regions(qcap_parser_t *p)
{
    while (p->region_count && side_regions(p)[p->region_count - 1].end == QCAP_REGION_OPEN && !is_watched(p, p->region_count - 1u) &&
           !p->has_failed) {
        side_regions(p)[p->region_count - 1].end = here(p);
        qcapint_driver_run(p, p->at);
    }
}

/* No byte follows: what is open ends, or is unfinished, which is an error. */
static void end_input(qcap_parser_t *p)
{
    qcapint_driver_run(p, p->at);
    end_open_regions(p);
    while (p->region_count == 0 && (state_of(p)->kind & QCAP_STATE_END) && !p->is_searching && !p->has_failed) {
        qcapint_driver_end(p);
        qcapint_driver_run(p, p->at);
    }
    if (p->has_failed || p->has_become || p->is_searching)
        return;
    if (p->region_count == 0 && is_accepting(p))
        qcap_table_perform(p, keep_of(p)->accept, here(p));
    else
        qcapint_parser_fail_here(p, QCAP_ERROR_UNFINISHED, p->at);
}

static void begin_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len)
{
    begin_piece(p, bytes, len);
    p->is_last = true;
    p->skip_len = 0;
    p->state = start;
    p->jumped = 0;
    p->is_datagram = true;
    end_calm(p);
    p->datagram_len = (uint32_t)len;
}

/* The next one is another matter; so is a stream, which begins at its beginning. */
static void forget_datagram(qcap_parser_t *p)
{
    if (root_of(p)->start != QCAP_NONE)
        p->state = root_of(p)->start;
    p->growing = QCAP_GROWS_NOTHING;
    p->has_failed = p->is_skipping = p->is_datagram = false;
    p->is_last = false;
    qcapint_control_drop(p, 0);
    p->region_count = p->until_count = p->base = p->depth = p->stream_depth = 0;
    p->piece = p->at = p->piece_end = qcapint_no_bytes;
    p->piece_offset += p->datagram_len;
    p->unlimited = 0;
}

void qcapint_parser_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len)
{
    begin_datagram(p, start, bytes, len < UINT32_MAX ? len : UINT32_MAX);
    do {
        p->is_paused = false;
        qcapint_driver_run(p, p->piece + p->datagram_len);
    } while (p->is_paused);
    end_input(p);
    bool is_in_order = !p->has_error && !p->has_failed && !p->has_become;
    if (p->has_error)
        qcapint_recovery_report(p, NULL);
    qcapint_substream_end_all(p, is_in_order);
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
    unsigned element = slot && is_wanted(p, qcap_slot_element(slot)) ? qcap_slot_element(slot) : QCAP_NONE;
    send_span(p, QCAP_EVENT_GAP, element, p->piece_offset, p->piece_offset + len, 0);
    p->piece_offset += len;
    if (p->streamed < p->piece_offset)
        qcapint_region_pass_over(p, p->streamed, p->piece_offset);
    begin_piece(p, NULL, 0);
}

/* The edge that every byte follows, and is read by; or NULL. */
static const qcap_edge_t *any_of(const qcap_parser_t *p)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    const qcap_state_t *s = state_of(p);
    unsigned before = keep_of(p)->counter_count + (s->kind & QCAP_STATE_END ? 1u : 0u);
    if (!(s->kind & QCAP_STATE_ANY))
        return NULL;
    const qcap_edge_t *any = edge_of(protocol, s, before);
    return protocol->actions[any->action] & QCAP_ACTION_PEEK ? NULL : any;
}

/* Skips missing bytes as far as no byte would have been looked at, at most to the end of the region or until a counter is full.
 * Returns how many. Behind the last of them `action` is to be performed. */
static uint64_t skip_unseen(qcap_parser_t *p, uint64_t len, uint16_t *action)
{
    bool is_counting = !p->is_skipping && keep_of(p)->counter_count > 0;
    if ((is_kind(p, QCAP_STATE_CONTROL) && !p->is_skipping) || p->until_count > 0)
        return 0;
    uint64_t end = p->region_count ? side_regions(p)[p->region_count - 1].end : UINT64_MAX;
    uint64_t full = is_counting ? qcapint_driver_next_full(p) : UINT64_MAX;
    uint64_t left = (full < end ? full : end) - p->piece_offset;
    uint64_t skipped = len < left ? len : left;
    for (uint64_t i = 0; i < skipped && !p->is_skipping; i++) {
        const qcap_edge_t *any = any_of(p);
        if (!any || keep_of(p)->suspend_count > 0) /* it decides, or is part of a value */
            return i;
        if (any->target == p->state && any->action == 0)
            break;
        p->state = any->target;
        if ((*action = any->action) != 0)
            return i + 1;
    }
    return skipped;
}

void qcap_parser_gap(qcap_parser_t *p, uint64_t len)
{
    if (len == 0 || p->is_finished || p->has_become || root_of(p)->start == QCAP_NONE)
        return;
    if (p->has_failed) {
        p->piece_offset += len;
        return;
    }
    end_calm(p);
    read_last_ahead(p);
    while (len > 0 && !p->has_become) {
        begin_piece(p, NULL, 0);
        qcapint_driver_run(p, p->at);
        uint16_t action = 0;
        uint64_t skipped = p->is_searching || p->has_failed ? len : skip_unseen(p, len, &action);
        if (skipped == 0) { /* a byte that would have been looked at */
            qcapint_parser_fail_here(p, QCAP_ERROR_MISSING, p->at);
            qcapint_recovery_run(p);
            continue;
        }
        if (p->is_searching)
            qcapint_recovery_search_here(p); /* what looked like a beginning has a hole */
        note_gap(p, skipped);
        qcap_table_perform(p, action, p->piece_offset);
        if (p->is_searching)
            p->candidate = p->piece_offset;
        len -= skipped;
    }
    qcapint_driver_run(p, p->at);
    put_away(p);
    p->is_last = false;
}

void qcap_parser_finish(qcap_parser_t *p)
{
    if (p->is_finished)
        return;
    p->is_finished = true;
    end_calm(p);
    if (p->has_failed || p->has_become || root_of(p)->start == QCAP_NONE)
        return;
    read_last_ahead(p);
    begin_piece(p, NULL, 0);
    read_piece(p); /* what waited for a byte may come to where this side changes */
    end_input(p);
    if (p->has_error) { /* the search that it begins finds nothing */
        p->region_count = p->until_count = 0;
        qcapint_recovery_run(p);
        p->is_searching = false;
        return;
    }
    qcapint_substream_end_all(p, !p->has_failed && !p->has_become && !p->is_searching);
    if (p->is_searching && !p->has_failed)
        qcapint_recovery_found(p, p->piece_offset);
}

void qcap_parser_absent(qcap_parser_t *p)
{
    p->is_absent = true;
}

void qcap_parser_abort(qcap_parser_t *p)
{
    p->is_absent = true;
    if (p->is_finished || p->has_failed || p->has_become || root_of(p)->start == QCAP_NONE)
        return;
    end_calm(p);
    read_last_ahead(p);
    qcapint_parser_abandon(p);
    if (p->is_searching)
        qcapint_recovery_found(p, p->piece_offset);
    p->is_finished = true;
}

void qcap_parser_hurry(qcap_parser_t *p)
{
    p->is_hurried = p->is_waiting;
}

void qcap_parser_stay(qcap_parser_t *p, bool stays)
{
    p->is_staying = stays;
}

void qcap_parser_pause(qcap_parser_t *p)
{
    p->is_paused = true;
}

void qcap_parser_search(qcap_parser_t *p)
{
    end_calm(p);
    if (root_of(p)->search != QCAP_NONE)
        qcapint_recovery_search(p, p->piece_offset);
}
