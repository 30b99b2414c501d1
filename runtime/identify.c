/* identify.c: the first bytes of a conversation tell its protocol.
 *
 * In come the first bytes of either direction, as they arrive. Out goes the plan of a protocol that was added, or
 * that it is none of them. What the bytes of one direction say for one protocol is evidence.c's verdict.
 *
 * From the verdicts:
 *   - The protocol of the port is asked first. If the bytes leave no doubt, or both directions confirm it, that is it. Else the
 *     others are asked.
 *   - A protocol that a direction excludes is out, whatever the other one says: words that many protocols know confirm
 *     some of them on one side. Only where it is that of the port, certainty outweighs that: who answers in so many words was not
 *     asked so.
 *   - One that a direction confirms, and no other is left: that is it, as soon as the other direction was heard, too, or
 *     there is little doubt, or the port is its own.
 *   - Several: the other direction's first bytes are waited for. Then the one that most speaks for wins, then the one whose
 *     port it is, then the one that was added first; but while the bytes have not told them apart, more is waited for.
 *   - A direction that began like a protocol, up to an error, confirms nothing and excludes nothing: if the other one
 *     confirms it, the malformed beginning is reported as what it is.
 *   - Nothing confirmed in QCAPINT_EVIDENCE_BYTES of a direction, or to the end: a protocol that no direction speaks
 *     against, something for, and whose port it is, if there is one: a long first element, or one that was never finished.
 *   - Otherwise, or if all are excluded: unknown, for good. It then costs nothing any more.
 *   - A conversation met in the middle may begin anywhere, so the parsers search, within the same bounds, and nothing is
 *     excluded: where both directions speak, both have to confirm it. Who is the client was only guessed: the roles are
 *     tried the other way, too, and stay so if that finds something. Where nothing is found the port decides, unless both
 *     directions have spoken, and not as that protocol does.
 *
 * Cost. Trying needs no memory that stays: each plan has room for one conversation, used again for every attempt, which
 * begins anew at the first byte. Mostly the first packet decides. Where it does not, attempts are spaced (a direction is
 * looked at again after each of its first packets, later when it has grown by a quarter), so all of them together
 * read a small multiple of QCAPINT_EVIDENCE_BYTES. */
#include "identify.h"

#include <string.h>
#include <strings.h>

#include "evidence.h"
#include "handle.h"
#include "subscribe.h"

#define EAGER_TRIES 16 /* that many attempts are not spaced */

/* ---------------------------------------------------------------- verdicts */

static void note(qcapint_identify_t *state, bool is_server, uint64_t bit, qcapint_verdict_t verdict)
{
    if (verdict == QCAPINT_VERDICT_EXCLUDED)
        state->excluded[is_server] |= bit;
    if (verdict == QCAPINT_VERDICT_DAMAGED)
        state->damaged[is_server] |= bit;
    if (verdict == QCAPINT_VERDICT_CONFIRMED || verdict == QCAPINT_VERDICT_CERTAIN)
        state->confirmed[is_server] |= bit;
    if (verdict == QCAPINT_VERDICT_CERTAIN)
        state->certain[is_server] |= bit;
    if (verdict == QCAPINT_VERDICT_LIKELY)
        state->likely[is_server] |= bit;
}

/* Tries those of the `asked` protocols that are still possible on one direction, if there is enough new of it. What takes time is
 * asked after 1, 2, 4, 8 ... times. */
static void try_some(const qcapint_conv_t *conv, qcap_tcpstr_t *str, qcapint_identify_t *state, qcapint_tries_t *tries,
                     uint64_t asked, uint64_t begin, bool is_last)
{
    const qcapint_upper_t *upper = conv->q->upper;
    bool is_server = str->is_server;
    uint64_t len = str->end - begin, grown = len - tries->len[is_server];
    bool is_due = grown > 0 && (tries->count < EAGER_TRIES || grown >= tries->len[is_server] / 4);
    if (len == 0 || (!is_due && !is_last))
        return;
    tries->len[is_server] = (uint32_t)(len < UINT32_MAX ? len : UINT32_MAX);
    tries->count++;
    bool is_thorough = is_last || (tries->count & (tries->count - 1)) == 0;
    uint64_t out = (state->excluded[0] | state->excluded[1]) & ~state->of_port;
    uint64_t settled = state->certain[is_server] | (state->confirmed[is_server] & state->excluded[!is_server]);
    uint64_t known = state->excluded[is_server] | state->damaged[is_server] | settled;
    uint64_t left = asked & ~(out | known);
    for (uint32_t i = 0; i < upper->plan_count; i++)
        if (left >> i & 1)
            note(state, is_server, UINT64_C(1) << i,
                 qcapint_evidence_stream(upper->plans[i], str, begin, state->of_port >> i & 1, is_thorough));
}

