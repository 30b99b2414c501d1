/* interpret.h: reads input by a grammar as it is: no automaton, nothing precomputed, no cuts.
 *
 * The other way to say what a spec means: the grammar and its annotations are followed directly, byte by byte, with the
 * whole history of every reading at hand. It is slow, and simple enough to be believed: tests compare generated parsers
 * with it, and `qcapgen explain` shows what it did. It shares grammar.h with the rest of the generator, and nothing
 * else.
 *
 * Events, offsets and statuses are those of runtime/parser.h, which says what they mean; but there are no pieces: all
 * that was said of a stream element's bytes is in its begin, its end, and the gaps and skipped bytes between. */
#ifndef QCAPGEN_INTERPRET_H
#define QCAPGEN_INTERPRET_H

#include "grammar.h"

typedef struct interpret interpret_t; /* one conversation, both directions */

/* ORDER: as qcap_event_kind_t, without the piece. */
#define INTERPRET_EVENT_MAP(X)                                                                                         \
    X(ELEMENT, "element")                                                                                              \
    X(BEGIN, "begin")                                                                                                  \
    X(GAP, "gap")                                                                                                      \
    X(END, "end")                                                                                                      \
    X(ANOMALY, "anomaly")                                                                                              \
    X(ERROR, "error")                                                                                                  \
    X(SKIPPED, "skipped")                                                                                              \
    X(BECOME, "become")                                                                                                \
    X(EXPECT, "expect")

typedef enum {
#define X(name, text) INTERPRET_##name,
    INTERPRET_EVENT_MAP(X)
#undef X
} interpret_kind_t;

/* ORDER: as QCAP_ERROR_MAP. */
#define INTERPRET_ERROR_MAP(X)                                                                                         \
    X(SYNTAX, "unexpected byte")                                                                                       \
    X(UNFINISHED, "the input ends in the middle")                                                                      \
    X(MISSING, "missing bytes")                                                                                        \
    X(OVERFLOW, "a number is too large")                                                                               \
    X(ARITHMETIC, "an expression has no value")                                                                        \
    X(DIFFERENT, "a second, different value")                                                                          \
    X(CHOICE, "no alternative applies")                                                                                \
    X(EXTENT, "the length does not fit its content")                                                                   \
    X(LIMIT, "undecided for too long")                                                                                 \
    X(DEPTH, "nested too deeply")                                                                                      \
    X(IDLE, "nothing is read, and nothing ends")

typedef enum {
#define X(name, text) INTERPRET_ERROR_##name,
    INTERPRET_ERROR_MAP(X)
#undef X
} interpret_code_t;

/* Where a conversation to come is to be found: qcap_expected_t. ORDER of hosts: as qcap_host_t. */
typedef enum {
    INTERPRET_HOST_CLIENT,
    INTERPRET_HOST_SERVER,
    INTERPRET_HOST_ADDRESS,
    INTERPRET_HOST_TEXT
} interpret_host_t;

typedef struct interpret_expected {
    const char *transport;
    interpret_host_t host;
    uint32_t address;          /* INTERPRET_HOST_ADDRESS */
    const unsigned char *text; /* INTERPRET_HOST_TEXT */
    size_t text_len;
    uint16_t port;
} interpret_expected_t;

typedef struct interpret_event {
    interpret_kind_t kind;
    bool is_server;
    bool is_truncated, is_aborted;
    bool is_fed;               /* an anomaly of what this stream feeds */
    unsigned nesting;          /* of sub-streams: how many streams it is in */
    const char *path;      /* of the element, "http.request.method"; NULL: none */
    uint64_t begin, end;   /* stream offsets of that side, or sub-stream */
    uint64_t outer_begin, outer_end; /* of a sub-stream: where in its parent */
    const unsigned char *bytes; /* of an element, and of a stream element that ends: [begin, end) ... */
    bool has_hole;              /* ... of which, or of what was read since, some are missing */
    const char *text;      /* the anomaly's or the protocol's name; else NULL */
    uint64_t inner;        /* of the anomaly "substream-error": where the error is, in offsets of that stream */
    interpret_code_t code; /* of that, and of INTERPRET_ERROR: why, ... */
    int byte;              /* ... the byte that does not fit, -1 where there is none, ... */
    const char *rule;      /* ... and the rule that was being read; "" if not known */
    const unsigned char *value; /* of an element that is joined from parts: these; else NULL */
    size_t value_len;
    const interpret_expected_t *expected; /* INTERPRET_EXPECT */
} interpret_event_t;

/* Borrowed until the handler returns. */
typedef void (*interpret_handler_t)(const interpret_event_t *event, void *user);

/* ORDER: as qcap_parser_status_t without PAUSED. BROKEN: the grammar is not one that a parser could be made of
 * (readings compete at a control point), or needs too much memory: interpret_complaint() says which. */
