/* base64.c: base64 (RFC 2045, 6.8; RFC 4648). Both alphabets are taken; line ends and other bytes are passed over, and padding
 * ends a group: behind it another may begin, as where encoded parts were put together. */
#include "decoders.h"

typedef struct group {
    uint32_t bits;
    unsigned count; /* characters of the group at hand */
} group_t;

static bool begin(void *state, qcap_conversation_t *c, const unsigned char *key, size_t key_len)
{
    (void)c;
    (void)key;
    (void)key_len;
    *(group_t *)state = (group_t){0};
    return true;
}

/* What a character stands for; -1: nothing. */
static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Each character but a group's first completes a byte. */
static qcap_decode_status_t run(void *state, qcap_decode_io_t *io)
{
    group_t *g = state;
    for (; io->in_len > 0 && io->out_len > 0; io->in++, io->in_len--) {
        int value = value_of(*io->in);
        if (*io->in == '=')
            g->count = 0;
        if (value < 0)
            continue;
        g->bits = g->bits << 6 | (uint32_t)value;
        if (g->count > 0) {
            *io->out++ = (unsigned char)(g->bits >> (6 - 2 * g->count));
            io->out_len--;
        }
        g->count = (g->count + 1) % 4;
    }
    return QCAP_DECODE_MORE;
}

const qcap_decoder_t qcap_decoder_base64 = {.name = "base64", .state_size = sizeof(group_t), .begin = begin, .run = run};