/* ---------------------------------------------------------------- deciding */

/* The first of some protocols; NULL: there is none. */
static const qcapint_plan_t *first_of(const qcapint_upper_t *upper, uint64_t bits)
{
    for (uint32_t i = 0; bits && i < upper->plan_count; i++)
        if (bits >> i & 1)
            return upper->plans[i];
    return NULL;
}

/* Those that may be spoken from the beginning: a bit for each. */
static uint64_t all_protocols(const qcapint_upper_t *upper)
{
    return (UINT64_MAX >> (QCAPINT_PROTOCOLS - upper->plan_count)) & ~upper->entered;
}

/* How much speaks for a protocol. */
static int score(const qcapint_identify_t *state, unsigned plan)
{
    int sum = 0;
    for (int side = 0; side < 2; side++)
        sum += 4 * (int)(state->confirmed[side] >> plan & 1) + (int)(state->likely[side] >> plan & 1) -
               4 * (int)(state->damaged[side] >> plan & 1) - 8 * (int)(state->excluded[side] >> plan & 1);
    return sum;
}

/* The best of those in `bits`; `*is_tied`: another one is as good, and the port is neither's. */
static const qcapint_plan_t *best(const qcapint_upper_t *upper, const qcapint_identify_t *state, uint64_t bits,
                                  uint64_t of_port, bool *is_tied)
{
    const qcapint_plan_t *winner = NULL;
    int most = 0;
    *is_tied = false;
    for (uint32_t i = 0; i < upper->plan_count; i++) {
        int points = score(state, i) + 2 * (int)(of_port >> i & 1);
        if (!(bits >> i & 1) || (winner && points < most))
            continue;
        *is_tied = winner && points == most;
        if (*is_tied)
            continue;
        winner = upper->plans[i];
        most = points;
    }
    return winner;
}

/* Whether the port's own protocol is it, whatever the others say. */
static bool settle(const qcapint_conv_t *conv, qcapint_identify_t *state, const qcapint_plan_t **plan)
{
    uint64_t bit = state->of_port;
    uint64_t against = state->excluded[0] | state->excluded[1] | state->damaged[0] | state->damaged[1];
    if (bit == 0 || (bit & (bit - 1)) || (bit & against))
        return false;
    *plan = first_of(conv->q->upper, bit);
    state->known = QCAP_KNOWN_BY_BYTES;
    return bit & ((state->confirmed[0] & state->confirmed[1]) | state->certain[0] | state->certain[1]);
}

/* Whether another protocol than the port's may begin with the direction's first byte. */
static bool has_rival(const qcapint_identify_t *state, qcap_tcpstr_t *str, uint64_t begin)
{
    const qcapint_upper_t *upper = qcapint_conv_of(str)->q->upper;
    uint64_t others = all_protocols(upper) & ~(state->of_port | state->excluded[str->is_server]);
    for (uint32_t i = 0; i < upper->plan_count; i++)
        if ((others >> i & 1) && qcapint_evidence_may_begin(upper->plans[i], str, begin))
            return true;
    return false;
}

/* Whether the port's own protocol fits what one direction says, of which the other has said nothing yet: others that begin alike
 * need not be asked before that has been heard, and mostly they need not be then. */
static bool may_settle(qcapint_conv_t *conv, const qcapint_identify_t *state, const uint64_t begin[2])
{
    const uint32_t *len = state->of_ports.len;
    for (int side = 0; side < 2; side++)
        if ((state->confirmed[side] & state->of_port) && len[side] < QCAPINT_EVIDENCE_BYTES && len[!side] == 0 &&
            !state->is_silent[!side])
            return has_rival(state, qcapint_conv_str(conv, side), begin[side]);
    return false;
}

