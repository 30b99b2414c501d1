/* tcpstr.c: bytes and positions of one direction; what is held, and until when. See tcpstr.h for the idea and
 * invariants. */
#include "tcpstr.h"

#include <stdint.h>
#include <string.h>

#include "flow.h"
#include "handle.h"
#include "smooth.h"

void qcapint_tcpstr_init(qcap_tcpstr_t *str, bool is_server)
{
    memset(str, 0, sizeof *str);
    str->is_server = is_server;
    str->window_scale = QCAPINT_NO_SCALE;
}

/* ---------------------------------------------------------------- what is rare */

const qcapint_rare_t qcapint_rare_none[2] = {
    {.hole_ns = INT64_MAX, .fin = UINT64_MAX},
    {.hole_ns = INT64_MAX, .fin = UINT64_MAX},
};

qcapint_rare_t *qcapint_rare_get(qcap_tcpstr_t *str)
{
    qcapint_conv_t *conv = qcapint_conv_of(str);
    if (qcapint_rare_has(conv))
        return qcapint_rare_of(str);
    qcapint_rare_t *rare = qcapint_pool_get(&conv->q->flow.rares);
    if (!rare)
        return NULL;
    for (int i = 0; i < 2; i++) {
        rare[i] = qcapint_rare_none[i];
        rare[i].held = conv->str[i].end;
    }
    conv->rare = rare;
    return &rare[str->is_server];
}

static void free_rare(qcapint_conv_t *conv)
{
    if (qcapint_rare_has(conv))
        qcapint_pool_free(&conv->q->flow.rares, conv->rare);
    conv->rare = (qcapint_rare_t *)(uintptr_t)qcapint_rare_none;
}

static bool is_needed(const qcapint_rare_t *rare, const qcap_tcpstr_t *str)
{
    return rare->first || rare->positions || rare->queue.first || rare->doubtful.first || rare->snapped > str->end ||
           (rare->fin > str->end && rare->fin != UINT64_MAX) || rare->hole_ns != INT64_MAX || rare->has_far ||
           rare->has_far_ack || rare->in_hole_list;
}

void qcapint_rare_tidy(qcapint_conv_t *conv)
{
    if (!is_needed(&conv->rare[0], &conv->str[0]) && !is_needed(&conv->rare[1], &conv->str[1]))
        free_rare(conv);
}

void qcapint_tcpstr_fini(qcapint_conv_t *conv)
{
    for (int i = 0; i < 2; i++)
        while (conv->rare[i].first) {
            qcapint_segment_t *segment = conv->rare[i].first;
            conv->rare[i].first = segment->next;
            qcapint_segment_free(conv->q, segment);
        }
    free_rare(conv);
}

/* ---------------------------------------------------------------- what is kept */

/* From where on the sink needs bytes; UINT64_MAX: none. */
static uint64_t held_of(const qcap_tcpstr_t *str)
{
    const qcapint_conv_t *conv = qcapint_conv_of(str);
    if (conv->q->hand.str == str)
        return conv->q->hand.held;
    return !str->is_held ? UINT64_MAX : qcapint_rare_has(conv) ? qcapint_rare_of(str)->held : str->end;
}

/* The lowest offset that anybody needs; UINT64_MAX: nothing is needed. */
static uint64_t need(const qcap_tcpstr_t *str)
{
    uint64_t lowest = held_of(str);
    const qcapint_conv_t *conv = qcapint_conv_of(str);
    for (const qcap_tcpstr_pos_t *pos = qcapint_rare_of(str)->positions; pos; pos = pos->next)
        if (pos->offset < lowest)
            lowest = pos->offset;
    if (conv->q->conflict_handlers && conv->is_open) {
        uint64_t recent = str->end > QCAP_CONFLICT_BYTES ? str->end - QCAP_CONFLICT_BYTES : 0;
        if (recent < lowest)
            lowest = recent;
    }
    return lowest;
}

/* Forgets what nobody needs any more. */
static void trim(qcap_tcpstr_t *str)
{
    qcapint_rare_t *rare = qcapint_rare_of(str);
    if (!rare->first)
        return;
    uint64_t from = need(str);
    while (rare->first && qcapint_segment_end(rare->first) <= from) {
        qcapint_segment_t *segment = rare->first;
        rare->first = segment->next;
        if (rare->found == segment)
            rare->found = NULL;
        qcapint_segment_free(qcapint_conv_of(str)->q, segment);
    }
    if (!rare->first)
        rare->last = NULL;
}

