/* identify.c: the first bytes of a conversation tell its protocol.
 *
 * In come the first bytes of either direction, as they arrive. Out goes the plan of a protocol that was added, or
 * that it is none of them. Each protocol is tried by running its own parser, with nobody listening, over what there
 * is of one direction. The answer is one of three: rejected (the parser met an error before it had recognised
 * anything), confirmed (it recognised an element), or still possible. So there is no second description of a protocol
 * to keep true, and what is identified is what can be read.
 *
 * From the answers:
 *   - A protocol that one direction confirms is a contender; so is one that no direction rejects. If there is only one
 *     contender and it is confirmed, that is it.
 *   - Several contenders: the other direction's first bytes are waited for. Then the one that most directions confirm
 *     and fewest reject wins, then the one whose port it is, then the one that was added first.
 *   - A protocol that only one direction rejects is not out: if the other direction confirms it, the malformed
 *     beginning is reported as what it is.
 *   - Nothing confirmed in QCAPINT_IDENTIFY_BYTES of a direction, or to the end: a protocol that no direction rejects,
 *     and whose port it is, if there is one: a long first element, or one that was never finished.
 *   - Otherwise, or if both directions reject all: unknown, for good. It then costs nothing any more.
 *   - A conversation met in the middle may begin anywhere. The port decides at once; without one that is known, the
 *     parsers search, within the same bounds.
 *
 * Cost. Trying needs no memory: each plan has room for one conversation, used again for every attempt, which begins
 * anew at the first byte. Mostly the first packet decides. Where it does not, attempts are spaced (a direction is
 * looked at again after each of its first packets, later when it has grown by a quarter), so all of them together
 * read a small multiple of QCAPINT_IDENTIFY_BYTES. */
#include "identify.h"

#include <string.h>
#include <strings.h>

#include "handle.h"
#include "subscribe.h"

#define EAGER_TRIES 16 /* that many attempts are not spaced */

typedef enum { REJECTED, POSSIBLE, CONFIRMED } verdict_t;

/* ---------------------------------------------------------------- trying one protocol on one direction */

/* One element is enough, and so is one error: what is found behind it by a search is no beginning. */
static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    bool *has_error = user;
    *has_error |= event->kind == QCAP_EVENT_ERROR;
    if (event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_BEGIN || event->kind == QCAP_EVENT_ERROR)
        qcap_parser_pause(parser);
}

static verdict_t verdict(const qcap_parser_t *parser, bool is_middle, bool has_error)
{
    qcap_parser_status_t status = qcap_parser_status(parser);
    if (has_error && !is_middle)
        return REJECTED;
    if (qcap_parser_is_confirmed(parser))
        return CONFIRMED;
    if (status == QCAP_PARSER_FAILED || (status == QCAP_PARSER_SEARCHING && !is_middle))
        return REJECTED;
    return POSSIBLE;
}

/* Feeds a segment from `offset` on. The other direction is not read here, so nothing is waited for. Returns the bytes
 * taken. */
static size_t feed(qcap_parser_t *parser, const qcapint_segment_t *segment, uint64_t offset)
{
    size_t skipped = (size_t)(offset - segment->begin), len = segment->len - skipped;
    size_t taken = qcap_parser_feed(parser, segment->bytes + skipped, len);
    if (taken < len && qcap_parser_status(parser) == QCAP_PARSER_WAITING) {
        qcap_parser_hurry(parser);
        taken += qcap_parser_feed(parser, segment->bytes + skipped + taken, len - taken);
    }
    return taken;
}

/* Whether the beginning of the direction, at `begin`, is missing. */
static bool is_begin_missing(qcap_tcpstr_t *str, uint64_t begin)
{
    const qcapint_segment_t *first = qcapint_tcpstr_segment(str, begin);
    return (begin == 0 && !str->has_syn) || (first && first->begin > begin);
}

