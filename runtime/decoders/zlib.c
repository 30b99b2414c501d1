/* zlib.c: gzip, deflate, raw-deflate and message-deflate (RFC 1952, 1950, 1951, 7692), by zlib. Its memory is the
 * conversation's. */
#include "decoders.h"

#include <zlib.h>

#define RAW (-MAX_WBITS)      /* what inflateInit2() wants: no header, */
#define ZLIB MAX_WBITS        /* RFC 1950's, */
#define GZIP (MAX_WBITS + 16) /* RFC 1952's */

typedef struct inflater {
    z_stream z;
    bool has_memory; /* zlib's own state exists */
    bool is_new;     /* nothing has been read of this stream */
    bool is_at_end;  /* or of a gzip file, of this member */
    bool is_over;    /* of a gzip file: no member follows */
} inflater_t;

static void *get(void *user, unsigned count, unsigned size)
{
    return size && count > SIZE_MAX / size ? NULL : qcap_conversation_get(user, (size_t)count * size);
}

static void put(void *user, void *block)
{
    qcap_conversation_put(user, block);
}

static bool begin(inflater_t *i, qcap_conversation_t *c, int window)
{
    i->is_new = true;
    i->is_at_end = i->is_over = false;
    if (i->has_memory)
        return inflateReset2(&i->z, window) == Z_OK;
    i->z.zalloc = get;
    i->z.zfree = put;
    i->z.opaque = c;
    i->has_memory = inflateInit2(&i->z, window) == Z_OK;
    return i->has_memory;
}

/* One call of zlib. */
static int inflate_some(inflater_t *i, qcap_decode_io_t *io)
{
    uInt in_len = io->in_len < UINT32_MAX ? (uInt)io->in_len : UINT32_MAX, out_len = (uInt)io->out_len;
    i->z.next_in = (unsigned char *)(uintptr_t)io->in; /* zlib's API knows no const; it does not write there */
    i->z.avail_in = in_len;
    i->z.next_out = io->out;
    i->z.avail_out = out_len;
    int result = inflate(&i->z, Z_NO_FLUSH);
    io->in = i->z.next_in;
    io->in_len -= in_len - i->z.avail_in;
    io->out = i->z.next_out;
    io->out_len = i->z.avail_out;
    i->is_new = false;
    return result;
}

static qcap_decode_status_t run(void *state, qcap_decode_io_t *io)
{
    inflater_t *i = state;
    if (i->is_at_end)
        return QCAP_DECODE_END;
    int result = inflate_some(i, io);
    i->is_at_end = result == Z_STREAM_END;
    if (i->is_at_end)
        return QCAP_DECODE_END;
    return result == Z_OK || result == Z_BUF_ERROR ? QCAP_DECODE_MORE : QCAP_DECODE_ERROR;
}

/* ---------------------------------------------------------------- gzip */

static bool begin_gzip(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)key;
    (void)key_len;
    return begin(state, c, GZIP);
}

/* Behind a member there may be another (RFC 1952, 2.2), which begins with 0x1f; anything else is padding, up to the end. */
static bool has_another(inflater_t *i, const qcap_decode_io_t *io)
{
    if (io->in_len == 0 || i->is_over)
        return false;
    i->is_over = *io->in != 0x1f;
    return !i->is_over;
}

static qcap_decode_status_t run_gzip(void *state, qcap_decode_io_t *io)
{
    inflater_t *i = state;
    if (i->is_at_end && has_another(i, io)) {
        inflateReset(&i->z);
        i->is_at_end = false;
    }
    qcap_decode_status_t status = run(state, io);
    return status == QCAP_DECODE_END && has_another(i, io) ? QCAP_DECODE_MORE : status;
}

const qcap_decoder_t qcap_decoder_gzip = {
    .name = "gzip", .state_size = sizeof(inflater_t), .begin = begin_gzip, .run = run_gzip, .grows = true, .ends = true};

