/* driver.c: machines, tables and control points in turn, until more input is needed.
 *
 * A machine (generated) reads bytes and follows states until the bytes end, a control point is reached, or nothing fits. The
 * driver does the rest: passes control points, ends regions, skips what needs no look, and keeps to limits.
 *
 * note [cut-free]: events must not depend on where pieces end. Limits are therefore not checked where a piece ends but at the
 * exact offset: the driver never lets a machine run past an offset at which a limit could be met (run_end).
 *
 * note [entry]: a state that reads nothing performs operations and goes on. It runs even when no bytes are left, so that what is
 * certain is reported at once. */
#include "parsing.h"

#include <string.h>

#define IDLE_MAX 60000u /* turns of the driver without a byte: so many that it goes round */

/* ---------------------------------------------------------------- limits */

uint64_t qcapint_driver_pending(const qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    uint64_t oldest = here(p) - keep->held_back;
    for (unsigned r = 0; keep->held_registers >> r; r++)
        if ((keep->held_registers >> r & 1) && place(p, (uint16_t)r) < oldest)
            oldest = place(p, (uint16_t)r);
    if (p->later_count && qcap_later_at(side_later(p)[0], here(p)) < oldest)
        oldest = qcap_later_at(side_later(p)[0], here(p));
    uint64_t waiting = waiting_of(p);
    return oldest < waiting ? oldest : waiting;
}

uint64_t qcapint_driver_stream_end(const qcap_parser_t *p)
{
    uint16_t end = keep_of(p)->stream_end;
    return end == QCAP_PLACE_OLDEST ? qcapint_driver_pending(p) : place(p, end);
}

/* Its bytes have to be there when it ends. */
static bool is_held(const qcap_parser_t *p, unsigned element)
{
    return element < QCAP_FEED && !protocol_of(p)->elements[element].is_stream &&
           !protocol_of(p)->elements[element].separator;
}

qcap_slot_t *qcapint_driver_element(const qcap_parser_t *p)
{
    for (unsigned d = 0; d < p->depth; d++) {
        qcap_slot_t *slot = &side_slots(p)[d];
        if (is_wanted(p, qcap_slot_element(slot)) && is_held(p, qcap_slot_element(slot)))
            return slot;
    }
    return NULL;
}

/* How many bytes something may stay undecided for. */
static uint32_t undecided_max(const qcap_parser_t *p)
{
    return p->conversation->limit < QCAP_UNDECIDED_MAX ? p->conversation->limit : QCAP_UNDECIDED_MAX;
}

/* Delivers elements that have reached the limit. */
static void deliver_long(qcap_parser_t *p)
{
    uint64_t now = here(p);
    uint32_t limit = p->conversation->limit;
    for (qcap_slot_t *slot; (slot = qcapint_driver_element(p)) != NULL && now - begin_of(p, slot) >= limit;) {
        unsigned element = qcap_slot_element(slot);
        uint64_t begin = begin_of(p, slot);
        qcap_slot_set(slot, QCAP_NONE, begin);
        if (open_stream(p) && !p->is_skipping) /* what came before the limit comes before the event that tells of it */
            qcapint_stream_deliver(p, open_stream(p), qcapint_driver_stream_end(p));
        send_span(p, QCAP_EVENT_ELEMENT, element, begin, begin + limit, QCAP_EVENT_TRUNCATED);
    }
}

/* And gives up what has been undecided for so long. */
static void enforce_limit(qcap_parser_t *p)
{
    uint64_t now = here(p);
    deliver_long(p);
    if (now - qcapint_driver_pending(p) >= undecided_max(p))
        qcapint_parser_fail(p, QCAP_ERROR_LIMIT, about_of(p)->rule, now);
}

/* The offset at which a limit would be met first. */
static uint64_t first_limit(const qcap_parser_t *p)
{
    uint64_t first = qcapint_driver_pending(p) + undecided_max(p);
    const qcap_slot_t *slot = qcapint_driver_element(p);
    uint64_t full = slot ? begin_of(p, slot) + p->conversation->limit : first;
    return full < first ? full : first;
}

/* What opens, or is undecided, later on begins no earlier than what is now: once found, a bound holds until it is reached. */
static void renew_limit(qcap_parser_t *p)
{
    enforce_limit(p);
    p->unlimited = first_limit(p);
}

/* Nothing that is open, or undecided, has a limit. */
static bool is_unlimited(const qcap_parser_t *p)
{
    const qcap_keep_t *keep = keep_of(p);
    return keep->held_back == 0 && keep->held_registers == 0 && p->later_count == 0 && waiting_of(p) == UINT64_MAX && !qcapint_driver_element(p);
}

/* ---------------------------------------------------------------- how far a machine may run */

uint64_t qcapint_driver_next_full(const qcap_parser_t *p)
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

/* How far a machine may run: see note [cut-free]. */
static const unsigned char *run_end(const qcap_parser_t *p, const unsigned char *end)
{
    uint64_t limit = p->unlimited > here(p) ? p->unlimited : here(p); /* what is due comes first */
    end = p->is_datagram ? end : earlier(p, end, limit);
    if (keep_of(p)->counter_count)
        end = earlier(p, end, qcapint_driver_next_full(p));
    return region_end(p, end);
}

