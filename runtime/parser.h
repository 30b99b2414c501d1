/* parser.h: the contract between generated parsers and whoever runs them.
 *
 * A generated file holds the machines of one protocol and tables about them; everything that is the same for every protocol
 * is in parser.c, driver.c, control.c, region.c, recovery.c, operation.c, table.c, value.c, until.c, queue.c, substream.c,
 * decoding.c, blocks.c, conversation.c, keeper.c and names.c, which share parsing.h; scan.h is for both. They need nothing
 * else: no libc beyond string.h, no allocation, no global state.
 *
 *     qcap_NAME_t conversation;                                  (one conversation, both directions)
 *     qcap_NAME_init(&conversation, on_event, user);
 *     qcap_parser_feed(&conversation.client, bytes, len);        (as often as bytes arrive)
 *     qcap_parser_feed(&conversation.server, bytes, len);
 *     qcap_parser_gap(&conversation.server, lost);               (these bytes are missing)
 *     qcap_parser_finish(&conversation.client);                  (that side closed)
 *
 * The same bytes in any cut give the same events, with the same offsets. Offsets are 64-bit and count from the first
 * byte ever fed in that direction; bytes skipped by qcap_parser_gap() count.
 *
 * In step. A conversation's two sides share queues: a response needs its request. Feed the sides in the order the
 * endpoints saw the bytes: what acknowledges byte n of the other side is fed after the other side's bytes up to n. A side
 * that needs an answer the other side has not given yet stops taking bytes (QCAP_PARSER_WAITING).
 *
 * The structs are open so that they can live on a stack or inside other objects. Fields are private to these files and
 * the generated code unless a comment says "read".
 */
#ifndef QCAP_PARSER_H
#define QCAP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qcap_parser qcap_parser_t;             /* one direction of one conversation */
typedef struct qcap_conversation qcap_conversation_t; /* what the two directions share */
typedef struct qcap_protocol qcap_protocol_t;         /* what the generator knows: constant */

/* ---------------------------------------------------------------- events */

/* QCAP_EVENT_ELEMENT   an element ended: [begin, end). `bytes` if it lies in the piece being fed, else NULL: the caller
 *                      has kept it (see qcap_parser_held). Longer than the limit: the first `limit` bytes, and
 *                      QCAP_EVENT_TRUNCATED, as soon as the limit is passed. Joined from parts: `value`; its bytes are not kept.
 * QCAP_EVENT_BEGIN     a stream element begins at begin.
 * QCAP_EVENT_PIECE     bytes [begin, end) of the stream element; `bytes` is never NULL.
 * QCAP_EVENT_GAP       bytes [begin, end) are missing; in `element` if that is not QCAP_NONE.
 * QCAP_EVENT_END       the stream element, that began at begin, ended at end. QCAP_EVENT_ABORTED: not by its own rule,
 *                      but by an error, a hole or the end of the stream: with all that was read before that.
 * QCAP_EVENT_ANOMALY   input that the grammar only tolerates: [begin, end), named by `text`.
 * QCAP_EVENT_ERROR     the input cannot be read: at begin. `error` has the rest. Elements that were open are abandoned.
 * QCAP_EVENT_SKIPPED   after an error or a gap, parsing goes on at end; nothing was read from begin on.
 * QCAP_EVENT_BECOME    from end on this direction speaks another protocol: `text` names it, "?" if it is not known.
 * QCAP_EVENT_EXPECT    at end, another conversation was agreed upon: `expected` says which, `text` is its protocol's name. */
#define QCAP_EVENT_MAP(X)                                                                                              \
    X(ELEMENT, "element")                                                                                              \
    X(BEGIN, "begin")                                                                                                  \
    X(PIECE, "piece")                                                                                                  \
    X(GAP, "gap")                                                                                                      \
    X(END, "end")                                                                                                      \
    X(ANOMALY, "anomaly")                                                                                              \
    X(ERROR, "error")                                                                                                  \
    X(SKIPPED, "skipped")                                                                                              \
    X(BECOME, "become")                                                                                                \
    X(EXPECT, "expect")

typedef enum {
#define X(name, text) QCAP_EVENT_##name,
    QCAP_EVENT_MAP(X)
#undef X
} qcap_event_kind_t;

#define QCAP_EVENT_TRUNCATED 1u
#define QCAP_EVENT_ABORTED 2u
#define QCAP_EVENT_FED 4u /* an anomaly of what this stream feeds: among pieces of a stream, its place depends on their cuts */

#define QCAP_NONE 0xffffu /* no element, no register, no state */

/* Why the input cannot be read. ORDER: as in the texts. */
#define QCAP_ERROR_MAP(X)                                                                                              \
    X(SYNTAX, "unexpected byte")                                                                                       \
    X(UNFINISHED, "the stream ends in the middle")                                                                     \
    X(MISSING, "missing bytes")                                                                                        \
    X(OVERFLOW, "a number is too large")                                                                               \
    X(ARITHMETIC, "an expression has no value")                                                                        \
    X(DIFFERENT, "a second, different value")                                                                          \
    X(CHOICE, "no alternative applies")                                                                                \
    X(EXTENT, "the length does not fit its content")                                                                   \
    X(LIMIT, "undecided for too long")                                                                                 \
    X(DEPTH, "nested too deeply")                                                                                      \
    X(IDLE, "going round without reading")

typedef enum {
#define X(name, text) QCAP_ERROR_##name,
    QCAP_ERROR_MAP(X)
#undef X
} qcap_error_code_t;

typedef struct qcap_error {
    qcap_error_code_t code;
    uint64_t offset;      /* of the byte that does not fit, or of the end of the stream */
    int byte;             /* that byte, or -1 where there is none */
    const char *rule;     /* the grammar rule that was being read; "" if not known */
    const char *expected; /* what could have continued, for people: "SP or \"/\""; "" if not known */
} qcap_error_t;

/* Where a conversation to come is to be found. */
typedef enum {
    QCAP_HOST_CLIENT,  /* at the client of this conversation */
    QCAP_HOST_SERVER,  /* at its server */
    QCAP_HOST_ADDRESS, /* at an IPv4 address */
    QCAP_HOST_TEXT     /* at what a text says: an address or a name */
} qcap_host_t;

typedef struct qcap_expected {
    const char *transport; /* "tcp", "udp" */
    qcap_host_t host;
    uint32_t address;           /* QCAP_HOST_ADDRESS: its first byte is the highest */
    const unsigned char *text;  /* QCAP_HOST_TEXT; borrowed until the handler returns */
    size_t text_len;
    uint16_t port;
} qcap_expected_t;

typedef struct qcap_event {
    qcap_event_kind_t kind;
    unsigned flags;             /* QCAP_EVENT_TRUNCATED, QCAP_EVENT_ABORTED */
    uint16_t element;           /* index in protocol->elements, or QCAP_NONE */
    uint64_t begin, end;        /* stream offsets of this direction, or sub-stream */
    uint64_t outer_begin, outer_end; /* where in its parent, if this is of a sub-stream; else not set */
    const unsigned char *bytes; /* [begin, end), or NULL; borrowed until the handler returns */
    const unsigned char *value; /* of an element that is joined from parts: these; else NULL; borrowed likewise */
    size_t value_len;
    const char *text;           /* the anomaly's or protocol's name; else NULL */
    const qcap_error_t *error;  /* for QCAP_EVENT_ERROR; borrowed until the handler returns */
    const qcap_expected_t *expected; /* for QCAP_EVENT_EXPECT; likewise; for others not set */
    qcap_parser_t *reader; /* for QCAP_EVENT_FED with an error: who met it; for others not set */
} qcap_event_t;

/* Called for each event, in the order of commitment. `parser` tells the direction (qcap_parser_is_server) and the
 * conversation. From inside, qcap_parser_pause() is allowed, feeding is not. */
typedef void (*qcap_event_handler_t)(qcap_parser_t *parser, const qcap_event_t *event, void *user);

/* ---------------------------------------------------------------- feeding */

/* What a direction is doing; read with qcap_parser_status(). */
typedef enum {
    QCAP_PARSER_READY,     /* takes bytes */
    QCAP_PARSER_SEARCHING, /* takes bytes, looks for a place to go on after an error or a gap */
    QCAP_PARSER_WAITING,   /* needs the other side first; feed the other side, then this one again */
    QCAP_PARSER_PAUSED,    /* by a handler; the next feed goes on */
    QCAP_PARSER_BECAME,    /* speaks another protocol from here on: takes no more */
    QCAP_PARSER_FAILED,    /* an error, and the grammar knows no place to go on: takes no more */
    QCAP_PARSER_FINISHED   /* qcap_parser_finish() was called */
} qcap_parser_status_t;

