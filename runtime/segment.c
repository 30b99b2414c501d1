/* segment.c: segments and queues of them. See segment.h.
 *
 * note [pieces stay whole]: who wins depends on the extent of the newcomer as it arrived, and of what is left of a
 * stored piece. So the neighbouring parts that a newcomer keeps are stored as one piece, whatever they were cut
 * from, and a stored piece that loses its middle becomes two. Example, with a rule by which the newcomer wins if it
 * begins before: stored are B(2,2) and D(6,2), written piece(offset, length); N(0,7) keeps 0-6 as one piece, and
 * D(7,1) is left. */
#include "segment.h"

#include "conflict.h"
#include "handle.h"

qcapint_segment_t *qcapint_segment_new(qcap_t *q, const qcapint_segment_t *segment)
{
    qcapint_segment_t *kept = qcapint_budget_get(&q->budget, sizeof *kept);
    if (!kept)
        return NULL;
    *kept = *segment;
    kept->next = NULL;
    kept->packet = qcap_packet_ref(segment->packet);
    if (!kept->packet) {
        qcapint_budget_free(&q->budget, kept, sizeof *kept);
        return NULL;
    }
    kept->bytes = kept->packet->bytes + (segment->bytes - segment->packet->bytes);
    return kept;
}

void qcapint_segment_free(qcap_t *q, qcapint_segment_t *segment)
{
    qcap_packet_unref(segment->packet);
    qcapint_budget_free(&q->budget, segment, sizeof *segment);
}

/* A newcomer on its way into a queue. */
typedef struct insertion {
    qcap_t *q;
    qcapint_queue_t *queue;
    qcapint_segment_t **link;   /* where its next piece goes */
    qcapint_overlap_t overlap;  /* met so far */
    qcap_tcpstr_t *str;         /* of whom conflicts are told; NULL: of a datagram */
    bool is_silent;             /* they are not told */
} insertion_t;

/* Stores [begin, end) of `whole` at *link, and goes behind it. */
static void store(insertion_t *in, const qcapint_segment_t *whole, uint64_t begin, uint64_t end)
{
    qcapint_segment_t piece = *whole;
    piece.bytes += begin - whole->begin;
    piece.begin = begin;
    piece.len = (uint32_t)(end - begin);
    qcapint_segment_t *stored = qcapint_segment_new(in->q, &piece);
    if (!stored) {
        in->overlap.is_incomplete = true;
        return;
    }
    stored->next = *in->link;
    if (!stored->next)
        in->queue->last = stored;
    *in->link = stored;
    in->queue->count++;
    in->link = &stored->next;
}

/* Takes [begin, end), which it has, away from the stored segment at *link; goes to where these bytes belong now. */
static void cut(insertion_t *in, uint64_t begin, uint64_t end)
{
    qcapint_segment_t *stored = *in->link, old = *stored;
    if (old.begin >= begin && qcapint_segment_end(&old) <= end) { /* nothing is left */
        *in->link = stored->next;
        in->queue->count--;
        in->queue->last = NULL;
        qcapint_segment_free(in->q, stored);
        return;
    }
    if (old.begin >= begin) { /* its right end is left */
        stored->begin = end;
        stored->bytes += end - old.begin;
        stored->len = (uint32_t)(qcapint_segment_end(&old) - end);
        return;
    }
    in->link = &stored->next;
    if (qcapint_segment_end(&old) > end) { /* both ends are left */
        store(in, &old, end, qcapint_segment_end(&old));
        in->link = &stored->next;
    }
    stored->len = (uint32_t)(begin - old.begin);
}

/* Counts the bytes of [begin, end) that both have, and those in which they differ. */
static void compare(insertion_t *in, const qcapint_segment_t *newcomer, const qcapint_segment_t *stored, uint64_t begin,
                    uint64_t end, bool is_newcomer_kept)
{
    in->overlap.bytes += end - begin;
    if (!in->is_silent)
        in->overlap.conflicting +=
            qcapint_conflict_compare(in->q, in->str, stored, newcomer, begin, end, is_newcomer_kept);
}

/* Goes to the first segment that ends behind `offset`: mostly there is none, since what comes is mostly the latest. */
static void seek(insertion_t *in, uint64_t offset)
{
    qcapint_segment_t *last = in->queue->last;
    in->link = last && qcapint_segment_end(last) <= offset ? &last->next : &in->queue->first;
    while (*in->link && qcapint_segment_end(*in->link) <= offset)
        in->link = &(*in->link)->next;
}

/* `run` is where the part begins that the newcomer has won so far, and that is not stored yet. */
static void insert(insertion_t *in, const qcapint_segment_t *newcomer, int64_t begin, int64_t end, qcapint_rule_t rule)
{
    uint64_t run = newcomer->begin, newcomer_end = qcapint_segment_end(newcomer);
    seek(in, run);
    while (*in->link && (*in->link)->begin < newcomer_end) {
        qcapint_segment_t *stored = *in->link;
        uint64_t stored_end = qcapint_segment_end(stored);
        uint64_t from = stored->begin > run ? stored->begin : run;
        uint64_t until = stored_end < newcomer_end ? stored_end : newcomer_end;
        bool is_kept = qcapint_rule_newcomer_wins(rule, begin, end, (int64_t)stored->begin, (int64_t)stored_end);
        compare(in, newcomer, stored, from, until, is_kept);
        if (is_kept) {
            cut(in, from, until);
            if (until == newcomer_end)
                break;
            continue;
        }
        if (run < from)
            store(in, newcomer, run, from);
        run = until;
        in->link = &stored->next;
    }
    if (run < newcomer_end)
        store(in, newcomer, run, newcomer_end);
}

qcapint_overlap_t qcapint_queue_insert(qcap_t *q, qcapint_queue_t *queue, const qcapint_segment_t *newcomer,
                                       int64_t begin, int64_t end, qcapint_rule_t rule, qcap_tcpstr_t *str)
{
    insertion_t in = {.q = q, .queue = queue, .str = str};
    insert(&in, newcomer, begin, end, rule);
    return in.overlap;
}

void qcapint_queue_add(qcap_t *q, qcapint_queue_t *queue, const qcapint_segment_t *newcomer)
{
    insertion_t in = {.q = q, .queue = queue, .is_silent = true};
    insert(&in, newcomer, (int64_t)newcomer->begin, (int64_t)qcapint_segment_end(newcomer), QCAPINT_RULE_NEVER);
}

uint64_t qcapint_queue_trim(qcap_t *q, qcapint_queue_t *queue, uint64_t end)
{
    insertion_t in = {.q = q, .queue = queue};
    uint64_t count = 0;
    seek(&in, end);
    while (*in.link) {
        uint64_t begin = (*in.link)->begin > end ? (*in.link)->begin : end, behind = qcapint_segment_end(*in.link);
        count += behind - begin;
        cut(&in, begin, behind);
    }
    queue->last = NULL;
    return count;
}

qcapint_segment_t *qcapint_queue_pop(qcapint_queue_t *queue)
{
    qcapint_segment_t *segment = queue->first;
    queue->first = segment->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return segment;
}

void qcapint_queue_clear(qcap_t *q, qcapint_queue_t *queue)
{
    while (queue->first)
        qcapint_segment_free(q, qcapint_queue_pop(queue));
}
