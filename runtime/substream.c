/* substream.c: streams inside a stream: what rules feed, and who reads it.
 *
 * A sub-stream is read by a parser of its own: one that lies in the parent's block, with a rule as its root, or another
 * protocol's client. It opens when it is fed first, and ends where the spec says. Its parser is run where the parent's
 * stands: so events come in order, and there is nothing to wait for.
 *
 * note [kept]: an element of a sub-stream may lie in several pieces, and between them anything: the caller could not say where its
 * bytes are, and decoded bytes are nowhere but here. So what is needed again is kept here. */
#include "parsing.h"

#include <string.h>

static unsigned sub_index(const qcap_parser_t *p, unsigned feed)
{
    return (p->is_server ? protocol_of(p)->feed_count : 0u) + feed;
}

static qcap_parser_t **place_of(const qcap_parser_t *p, unsigned feed)
{
    return (qcap_parser_t **)(void *)((unsigned char *)p->conversation + protocol_of(p)->subs) + sub_index(p, feed);
}

/* NULL: it was never open, or there is no memory for it. */
static qcap_substream_t *substream(const qcap_parser_t *p, unsigned feed)
{
    qcap_parser_t *parser = *place_of(p, feed);
    return parser ? (qcap_substream_t *)(void *)((unsigned char *)parser + protocol_of(p)->sub_state) : NULL;
}

/* An anomaly of what feeds. */
static void tell(qcap_parser_t *p, const char *text, uint64_t at)
{
    const qcap_event_t anomaly = {.kind = QCAP_EVENT_ANOMALY, .flags = QCAP_EVENT_FED, .element = QCAP_NONE, .begin = at,
                                  .end = at, .text = text};
    send_event(p, &anomaly);
}

void qcapint_substream_give_up(qcap_substream_t *s, const char *text)
{
    tell(s->parent, text, s->segments[(s->segment_count - 1) % QCAP_SEGMENTS].outer);
    s->is_broken = true;
}

/* ---------------------------------------------------------------- where bytes were */

static void add_segment(qcap_substream_t *s, uint64_t begin, uint64_t outer)
{
    s->segments[s->segment_count++ % QCAP_SEGMENTS] = (qcap_segment_of_t){.begin = begin, .outer = outer};
}

/* Where in the parent the byte at `offset` was. Of decoded bytes, the feed is known; of those too long ago, the oldest one. */
static uint64_t outer_of(const qcap_substream_t *s, uint64_t offset)
{
    uint32_t first = s->segment_count > QCAP_SEGMENTS ? s->segment_count - QCAP_SEGMENTS : 0, i = s->segment_count;
    const qcap_segment_of_t *segment;
    if (i == 0)
        return 0;
    do
        segment = &s->segments[--i % QCAP_SEGMENTS];
    while (i > first && segment->begin > offset);
    bool is_exact = s->decoder_count == 0 && offset >= segment->begin;
    return segment->outer + (is_exact ? offset - segment->begin : 0);
}

/* ---------------------------------------------------------------- opening */

/* The reader sees the parent's registers as they are now; what it sets is its own. */
static void copy_registers(qcap_parser_t *to, const qcap_parser_t *from)
{
    const qcap_protocol_t *protocol = protocol_of(from);
    uint32_t text = protocol->register_texts[0].offset;
    to->set = from->set;
    memcpy(side_registers(to), side_registers(from),
           (size_t)(protocol->register_count - protocol->word_count) * sizeof(qcap_register_t));
    memcpy(side_words(to), side_words(from), protocol->word_count * sizeof *side_words(to));
    memcpy(side_text(to) + text, side_text(from) + text, protocol->joined_text - text);
}

/* A parser of this protocol that begins with the rule. */
static void open_rule(qcap_parser_t *p, qcap_substream_t *s, unsigned feed)
{
    qcap_parser_t *reader = *place_of(p, feed);
    qcap_undecided_t *undecided = reader->undecided;
    qcapint_parser_init(p->conversation, reader, p->is_server, feed + 1);
    reader->undecided = undecided; /* this memory serves again */
    copy_registers(reader, p);
    s->reader = reader;
    s->datagram_start = root_of(reader)->start;
}

