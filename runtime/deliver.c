/* deliver.c: parser events become the application's matches and reports.
 *
 * In come the bytes of the two directions of a conversation, in the order that step.c decided on. They are fed to the
 * parsers of the protocol that identify.c found. Out go calls of handlers: for each event about an element, the rows
 * that subscribe.c made for it; for errors, anomalies and gaps the report handlers.
 *
 * The parser is given the bits of the elements that are wanted, so all others cost it a bit test and never come here.
 * An element whose bytes are not all in the piece at hand is gathered from the stream: step.c holds what
 * qcapint_deliver_held() says. What is in one packet is never copied.
 *
 * note [choices]: a row may want the selector of its element, which comes first, to have a certain text. When a
 * selector comes, its text is compared with all choices for it, and what holds is noted for that parser, until the
 * selector comes again. So "Cookie" is compared once, however many subscriptions and elements depend on it.
 *
 * note [sub-streams]: what a rule feeds is read by another parser, perhaps of another protocol, and it may feed on. Their
 * events come here like the direction's own, and only a few things differ: the protocol, and so the rows, is the one
 * that reads; bytes lie at hand, or nowhere, since they may have been decoded; and the place in the direction's stream
 * is found by asking each parser where its parent's bytes were.
 *
 * Offsets. A parser counts from the first byte it was fed; the stream counts from the beginning of the direction.
 * `begin` is the difference: a direction may have been read by another protocol before.
 *
 * Memory. One block for each conversation; what its parsers ask for, and what they have chosen. All of it is charged to
 * the budget. */
#include "deliver.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bytes.h"
#include "decoders.h"
#include "handle.h"
#include "identify.h"

#define TEXT_SIZE 512

/* What a parser remembers whose protocol has choices: see note [choices]. */
typedef struct reader {
    struct reader *next;
    const qcap_parser_t *parser;
    size_t size;   /* of this block */
    bool chosen[]; /* one for each choice of its plan */
} reader_t;

/* One direction. */
typedef struct side {
    qcap_tcpstr_t *str;    /* its stream; NULL: datagrams */
    qcap_parser_t *parser; /* its parser, in the block behind the struct */
    uint64_t begin;        /* offset in the stream of the parser's first byte; in the datagram: below 0, modulo 2^64 */
    bool has_lost;         /* the parser reported the gap it is being told of */
    bool has_failed;       /* there was an error */
} side_t;

struct qcapint_deliver {
    qcap_t *q;
    qcap_packet_t *packet; /* the datagram that is being read; NULL: a stream */
    uint64_t exchange;     /* its number; 0: a stream */
    const qcapint_plan_t *plan;
    qcap_conversation_t *conversation; /* behind the struct */
    reader_t *readers;                 /* owned */
    qcapint_announcer_t announcer;     /* of conversations to come */
    qcap_packet_t *last;               /* whose bytes are being fed; NULL: none */
    int64_t time_ns;                   /* when that came, or what tells instead */
    side_t sides[2];                   /* [0]: from the client */
};

/* Where an event comes from. */
typedef struct source {
    side_t *side;               /* the direction, */
    qcap_parser_t *parser;      /* who reads it, or a sub-stream of it, */
    const qcapint_plan_t *plan; /* and by which protocol */
    unsigned depth;             /* of sub-streams: 0: the direction itself */
    uint64_t begin, end;        /* the event's, in the direction's stream */
} source_t;

/* ---------------------------------------------------------------- sources */

/* The protocol was added: identify.c, or find(), found it. */
static const qcapint_plan_t *plan_of(const qcapint_deliver_t *deliver, const qcap_parser_t *parser)
{
    const qcap_conversation_t *conversation = qcap_parser_conversation(parser);
    const qcapint_upper_t *upper = deliver->q->upper;
    uint32_t i = 0;
    if (conversation == deliver->conversation)
        return deliver->plan;
    while (upper->plans[i]->protocol != conversation->protocol)
        i++;
    return upper->plans[i];
}

