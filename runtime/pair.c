/* pair.c: the two directions of a conversation in step.
 *
 * In come the bytes of both directions, each in order, as the capture has them. Out they go to the parsers, in the
 * order the endpoints saw them: a response needs what its request left behind, and captures do not keep the order
 * between directions (two interfaces, a segment that came late and was queued). First, identify.c has to find the
 * protocol; until then everything is held.
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
 * note [another protocol]: the direction that confirms a change stops behind the confirmation. The other one's bytes are
 * still the old protocol until one of them acknowledges it: what a client has sent ahead, behind its request for a change,
 * is of the old one, too. So that segments are read by the old parser as long as they come, and it changes with the first
 * one whose sender knew. If it says nothing, the change is made when the confirming side goes on. Then the parsers are
 * freed, and the new protocol begins where they stopped: the one that was named, or it is identified anew. One that was
 * named and not added is unknown for good: it was not meant to be anything else.
 *
 * Invariants. conv->upper is NULL (nothing came yet), or a speech that others share (nobody reads the conversation: it
 * costs nothing more), or a pair_t. at <= str->end. Between calls, whatever can be read has been read. */
#include <string.h>

#include "bytes.h"
#include "deliver.h"
#include "handle.h"
#include "identify.h"
#include "spoken.h"
#include "subscribe.h"
#include "udp.h"

/* One direction. */
typedef struct side {
    qcap_parser_t *parser;       /* of pair->deliver; valid while there is one */
    qcap_parser_status_t status; /* of the parser since it was last called */
    uint64_t at;                 /* its bytes before this offset were read */
    uint64_t free_until;         /* bytes before this offset wait for no other direction */
    uint64_t saw;                /* how much its sender had of the other direction when it sent the last byte read */
    qcap_end_t end;              /* how it ended; valid if the stream has ended */
    bool has_saw;                /* saw is known */
    bool is_absent;              /* not captured: not to be waited for */
    bool is_over;                /* its parser was told that it ended */
    bool is_mute;                /* its protocol says nothing in this direction: the parser takes no bytes */
} side_t;

/* One conversation. */
typedef struct pair {
    qcapint_speech_t speech;     /* what it speaks; is_pair is true */
    qcapint_conv_t *conv;
    qcapint_deliver_t *deliver;  /* its parsers; NULL: not identified yet, or nobody reads it any more */
    qcapint_identify_t identify; /* while deliver is NULL */
    const char *named;           /* the protocol to begin with, if another one named it; static; else NULL */
    qcap_known_t known;          /* how, if it is named */
    bool has_changed;            /* from one protocol to another, ... */
    uint64_t changed_at;         /* ... when so many bytes were read, of both directions */
    bool is_waiting;             /* is in the list of those in which nothing moves, ... */
    struct pair *older, *newer;  /* ... between these, ... */
    int64_t waiting_ns;          /* ... since this time, ... */
    uint64_t waiting_at;         /* ... when so many bytes were read, of both directions */
    int64_t woken_ns;            /* it was woken then: nothing waits at that time */
    side_t sides[2];             /* [0]: from the client */
} pair_t;

/* What conv->upper points to when no parser reads the conversation, and nothing is to be said about it. Never written to. */
static const qcapint_speech_t unknown, noise = {.is_encrypted = true};

static qcapint_upper_t *upper_of(const pair_t *pair)
{
    return pair->conv->q->upper;
}

/* ---------------------------------------------------------------- those that wait */

static void update_wake(qcap_t *q)
{
    const pair_t *first = ((qcapint_upper_t *)q->upper)->first_waiting;
    int64_t timeout_ns = q->timeouts_ns[QCAP_TIMEOUT_WAIT];
    q->wake_ns = first ? first->waiting_ns + (timeout_ns > 0 ? timeout_ns : 1) : INT64_MAX;
}

static void stop_waiting(pair_t *pair)
{
    qcapint_upper_t *upper = upper_of(pair);
    if (!pair->is_waiting)
        return;
    *(pair->older ? &pair->older->newer : &upper->first_waiting) = pair->newer;
    *(pair->newer ? &pair->newer->older : &upper->last_waiting) = pair->older;
    pair->is_waiting = false;
    update_wake(pair->conv->q);
}