/* Forgets another protocol's conversation; its block stays if it serves for the next one, of `protocol`. */
static void close_other(qcap_substream_t *s, const qcap_protocol_t *protocol)
{
    if (!s->other)
        return;
    qcap_conversation_fini(s->other);
    if (s->other->protocol == protocol)
        return;
    qcap_conversation_put(s->parent->conversation, s->other);
    s->other = NULL;
}

const uint64_t qcap_nothing[1] = {0};

/* In how many streams that of the parser lies. Each level is a call inside the one before: their number has a bound. */
static unsigned nesting(const qcap_parser_t *p)
{
    unsigned count = 0;
    for (; p->substream; p = p->substream->parent)
        count++;
    return count;
}

/* Another protocol reads as its client does; one that has only datagrams, a datagram. */
static void open_protocol(qcap_parser_t *p, qcap_substream_t *s, const char *name)
{
    qcap_conversation_t *c = p->conversation;
    const uint64_t *wanted = NULL;
    const qcap_protocol_t *protocol = c->find ? c->find(name, &wanted, c->user) : NULL;
    s->reader = NULL;
    if (protocol && wanted == qcap_nothing) {
        s->is_broken = true;
        return;
    }
    if (!protocol || nesting(p) >= QCAP_NESTING) {
        qcapint_substream_give_up(s, protocol ? "substream-depth" : "substream-unknown");
        return;
    }
    s->is_datagram |= protocol->client.start == QCAP_NONE;
    uint16_t start = s->is_datagram ? protocol->datagram : protocol->client.start;
    if (start == QCAP_NONE) {
        qcapint_substream_give_up(s, "substream-unknown");
        return;
    }
    close_other(s, protocol);
    if (!s->other)
        s->other = qcapint_blocks_get(c, protocol->size);
    if (!s->other) {
        qcapint_substream_give_up(s, "substream-memory");
        return;
    }
    qcap_conversation_init(s->other, protocol, c->on_event, c->user);
    s->other->memory = c->memory;
    s->other->find = c->find;
    s->other->decoders = c->decoders;
    s->other->limit = c->limit;
    s->other->decoded_size = c->decoded_size;
    s->other->decoded_ratio = c->decoded_ratio;
    qcap_conversation_set_wanted(s->other, wanted);
    s->reader = qcap_conversation_client(s->other);
    s->datagram_start = start;
}

/* Elements need room where they are kept; see note [kept]. False if there is none. */
static bool make_room(qcap_substream_t *s)
{
    size_t size = qcap_keeper_size(s->reader->conversation);
    if (!s->keeper.buffer && (s->keeper.buffer = qcapint_blocks_get(s->parent->conversation, size)) != NULL)
        s->keeper.size = size;
    return s->keeper.size > 0;
}

/* The room that another reader was given serves this one, if it is large enough. */
static void renew_room(qcap_substream_t *s)
{
    unsigned char *buffer = s->keeper.buffer;
    size_t size = s->keeper.size;
    if (buffer && size < qcap_keeper_size(s->reader->conversation)) {
        qcap_conversation_put(s->parent->conversation, buffer);
        buffer = NULL;
        size = 0;
    }
    qcap_keeper_init(&s->keeper, buffer, size);
}

static void open(qcap_parser_t *p, qcap_substream_t *s, unsigned feed, uint64_t at)
{
    const qcap_feed_t *f = &protocol_of(p)->feeds[feed];
    s->is_open = true;
    s->is_broken = false;
    s->parent = p;
    s->is_datagram = f->is_datagram;
    s->is_excerpt = f->is_excerpt;
    s->segment_count = s->datagram_len = 0;
    s->decoder_count = 0;
    add_segment(s, 0, at);
    if (f->protocol)
        open_protocol(p, s, f->protocol);
    else
        open_rule(p, s, feed);
    if (s->reader)
        s->reader->substream = s;
    if (s->reader && !s->is_broken)
        renew_room(s);
    if (!s->is_broken)
        qcapint_decoding_begin(s, f);
}