/* Reads `len` bytes that follow the ones taken before. Returns how many were taken; fewer than `len` when the status is
 * neither READY nor SEARCHING: offer the rest again later. Taken bytes may be forgotten unless qcap_parser_held() says
 * otherwise. `bytes` may be NULL if len is 0: a waiting side then looks whether it still has to wait. */
size_t qcap_parser_feed(qcap_parser_t *parser, const unsigned char *bytes, size_t len);

/* The same without the bytes: true if they were taken, since whatever they are, no handler would be told of them, and nothing
 * depends on them. That is so in the middle of a stream element that is not wanted, such as a body. False: nothing was done. */
bool qcap_parser_pass(qcap_parser_t *parser, size_t len);

/* Reads a datagram that this side has sent: `len` bytes, which all belong together. For protocols with a `datagram` root;
 * nothing for others. Each is read by itself: registers of the side begin unset, an error ends it, nothing is waited for, and a
 * pause is not heeded; what both sides share, such as queues, stays. Offsets go on from datagram to datagram. All elements
 * have their bytes, and come whole, whatever the limit. A conversation is fed datagrams or streams, not both. */
void qcap_parser_datagram(qcap_parser_t *parser, const unsigned char *bytes, size_t len);

/* The next `len` bytes are missing. All bytes before them have been taken, or are given up. Inside a counted body this
 * is arithmetic; elsewhere an error of code MISSING, and a search from the end of the hole on. */
void qcap_parser_gap(qcap_parser_t *parser, uint64_t len);

/* This direction has ended in order (FIN). Idempotent. What needs its end is delivered; what is unfinished is an error.
 * If the status is WAITING, bytes not yet taken are given up. */
void qcap_parser_finish(qcap_parser_t *parser);

/* Nothing (more) will come from this direction though it did not end in order: not captured, or reset. Waits of the other
 * side end. No event. */
void qcap_parser_absent(qcap_parser_t *parser);

/* This direction breaks off: as qcap_parser_absent(), and stream elements that are open end as aborted, also those of
 * sub-streams. Nothing is taken any more (QCAP_PARSER_FINISHED). */
void qcap_parser_abort(qcap_parser_t *parser);

/* A WAITING side is not to wait any longer for what it waits for now: it goes on without, at the next feed. */
void qcap_parser_hurry(qcap_parser_t *parser);

/* The other side has gone over to another protocol, but what is fed next was sent by one who did not know yet: as long as
 * this is true, this side does not change. */
void qcap_parser_stay(qcap_parser_t *parser, bool stays);

/* From a handler: stop taking bytes behind the event. The next feed goes on there. */
void qcap_parser_pause(qcap_parser_t *parser);

qcap_parser_status_t qcap_parser_status(const qcap_parser_t *parser);

/* The offset behind the last byte taken (or skipped by a gap). */
uint64_t qcap_parser_offset(const qcap_parser_t *parser);

/* From which offset on the bytes are still needed for elements to come: at most `limit` behind qcap_parser_offset(), and
 * equal to it where nothing is pending. */
uint64_t qcap_parser_held(const qcap_parser_t *parser);

/* True once the input has been recognised: an element has been committed. A parser that is used to find out which protocol
 * is spoken has its answer then, or when the status is FAILED or SEARCHING. */
bool qcap_parser_is_confirmed(const qcap_parser_t *parser);

bool qcap_parser_is_server(const qcap_parser_t *parser);

/* Begin in the middle of a stream: look for a place to go on instead of expecting the beginning. Before the first feed. */
void qcap_parser_search(qcap_parser_t *parser);

/* ---------------------------------------------------------------- conversations */

/* Gives `size` bytes, aligned for any type, or NULL if there are none; or, if `block` is not NULL, takes back that block of
 * `size` bytes, and returns NULL. Asked at the first use of a second entry of a queue, of a sub-stream, of a decoder, and where
 * a piece ends in bytes that may or may not belong to a stream element.
 * Without it, queues hold one entry (an anomaly "queue-full" tells), such sub-streams are not read ("substream-memory"), and such
 * bytes are missing (QCAP_EVENT_GAP). */
typedef void *(*qcap_memory_handler_t)(void *block, size_t size, void *user);

/* Makes a conversation in `block`, which has protocol->size bytes. What qcap_NAME_init() calls. */
void qcap_conversation_init(void *block, const qcap_protocol_t *protocol, qcap_event_handler_t on_event, void *user);

/* Sets where what is longer lives (default: nowhere), which elements are wanted (one bit each, borrowed, NULL: all; others cost a bit
 * test and are not held), and the most bytes of a whole element (default QCAP_LIMIT). */
void qcap_conversation_set_memory(qcap_conversation_t *conversation, qcap_memory_handler_t memory);
void qcap_conversation_set_wanted(qcap_conversation_t *conversation, const uint64_t *wanted);
void qcap_conversation_set_limit(qcap_conversation_t *conversation, uint32_t limit);

/* Gives back all memory that the handler gave. The conversation cannot be used any more. */
void qcap_conversation_fini(qcap_conversation_t *conversation);

/* Memory of the conversation, for decoders: zeroed; NULL if there is none. It may be given back before the conversation ends. */
void *qcap_conversation_get(qcap_conversation_t *conversation, size_t size);
void qcap_conversation_put(qcap_conversation_t *conversation, void *block);

#define QCAP_LIMIT 65536u

#define QCAP_JOINED_MAX 512u /* bytes of a joined value; a longer one is cut, and QCAP_EVENT_TRUNCATED */

qcap_conversation_t *qcap_parser_conversation(const qcap_parser_t *parser);
qcap_parser_t *qcap_conversation_client(qcap_conversation_t *conversation);
qcap_parser_t *qcap_conversation_server(qcap_conversation_t *conversation);

/* ---------------------------------------------------------------- sub-streams
 *
 * `feed RULE` gives a rule's bytes to a stream of its own, which RULE reads; `feed PROTOCOL` to another protocol. Its
 * parser is not fed from outside. Its events come to the same handler, in their order among the parent's, with offsets
 * of its own; outer_begin and outer_end say where in the parent the bytes were: to the byte, but for elements that began
 * more than QCAP_SEGMENTS feeds ago, and for decoded bytes, of which only the feeds are known. Elements have their bytes.
 * An error of a sub-stream is an anomaly of the parent, "substream-error", with the `error` in the sub-stream's offsets; what
 * belongs to it is then passed over up to its end, unless the rule can be searched for. That an excerpt ends early is none.
 * A pause takes effect in the parent. Sub-streams may feed on; another protocol is not read more than QCAP_NESTING streams
 * deep ("substream-depth"). */

#define QCAP_NESTING 16u

/* The parser whose bytes feed this one, or NULL. */
qcap_parser_t *qcap_parser_parent(const qcap_parser_t *parser);

/* The offset of a sub-stream's byte in its parent: what outer_begin is for the begin of an event. */
uint64_t qcap_parser_outer(const qcap_parser_t *parser, uint64_t offset);

/* Finds the protocol of that name, or NULL: nobody reads what is fed to it. `*wanted` is NULL; it may be set to what is wanted of
 * that protocol's elements, as in qcap_conversation_set_wanted(), or to qcap_nothing: not even what is wrong with it, so it is
 * neither decoded nor read. */
typedef const qcap_protocol_t *(*qcap_find_handler_t)(const char *name, const uint64_t **wanted, void *user);

extern const uint64_t qcap_nothing[1];

void qcap_conversation_set_find(qcap_conversation_t *conversation, qcap_find_handler_t find);

/* ---------------------------------------------------------------- decoders */

typedef enum { QCAP_DECODE_MORE, QCAP_DECODE_END, QCAP_DECODE_ERROR } qcap_decode_status_t;

/* What a decoder reads and where it writes: both move on as it does. */
typedef struct qcap_decode_io {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;
} qcap_decode_io_t;