static uint64_t bytes_read(const pair_t *pair)
{
    return pair->sides[0].at + pair->sides[1].at;
}

static void start_waiting(pair_t *pair)
{
    qcapint_upper_t *upper = upper_of(pair);
    pair->is_waiting = true;
    pair->waiting_ns = pair->conv->q->now_ns;
    pair->waiting_at = bytes_read(pair);
    pair->newer = NULL;
    pair->older = upper->last_waiting;
    *(pair->older ? &pair->older->newer : &upper->first_waiting) = pair;
    upper->last_waiting = pair;
    update_wake(pair->conv->q);
}

/* ---------------------------------------------------------------- life */

/* The conversation's pair, if it is read; else NULL. */
static pair_t *pair_of(const qcapint_conv_t *conv)
{
    const qcapint_speech_t *speech = conv->upper;
    return speech && speech->is_read ? conv->upper : NULL;
}

/* The same: made if nothing is known of the conversation yet. */
static pair_t *get_pair(qcapint_conv_t *conv)
{
    if (conv->upper)
        return pair_of(conv);
    pair_t *pair = NULL;
    qcapint_upper_t *upper = conv->q->upper;
    if (upper->plan_count > 0)
        pair = qcapint_pool_alloc(&upper->pairs);
    if (pair) {
        pair->conv = conv;
        pair->woken_ns = INT64_MIN;
        pair->speech.is_pair = pair->speech.is_read = true;
    }
    conv->upper = pair ? (void *)pair : (void *)(uintptr_t)&unknown;
    conv->is_unread = !pair;
    return pair;
}

static void free_pair(qcapint_conv_t *conv)
{
    const qcapint_speech_t *speech = conv->upper;
    if (!speech || !speech->is_pair)
        return;
    pair_t *pair = conv->upper;
    stop_waiting(pair);
    qcapint_deliver_free(pair->deliver);
    qcapint_link_free(conv->q, pair->speech.link);
    qcapint_pool_free(&((qcapint_upper_t *)conv->q->upper)->pairs, pair);
}

static qcap_tcpstr_t *stream(const pair_t *pair, bool is_server)
{
    return &pair->conv->str[is_server];
}

/* What came of a direction is not read, up to here: all that is to be said about it is what was lost. */
static void skip(pair_t *pair, bool is_server)
{
    qcap_tcpstr_t *str = stream(pair, is_server);
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

/* Nobody reads the rest of the conversation. What is worth knowing of it stays. */
static void give_up(pair_t *pair)
{
    qcapint_conv_t *conv = pair->conv;
    const qcapint_speech_t *left = pair->speech.plan           ? &pair->speech.plan->left
                                   : pair->speech.is_encrypted ? &noise
                                                               : &unknown;
    skip(pair, false);
    skip(pair, true);
    if (pair->speech.link) {
        stop_waiting(pair);
        qcapint_deliver_free(pair->deliver);
        pair->deliver = NULL;
        pair->speech.is_read = false;
    } else {
        free_pair(conv);
        conv->upper = (void *)(uintptr_t)left;
    }
    conv->is_unread = true;
    qcapint_tcpstr_hold(&conv->str[0], UINT64_MAX);
    qcapint_tcpstr_hold(&conv->str[1], UINT64_MAX);
}

/* ---------------------------------------------------------------- reading one direction */

static qcap_parser_status_t status(const pair_t *pair, bool is_server)
{
    return pair->sides[is_server].status;
}

/* The direction's parser was called. */
static void note_status(side_t *side)
{
    side->status = qcap_parser_status(side->parser);
}

static bool is_drained(const pair_t *pair, bool is_server)
{
    return pair->sides[is_server].at == stream(pair, is_server)->end;
}

/* Nothing (more) will come of the direction, and all there was has been read. */
static bool is_silent(const pair_t *pair, bool is_server)
{
    return is_drained(pair, is_server) && (stream(pair, is_server)->has_ended || pair->sides[is_server].is_absent);
}

/* Whether the segment, the next of that direction, comes after bytes that the other direction has still to read. */
static bool is_early(const pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    return segment->has_ack && segment->ack > pair->sides[!is_server].at &&
           segment->begin >= pair->sides[is_server].free_until && !is_silent(pair, !is_server) &&
           status(pair, !is_server) != QCAP_PARSER_BECAME;
}

/* Whether the segment's sender knew that the other direction has gone over to another protocol. */
static bool knows_change(const pair_t *pair, bool is_server, const qcapint_segment_t *segment)
{
    return !segment->has_ack || segment->ack >= pair->sides[!is_server].at;
}

/* Reads a gap, or as much as may be read of a segment. Returns whether the direction can go on behind it. */
static bool read_next(pair_t *pair, bool is_server)
{
    side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = stream(pair, is_server);
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, side->at);
    if (!segment || segment->begin > side->at) {
        uint64_t len = (segment ? segment->begin : str->end) - side->at;
        qcapint_deliver_gap(pair->deliver, is_server, len);
        note_status(side);
        side->at += len;
        return true;
    }
    if (is_early(pair, is_server, segment))
        return false;
    if (status(pair, !is_server) == QCAP_PARSER_BECAME)
        qcap_parser_stay(side->parser, !knows_change(pair, is_server, segment));
    size_t skipped = (size_t)(side->at - segment->begin), len = segment->len - skipped;
    size_t taken =
        qcapint_deliver_feed(pair->deliver, is_server, segment->bytes + skipped, len, segment->packet);
    note_status(side);
    side->at += taken;
    side->saw = segment->ack;
    side->has_saw = segment->has_ack;
    side->is_mute = taken == 0 && side->status == QCAP_PARSER_READY;
    return taken == len;
}

