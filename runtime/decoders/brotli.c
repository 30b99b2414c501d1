/* brotli.c: br (RFC 7932), by libbrotlidec. Its memory is the conversation's. Without the library, an empty file.
 *
 * It is given byte by byte: where its input is wrong the library forgets what it has decoded of the piece and not given yet, so
 * that what comes of it would depend on how the input was cut. */
#include "decoders.h"

#ifdef QCAP_HAVE_BROTLI

#include <brotli/decode.h>

typedef struct brotli {
    BrotliDecoderState *decoder;
    bool is_at_end;
} brotli_t;

static void *get(void *user, size_t size)
{
    return qcap_conversation_get(user, size);
}

static void put(void *user, void *block)
{
    qcap_conversation_put(user, block);
}

static bool begin(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    brotli_t *b = state;
    (void)key;
    (void)key_len;
    if (b->decoder)
        BrotliDecoderDestroyInstance(b->decoder);
    b->is_at_end = false;
    b->decoder = BrotliDecoderCreateInstance(get, put, c);
    return b->decoder != NULL;
}

static qcap_decode_status_t run(void *state, qcap_decode_io_t *io)
{
    brotli_t *b = state;
    if (b->is_at_end)
        return QCAP_DECODE_END;
    BrotliDecoderResult result;
    do {
        size_t left = io->in_len > 0;
        io->in_len -= left;
        result = BrotliDecoderDecompressStream(b->decoder, &left, &io->in, &io->out_len, &io->out, NULL);
        io->in_len += left;
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && io->in_len > 0);
    b->is_at_end = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (b->is_at_end)
        return QCAP_DECODE_END;
    return result == BROTLI_DECODER_RESULT_ERROR ? QCAP_DECODE_ERROR : QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_br = {
    .name = "br", .state_size = sizeof(brotli_t), .begin = begin, .run = run, .grows = true, .ends = true};

#else

typedef int qcap_decoder_br_is_not_there; /* C wants something in every file */

#endif
