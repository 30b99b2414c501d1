/* parse.h: what measures a parser, and what a parser is to it. One program for each parser: parse_NAME.c with parse.c.
 *
 * Every parser tells the same things of a message through item(): what they cost is in what is measured. */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define ITEM_MAP(X)                                                                                                    \
    X(METHOD)                                                                                                          \
    X(TARGET)                                                                                                          \
    X(VERSION)                                                                                                         \
    X(STATUS)                                                                                                          \
    X(NAME)                                                                                                            \
    X(VALUE)                                                                                                           \
    X(BODY)

typedef enum {
#define X(name) ITEM_##name,
    ITEM_MAP(X)
#undef X
    ITEM_KINDS
} item_kind_t;

/* A part of the message; `len` is 1 where the parser tells a number rather than bytes. Parts that lie in several pieces
 * may come in several. */
void item(item_kind_t kind, const unsigned char *bytes, size_t len);

/* Messages one behind the other, as on a connection that is kept alive. A piece never holds bytes of two messages. */
typedef struct stream {
    const unsigned char *bytes;
    const size_t *ends;   /* of each message */
    size_t message_count;
    size_t piece_len;     /* pieces end at every multiple of it, and at the end of each message; SIZE_MAX: only there */
    bool is_server;       /* responses */
} stream_t;

/* Where the piece that begins at `at` ends. `*cut`: the last multiple of piece_len so far; 0 at first. */
static inline size_t piece_end(size_t at, size_t message_end, size_t piece_len, size_t *cut)
{
    if (*cut == at)
        *cut += piece_len;
    return *cut < message_end ? *cut : message_end;
}

/* Reads the stream once; false if anything in it is an error to this parser. */
bool parse_stream(const stream_t *stream);

#endif
