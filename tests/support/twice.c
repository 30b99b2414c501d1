/* twice.c: one input, two runs, one hash for each side of each run. */
#include "twice.h"

#include "decoders.h"
#include "subjects.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 256 /* of an element: small, so that truncation happens */
#define AHEAD_MAX 256 /* at least what any parser looks at ahead */
#define WAITING_MAX 65536
#define LEVELS 4 /* of streams in one another that are told apart */

/* One direction of a run. */
typedef struct side {
    qcap_parser_t *parser;
    qcap_keeper_t keeper;
    unsigned char buffer[LIMIT + AHEAD_MAX]; /* the keeper's */
    unsigned char waiting[WAITING_MAX]; /* bytes not taken yet */
    size_t waiting_len;
    uint64_t hash;   /* of all events so far */
    uint64_t events; /* how many */
    bool has_hole;   /* bytes were missing */
} side_t;

typedef struct run {
    qcap_conversation_t *conversation;
    side_t sides[2]; /* client, server */
    side_t subs[LEVELS][2]; /* what they feed, what that feeds, ...: only the hash and has_hole mean something */
} run_t;

/* ---------------------------------------------------------------- hashing */

static void add_number(side_t *side, uint64_t number)
{
    side->hash = (side->hash ^ number) * 0x9e3779b97f4a7c15u;
    side->hash ^= side->hash >> 29;
}

static void add_text(side_t *side, const char *text)
{
    for (; text && *text; text++)
        add_number(side, (unsigned char)*text);
}

/* Byte by byte, so that it does not matter how many pieces there are. */
static void add_piece(side_t *side, const qcap_event_t *event)
{
    for (uint64_t at = event->begin; at < event->end; at++) {
        add_number(side, at);
        add_number(side, event->bytes[at - event->begin]);
    }
}

/* An element has its text, but for one around a hole. */
static void add_element(side_t *side, const qcap_event_t *event)
{
    unsigned char text[LIMIT];
    size_t len = (size_t)(event->end - event->begin);
    if (len > sizeof text)
        abort();
    if (qcap_keeper_copy(&side->keeper, event->begin, event->end, text) != len) {
        if (!side->has_hole)
            abort();
        return;
    }
    if (event->bytes && memcmp(event->bytes, text, len) != 0)
        abort();
    for (size_t i = 0; i < len; i++)
        add_number(side, text[i]);
}

/* The value of a joined element, or the bytes of a sub-stream's: they are at hand, but for one around a hole. */
static void add_value(side_t *side, const qcap_event_t *event)
{
    const unsigned char *bytes = event->value ? event->value : event->bytes;
    size_t len = event->value ? event->value_len : (size_t)(event->end - event->begin);
    if (!bytes && len > 0 && !side->has_hole)
        abort();
    for (size_t i = 0; i < len && bytes; i++)
        add_number(side, bytes[i]);
}

/* How deep what the event is about lies in streams: what goes wrong in one that is fed is told by who feeds it. */
static unsigned level_of(const qcap_parser_t *parser, const qcap_event_t *event)
{
    unsigned level = event->flags & QCAP_EVENT_FED ? 1 : 0;
    while ((parser = qcap_parser_parent(parser)) != NULL)
        level++;
    return level < LEVELS ? level : LEVELS;
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    run_t *run = user;
    bool is_sub = qcap_parser_parent(parser) != NULL;
    unsigned level = level_of(parser, event);
    side_t *side = &(level > 0 ? run->subs[level - 1] : run->sides)[qcap_parser_is_server(parser)];
    side->events++;
    if (event->begin > event->end)
        abort();
    if (event->kind == QCAP_EVENT_PIECE) {
        add_piece(side, event);
        return;
    }
    add_number(side, event->kind);
    add_number(side, event->element);
    add_number(side, event->flags);
    add_number(side, event->begin);
    add_number(side, event->end);
    if (is_sub) {
        add_number(side, event->outer_begin);
        add_number(side, event->outer_end);
    }
    add_text(side, event->text);
    if (event->kind == QCAP_EVENT_ELEMENT && (is_sub || event->value))
        add_value(side, event);
    else if (event->kind == QCAP_EVENT_ELEMENT)
        add_element(side, event);
    if (event->kind == QCAP_EVENT_ERROR) {
        add_number(side, event->error->code);
        add_number(side, event->error->offset);
        add_number(side, (uint64_t)event->error->byte);
    }
}

/* ---------------------------------------------------------------- running */

