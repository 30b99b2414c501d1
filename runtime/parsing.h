/* parsing.h: what the files of a parser's runtime share; parser.h names them. Generated code does not see it. */
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

static inline uint16_t *side_words(const qcap_parser_t *p)
{
    return behind(p, protocol_of(p)->side.words);
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

static inline uint32_t *side_positions(const qcap_parser_t *p)
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

/* Where QCAP_CONTROL_REFINE goes: a name of which bytes are lost is none of those listed. */
static inline uint16_t refined(const qcap_parser_t *p, const qcap_control_t *control)
{
    uint64_t word = side_underway(p)[control->slot].value;
    return control->targets[word == QCAP_LOST ? 0 : word];
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

/* Where this direction, or sub-stream, begins. */
static inline const qcap_root_t *root_of(const qcap_parser_t *p)
{
    const qcap_protocol_t *protocol = protocol_of(p);
    return p->feed > 0 ? &protocol->feeds[p->feed - 1].root : p->is_server ? &protocol->server : &protocol->client;
}

/* The oldest offset that something may begin at that waits for calls to return; UINT64_MAX: nothing does. */
static inline uint64_t waiting_of(const qcap_parser_t *p)
{
    for (unsigned i = p->frame_count; i-- > 0;)
        if (side_frames(p)[i].after != QCAP_NONE)
            return side_frames(p)[i].left;
    return UINT64_MAX;
}

static inline qcap_parser_t *other_side(const qcap_parser_t *p)
{
    return p->is_server ? qcap_conversation_client(p->conversation) : qcap_conversation_server(p->conversation);
}

static inline uint64_t place(const qcap_parser_t *p, uint16_t where)
{
    if (where & QCAP_PLACE_BACK)
        return here(p) - (where & (QCAP_PLACE_BACK - 1));
    return qcap_position_at(side_positions(p)[where], here(p));
}

/* The next piece needs care. While searching or skipping each does, and that stands in this place: see skip_begin. */
static inline void end_calm(qcap_parser_t *p)
{
    if (!p->is_searching && !p->is_skipping)
        p->calm_end = 0;
}

static inline bool is_accepting(const qcap_parser_t *p)
{
    return (state_of(p)->kind & QCAP_STATE_ACCEPTING) != 0;
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

/* Its end is looked for. */
static inline bool is_watched(const qcap_parser_t *p, unsigned region)
{
    return side_regions(p)[region].watch > 0;
}

/* How the end of a region that is watched is looked for. */
static inline qcap_watch_t *qcapint_watch(const qcap_parser_t *p, unsigned region)
{
    return (qcap_watch_t *)behind(p, protocol_of(p)->side.watches) + side_regions(p)[region].watch - 1;
}

/* Where the region ends; of one that is watched, where the one around it does, until its end is found. */
static inline uint64_t end_of(const qcap_parser_t *p, const qcap_region_t *region)
{
    return region->is_jump ? p->piece_offset + p->datagram_len : region->end;
}

/* The innermost region, if it is one of `at`; else NULL. */
static inline const qcap_region_t *jump_of(const qcap_parser_t *p)
{
    const qcap_region_t *region = p->region_count ? &side_regions(p)[p->region_count - 1] : NULL;
    return region && region->is_jump ? region : NULL;
}

/* ---------------------------------------------------------------- events */

static inline bool is_wanted(const qcap_parser_t *p, unsigned element)
{
    return element < QCAP_FEED && qcap_is_wanted(p, element);
}

/* A slot of a rule that feeds a sub-stream. */
static inline bool is_feed(unsigned element)
{
    return element >= QCAP_FEED && element != QCAP_NONE;
}

/* An event on its way to the handler. */
static inline void send_event(qcap_parser_t *p, const qcap_event_t *event)
{
    if (p->substream)
        qcap_op_send(p, event);
    else
        p->conversation->on_event(p, event, p->conversation->user);
}

/* Field by field, since most are for some kinds of events only: clearing them all takes longer than the rest. */
static inline void send_span(qcap_parser_t *p, qcap_event_kind_t kind, unsigned element, uint64_t begin, uint64_t end,
                             unsigned flags)
{
    qcap_event_t event;
    event.kind = kind;
    event.flags = flags;
    event.element = (uint16_t)element;
    event.begin = begin;
    event.end = end;
    event.bytes = kind == QCAP_EVENT_ELEMENT || kind == QCAP_EVENT_PIECE ? bytes_at(p, begin) : NULL;
    event.value = NULL;
    event.value_len = 0;
    event.text = NULL;
    event.error = NULL;
    send_event(p, &event);
}

/* Where an open element began. */
static inline uint64_t begin_of(const qcap_parser_t *p, const qcap_slot_t *slot)
{
    return qcap_slot_begin(slot, here(p));
}

/* The open stream element, or NULL. There are none inside it. */
static inline qcap_slot_t *open_stream(const qcap_parser_t *p)
{
    return p->stream_depth ? &side_slots(p)[p->stream_depth - 1] : NULL;
}

/* The sub-stream that is fed with the bytes of the open stream element, or of the rule that the slot is; NULL: none. */
static inline const qcap_slot_t *feed_of(const qcap_parser_t *p, const qcap_slot_t *slot)
{
    if (slot && !is_feed(qcap_slot_element(slot)))
        slot = slot > side_slots(p) ? slot - 1 : NULL;
    return slot && is_feed(qcap_slot_element(slot)) ? slot : NULL;
}

/* Whether the next `len` bytes are part of the open stream element, whatever they are. */
static inline bool qcapint_parser_is_passing(const qcap_parser_t *p, size_t len)
{
    return p->growing == QCAP_GROWS_STREAM && p->piece_offset + len < p->calm_end;
}

/* Delivers the open stream element up to `end`, which is behind what has been delivered. */
static inline void deliver_piece(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end)
{
    uint64_t begin = p->streamed;
    p->streamed = end;
    if (is_wanted(p, qcap_slot_element(slot)))
        send_span(p, QCAP_EVENT_PIECE, qcap_slot_element(slot), begin, end, 0);
}

/* ---------------------------------------------------------------- operation.c */

/* An event that has a text. */
void qcapint_parser_tell(qcap_parser_t *p, qcap_event_kind_t kind, const char *text, uint64_t begin, uint64_t end);

/* Delivers the open stream element up to `end`, as far as that has not been done, and feeds with it. */
void qcapint_stream_deliver(qcap_parser_t *p, const qcap_slot_t *slot, uint64_t end);

/* Forgets open elements deeper than `depth`; stream elements end at `at`. */
void qcapint_parser_leave(qcap_parser_t *p, unsigned depth, uint64_t at);

/* What is open ends, in the middle. */
void qcapint_parser_abandon(qcap_parser_t *p);

/* ---------------------------------------------------------------- recovery.c */

/* Notes an error that is not the next byte's; the driver reports it when the machine has stopped. The first one counts. */
void qcapint_parser_fail(qcap_parser_t *p, qcap_error_code_t code, unsigned rule, uint64_t at);

/* The same for the next byte, if there is one before `end`, in the parser's state. */
void qcapint_parser_fail_here(qcap_parser_t *p, qcap_error_code_t code, const unsigned char *end);

/* Reports p->error and forgets it; what was opened inside the region, or at all if that is NULL, is abandoned, and so are
 * values. Returns where it was. */
uint64_t qcapint_recovery_report(qcap_parser_t *p, const qcap_region_t *region);

/* Reports p->error, and finds a way to go on: behind the region, or by a search. */
void qcapint_recovery_run(qcap_parser_t *p);

/* Looks for a place to go on: nothing has been read since `from`; and from where it stands on, having looked in vain. */
void qcapint_recovery_search(qcap_parser_t *p, uint64_t from);
void qcapint_recovery_search_here(qcap_parser_t *p);

/* While searching: is there something that looks like a beginning, and so short that the search may go back to the offset `to` in
 * it? See QCAP_SEARCH_MAX. */
bool qcapint_recovery_may_go_back(const qcap_parser_t *p);
void qcapint_recovery_go_back(qcap_parser_t *p, uint64_t to);

/* Ends a search: reading goes on at `at`. */
void qcapint_recovery_found(qcap_parser_t *p, uint64_t at);

/* ---------------------------------------------------------------- region.c */

/* Control points at which a region begins: LENGTH; CLOSE and UNTIL; AT. */
void qcapint_region_begin_length(qcap_parser_t *p, const qcap_control_t *control);
void qcapint_region_begin_open(qcap_parser_t *p, const qcap_control_t *control);
void qcapint_region_begin_jump(qcap_parser_t *p, const qcap_control_t *control);

/* The innermost region's last byte has been read: its rule must be able to end there. */
void qcapint_region_end(qcap_parser_t *p);

/* What follows an error in a region has been passed over, up to here. */
void qcapint_region_end_skipping(qcap_parser_t *p);

/* Goes on behind the innermost region, which `region` is. */
void qcapint_region_leave(qcap_parser_t *p, const qcap_region_t *region);

/* Passes over what has ended a region; false if not all of it is at hand. */
bool qcapint_region_skip(qcap_parser_t *p, const unsigned char *end);

/* Bytes that nobody reads: a sub-stream misses them. */
void qcapint_region_pass_over(qcap_parser_t *p, uint64_t begin, uint64_t end);

/* ---------------------------------------------------------------- control.c */

/* Passes a control point; false if it has to wait for more input or for the other side. */
bool qcapint_control_pass(qcap_parser_t *p, const qcap_control_t *control, const unsigned char *end);

/* Forgets calls and repeats but for the first `count`. */
void qcapint_control_drop(qcap_parser_t *p, unsigned count);

/* From here on this side speaks another protocol. */
void qcapint_control_become(qcap_parser_t *p);

/* ---------------------------------------------------------------- driver.c */

/* Runs until the input is used up, or something else is needed first. */
void qcapint_driver_run(qcap_parser_t *p, const unsigned char *end);

/* Goes on as it must where no byte follows. */
void qcapint_driver_end(qcap_parser_t *p);

/* Where a machine has left off, tables and machines in turn, until neither goes on. In a state that counts, `end` may be too far. */
qcap_stop_t qcapint_driver_read_on(qcap_parser_t *p, const unsigned char *end);

/* The oldest offset that something undecided may begin at. */
uint64_t qcapint_driver_pending(const qcap_parser_t *p);

/* Up to where bytes belong to the open stream element, whatever follows. */
uint64_t qcapint_driver_stream_end(const qcap_parser_t *p);

/* The outermost open element that is to be delivered whole and has not been yet, or NULL. */
qcap_slot_t *qcapint_driver_element(const qcap_parser_t *p);

/* The offset at which a counter of this state reaches its number; UINT64_MAX: it has none. */
uint64_t qcapint_driver_next_full(const qcap_parser_t *p);

static inline qcap_stop_t run_machine(qcap_parser_t *p, const qcap_state_t *s, const unsigned char *end)
{
    if (s->machine == QCAP_MACHINE_NONE)
        return QCAP_STOP_TABLE;
    qcap_event_t told;
    told.kind = QCAP_EVENT_ELEMENT;
    told.flags = 0;
    told.value = NULL;
    told.value_len = 0;
    told.text = NULL;
    told.error = NULL;
    qcap_event_t *around = p->conversation->told; /* of a parser that feeds this one */
    p->conversation->told = &told;
    qcap_stop_t stop = protocol_of(p)->machines[s->machine](p, p->at, end);
    p->conversation->told = around;
    return stop;
}

/* Machines and tables in turn, until neither goes on; `s` is the parser's state. */
static inline qcap_stop_t read_bytes(qcap_parser_t *p, const qcap_state_t *s, const unsigned char *end)
{
    qcap_stop_t stop = run_machine(p, s, end);
    if (stop != QCAP_STOP_TABLE || (!is_counting(s) && is_counting(state_of(p))))
        return stop;
    return qcapint_driver_read_on(p, end);
}

/* ---------------------------------------------------------------- parser.c */

extern const unsigned char qcapint_no_bytes[1]; /* in place of a piece, where there is none */

/* Reads a datagram from `start` on. */
void qcapint_parser_datagram(qcap_parser_t *p, uint16_t start, const unsigned char *bytes, size_t len);

/* ---------------------------------------------------------------- conversation.c, keeper.c */

/* Begins a direction, or, if `feed` is not 0, the sub-stream of that number, from 1. */
void qcapint_parser_init(qcap_conversation_t *c, qcap_parser_t *p, bool is_server, unsigned feed);

/* Keeps what is needed of a piece that has been fed without a buffer, now that there is one. */
void qcapint_keeper_keep(qcap_keeper_t *k, const qcap_parser_t *p, const unsigned char *piece, size_t len);

/* [begin, end) in one piece, or NULL. */
const unsigned char *qcapint_keeper_whole(qcap_keeper_t *k, uint64_t begin, uint64_t end);

/* ---------------------------------------------------------------- until.c, table.c, value.c, queue.c, blocks.c, substream.c */

/* until.c: the innermost region ends where the text begins that `until` describes. False: a register of it is not set. */
bool qcapint_until_begin(qcap_parser_t *p, const qcap_until_t *until);

/* Looks for the ends of regions, as far as bytes are at hand. */
void qcapint_until_look(qcap_parser_t *p);

/* The offset up to which no byte can belong to what ends a region; UINT64_MAX: none is looked for. */
uint64_t qcapint_until_safe(const qcap_parser_t *p);

/* table.c: the first byte from `at` on that the parser's state, or the one that it enters, reads; `end` if there is none. */
const unsigned char *qcapint_table_find(const qcap_parser_t *p, const unsigned char *at, const unsigned char *end);

/* value.c: puts the bytes of conversions that are under way, up to the end of the piece, into their accumulators, and tells by
 * p->growing, which is QCAP_GROWS_NOTHING, what is to be done with more of them. See note [piece] in parser.c. */
void qcapint_value_put_away(qcap_parser_t *p);

/* value.c: puts bytes into the accumulator that p->growing says. */
void qcapint_value_grow(qcap_parser_t *p, const unsigned char *bytes, size_t len);

/* value.c: no conversion that is under way has all its bytes any more. */
void qcapint_value_lose(qcap_parser_t *p);

/* value.c: takes registers from the stack of saved ones until it has that many words. */
void qcapint_value_restore(qcap_parser_t *p, uint32_t count);

/* value.c: the number in a register, QCAP_SHARED added if it is shared; register := number; and register := unset. */
qcap_number_t qcapint_value_of(const qcap_parser_t *p, unsigned reg);
void qcapint_value_reset(qcap_parser_t *p, unsigned reg);
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

/* substream.c: a rule that feeds begins at `at`. */
void qcapint_substream_open(qcap_parser_t *p, unsigned feed, uint64_t at);

/* substream.c: gives bytes, or a hole, to the open sub-stream. */
bool qcapint_substream_is_read(const qcap_parser_t *p, unsigned feed); /* else its bytes are passed over */
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

/* decoding.c: readies the decoders of a sub-stream; those with a key again, where it is fed once more; and decodes, for
 * qcapint_substream_read(). */
void qcapint_decoding_begin(qcap_substream_t *s, const qcap_feed_t *feed);
void qcapint_decoding_rekey(qcap_substream_t *s);
void qcapint_decoding_run(qcap_substream_t *s, const unsigned char *bytes, size_t len);
bool qcapint_decoding_is_cut(const qcap_substream_t *s); /* what was encoded goes on, if that were all */

#endif