/* One kind of decoder. They are passed in by whoever runs the parser, so that a parser needs no library. */
typedef struct qcap_decoder {
    const char *name;  /* as in `decode NAME` */
    size_t state_size; /* of what `run` is called with; zeroed before `begin` */
    /* Begins a stream; again, to begin another. False if there is no memory. */
    bool (*begin)(void *state, qcap_conversation_t *conversation, const unsigned char *key, size_t key_len);
    /* Decodes as much as there are bytes and room. MORE: one of both is used up. END: the stream is complete; also for whatever
     * follows it. */
    qcap_decode_status_t (*run)(void *state, qcap_decode_io_t *io);
    bool grows; /* it may make more than it reads: limits are for these */
    bool ends;  /* what is encoded says where it ends: before that, it is cut */
} qcap_decoder_t;

/* Sets which there are, the last being followed by NULL (borrowed; default: none), and how much those that grow may make of
 * their input: each at most `size` bytes a sub-stream (0: any), and at every 64 KiB that it has made at most `ratio` times what the
 * first of them has read (0: any). Defaults: QCAP_DECODED_SIZE, QCAP_DECODED_RATIO. What is made up to there is read; then an
 * anomaly "decoded-too-much" tells, and the rest is passed over. */
void qcap_conversation_set_decoders(qcap_conversation_t *conversation, const qcap_decoder_t *const *decoders);
void qcap_conversation_set_decoded_limits(qcap_conversation_t *conversation, uint64_t size, uint32_t ratio);

#define QCAP_DECODED_SIZE ((uint64_t)1 << 30)
#define QCAP_DECODED_RATIO 1100u /* deflate cannot make more of what it reads: 1032 */

/* ---------------------------------------------------------------- keeping bytes */

/* For embedders whose input does not stay where it was: keeps in `buffer` what qcap_parser_held() asks for. Feed through it
 * instead of qcap_parser_feed(); in the event handler, qcap_keeper_copy() gives the text of an element whose `bytes` is NULL. */
typedef struct qcap_keeper {
    unsigned char *buffer; /* the caller's */
    size_t size;           /* of buffer */
    size_t len;            /* bytes kept */
    uint64_t begin;        /* stream offset of buffer[0] */
    const unsigned char *piece; /* being fed */
    uint64_t piece_begin;       /* its stream offset */
    size_t piece_len;
} qcap_keeper_t;

void qcap_keeper_init(qcap_keeper_t *keeper, void *buffer, size_t size);

/* So many bytes are always enough for each direction: those of the longest element, as the limit is set now, and what is looked at
 * ahead. */
size_t qcap_keeper_size(const qcap_conversation_t *conversation);

/* Like qcap_parser_feed(). */
size_t qcap_keeper_feed(qcap_keeper_t *keeper, qcap_parser_t *parser, const unsigned char *bytes, size_t len);

/* Copies [begin, end) to `to`; returns the bytes copied, fewer than asked for only where they were not kept. */
size_t qcap_keeper_copy(const qcap_keeper_t *keeper, uint64_t begin, uint64_t end, void *to);

/* ---------------------------------------------------------------- what the generator knows of a protocol */

typedef struct qcap_element {
    const char *name;  /* as in the grammar or `emit as` */
    uint16_t parent;   /* the emitted element it stands in; QCAP_NONE at the top */
    uint16_t selector; /* the element whose text selects this one, as field-name does field-value; or QCAP_NONE */
    bool is_stream;    /* delivered as BEGIN, PIECE, END */
    const char *separator; /* its value is joined from the texts of parts, with this between them; NULL: it is its bytes */
} qcap_element_t;

typedef struct qcap_port {
    const char *transport; /* "tcp", "udp" */
    uint16_t number;
} qcap_port_t;

/* Writes an element's path, "http.request.method", to `text` (at most `size` bytes with the NUL, cut if need be); returns
 * its length without the NUL, uncut, like snprintf. */
size_t qcap_element_path(const qcap_protocol_t *protocol, uint16_t element, char *text, size_t size);

/* One line about an error for people: `offset 17: unexpected byte "x" in request-line, expected SP`. As snprintf. */
size_t qcap_error_print(const qcap_error_t *error, char *text, size_t size);
const char *qcap_event_kind_name(qcap_event_kind_t kind);

/* ================================================================ private to these files and generated code */

/* What a machine, or the driver in driver.c, has to do next. */
typedef enum {
    QCAP_STOP_INPUT,   /* the piece, or the region, is at its end */
    QCAP_STOP_CONTROL, /* parser->state is a control point */
    QCAP_STOP_ERROR,   /* no continuation: parser->state is where */
    QCAP_STOP_PAUSED,  /* a handler, or an operation that failed, wants out: parser->state is where to go on */
    QCAP_STOP_TABLE    /* parser->state, or this byte in it, is left to the tables; or, of these, to a machine */
} qcap_stop_t;

/* Reads from `at` on, at most to `end`, in parser->state; leaves parser->at and parser->state. Machines are states as direct
 * code; qcap_table_run() reads the same from tables, at least one byte, and stops where a machine is to go on. */
typedef qcap_stop_t (*qcap_machine_t)(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end);

/* Numbers in expressions: 64 bits, checked. A comparison with an unset register is false; arithmetic with one, or beyond 64
 * bits, is an error, and so is everything made of it. */
typedef enum { QCAP_NUMBER_SET, QCAP_NUMBER_UNSET, QCAP_NUMBER_ERROR } qcap_number_state_t;

typedef struct qcap_number {
    uint64_t value;
    qcap_number_state_t state;
} qcap_number_t;

/* Control points: what a parser does other than look at one byte. `choose` gives the index among the targets, or one of
 * QCAP_CHOOSE_*; `value` evaluates an expression and tells whether it could. */
typedef enum {
    QCAP_CONTROL_CHOICE, /* `when`: goes to targets[choose()] */
    QCAP_CONTROL_LENGTH, /* `length`: reads a region of value() bytes from targets[0], then goes on at targets[1] */
    QCAP_CONTROL_AT,     /* `at`: the same from value() on in the datagram, then goes on here, at targets[1] */
    QCAP_CONTROL_CLOSE,  /* `until close`: the same to the end of the stream */
    QCAP_CONTROL_POP,    /* `pop`: waits for an entry, sets a register, goes to targets[0] */
    QCAP_CONTROL_BECOME, /* `become`: hands over; of targets[0], only what needs no byte runs */
    QCAP_CONTROL_REFINE, /* `refine`: goes to targets[the keyword that the name is]; part of its machine */
    QCAP_CONTROL_CALL,   /* a rule that contains itself: goes to targets[0], remembers targets[1] */
    QCAP_CONTROL_RETURN, /* its end: goes on where it was called */
    QCAP_CONTROL_REPEAT, /* begins to count rounds, value() or `max` of them; goes to targets[0] */
    QCAP_CONTROL_AGAIN,  /* goes to targets[0] if there must be another round, to targets[1] if there may be, else to targets[2] */
    QCAP_CONTROL_DONE,   /* forgets the number; goes to targets[0] */
    QCAP_CONTROL_UNTIL,  /* `until`: the same as LENGTH, to the text that `until` describes */
    QCAP_CONTROL_SKIP    /* passes over that text; goes to targets[0] */
} qcap_control_kind_t;

#define QCAP_CHOOSE_NONE (-1)
#define QCAP_CHOOSE_ERROR (-2)

/* What ends a region: texts, one behind the other. */
typedef struct qcap_piece {
    const unsigned char *text;
    uint16_t len;
    uint16_t reg;          /* in place of the text what this register of bytes holds, with QCAP_SHARED if it is; or QCAP_NONE */
    bool is_case_ignored;
} qcap_piece_t;

/* Behind which of the bytes that can follow such a text not every byte can: 256 bits for these, 256 for the bytes behind them. */
typedef struct qcap_two {
    uint8_t first[32], second[32];
} qcap_two_t;

typedef struct qcap_until {
    const qcap_piece_t *pieces;
    uint16_t piece_count;
    bool is_line;          /* only where the region begins, and behind CR LF */
    const uint8_t *next;   /* 256 bits: the bytes that can follow; NULL: nobody looks */
    const qcap_two_t *twos; /* of different first bytes */
    uint16_t two_count;
} qcap_until_t;

