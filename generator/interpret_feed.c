/* interpret_feed.c: sub-streams: what rules feed, decoded perhaps, and who reads it.
 *
 * A sub-stream is read by a side of its own: of this interpreter, with a rule as its root, or another protocol's client.
 * Bytes are handed over where the rule that feeds has ended, or no more are at hand. What is encoded is decoded anew
 * from its beginning each time: what is new of it is handed over. */
#include "interpreter.h"

#include <string.h>

#define SEGMENTS 8u          /* feeds whose places in the parent are known to the byte */
#define DATAGRAM_MAX 65535u  /* bytes of one that is gathered */
#define NESTING 16u          /* streams in one another */

static sub_t *sub_of(const side_t *side, const feed_kind_t *kind)
{
    return &side->subs[kind->index];
}

/* ---------------------------------------------------------------- where bytes were */

uint64_t feed_outer(const sub_t *sub, uint64_t offset)
{
    size_t i = sub->segments.count, first = i > SEGMENTS ? i - SEGMENTS : 0;
    const segment_t *segment;
    if (i == 0)
        return 0;
    do
        segment = &sub->segments.items[--i];
    while (i > first && segment->begin > offset);
    bool is_exact = sub->decoders.count == 0 && offset >= segment->begin;
    return segment->outer + (is_exact ? offset - segment->begin : 0);
}

static void give_up(sub_t *sub, const char *text)
{
    uint64_t at = sub->segments.items[sub->segments.count - 1].outer;
    effect_send(sub->parent, (interpret_event_t){
                                 .kind = INTERPRET_ANOMALY, .is_fed = true, .text = text, .begin = at, .end = at});
    sub->is_broken = true;
}

/* ---------------------------------------------------------------- opening */

static void open_rule(sub_t *sub)
{
    side_t *side = sub->parent;
    interpret_t *it = side->owner;
    if (!sub->own) {
        sub->own = ARENA_NEW(it->arena, side_t);
        vec_push(it->arena, &it->readers, sub->own);
    }
    drive_init(it, sub->own, sub->kind->root, side->is_server);
    sub->reader = sub->own;
    for (size_t i = 0; i < it->grammar->registers.count; i++)
        sub->reader->registers[i] = side->registers[i];
    sub->start = sub->reader->start;
}

/* In how many streams that of the side lies. */
static unsigned nesting(const side_t *side)
{
    unsigned count = 0;
    for (; side->sub; side = side->sub->parent)
        count++;
    return count;
}

/* Another protocol reads as its client does; one that has only datagrams, a datagram. */
static void open_protocol(sub_t *sub)
{
    interpret_t *it = sub->parent->owner;
    const grammar_t *grammar = it->find ? it->find(sub->kind->protocol, it->user) : NULL;
    sub->reader = NULL;
    if (grammar && nesting(sub->parent) >= NESTING) {
        give_up(sub, "substream-depth");
        return;
    }
    sub->is_datagram |= grammar && !grammar->client;
    if (!grammar || !(sub->is_datagram ? grammar->datagram : grammar->client)) {
        give_up(sub, "substream-unknown");
        return;
    }
    interpret_t *other = interpret_new(grammar, it->on_event, it->user);
    vec_push(it->arena, &it->others, other);
    other->find = it->find;
    other->decode = it->decode;
    other->limit = it->limit;
    sub->reader = &other->sides[0];
    sub->start = sub->is_datagram ? sub->reader->datagram : sub->reader->start;
}

/* The text of a register, or its number: four bytes, the highest first. */
static void read_key(const sub_t *sub, decoder_t *decoder)
{
    const side_t *side = sub->parent;
    arena_t *arena = side->owner->arena;
    decoder_key_t key = {.begin = decoder->given.len};
    number_t n = decoder->reg ? effect_value(side, decoder->reg) : number_unset();
    bool is_set = n.state == NUMBER_SET && !n.is_cut;
    for (size_t i = 0; i < 4 && is_set && !n.bytes; i++)
        vec_push(arena, &key.bytes, (unsigned char)(n.value >> (24 - 8 * i)));
    for (size_t i = 0; i < n.value && is_set && n.bytes; i++)
        vec_push(arena, &key.bytes, n.bytes[i]);
    vec_push(arena, &decoder->keys, key);
}

static bool is_known(const interpret_t *it, const char *name)
{
    const interpret_coded_t nothing = {"", 0};
    text_t none;
    text_init(&none, it->arena);
    return name && it->decode && it->decode(name, NULL, 0, &nothing, 1, &none, it->user) != INTERPRET_DECODER_UNKNOWN;
}

