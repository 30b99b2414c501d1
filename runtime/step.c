/* step.c: the two directions of a conversation in step.
 *
 * In come the bytes of both directions, each in order, as the capture has them. Out they go to the parsers, in the
 * order the endpoints saw them: a response needs what its request left behind, and captures do not keep the order
 * between directions (two interfaces, a segment that came late and was queued). pair.c has found the protocol before.
 *
 * The rule. A segment that acknowledges the other direction up to byte n is read after the other direction's bytes up
 * to n:
 *
 *     client  |-- request 1 --|-- request 2 --|
 *     server                  |-- response 1 (acknowledges request 1) --|
 *
 * What may not be read yet stays in its stream, which is told to hold it: there is no queue here, only the offset
 * `at` up to which a direction was read. A parser that waits (for an entry of a queue) stops its direction likewise.
 *
 * note [when waiting ends]:
 *   - the other direction has come that far, or has ended, or is known not to be captured;
 *   - a waiting parser: the other direction was read as far as the sender had seen it when it sent the last byte that
 *     was read. What it waits for cannot come any more: it goes on without (qcap_parser_hurry());
 *   - both directions wait for each other: the one whose next segment was captured first goes on. If only one of them
 *     waits in its parser, the other's next segment acknowledges what that parser has not read yet, so it cannot be the
 *     answer: the waiting parser goes on;
 *   - so many bytes, or so much capture time, have passed (qcap_options_t.wait_limit, QCAP_TIMEOUT_WAIT): that segment goes on.
 *     Conversations in which nothing moves are in a list, so that they go on in time although nothing more comes of them.
 * Bytes lost in the capture come as gaps, from tcp.c, which waits for late copies.
 *
 * Invariants. at <= str->end. Between calls, whatever can be read has been read. */
#include "step.h"

#include "handle.h"
#include "parsing.h"

void qcapint_step_skip(qcapint_pair_t *pair, bool is_server)
{
    qcap_tcpstr_t *str = qcapint_step_stream(pair, is_server);
    uint64_t at = pair->sides[is_server].at;
    while (at < str->end) {
        const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, at);
        uint64_t next = segment ? segment->begin : str->end;
        if (next > at)
            qcapint_deliver_lost(str, at, next - at);
        at = segment ? segment->begin + segment->len : next;
    }
    pair->sides[is_server].at = str->end;
}

/* ---------------------------------------------------------------- reading one direction */

/* Whether the segment, the next of that direction, comes after bytes that the other direction has still to read. */
static bool is_early(const qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    return segment->has_ack && segment->ack > pair->sides[!is_server].at &&
           segment->begin >= pair->sides[is_server].free_until && !qcapint_step_is_silent(pair, !is_server) &&
           qcapint_step_status(pair, !is_server) != QCAP_PARSER_BECAME;
}

/* Whether the segment's sender knew that the other direction has gone over to another protocol. */
static bool knows_change(const qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    return !segment->has_ack || segment->ack >= pair->sides[!is_server].at;
}

/* Reads as much as its parser takes of a segment that may be read. Returns whether that was all. */
static bool read_segment(qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    qcapint_side_t *side = &pair->sides[is_server];
    size_t skipped = (size_t)(side->at - segment->begin), len = segment->len - skipped;
    size_t taken =
        qcapint_deliver_feed(pair->deliver, is_server, segment->bytes + skipped, len, segment->packet);
    qcapint_step_note_status(side);
    side->at += taken;
    side->saw = segment->ack;
    side->has_saw = segment->has_ack;
    side->is_mute = taken == 0 && side->status == QCAP_PARSER_READY;
    return taken == len;
}

