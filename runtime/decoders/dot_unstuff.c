/* dot_unstuff.c: of a line that begins with a dot, the dot is dropped (RFC 5321, 4.5.2; RFC 1939, 3; RFC 3977, 3.1.1). Lines end in
 * CR LF; those who receive texts with a single LF take it for the end of a line, too, so a dot behind it is dropped. */
#include "decoders.h"

#include <string.h>

typedef enum { LINE_BEGINS, LINE_GOES_ON } place_t;

static bool begin(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)c;
    (void)key;
    (void)key_len;
    *(place_t *)state = LINE_BEGINS;
    return true;
}

/* Line by line: only a line's first byte is looked at. */
static qcap_decode_status_t run(void *state, qcap_decode_io_t *io)
{
    place_t *place = state;
    while (io->in_len > 0 && io->out_len > 0) {
        size_t dropped = *place == LINE_BEGINS && *io->in == '.';
        const unsigned char *from = io->in + dropped;
        size_t most = io->in_len - dropped < io->out_len ? io->in_len - dropped : io->out_len;
        const unsigned char *end = memchr(from, '\n', most);
        size_t len = end ? (size_t)(end + 1 - from) : most;
        memcpy(io->out, from, len);
        io->out += len;
        io->out_len -= len;
        io->in += dropped + len;
        io->in_len -= dropped + len;
        *place = end ? LINE_BEGINS : LINE_GOES_ON;
    }
    return QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_dot_unstuff = {
    .name = "dot-unstuff", .state_size = sizeof(place_t), .begin = begin, .run = run};
