/* region.c: parts of the input that end where a length, a text or the end of the stream says, whatever is in them. */
#include "parsing.h"

#define JUMPED_MAX (1u << 20) /* bytes of one datagram that `at` reads */
#define IDLE_ERROR 600u /* turns of the driver that an error at the end of a region counts for: see driver.c */

static void begin_region(qcap_parser_t *p, const qcap_control_t *control, uint64_t end)
{
    side_regions(p)[p->region_count++] = (qcap_region_t){.end = end,
                                                    .after = control->targets[1],
                                                    .depth = p->depth,
                                                    .base = p->base,
                                                    .frame_count = p->frame_count,
                                                    .saved = p->saved_count};
    p->state = control->targets[0];
}

void qcapint_region_begin_length(qcap_parser_t *p, const qcap_control_t *control)
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

void qcapint_region_begin_open(qcap_parser_t *p, const qcap_control_t *control)
{
    begin_region(p, control, p->region_count ? end_of(p, &side_regions(p)[p->region_count - 1]) : QCAP_REGION_OPEN);
    side_regions(p)[p->region_count - 1].is_open = true;
    if (control->until && !qcapint_until_begin(p, control->until)) {
        p->region_count--;
        qcapint_parser_fail(p, QCAP_ERROR_ARITHMETIC, control->rule, here(p));
    }
}

/* From one jump to the next, offsets decrease, so a chain of them has an end. Several jumps from one place could still read the
 * same bytes again and again: all together may not read more than JUMPED_MAX. */
void qcapint_region_begin_jump(qcap_parser_t *p, const qcap_control_t *control)
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
        qcapint_recovery_report(p, &(qcap_region_t){.depth = p->depth, .saved = p->saved_count});
        p->state = control->targets[1];
        return;
    }
    side_regions(p)[p->region_count - 1].is_jump = true;
    p->at = p->piece + n.value;
}

/* ---------------------------------------------------------------- ends */

void qcapint_region_pass_over(qcap_parser_t *p, uint64_t begin, uint64_t end)
{
    const qcap_slot_t *feed = feed_of(p, open_stream(p));
    if (feed && end > begin)
        qcapint_substream_gap(p, qcap_slot_element(feed) - QCAP_FEED, end - begin);
    p->streamed = end;
}

void qcapint_region_end_skipping(qcap_parser_t *p)
{
    p->is_skipping = false;
    send_span(p, QCAP_EVENT_SKIPPED, QCAP_NONE, p->skip_begin, here(p), 0);
    qcapint_region_pass_over(p, p->streamed, here(p));
}

bool qcapint_region_skip(qcap_parser_t *p, const unsigned char *end)
{
    size_t left = (size_t)(end - p->at), len = left < p->skip_len ? left : p->skip_len;
    p->at += len;
    p->skip_len = (uint16_t)(p->skip_len - len);
    return p->skip_len == 0;
}

void qcapint_region_leave(qcap_parser_t *p, const qcap_region_t *region)
{
    p->region_count--;
    qcapint_control_drop(p, region->frame_count);
    p->base = region->base;
    p->state = region->after;
    if (!region->is_jump)
        return;
    p->jumped += (uint32_t)(p->at - p->piece) - QCAP_JUMP_TO(region->end);
    p->at = p->piece + QCAP_JUMP_BACK(region->end);
}

/* Has the region come to where its rule said that it ends? */
static bool is_complete(const qcap_parser_t *p, unsigned region)
{
    return is_watched(p, region) ? qcapint_watch(p, region)->is_found : side_regions(p)[region].is_open || !side_regions(p)[region].is_cut;
}

void qcapint_region_end(qcap_parser_t *p)
{
    const qcap_region_t region = side_regions(p)[p->region_count - 1];
    bool is_right = is_complete(p, p->region_count - 1u);
    if (is_watched(p, p->region_count - 1u)) {
        p->skip_len = is_right ? qcapint_watch(p, p->region_count - 1u)->len : 0;
        p->until_count--;
    }
    if (p->is_skipping) {
        qcapint_region_end_skipping(p);
    } else if (is_right && is_accepting(p)) {
        qcap_table_perform(p, keep_of(p)->accept, here(p));
    } else {
        qcapint_parser_fail_here(p, QCAP_ERROR_EXTENT, p->at);
    }
    if (p->has_error) {
        qcapint_recovery_report(p, &region); /* nothing is left of the region to skip: goes on behind it */
        p->idle = (uint16_t)(p->idle + IDLE_ERROR);
    }
    qcapint_region_leave(p, &region);
}