/* Nothing that was added. */
static qcapint_identify_answer_t unknown(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2])
{
    for (int side = 0; side < 2; side++)
        state->is_encrypted |= qcapint_evidence_is_noise(qcapint_conv_str(conv, side), begin[side]);
    return QCAPINT_IDENTIFY_UNKNOWN;
}

/* Those that have been confirmed. In the middle nothing is excluded, since anything can stand before what is found: so both
 * directions have to say it, if both say anything; the protocol of the port, or what is certain when nothing more comes, needs
 * only one. */
static uint64_t all_confirmed(const qcapint_identify_t *state, bool is_over)
{
    const uint32_t *tried = state->of_all.len;
    uint64_t any = state->confirmed[0] | state->confirmed[1], both = state->confirmed[0] & state->confirmed[1];
    uint64_t certain = is_over || tried[0] == 0 || tried[1] == 0 ? state->certain[0] | state->certain[1] : 0;
    return state->is_middle ? both | certain | (any & state->of_port) : any;
}

/* What is known by its port alone: where something speaks for it, or only one direction has said anything yet, in the middle of
 * which there may be nothing to be found. */
static const qcapint_plan_t *by_port(const qcapint_upper_t *upper, const qcapint_identify_t *state, uint64_t left)
{
    const uint32_t *tried = state->of_ports.len;
    bool is_one_way = state->is_middle && (tried[0] == 0 || tried[1] == 0);
    uint64_t likely = state->likely[0] | state->likely[1];
    return first_of(upper, left & state->of_port & (is_one_way ? UINT64_MAX : likely));
}

static qcapint_identify_answer_t decide(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2],
                                        bool is_last, const qcapint_plan_t **plan)
{
    const qcapint_upper_t *upper = conv->q->upper;
    const uint32_t *tried = state->of_all.len;
    bool is_over = is_last || tried[0] >= QCAPINT_EVIDENCE_BYTES || tried[1] >= QCAPINT_EVIDENCE_BYTES;
    bool has_both = (tried[0] > 0 || state->is_silent[0]) && (tried[1] > 0 || state->is_silent[1]);
    uint64_t all = all_protocols(upper), of_port = state->of_port;
    uint64_t certain_of_port = of_port & (state->certain[0] | state->certain[1]);
    uint64_t excluded = (state->excluded[0] | state->excluded[1]) & ~certain_of_port;
    uint64_t may_yet = of_port & ~(state->excluded[0] & state->excluded[1]);
    uint64_t confirmed = all_confirmed(state, is_over) & ~excluded;
    uint64_t left = confirmed | (all & ~(excluded | state->damaged[0] | state->damaged[1]));
    bool is_tied;
    state->known = QCAP_KNOWN_BY_BYTES;
    if (confirmed) {
        bool is_alone = (left & (left - 1)) == 0;
        bool is_certain = (left & (state->certain[0] | state->certain[1] | of_port)) == left;
        *plan = best(upper, state, confirmed, of_port, &is_tied);
        bool is_decided = is_alone ? is_certain || has_both : has_both && !is_tied;
        return is_decided || is_over ? QCAPINT_IDENTIFY_FOUND : QCAPINT_IDENTIFY_MORE;
    }
    bool may_come = may_yet || ((all & ~excluded) != 0 && !(has_both && left == 0));
    if (may_come && !is_over)
        return QCAPINT_IDENTIFY_MORE;
    state->known = QCAP_KNOWN_BY_PORT;
    *plan = by_port(upper, state, left);
    return *plan ? QCAPINT_IDENTIFY_FOUND : unknown(conv, state, begin);
}

/* Of the port's protocol: a direction that it does not begin like may be the answer to what the other one says. Then it excludes
 * nothing. */
static void forgive_answers(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2])
{
    const qcapint_upper_t *upper = conv->q->upper;
    for (int side = 0; side < 2; side++) {
        uint64_t bits = state->of_port & state->excluded[side] & state->confirmed[!side];
        for (uint32_t i = 0; i < upper->plan_count; i++)
            if ((bits >> i & 1) && qcapint_evidence_is_answer(upper->plans[i], conv, begin, side)) {
                state->excluded[side] &= ~(UINT64_C(1) << i);
                state->damaged[side] |= UINT64_C(1) << i;
            }
    }
}