static verdict_t try_one(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin)
{
    qcap_conversation_t *conversation = plan->scratch;
    bool is_middle = is_begin_missing(str, begin), has_error = false;
    verdict_t answer = POSSIBLE;
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
    qcap_conversation_init(conversation, plan->protocol, on_event, &has_error);
    qcap_parser_t *parser =
        str->is_server ? qcap_conversation_server(conversation) : qcap_conversation_client(conversation);
    if (is_middle)
        qcap_parser_search(parser);
    uint64_t first = segment && segment->begin > begin ? segment->begin : begin, offset = first;
    while (segment && segment->begin <= offset && offset - first < QCAPINT_IDENTIFY_BYTES) {
        size_t taken = feed(parser, segment, offset);
        answer = verdict(parser, is_middle, has_error);
        if (answer != POSSIBLE)
            return answer;
        offset += taken;
        if (offset < segment->begin + segment->len)
            return REJECTED; /* it takes no more, and has recognised nothing */
        segment = qcapint_tcpstr_segment(str, offset);
    }
    return POSSIBLE; /* behind a hole, or the bound, nothing more is looked at */
}

/* Tries all protocols that are still possible on one direction, if there is enough new of it. */
static void try_all(const qcapint_upper_t *upper, qcap_tcpstr_t *str, qcapint_identify_t *state, uint64_t begin,
                    bool is_last)
{
    bool is_server = str->is_server;
    uint64_t len = str->end - begin, grown = len - state->tried[is_server];
    if (grown == 0 || (!is_last && state->try_count >= EAGER_TRIES && grown < state->tried[is_server] / 4))
        return;
    state->tried[is_server] = (uint32_t)(len < UINT32_MAX ? len : UINT32_MAX);
    state->try_count++;
    for (uint32_t i = 0; i < upper->plan_count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if ((state->rejected[is_server] | state->confirmed[is_server] | upper->entered) & bit)
            continue;
        verdict_t answer = try_one(upper->plans[i], str, begin);
        if (answer == REJECTED)
            state->rejected[is_server] |= bit;
        else if (answer == CONFIRMED)
            state->confirmed[is_server] |= bit;
    }
}

/* ---------------------------------------------------------------- deciding */

static bool has_port(const qcap_protocol_t *protocol, uint16_t port)
{
    for (uint16_t i = 0; i < protocol->port_count; i++)
        if (protocol->ports[i].number == port && strcmp(protocol->ports[i].transport, "tcp") == 0)
            return true;
    return false;
}

/* The first protocol of that port that is not excluded: a bit for each. */
static const qcapint_plan_t *find_by_port(const qcapint_upper_t *upper, uint16_t port, uint64_t excluded)
{
    for (uint32_t i = 0; i < upper->plan_count; i++)
        if (!(excluded >> i & 1) && has_port(upper->plans[i]->protocol, port))
            return upper->plans[i];
    return NULL;
}

/* The best of the protocols that a direction confirmed: see the top. */
static const qcapint_plan_t *best(const qcapint_conv_t *conv, const qcapint_identify_t *state)
{
    const qcapint_upper_t *upper = conv->q->upper;
    const qcapint_plan_t *winner = NULL;
    int most = 0;
    for (uint32_t i = 0; i < upper->plan_count; i++) {
        int score = 0;
        for (int side = 0; side < 2; side++)
            score += 2 * (int)(state->confirmed[side] >> i & 1) - 2 * (int)(state->rejected[side] >> i & 1);
        score += !state->is_later && has_port(upper->plans[i]->protocol, conv->ends[1].port);
        bool is_confirmed = (state->confirmed[0] | state->confirmed[1]) >> i & 1;
        if (is_confirmed && (!winner || score > most)) {
            winner = upper->plans[i];
            most = score;
        }
    }
    return winner;
}