static void add(qcapint_rare_t *rare, qcapint_segment_t *segment)
{
    segment->next = NULL;
    if (rare->last)
        rare->last->next = segment;
    else
        rare->first = segment;
    rare->last = segment;
}

void qcapint_tcpstr_hold(qcap_tcpstr_t *str, uint64_t offset)
{
    qcapint_conv_t *conv = qcapint_conv_of(str);
    str->is_held = offset != UINT64_MAX;
    if (conv->q->hand.str == str)
        conv->q->hand.held = offset;
    if (!qcapint_rare_has(conv)) /* nothing is kept */
        return;
    qcapint_rare_of(str)->held = offset;
    trim(str);
}

const qcapint_segment_t *qcapint_tcpstr_segment(qcap_tcpstr_t *str, uint64_t offset)
{
    qcapint_rare_t *rare = qcapint_rare_of(str);
    const qcapint_hand_t *hand = &qcapint_conv_of(str)->q->hand;
    qcapint_segment_t *from = rare->found && rare->found->begin <= offset ? rare->found : rare->first;
    if (!rare->last || qcapint_segment_end(rare->last) <= offset)
        from = NULL; /* mostly the bytes at hand are asked for: the list, however long, has them not */
    for (qcapint_segment_t *segment = from; segment; segment = segment->next)
        if (qcapint_segment_end(segment) > offset)
            return rare->found = segment;
    return hand->str == str && qcapint_segment_end(hand->segment) > offset ? hand->segment : NULL;
}

/* ---------------------------------------------------------------- bytes come in */

/* Shows bytes to all who want to see them. Returns where they are to be kept; NULL: nobody needs them, or there is no memory. */
static qcapint_rare_t *show(qcap_tcpstr_t *str, const qcapint_segment_t *segment)
{
    qcapint_conv_t *conv = qcapint_conv_of(str);
    qcap_t *q = conv->q;
    q->hand = (qcapint_hand_t){str, segment, held_of(str)};
    qcapint_smooth_pass(q, str, segment->len);
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_data)
            tap->tap.on_data(str, segment->begin, segment->bytes, segment->len, segment->packet, tap->user);
    if (!conv->is_unread)
        q->sink->data(str, segment);
    bool is_needed = need(str) < str->end;
    if (is_needed && !qcapint_rare_get(str))
        qcapint_packet_stage(segment->packet, QCAP_STAGE_NO_MEMORY);
    uint64_t held = q->hand.held;
    q->hand = (qcapint_hand_t){NULL, NULL, 0};
    if (!qcapint_rare_has(conv))
        return NULL;
    qcapint_rare_t *rare = qcapint_rare_of(str);
    rare->held = held;
    trim(str);
    return is_needed ? rare : NULL;
}

void qcapint_tcpstr_append(qcap_tcpstr_t *str, const qcapint_segment_t *segment)
{
    qcapint_rare_t *rare = show(str, segment);
    qcapint_segment_t *kept = rare ? qcapint_segment_new(qcapint_conv_of(str)->q, segment) : NULL;
    if (kept)
        add(rare, kept);
    else if (rare)
        qcapint_packet_stage(segment->packet, QCAP_STAGE_NO_MEMORY);
}

void qcapint_tcpstr_next(qcap_tcpstr_t *str, uint64_t ack, qcap_packet_t *packet)
{
    const qcapint_segment_t segment = {.begin = str->end,
                                       .ack = ack,
                                       .has_ack = true,
                                       .urgent = UINT64_MAX,
                                       .bytes = packet->bytes + packet->headers.payload,
                                       .packet = packet,
                                       .len = packet->headers.payload_len};
    qcapint_tcpstr_append(str, &segment);
}

void qcapint_tcpstr_take(qcap_tcpstr_t *str, qcapint_segment_t *segment)
{
    qcapint_rare_t *rare = show(str, segment);
    if (rare)
        add(rare, segment);
    else
        qcapint_segment_free(qcapint_conv_of(str)->q, segment);
}

