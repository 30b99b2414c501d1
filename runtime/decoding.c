/* decoding.c: decoders in front of a sub-stream, one behind the other.
 *
 * Each decodes what it is given into a small buffer, which the next one is given: nothing else is kept. What each makes of
 * their input is counted and bounded, at places of what it makes: how the input is cut has no say in where it ends. */
#include "parsing.h"

#include <string.h>

#define CHUNK 2048       /* bytes decoded at a time */
#define STRIDE 65536u    /* bytes decoded between two looks at the ratio; more than a chunk */

/* ---------------------------------------------------------------- choosing */

static const qcap_decoder_t *find(const qcap_conversation_t *c, const char *name)
{
    for (size_t i = 0; c->decoders && c->decoders[i]; i++)
        if (strcmp(c->decoders[i]->name, name) == 0)
            return c->decoders[i];
    return NULL;
}

/* The key is the text of a register, or its number: four bytes, the highest first. */
static size_t key_of(const qcap_parser_t *p, unsigned reg, unsigned char number[4], const unsigned char **key)
{
    bool is_shared = reg & QCAP_SHARED;
    const qcap_text_t *texts = is_shared ? protocol_of(p)->shared_texts : protocol_of(p)->register_texts;
    *key = number;
    if (reg == QCAP_NONE)
        return 0;
    if (texts[reg & ~QCAP_SHARED].size > 0) {
        qcap_bytes_t bytes = qcap_bytes(p, reg & ~QCAP_SHARED, is_shared);
        *key = bytes.bytes;
        return bytes.len;
    }
    qcap_number_t n = qcapint_value_of(p, reg);
    for (unsigned i = 0; i < 4; i++)
        number[i] = (unsigned char)(n.value >> (24 - 8 * i));
    return n.state == QCAP_NUMBER_SET ? 4 : 0;
}

static bool begin(qcap_substream_t *s, unsigned i)
{
    unsigned char number[4];
    const unsigned char *key;
    size_t len = key_of(s->parent, s->keys[i], number, &key);
    return s->states[i] && s->decoders[i]->begin(s->states[i], s->parent->conversation, key, len);
}

/* Adds a decoder; false after a complaint. */
static bool add(qcap_substream_t *s, const char *name, uint16_t reg)
{
    qcap_conversation_t *c = s->parent->conversation;
    const qcap_decoder_t *decoder = find(c, name);
    if (!decoder || s->decoder_count == QCAP_DECODERS) {
        qcapint_substream_give_up(s, "decoder-unknown");
        return false;
    }
    unsigned i = s->decoder_count;
    if (s->decoders[i] != decoder || !s->states[i]) { /* else its memory serves again */
        if (s->states[i])
            qcap_conversation_put(c, s->states[i]);
        s->decoders[i] = decoder;
        s->states[i] = qcap_conversation_get(c, decoder->state_size);
    }
    s->keys[i] = reg;
    if (!begin(s, i)) {
        qcapint_substream_give_up(s, "decoder-memory");
        return false;
    }
    s->decoder_count++;
    return true;
}

/* An unset register: nothing is encoded. None of its keywords: in a way that nobody knows. */
static bool add_by_register(qcap_substream_t *s, const qcap_decode_t *decode)
{
    qcap_number_t n = qcapint_value_of(s->parent, decode->reg);
    if (n.state != QCAP_NUMBER_SET)
        return true;
    if (n.value > 0 && n.value <= decode->name_count)
        return add(s, decode->names[n.value - 1], QCAP_NONE);
    qcapint_substream_give_up(s, "decoder-unknown");
    return false;
}

void qcapint_decoding_begin(qcap_substream_t *s, const qcap_feed_t *feed)
{
    const qcap_decode_t *decode = protocol_of(s->parent)->decodes + feed->decode;
    s->decoder_count = s->ended = 0;
    s->decoded_in = 0;
    memset(s->decoded_out, 0, sizeof s->decoded_out);
    for (unsigned i = 0; i < feed->decode_count; i++)
        if (!(decode[i].name ? add(s, decode[i].name, decode[i].reg) : add_by_register(s, &decode[i])))
            return;
}

void qcapint_decoding_rekey(qcap_substream_t *s)
{
    for (unsigned i = 0; i < s->decoder_count && !s->is_broken; i++)
        if (s->keys[i] != QCAP_NONE && !begin(s, i))
            qcapint_substream_give_up(s, "decoder-memory");
}

/* ---------------------------------------------------------------- running */

/* Whether a decoder has made too much; then only the first `made` bytes of what it has just made are to be read. */
static bool is_too_much(const qcap_substream_t *s, unsigned stage, size_t *made)
{
    const qcap_conversation_t *c = s->parent->conversation;
    if (!s->decoders[stage]->grows)
        return false;
    uint64_t end = s->decoded_out[stage], begin = end - *made, look = (begin / STRIDE + 1) * STRIDE, most = end;
    bool is_over = c->decoded_ratio && look <= end && look / c->decoded_ratio > s->decoded_in;
    if (is_over)
        most = look;
    if (c->decoded_size && most > c->decoded_size) {
        most = c->decoded_size;
        is_over = true;
    }
    *made = (size_t)(most - begin);
    return is_over;
}

static void run(qcap_substream_t *s, unsigned stage, const unsigned char *bytes, size_t len)
{
    unsigned char chunk[CHUNK];
    qcap_decode_io_t io = {.in = bytes, .in_len = len};
    qcap_decode_status_t status = QCAP_DECODE_MORE;
    if (stage == s->decoder_count) {
        qcapint_substream_read(s, bytes, len);
        return;
    }
    while (status == QCAP_DECODE_MORE && !s->is_broken && (io.in_len > 0 || io.out_len == 0)) {
        size_t before = io.in_len;
        io.out = chunk;
        io.out_len = CHUNK;
        status = s->decoders[stage]->run(s->states[stage], &io);
        size_t made = (size_t)(io.out - chunk);
        s->decoded_out[stage] += made;
        if (stage == 0)
            s->decoded_in += before - io.in_len;
        if (made == 0 && before > 0 && io.in_len == before && status == QCAP_DECODE_MORE)
            status = QCAP_DECODE_ERROR; /* it would go round for ever */
        bool is_over = is_too_much(s, stage, &made);
        run(s, stage + 1, chunk, made);
        if (is_over && !s->is_broken)
            qcapint_substream_give_up(s, "decoded-too-much");
    }
    unsigned bit = 1u << stage;
    s->ended = (uint8_t)(status == QCAP_DECODE_END ? s->ended | bit : s->ended & ~bit);
    if (status == QCAP_DECODE_ERROR && !s->is_broken)
        qcapint_substream_give_up(s, "decode-error");
}

bool qcapint_decoding_is_cut(const qcap_substream_t *s)
{
    for (unsigned i = 0; i < s->decoder_count && s->decoded_in > 0; i++)
        if (s->decoders[i]->ends && !(s->ended & 1u << i))
            return true;
    return false;
}

void qcapint_decoding_run(qcap_substream_t *s, const unsigned char *bytes, size_t len)
{
    run(s, 0, bytes, len);
}