static qcapint_identify_answer_t decide(const qcapint_conv_t *conv, qcapint_identify_t *state, bool is_last,
                                        const qcapint_plan_t **plan)
{
    const qcapint_upper_t *upper = conv->q->upper;
    uint64_t all = (UINT64_MAX >> (QCAPINT_PROTOCOLS - upper->plan_count)) & ~upper->entered;
    uint64_t confirmed = state->confirmed[0] | state->confirmed[1];
    uint64_t rejected = state->rejected[0] | state->rejected[1], contenders = confirmed | (all & ~rejected);
    bool is_over = is_last || state->tried[0] >= QCAPINT_IDENTIFY_BYTES || state->tried[1] >= QCAPINT_IDENTIFY_BYTES;
    bool has_both = state->tried[0] > 0 && state->tried[1] > 0;
    if (confirmed) {
        bool is_alone = (contenders & (contenders - 1)) == 0;
        if (!is_alone && !has_both && !is_over)
            return QCAPINT_IDENTIFY_MORE;
        *plan = best(conv, state);
        state->known = QCAP_KNOWN_BY_BYTES;
        return QCAPINT_IDENTIFY_FOUND;
    }
    if (!is_over)
        return (state->rejected[0] & state->rejected[1]) == all ? QCAPINT_IDENTIFY_UNKNOWN : QCAPINT_IDENTIFY_MORE;
    *plan = state->is_later ? NULL : find_by_port(upper, conv->ends[1].port, rejected);
    state->known = QCAP_KNOWN_BY_PORT;
    return *plan ? QCAPINT_IDENTIFY_FOUND : QCAPINT_IDENTIFY_UNKNOWN;
}

qcapint_identify_answer_t qcapint_identify(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2],
                                           bool is_last, const qcapint_plan_t **plan)
{
    const qcapint_upper_t *upper = conv->q->upper;
    if (upper->plan_count == 0)
        return QCAPINT_IDENTIFY_UNKNOWN;
    if (!conv->str[0].has_syn && !conv->str[1].has_syn && begin[0] == 0 && begin[1] == 0) {
        *plan = find_by_port(upper, conv->ends[1].port, 0);
        state->known = QCAP_KNOWN_BY_PORT;
        if (*plan)
            return QCAPINT_IDENTIFY_FOUND;
    }
    for (int side = 0; side < 2; side++)
        try_all(upper, &conv->str[side], state, begin[side], is_last);
    return decide(conv, state, is_last, plan);
}

bool qcapint_identify_is_server_port(const qcap_t *q, uint16_t port)
{
    return find_by_port(q->upper, port, 0) != NULL;
}

const qcapint_plan_t *qcapint_identify_find(const qcap_t *q, const char *name)
{
    const qcapint_upper_t *upper = q->upper;
    for (uint32_t i = 0; i < upper->plan_count; i++)
        if (strcasecmp(upper->plans[i]->protocol->name, name) == 0)
            return upper->plans[i];
    return NULL;
}

/* ---------------------------------------------------------------- public */

int qcap_protocol_add(qcap_t *q, const qcap_protocol_t *protocol)
{
    qcapint_upper_t *upper = q->upper;
    int status = qcapint_before_begin(q);
    if (status < 0)
        return status;
    if (qcapint_identify_find(q, protocol->name))
        return qcapint_fail(q, QCAP_E_ARGUMENT, "protocol %s was added before", protocol->name);
    if (upper->plan_count == QCAPINT_PROTOCOLS)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "protocol %s: a handle takes %u protocols", protocol->name,
                            QCAPINT_PROTOCOLS);
    qcapint_plan_t *plan = qcapint_subscribe_plan_new(q, protocol);
    if (!plan)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for protocol %s", protocol->name);
    if (protocol->is_entered)
        upper->entered |= UINT64_C(1) << upper->plan_count;
    upper->plans[upper->plan_count++] = plan;
    return QCAP_OK;
}

size_t qcap_protocol_count(const qcap_t *q)
{
    return ((const qcapint_upper_t *)q->upper)->plan_count;
}

const qcap_protocol_t *qcap_protocol_at(const qcap_t *q, size_t index)
{
    const qcapint_upper_t *upper = q->upper;
    return index < upper->plan_count ? upper->plans[index]->protocol : NULL;
}
