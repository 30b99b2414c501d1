/* deliver.c: parser events become the application's matches and reports.
 *
 * In come the bytes of the two directions of a conversation, in the order that pair.c decided on. They are fed to the
 * parsers of the protocol that identify.c found. Out go calls of handlers: for each event about an element, the rows
 * that subscribe.c made for it; for errors, anomalies and gaps the report handlers.
 *
 * The parser is given the bits of the elements that are wanted, so all others cost it a bit test and never come here.
 * An element whose bytes are not all in the piece at hand is gathered from the stream: pair.c holds what
 * qcapint_deliver_held() says. What is in one packet is never copied.
 *
 * note [choices]: a row may want the selector of its element, which comes first, to have a certain text. When a
 * selector comes, its text is compared with all choices for it, and what holds is noted for that direction, until the
 * selector comes again. So "Cookie" is compared once, however many subscriptions and elements depend on it.
 *
 * Offsets. A parser counts from the first byte it was fed; the stream counts from the beginning of the direction.
 * `begin` is the difference: a direction may have been read by another protocol before.
 *
 * Memory. One block for each conversation, and one for its queues if they are used; both are charged to the budget. */
#include "deliver.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "decoders.h"
#include "handle.h"

#define TEXT_SIZE 512

/* One direction. */
typedef struct side {
    qcap_tcpstr_t *str;    /* its stream; NULL: datagrams */
    qcap_parser_t *parser; /* its parser, in the block behind the struct */
    uint64_t begin;        /* offset in the stream of the parser's first byte; in the datagram: below 0, modulo 2^64 */
    uint64_t open_begin;   /* where the stream element that is open began; valid if open is not QCAP_NONE */
    uint16_t open;         /* the stream element that is open, QCAP_NONE: none */
    bool has_lost;         /* the parser reported the gap it is being told of */
    bool *chosen;          /* one for each choice of the plan, behind the struct: see note [choices] */
} side_t;

struct qcapint_deliver {
    qcap_t *q;
    qcap_packet_t *packet; /* the datagram that is being read; NULL: a stream */
    uint64_t exchange;     /* its number; 0: a stream */
    const qcapint_plan_t *plan;
    qcap_conversation_t *conversation; /* behind the struct */
    size_t size;                       /* of this block */
    int64_t time_ns;                   /* when the packet came whose bytes are being fed */
    side_t sides[2];                   /* [0]: from the client */
};

/* ---------------------------------------------------------------- matches */

/* The event's bytes, wherever they lie. NULL if they are lost. */
static const unsigned char *bytes_of(const qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    qcapint_upper_t *upper = deliver->q->upper;
    if (event->bytes || !side->str)
        return event->bytes;
    return qcapint_tcpstr_gather(side->str, side->begin + event->begin, side->begin + event->end, &upper->gathered);
}

static bool is_row_active(const side_t *side, const qcapint_row_t *row)
{
    return !row->choice || side->chosen[row->choice->index];
}

static void call_rows(qcapint_deliver_t *deliver, const side_t *side, qcap_match_t *match)
{
    const qcapint_interest_t *interest = &deliver->plan->interests[match->element];
    qcap_tcpstr_pos_t begin = qcapint_tcpstr_pos(side->str, match->begin_offset);
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(side->str, match->end_offset);
    match->protocol = deliver->plan->protocol;
    match->path = interest->path;
    match->str = side->str;
    match->begin = side->str ? &begin : NULL;
    match->end = side->str ? &end : NULL;
    match->packet = deliver->packet;
    match->exchange = deliver->exchange;
    match->is_server = qcap_parser_is_server(side->parser);
    match->time_ns = deliver->time_ns;
    for (const qcapint_row_t *row = interest->rows; row; row = row->next) {
        if (is_row_active(side, row)) {
            deliver->q->stats.elements++;
            row->handler(match, row->user);
        }
    }
}

static bool has_active_row(const qcapint_deliver_t *deliver, const side_t *side, uint16_t element)
{
    const qcapint_row_t *row = deliver->plan->interests[element].rows;
    while (row && !is_row_active(side, row))
        row = row->next;
    return row != NULL;
}

