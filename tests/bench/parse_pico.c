/* parse_pico.c: picohttpparser, as libh2o exports it, for parse.c. It reads heads and chunks; what a body is, its user
 * has to find out. A head that is not complete is read again from its first byte with the next piece, so that small pieces are
 * not for it. */
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "parse.h"

#define FIELDS_MAX 64

/* The library's header is not installed with it. */
struct phr_header {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

struct phr_chunked_decoder {
    size_t bytes_left_in_chunk;
    char consume_trailer;
    char hex_count;
    char state;
};

int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len, const char **path,
                      size_t *path_len, int *minor_version, struct phr_header *headers, size_t *num_headers,
                      size_t last_len);
int phr_parse_response(const char *buf, size_t len, int *minor_version, int *status, const char **msg, size_t *msg_len,
                       struct phr_header *headers, size_t *num_headers, size_t last_len);
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *buf, size_t *len);

typedef struct message {
    bool is_in_body;
    bool is_chunked;
    size_t body_len;
    struct phr_chunked_decoder decoder;
} message_t;

static bool is_name(const struct phr_header *field, const char *name, size_t len)
{
    return field->name_len == len && strncasecmp(field->name, name, len) == 0;
}

static void take_fields(message_t *m, const struct phr_header *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        item(ITEM_NAME, (const unsigned char *)fields[i].name, fields[i].name_len);
        item(ITEM_VALUE, (const unsigned char *)fields[i].value, fields[i].value_len);
        if (is_name(&fields[i], "content-length", 14)) {
            for (size_t k = 0; k < fields[i].value_len; k++)
                m->body_len = m->body_len * 10 + (size_t)(fields[i].value[k] - '0');
        } else if (is_name(&fields[i], "transfer-encoding", 17)) {
            m->is_chunked = true;
            m->decoder.consume_trailer = 1;
        }
    }
}

/* Returns the length of the head, -2 if it is not complete, -1 if it is malformed. */
static int take_head(message_t *m, const stream_t *stream, size_t begin, size_t last, size_t end)
{
    struct phr_header fields[FIELDS_MAX];
    size_t count = FIELDS_MAX, method_len = 0, target_len = 0;
    const char *method, *target, *head = (const char *)stream->bytes + begin;
    int minor_version, status = 0, head_len;
    if (stream->is_server)
        head_len = phr_parse_response(head, end - begin, &minor_version, &status, &target, &target_len, fields, &count,
                                      last - begin);
    else
        head_len = phr_parse_request(head, end - begin, &method, &method_len, &target, &target_len, &minor_version,
                                     fields, &count, last - begin);
    if (head_len < 0)
        return head_len;
    if (stream->is_server) {
        item(ITEM_STATUS, NULL, 1);
    } else {
        item(ITEM_METHOD, (const unsigned char *)method, method_len);
        item(ITEM_TARGET, (const unsigned char *)target, target_len);
    }
    item(ITEM_VERSION, NULL, 1);
    take_fields(m, fields, count);
    if (status / 100 == 1 || status == 204 || status == 304) {
        m->body_len = 0;
        m->is_chunked = false;
    }
    m->is_in_body = true;
    return head_len;
}

/* The chunks' decoder writes where it reads. */
static bool take_chunks(message_t *m, const unsigned char *bytes, size_t len)
{
    static char buffer[1 << 16];
    if (len > sizeof buffer)
        return false;
    memcpy(buffer, bytes, len);
    if (phr_decode_chunked(&m->decoder, buffer, &len) == -1)
        return false;
    if (len > 0)
        item(ITEM_BODY, (unsigned char *)buffer, len);
    return true;
}

static bool take_body(message_t *m, const unsigned char *bytes, size_t len)
{
    if (len == 0)
        return true;
    if (m->is_chunked)
        return take_chunks(m, bytes, len);
    if (len > m->body_len)
        return false;
    item(ITEM_BODY, bytes, len);
    m->body_len -= len;
    return true;
}

bool parse_stream(const stream_t *stream)
{
    size_t at = 0, cut = 0;
    const size_t piece_len = stream->piece_len;
    for (size_t i = 0; i < stream->message_count; i++) {
        message_t m = {.is_in_body = false};
        size_t begin = at;
        while (at < stream->ends[i]) {
            size_t end = piece_end(at, stream->ends[i], piece_len, &cut);
            if (!m.is_in_body) {
                int head_len = take_head(&m, stream, begin, at, end);
                if (head_len == -1)
                    return false;
                at = head_len >= 0 ? begin + (size_t)head_len : end;
            }
            if (m.is_in_body && !take_body(&m, stream->bytes + at, end - at))
                return false;
            at = end;
        }
        if (!m.is_in_body)
            return false;
    }
    return true;
}