/* An event of a sub-stream stands where its bytes were in the stream, though they may be others when decoded. */
static void find_outside(source_t *source)
{
    qcap_parser_t *at = source->parser, *parent;
    while ((parent = qcap_parser_parent(at)) != NULL) {
        source->begin = qcap_parser_outer(at, source->begin);
        source->end = qcap_parser_outer(at, source->end);
        source->depth++;
        at = parent;
    }
    source->parser = at;
}

static source_t source_of(qcapint_deliver_t *deliver, qcap_parser_t *parser, const qcap_event_t *event)
{
    source_t source = {.parser = parser, .plan = plan_of(deliver, parser), .begin = event->begin, .end = event->end};
    find_outside(&source);
    source.side = &deliver->sides[qcap_parser_is_server(source.parser)];
    source.parser = parser;
    source.begin += source.side->begin;
    source.end += source.side->begin;
    return source;
}

/* ---------------------------------------------------------------- choices */

/* What the parser has chosen; NULL: nothing yet. */
static reader_t *find_reader(const qcapint_deliver_t *deliver, const qcap_parser_t *parser)
{
    reader_t *reader = deliver->readers;
    while (reader && reader->parser != parser)
        reader = reader->next;
    return reader;
}

static reader_t *get_reader(qcapint_deliver_t *deliver, const source_t *source)
{
    reader_t *reader = find_reader(deliver, source->parser);
    size_t size = sizeof *reader + source->plan->choice_count;
    if (reader || !(reader = qcapint_budget_alloc(&deliver->q->budget, size)))
        return reader;
    reader->parser = source->parser;
    reader->size = size;
    reader->next = deliver->readers;
    return deliver->readers = reader;
}

/* Forgets parsers that lie in a block. */
static void drop_readers(qcapint_deliver_t *deliver, const void *block, size_t size)
{
    uintptr_t begin = (uintptr_t)block;
    for (reader_t **link = &deliver->readers; *link;) {
        reader_t *reader = *link;
        if ((uintptr_t)reader->parser - begin < size) {
            *link = reader->next;
            qcapint_budget_free(&deliver->q->budget, reader, reader->size);
        } else {
            link = &reader->next;
        }
    }
}

/* The event's bytes, wherever they lie. NULL if they are lost. */
static const unsigned char *bytes_of(const qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    qcapint_upper_t *upper = deliver->q->upper;
    if (event->bytes || !source->side->str || source->depth > 0)
        return event->bytes;
    return qcapint_tcpstr_gather(source->side->str, source->begin, source->end, &upper->gathered);
}

/* See note [choices]. */
static void choose(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    size_t len = (size_t)(event->end - event->begin);
    const unsigned char *bytes = bytes_of(deliver, source, event);
    reader_t *reader = get_reader(deliver, source);
    if (!reader)
        return;
    for (const qcapint_choice_t *choice = source->plan->choices; choice; choice = choice->next)
        if (choice->selector == event->element)
            reader->chosen[choice->index] =
                bytes && choice->len == len && strncasecmp(choice->text, (const char *)bytes, len) == 0;
}

static bool is_row_active(const reader_t *reader, const qcapint_row_t *row)
{
    return !row->choice || (reader && reader->chosen[row->choice->index]);
}

/* ---------------------------------------------------------------- matches */

/* The first row that applies, from `row` on. */
static const qcapint_row_t *next_row(const reader_t *reader, const qcapint_row_t *row)
{
    while (row && !is_row_active(reader, row))
        row = row->next;
    return row;
}