/* See note [choices]. */
static void choose(const qcapint_deliver_t *deliver, side_t *side, const qcap_event_t *event)
{
    size_t len = (size_t)(event->end - event->begin);
    const unsigned char *bytes = bytes_of(deliver, side, event);
    for (const qcapint_choice_t *choice = deliver->plan->choices; choice; choice = choice->next)
        if (choice->selector == event->element)
            side->chosen[choice->index] =
                bytes && choice->len == len && strncasecmp(choice->text, (const char *)bytes, len) == 0;
}

/* Whether the event is where the capture cut the datagram off: what is found there may be the cut's doing. */
static bool is_at_cut(const qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    const qcap_packet_t *packet = deliver->packet;
    return packet && packet->headers.payload_wire > packet->headers.payload_len &&
           side->begin + event->end >= packet->headers.payload_len;
}

static unsigned cut_flag(const qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    bool is_cut = (event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_END) && is_at_cut(deliver, side, event);
    return is_cut ? QCAP_MATCH_TRUNCATED : 0;
}

static void on_element(qcapint_deliver_t *deliver, side_t *side, const qcap_event_t *event)
{
    if (deliver->plan->interests[event->element].is_selector)
        choose(deliver, side, event);
    if (!has_active_row(deliver, side, event->element))
        return;
    qcap_match_t match = {
        .kind = event->kind,
        .flags = event->flags | cut_flag(deliver, side, event),
        .element = event->element,
        .begin_offset = side->begin + event->begin,
        .end_offset = side->begin + event->end,
        .bytes = event->value ? event->value : bytes_of(deliver, side, event),
    };
    if (match.bytes)
        match.len = event->value ? event->value_len : (size_t)(event->end - event->begin);
    else
        match.flags |= QCAP_MATCH_LOST;
    call_rows(deliver, side, &match);
}

/* BEGIN, PIECE, GAP and END of a stream element. */
static void on_stream(qcapint_deliver_t *deliver, side_t *side, const qcap_event_t *event)
{
    qcap_match_t match = {
        .kind = event->kind,
        .flags = event->flags | cut_flag(deliver, side, event),
        .element = event->element,
        .begin_offset = side->begin + event->begin,
        .end_offset = side->begin + (event->kind == QCAP_EVENT_BEGIN ? event->begin : event->end),
        .bytes = event->bytes,
        .len = event->bytes ? (size_t)(event->end - event->begin) : 0,
    };
    side->open = event->kind == QCAP_EVENT_END ? QCAP_NONE : event->element;
    if (event->kind == QCAP_EVENT_BEGIN)
        side->open_begin = event->begin;
    call_rows(deliver, side, &match);
}

/* ---------------------------------------------------------------- reports */

static void tell(qcap_t *q, const qcap_report_t *report)
{
    const qcapint_upper_t *upper = q->upper;
    for (const qcapint_reporter_t *reporter = upper->reporters[report->kind]; reporter; reporter = reporter->next)
        reporter->handler(report, reporter->user);
}

/* Fills in what all reports of a side have in common. */
static void report(qcapint_deliver_t *deliver, const side_t *side, qcap_report_t *report)
{
    report->protocol = deliver->plan->protocol;
    report->str = side->str;
    report->packet = deliver->packet;
    report->exchange = deliver->exchange;
    report->is_server = qcap_parser_is_server(side->parser);
    report->time_ns = deliver->time_ns;
    tell(deliver->q, report);
}

static void on_error(qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    char text[TEXT_SIZE];
    qcap_error_t error = *event->error;
    if (is_at_cut(deliver, side, event)) /* the gap says it */
        return;
    error.offset += side->begin;
    qcap_error_print(&error, text, sizeof text);
    deliver->q->stats.errors++;
    report(deliver, side, &(qcap_report_t){
                              .kind = QCAP_REPORT_ERROR,
                              .element = QCAP_NONE,
                              .begin_offset = side->begin + event->begin,
                              .end_offset = side->begin + event->end,
                              .text = text,
                              .error = &error,
                          });
}

static void on_anomaly(qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    deliver->q->stats.anomalies++;
    report(deliver, side, &(qcap_report_t){
                              .kind = QCAP_REPORT_ANOMALY,
                              .element = QCAP_NONE,
                              .begin_offset = side->begin + event->begin,
                              .end_offset = side->begin + event->end,
                              .text = event->text,
                          });
}

/* As snprintf, to text[TEXT_SIZE]. */
static const char *print_gap(char *text, uint64_t len)
{
    snprintf(text, TEXT_SIZE, "%" PRIu64 " bytes were not captured", len);
    return text;
}