void qcapint_tcpstr_gap(qcap_tcpstr_t *str, uint64_t len)
{
    qcap_t *q = qcapint_conv_of(str)->q;
    uint64_t begin = str->end;
    str->end += len;
    q->stats.gaps++;
    q->stats.gap_bytes += len;
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_gap)
            tap->tap.on_gap(str, begin, len, tap->user);
    q->sink->gap(str, begin, len);
}

void qcapint_tcpstr_absent(qcap_tcpstr_t *str)
{
    qcapint_conv_of(str)->q->sink->absent(str);
}

void qcapint_tcpstr_end(qcap_tcpstr_t *str, qcap_end_t end)
{
    qcap_t *q = qcapint_conv_of(str)->q;
    if (str->has_ended)
        return;
    str->has_ended = true;
    for (qcapint_tap_t *tap = q->taps; tap; tap = tap->next)
        if (tap->tap.on_end)
            tap->tap.on_end(str, end, tap->user);
    q->sink->end(str, end);
}

int qcap_tap_add(qcap_t *q, const qcap_tap_t *tap, void *user)
{
    qcapint_tap_t *added = qcapint_budget_alloc(&q->budget, sizeof *added);
    if (!added)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a tap");
    added->tap = *tap;
    added->user = user;
    q->is_tapped |= tap->on_data != NULL;
    qcapint_tap_t **last = &q->taps;
    while (*last)
        last = &(*last)->next;
    *last = added;
    return QCAP_OK;
}

/* ---------------------------------------------------------------- bytes in one piece */

void qcapint_buffer_fini(qcap_t *q, qcapint_buffer_t *buffer)
{
    qcapint_budget_free(&q->budget, buffer->bytes, buffer->size);
    memset(buffer, 0, sizeof *buffer);
}

/* It doubles, so that a long element is not moved at every byte. */
bool qcapint_buffer_grow(qcap_t *q, qcapint_buffer_t *buffer, size_t size)
{
    if (size <= buffer->size)
        return true;
    size_t new_size = buffer->size ? buffer->size : 4096;
    while (new_size < size)
        new_size = new_size > SIZE_MAX / 2 ? size : new_size * 2;
    unsigned char *bytes = qcapint_budget_resize(&q->budget, buffer->bytes, buffer->size, new_size);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size = new_size;
    return true;
}

/* Whether every byte of [begin, end) is there. Asked before anything is allocated for it. */
static bool is_complete(qcap_tcpstr_t *str, uint64_t begin, uint64_t end)
{
    while (begin < end) {
        const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
        if (!segment || segment->begin > begin)
            return false;
        begin = qcapint_segment_end(segment);
    }
    return true;
}

const unsigned char *qcapint_tcpstr_gather(qcap_tcpstr_t *str, uint64_t begin, uint64_t end, qcapint_buffer_t *buffer)
{
    if (begin == end)
        return (const unsigned char *)"";
    const qcapint_segment_t *segment = begin < end ? qcapint_tcpstr_segment(str, begin) : NULL;
    if (segment && segment->begin <= begin && qcapint_segment_end(segment) >= end)
        return segment->bytes + (begin - segment->begin);
    if (!segment || !is_complete(str, begin, end) || !qcapint_buffer_grow(qcapint_conv_of(str)->q, buffer, (size_t)(end - begin)))
        return NULL;
    for (uint64_t at = begin; at < end;) {
        segment = qcapint_tcpstr_segment(str, at);
        uint64_t until = qcapint_segment_end(segment) < end ? qcapint_segment_end(segment) : end;
        memcpy(buffer->bytes + (at - begin), segment->bytes + (at - segment->begin), (size_t)(until - at));
        at = until;
    }
    return buffer->bytes;
}

const unsigned char *qcap_tcpstr_bytes(const qcap_tcpstr_pos_t *begin, const qcap_tcpstr_pos_t *end, size_t *len)
{
    *len = 0;
    if (begin->str != end->str || begin->offset > end->offset)
        return NULL;
    const unsigned char *bytes =
        qcapint_tcpstr_gather(begin->str, begin->offset, end->offset, &qcapint_conv_of(begin->str)->q->scratch);
    if (bytes)
        *len = (size_t)(end->offset - begin->offset);
    return bytes;
}