static void call_rows(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event,
                      qcap_match_t *match)
{
    const side_t *side = source->side;
    const qcapint_interest_t *interest = &source->plan->interests[event->element];
    const reader_t *reader = source->plan->choice_count ? find_reader(deliver, source->parser) : NULL;
    qcap_tcpstr_pos_t begin = qcapint_tcpstr_pos(side->str, match->begin_offset);
    qcap_tcpstr_pos_t end = qcapint_tcpstr_pos(side->str, match->end_offset);
    match->protocol = source->plan->protocol;
    match->element = event->element;
    match->path = interest->path;
    match->str = side->str;
    match->begin = side->str ? &begin : NULL;
    match->end = side->str ? &end : NULL;
    match->packet = deliver->packet;
    match->last = deliver->last;
    match->exchange = deliver->exchange;
    match->is_server = qcap_parser_is_server(side->parser);
    match->depth = source->depth;
    match->time_ns = deliver->time_ns;
    for (const qcapint_row_t *row = next_row(reader, interest->rows); row; row = next_row(reader, row->next)) {
        deliver->q->stats.elements++;
        row->handler(match, row->user);
    }
}

/* Whether the event is where the capture cut the datagram off: what is found there may be the cut's doing. */
static bool is_at_cut(const qcapint_deliver_t *deliver, const source_t *source)
{
    const qcap_packet_t *packet = deliver->packet;
    return packet && packet->headers.payload_wire > packet->headers.payload_len &&
           source->end >= packet->headers.payload_len;
}

static unsigned cut_flag(const qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    bool is_cut = (event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_END) && is_at_cut(deliver, source);
    return is_cut ? QCAP_MATCH_TRUNCATED : 0;
}

static qcap_match_t match_of(const qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    return (qcap_match_t){
        .kind = event->kind,
        .flags = event->flags | cut_flag(deliver, source, event),
        .begin_offset = source->begin,
        .end_offset = source->end,
        .own_begin = source->depth ? event->begin : source->begin,
        .own_end = source->depth ? event->end : source->end,
    };
}

static void on_element(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    const qcapint_interest_t *interest = &source->plan->interests[event->element];
    if (interest->is_selector)
        choose(deliver, source, event);
    const reader_t *reader = source->plan->choice_count ? find_reader(deliver, source->parser) : NULL;
    if (!next_row(reader, interest->rows))
        return;
    qcap_match_t match = match_of(deliver, source, event);
    match.bytes = event->value ? event->value : bytes_of(deliver, source, event);
    if (match.bytes)
        match.len = event->value ? event->value_len : (size_t)(event->end - event->begin);
    else
        match.flags |= QCAP_MATCH_LOST;
    call_rows(deliver, source, event, &match);
}

/* BEGIN, PIECE, GAP and END of a stream element. */
static void on_stream(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    qcap_match_t match = match_of(deliver, source, event);
    match.bytes = event->bytes;
    match.len = event->bytes ? (size_t)(event->end - event->begin) : 0;
    call_rows(deliver, source, event, &match);
}

/* ---------------------------------------------------------------- reports */

static void tell(qcap_t *q, const qcap_report_t *report)
{
    const qcapint_upper_t *upper = q->upper;
    for (const qcapint_reporter_t *reporter = upper->reporters[report->kind]; reporter; reporter = reporter->next)
        reporter->handler(report, reporter->user);
}

/* Fills in what all reports of a direction have in common. */
static void report(qcapint_deliver_t *deliver, const source_t *source, qcap_report_t *report)
{
    report->protocol = source->plan->protocol;
    report->str = source->side->str;
    report->packet = deliver->packet;
    report->last = deliver->last;
    report->exchange = deliver->exchange;
    report->is_server = qcap_parser_is_server(source->side->parser);
    report->depth = source->depth;
    report->time_ns = deliver->time_ns;
    tell(deliver->q, report);
}

/* The error's offset is one of the stream that was read. */
static void on_error(qcapint_deliver_t *deliver, const source_t *source, const qcap_error_t *cause)
{
    char text[TEXT_SIZE];
    qcap_error_t error = *cause;
    source->side->has_failed |= source->depth == 0;
    if (is_at_cut(deliver, source)) /* the gap says it */
        return;
    if (source->depth == 0)
        error.offset += source->side->begin;
    qcap_error_print(&error, text, sizeof text);
    deliver->q->stats.errors++;
    report(deliver, source, &(qcap_report_t){
                                .kind = QCAP_REPORT_ERROR,
                                .element = QCAP_NONE,
                                .begin_offset = source->begin,
                                .end_offset = source->end,
                                .text = text,
                                .error = &error,
                            });
}