static void report_gap(qcapint_deliver_t *deliver, const side_t *side, uint16_t element, uint64_t begin, uint64_t end)
{
    char text[TEXT_SIZE];
    report(deliver, side, &(qcap_report_t){
                              .kind = QCAP_REPORT_GAP,
                              .element = element,
                              .begin_offset = begin,
                              .end_offset = end,
                              .text = print_gap(text, end - begin),
                          });
}

static void on_gap(qcapint_deliver_t *deliver, side_t *side, const qcap_event_t *event)
{
    side->has_lost = true;
    report_gap(deliver, side, event->element, side->begin + event->begin, side->begin + event->end);
    if (event->element != QCAP_NONE && event->element == side->open)
        on_stream(deliver, side, event);
}

void qcapint_deliver_lost(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    char text[TEXT_SIZE];
    tell(str->conv->q, &(qcap_report_t){
                           .kind = QCAP_REPORT_GAP,
                           .element = QCAP_NONE,
                           .str = str,
                           .is_server = str->is_server,
                           .begin_offset = offset,
                           .end_offset = offset + len,
                           .text = print_gap(text, len),
                           .time_ns = str->conv->q->now_ns,
                       });
}

/* ---------------------------------------------------------------- parsers */

/* An event of a sub-stream: it stands where its bytes were in the stream, though they may be others when decoded. */
static void on_substream(qcapint_deliver_t *deliver, const side_t *side, const qcap_event_t *event)
{
    qcap_event_t there = *event;
    there.begin = event->outer_begin;
    there.end = event->outer_end;
    if (event->kind == QCAP_EVENT_ANOMALY)
        on_anomaly(deliver, side, &there);
    if (event->element == QCAP_NONE || event->kind == QCAP_EVENT_GAP || !has_active_row(deliver, side, event->element))
        return;
    qcap_match_t match = {
        .kind = event->kind,
        .flags = event->flags,
        .element = event->element,
        .begin_offset = side->begin + there.begin,
        .end_offset = side->begin + there.end,
        .bytes = event->value ? event->value : event->bytes,
        .len = event->value ? event->value_len : event->bytes ? (size_t)(event->end - event->begin) : 0,
    };
    if (event->kind == QCAP_EVENT_ELEMENT && !match.bytes)
        match.flags |= QCAP_MATCH_LOST;
    call_rows(deliver, side, &match);
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    qcapint_deliver_t *deliver = user;
    side_t *side = &deliver->sides[qcap_parser_is_server(parser)];
    if (qcap_parser_parent(parser)) {
        if (qcap_parser_conversation(parser) == deliver->conversation) /* another protocol's names are not looked up */
            on_substream(deliver, side, event);
        return;
    }
    switch (event->kind) {
    case QCAP_EVENT_ELEMENT:
        on_element(deliver, side, event);
        break;
    case QCAP_EVENT_BEGIN:
    case QCAP_EVENT_PIECE:
    case QCAP_EVENT_END:
        on_stream(deliver, side, event);
        break;
    case QCAP_EVENT_GAP:
        on_gap(deliver, side, event);
        break;
    case QCAP_EVENT_ANOMALY:
        on_anomaly(deliver, side, event);
        break;
    case QCAP_EVENT_ERROR:
        on_error(deliver, side, event);
        break;
    case QCAP_EVENT_SKIPPED: /* the error said it */
    case QCAP_EVENT_BECOME:  /* pair.c sees it from the status */
    case QCAP_EVENT_EXPECT:  /* conversations are identified by what they say */
        break;
    }
}

/* Memory for queues, sub-streams and decoders: qcap_memory_handler_t. */
static void *get_memory(void *block, size_t size, void *user)
{
    qcapint_deliver_t *deliver = user;
    if (!block)
        return qcapint_budget_alloc(&deliver->q->budget, size);
    qcapint_budget_free(&deliver->q->budget, block, size);
    return NULL;
}

