/* ended.c: conversations that are over and have left. See ended.h.
 *
 * A connection that is over lingers for a while (QCAP_TIMEOUT_CLOSED); but copies may come later: a FIN that was not acknowledged is
 * sent again for minutes. Such a segment is no conversation that was met in the middle. So 16 bytes of each that leaves stay,
 * in a table of fixed size in which a newcomer takes the place of who is there.
 *
 * A late copy lies before the end of what its sender has sent, and not far: no more than a window was ever on its way. A connection
 * between the same two ends whose SYN was lost has other numbers, nearly always.
 *
 * Sources: RFC 9293, 3.4.2 (how long a segment may live, and that numbers are not used again before), 3.6.1 (TIME-WAIT). */
#include "ended.h"

#define LIFE_S 240u              /* twice the time that a segment lives */
#define REACH (1u << 24)         /* how far before the end a copy lies, at most: more than windows are */
#define PART 1024u               /* of the budget is for marks: one in so many bytes */
#define MARKS_MAX (1u << 18)
#define NS_PER_S INT64_C(1000000000)

/* As many as there is memory for. */
static bool allocate(qcapint_ended_t *ended, qcapint_budget_t *budget)
{
    uint32_t count = 1;
    while (count < MARKS_MAX && (uint64_t)count * 2 * sizeof *ended->marks <= budget->limit / PART)
        count *= 2;
    ended->marks = qcapint_budget_alloc(budget, count * sizeof *ended->marks);
    ended->mask = count - 1;
    return ended->marks;
}

static uint32_t seconds_of(int64_t ns)
{
    uint32_t seconds = (uint32_t)(ns / NS_PER_S);
    return seconds ? seconds : 1;
}

void qcapint_ended_add(qcapint_ended_t *ended, qcapint_budget_t *budget, uint32_t hash, const uint32_t behind[2], int64_t seen_ns)
{
    if (!ended->marks && !allocate(ended, budget))
        return;
    ended->marks[hash & ended->mask] = (qcapint_ended_mark_t){hash, {behind[0], behind[1]}, seconds_of(seen_ns)};
}

bool qcapint_ended_has(const qcapint_ended_t *ended, uint32_t hash, bool is_higher, uint32_t end, int64_t now_ns)
{
    if (!ended->marks)
        return false;
    const qcapint_ended_mark_t *mark = &ended->marks[hash & ended->mask];
    return mark->seen_s && mark->hash == hash && seconds_of(now_ns) - mark->seen_s <= LIFE_S && mark->behind[is_higher] - end <= REACH;
}

void qcapint_ended_fini(qcapint_ended_t *ended, qcapint_budget_t *budget)
{
    qcapint_budget_free(budget, ended->marks, ((size_t)ended->mask + 1) * sizeof *ended->marks);
    ended->marks = NULL;
}
