/* pair.c: who reads a conversation: its protocol and its parsers, from the first byte on.
 *
 * In come the bytes of both directions, from tcpstr.c. Until identify.c has found the protocol everything is held; then there are
 * parsers, and step.c reads what may be read. When nobody reads the rest, its bytes are not even asked for.
 *
 * note [another protocol]: the direction that confirms a change stops behind the confirmation. The other one's bytes are
 * still the old protocol until one of them acknowledges it: what a client has sent ahead, behind its request for a change,
 * is of the old one, too. So that segments are read by the old parser as long as they come, and it changes with the first
 * one whose sender knew. If it says nothing, the change is made when the confirming side goes on. Then the parsers are
 * freed, and the new protocol begins where they stopped: the one that was named, or it is identified anew. One that was
 * named and not added is unknown for good: it was not meant to be anything else.
 *
 * Invariants. conv->upper is NULL (nothing came yet), or a speech that others share (nobody reads the conversation: it
 * costs nothing more), or a qcapint_pair_t. */
#include <string.h>

#include "bytes.h"
#include "handle.h"
#include "spoken.h"
#include "step.h"
#include "subscribe.h"
#include "udp.h"

/* What conv->upper points to when no parser reads the conversation, and nothing is to be said about it. Never written to. */
static const qcapint_speech_t unknown, noise = {.is_encrypted = true};

static qcapint_upper_t *upper_of(const qcapint_pair_t *pair)
{
    return pair->conv->q->upper;
}

/* ---------------------------------------------------------------- those that wait */

static void update_wake(qcap_t *q)
{
    const qcapint_pair_t *first = ((qcapint_upper_t *)q->upper)->first_waiting;
    int64_t timeout_ns = q->timeouts_ns[QCAP_TIMEOUT_WAIT];
    q->wake_ns = first ? first->waiting_ns + (timeout_ns > 0 ? timeout_ns : 1) : INT64_MAX;
}

static void stop_waiting(qcapint_pair_t *pair)
{
    qcapint_upper_t *upper = upper_of(pair);
    if (!pair->is_waiting)
        return;
    *(pair->older ? &pair->older->newer : &upper->first_waiting) = pair->newer;
    *(pair->newer ? &pair->newer->older : &upper->last_waiting) = pair->older;
    pair->is_waiting = false;
    update_wake(pair->conv->q);
}

static uint64_t bytes_read(const qcapint_pair_t *pair)
{
    return pair->sides[0].at + pair->sides[1].at;
}

static void start_waiting(qcapint_pair_t *pair)
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
static qcapint_pair_t *pair_of(const qcapint_conv_t *conv)
{
    const qcapint_speech_t *speech = conv->upper;
    return speech && speech->is_read ? conv->upper : NULL;
}

/* The same: made if nothing is known of the conversation yet. */
static qcapint_pair_t *get_pair(qcapint_conv_t *conv)
{
    if (conv->upper)
        return pair_of(conv);
    qcapint_pair_t *pair = NULL;
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
    qcapint_pair_t *pair = conv->upper;
    stop_waiting(pair);
    qcapint_deliver_free(pair->deliver);
    qcapint_link_free(conv->q, pair->speech.link);
    qcapint_pool_free(&((qcapint_upper_t *)conv->q->upper)->pairs, pair);
}