typedef struct qcap_control {
    qcap_control_kind_t kind;
    bool is_shared;               /* waits for the next byte or the end: looks at what the other side writes */
    bool is_joint;                /* QCAP_CONTROL_CALL: of several readings: what each has done waits for the return */
    const uint16_t *targets;      /* states */
    uint16_t rule;                /* index in protocol->texts */
    int (*choose)(const qcap_parser_t *parser);
    qcap_number_t (*value)(const qcap_parser_t *parser);
    uint16_t queue;               /* QCAP_CONTROL_POP */
    uint16_t reg;                 /* QCAP_CONTROL_POP; both with QCAP_SHARED if they are */
    uint16_t key;                 /* QCAP_CONTROL_POP: of the entry; QCAP_NONE: the first one is meant */
    uint16_t slot;                /* QCAP_CONTROL_REFINE: of the conversion of the name */
    const char *protocol;         /* QCAP_CONTROL_BECOME; NULL: what the register says */
    const char *const *names;     /* of that one's keywords */
    uint16_t name_count;
    const qcap_until_t *until;    /* QCAP_CONTROL_UNTIL */
    uint32_t min, max;            /* QCAP_CONTROL_REPEAT, QCAP_CONTROL_AGAIN; both 0: each of them must come */
    uint16_t depth;               /* QCAP_CONTROL_CALL: elements around it, in the rule that it stands in */
} qcap_control_t;

/* A place: the position register of that number (0 ..), QCAP_PLACE_BACK + k: k bytes behind the current position, or
 * QCAP_PLACE_COMMITTED: known already; or QCAP_PLACE_OLDEST. */
#define QCAP_PLACE_BACK 0x4000u
#define QCAP_PLACE_COMMITTED 0x8000u
#define QCAP_PLACE_OLDEST 0x8001u /* the oldest that anything undecided may have begun at */

/* What has to be kept of the piece that ends in a state: the bytes of conversions that are under way there. */
typedef struct qcap_suspend {
    uint16_t conversion; /* index in protocol->conversions */
    uint16_t begin;      /* place where the rule began; QCAP_PLACE_COMMITTED: as in qcap_underway_t */
    uint16_t end;        /* place where it may have ended; QCAP_PLACE_BACK + 0: goes on */
} qcap_suspend_t;

/* A state that counts bytes: it does something else when `limit` have been read since `begin`. */
typedef struct qcap_counter {
    uint32_t limit;
    uint16_t begin; /* place */
} qcap_counter_t;

/* Which bytes begin where, and what to say, is the same in many states: each different row of these stands once. */
typedef struct qcap_about {
    uint16_t rule;     /* index in protocol->texts */
    uint16_t expected; /* index in protocol->texts */
} qcap_about_t;

/* What has to be kept of a piece that ends in a state. */
typedef struct qcap_keep {
    uint16_t suspend;        /* first row in protocol->suspends ... */
    uint16_t suspend_count;  /* ... and how many */
    uint16_t held_back;      /* something pending began at most so many bytes behind the position ... */
    uint16_t held_registers; /* ... or at these position registers, one bit each */
    uint16_t stream_end;     /* place where the open stream element may have ended; QCAP_PLACE_BACK + 0: goes on; QCAP_PLACE_OLDEST:
                              * at one of several places */
    uint16_t counter;        /* first row in protocol->counters ... */
    uint16_t counter_count;  /* ... and how many: the state's first edges are taken when these have counted enough */
    uint16_t accept;         /* QCAP_STATE_ACCEPTING: what is performed where the input, or the region, ends: an action */
} qcap_keep_t;

typedef enum {
    QCAP_STATE_BYTES,  /* reads a byte: follows the edge that its class has in the state's row; see qcap_keep_t's counters */
    QCAP_STATE_ENTRY,  /* reads nothing: follows its one edge at once */
    QCAP_STATE_CONTROL /* a control point */
} qcap_state_kind_t;

typedef struct qcap_state {
    uint32_t edges : 24; /* index of the first in protocol->edge_lists */
    uint32_t loop : 8; /* the edge that leads back to the state with nothing to do, from 1; QCAP_LOOP_NONE */
    uint16_t row;      /* QCAP_STATE_BYTES: index in protocol->rows, in units of class_count; _CONTROL: in protocol->controls */
    uint16_t about;    /* index in protocol->abouts */
    uint16_t keep;     /* index in protocol->keeps */
    uint8_t kind;      /* qcap_state_kind_t, and flags */
    uint8_t machine;   /* that has it as direct code: index in protocol->machines; QCAP_MACHINE_NONE: tables alone have it */
} qcap_state_t;

#define QCAP_STATE_KIND 3u      /* mask */
#define QCAP_STATE_ACCEPTING 4u /* the input, or the region, may end here */
#define QCAP_STATE_ANY 8u       /* every byte follows the edge behind those of counters and the end */
#define QCAP_STATE_END 16u      /* an edge, behind those of counters, is taken where the input, or the region, ends */
#define QCAP_STATE_CALM 32u     /* reads a byte, and nothing is counted: what comes next depends on that byte alone */
#define QCAP_STATE_SUSPENDS 64u /* conversions are under way: see qcap_keep_t */
#define QCAP_STATE_STREAMS 128u /* a stream element, or what is fed to a sub-stream, may have begun: not more is known yet */
#define QCAP_MACHINE_NONE 0xffu
#define QCAP_LOOP_NONE 0xffu

/* A transition. */
typedef struct qcap_edge {
    uint16_t target; /* state */
    uint16_t action; /* index of its first word in protocol->actions; 0: nothing */
} qcap_edge_t;

/* An action is a row of words: how many steps, and QCAP_ACTION_PEEK; then their indices in protocol->steps. Operations come
 * before moves. */
#define QCAP_ACTION_STEPS(word) ((word) & 0x7fffu)
#define QCAP_ACTION_PEEK 0x8000u /* the byte decides, but is not read */

/* An operation at a place; or (QCAP_STEP_MOVE) a position register gets a place. */
typedef struct qcap_step {
    uint16_t what;  /* index in protocol->ops; or QCAP_STEP_MOVE and the number of the register */
    uint16_t place;
} qcap_step_t;

#define QCAP_STEP_MOVE 0x8000u

/* The operations: what `depth`, `a`, `b` and `c` are. The generator's regop.h has their meaning. */
typedef enum {
    QCAP_OP_OPEN,          /* depth, element; flag stream */
    QCAP_OP_CLOSE,         /* depth, element; flag stream */
    QCAP_OP_ANOMALY_OPEN,  /* depth */
    QCAP_OP_ANOMALY_CLOSE, /* depth, -, name: index in texts */
    QCAP_OP_CONVERT_OPEN,  /* -, conversion */
    QCAP_OP_CONVERT_CLOSE, /* -, conversion */
    QCAP_OP_SET,           /* -, register, index in protocol->values, rule: index in texts; flags shared, unique */
    QCAP_OP_RESET,         /* -, registers, one bit each, of the first of which the index is b; flag shared */
    QCAP_OP_LOCAL_OPEN,    /* -, register */
    QCAP_OP_LOCAL_CLOSE,   /* the same */
    QCAP_OP_FEED_OPEN,     /* depth, sub-stream */
    QCAP_OP_FEED_CLOSE,    /* the same */
    QCAP_OP_FINISH,        /* -, sub-stream */
    QCAP_OP_EXPECT,        /* -, index in protocol->expects */
    QCAP_OP_PUSH,          /* -, queue, register, register that is the key or QCAP_NONE; both with QCAP_SHARED if they are */
    QCAP_OP_MISMATCH,      /* depth, -, name: index in texts */
    QCAP_OP_MARK,          /* number of the mark in place of depth */
    QCAP_OP_ROLLBACK,      /* the same */
    QCAP_OP_FOUND,
    QCAP_OP_ATOMIC_END
} qcap_op_kind_t;

#define QCAP_OP_STREAM 1u /* a stream element */
#define QCAP_OP_SHARED 2u /* a shared register */
#define QCAP_OP_UNIQUE 4u /* a second, different value is an error */
#define QCAP_OP_LATER 8u  /* goes onto the list of the atomic rule */
#define QCAP_OP_JOINED 16u /* a joined element */

typedef struct qcap_op {
    uint8_t kind; /* qcap_op_kind_t */
    uint8_t flags;
    uint8_t depth;
    uint16_t a, b, c;
} qcap_op_t;

typedef enum {
    QCAP_CONVERT_DECIMAL,
    QCAP_CONVERT_HEX,
    QCAP_CONVERT_OCTAL,
    QCAP_CONVERT_BIG,    /* bytes of a number, the highest first */
    QCAP_CONVERT_LITTLE, /* the lowest first */
    QCAP_CONVERT_VARINT, /* LEB128 */
    QCAP_CONVERT_KEYWORD,
    QCAP_CONVERT_JOIN,   /* bytes that become part of the value of the element around */
    QCAP_CONVERT_BYTES,
    QCAP_CONVERT_UNQUOTE /* bytes, without the quotes around them and the backslashes inside */
} qcap_convert_kind_t;