/* ---------------------------------------------------------------- reading */

/* Bytes for a datagram are gathered until it is complete. */
static void gather(qcap_substream_t *s, const unsigned char *bytes, size_t len)
{
    if (!s->datagram)
        s->datagram = qcapint_blocks_get(s->parent->conversation, QCAP_DATAGRAM_MAX);
    if (!s->datagram) {
        qcapint_substream_give_up(s, "substream-memory");
    } else if (len > QCAP_DATAGRAM_MAX - s->datagram_len) {
        qcapint_substream_give_up(s, "datagram-too-long");
    } else {
        memcpy(s->datagram + s->datagram_len, bytes, len);
        s->datagram_len += (uint32_t)len;
    }
}

/* A reader that stops has been paused, which its parent heeds, or takes no more. */
static void read(qcap_substream_t *s, const unsigned char *bytes, size_t len)
{
    for (size_t taken = 1; len > 0 && taken > 0; bytes += taken, len -= taken) {
        taken = qcap_keeper_feed(&s->keeper, s->reader, bytes, len);
        s->parent->is_paused |= s->reader->is_paused;
        if (s->keeper.size == 0 && qcap_parser_held(s->reader) < qcap_parser_offset(s->reader)) {
            if (!make_room(s)) {
                qcapint_substream_give_up(s, "substream-memory");
                return;
            }
            qcapint_keeper_keep(&s->keeper, s->reader, bytes, taken);
        }
    }
}

void qcapint_substream_read(qcap_substream_t *s, const unsigned char *bytes, size_t len)
{
    if (s->is_broken || len == 0)
        return;
    if (s->is_datagram)
        gather(s, bytes, len);
    else
        read(s, bytes, len);
}

bool qcapint_substream_is_read(const qcap_parser_t *p, unsigned feed)
{
    const qcap_substream_t *s = substream(p, feed);
    return s && !s->is_broken;
}

void qcapint_substream_feed(qcap_parser_t *p, unsigned feed, const unsigned char *bytes, size_t len)
{
    qcap_substream_t *s = substream(p, feed);
    if (!s || !s->is_open || s->is_broken || len == 0) /* what is left behind an error may come when all has ended */
        return;
    if (s->decoder_count > 0)
        qcapint_decoding_run(s, bytes, len);
    else
        qcapint_substream_read(s, bytes, len);
}

void qcapint_substream_gap(qcap_parser_t *p, unsigned feed, uint64_t len)
{
    qcap_substream_t *s = substream(p, feed);
    if (!s || !s->is_open || s->is_broken)
        return;
    if (s->decoder_count > 0 || s->is_datagram)
        qcapint_substream_give_up(s, "substream-gap");
    else
        qcap_parser_gap(s->reader, len);
}

/* ---------------------------------------------------------------- ending */

/* Whether it may end anywhere: it is an excerpt, or lies in one. */
static bool is_in_excerpt(const qcap_substream_t *s)
{
    while (s && !s->is_excerpt)
        s = s->parent->substream;
    return s != NULL;
}

/* In order: what it has read is complete. */
static void end(qcap_substream_t *s, bool is_in_order)
{
    if (is_in_order && !s->is_broken && !is_in_excerpt(s) && qcapint_decoding_is_cut(s))
        qcapint_substream_give_up(s, "decode-cut");
    bool is_read = !s->is_broken && is_in_order;
    if (is_read && s->is_datagram)
        qcapint_parser_datagram(s->reader, s->datagram_start, s->datagram, s->datagram_len);
    else if (is_read)
        qcap_parser_finish(s->reader);
    else if (s->reader)
        qcapint_parser_abandon(s->reader);
    s->is_open = false;
}

void qcap_op_finish(qcap_parser_t *p, unsigned feed, uint64_t at)
{
    (void)at;
    qcap_substream_t *s = substream(p, feed);
    if (!p->has_error && s && s->is_open && s->parent == p)
        end(s, true);
}