/* Nobody reads the rest of the conversation. What is worth knowing of it stays. */
static void give_up(qcapint_pair_t *pair)
{
    qcapint_conv_t *conv = pair->conv;
    const qcapint_speech_t *left = pair->speech.plan           ? &pair->speech.plan->left
                                   : pair->speech.is_encrypted ? &noise
                                                               : &unknown;
    qcapint_step_skip(pair, false);
    qcapint_step_skip(pair, true);
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

/* ---------------------------------------------------------------- protocols */

static void tell(const qcapint_pair_t *pair, const char *name, qcap_known_t known)
{
    const qcapint_speech_t *speech = &pair->speech;
    const qcap_endpoint_t ends[2] = {*qcapint_conv_end(pair->conv, false), *qcapint_conv_end(pair->conv, true)};
    qcapint_spoken_tell(pair->conv->q, &(qcap_spoken_t){
                                           .client = qcapint_conv_str(pair->conv, false),
                                           .ends = ends,
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
static void begin_unknown(qcapint_pair_t *pair, const char *name)
{
    pair->speech.plan = NULL;
    tell(pair, name, name ? pair->known : QCAP_KNOWN_NOT);
    give_up(pair);
}

/* Begins to parse by a protocol, where the directions stand. Returns false, and has given up, if nobody would notice, or there is
 * no memory. */
static bool begin(qcapint_pair_t *pair, const qcapint_plan_t *plan, qcap_known_t known)
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
        if (at[side] == 0 && !qcapint_step_stream(pair, side)->has_syn)
            qcap_parser_search(parser);
        if (pair->sides[side].is_absent)
            qcap_parser_absent(parser);
        pair->sides[side].is_over = pair->sides[side].is_mute = false;
        qcapint_step_note_status(&pair->sides[side]);
    }
    return true;
}

/* The protocol has a name. */
static bool begin_named(qcapint_pair_t *pair)
{
    const qcapint_plan_t *plan = qcapint_identify_find(pair->conv->q, pair->named);
    if (plan)
        return begin(pair, plan, pair->known);
    begin_unknown(pair, pair->named);
    return false;
}

/* What was from the client is from the server. */
static void exchange_sides(qcapint_pair_t *pair)
{
    const qcapint_side_t client = pair->sides[0];
    pair->sides[0] = pair->sides[1];
    pair->sides[1] = client;
}

/* Finds the protocol, and begins with it. Returns false if it is not known yet, or never: the pair is gone then. */
static bool identify(qcapint_pair_t *pair)
{
    qcapint_conv_t *conv = pair->conv;
    const uint64_t at[2] = {pair->sides[0].at, pair->sides[1].at};
    const qcapint_plan_t *plan;
    for (int side = 0; side < 2; side++)
        qcapint_tcpstr_hold(qcapint_conv_str(conv, side), at[side]);
    if (pair->named)
        return begin_named(pair);
    for (int side = 0; side < 2; side++)
        pair->identify.is_silent[side] = qcapint_conv_str(conv, side)->has_ended || pair->sides[side].is_absent;
    bool is_last = conv->str[0].has_ended && conv->str[1].has_ended;
    const bool was_reversed = conv->is_reversed;
    const qcapint_identify_answer_t answer = qcapint_identify(conv, &pair->identify, at, is_last, &plan);
    if (conv->is_reversed != was_reversed)
        exchange_sides(pair);
    switch (answer) {
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
static bool is_done(const qcapint_pair_t *pair, bool is_server)
{
    return qcapint_step_status(pair, is_server) == QCAP_PARSER_BECAME || qcapint_step_is_silent(pair, is_server) ||
           (qcapint_step_is_drained(pair, is_server) && !qcapint_step_is_drained(pair, !is_server));
}

/* Whether the conversation goes over to another protocol now: see note [another protocol]. */
static bool has_become(const qcapint_pair_t *pair)
{
    bool became[2] = {qcapint_step_status(pair, false) == QCAP_PARSER_BECAME,
                      qcapint_step_status(pair, true) == QCAP_PARSER_BECAME};
    return (became[0] && is_done(pair, true)) || (became[1] && is_done(pair, false));
}

/* Returns false, and has given up, if the protocol before has read nothing: it would go round for ever. */
static bool become(qcapint_pair_t *pair)
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
static void note_waiting(qcapint_pair_t *pair)
{
    bool is_waiting = qcapint_step_is_blocked(pair, false) || qcapint_step_is_blocked(pair, true);
    if (!is_waiting || pair->waiting_at != bytes_read(pair))
        stop_waiting(pair);
    if (is_waiting && !pair->is_waiting)
        start_waiting(pair);
}

/* Does all that can be done by now. The pair may be gone afterwards. */
static void go_on(qcapint_pair_t *pair)
{
    while (pair->deliver || identify(pair)) {
        qcapint_step_read(pair);
        if (!has_become(pair)) {
            if (qcapint_step_is_closed(pair, false) && qcapint_step_is_closed(pair, true))
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
        qcapint_pair_t *pair = upper->first_waiting;
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
    qcapint_pool_init(&upper->pairs, &q->budget, sizeof(qcapint_pair_t));
    qcapint_spares_init(&upper->spares, &q->budget);
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
    qcapint_buffer_fini(q, &upper->altered);
    qcapint_pool_fini(&upper->pairs);
    qcapint_spares_fini(&upper->spares);
    qcapint_budget_free(&q->budget, upper, sizeof *upper);
    q->upper = NULL;
}

/* Nothing is made for a conversation before it carries anything, unless it was announced. */
static void on_open(qcapint_conv_t *conv)
{
    const qcapint_upper_t *upper = conv->q->upper;
    conv->upper = NULL;
    conv->is_unread = upper->plan_count == 0; /* nobody reads anything */
    qcapint_link_t *link = upper->expect.count > 0 ? qcapint_expect_find(conv->q, "tcp", conv->ends) : NULL;
    if (!link)
        return;
    qcapint_pair_t *pair = get_pair(conv);
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
    qcapint_pair_t *pair = get_pair(qcapint_conv_of(str));
    if (!pair)
        return;
    const bool is_server = qcapint_str_is_server(str);
    pair->sides[is_server].is_absent = false;
    if (!pair->deliver || !qcapint_step_go_on(pair, is_server, segment))
        go_on(pair);
}

static bool pass(qcap_tcpstr_t *str, uint32_t len, uint64_t ack)
{
    qcapint_pair_t *pair = pair_of(qcapint_conv_of(str));
    return pair && pair->deliver && qcapint_step_pass(pair, qcapint_str_is_server(str), len, ack);
}

/* A gap tells nothing about the protocol: it is read when that is known. */
static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    qcapint_pair_t *pair = get_pair(qcapint_conv_of(str));
    if (!pair)
        qcapint_deliver_lost(str, offset, len);
    else if (pair->deliver)
        go_on(pair);
}

static void on_absent(qcap_tcpstr_t *str)
{
    qcapint_pair_t *pair = get_pair(qcapint_conv_of(str));
    if (!pair)
        return;
    qcapint_side_t *side = &pair->sides[qcapint_str_is_server(str)];
    side->is_absent = true;
    if (pair->deliver)
        qcap_parser_absent(side->parser);
    go_on(pair);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end)
{
    qcapint_pair_t *pair = pair_of(qcapint_conv_of(str));
    if (!pair)
        return;
    pair->sides[qcapint_str_is_server(str)].end = end;
    go_on(pair);
}

static void on_close(qcapint_conv_t *conv)
{
    free_pair(conv);
    conv->upper = NULL;
}

static void fetch(const qcapint_conv_t *conv, unsigned step)
{
    const qcapint_pair_t *pair = step > 0 ? pair_of(conv) : NULL;
    if (step == 0)
        qcapint_fetch(conv->upper, sizeof(qcapint_pair_t));
    else if (pair && pair->deliver)
        qcapint_deliver_fetch(pair->deliver, pair->speech.plan);
}

const qcapint_sink_t qcapint_pair_sink = {
    .init = init,
    .fini = fini,
    .is_server_port = qcapint_identify_is_server_port,
    .open = on_open,
    .data = on_data,
    .pass = pass,
    .gap = on_gap,
    .absent = on_absent,
    .end = on_end,
    .wake = wake,
    .datagram = qcapint_udp_datagram,
    .close = on_close,
    .fetch = fetch,
};