static void on_anomaly(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    deliver->q->stats.anomalies++;
    report(deliver, source, &(qcap_report_t){
                                .kind = QCAP_REPORT_ANOMALY,
                                .element = QCAP_NONE,
                                .begin_offset = source->begin,
                                .end_offset = source->end,
                                .text = event->text,
                            });
}

/* Nothing was read of the first bytes of a conversation that was met in the middle: what they belong to is not there. Any other
 * search begins with an error, which said it. */
static void on_skipped(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    if (source->depth == 0 && event->begin == 0 && !source->side->has_failed)
        on_error(deliver, source, &(qcap_error_t){.code = QCAP_ERROR_MISSING, .byte = -1, .rule = "", .expected = ""});
}

/* An error of what the source feeds: the source only passes it on. */
static void on_fed_error(qcapint_deliver_t *deliver, const source_t *parent, const qcap_event_t *event)
{
    source_t source = *parent;
    source.parser = event->reader;
    source.plan = plan_of(deliver, event->reader);
    source.depth++;
    on_error(deliver, &source, event->error);
}

/* As snprintf, to text[TEXT_SIZE]. */
static const char *print_gap(char *text, uint64_t len)
{
    snprintf(text, TEXT_SIZE, "%" PRIu64 " bytes were not captured", len);
    return text;
}

static void report_gap(qcapint_deliver_t *deliver, side_t *side, uint16_t element, uint64_t begin, uint64_t end)
{
    char text[TEXT_SIZE];
    const source_t source = {.side = side, .parser = side->parser, .plan = deliver->plan, .begin = begin, .end = end};
    report(deliver, &source, &(qcap_report_t){
                                 .kind = QCAP_REPORT_GAP,
                                 .element = element,
                                 .begin_offset = begin,
                                 .end_offset = end,
                                 .text = print_gap(text, end - begin),
                             });
}

/* That the direction lacks bytes is reported once; a stream element learns of it, wherever it is. */
static void on_gap(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    if (source->depth == 0) {
        source->side->has_lost = true;
        report_gap(deliver, source->side, event->element, source->begin, source->end);
    }
    if (event->element != QCAP_NONE)
        on_stream(deliver, source, event);
}

void qcapint_deliver_lost(qcap_tcpstr_t *str, uint64_t offset, uint64_t len)
{
    char text[TEXT_SIZE];
    qcap_t *q = qcapint_conv_of(str)->q;
    tell(q, &(qcap_report_t){
                .kind = QCAP_REPORT_GAP,
                .element = QCAP_NONE,
                .str = str,
                .is_server = qcapint_str_is_server(str),
                .begin_offset = offset,
                .end_offset = offset + len,
                .text = print_gap(text, len),
                .time_ns = q->now_ns,
            });
}

/* ---------------------------------------------------------------- parsers */

