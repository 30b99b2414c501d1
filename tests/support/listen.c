/* listen.c: what the interpreter and the parser say, as lines that can be compared. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judging.h"

void lines_add(lines_t *lines, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char **grown = realloc(lines->items, (lines->count + 1) * sizeof *grown);
    if (!grown)
        abort();
    lines->items = grown;
    lines->items[lines->count++] = strdup(text);
}

void lines_clear(lines_t *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
    *lines = (lines_t){0};
}

/* The bytes of an element; NULL: they are not known. */
static void add_content(lines_t *lines, const unsigned char *bytes, size_t len)
{
    uint64_t sum = 14695981039346656037u;
    char shown[33] = "";
    for (size_t i = 0; bytes && i < len; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    for (size_t i = 0; bytes && i < len && i < 32; i++)
        shown[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.';
    if (bytes)
        lines_add(lines, "    = %zu %016" PRIx64 " %s", len, sum, shown);
    else
        lines_add(lines, "    = ?");
}

static void add_outer(lines_t *lines, uint64_t begin, uint64_t end)
{
    lines_add(lines, "    in %" PRIu64 "..%" PRIu64, begin, end);
}

static void add_event(lines_t *lines, const char *kind, const char *path, uint64_t begin, uint64_t end,
                      const char *text, bool is_truncated, bool is_aborted)
{
    lines_add(lines, "%s %" PRIu64 "..%" PRIu64 " %s%s%s%s", kind, begin, end, path ? path : "", text ? text : "",
             is_truncated ? " truncated" : "", is_aborted ? " aborted" : "");
}

static void add_error(lines_t *lines, unsigned code, uint64_t offset, int byte, const char *rule)
{
    lines_add(lines, "error %" PRIu64 " %s byte %d in %s", offset, interpret_code_text((interpret_code_t)code), byte,
             rule);
}

/* Of a joined element, and of a conversation to come. */
static void add_value(lines_t *lines, const unsigned char *value, size_t len)
{
    lines_add(lines, "    joined %zu %.*s", len, (int)(len < 400 ? len : 400), (const char *)value);
}

static void add_expected(lines_t *lines, const char *transport, unsigned host, uint32_t address,
                         const unsigned char *text, size_t text_len, unsigned port)
{
    lines_add(lines, "    %s host %u %08" PRIx32 " %.*s port %u", transport, host, address, (int)text_len,
             text_len ? (const char *)text : "", port);
}

void listen_to_interpreter(const interpret_event_t *event, void *user)
{
    judge_t *judge = user;
    lines_t *lines = &judge->logs[0][teller_of(event->is_server, event->nesting, event->is_fed)];
    if (event->kind == INTERPRET_ERROR)
        add_error(lines, event->code, event->begin, event->byte, event->rule);
    else
        add_event(lines, interpret_kind_name(event->kind), event->path, event->begin, event->end, event->text,
                  event->is_truncated, event->is_aborted);
    if (event->nesting)
        add_outer(lines, event->outer_begin, event->outer_end);
    if (event->kind == INTERPRET_END || event->kind == INTERPRET_ELEMENT)
        add_content(lines, event->has_hole && event->kind == INTERPRET_ELEMENT ? NULL : event->bytes,
                    event->value ? 0 : (size_t)(event->end - event->begin));
    if (event->is_fed && event->rule)
        add_error(lines, event->code, event->inner, event->byte, event->rule);
    if (event->value)
        add_value(lines, event->value, event->value_len);
    const interpret_expected_t *expected = event->expected;
    if (expected)
        add_expected(lines, expected->transport, expected->host, expected->address, expected->text, expected->text_len,
                     expected->port);
}

/* ---------------------------------------------------------------- listening to the parser */

static stream_t *find_stream(judge_t *judge, const qcap_parser_t *parser)
{
    size_t i = 0;
    while (judge->streams[i].parser && judge->streams[i].parser != parser && i + 1 < STREAMS_MAX)
        i++;
    judge->streams[i].parser = parser;
    return &judge->streams[i];
}

void listen_forget(judge_t *judge)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        free(judge->streams[i].bytes);
    memset(judge->streams, 0, sizeof judge->streams);
}

/* NULL: they are missing, or were skipped. */
static void add_piece(stream_t *stream, const unsigned char *bytes, uint64_t end)
{
    size_t len = stream->is_open && end > stream->streamed ? (size_t)(end - stream->streamed) : 0;
    unsigned char *grown = realloc(stream->bytes, stream->len + len + 1);
    if (!grown)
        abort();
    stream->bytes = grown;
    if (bytes)
        memcpy(grown + stream->len, bytes, len);
    else
        memset(grown + stream->len, 0, len);
    stream->len += len;
    stream->streamed = end;
}

static void follow_stream(judge_t *judge, lines_t *lines, qcap_parser_t *parser, const qcap_event_t *event)
{
    stream_t *stream = find_stream(judge, parser);
    switch (event->kind) {
    case QCAP_EVENT_BEGIN:
        stream->is_open = true;
        stream->streamed = event->begin;
        stream->len = 0;
        break;
    case QCAP_EVENT_PIECE:
        if (!stream->is_open || event->begin != stream->streamed || !event->bytes)
            lines_add(lines, "(a piece at %" PRIu64 " instead of %" PRIu64 ")", event->begin, stream->streamed);
        add_piece(stream, event->bytes, event->end);
        break;
    case QCAP_EVENT_GAP:
    case QCAP_EVENT_SKIPPED: /* begins with the bytes that were missing, if these made it necessary */
        if (stream->is_open && (event->kind == QCAP_EVENT_GAP ? event->begin != stream->streamed : event->begin > stream->streamed))
            lines_add(lines, "(pieces only up to %" PRIu64 ")", stream->streamed);
        add_piece(stream, NULL, event->end);
        break;
    case QCAP_EVENT_END:
        if (stream->streamed != event->end)
            lines_add(lines, "(pieces only up to %" PRIu64 ")", stream->streamed);
        stream->is_open = false;
        break;
    default:
        break;
    }
}

/* The bytes of an element, wherever they are; NULL: nowhere. */
static const unsigned char *bytes_of(judge_t *judge, qcap_parser_t *parser, const qcap_event_t *event)
{
    static unsigned char copy[65536];
    const listener_t *listener = &judge->listeners[qcap_parser_is_server(parser)];
    size_t len = (size_t)(event->end - event->begin);
    if (event->bytes || qcap_parser_parent(parser) || listener->is_datagram || event->value || len > sizeof copy)
        return event->bytes;
    return qcap_keeper_copy(&listener->keeper, event->begin, event->end, copy) == len ? copy : NULL;
}

static unsigned nesting_of(const qcap_parser_t *parser)
{
    unsigned nesting = 0;
    for (; qcap_parser_parent(parser); parser = qcap_parser_parent(parser))
        nesting++;
    return nesting;
}

void listen_to_parser(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    judge_t *judge = user;
    unsigned nesting = nesting_of(parser);
    bool is_fed = event->flags & QCAP_EVENT_FED;
    lines_t *lines = &judge->logs[1][teller_of(qcap_parser_is_server(parser), nesting, is_fed)];
    char path[256] = "";
    if (event->element != QCAP_NONE)
        qcap_element_path(qcap_parser_conversation(parser)->protocol, event->element, path, sizeof path);
    follow_stream(judge, lines, parser, event);
    if (event->kind == QCAP_EVENT_PIECE)
        return;
    const qcap_error_t *error = event->error;
    if (event->kind == QCAP_EVENT_ERROR) {
        add_error(lines, error->code, error->offset, error->byte, error->rule);
        return;
    }
    add_event(lines, qcap_event_kind_name(event->kind), *path ? path : NULL, event->begin, event->end, event->text,
              event->flags & QCAP_EVENT_TRUNCATED, event->flags & QCAP_EVENT_ABORTED);
    if (nesting)
        add_outer(lines, event->outer_begin, event->outer_end);
    const stream_t *stream = find_stream(judge, parser);
    if (event->kind == QCAP_EVENT_END)
        add_content(lines, stream->bytes ? stream->bytes : (const unsigned char *)"", stream->len);
    if (event->kind == QCAP_EVENT_ELEMENT)
        add_content(lines, event->value ? (const unsigned char *)"" : bytes_of(judge, parser, event),
                    event->value ? 0 : (size_t)(event->end - event->begin));
    if (is_fed && error)
        add_error(lines, error->code, error->offset, error->byte, error->rule);
    if (event->value)
        add_value(lines, event->value, event->value_len);
    const qcap_expected_t *expected = event->expected;
    if (event->kind == QCAP_EVENT_EXPECT)
        add_expected(lines, expected->transport, expected->host, expected->address, expected->text, expected->text_len,
                     expected->port);
}