/* A set of words, compared ignoring case. `find` gives 1 + the index, 0 if the text is none of them. */
typedef struct qcap_keywords {
    unsigned (*find)(const unsigned char *text, size_t len);
    uint16_t longest; /* bytes of the longest word */
} qcap_keywords_t;

typedef struct qcap_conversion {
    qcap_convert_kind_t kind;
    const qcap_keywords_t *keywords; /* QCAP_CONVERT_KEYWORD */
    uint16_t accumulator;            /* index of the first of its accumulators ... */
    uint16_t accumulator_count;      /* ... and how many can be in use at once */
    uint32_t text;                   /* of a text: where the first one's bytes are in the side's text area ... */
    uint32_t text_size;              /* ... and how many are kept of each; 0: a number */
    uint16_t slot;                   /* in `underway`: those that are never under way together share one */
    uint16_t rule;                   /* index in protocol->texts */
    uint16_t reg;                    /* the register; QCAP_NONE: the value stays in the accumulator */
    bool is_shared;                  /* the register is shared by both sides */
    bool is_unique;                  /* a second, different value is an error */
} qcap_conversion_t;

/* A register's value: a number; 1 + the index of a keyword, 0 for none of them; or of bytes QCAP_BYTES_*. */
typedef struct qcap_register {
    uint64_t value;
} qcap_register_t;

/* Bytes as one number, their text lying elsewhere: how many there are, whether more were cut off, and on the list of an
 * atomic rule where they lie in the side's text area. */
#define QCAP_BYTES_LEN(value) ((uint32_t)((value) & 0xffffff))
#define QCAP_BYTES_CUT ((uint64_t)1 << 24)
#define QCAP_BYTES_OFFSET(value) ((uint32_t)((value) >> 32))

/* Where the bytes of a register lie in a text area. */
typedef struct qcap_text {
    uint32_t offset;
    uint32_t size; /* the most there can be */
} qcap_text_t;

/* The list of operations of an atomic rule that has not matched yet is words: the operation's number in the lower half, in the
 * upper one the lower half of the offset at which it was performed, which is less than QCAP_UNDECIDED_MAX behind; of a conversion
 * two more follow, its value. */
typedef uint32_t qcap_later_t;

#define QCAP_LATER_VALUE 2u /* words of a value */
#define QCAP_UNDECIDED_MAX 65536u

/* A conversion. */
typedef union qcap_underway {
    uint64_t begin; /* where the rule began; QCAP_LOST: not all of its bytes were read */
    uint64_t value; /* after the close, if there is no register for it */
} qcap_underway_t;

#define QCAP_LOST UINT64_MAX

/* What the bytes of a conversion that are gone amounted to. Readings that differ in where the rule began have one each, found
 * by that. */
typedef struct qcap_accumulator {
    uint64_t begin; /* where the rule began */
    uint64_t value; /* number so far */
    uint64_t done;  /* QCAP_DONE_ONE for each byte that is in value, or in the text; QCAP_DONE_OVERFLOW: it does not fit; in the lower
                     * half of the rest, the conversion that has it: those that are never under way together share theirs */
} qcap_accumulator_t;

#define QCAP_DONE_ONE ((uint64_t)1 << 17)
#define QCAP_DONE_OVERFLOW ((uint64_t)1 << 16)

/* In a slot, instead of an element: feeds of sub-streams, from this number on. */
#define QCAP_FEED 0xf000u

/* What a parser does between two pieces with bytes that lead from its state back to it: nothing; hands them to the open stream
 * element; has to look; else puts them into the accumulator of that number, from QCAP_GROWS_VALUE on. */
#define QCAP_GROWS_NOTHING 0u
#define QCAP_GROWS_VALUE 1u
#define QCAP_GROWS_STREAM 0xfffeu
#define QCAP_GROWS_UNKNOWN 0xffffu

/* An element that is open: where it began, modulo 2^48, above its number, which is QCAP_NONE once it has been delivered, cut at
 * the limit. One slot for each depth of nesting. */
typedef struct qcap_slot {
    uint64_t word;
} qcap_slot_t;

static inline void qcap_slot_set(qcap_slot_t *slot, unsigned element, uint64_t begin)
{
    slot->word = begin << 16 | element;
}

static inline unsigned qcap_slot_element(const qcap_slot_t *slot)
{
    return (uint16_t)slot->word;
}

static inline bool qcap_slot_is_done(const qcap_slot_t *slot)
{
    return qcap_slot_element(slot) == QCAP_NONE;
}

/* Where it began; `near` is an offset less than 2^47 away. */
static inline uint64_t qcap_slot_begin(const qcap_slot_t *slot, uint64_t near)
{
    return near - (uint64_t)((int64_t)((near << 16 | QCAP_NONE) - slot->word) >> 16);
}

typedef struct qcap_region {
    uint64_t end;   /* offset; QCAP_REGION_OPEN: the end of the stream; of `at` QCAP_JUMP_* */
    uint16_t after; /* state to go on in */
    uint16_t depth; /* elements open when it began */
    uint16_t base, frame_count; /* likewise */
    uint32_t saved; /* words on the stack of saved registers then */
    uint16_t watch; /* 1 + the number of how its end is looked for; 0: it is not */
    bool is_jump : 1; /* `at`: ends where its rule does, or with the datagram */
    bool is_cut : 1;  /* something around it has ended before its end */
    bool is_open : 1; /* to the end of what is around it */
} qcap_region_t;

/* Of `at`, counted from the datagram's first byte: where reading goes on, and where it went to. */
#define QCAP_JUMP_BACK(end) ((uint32_t)((end) >> 32))
#define QCAP_JUMP_TO(end) ((uint32_t)(end))

/* How the end of a region is looked for: `until`. */
typedef struct qcap_watch {
    const qcap_until_t *until; /* NULL: its end is known */
    uint64_t looked;           /* what ends it does not begin before this offset */
    uint16_t len;              /* bytes of what ends it */
    unsigned char before;      /* is_line: the byte before `looked` ... */
    bool is_start;             /* ... and whether a line begins there */
    bool is_found;             /* regions[].end is the end */
} qcap_watch_t;

/* A call of a rule that contains itself, or a repeat whose rounds are counted. */
typedef struct qcap_frame {
    uint64_t left;  /* of a repeat: rounds that may come yet; of a call: the oldest offset that something may begin at that waits
                     * for it, or for one around it, to return; UINT64_MAX: nothing does */
    uint16_t after; /* of a call: state to go on in; of a repeat: QCAP_NONE */
    uint16_t base;  /* of a call: that of the caller */
    uint16_t calls; /* that have not returned, this one among them */
} qcap_frame_t;

#define QCAP_REGION_OPEN UINT64_MAX

typedef struct qcap_queue_entry {
    uint64_t value;
    uint64_t position; /* in the stream of the side that pushed */
    uint64_t other;    /* how far the other side had been read then */
    bool is_set;
    bool has_key;      /* a qcap_queue_key_t stands behind it */
    uint32_t missing;  /* entries that there was no room for, in front of it */
} qcap_queue_entry_t;

/* What an entry is found by. */
typedef struct qcap_queue_key {
    uint64_t value; /* a number, or how many bytes it has */
    unsigned char text[]; /* those */
} qcap_queue_key_t;

typedef struct qcap_queue {
    uint32_t capacity; /* the most entries */
    uint32_t stride; /* from one entry to the next, counted in entries: its key lies between */
} qcap_queue_t;

typedef struct qcap_queue_state {
    qcap_queue_entry_t *entries; /* in the conversation's block, or, for more than one, in another that `memory` gave */
    uint32_t size;               /* for so many there is room */
    uint32_t first, count;
    uint32_t missing; /* entries that there was no room for, behind the last one */
} qcap_queue_state_t;

#define QCAP_MARKS 4

/* What looked like a beginning, while one is searched for, and was none: if so many bytes of it did fit, or more, the search goes on
 * at the byte that did not; else behind its first one, for another may begin in it. */
#define QCAP_SEARCH_MAX 32u

