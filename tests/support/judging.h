/* judging.h: what the files of judge.c share: judge.c, listen.c, shrink.c. */
#ifndef QCAP_TESTS_JUDGING_H
#define QCAP_TESTS_JUDGING_H

#include "judge.h"

#define LIMIT 512u /* of an element: small, so that limits are reached */

typedef struct lines {
    char **items;
    size_t count;
} lines_t;

/* A stream element of a parser, as it comes. */
typedef struct stream {
    const qcap_parser_t *parser; /* of a side, or of what that feeds */
    uint64_t streamed;           /* it has come up to here */
    unsigned char *bytes;        /* all of it; zeroes where something is missing or was skipped */
    size_t len;
    bool is_open;
} stream_t;

/* One side of one run of the parser. */
typedef struct listener {
    qcap_parser_t *parser;
    qcap_keeper_t keeper;
    unsigned char buffer[LIMIT < 65536u ? 65536u : LIMIT]; /* the keeper's */
    bool is_datagram;
} listener_t;

#define NESTING 3u /* streams in streams that are told apart */
#define STREAMS_MAX 16u

/* Who tells of it: a side, or a stream that it feeds; and what a stream tells of what it feeds, whose order among its
 * own events depends on cuts. */
#define TELLERS (2 * 2 * NESTING)

static inline unsigned teller_of(bool is_server, unsigned nesting, bool is_fed)
{
    return (nesting < NESTING ? nesting : NESTING - 1) * 4 + (is_fed ? 2u : 0u) + is_server;
}

/* What each side of a scene says, in a row. */
typedef struct said {
    unsigned char *bytes;
    size_t len;
    size_t fed;     /* taken by the reader */
    size_t arrived; /* may be taken */
} said_t;

/* A protocol to which a sub-stream may be fed. */
typedef struct other {
    const qcap_protocol_t *protocol;
    const grammar_t *grammar;
} other_t;

struct judge {
    const qcap_protocol_t *protocol;
    other_t others[64];
    size_t other_count;
    const grammar_t *grammar;
    interpret_t *interpret;
    lines_t logs[2][TELLERS]; /* of the interpreter and the parser, by teller_of(); client and server first */
    stream_t streams[STREAMS_MAX];
    said_t said[2];
    listener_t listeners[2];
    qcap_conversation_t *conversation;
    uint64_t random;
    bool is_cut;
    bool is_apart;
    unsigned tries; /* of shrinking */
};

/* Zeroed; aborts if there is none. */
void *judge_memory(size_t size);

void lines_add(lines_t *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lines_clear(lines_t *lines);

/* Handlers, whose user is a judge, that keep logs. */
void listen_to_interpreter(const interpret_event_t *event, void *user);
void listen_to_parser(qcap_parser_t *parser, const qcap_event_t *event, void *user);

/* Before another parser. */
void listen_forget(judge_t *judge);

/* Are there bytes in the step? */
bool scene_has_bytes(const step_t *step);

#endif