/* Whether the direction's parser takes nothing any more, so that its bytes can be forgotten. */
static bool is_closed(const pair_t *pair, bool is_server)
{
    qcap_parser_status_t now = status(pair, is_server);
    return now == QCAP_PARSER_FAILED || now == QCAP_PARSER_FINISHED || pair->sides[is_server].is_mute;
}

/* All of a direction was read, and it has ended: tells the parser. */
static void end_side(pair_t *pair, bool is_server)
{
    side_t *side = &pair->sides[is_server];
    qcapint_deliver_end(pair->deliver, is_server, side->end == QCAP_END_FIN);
    note_status(side);
    side->is_over = true;
}

/* A parser that waits looks again: it may go on although the next bytes may not be read, or have not come. Returns
 * whether it did. */
static bool look_again(pair_t *pair, bool is_server)
{
    if (status(pair, is_server) != QCAP_PARSER_WAITING)
        return false;
    qcapint_deliver_feed(pair->deliver, is_server, NULL, 0, NULL);
    note_status(&pair->sides[is_server]);
    return status(pair, is_server) != QCAP_PARSER_WAITING;
}

/* Reads what may be read of a direction. Returns whether that was anything. */
static bool read_side(pair_t *pair, bool is_server)
{
    side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = stream(pair, is_server);
    uint64_t before = side->at;
    bool is_moving = look_again(pair, is_server);
    if (before == str->end && !str->has_ended)
        return is_moving;
    while (side->at < str->end && read_next(pair, is_server))
        continue;
    if (side->at < str->end && is_closed(pair, is_server))
        skip(pair, is_server);
    if (side->at == str->end && str->has_ended && !side->is_over && status(pair, is_server) != QCAP_PARSER_WAITING) {
        end_side(pair, is_server);
        is_moving = true;
    }
    uint64_t held = qcapint_deliver_held(pair->deliver, is_server);
    qcapint_tcpstr_hold(str, held < side->at ? held : side->at);
    return is_moving || side->at > before;
}

/* ---------------------------------------------------------------- both directions */

/* Lets the direction go on, whatever it waits for. */
static void let_go(pair_t *pair, bool is_server)
{
    side_t *side = &pair->sides[is_server];
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(stream(pair, is_server), side->at);
    if (status(pair, is_server) == QCAP_PARSER_WAITING)
        qcap_parser_hurry(side->parser);
    else if (segment)
        side->free_until = segment->begin + segment->len;
}