/* By a register that is not set: nothing is encoded. By one that has none of its keywords: in a way nobody knows. */
static void open_decoders(sub_t *sub)
{
    side_t *side = sub->parent;
    for (size_t i = 0; i < sub->kind->decoders.count && !sub->is_broken; i++) {
        const note_t *note = sub->kind->decoders.items[i];
        number_t n = note->name ? number_unset() : effect_value(side, note->reg);
        decoder_t decoder = {.name = note->name, .reg = note->name ? note->reg : NULL, .given = {"", 0}};
        if (!note->name && n.state != NUMBER_SET)
            continue;
        if (!note->name && n.value > 0)
            decoder.name = note->reg->keywords.items[n.value - 1];
        read_key(sub, &decoder);
        if (is_known(side->owner, decoder.name))
            vec_push(side->owner->arena, &sub->decoders, decoder);
        else
            give_up(sub, "decoder-unknown");
    }
}

/* A decoder may need what it was given before; another one at its place does not. */
static void keep_past(sub_t *sub)
{
    arena_t *arena = sub->parent->owner->arena;
    for (size_t i = 0; i < sub->decoders.count; i++) {
        const decoder_t *decoder = &sub->decoders.items[i];
        if (i == sub->pasts.count)
            vec_push(arena, &sub->pasts, ((decoder_past_t){.name = decoder->name}));
        decoder_past_t *past = &sub->pasts.items[i];
        if (strcmp(past->name, decoder->name) != 0)
            *past = (decoder_past_t){.name = decoder->name};
        vec_push(arena, &past->streams, decoder->given);
    }
}

static void open(side_t *side, const feed_kind_t *kind, uint64_t at)
{
    sub_t *sub = sub_of(side, kind);
    if (sub->parent)
        keep_past(sub);
    *sub = (sub_t){.kind = kind, .parent = side, .own = sub->own, .pasts = sub->pasts, .is_open = true,
                   .is_datagram = kind->is_datagram};
    vec_push(side->owner->arena, &sub->segments, ((segment_t){0, at}));
    if (kind->rule)
        open_rule(sub);
    else
        open_protocol(sub);
    if (sub->reader)
        sub->reader->sub = sub;
    if (!sub->is_broken)
        open_decoders(sub);
}

void feed_open(side_t *side, const feed_kind_t *kind, uint64_t at)
{
    sub_t *sub = sub_of(side, kind);
    if (!sub->is_open) {
        open(side, kind, at);
        return;
    }
    if (sub->reader)
        vec_push(side->owner->arena, &sub->segments,
                 ((segment_t){sub->reader->bytes.count + sub->datagram.count, at}));
    for (size_t i = 0; i < sub->decoders.count; i++)
        if (sub->decoders.items[i].reg)
            read_key(sub, &sub->decoders.items[i]);
}

/* ---------------------------------------------------------------- reading */

static void read(sub_t *sub, const unsigned char *bytes, size_t len)
{
    if (sub->is_broken || len == 0)
        return;
    if (!sub->is_datagram) {
        for (size_t taken = 1; len > 0 && taken > 0; bytes += taken, len -= taken)
            taken = drive_feed(sub->reader, bytes, len);
    } else if (len > DATAGRAM_MAX - sub->datagram.count) {
        give_up(sub, "datagram-too-long");
    } else {
        for (size_t i = 0; i < len; i++)
            vec_push(sub->parent->owner->arena, &sub->datagram, bytes[i]);
    }
}

/* Decodes all that one decoder is given: anew from each place where it has another key. */
static bool decode_by(sub_t *sub, size_t at, text_t *out)
{
    const interpret_t *it = sub->parent->owner;
    const decoder_t *decoder = &sub->decoders.items[at];
    VEC(interpret_coded_t) streams = {0};
    bool is_right = true;
    bool has_past = at < sub->pasts.count && strcmp(sub->pasts.items[at].name, decoder->name) == 0;
    for (size_t i = 0; has_past && i < sub->pasts.items[at].streams.count; i++)
        vec_push(it->arena, &streams, sub->pasts.items[at].streams.items[i]);
    for (size_t i = 0; i < decoder->keys.count; i++) {
        const decoder_key_t *key = &decoder->keys.items[i];
        size_t end = i + 1 < decoder->keys.count ? key[1].begin : decoder->given.len;
        vec_push(it->arena, &streams, ((interpret_coded_t){decoder->given.bytes + key->begin, end - key->begin}));
        interpret_decoded_t decoded = it->decode(decoder->name, key->bytes.items, key->bytes.count, streams.items, streams.count, out,
                                                 it->user);
        is_right &= decoded != INTERPRET_DECODED_WRONG;
        sub->is_cut |= decoded == INTERPRET_DECODED_CUT;
    }
    return is_right;
}

