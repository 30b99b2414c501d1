/* recovery.c: what cannot be read: it is reported, and reading goes on behind the region around it, or where a search finds a
 * place to begin. */
#include "parsing.h"

void qcapint_parser_fail(qcap_parser_t *p, qcap_error_code_t code, unsigned rule, uint64_t at)
{
    if (p->has_error)
        return;
    p->has_error = true;
    p->error = (qcap_failure_t){.code = (uint8_t)code, .offset = at, .byte = -1, .rule = (uint16_t)rule};
}

void qcapint_parser_fail_here(qcap_parser_t *p, qcap_error_code_t code, const unsigned char *end)
{
    const qcap_about_t *about = about_of(p);
    qcapint_parser_fail(p, code, about->rule, here(p));
    p->error.expected = about->expected;
    if (code == QCAP_ERROR_SYNTAX && p->at < end)
        p->error.byte = *p->at;
}

void qcapint_recovery_found(qcap_parser_t *p, uint64_t at)
{
    p->is_searching = false;
    p->is_lossy = true;
    if (at > p->skip_begin)
        send_span(p, QCAP_EVENT_SKIPPED, QCAP_NONE, p->skip_begin, at, 0);
}

void qcapint_recovery_search_here(qcap_parser_t *p)
{
    p->state = root_of(p)->search;
    p->skip_len = 0;
    qcapint_control_drop(p, 0);
    p->base = 0;
    p->candidate = here(p);
    p->later_count = 0;
    p->later_text = 0;
}

void qcapint_recovery_search(qcap_parser_t *p, uint64_t from)
{
    if (root_of(p)->search == QCAP_NONE || p->is_datagram) {
        qcapint_substream_end_all(p, false);
        p->has_failed = true;
        return;
    }
    qcapint_substream_end_all(p, false);
    p->skip_begin = from;
    p->is_searching = true;
    p->region_count = p->until_count = 0;
    p->is_skipping = false;
    qcapint_recovery_search_here(p);
}

bool qcapint_recovery_may_go_back(const qcap_parser_t *p)
{
    return p->is_searching && !p->has_become && p->candidate < here(p) && here(p) - p->candidate < QCAP_SEARCH_MAX;
}

void qcapint_recovery_go_back(qcap_parser_t *p, uint64_t to)
{
    p->at -= here(p) - to;
    qcapint_recovery_search_here(p);
}

/* What was found so far was no beginning after all: another may be in it. Else goes on at the byte that did not fit, or behind it
 * if nothing was found. */
static void search_on(qcap_parser_t *p)
{
    p->has_error = false;
    if (qcapint_recovery_may_go_back(p)) {
        qcapint_recovery_go_back(p, p->candidate + 1);
        return;
    }
    if (p->candidate == here(p) && p->error.byte >= 0)
        p->at++;
    qcapint_recovery_search_here(p);
}

uint64_t qcapint_recovery_report(qcap_parser_t *p, const qcap_region_t *region)
{
    bool is_told = p->is_skipping && p->error.code == QCAP_ERROR_UNFINISHED; /* where it began: nobody knows how it would end */
    if (p->is_skipping)
        qcapint_region_end_skipping(p);
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
    p->later_count = 0;
    p->later_text = 0;
    qcapint_parser_leave(p, region ? region->depth : 0, here(p));
    if (open_stream(p)) /* it goes on behind the region: up to here it has been read */
        qcapint_stream_deliver(p, open_stream(p), here(p));
    qcap_event_t event = {.kind = QCAP_EVENT_ERROR, .element = QCAP_NONE, .begin = error.offset, .end = error.offset,
                          .error = &error};
    if (!is_told)
        send_event(p, &event);
    return error.offset;
}

void qcapint_recovery_run(qcap_parser_t *p)
{
    if (p->is_searching && p->error.code != QCAP_ERROR_IDLE) {
        search_on(p);
        return;
    }
    const qcap_region_t *region = p->region_count ? &side_regions(p)[p->region_count - 1] : NULL;
    bool is_bounded = region && (region->end != QCAP_REGION_OPEN || is_watched(p, p->region_count - 1u));
    if (p->error.code == QCAP_ERROR_MISSING && p->until_count > 0)
        is_bounded = false; /* its end may be among what is missing */
    uint64_t offset = qcapint_recovery_report(p, is_bounded ? region : NULL);
    if (p->is_searching) { /* it would go round again */
        p->has_failed = true;
    } else if (is_bounded && region->is_jump) {
        qcapint_region_leave(p, region);
    } else if (is_bounded) {
        p->is_skipping = true;
        p->skip_begin = offset;
    } else {
        qcapint_recovery_search(p, offset);
    }
}