/* Whether the direction has bytes that it may not read yet, or waits for what to make of those it has read. */
static bool is_blocked(const pair_t *pair, bool is_server)
{
    qcap_parser_status_t now = status(pair, is_server);
    return now == QCAP_PARSER_WAITING || (!is_drained(pair, is_server) && now != QCAP_PARSER_BECAME);
}

/* Whether a blocked direction need not wait for the other one any longer, whatever that one does. */
static bool is_wait_over(const pair_t *pair, bool is_server)
{
    const side_t *side = &pair->sides[is_server];
    qcap_tcpstr_t *str = stream(pair, is_server);
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, side->at);
    const qcap_t *q = pair->conv->q;
    if (str->end - side->at > q->options.wait_limit || pair->woken_ns == q->now_ns)
        return true;
    if (segment && q->now_ns - qcap_packet_time_ns(segment->packet) > q->timeouts_ns[QCAP_TIMEOUT_WAIT])
        return true;
    if (status(pair, is_server) != QCAP_PARSER_WAITING)
        return false;
    return (side->has_saw && side->saw <= pair->sides[!is_server].at) || is_silent(pair, !is_server);
}

/* Of two directions that wait for each other, which goes on. */
static bool first_of_both(const pair_t *pair)
{
    bool waits[2] = {status(pair, false) == QCAP_PARSER_WAITING, status(pair, true) == QCAP_PARSER_WAITING};
    if (waits[0] != waits[1])
        return waits[1];
    const qcapint_segment_t *client = qcapint_tcpstr_segment(stream(pair, false), pair->sides[0].at);
    const qcapint_segment_t *server = qcapint_tcpstr_segment(stream(pair, true), pair->sides[1].at);
    return client && server && qcap_packet_number(server->packet) < qcap_packet_number(client->packet);
}

/* Nothing moves: finds a direction whose waiting is over. See note [when waiting ends]. Returns whether there was
 * one. */