/* Decodes all there is; false where that cannot be, behind what could. */
static bool decode(sub_t *sub, text_t *text)
{
    bool is_right = true;
    sub->is_cut = false;
    text_append(text, (const char *)sub->encoded.items, sub->encoded.count);
    for (size_t i = 0; i < sub->decoders.count; i++) {
        text_t decoded;
        text_init(&decoded, sub->parent->owner->arena);
        sub->decoders.items[i].given = (interpret_coded_t){text->bytes, text->len};
        is_right &= decode_by(sub, i, &decoded);
        *text = decoded;
    }
    return is_right;
}

static void feed(sub_t *sub, const unsigned char *bytes, size_t len)
{
    interpret_t *it = sub->parent->owner;
    if (!sub->is_open || sub->is_broken || len == 0)
        return;
    if (sub->decoders.count == 0) {
        read(sub, bytes, len);
        return;
    }
    text_t text;
    text_init(&text, it->arena);
    for (size_t i = 0; i < len; i++)
        vec_push(it->arena, &sub->encoded, bytes[i]);
    bool is_right = decode(sub, &text);
    size_t before = sub->decoded < text.len ? sub->decoded : text.len;
    sub->decoded = text.len;
    read(sub, (const unsigned char *)text.bytes + before, text.len - before);
    if (!is_right && !sub->is_broken)
        give_up(sub, "decode-error");
}

/* The innermost open rule that feeds; NULL: none does. */
static sub_t *open_feed(const side_t *side)
{
    for (size_t i = side->slots.count; i-- > 0;)
        if (side->slots.items[i].feed)
            return sub_of(side, side->slots.items[i].feed);
    return NULL;
}

void feed_up_to(side_t *side, uint64_t end)
{
    sub_t *sub = open_feed(side);
    if (!sub || end <= side->streamed)
        return;
    uint64_t begin = side->streamed;
    side->streamed = end;
    side->owner->nested++;
    feed(sub, side->bytes.items + begin, (size_t)(end - begin));
    side->owner->nested--;
}

void feed_certain(side_t *side)
{
    uint64_t end = side->offset;
    for (size_t i = 0; i < side->readings.count && !side->is_entry; i++) {
        const deeds_t *deeds = &side->readings.items[i].deeds;
        for (size_t k = 0; k < deeds->count; k++)
            if (deeds->items[k].effect->kind == EFFECT_FEED_CLOSE && deeds->items[k].at < end)
                end = deeds->items[k].at;
    }
    if (!side->is_skipping && !side->has_failed && !side->has_become)
        feed_up_to(side, end);
}

void feed_gap(side_t *side, uint64_t begin, uint64_t end)
{
    sub_t *sub = open_feed(side);
    if (!sub || end <= begin)
        return;
    feed_up_to(side, begin);
    side->streamed = end;
    if (!sub->is_open || sub->is_broken)
        return;
    side->owner->nested++;
    if (sub->decoders.count > 0 || sub->is_datagram)
        give_up(sub, "substream-gap");
    else
        drive_gap(sub->reader, end - begin);
    side->owner->nested--;
}

/* ---------------------------------------------------------------- ending */

static void abandon(side_t *reader)
{
    if (reader->is_skipping)
        region_end_skipping(reader);
    effect_abandon(reader, 0, reader->offset);
    feed_end_all(reader, false);
}

bool feed_is_in_excerpt(const sub_t *sub)
{
    while (sub && !sub->kind->is_excerpt)
        sub = sub->parent->sub;
    return sub != NULL;
}

/* In order: what it has read is complete. */
static void end(sub_t *sub, bool is_in_order)
{
    if (is_in_order && !sub->is_broken && sub->is_cut && !feed_is_in_excerpt(sub))
        give_up(sub, "decode-cut");
    bool is_read = !sub->is_broken && is_in_order;
    sub->parent->owner->nested++;
    if (is_read && sub->is_datagram)
        drive_datagram(sub->reader, sub->start, sub->datagram.items, sub->datagram.count);
    else if (is_read)
        drive_finish(sub->reader);
    else if (sub->reader)
        abandon(sub->reader);
    sub->parent->owner->nested--;
    sub->is_open = false;
}

void feed_finish(side_t *side, const feed_kind_t *kind)
{
    if (sub_of(side, kind)->is_open)
        end(sub_of(side, kind), true);
}

void feed_end_all(side_t *side, bool is_in_order)
{
    for (size_t i = 0; i < side->owner->walk->feeds.count; i++)
        if (side->subs[i].is_open)
            end(&side->subs[i], is_in_order);
}

void feed_break(side_t *side, const feed_kind_t *kind)
{
    sub_t *sub = sub_of(side, kind);
    if (sub->reader && !sub->is_broken)
        abandon(sub->reader);
    sub->is_broken = true;
}