typedef struct qcap_root {
    uint16_t start;       /* state; QCAP_NONE: this direction says nothing */
    uint16_t search;      /* state; QCAP_NONE: no place to go on after an error */
    uint16_t search_byte; /* with which all begins that can be found; QCAP_NONE: there are several */
} qcap_root_t;

/* Where what a direction remembers lies: offsets behind its qcap_parser_t. Registers are the first, but for those that are
 * words. `watches`: one for each region whose end is looked for; `ends`: for each of those, until_max bytes of what ends it
 * and, if until_size says so, as many that are or'ed before they are compared; `ahead`: taken bytes that may be that, and one
 * behind it, read next. */
typedef struct qcap_side {
    uint32_t words, slots, regions, frames, positions, later, underway, accumulators, text, saved, watches, ends, ahead;
} qcap_side_t;

/* An error that has not been reported yet: see qcap_error_t. */
typedef struct qcap_failure {
    uint64_t offset;
    uint16_t rule, expected; /* indices in protocol->texts */
    int16_t byte;
    uint8_t code;
} qcap_failure_t;
/* A sub-stream. */
typedef struct qcap_feed {
    qcap_root_t root;     /* of the rule that reads it */
    const char *protocol; /* that reads it instead; or NULL */
    bool is_datagram;     /* it is read when it is complete */
    bool is_excerpt;      /* it may end anywhere */
    uint16_t decode;      /* first of its decoders, in order, in protocol->decodes ... */
    uint16_t decode_count;
} qcap_feed_t;

/* A decoder in front of a sub-stream. */
typedef struct qcap_decode {
    const char *name;          /* of the decoder; NULL: what the register says */
    const char *const *names;  /* of that register's keywords */
    uint16_t name_count;
    uint16_t reg;              /* the key, or that register; QCAP_NONE: no key; with QCAP_SHARED if it is */
} qcap_decode_t;

/* A conversation that is expected. */
typedef struct qcap_expect {
    const char *transport, *protocol;
    qcap_host_t host;
    uint16_t reg;      /* the address, with QCAP_SHARED if it is; or QCAP_NONE */
    qcap_number_t (*port)(const qcap_parser_t *parser);
} qcap_expect_t;

#define QCAP_DECODERS 4 /* in one sub-stream, one behind the other */
#define QCAP_SEGMENTS 8

/* From `begin` on, the bytes of a sub-stream are the parent's from `outer` on. */
typedef struct qcap_segment_of {
    uint64_t begin, outer;
} qcap_segment_of_t;

typedef struct qcap_substream {
    qcap_parser_t *parent;
    qcap_parser_t *reader;         /* in the parent's block, or in `other`; NULL: there is none */
    qcap_conversation_t *other;    /* of another protocol, or NULL */
    const struct qcap_decoder *decoders[QCAP_DECODERS];
    void *states[QCAP_DECODERS];   /* of those */
    uint16_t keys[QCAP_DECODERS];  /* registers with their keys, as in qcap_decode_t */
    qcap_keeper_t keeper;          /* its buffer is allocated when it is needed */
    unsigned char *datagram;       /* of QCAP_DATAGRAM_MAX bytes, likewise */
    uint64_t decoded_in;                 /* bytes that the first decoder has read, */
    uint64_t decoded_out[QCAP_DECODERS]; /* and that each has made */
    qcap_segment_of_t segments[QCAP_SEGMENTS];
    uint32_t segment_count;        /* ever; the last ones are kept */
    uint32_t datagram_len;
    uint8_t decoder_count;
    uint8_t ended;                 /* which of them are at their end, a bit each */
    bool is_open;
    bool is_broken;                /* what comes is passed over */
    bool is_datagram, is_excerpt;
    uint16_t datagram_start;       /* state */
} qcap_substream_t;

#define QCAP_DATAGRAM_MAX 65535u

struct qcap_protocol {
    const char *name;  /* read: "http" */
    const char *title; /* read: "HTTP/1.x" */
    const qcap_element_t *elements; /* read */
    uint16_t element_count;         /* read */
    const uint64_t *all_elements;   /* a bit for each, set */
    const qcap_port_t *ports;       /* read */
    uint16_t port_count;            /* read */
    bool is_entered;                /* read: nobody speaks it from the beginning: other protocols lead to it */
    bool may_become;                /* read: a conversation may go over to another protocol */
    uint32_t size;                  /* read: bytes of a conversation */
    uint32_t extra_size;            /* read: bytes of its queues, at most */
    uint32_t client_offset, server_offset; /* of the two parsers in the block */
    qcap_root_t client, server;
    qcap_side_t side;
    const qcap_feed_t *feeds;
    uint16_t feed_count;            /* read */
    uint32_t subs, sub_size, sub_state; /* offset of the sub-streams' places, size of one, offset in it of its qcap_substream_t */
    const qcap_decode_t *decodes;
    const qcap_expect_t *expects; /* read: the last one has no transport */
    uint16_t datagram; /* read: state in which a datagram of either side is begun; QCAP_NONE: there are none */
    const qcap_state_t *states;
    const uint8_t *class_of; /* by byte: bytes of one class follow the same edges everywhere */
    uint16_t class_count;
    const uint8_t *rows;     /* class_count numbers each: which of the state's edges, from 1; 0: none */
    const qcap_edge_t *edges;
    const uint16_t *edge_lists; /* the edges of a state, one behind the other: indices in `edges` */
    const uint16_t *actions;
    const qcap_step_t *steps;
    const qcap_op_t *ops;
    qcap_number_t (*const *values)(const qcap_parser_t *parser); /* expressions */
    const qcap_about_t *abouts;
    const qcap_keep_t *keeps;
    const qcap_machine_t *machines;
    const qcap_control_t *controls;
    const qcap_suspend_t *suspends;
    const qcap_counter_t *counters;
    const qcap_conversion_t *conversions;
    uint16_t conversion_count;
    const qcap_queue_t *queues;
    uint16_t queue_count;
    uint16_t call_max;       /* of rules that contain themselves, inside each other; for the rest there is room enough then */
    uint16_t register_count;        /* of a direction ... */
    uint16_t word_count;            /* ... and how many of them, the last ones, are words: keywords and flags */
    uint16_t until_max;             /* bytes of the longest text that can end a region ... */
    uint16_t until_size;            /* ... and of what such a text takes: as many, or twice that, if some has letters of either case */
    uint32_t shared, queue_states, queue_firsts; /* offsets in the block */
    uint32_t saved_size;               /* words of a side's stack of saved registers */
    const qcap_text_t *register_texts; /* by register: in the side's text area */
    const qcap_text_t *shared_texts;   /* by shared register: in the conversation's */
    uint32_t shared_text;              /* offset of that in the block */
    uint32_t joined_text;              /* offset, in a side's text area, of the value that is being joined */
    uint32_t later_text;               /* offset, in a side's text area, of the texts on the list of an atomic rule */
    const char *const *texts;
};

/* Bytes of the open stream element that came in pieces that are gone, and are not told yet. */
typedef struct qcap_undecided {
    uint64_t begin, end; /* stream offsets */
    unsigned char bytes[]; /* QCAP_UNDECIDED_MAX at most */
} qcap_undecided_t;