static bool unblock(pair_t *pair)
{
    bool blocked[2] = {is_blocked(pair, false), is_blocked(pair, true)};
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

/* Reads all that may be read of both directions. */
static void read_both(pair_t *pair)
{
    bool is_moving;
    do {
        is_moving = read_side(pair, false);
        is_moving |= read_side(pair, true);
    } while ((is_blocked(pair, false) || is_blocked(pair, true)) && (is_moving || unblock(pair)));
}

/* ---------------------------------------------------------------- protocols */

static void tell(const pair_t *pair, const char *name, qcap_known_t known)
{
    const qcapint_speech_t *speech = &pair->speech;
    qcapint_spoken_tell(pair->conv->q, &(qcap_spoken_t){
                                           .client = &pair->conv->str[0],
                                           .ends = pair->conv->ends,
                                           .protocol = speech->plan ? speech->plan->protocol : NULL,
                                           .name = name,
                                           .known = known,
                                           .is_encrypted = speech->is_encrypted,
                                           .begin_offset = {pair->sides[0].at, pair->sides[1].at},
                                           .parent = speech->link ? &speech->link->parent : NULL,
                                           .time_ns = pair->conv->q->now_ns,
                                       });
}

/* Nobody knows what is spoken, or it has no more than a name. */
static void begin_unknown(pair_t *pair, const char *name)
{
    pair->speech.plan = NULL;
    tell(pair, name, name ? pair->known : QCAP_KNOWN_NOT);
    give_up(pair);
}

/* Begins to parse by a protocol, where the directions stand. Returns false, and has given up, if nobody would notice, or there is
 * no memory. */
static bool begin(pair_t *pair, const qcapint_plan_t *plan, qcap_known_t known)
{
    const uint64_t at[2] = {pair->sides[0].at, pair->sides[1].at};
    pair->speech.plan = plan;
    tell(pair, plan->protocol->name, known);
    pair->deliver = plan->is_read ? qcapint_deliver_new(pair->conv->q, pair->conv, plan, at) : NULL;
    if (!pair->deliver) {
        give_up(pair);
        return false;
    }
    for (int side = 0; side < 2; side++) {
        qcap_parser_t *parser = qcapint_deliver_parser(pair->deliver, side);
        pair->sides[side].parser = parser;
        if (at[side] == 0 && !stream(pair, side)->has_syn)
            qcap_parser_search(parser);
        if (pair->sides[side].is_absent)
            qcap_parser_absent(parser);
        pair->sides[side].is_over = pair->sides[side].is_mute = false;
        note_status(&pair->sides[side]);
    }
    return true;
}

/* The protocol has a name. */
static bool begin_named(pair_t *pair)
{
    const qcapint_plan_t *plan = qcapint_identify_find(pair->conv->q, pair->named);
    if (plan)
        return begin(pair, plan, pair->known);
    begin_unknown(pair, pair->named);
    return false;
}

/* Finds the protocol, and begins with it. Returns false if it is not known yet, or never: the pair is gone then. */
static bool identify(pair_t *pair)
{
    qcapint_conv_t *conv = pair->conv;
    const uint64_t at[2] = {pair->sides[0].at, pair->sides[1].at};
    const qcapint_plan_t *plan;
    for (int side = 0; side < 2; side++)
        qcapint_tcpstr_hold(&conv->str[side], at[side]);
    if (pair->named)
        return begin_named(pair);
    for (int side = 0; side < 2; side++)
        pair->identify.is_silent[side] = conv->str[side].has_ended || pair->sides[side].is_absent;
    bool is_last = conv->str[0].has_ended && conv->str[1].has_ended;
    switch (qcapint_identify(conv, &pair->identify, at, is_last, &plan)) {
    case QCAPINT_IDENTIFY_FOUND:
        return begin(pair, plan, pair->identify.known);
    case QCAPINT_IDENTIFY_UNKNOWN:
        pair->speech.is_encrypted = pair->identify.is_encrypted;
        begin_unknown(pair, NULL);
        return false;
    case QCAPINT_IDENTIFY_MORE:
        break;
    }
    return false;
}

/* Whether nothing more of the direction belongs to the protocol, if the other one has gone over to another. */
static bool is_done(const pair_t *pair, bool is_server)
{
    return status(pair, is_server) == QCAP_PARSER_BECAME || is_silent(pair, is_server) ||
           (is_drained(pair, is_server) && !is_drained(pair, !is_server));
}

/* Whether the conversation goes over to another protocol now: see note [another protocol]. */
static bool has_become(const pair_t *pair)
{
    bool became[2] = {status(pair, false) == QCAP_PARSER_BECAME, status(pair, true) == QCAP_PARSER_BECAME};
    return (became[0] && is_done(pair, true)) || (became[1] && is_done(pair, false));
}

/* Returns false, and has given up, if the protocol before has read nothing: it would go round for ever. */
static bool become(pair_t *pair)
{
    const char *name = qcap_parser_conversation(pair->sides[0].parser)->becomes;
    if (pair->has_changed && pair->changed_at == bytes_read(pair)) {
        give_up(pair);
        return false;
    }
    pair->has_changed = true;
    pair->changed_at = bytes_read(pair);
    pair->named = name && strcmp(name, "?") != 0 ? name : NULL;
    pair->known = QCAP_KNOWN_BY_CHANGE;
    pair->identify = (qcapint_identify_t){.is_later = true};
    pair->speech.plan = NULL;
    stop_waiting(pair);
    qcapint_deliver_free(pair->deliver);
    pair->deliver = NULL;
    return true;
}

/* Notes whether something of the pair waits, and nothing has moved since it began to. */
static void note_waiting(pair_t *pair)
{
    bool is_waiting = is_blocked(pair, false) || is_blocked(pair, true);
    if (!is_waiting || pair->waiting_at != bytes_read(pair))
        stop_waiting(pair);
    if (is_waiting && !pair->is_waiting)
        start_waiting(pair);
}

/* Does all that can be done by now. The pair may be gone afterwards. */
static void go_on(pair_t *pair)
{
    while (pair->deliver || identify(pair)) {
        read_both(pair);
        if (!has_become(pair)) {
            if (is_closed(pair, false) && is_closed(pair, true))
                give_up(pair);
            else
                note_waiting(pair);
            return;
        }
        if (!become(pair))
            return;
    }
}

/* Nothing has moved for so long that whatever waits goes on. */
static void wake(qcap_t *q)
{
    const qcapint_upper_t *upper = q->upper;
    while (upper->first_waiting && q->now_ns >= q->wake_ns) {
        pair_t *pair = upper->first_waiting;
        stop_waiting(pair);
        pair->woken_ns = q->now_ns;
        go_on(pair);
    }
}

/* ---------------------------------------------------------------- the sink */

static int init(qcap_t *q)
{
    qcapint_upper_t *upper = qcapint_budget_alloc(&q->budget, sizeof *upper);
    if (!upper)
        return QCAP_E_MEMORY;
    qcapint_pool_init(&upper->pairs, &q->budget, sizeof(pair_t));
    q->upper = upper;
    return QCAP_OK;
}

static void fini(qcap_t *q)
{
    qcapint_upper_t *upper = q->upper;
    if (!upper)
        return;
    qcapint_expect_fini(q);
    qcapint_spoken_fini(q);
    qcapint_subscribe_fini(q);
    for (uint32_t i = 0; i < upper->plan_count; i++)
        qcapint_subscribe_plan_free(q, upper->plans[i]);
    qcapint_ports_fini(&upper->ports, &q->budget);
    qcapint_buffer_fini(q, &upper->gathered);
    qcapint_pool_fini(&upper->pairs);
    qcapint_budget_free(&q->budget, upper, sizeof *upper);
    q->upper = NULL;
}

/* Nothing is made for a conversation before it carries anything, unless it was announced. */
static void on_open(qcapint_conv_t *conv)
{
    const qcapint_upper_t *upper = conv->q->upper;
    conv->upper = NULL;
    qcapint_link_t *link = upper->expect.count > 0 ? qcapint_expect_find(conv->q, "tcp", conv->ends) : NULL;
    if (!link)
        return;
    pair_t *pair = get_pair(conv);
    if (!pair) {
        qcapint_link_free(conv->q, link);
        return;
    }
    pair->speech.link = link;
    pair->named = link->name;
    pair->known = QCAP_KNOWN_BY_PARENT;
}

static void on_data(qcap_tcpstr_t *str, const qcapint_segment_t *segment)
{
    pair_t *pair = get_pair(qcapint_conv_of(str));
    (void)segment; /* it is found again by its offset, like those that were held */
    if (!pair)
        return;
    pair->sides[str->is_server].is_absent = false;
    go_on(pair);
}

/* A gap tells nothing about the protocol: it is read when that is known. */
static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    pair_t *pair = get_pair(qcapint_conv_of(str));
    if (!pair)
        qcapint_deliver_lost(str, offset, len);
    else if (pair->deliver)
        go_on(pair);
}