/* Reads a gap, or as much as may be read of a segment. Returns whether the direction can go on behind it. */
static bool read_next(qcapint_pair_t *pair, bool is_server)
{
    qcapint_side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = qcapint_step_stream(pair, is_server);
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, side->at);
    if (!segment || segment->begin > side->at) {
        uint64_t len = (segment ? segment->begin : str->end) - side->at;
        qcapint_deliver_gap(pair->deliver, is_server, len);
        qcapint_step_note_status(side);
        side->at += len;
        return true;
    }
    if (is_early(pair, is_server, segment))
        return false;
    if (qcapint_step_status(pair, !is_server) == QCAP_PARSER_BECAME)
        qcap_parser_stay(side->parser, !knows_change(pair, is_server, segment));
    return read_segment(pair, is_server, segment);
}

/* What the parser needs again is held. */
static void hold(qcapint_pair_t *pair, bool is_server)
{
    uint64_t held = qcapint_deliver_held(pair->deliver, is_server), at = pair->sides[is_server].at;
    qcapint_tcpstr_hold(qcapint_step_stream(pair, is_server), held < at ? held : at);
}

/* Whether all before the segment, and all of the other direction, has been read, and nothing waits. */
static bool is_next(const qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    const qcapint_side_t *side = &pair->sides[is_server];
    qcap_parser_status_t other = qcapint_step_status(pair, !is_server);
    bool is_calm = side->status == QCAP_PARSER_READY && other != QCAP_PARSER_WAITING && other != QCAP_PARSER_BECAME;
    return is_calm && !pair->is_waiting && side->at == segment->begin && qcapint_step_is_drained(pair, !is_server) &&
           !is_early(pair, is_server, segment);
}

bool qcapint_step_pass(qcapint_pair_t *pair, bool is_server, uint32_t len, uint64_t ack)
{
    qcapint_side_t *side = &pair->sides[is_server];
    if (!qcapint_parser_is_passing(side->parser, len) || side->is_absent)
        return false;
    const qcapint_segment_t segment = {.begin = side->at, .len = len, .ack = ack, .has_ack = true};
    if (!is_next(pair, is_server, &segment) || !qcapint_step_is_drained(pair, is_server) || !qcap_parser_pass(side->parser, len))
        return false;
    side->at += len;
    side->saw = ack;
    side->has_saw = true;
    return true;
}

bool qcapint_step_go_on(qcapint_pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    const qcapint_side_t *side = &pair->sides[is_server];
    if (!is_next(pair, is_server, segment))
        return false;
    if (!read_segment(pair, is_server, segment) || side->status != QCAP_PARSER_READY)
        return false;
    hold(pair, is_server);
    return true;
}

bool qcapint_step_is_closed(const qcapint_pair_t *pair, bool is_server)
{
    qcap_parser_status_t now = qcapint_step_status(pair, is_server);
    return now == QCAP_PARSER_FAILED || now == QCAP_PARSER_FINISHED || pair->sides[is_server].is_mute;
}

/* All of a direction was read, and it has ended: tells the parser. */
static void end_side(qcapint_pair_t *pair, bool is_server)
{
    qcapint_side_t *side = &pair->sides[is_server];
    qcapint_deliver_end(pair->deliver, is_server, side->end == QCAP_END_FIN);
    qcapint_step_note_status(side);
    side->is_over = true;
}

/* A parser that waits looks again: it may go on although the next bytes may not be read, or have not come. Returns
 * whether it did. */
static bool look_again(qcapint_pair_t *pair, bool is_server)
{
    if (qcapint_step_status(pair, is_server) != QCAP_PARSER_WAITING)
        return false;
    qcapint_deliver_feed(pair->deliver, is_server, NULL, 0, NULL);
    qcapint_step_note_status(&pair->sides[is_server]);
    return qcapint_step_status(pair, is_server) != QCAP_PARSER_WAITING;
}