void qcapint_substream_end_all(qcap_parser_t *p, bool is_in_order)
{
    for (unsigned i = 0; i < protocol_of(p)->feed_count; i++) {
        qcap_substream_t *s = substream(p, i);
        if (s && s->is_open && s->parent == p)
            end(s, is_in_order);
    }
}

void qcapint_substream_break(qcap_parser_t *p, unsigned feed)
{
    qcap_substream_t *s = substream(p, feed);
    if (s && s->reader && !s->is_broken)
        qcapint_parser_abandon(s->reader);
    if (s)
        s->is_broken = true;
}

void qcapint_substream_fini(qcap_conversation_t *c)
{
    for (int side = 0; side < 2; side++)
        for (unsigned i = 0; i < c->protocol->feed_count; i++) {
            qcap_substream_t *s = substream(side ? qcap_conversation_server(c) : qcap_conversation_client(c), i);
            if (s && s->other)
                qcap_conversation_fini(s->other);
            if (s)
                s->other = NULL;
        }
}

/* ---------------------------------------------------------------- feeds */

/* What a sub-stream needs is the conversation's from its first feed on. */
static qcap_substream_t *get(const qcap_parser_t *p, unsigned feed)
{
    qcap_parser_t **place = place_of(p, feed);
    if (*place)
        return substream(p, feed);
    *place = qcapint_blocks_get(p->conversation, protocol_of(p)->sub_size);
    if (*place) { /* the rest is not looked at before it is written */
        memset(*place, 0, sizeof **place);
        memset(substream(p, feed), 0, sizeof(qcap_substream_t));
    }
    return substream(p, feed);
}

/* Does nobody want anything of the protocol that reads it? */
static bool is_unwanted(const qcap_parser_t *p, unsigned feed)
{
    const qcap_conversation_t *c = p->conversation;
    const char *name = protocol_of(p)->feeds[feed].protocol;
    const uint64_t *wanted = NULL;
    return name && c->find && c->find(name, &wanted, c->user) && wanted == qcap_nothing;
}

/* What was never read takes no memory as long as it is unwanted. */
void qcapint_substream_open(qcap_parser_t *p, unsigned feed, uint64_t at)
{
    if (!*place_of(p, feed) && is_unwanted(p, feed))
        return;
    qcap_substream_t *s = get(p, feed);
    if (!s) {
        tell(p, "substream-memory", at);
        return;
    }
    if (!s->is_open) {
        open(p, s, feed, at);
        return;
    }
    if (s->reader)
        add_segment(s, qcap_parser_offset(s->reader) + s->datagram_len, at);
    if (!s->is_broken)
        qcapint_decoding_rekey(s);
}

/* ---------------------------------------------------------------- events */

static void send_error(qcap_substream_t *s, const qcap_event_t *event)
{
    if (event->error->code == QCAP_ERROR_UNFINISHED && is_in_excerpt(s))
        return;
    uint64_t outer = outer_of(s, event->begin);
    qcap_event_t anomaly = {.kind = QCAP_EVENT_ANOMALY, .flags = QCAP_EVENT_FED, .element = QCAP_NONE, .begin = outer,
                            .end = outer, .text = "substream-error", .error = event->error, .reader = s->reader};
    send_event(s->parent, &anomaly);
}

void qcap_op_send(qcap_parser_t *p, const qcap_event_t *event)
{
    qcap_substream_t *s = p->substream;
    qcap_event_t sent = *event;
    if (event->kind == QCAP_EVENT_ERROR) {
        send_error(s, event);
        return;
    }
    sent.outer_begin = outer_of(s, event->begin);
    sent.outer_end = outer_of(s, event->end);
    if (event->kind == QCAP_EVENT_ELEMENT && !event->bytes && !event->value)
        sent.bytes = qcapint_keeper_whole(&s->keeper, event->begin, event->end);
    p->conversation->on_event(p, &sent, p->conversation->user);
}

qcap_parser_t *qcap_parser_parent(const qcap_parser_t *p)
{
    return p->substream ? p->substream->parent : NULL;
}

uint64_t qcap_parser_outer(const qcap_parser_t *p, uint64_t offset)
{
    return p->substream ? outer_of(p->substream, offset) : offset;
}