static void on_absent(qcap_tcpstr_t *str)
{
    pair_t *pair = get_pair(qcapint_conv_of(str));
    if (!pair)
        return;
    pair->sides[str->is_server].is_absent = true;
    if (pair->deliver)
        qcap_parser_absent(pair->sides[str->is_server].parser);
    go_on(pair);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end)
{
    pair_t *pair = pair_of(qcapint_conv_of(str));
    if (!pair)
        return;
    pair->sides[str->is_server].end = end;
    go_on(pair);
}

static void on_close(qcapint_conv_t *conv)
{
    free_pair(conv);
    conv->upper = NULL;
}

static void fetch(const qcapint_conv_t *conv, unsigned step)
{
    const pair_t *pair = step > 0 ? pair_of(conv) : NULL;
    if (step == 0)
        qcapint_fetch(conv->upper, sizeof(pair_t));
    else if (pair && pair->deliver)
        qcapint_deliver_fetch(pair->deliver, pair->speech.plan);
}

const qcapint_sink_t qcapint_pair_sink = {
    .init = init,
    .fini = fini,
    .is_server_port = qcapint_identify_is_server_port,
    .open = on_open,
    .data = on_data,
    .gap = on_gap,
    .absent = on_absent,
    .end = on_end,
    .wake = wake,
    .datagram = qcapint_udp_datagram,
    .close = on_close,
    .fetch = fetch,
};