/* The roles are taken to be what they are taken to be. */
static qcapint_identify_answer_t ask(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2], bool is_last,
                                     const qcapint_plan_t **plan)
{
    const qcapint_upper_t *upper = conv->q->upper;
    uint64_t of_port = qcapint_ports_find(&upper->ports, false, qcapint_conv_end(conv, true)->port);
    state->of_port = state->is_later ? 0 : of_port & all_protocols(upper);
    for (int side = 0; side < 2; side++)
        try_some(conv, qcapint_conv_str(conv, side), state, &state->of_ports, state->of_port, begin[side], is_last);
    forgive_answers(conv, state, begin);
    if (settle(conv, state, plan))
        return QCAPINT_IDENTIFY_FOUND;
    if (!is_last && may_settle(conv, state, begin))
        return QCAPINT_IDENTIFY_MORE;
    for (int side = 0; side < 2; side++)
        try_some(conv, qcapint_conv_str(conv, side), state, &state->of_all, all_protocols(upper) & ~state->of_port, begin[side], is_last);
    return decide(conv, state, begin, is_last, plan);
}

/* The same with the roles the other way. They stay so if that tells more. */
static bool ask_reversed(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2], bool is_last,
                         const qcapint_plan_t **plan)
{
    qcapint_identify_t other = {.is_middle = true, .is_silent = {state->is_silent[1], state->is_silent[0]}};
    const uint64_t other_begin[2] = {begin[1], begin[0]};
    const qcapint_plan_t *found = NULL;
    conv->is_reversed = !conv->is_reversed;
    if (ask(conv, &other, other_begin, is_last, &found) == QCAPINT_IDENTIFY_FOUND && other.known == QCAP_KNOWN_BY_BYTES) {
        *state = other;
        *plan = found;
        return true;
    }
    conv->is_reversed = !conv->is_reversed;
    return false;
}

/* Whether to ask so, too: like what takes time, after 1, 2, 4, 8 ... attempts. */
static bool is_due(uint32_t before, uint32_t now, bool is_last)
{
    return is_last || (now != before && (now & (now - 1)) == 0);
}

qcapint_identify_answer_t qcapint_identify(qcapint_conv_t *conv, qcapint_identify_t *state, const uint64_t begin[2],
                                           bool is_last, const qcapint_plan_t **plan)
{
    if (((const qcapint_upper_t *)conv->q->upper)->plan_count == 0)
        return QCAPINT_IDENTIFY_UNKNOWN;
    state->is_middle = !conv->str[0].has_syn && !conv->str[1].has_syn && begin[0] == 0 && begin[1] == 0;
    const uint32_t before = state->of_all.count;
    const qcapint_identify_answer_t answer = ask(conv, state, begin, is_last, plan);
    if (!state->is_middle || (answer == QCAPINT_IDENTIFY_FOUND && state->known == QCAP_KNOWN_BY_BYTES))
        return answer;
    bool is_over = answer != QCAPINT_IDENTIFY_MORE;
    bool is_other = is_due(before, state->of_all.count, is_over) && ask_reversed(conv, state, begin, is_last, plan);
    return is_other ? QCAPINT_IDENTIFY_FOUND : answer;
}

bool qcapint_identify_is_server_port(const qcap_t *q, uint16_t port)
{
    return qcapint_ports_find(&((const qcapint_upper_t *)q->upper)->ports, false, port) != 0;
}

/* Asked for whatever is fed: the first letters are told apart without a call. */
const qcapint_plan_t *qcapint_identify_find(const qcap_t *q, const char *name)
{
    const qcapint_upper_t *upper = q->upper;
    for (uint32_t i = 0; i < upper->plan_count; i++) {
        const char *other = upper->plans[i]->protocol->name;
        if ((*other | 0x20) == (*name | 0x20) && strcasecmp(other, name) == 0)
            return upper->plans[i];
    }
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
    if (!plan || !qcapint_ports_add(&upper->ports, &q->budget, protocol, upper->plan_count)) {
        qcapint_subscribe_plan_free(q, plan);
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for protocol %s", protocol->name);
    }
    if (protocol->is_entered)
        upper->entered |= UINT64_C(1) << upper->plan_count;
    upper->plans[upper->plan_count++] = plan;
    q->is_read = true;
    qcapint_subscribe_update(q);
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
