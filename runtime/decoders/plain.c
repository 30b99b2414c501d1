/* plain.c: decoders of one line: identity, and unmask (RFC 6455, 5.3). */
#include "decoders.h"

#include <string.h>

/* ---------------------------------------------------------------- identity */

static bool begin_identity(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)state;
    (void)c;
    (void)key;
    (void)key_len;
    return true;
}

static qcap_decode_status_t run_identity(void *state, qcap_decode_io_t *io)
{
    size_t len = io->in_len < io->out_len ? io->in_len : io->out_len;
    (void)state;
    memcpy(io->out, io->in, len);
    io->in += len;
    io->in_len -= len;
    io->out += len;
    io->out_len -= len;
    return QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_identity = {
    .name = "identity", .state_size = 1, .begin = begin_identity, .run = run_identity};

/* ---------------------------------------------------------------- unmask */

#define KEY_MAX 64

typedef struct mask {
    unsigned char key[KEY_MAX];
    size_t len, at; /* of the key, and in it */
} mask_t;

/* Without a key there is nothing to unmask. */
static bool begin_unmask(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    mask_t *mask = state;
    (void)c;
    mask->len = key_len < KEY_MAX ? key_len : KEY_MAX;
    mask->at = 0;
    if (mask->len > 0)
        memcpy(mask->key, key, mask->len);
    return true;
}

static qcap_decode_status_t run_unmask(void *state, qcap_decode_io_t *io)
{
    mask_t *mask = state;
    if (mask->len == 0)
        return run_identity(NULL, io);
    for (; io->in_len > 0 && io->out_len > 0; io->in_len--, io->out_len--) {
        *io->out++ = *io->in++ ^ mask->key[mask->at];
        mask->at = (mask->at + 1) % mask->len;
    }
    return QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_unmask = {
    .name = "unmask", .state_size = sizeof(mask_t), .begin = begin_unmask, .run = run_unmask};