/* Reads what may be read of a direction. Returns whether that was anything. */
static bool read_side(qcapint_pair_t *pair, bool is_server)
{
    qcapint_side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = qcapint_step_stream(pair, is_server);
    uint64_t before = side->at;
    bool is_moving = look_again(pair, is_server);
    if (before == str->end && !str->has_ended)
        return is_moving;
    while (side->at < str->end && read_next(pair, is_server))
        continue;
    if (side->at < str->end && qcapint_step_is_closed(pair, is_server))
        qcapint_step_skip(pair, is_server);
    if (side->at == str->end && str->has_ended && !side->is_over && qcapint_step_status(pair, is_server) != QCAP_PARSER_WAITING) {
        end_side(pair, is_server);
        is_moving = true;
    }
    hold(pair, is_server);
    return is_moving || side->at > before;
}

/* ---------------------------------------------------------------- both directions */

/* Lets the direction go on, whatever it waits for. */
static void let_go(qcapint_pair_t *pair, bool is_server)
{
    qcapint_side_t *side = &pair->sides[is_server];
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(qcapint_step_stream(pair, is_server), side->at);
    if (qcapint_step_status(pair, is_server) == QCAP_PARSER_WAITING)
        qcap_parser_hurry(side->parser);
    else if (segment)
        side->free_until = segment->begin + segment->len;
}

bool qcapint_step_is_blocked(const qcapint_pair_t *pair, bool is_server)
{
    qcap_parser_status_t now = qcapint_step_status(pair, is_server);
    return now == QCAP_PARSER_WAITING || (!qcapint_step_is_drained(pair, is_server) && now != QCAP_PARSER_BECAME);
}

/* Whether a blocked direction need not wait for the other one any longer, whatever that one does. */
static bool is_wait_over(const qcapint_pair_t *pair, bool is_server)
{
    const qcapint_side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = qcapint_step_stream(pair, is_server);
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, side->at);
    const qcap_t *q = pair->conv->q;
    if (str->end - side->at > q->options.wait_limit || pair->woken_ns == q->now_ns)
        return true;
    if (segment && q->now_ns - qcap_packet_time_ns(segment->packet) > q->timeouts_ns[QCAP_TIMEOUT_WAIT])
        return true;
    if (qcapint_step_status(pair, is_server) != QCAP_PARSER_WAITING)
        return false;
    return (side->has_saw && side->saw <= pair->sides[!is_server].at) || qcapint_step_is_silent(pair, !is_server);
}

/* Of two directions that wait for each other, which goes on. */
static bool first_of_both(const qcapint_pair_t *pair)
{
    bool waits[2] = {qcapint_step_status(pair, false) == QCAP_PARSER_WAITING,
                     qcapint_step_status(pair, true) == QCAP_PARSER_WAITING};
    if (waits[0] != waits[1])
        return waits[1];
    const qcapint_segment_t *client = qcapint_tcpstr_segment(qcapint_step_stream(pair, false), pair->sides[0].at);
    const qcapint_segment_t *server = qcapint_tcpstr_segment(qcapint_step_stream(pair, true), pair->sides[1].at);
    return client && server && qcap_packet_number(server->packet) < qcap_packet_number(client->packet);
}

/* Nothing moves: finds a direction whose waiting is over. See note [when waiting ends]. Returns whether there was
 * one. */
static bool unblock(qcapint_pair_t *pair)
{
    bool blocked[2] = {qcapint_step_is_blocked(pair, false), qcapint_step_is_blocked(pair, true)};
    for (int side = 0; side < 2; side++) {
        if (blocked[side] && is_wait_over(pair, side)) {
            let_go(pair, side);
            return true;
        }
    }
    if (!blocked[0] || !blocked[1])
        return false;
    let_go(pair, first_of_both(pair));
    return true;
}

void qcapint_step_read(qcapint_pair_t *pair)
{
    bool is_moving;
    do {
        is_moving = read_side(pair, false);
        is_moving |= read_side(pair, true);
    } while ((qcapint_step_is_blocked(pair, false) || qcapint_step_is_blocked(pair, true)) && (is_moving || unblock(pair)));
}