/* ---------------------------------------------------------------- deflate */

static bool begin_deflate(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)key;
    (void)key_len;
    return begin(state, c, ZLIB);
}

/* HTTP's `deflate` is RFC 1950 (RFC 9110, 8.4.1.2), but some send RFC 1951 under that name. RFC 1950's first byte has 8 in its
 * low half; a raw stream that begins so would have a stored block of an odd kind, which no encoder makes first. */
static qcap_decode_status_t run_deflate(void *state, qcap_decode_io_t *io)
{
    inflater_t *i = state;
    if (i->is_new && io->in_len > 0 && (*io->in & 0x0f) != Z_DEFLATED && inflateReset2(&i->z, RAW) != Z_OK)
        return QCAP_DECODE_ERROR;
    return run(state, io);
}

const qcap_decoder_t qcap_decoder_deflate = {
    .name = "deflate", .state_size = sizeof(inflater_t), .begin = begin_deflate, .run = run_deflate, .grows = true, .ends = true};

/* ---------------------------------------------------------------- raw-deflate */

static bool begin_raw(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)key;
    (void)key_len;
    return begin(state, c, RAW);
}

const qcap_decoder_t qcap_decoder_raw_deflate = {
    .name = "raw-deflate", .state_size = sizeof(inflater_t), .begin = begin_raw, .run = run, .grows = true, .ends = true};

/* ---------------------------------------------------------------- message-deflate
 *
 * RFC 7692, 7.2: messages are one stream of RFC 1951, each up to a flush whose last four bytes are left out: the length of
 * an empty stored block. A message may refer to what was in those before it. Peers who agree that it does not send messages
 * that can be read with their predecessors in the window all the same, so the agreement need not be known. */

#define WINDOW 32768u
#define AT_BLOCK 128 /* what zlib adds to data_type between two blocks, see inflate() in zlib.h; without bits that were not read */
#define IN_LAST 64   /* ... in the last block */

/* Reads what the message before leaves out. False if that was not complete: then nobody knows what is in the window. */
static bool end_message(inflater_t *i)
{
    static const unsigned char flush[] = {0x00, 0x00, 0xff, 0xff};
    unsigned char byte;
    qcap_decode_io_t io = {.in = flush, .in_len = sizeof flush, .out = &byte, .out_len = 1};
    int result = inflate_some(i, &io);
    return (result == Z_OK || result == Z_BUF_ERROR) && io.in_len == 0 && io.out_len == 1 &&
           (i->z.data_type & ~IN_LAST) == AT_BLOCK;
}

static bool begin_message(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    inflater_t *i = state;
    (void)key;
    (void)key_len;
    if (!i->has_memory || (!i->is_new && !end_message(i)))
        return begin(i, c, RAW);
    i->is_new = true;
    return true;
}

/* RFC 7692, 7.2.3.4: behind a last block there may be others, with the same window. */
static qcap_decode_status_t go_on(inflater_t *i)
{
    unsigned char *window = get(i->z.opaque, 1, WINDOW);
    uInt len = 0;
    bool is_done = window && inflateGetDictionary(&i->z, window, &len) == Z_OK && inflateReset(&i->z) == Z_OK &&
                   inflateSetDictionary(&i->z, window, len) == Z_OK;
    if (window)
        put(i->z.opaque, window);
    return is_done ? QCAP_DECODE_MORE : QCAP_DECODE_ERROR;
}

static qcap_decode_status_t run_message(void *state, qcap_decode_io_t *io)
{
    inflater_t *i = state;
    int result = inflate_some(i, io);
    if (result == Z_STREAM_END)
        return go_on(i);
    return result == Z_OK || result == Z_BUF_ERROR ? QCAP_DECODE_MORE : QCAP_DECODE_ERROR;
}

const qcap_decoder_t qcap_decoder_message_deflate = {
    .name = "message-deflate", .state_size = sizeof(inflater_t), .begin = begin_message, .run = run_message, .grows = true};