/* Another conversation was announced. */
static void on_expect(qcapint_deliver_t *deliver, const source_t *source, const qcap_event_t *event)
{
    const side_t *side = source->side;
    qcapint_announcement_t found = {
        .conv = side->str ? qcapint_conv_of(side->str) : NULL,
        .exchange = deliver->exchange,
        .protocol = deliver->plan->protocol,
        .is_server = qcap_parser_is_server(side->parser),
        .offset = source->end,
    };
    if (found.conv) {
        found.ends[0] = *qcapint_conv_end(found.conv, false);
        found.ends[1] = *qcapint_conv_end(found.conv, true);
    } else {
        qcap_packet_source(deliver->packet, &found.ends[found.is_server]);
        qcap_packet_destination(deliver->packet, &found.ends[!found.is_server]);
    }
    qcapint_expect_add(deliver->q, &deliver->announcer, &found, event);
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    qcapint_deliver_t *deliver = user;
    const source_t source = source_of(deliver, parser, event);
    switch (event->kind) {
    case QCAP_EVENT_ELEMENT:
        on_element(deliver, &source, event);
        break;
    case QCAP_EVENT_BEGIN:
    case QCAP_EVENT_PIECE:
    case QCAP_EVENT_END:
        on_stream(deliver, &source, event);
        break;
    case QCAP_EVENT_GAP:
        on_gap(deliver, &source, event);
        break;
    case QCAP_EVENT_ANOMALY:
        if ((event->flags & QCAP_EVENT_FED) && event->error)
            on_fed_error(deliver, &source, event);
        else
            on_anomaly(deliver, &source, event);
        break;
    case QCAP_EVENT_ERROR:
        on_error(deliver, &source, event->error);
        break;
    case QCAP_EVENT_EXPECT:
        on_expect(deliver, &source, event);
        break;
    case QCAP_EVENT_SKIPPED:
        on_skipped(deliver, &source, event);
        break;
    case QCAP_EVENT_BECOME: /* pair.c sees it from the status */
        break;
    }
}

/* Memory for queues, sub-streams and decoders: qcap_memory_handler_t. */
static void *get_memory(void *block, size_t size, void *user)
{
    qcapint_deliver_t *deliver = user;
    qcapint_upper_t *upper = deliver->q->upper;
    if (!block)
        return qcapint_spares_get(&upper->spares, size);
    drop_readers(deliver, block, size);
    qcapint_spares_put(&upper->spares, block, size);
    return NULL;
}

/* Finds the protocol that something is fed to: qcap_find_handler_t. */
static const qcap_protocol_t *find(const char *name, const uint64_t **wanted, void *user)
{
    const qcapint_deliver_t *deliver = user;
    const qcapint_plan_t *plan = qcapint_identify_find(deliver->q, name);
    if (!plan)
        return NULL;
    *wanted = plan->is_noticed ? plan->wanted : qcap_nothing;
    return plan->protocol;
}