static bool is_region_at_end(const qcap_parser_t *p)
{
    return p->region_count && end_of(p, &side_regions(p)[p->region_count - 1]) == here(p);
}

/* ---------------------------------------------------------------- reading */

qcap_stop_t qcapint_driver_read_on(qcap_parser_t *p, const unsigned char *end)
{
    qcap_stop_t stop;
    do {
        stop = qcap_table_run(p, p->at, end);
        if (stop == QCAP_STOP_TABLE)
            stop = run_machine(p, state_of(p), end);
    } while (stop == QCAP_STOP_TABLE && !is_counting(state_of(p)));
    return stop;
}

void qcapint_driver_end(qcap_parser_t *p)
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
        qcapint_driver_end(p);
    else if (is_accepting(p))
        qcapint_region_end(p);
    else
        return false;
    return true;
}

/* The next place where something may be found; false if there is none yet. */
static bool find_candidate(qcap_parser_t *p, const unsigned char *end)
{
    const int byte = root_of(p)->search_byte;
    const unsigned char *found = byte == QCAP_NONE ? qcapint_table_find(p, p->at, end)
                                 : p->at == end    ? NULL
                                                   : memchr(p->at, byte, (size_t)(end - p->at));
    p->at = found ? found : end;
    p->candidate = here(p);
    return p->at != end;
}

/* Passes over bytes of the region behind an error, but none of a limit: elements around it go on. False: more input is needed. */
static bool skip(qcap_parser_t *p, const unsigned char *end)
{
    uint64_t limit = UINT64_MAX;
    if (!p->is_datagram) {
        deliver_long(p);
        const qcap_slot_t *slot = qcapint_driver_element(p);
        limit = slot ? begin_of(p, slot) + p->conversation->limit : limit;
    }
    p->at = earlier(p, region_end(p, end), limit);
    return is_region_at_end(p) || here(p) == limit;
}

/* One run of a machine, or of skipping where every byte does the same. False: more input is needed. */
static bool advance_with_care(qcap_parser_t *p, const unsigned char *end)
{
    if (p->is_searching && p->state == root_of(p)->search && p->candidate == here(p) && !find_candidate(p, end))
        return false;
    if (p->until_count > 0)
        qcapint_until_look(p);
    bool is_counting = keep_of(p)->counter_count > 0;
    bool is_due = is_kind(p, QCAP_STATE_ENTRY) || (is_counting && qcapint_driver_next_full(p) == here(p)); /* goes on without a byte */
    if ((!is_due || p->is_skipping) && is_region_at_end(p)) {
        if ((state_of(p)->kind & QCAP_STATE_END) && !p->is_skipping)
            qcapint_driver_end(p);
        else
            qcapint_region_end(p);
        return true;
    }
    if (p->until_count > 0 && !is_due && !p->is_last && qcapint_until_safe(p) == here(p))
        return false; /* a region that ends here ends before a limit is met */
    if (p->is_skipping)
        return skip(p, end);
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
            qcapint_parser_fail_here(p, QCAP_ERROR_SYNTAX, stop);
    return true;
}

/* The same where it is likely to be simple: there are regions that end where they said, and nothing else to look out for. */
static inline bool advance(qcap_parser_t *p, const unsigned char *end)
{
    const qcap_state_t *s = state_of(p);
    bool is_entry = (s->kind & QCAP_STATE_KIND) == QCAP_STATE_ENTRY, is_skippable = is_any_loop(s);
    if (is_counting(s) || p->is_searching || p->is_skipping || p->is_datagram || p->until_count > 0)
        return advance_with_care(p, end);
    if (!is_entry && here(p) >= p->unlimited && is_unlimited(p)) /* what an entry leads to may have begun before */
        p->unlimited = here(p) + undecided_max(p);
    bool is_free = is_skippable && p->unlimited < qcap_offset_of(p, end) && is_unlimited(p);
    uint64_t now = here(p), bound = is_free ? UINT64_MAX : p->unlimited;
    if (p->region_count > 0) {
        const qcap_region_t *region = &side_regions(p)[p->region_count - 1];
        if (region->end == now && !is_entry && !(s->kind & QCAP_STATE_END)) {
            qcapint_region_end(p);
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
    if (!is_skippable) {
        if (read_bytes(p, s, end) == QCAP_STOP_ERROR)
            qcapint_parser_fail_here(p, QCAP_ERROR_SYNTAX, end);
        return true;
    }
    p->at = end;
    if (is_free)
        p->unlimited = here(p) + undecided_max(p);
    return true;
}

void qcapint_driver_run(qcap_parser_t *p, const unsigned char *end)
{
    const unsigned char *before = p->at;
    p->idle = 0;
    while (!p->is_paused && !p->has_become && !p->has_failed) {
        p->idle = (uint16_t)(p->at == before ? p->idle + 1 : 0);
        before = p->at;
        if (p->idle >= IDLE_MAX) {
            qcapint_parser_fail(p, QCAP_ERROR_IDLE, about_of(p)->rule, here(p));
            p->idle = 0;
        }
        if (p->has_error) {
            qcapint_recovery_run(p);
            continue;
        }
        bool is_control = !p->is_skipping && is_kind(p, QCAP_STATE_CONTROL);
        if (is_control ? !qcapint_control_pass(p, &protocol_of(p)->controls[state_of(p)->row], end) : !advance(p, end))
            return;
    }
}