static size_t align(size_t size)
{
    return (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
}

static void init_side(qcapint_deliver_t *deliver, qcapint_conv_t *conv, bool is_server, uint64_t begin, bool *chosen)
{
    qcap_conversation_t *conversation = deliver->conversation;
    deliver->sides[is_server] = (side_t){
        .str = conv ? &conv->str[is_server] : NULL,
        .parser = is_server ? qcap_conversation_server(conversation) : qcap_conversation_client(conversation),
        .begin = begin,
        .open = QCAP_NONE,
        .chosen = chosen,
    };
}

qcapint_deliver_t *qcapint_deliver_new(qcap_t *q, qcapint_conv_t *conv, const qcapint_plan_t *plan,
                                       const uint64_t begin[2])
{
    const qcapint_upper_t *upper = q->upper;
    size_t head = align(sizeof(qcapint_deliver_t)), block = align(plan->protocol->size);
    size_t size = head + block + (size_t)2 * plan->choice_count;
    qcapint_deliver_t *deliver = qcapint_budget_alloc(&q->budget, size);
    if (!deliver)
        return NULL;
    bool *chosen = (bool *)((unsigned char *)deliver + head + block);
    deliver->q = q;
    deliver->plan = plan;
    deliver->size = size;
    deliver->conversation = (qcap_conversation_t *)(void *)((unsigned char *)deliver + head);
    qcap_conversation_init(deliver->conversation, plan->protocol, on_event, deliver);
    qcap_conversation_set_memory(deliver->conversation, get_memory);
    qcap_conversation_set_decoders(deliver->conversation, qcap_decoders);
    qcap_conversation_set_wanted(deliver->conversation, plan->wanted);
    qcap_conversation_set_limit(deliver->conversation, upper->limit);
    init_side(deliver, conv, false, begin[0], chosen);
    init_side(deliver, conv, true, begin[1], chosen + plan->choice_count);
    return deliver;
}

void qcapint_deliver_free(qcapint_deliver_t *deliver)
{
    if (!deliver)
        return;
    qcapint_budget_t *budget = &deliver->q->budget;
    qcap_conversation_fini(deliver->conversation);
    qcapint_budget_free(budget, deliver, deliver->size);
}

qcap_parser_t *qcapint_deliver_parser(const qcapint_deliver_t *deliver, bool is_server)
{
    return deliver->sides[is_server].parser;
}

size_t qcapint_deliver_feed(qcapint_deliver_t *deliver, bool is_server, const unsigned char *bytes, size_t len,
                            int64_t time_ns)
{
    deliver->time_ns = time_ns;
    return qcap_parser_feed(deliver->sides[is_server].parser, bytes, len);
}

void qcapint_deliver_gap(qcapint_deliver_t *deliver, bool is_server, uint64_t len, int64_t time_ns)
{
    side_t *side = &deliver->sides[is_server];
    uint64_t begin = side->begin + qcap_parser_offset(side->parser);
    deliver->time_ns = time_ns;
    side->has_lost = false;
    qcap_parser_gap(side->parser, len);
    if (!side->has_lost)
        report_gap(deliver, side, QCAP_NONE, begin, begin + len);
}

void qcapint_deliver_end(qcapint_deliver_t *deliver, bool is_server, bool is_in_order, int64_t time_ns)
{
    side_t *side = &deliver->sides[is_server];
    deliver->time_ns = time_ns;
    if (is_in_order)
        qcap_parser_finish(side->parser);
    else
        qcap_parser_absent(side->parser);
    if (side->open != QCAP_NONE)
        on_stream(deliver, side, &(qcap_event_t){
                                     .kind = QCAP_EVENT_END,
                                     .flags = QCAP_EVENT_ABORTED,
                                     .element = side->open,
                                     .begin = side->open_begin,
                                     .end = qcap_parser_offset(side->parser),
                                 });
}

void qcapint_deliver_datagram(qcapint_deliver_t *deliver, bool is_server, qcap_packet_t *packet, uint64_t exchange)
{
    side_t *side = &deliver->sides[is_server];
    const qcapint_headers_t *headers = &packet->headers;
    deliver->packet = packet;
    deliver->exchange = exchange;
    deliver->time_ns = packet->time_ns;
    side->begin = 0 - qcap_parser_offset(side->parser);
    qcap_parser_datagram(side->parser, packet->bytes + headers->payload, headers->payload_len);
    if (headers->payload_wire > headers->payload_len)
        report_gap(deliver, side, QCAP_NONE, headers->payload_len, headers->payload_wire);
    deliver->packet = NULL;
}

uint64_t qcapint_deliver_held(const qcapint_deliver_t *deliver, bool is_server)
{
    const side_t *side = &deliver->sides[is_server];
    return side->begin + qcap_parser_held(side->parser);
}