/* There are as many as there are conversations, so it is kept small: what is never needed together shares a place. */
struct qcap_parser {
    qcap_conversation_t *conversation;
    qcap_substream_t *substream; /* that this one reads; or NULL */
    const unsigned char *at;     /* next byte to read */
    const unsigned char *piece;  /* first byte of the piece being fed */
    union {
        const unsigned char *piece_end;
        const uint8_t *row;      /* between pieces: the state's in protocol->rows; with `loop`, if calm_end is not 0 */
    };
    uint64_t piece_offset;       /* its stream offset; between pieces, that behind the last byte taken */
    uint64_t set;                /* registers that are set, one bit each */
    union {
        uint64_t streamed;       /* the open stream element has been delivered up to here */
        uint64_t candidate;      /* while searching, when none is open: where what may be found began */
    };
    qcap_undecided_t *undecided; /* NULL: none yet */
    uint64_t popped;             /* where this side stood at its last pop */
    union {
        uint64_t unlimited;      /* before this offset no limit is met */
        struct {                 /* of a datagram, which has none: */
            uint32_t datagram_len; /* its bytes */
            uint32_t jumped;     /* bytes of it that `at` has read */
        };
    };
    union {
        uint64_t calm_end;       /* pieces that end before this offset need nothing but reading */
        uint64_t skip_begin;     /* while searching, or behind an error in a region: where reading stopped, and so no piece is calm */
    };
    qcap_failure_t error;
    uint32_t later_text;         /* bytes of texts on the list of an atomic rule */
    uint32_t saved_count;        /* words on the stack of saved registers */
    uint16_t later_count;        /* words on that list */
    uint16_t marks[QCAP_MARKS];  /* lengths to which it may be cut back */
    uint16_t idle;               /* turns since the last byte */
    uint16_t feed;               /* 1 + the number of the sub-stream that this one reads by a rule; 0: it reads a direction */
    uint16_t growing;            /* between pieces: QCAP_GROWS_* */
    uint16_t state;
    uint16_t depth;              /* elements open */
    uint16_t base;               /* those of them that were when the rule at hand was called */
    uint16_t stream_depth;       /* 1 + the slot of the open stream element; 0: there is none */
    uint16_t joined_depth;       /* 1 + the slot of the element whose value is being joined; 0: there is none */
    uint16_t joined_len;         /* of that value */
    uint16_t region_count;       /* regions open */
    uint16_t until_count;        /* of them, those with an end that is looked for */
    uint16_t ahead_len;          /* taken bytes that may begin what ends one of them */
    uint16_t skip_len;           /* bytes to pass over, of what has ended a region */
    uint16_t frame_count;        /* calls that have not returned, repeats that go on */
    union {
        struct {
            bool is_paused;
            bool has_error;      /* an operation failed: `error` says how */
        };
        uint16_t must_stop;      /* either */
    };
    bool is_confirmed;
    uint8_t loop;                /* the state's, between pieces */
    bool is_server : 1;
    bool is_searching : 1;
    bool is_last : 1;            /* nothing comes behind the piece: the end, or a hole */
    bool is_ending : 1;          /* for a machine: no byte will follow, in this region or at all */
    bool is_skipping : 1;        /* to the end of the region, in which there was an error */
    bool is_waiting : 1;
    bool is_hurried : 1;
    bool is_staying : 1;
    bool is_datagram : 1;        /* one is being read: nothing comes behind the piece */
    bool is_absent : 1;          /* nothing more comes from this side */
    bool is_finished : 1;
    bool has_become : 1;
    bool has_failed : 1;
    bool is_lossy : 1;           /* bytes were skipped since the last pop */
    bool is_joined_cut : 1;      /* more would belong to the value that is being joined */
    bool has_part : 1;           /* something belongs to it, if only an empty text */
};

struct qcap_conversation {
    const qcap_protocol_t *protocol; /* read */
    qcap_event_handler_t on_event;
    void *user;                      /* read */
    qcap_event_t *told;              /* while a machine runs: what it tells elements with; what these have alike is filled in */
    qcap_memory_handler_t memory;
    qcap_find_handler_t find;
    const qcap_decoder_t *const *decoders;
    uint64_t decoded_size;           /* limits of decoders */
    uint32_t decoded_ratio;
    void *blocks;                    /* all that `memory` gave: a list */
    const uint64_t *wanted;
    const unsigned char *next; /* bytes that come behind those that are read later, to look at: see until.c */
    size_t next_len;
    qcap_register_t *shared;
    unsigned char *shared_text;      /* bytes of shared registers */
    qcap_queue_state_t *queues;
    uint64_t shared_set;
    const char *becomes; /* the name of the protocol that both sides go over to, once one has confirmed it */
    uint32_t limit;
};

/* ---------------------------------------------------------------- tables: table.c */

qcap_stop_t qcap_table_run(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end);

/* Performs the action, `here` being the current position. */
void qcap_table_perform(qcap_parser_t *parser, unsigned action, uint64_t here);

/* ---------------------------------------------------------------- what machines call */

/* The operations; `at` is the stream offset at which each was performed. The generator's regop.h has their meaning. */
void qcap_op_open(qcap_parser_t *parser, unsigned depth, unsigned element, uint64_t at);
void qcap_op_open_stream(qcap_parser_t *parser, unsigned depth, unsigned element, uint64_t at);
void qcap_op_open_joined(qcap_parser_t *parser, unsigned depth, unsigned element, uint64_t at);
void qcap_op_close_joined(qcap_parser_t *parser, unsigned depth, uint64_t at);
void qcap_op_close(qcap_parser_t *parser, unsigned depth, uint64_t at);
void qcap_op_close_stream(qcap_parser_t *parser, unsigned depth, uint64_t at);
void qcap_op_deliver(qcap_parser_t *parser, const qcap_slot_t *slot, uint64_t end);
void qcap_op_anomaly_open(qcap_parser_t *parser, unsigned depth, uint64_t at);
void qcap_op_anomaly_close(qcap_parser_t *parser, unsigned depth, const char *name, uint64_t at);
void qcap_op_convert_open(qcap_parser_t *parser, unsigned conversion, uint64_t at);
void qcap_op_convert_close(qcap_parser_t *parser, unsigned conversion, uint64_t at);
void qcap_op_mismatch(qcap_parser_t *parser, unsigned depth, const char *name, uint64_t at);
void qcap_op_found(qcap_parser_t *parser, uint64_t at);
void qcap_op_push(qcap_parser_t *parser, unsigned queue, unsigned reg, unsigned key, uint64_t at);
void qcap_op_feed_open(qcap_parser_t *parser, unsigned depth, unsigned feed, uint64_t at);
void qcap_op_feed_close(qcap_parser_t *parser, unsigned depth, unsigned feed, uint64_t at);
void qcap_op_send(qcap_parser_t *parser, const qcap_event_t *event);
void qcap_op_tell(qcap_parser_t *parser, unsigned element, const unsigned char *begin, const unsigned char *end);
void qcap_op_tell_at(qcap_parser_t *parser, unsigned element, uint64_t begin, uint64_t end);
void qcap_op_expect(qcap_parser_t *parser, unsigned expect, uint64_t at);
void qcap_op_finish(qcap_parser_t *parser, unsigned feed, uint64_t at);
void qcap_op_local_open(qcap_parser_t *parser, unsigned reg);
void qcap_op_local_close(qcap_parser_t *parser, unsigned reg);
void qcap_op_atomic_end(qcap_parser_t *parser, uint64_t here);

/* The value of a conversion that ends at `at`, and its register := value: the two halves of qcap_op_convert_close(). */
uint64_t qcap_op_convert(qcap_parser_t *parser, unsigned conversion, uint64_t at);
void qcap_op_store(qcap_parser_t *parser, unsigned conversion, uint64_t value, uint64_t at);

/* Puts an operation on the direction's list for an atomic rule; there is room for it. */
static inline void qcap_op_later(qcap_parser_t *parser, qcap_later_t *later, unsigned op, uint64_t at)
{
    later[parser->later_count++] = (uint32_t)at << 16 | op;
}

static inline void qcap_op_later_value(qcap_parser_t *parser, qcap_later_t *later, unsigned op, uint64_t value, uint64_t at)
{
    qcap_op_later(parser, later, op, at);
    later[parser->later_count++] = (uint32_t)value;
    later[parser->later_count++] = (uint32_t)(value >> 32);
}

/* The same, where it is seldom done. */
void qcap_op_list(qcap_parser_t *parser, unsigned op, uint64_t at);
void qcap_op_list_value(qcap_parser_t *parser, unsigned op, uint64_t value, uint64_t at);

/* The offset at which an operation on the list was performed; `here` is where all of them are behind. */
static inline uint64_t qcap_later_at(qcap_later_t later, uint64_t here)
{
    return here - (uint16_t)((uint32_t)here - (later >> 16));
}

/* Added to the index of a register that both sides share, where it could be either kind. */
#define QCAP_SHARED 0x100u

/* Unsets registers: one bit each. */
static inline void qcap_op_reset(qcap_parser_t *parser, uint64_t registers, bool is_shared)
{
    if (!parser->has_error)
        *(is_shared ? &parser->conversation->shared_set : &parser->set) &= ~registers;
}

/* The offset that a position register holds the lower half of; `here` is not before it. */
static inline uint64_t qcap_position_at(uint32_t position, uint64_t here)
{
    return here - (uint32_t)((uint32_t)here - position);
}

/* The stream offset of a byte of the piece. */
static inline uint64_t qcap_offset_of(const qcap_parser_t *parser, const unsigned char *at)
{
    return parser->piece_offset + (uint64_t)(at - parser->piece);
}