static size_t align(size_t size)
{
    return (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
}

static void init_side(qcapint_deliver_t *deliver, qcapint_conv_t *conv, bool is_server, uint64_t begin)
{
    qcap_conversation_t *conversation = deliver->conversation;
    deliver->sides[is_server] = (side_t){
        .str = conv ? qcapint_conv_str(conv, is_server) : NULL,
        .parser = is_server ? qcap_conversation_server(conversation) : qcap_conversation_client(conversation),
        .begin = begin,
    };
}

size_t qcapint_deliver_size(const qcap_protocol_t *protocol)
{
    return align(sizeof(qcapint_deliver_t)) + align(protocol->size);
}

qcapint_deliver_t *qcapint_deliver_new(qcap_t *q, qcapint_conv_t *conv, const qcapint_plan_t *plan,
                                       const uint64_t begin[2])
{
    size_t head = align(sizeof(qcapint_deliver_t));
    qcapint_deliver_t *deliver = qcapint_pool_get(plan->delivers);
    if (!deliver)
        return NULL;
    memset(deliver, 0, sizeof *deliver);
    deliver->q = q;
    deliver->plan = plan;
    deliver->conversation = (qcap_conversation_t *)(void *)((unsigned char *)deliver + head);
    qcap_conversation_init(deliver->conversation, plan->protocol, on_event, deliver);
    qcap_conversation_set_memory(deliver->conversation, get_memory);
    qcap_conversation_set_find(deliver->conversation, find);
    qcap_conversation_set_decoders(deliver->conversation, qcap_decoders);
    qcap_conversation_set_decoded_limits(deliver->conversation, q->options.decoded_size, q->options.decoded_ratio);
    qcap_conversation_set_wanted(deliver->conversation, plan->wanted);
    qcap_conversation_set_limit(deliver->conversation, q->options.element_limit);
    init_side(deliver, conv, false, begin[0]);
    init_side(deliver, conv, true, begin[1]);
    return deliver;
}

bool qcapint_deliver_is_idle(const qcapint_deliver_t *deliver)
{
    const qcap_conversation_t *conversation = deliver->conversation;
    for (uint16_t i = 0; i < deliver->plan->protocol->queue_count; i++)
        if (conversation->queues[i].count > 0 || conversation->queues[i].missing > 0)
            return false;
    return conversation->shared_set == 0;
}

void qcapint_deliver_free(qcapint_deliver_t *deliver)
{
    if (!deliver)
        return;
    qcap_conversation_fini(deliver->conversation);
    drop_readers(deliver, deliver, deliver->plan->delivers->block_size);
    qcapint_expect_leave(&deliver->announcer);
    qcapint_pool_free(deliver->plan->delivers, deliver);
}

qcap_parser_t *qcapint_deliver_parser(const qcapint_deliver_t *deliver, bool is_server)
{
    return deliver->sides[is_server].parser;
}

void qcapint_deliver_fetch(const qcapint_deliver_t *deliver, const qcapint_plan_t *plan)
{
    const qcap_protocol_t *protocol = plan->protocol;
    const unsigned char *conversation = (const unsigned char *)deliver + align(sizeof *deliver);
    qcapint_fetch(deliver, align(sizeof *deliver) + sizeof(qcap_conversation_t));
    qcapint_fetch(conversation + protocol->client_offset, sizeof(qcap_parser_t) + protocol->side.accumulators);
    qcapint_fetch(conversation + protocol->server_offset, sizeof(qcap_parser_t) + protocol->side.accumulators);
    qcapint_fetch(conversation + protocol->shared, protocol->size - protocol->shared);
}

static void set_last(qcapint_deliver_t *deliver, qcap_packet_t *packet)
{
    deliver->last = packet;
    deliver->time_ns = packet ? packet->time_ns : deliver->q->now_ns;
}

size_t qcapint_deliver_feed(qcapint_deliver_t *deliver, bool is_server, const unsigned char *bytes, size_t len,
                            qcap_packet_t *packet)
{
    set_last(deliver, packet);
    return qcap_parser_feed(deliver->sides[is_server].parser, bytes, len);
}

void qcapint_deliver_gap(qcapint_deliver_t *deliver, bool is_server, uint64_t len)
{
    side_t *side = &deliver->sides[is_server];
    uint64_t begin = side->begin + qcap_parser_offset(side->parser);
    set_last(deliver, NULL);
    side->has_lost = false;
    qcap_parser_gap(side->parser, len);
    if (!side->has_lost)
        report_gap(deliver, side, QCAP_NONE, begin, begin + len);
}

void qcapint_deliver_end(qcapint_deliver_t *deliver, bool is_server, bool is_in_order)
{
    side_t *side = &deliver->sides[is_server];
    set_last(deliver, NULL);
    if (is_in_order)
        qcap_parser_finish(side->parser);
    else
        qcap_parser_abort(side->parser);
}

void qcapint_deliver_datagram(qcapint_deliver_t *deliver, bool is_server, qcap_packet_t *packet, uint64_t exchange)
{
    side_t *side = &deliver->sides[is_server];
    const qcapint_headers_t *headers = &packet->headers;
    deliver->packet = packet;
    deliver->exchange = exchange;
    set_last(deliver, packet);
    side->begin = 0 - qcap_parser_offset(side->parser);
    qcap_parser_datagram(side->parser, packet->bytes + headers->payload, headers->payload_len);
    if (headers->payload_wire > headers->payload_len)
        report_gap(deliver, side, QCAP_NONE, headers->payload_len, headers->payload_wire);
    deliver->packet = deliver->last = NULL;
}

uint64_t qcapint_deliver_held(const qcapint_deliver_t *deliver, bool is_server)
{
    const side_t *side = &deliver->sides[is_server];
    return side->begin + qcap_parser_held(side->parser);
}