typedef enum {
    INTERPRET_READY,
    INTERPRET_SEARCHING,
    INTERPRET_WAITING,
    INTERPRET_BECAME,
    INTERPRET_FAILED,
    INTERPRET_FINISHED,
    INTERPRET_BROKEN
} interpret_status_t;

/* `grammar` is borrowed. With interpret_restart(), one interpreter reads many conversations, and is faster from the
 * second on: it keeps what it found out about the grammar. */
interpret_t *interpret_new(const grammar_t *grammar, interpret_handler_t on_event, void *user);
void interpret_restart(interpret_t *interpret);
void interpret_free(interpret_t *interpret);

/* Each side's root is the grammar's; with this, the client's input is one `rule`, whole. Before the first feed. */
void interpret_set_root(interpret_t *interpret, const rule_t *rule);

/* The most bytes of a whole element; 65536 unless told. */
void interpret_set_limit(interpret_t *interpret, uint32_t limit);

/* Finds the grammar of a protocol to which a sub-stream is fed; NULL: nobody reads it. It lives as long as this one. */
typedef const grammar_t *(*interpret_find_t)(const char *protocol, void *user);
void interpret_set_find(interpret_t *interpret, interpret_find_t find);

/* A stream for a decoder, from its beginning. */
typedef struct interpret_coded {
    const char *bytes;
    size_t len;
} interpret_coded_t;

/* Decodes the last of `count` streams as far as it goes, and appends what it is to `out`; those before it are what the decoder
 * was given already, which it may need. WRONG: up to where it is none of that coding; CUT: it goes on, if that is all.
 * Sub-streams that need decoders are not read without. */
typedef enum { INTERPRET_DECODED, INTERPRET_DECODED_CUT, INTERPRET_DECODED_WRONG, INTERPRET_DECODER_UNKNOWN } interpret_decoded_t;
typedef interpret_decoded_t (*interpret_decode_t)(const char *decoder, const unsigned char *key, size_t key_len,
                                                  const interpret_coded_t *streams, size_t count, text_t *out, void *user);
void interpret_set_decode(interpret_t *interpret, interpret_decode_t decode);

/* As qcap_parser_feed() and its neighbours. */
size_t interpret_feed(interpret_t *interpret, bool is_server, const unsigned char *bytes, size_t len);
void interpret_datagram(interpret_t *interpret, bool is_server, const unsigned char *bytes, size_t len);
void interpret_gap(interpret_t *interpret, bool is_server, uint64_t len);
void interpret_finish(interpret_t *interpret, bool is_server);
void interpret_absent(interpret_t *interpret, bool is_server);
void interpret_hurry(interpret_t *interpret, bool is_server);
void interpret_search(interpret_t *interpret, bool is_server);
interpret_status_t interpret_status(const interpret_t *interpret, bool is_server);
uint64_t interpret_offset(const interpret_t *interpret, bool is_server);

/* What a register has: a number, 1 + the index of a keyword or 0 for none of them, or bytes. */
typedef struct interpret_value {
    uint64_t number;            /* of bytes: how many */
    const unsigned char *bytes; /* NULL: a number */
    bool is_cut;                /* there were more bytes than it holds */
} interpret_value_t;

/* The value of a register of that side, or a shared one: false if it is not set. */
bool interpret_register(const interpret_t *interpret, bool is_server, const reg_t *reg, interpret_value_t *value);

/* Keeps what readings have been through. Before the first feed, and before any root is set. */
void interpret_set_trace(interpret_t *interpret);

/* A rule, or an alternative with annotations, and what it has read. */
typedef struct interpret_span {
    const rule_t *rule;   /* NULL: an alternative */
    const notes_t *notes; /* its annotations */
    uint64_t begin, end;
    unsigned depth; /* spans around it */
    bool is_open;   /* it goes on, or was broken off */
} interpret_span_t;

typedef VEC(interpret_span_t) interpret_spans_t;

/* The preferred reading, in the order in which its parts began. Memory comes from `arena`. */
interpret_spans_t interpret_trace(const interpret_t *interpret, bool is_server, arena_t *arena);

/* What a rule that is being read could go on with. */
typedef struct interpret_hope {
    const char *rule; /* "": what stands in no rule */
    charset_t set;
    bool can_end; /* the input, or the region, could end */
} interpret_hope_t;

typedef VEC(interpret_hope_t) interpret_hopes_t;

/* Of all readings, in order of preference. In a handler of INTERPRET_ERROR: those that came to the byte that does not
 * fit. */
interpret_hopes_t interpret_hopes(const interpret_t *interpret, bool is_server, arena_t *arena);

/* INTERPRET_BROKEN: why. */
const char *interpret_complaint(const interpret_t *interpret);

const char *interpret_kind_name(interpret_kind_t kind);
const char *interpret_code_text(interpret_code_t code);

#endif
