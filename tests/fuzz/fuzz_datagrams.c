/* fuzz_datagrams.c: libFuzzer target for a parser of datagrams.
 *
 * In: datagrams, each a byte whose highest bit is the side and whose rest is the length, then so many bytes. Each lies in an
 * allocation of its own, so that a read behind it is seen. Its events lie inside it. */
#include <stdlib.h>
#include <string.h>

#include "datagrams.h"

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    const uint64_t *len = user;
    uint64_t begin = qcap_parser_offset(parser);
    if (event->begin < begin || event->end > begin + *len || event->begin > event->end)
        abort();
    if (event->kind == QCAP_EVENT_ELEMENT && !event->bytes)
        abort();
}

static void *get_memory(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return calloc(1, size);
    free(block);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    qcap_datagrams_t conversation;
    uint64_t datagram_len = 0;
    qcap_datagrams_init(&conversation, on_event, &datagram_len);
    qcap_conversation_set_memory(&conversation.conversation, get_memory);
    while (len > 0) {
        bool is_server = bytes[0] >> 7;
        datagram_len = bytes[0] & 0x7f;
        if (datagram_len > len - 1)
            datagram_len = len - 1;
        unsigned char *datagram = malloc(datagram_len ? (size_t)datagram_len : 1);
        if (!datagram)
            break;
        memcpy(datagram, bytes + 1, (size_t)datagram_len);
        qcap_parser_datagram(is_server ? &conversation.server : &conversation.client, datagram, (size_t)datagram_len);
        free(datagram);
        bytes += 1 + datagram_len;
        len -= 1 + (size_t)datagram_len;
    }
    qcap_conversation_fini(&conversation.conversation);
    return 0;
}