/* What the address of a byte of the piece, as a number, lacks of its stream offset. */
static inline uint64_t qcap_origin(const qcap_parser_t *parser)
{
    uint64_t origin = parser->piece_offset - (uintptr_t)parser->piece;
#ifdef __GNUC__
    __asm__("" : "+r"(origin)); /* one number: compilers would keep the two that it is made of */
#endif
    return origin;
}

static inline bool qcap_is_wanted(const qcap_parser_t *parser, unsigned element)
{
    return parser->conversation->wanted[element >> 6] >> (element & 63) & 1;
}

/* OP_OPEN and OP_CLOSE of elements that are delivered whole, where nothing before them on the edge can have failed. */
static inline void qcap_element_open(qcap_parser_t *parser, qcap_slot_t *slots, unsigned depth, unsigned element, uint64_t at)
{
    qcap_slot_set(&slots[depth], element, at);
    parser->depth = (uint16_t)(depth + 1);
}

#define QCAP_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define QCAP_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* The same as qcap_element_close(), for where it happens often, in machines. */
static inline void qcap_element_close_here(qcap_parser_t *parser, qcap_slot_t *slots, unsigned depth, unsigned element,
                                           const uint64_t *wanted, uint64_t at)
{
    parser->depth = (uint16_t)depth;
    parser->is_confirmed = true;
    if (QCAP_LIKELY(wanted[element >> 6] >> (element & 63) & 1) && !qcap_slot_is_done(&slots[depth]))
        qcap_op_tell_at(parser, element, qcap_slot_begin(&slots[depth], at), at);
}

static inline void qcap_element_close(qcap_parser_t *parser, qcap_slot_t *slots, unsigned depth, unsigned element, uint64_t at)
{
    parser->depth = (uint16_t)depth;
    parser->is_confirmed = true;
    if (qcap_is_wanted(parser, element))
        qcap_op_deliver(parser, &slots[depth], at);
}

/* An element that opened in the same trace; its bytes lie in the piece ... */
static inline __attribute__((always_inline)) void qcap_element_tell(qcap_parser_t *parser, unsigned element, const uint64_t *wanted,
                                                                    const unsigned char *begin, const unsigned char *end)
{
    if (QCAP_LIKELY(wanted[element >> 6] >> (element & 63) & 1))
        qcap_op_tell(parser, element, begin, end);
}

/* ... or perhaps not. */
static inline void qcap_element_tell_from(qcap_parser_t *parser, unsigned element, const uint64_t *wanted, uint64_t begin,
                                          uint64_t end)
{
    if (QCAP_LIKELY(wanted[element >> 6] >> (element & 63) & 1))
        qcap_op_tell_at(parser, element, begin, end);
}

static inline void qcap_word_put(qcap_parser_t *parser, unsigned reg, uint16_t *word, uint64_t value)
{
    *word = (uint16_t)value;
    parser->set |= (uint64_t)1 << reg;
}

/* The word that [begin, at) is: of bytes that lie in the piece, or were put away. */
static inline uint64_t qcap_find_keyword(qcap_parser_t *parser, unsigned conversion, uint64_t begin, uint64_t at,
                                         unsigned (*find)(const unsigned char *text, size_t len))
{
    if (begin < parser->piece_offset || begin > at)
        return qcap_op_convert(parser, conversion, at);
    return find(parser->piece + (begin - parser->piece_offset), (size_t)(at - begin));
}

/* How a machine returns. */
static inline qcap_stop_t qcap_stop(qcap_parser_t *parser, const unsigned char *at, uint16_t state, qcap_stop_t why)
{
    parser->at = at;
    parser->state = state;
    return why;
}

static inline bool qcap_must_stop(const qcap_parser_t *parser)
{
    return parser->must_stop != 0;
}

/* The same, where a state can do nothing with what comes. A function, since there are many such places. */
qcap_stop_t qcap_leave(qcap_parser_t *parser, const unsigned char *at, const unsigned char *end, uint16_t state);

/* Numbers in expressions: see qcap_number_t. */
static inline qcap_number_t qcap_number(uint64_t value)
{
    qcap_number_t n = {value, QCAP_NUMBER_SET};
    return n;
}

static inline qcap_register_t *qcap_registers(const qcap_parser_t *parser)
{
    return (qcap_register_t *)(uintptr_t)(parser + 1);
}

/* The register's value as a number, if it is a word. */
static inline qcap_number_t qcap_word(const qcap_parser_t *parser, unsigned reg, uint64_t value)
{
    qcap_number_t n = {value, parser->set >> reg & 1 ? QCAP_NUMBER_SET : QCAP_NUMBER_UNSET};
    return n;
}

/* The same if it is none. */
static inline qcap_number_t qcap_register(const qcap_parser_t *parser, unsigned reg)
{
    return qcap_word(parser, reg, qcap_registers(parser)[reg].value);
}

static inline qcap_number_t qcap_shared(const qcap_parser_t *parser, unsigned reg)
{
    const qcap_conversation_t *c = parser->conversation;
    qcap_number_t n = {c->shared[reg].value, c->shared_set >> reg & 1 ? QCAP_NUMBER_SET : QCAP_NUMBER_UNSET};
    return n;
}

static inline qcap_number_t qcap_is_set(qcap_number_t n)
{
    return qcap_number(n.state == QCAP_NUMBER_SET);
}

static inline qcap_number_t qcap_is_true(qcap_number_t n)
{
    return qcap_number(n.state == QCAP_NUMBER_SET && n.value != 0);
}

typedef enum {
    QCAP_ADD,
    QCAP_SUB,
    QCAP_MUL,
    QCAP_AND_BITS,
    QCAP_EQ,
    QCAP_NE,
    QCAP_LT,
    QCAP_LE,
    QCAP_GT,
    QCAP_GE,
    QCAP_AND,
    QCAP_OR
} qcap_operator_t;

/* What a register of bytes has: `state` is UNSET, too, if some were cut off, since nobody knows then what they were. */
typedef struct qcap_bytes {
    const unsigned char *bytes;
    uint32_t len;
    qcap_number_state_t state;
} qcap_bytes_t;

qcap_bytes_t qcap_bytes(const qcap_parser_t *parser, unsigned reg, bool is_shared);
qcap_number_t qcap_compare_bytes(qcap_operator_t op, qcap_bytes_t a, qcap_bytes_t b);

static inline qcap_number_t qcap_number_error(void)
{
    qcap_number_t n = {0, QCAP_NUMBER_ERROR};
    return n;
}

static inline qcap_number_t qcap_arithmetic(qcap_operator_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case QCAP_ADD:
        return a > UINT64_MAX - b ? qcap_number_error() : qcap_number(a + b);
    case QCAP_SUB:
        return a < b ? qcap_number_error() : qcap_number(a - b);
    case QCAP_MUL:
        return b != 0 && a > UINT64_MAX / b ? qcap_number_error() : qcap_number(a * b);
    default:
        return qcap_number(a & b);
    }
}

static inline bool qcap_compare(qcap_operator_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case QCAP_EQ:
        return a == b;
    case QCAP_NE:
        return a != b;
    case QCAP_LT:
        return a < b;
    case QCAP_LE:
        return a <= b;
    case QCAP_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static inline qcap_number_t qcap_binary(qcap_operator_t op, qcap_number_t a, qcap_number_t b)
{
    if (a.state == QCAP_NUMBER_ERROR || b.state == QCAP_NUMBER_ERROR)
        return qcap_number_error();
    bool is_set = a.state == QCAP_NUMBER_SET && b.state == QCAP_NUMBER_SET;
    switch (op) {
    case QCAP_ADD:
    case QCAP_SUB:
    case QCAP_MUL:
    case QCAP_AND_BITS:
        return is_set ? qcap_arithmetic(op, a.value, b.value) : qcap_number_error();
    case QCAP_AND:
        return qcap_number(a.value && b.value);
    case QCAP_OR:
        return qcap_number(a.value || b.value);
    default:
        return qcap_number(is_set && qcap_compare(op, a.value, b.value));
    }
}

static inline qcap_number_t qcap_not(qcap_number_t a)
{
    return a.state == QCAP_NUMBER_ERROR ? a : qcap_number(!a.value);
}


/* register := number, for `REG = EXPRESSION`. */
void qcap_op_set(qcap_parser_t *parser, unsigned reg, bool is_shared, bool is_unique, qcap_number_t value,
                 unsigned rule, uint64_t at);

#ifdef __cplusplus
}
#endif
#endif
