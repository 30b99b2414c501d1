/* parse_ours.c: the generated parser of specs/http.abnf, for parse.c. Only the elements that other parsers tell, too,
 * are wanted; QCAP_BENCH_ALL in the environment: all. An element that lies in two pieces is found by its offsets. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "parse.h"

#define ELEMENTS_MAX 256

static const struct {
    const char *path;
    item_kind_t kind;
} told[] = {
    {"http.request.method", ITEM_METHOD},
    {"http.request.request-target", ITEM_TARGET},
    {"http.request.HTTP-version", ITEM_VERSION},
    {"http.request.field-line.field-name", ITEM_NAME},
    {"http.request.field-line.field-value", ITEM_VALUE},
    {"http.request.content", ITEM_BODY},
    {"http.response.HTTP-version", ITEM_VERSION},
    {"http.response.status-code", ITEM_STATUS},
    {"http.response.field-line.field-name", ITEM_NAME},
    {"http.response.field-line.field-value", ITEM_VALUE},
    {"http.response.content", ITEM_BODY},
};

static unsigned char kinds[ELEMENTS_MAX]; /* of elements: 1 + an item_kind_t; 0: not told */
static uint64_t wanted[ELEMENTS_MAX / 64];
static bool is_prepared, is_all_wanted;

static uint64_t extra[4096]; /* queues */

typedef struct reader {
    const unsigned char *bytes; /* of the stream */
    bool has_failed;
} reader_t;

static void *get_extra(void *block, size_t size, void *user)
{
    (void)user;
    return !block && size <= sizeof extra ? extra : NULL;
}

/* What is in bodies (forms, mails) nobody wants to know here. */
static const qcap_protocol_t *find(const char *name, const uint64_t **elements, void *user)
{
    (void)name;
    (void)user;
    *elements = qcap_nothing;
    return &qcap_http_protocol;
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    reader_t *reader = user;
    (void)parser;
    if (event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_PIECE) {
        unsigned kind = kinds[event->element];
        if (kind != 0)
            item((item_kind_t)(kind - 1), reader->bytes + event->begin, (size_t)(event->end - event->begin));
    } else if (event->kind == QCAP_EVENT_ERROR) {
        reader->has_failed = true;
    }
}

/* Which elements are told, from their paths. */
static void prepare(const qcap_protocol_t *protocol)
{
    char path[128];
    for (uint16_t i = 0; i < protocol->element_count; i++) {
        qcap_element_path(protocol, i, path, sizeof path);
        for (size_t k = 0; k < sizeof told / sizeof *told; k++) {
            if (strcmp(path, told[k].path) == 0) {
                kinds[i] = (unsigned char)(told[k].kind + 1);
                wanted[i / 64] |= (uint64_t)1 << i % 64;
            }
        }
    }
    is_all_wanted = getenv("QCAP_BENCH_ALL") != NULL;
    is_prepared = true;
}

bool parse_stream(const stream_t *stream)
{
    static qcap_http_t http;
    reader_t reader = {.bytes = stream->bytes};
    if (!is_prepared)
        prepare(&qcap_http_protocol);
    qcap_http_init(&http, on_event, &reader);
    qcap_conversation_set_memory(&http.conversation, get_extra);
    qcap_conversation_set_find(&http.conversation, find);
    if (!is_all_wanted)
        qcap_conversation_set_wanted(&http.conversation, wanted);
    if (stream->is_server)
        qcap_parser_absent(&http.client);
    qcap_parser_t *parser = stream->is_server ? &http.server : &http.client;
    size_t at = 0, cut = 0;
    const size_t piece_len = stream->piece_len;
    for (size_t i = 0; i < stream->message_count; i++) {
        while (at < stream->ends[i]) {
            size_t end = piece_end(at, stream->ends[i], piece_len, &cut);
            if (qcap_parser_feed(parser, stream->bytes + at, end - at) != end - at)
                return false;
            at = end;
        }
    }
    return !reader.has_failed;
}
