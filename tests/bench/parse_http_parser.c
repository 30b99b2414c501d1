/* parse_http_parser.c: http-parser, for parse.c. */
#include <http_parser.h>

#include "parse.h"

static int on_headers(http_parser *parser)
{
    if (parser->type == HTTP_REQUEST)
        item(ITEM_METHOD, NULL, 1);
    else
        item(ITEM_STATUS, NULL, 1);
    item(ITEM_VERSION, NULL, 1);
    return 0;
}

static int on_bytes(item_kind_t kind, const char *bytes, size_t len)
{
    item(kind, (const unsigned char *)bytes, len);
    return 0;
}

static int on_target(http_parser *parser, const char *bytes, size_t len)
{
    (void)parser;
    return on_bytes(ITEM_TARGET, bytes, len);
}

static int on_name(http_parser *parser, const char *bytes, size_t len)
{
    (void)parser;
    return on_bytes(ITEM_NAME, bytes, len);
}

static int on_value(http_parser *parser, const char *bytes, size_t len)
{
    (void)parser;
    return on_bytes(ITEM_VALUE, bytes, len);
}

static int on_body(http_parser *parser, const char *bytes, size_t len)
{
    (void)parser;
    return on_bytes(ITEM_BODY, bytes, len);
}

static const http_parser_settings settings = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
};

/* A parser for each message: it takes nothing more behind one that says `close`. */
bool parse_stream(const stream_t *stream)
{
    http_parser parser;
    size_t at = 0, cut = 0;
    const size_t piece_len = stream->piece_len;
    for (size_t i = 0; i < stream->message_count; i++) {
        http_parser_init(&parser, stream->is_server ? HTTP_RESPONSE : HTTP_REQUEST);
        while (at < stream->ends[i]) {
            size_t end = piece_end(at, stream->ends[i], piece_len, &cut);
            if (http_parser_execute(&parser, &settings, (const char *)stream->bytes + at, end - at) != end - at)
                return false;
            at = end;
        }
    }
    return true;
}