/* Offers a side what waits for it, from an allocation of its own so that a read behind it is seen. True if it moved. */
static bool offer(side_t *side)
{
    uint64_t events = side->events;
    unsigned char *piece = malloc(side->waiting_len ? side->waiting_len : 1);
    if (!piece)
        return false;
    memcpy(piece, side->waiting, side->waiting_len);
    size_t taken = qcap_keeper_feed(&side->keeper, side->parser, piece, side->waiting_len);
    free(piece);
    if (taken > side->waiting_len)
        abort();
    side->waiting_len -= taken;
    memmove(side->waiting, side->waiting + taken, side->waiting_len);
    return taken > 0 || side->events > events;
}

static void offer_both(run_t *run)
{
    while (offer(&run->sides[0]) || offer(&run->sides[1]))
        ;
}

static void feed(side_t *side, const uint8_t *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t some = len < piece ? len : piece;
        if (some > WAITING_MAX - side->waiting_len)
            return;
        memcpy(side->waiting + side->waiting_len, bytes, some);
        side->waiting_len += some;
        offer(side);
        bytes += some;
        len -= some;
    }
}

/* Does what one record says, `len` bytes behind its two being at hand. Returns how many of them belong to it. */
static size_t do_record(run_t *run, const uint8_t *record, size_t len, bool is_cut)
{
    side_t *side = &run->sides[record[0] & 1];
    unsigned detail = record[0] >> 3, number = record[1];
    switch (record[0] >> 1 & 3) {
    case 2:
        side->waiting_len = 0;
        side->has_hole |= number > 0;
        for (int i = 0; i < 2 * LEVELS; i++) /* another protocol reads as its client does, whoever feeds it */
            run->subs[i / 2][i % 2].has_hole |= number > 0;
        qcap_parser_gap(side->parser, (uint64_t)number << detail);
        len = 0;
        break;
    case 3:
        side->waiting_len = 0;
        qcap_parser_finish(side->parser);
        len = 0;
        break;
    default:
        len = len < number ? len : number;
        feed(side, record + 2, len, is_cut ? 1 + detail : len);
        break;
    }
    offer_both(run);
    return len;
}

static void *get_memory(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return calloc(1, size);
    free(block);
    return NULL;
}

/* NULL if memory is out. */
static run_t *run_new(const qcap_protocol_t *protocol)
{
    run_t *run = calloc(1, sizeof *run);
    if (!run || !(run->conversation = calloc(1, protocol->size))) {
        free(run);
        return NULL;
    }
    qcap_conversation_init(run->conversation, protocol, on_event, run);
    qcap_conversation_set_memory(run->conversation, get_memory);
    qcap_conversation_set_decoders(run->conversation, qcap_decoders);
    qcap_conversation_set_find(run->conversation, subject_find);
    qcap_conversation_set_limit(run->conversation, LIMIT);
    run->sides[0].parser = qcap_conversation_client(run->conversation);
    run->sides[1].parser = qcap_conversation_server(run->conversation);
    size_t size = qcap_keeper_size(run->conversation);
    if (size > sizeof run->sides[0].buffer)
        abort();
    for (int i = 0; i < 2; i++)
        qcap_keeper_init(&run->sides[i].keeper, run->sides[i].buffer, size);
    return run;
}

static void run_once(const qcap_protocol_t *protocol, const uint8_t *bytes, size_t len, bool is_cut, uint64_t hashes[2])
{
    run_t *run = run_new(protocol);
    if (!run)
        return;

    for (size_t at = 0; at + 2 <= len;)
        at += 2 + do_record(run, bytes + at, len - at - 2, is_cut);
    for (int i = 0; i < 2; i++) {
        add_number(&run->sides[i], qcap_parser_offset(run->sides[i].parser));
        add_number(&run->sides[i], qcap_parser_status(run->sides[i].parser));
        for (int level = 0; level < LEVELS; level++)
            add_number(&run->sides[i], run->subs[level][i].hash);
        hashes[i] = run->sides[i].hash;
    }
    qcap_conversation_fini(run->conversation);
    free(run->conversation);
    free(run);
}

void twice(const qcap_protocol_t *protocol, const uint8_t *bytes, size_t len)
{
    uint64_t whole[2] = {0, 0}, cut[2] = {0, 0};
    run_once(protocol, bytes, len, false, whole);
    run_once(protocol, bytes, len, true, cut);
    if (whole[0] != cut[0] || whole[1] != cut[1])
        abort();
}
