/* parsing.h: what the files of a parser's runtime share: parser.c, table.c, value.c, queue.c. Generated code does not see it. */
#ifndef QCAPINT_PARSING_H
#define QCAPINT_PARSING_H

#include "parser.h"

static inline const qcap_protocol_t *protocol_of(const qcap_parser_t *p)
{
    return p->conversation->protocol;
}

/* What lies behind the parser: see qcap_side_t. */
static inline void *behind(const qcap_parser_t *p, uint32_t offset)
{
    return (unsigned char *)(uintptr_t)(p + 1) + offset;
}

static inline qcap_register_t *side_registers(const qcap_parser_t *p)
{
    return qcap_registers(p);
}

static inline qcap_slot_t *side_slots(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.slots);
}

static inline qcap_region_t *side_regions(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.regions);
}

static inline qcap_frame_t *side_frames(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.frames);
}

static inline uint64_t *side_positions(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.positions);
}

static inline qcap_later_t *side_later(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.later);
}

static inline qcap_underway_t *side_underway(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.underway);
}

static inline qcap_accumulator_t *side_accumulators(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.accumulators);
}

static inline unsigned char *side_text(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.text);
}

static inline uint64_t *side_saved(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.saved);
}

static inline unsigned char *side_ends(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.ends);
}

static inline unsigned char *side_ahead(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.ahead);
}

static inline const qcap_state_t *state_of(const qcap_parser_t *p)
{
    return &protocol_of(p)->states[p->state];
}

static inline const qcap_about_t *about_of(const qcap_parser_t *p)
{
    return &protocol_of(p)->abouts[state_of(p)->about];
}

static inline const qcap_keep_t *keep_of(const qcap_parser_t *p)
{
    return &protocol_of(p)->keeps[state_of(p)->keep];
}

/* The state's edge of that number, from 0. */
static inline const qcap_edge_t *edge_of(const qcap_protocol_t *protocol, const qcap_state_t *s, unsigned number)
{
    return &protocol->edges[protocol->edge_lists[s->edges + number]];
}

static inline const uint8_t *row_of(const qcap_protocol_t *protocol, const qcap_state_t *s)
{
    return &protocol->rows[(size_t)s->row * protocol->class_count];
}

/* The number of the edge that the byte follows, from 1; 0: none. */
static inline unsigned edge_by_byte(const qcap_protocol_t *protocol, const qcap_state_t *s, unsigned char byte)
{
    return row_of(protocol, s)[protocol->class_of[byte]];
}

static inline bool is_kind(const qcap_parser_t *p, qcap_state_kind_t kind)
{
    return (state_of(p)->kind & QCAP_STATE_KIND) == kind;
}

static inline uint64_t here(const qcap_parser_t *p)
{
    return qcap_offset_of(p, p->at);
}

static inline qcap_parser_t *other_side(const qcap_parser_t *p)
{
    return p->is_server ? qcap_conversation_client(p->conversation) : qcap_conversation_server(p->conversation);
}

static inline uint64_t place(const qcap_parser_t *p, uint16_t where)
{
    if (where & QCAP_PLACE_BACK)
        return here(p) - (where & (QCAP_PLACE_BACK - 1));
    return side_positions(p)[where];
}

/* Every byte leads back to the state, with nothing to do. */
static inline bool is_any_loop(const qcap_state_t *s)
{
    return (s->kind & QCAP_STATE_ANY) && s->loop != QCAP_LOOP_NONE;
}

/* The state counts bytes: only one that reads them and is not calm does. */
static inline bool is_counting(const qcap_state_t *s)
{
    return (s->kind & (QCAP_STATE_KIND | QCAP_STATE_CALM)) == QCAP_STATE_BYTES;
}

/* The bytes [begin, end) if they lie in the piece. */
static inline const unsigned char *bytes_at(const qcap_parser_t *p, uint64_t begin)
{
    return begin >= p->piece_offset ? p->piece + (begin - p->piece_offset) : NULL;
}

/* How the end of a region is looked for; the side has room for it if the protocol has `until` at all. */
static inline qcap_watch_t *qcapint_watch(const qcap_parser_t *p, unsigned region)
{
    return (qcap_watch_t *)behind(p, protocol_of(p)->side.watches) + region;
}

/* until.c: the innermost region ends where the text begins that `until` describes. False: a register of it is not set. */
bool qcapint_until_begin(qcap_parser_t *p, const qcap_until_t *until);

/* Looks for the ends of regions, as far as bytes are at hand. */
void qcapint_until_look(qcap_parser_t *p);

/* The offset up to which no byte can belong to what ends a region; UINT64_MAX: none is looked for. */
uint64_t qcapint_until_safe(const qcap_parser_t *p);