/* ---------------------------------------------------------------- positions */

qcap_tcpstr_pos_t *qcap_tcpstr_pos_copy(const qcap_tcpstr_pos_t *pos)
{
    qcap_tcpstr_t *str = pos->str;
    qcapint_rare_t *rare = qcapint_rare_get(str);
    qcap_tcpstr_pos_t *copy = rare ? qcapint_budget_alloc(&qcapint_conv_of(str)->q->budget, sizeof *copy) : NULL;
    if (!copy)
        return NULL;
    copy->str = str;
    copy->offset = pos->offset;
    copy->next = rare->positions;
    copy->owner = &rare->positions;
    if (copy->next)
        copy->next->owner = &copy->next;
    rare->positions = copy;
    qcapint_conv_of(str)->references++;
    return copy;
}

void qcap_tcpstr_pos_free(qcap_tcpstr_pos_t *pos)
{
    if (!pos || !pos->owner)
        return;
    qcap_tcpstr_t *str = pos->str;
    *pos->owner = pos->next;
    if (pos->next)
        pos->next->owner = pos->owner;
    qcapint_budget_free(&qcapint_conv_of(str)->q->budget, pos, sizeof *pos);
    trim(str);
    qcapint_rare_tidy(qcapint_conv_of(str));
    qcapint_conv_unref(qcapint_conv_of(str));
}

int qcap_tcpstr_pos_advance(qcap_tcpstr_pos_t *pos, uint64_t count)
{
    qcap_tcpstr_t *str = pos->str;
    if (pos->offset > str->end || count > str->end - pos->offset)
        return qcapint_fail(qcapint_conv_of(str)->q, QCAP_E_ARGUMENT, "a position cannot go beyond what was delivered");
    pos->offset += count;
    trim(str);
    return QCAP_OK;
}

/* The segment that has the byte at the position; NULL if there is none. */
static const qcapint_segment_t *segment_at(const qcap_tcpstr_pos_t *pos)
{
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(pos->str, pos->offset);
    return segment && segment->begin <= pos->offset ? segment : NULL;
}

int qcap_tcpstr_pos_byte(const qcap_tcpstr_pos_t *pos)
{
    const qcapint_segment_t *segment = segment_at(pos);
    return segment ? segment->bytes[pos->offset - segment->begin] : QCAP_E_GONE;
}

qcap_packet_t *qcap_tcpstr_pos_packet(const qcap_tcpstr_pos_t *pos)
{
    const qcapint_segment_t *segment = segment_at(pos);
    return segment ? segment->packet : NULL;
}

qcap_tcpstr_t *qcap_tcpstr_pos_stream(const qcap_tcpstr_pos_t *pos)
{
    return pos->str;
}

uint64_t qcap_tcpstr_pos_offset(const qcap_tcpstr_pos_t *pos)
{
    return pos->offset;
}

/* ---------------------------------------------------------------- facts */

qcap_tcpstr_t *qcap_tcpstr_other(const qcap_tcpstr_t *str)
{
    return qcapint_conv_other(str);
}

bool qcap_tcpstr_is_server(const qcap_tcpstr_t *str)
{
    return qcapint_str_is_server(str);
}

uint64_t qcap_tcpstr_number(const qcap_tcpstr_t *str)
{
    return qcapint_conv_of(str)->number;
}

int64_t qcap_tcpstr_opened_ns(const qcap_tcpstr_t *str)
{
    return qcapint_conv_of(str)->opened_ns;
}

bool qcap_tcpstr_has_syn(const qcap_tcpstr_t *str)
{
    return str->has_syn;
}

uint64_t qcap_tcpstr_offset(const qcap_tcpstr_t *str)
{
    return str->end;
}

const qcap_endpoint_t *qcap_tcpstr_source(const qcap_tcpstr_t *str)
{
    return &qcapint_conv_of(str)->ends[str->is_server];
}

const qcap_endpoint_t *qcap_tcpstr_destination(const qcap_tcpstr_t *str)
{
    return &qcapint_conv_of(str)->ends[!str->is_server];
}

void qcap_tcpstr_set_user(qcap_tcpstr_t *str, void *user)
{
    str->user = user;
}

void *qcap_tcpstr_user(const qcap_tcpstr_t *str)
{
    return str->user;
}
