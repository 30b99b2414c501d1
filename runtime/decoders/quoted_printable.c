/* quoted_printable.c: quoted-printable (RFC 2045, 6.7), and what words in fields have of it (RFC 2047, 4.2), where `_`
 * is a blank. `=XX` is a byte, `=` at the end of a line joins it with the next one, blanks at the end of a line do not count
 * (rule 3). What is none of these stands for itself, as the RFC suggests. */
#include "decoders.h"

#include <string.h>

#define BLANKS_MAX 998 /* of a line: RFC 5322, 2.1.1; more of them are taken for text */

typedef struct line {
    unsigned char held[3];  /* `=` and what followed it, undecided */
    unsigned held_len;
    unsigned char ready[3]; /* bytes that are certain and have found no room yet */
    unsigned ready_len;
    unsigned char blanks[BLANKS_MAX];
    unsigned blank_len, blank_at; /* held blanks; those before blank_at are out, once they count */
    bool is_flushing;             /* they do */
    bool is_word;                 /* RFC 2047 */
} line_t;

static bool begin(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    line_t *l = state;
    (void)c;
    (void)key;
    (void)key_len;
    l->held_len = l->ready_len = l->blank_len = l->blank_at = 0;
    l->is_flushing = l->is_word = false;
    return true;
}

static bool begin_word(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    begin(state, c, key, key_len);
    ((line_t *)state)->is_word = true;
    return true;
}

static int digit_of(unsigned char c)
{
    unsigned lower = c | 0x20u;
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? (int)lower - 'a' + 10 : -1;
}

static void put(line_t *l, unsigned char byte)
{
    l->ready[l->ready_len++] = byte;
}

/* It was no code: what is held stands for itself, but for a `=` that ends it, which may begin one. */
static void give_up(line_t *l)
{
    bool begins = l->held[l->held_len - 1] == '=';
    for (unsigned i = 0; i + begins < l->held_len; i++)
        put(l, l->held[i]);
    l->held[0] = '=';
    l->held_len = begins;
}

/* Decides what is held, if `=`, and one or two more bytes, decide it. */
static void decide(line_t *l)
{
    const unsigned char *h = l->held;
    if (l->held_len == 2 && (h[1] == '\r' || digit_of(h[1]) >= 0))
        return;
    bool is_code = l->held_len == 3 && digit_of(h[1]) >= 0 && digit_of(h[2]) >= 0;
    bool is_join = (l->held_len == 2 && h[1] == '\n') || (l->held_len == 3 && h[1] == '\r' && h[2] == '\n');
    if (is_code)
        put(l, (unsigned char)(digit_of(h[1]) * 16 + digit_of(h[2])));
    if (is_code || is_join)
        l->held_len = 0;
    else
        give_up(l);
}

static void take(line_t *l, unsigned char byte)
{
    bool is_blank = byte == ' ' || byte == '\t';
    if (l->held_len > 0 || byte == '=') {
        l->is_flushing = l->blank_len > 0;
        l->held[l->held_len++] = byte;
        if (l->held_len > 1)
            decide(l);
    } else if (is_blank && l->blank_len < BLANKS_MAX) {
        l->blanks[l->blank_len++] = byte;
    } else if (byte == '\r' || byte == '\n') {
        l->blank_len = l->blank_at = 0;
        put(l, byte);
    } else {
        l->is_flushing = l->blank_len > 0;
        put(l, l->is_word && byte == '_' ? ' ' : byte);
    }
}

/* Moves to the output what is certain. False if there is no room for all of it. */
static bool flush(line_t *l, qcap_decode_io_t *io)
{
    for (; l->is_flushing && l->blank_at < l->blank_len && io->out_len > 0; io->out_len--)
        *io->out++ = l->blanks[l->blank_at++];
    if (l->is_flushing && l->blank_at < l->blank_len)
        return false;
    if (l->is_flushing)
        l->blank_len = l->blank_at = 0;
    l->is_flushing = false;
    if (l->ready_len > io->out_len)
        return false;
    memcpy(io->out, l->ready, l->ready_len);
    io->out += l->ready_len;
    io->out_len -= l->ready_len;
    l->ready_len = 0;
    return true;
}

static qcap_decode_status_t run(void *state, qcap_decode_io_t *io)
{
    line_t *l = state;
    for (; flush(l, io) && io->in_len > 0; io->in_len--)
        take(l, *io->in++);
    if (l->ready_len > 0 || l->is_flushing)
        io->out_len = 0; /* what is left of the room is too small */
    return QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_quoted_printable = {
    .name = "quoted-printable", .state_size = sizeof(line_t), .begin = begin, .run = run};
const qcap_decoder_t qcap_decoder_q = {.name = "q", .state_size = sizeof(line_t), .begin = begin_word, .run = run};