/* table.c: the first byte from `at` on that the parser's state, or the one that it enters, reads; `end` if there is none. */
const unsigned char *qcapint_table_find(const qcap_parser_t *p, const unsigned char *at, const unsigned char *end);

/* parser.c: an event that has a text. */
void qcapint_parser_tell(qcap_parser_t *p, qcap_event_kind_t kind, const char *text, uint64_t begin, uint64_t end);

/* Notes an error that is not the next byte's; the driver reports it when the machine has stopped. The first one counts. */
void qcapint_parser_fail(qcap_parser_t *p, qcap_error_code_t code, unsigned rule, uint64_t at);

/* value.c: puts the bytes of conversions that are under way, up to the end of the piece, into their accumulators, and tells by
 * p->growing, which is QCAP_GROWS_NOTHING, what is to be done with more of them. See note [piece] in parser.c. */
void qcapint_value_put_away(qcap_parser_t *p);

/* value.c: puts bytes into the accumulator that p->growing says. */
void qcapint_value_grow(qcap_parser_t *p, const unsigned char *bytes, size_t len);

/* value.c: no conversion that is under way has all its bytes any more. */
void qcapint_value_lose(qcap_parser_t *p);

/* value.c: takes registers from the stack of saved ones until it has that many words. */
void qcapint_value_restore(qcap_parser_t *p, uint32_t count);

/* value.c: the number in a register, QCAP_SHARED added if it is shared; and register := number. */
qcap_number_t qcapint_value_of(const qcap_parser_t *p, unsigned reg);
void qcapint_value_put(qcap_parser_t *p, unsigned reg, uint64_t value);

/* blocks.c: as qcap_conversation_get(), but what is in it is not known: for what is large, and written before it is read. */
void *qcapint_blocks_get(qcap_conversation_t *c, size_t size);

/* blocks.c: keeps the bytes of the piece that belong, perhaps, to the open stream element; and where such bytes are, from `begin` on,
 * or NULL. */
void qcapint_blocks_keep(qcap_parser_t *p, uint64_t begin, uint64_t end);
const unsigned char *qcapint_blocks_kept(const qcap_parser_t *p, uint64_t begin, uint64_t end);

/* queue.c: takes an entry for the register of the control point, and unsets that if none can come any more. False: the
 * other side may still push, so wait. */
bool qcapint_parser_pop(qcap_parser_t *p, const qcap_control_t *control);

/* parser.c: reads a datagram from `start` on. */
void qcapint_parser_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len);

/* parser.c: what is open ends, in the middle. */
void qcapint_parser_abandon(qcap_parser_t *p);

/* parser.c: a parser that is all zeros begins with `root`. */
void qcapint_parser_init(qcap_conversation_t *c, qcap_parser_t *p, const qcap_root_t *root, bool is_server);

/* parser.c: an event on its way to the handler. */
void qcapint_parser_send(qcap_parser_t *p, const qcap_event_t *event);

/* parser.c: keeps what is needed of a piece that has been fed without a buffer, now that there is one. */
void qcapint_keeper_keep(qcap_keeper_t *k, const qcap_parser_t *p, const unsigned char *piece, size_t len);

/* parser.c: [begin, end) in one piece, or NULL. */
const unsigned char *qcapint_keeper_whole(qcap_keeper_t *k, uint64_t begin, uint64_t end);

/* substream.c: a rule that feeds begins at `at`. */
void qcapint_substream_open(qcap_parser_t *p, unsigned feed, uint64_t at);

/* substream.c: gives bytes, or a hole, to the open sub-stream. */
void qcapint_substream_feed(qcap_parser_t *p, unsigned feed, const unsigned char *bytes, size_t len);
void qcapint_substream_gap(qcap_parser_t *p, unsigned feed, uint64_t len);

/* substream.c: bytes that have been decoded. */
void qcapint_substream_read(qcap_substream_t *s, const unsigned char *bytes, size_t len);

/* substream.c: what comes for it is passed over, up to its end; with an anomaly, or because its parent has failed. */
void qcapint_substream_give_up(qcap_substream_t *s, const char *text);
void qcapint_substream_break(qcap_parser_t *p, unsigned feed);

/* substream.c: ends what this parser has fed: in order, or because nobody knows how it goes on. */
void qcapint_substream_end_all(qcap_parser_t *p, bool is_in_order);

/* substream.c: gives back the memory of other protocols' conversations. */
void qcapint_substream_fini(qcap_conversation_t *c);

/* decoding.c: readies the decoders of a sub-stream; and decodes, for qcapint_substream_read(). */
void qcapint_decoding_begin(qcap_substream_t *s, const qcap_feed_t *feed);
void qcapint_decoding_run(qcap_substream_t *s, const unsigned char *bytes, size_t len);

#endif
