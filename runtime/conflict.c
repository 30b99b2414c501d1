/* conflict.c: where two copies of the same bytes differ, whoever wants to know is shown both.
 *
 * Copies that differ are an attack, or a fault worth knowing of: the receiver has read one of them, and whoever listens may have
 * read the other. What waits in a queue is compared as it is resolved (segment.c). What was delivered is forgotten, unless a
 * position or a parser needs it; while there is a handler, the last bytes of each direction are kept to compare with. */
#include "conflict.h"

#include "handle.h"

static void tell(qcap_t *q, const qcap_conflict_t *conflict)
{
    for (const qcapint_conflict_subscription_t *s = q->conflict_handlers; s; s = s->next)
        s->handler(conflict, s->user);
}

uint64_t qcapint_conflict_compare(qcap_t *q, qcap_tcpstr_t *str, const qcapint_segment_t *stored,
                                  const qcapint_segment_t *newcomer, uint64_t begin, uint64_t end, bool is_newcomer_kept)
{
    const unsigned char *s = stored->bytes + (begin - stored->begin), *n = newcomer->bytes + (begin - newcomer->begin);
    uint64_t count = 0;
    for (uint64_t i = 0; i < end - begin; i++)
        count += n[i] != s[i];
    if (count > 0 && q->conflict_handlers)
        tell(q, &(qcap_conflict_t){
                    .str = str,
                    .begin_offset = begin,
                    .end_offset = end,
                    .stored = s,
                    .newcomer = n,
                    .stored_packet = stored->packet,
                    .newcomer_packet = newcomer->packet,
                    .is_newcomer_kept = is_newcomer_kept,
                    .time_ns = q->now_ns,
                });
    return count;
}

uint64_t qcapint_conflict_delivered(qcap_tcpstr_t *str, const qcapint_segment_t *newcomer)
{
    uint64_t at = newcomer->begin, until = qcapint_segment_end(newcomer), count = 0;
    if (until > str->end)
        until = str->end;
    while (at < until) {
        const qcapint_segment_t *stored = qcapint_tcpstr_segment(str, at);
        if (!stored || stored->begin >= until)
            break;
        uint64_t begin = stored->begin > at ? stored->begin : at, end = qcapint_segment_end(stored);
        at = end < until ? end : until;
        count += qcapint_conflict_compare(qcapint_conv_of(str)->q, str, stored, newcomer, begin, at, false);
    }
    return count;
}

int qcap_conflict_handler_add(qcap_t *q, qcap_conflict_handler_t handler, void *user)
{
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    qcapint_conflict_subscription_t *added = qcapint_budget_alloc(&q->budget, sizeof *added);
    if (!added)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a handler of conflicts");
    *added = (qcapint_conflict_subscription_t){NULL, handler, user};
    qcapint_conflict_subscription_t **last = &q->conflict_handlers;
    while (*last)
        last = &(*last)->next;
    *last = added;
    return QCAP_OK;
}
