/* fuzz_parsers.c: libFuzzer target for all generated parsers.
 *
 * The protocol's name is the first line, or else the first byte chooses it. A byte says what follows: if it is odd, datagrams,
 * each a byte whose highest bit is the side and whose rest is the length, then so many bytes; otherwise records, as twice.h
 * has them. Each datagram lies in an allocation of its own, so that a read behind it is seen; its events lie inside it. */
#include <stdlib.h>
#include <string.h>

#include "decoders.h"
#include "subjects.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* ---------------------------------------------------------------- datagrams */

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    const uint64_t *len = user;
    uint64_t begin = qcap_parser_offset(parser);
    if (qcap_parser_parent(parser) || event->flags & QCAP_EVENT_FED)
        return; /* its offsets are its own */
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

static void read_datagram(qcap_parser_t *parser, const uint8_t *bytes, size_t len)
{
    unsigned char *datagram = malloc(len ? len : 1);
    if (!datagram)
        return;
    memcpy(datagram, bytes, len);
    qcap_parser_datagram(parser, datagram, len);
    free(datagram);
}

static void read_datagrams(const qcap_protocol_t *protocol, const uint8_t *bytes, size_t len)
{
    uint64_t datagram_len = 0;
    qcap_conversation_t *conversation = calloc(1, protocol->size);
    if (!conversation)
        return;
    qcap_conversation_init(conversation, protocol, on_event, &datagram_len);
    qcap_conversation_set_memory(conversation, get_memory);
    qcap_conversation_set_decoders(conversation, qcap_decoders);
    qcap_conversation_set_find(conversation, subject_find);
    while (len > 0) {
        bool is_server = bytes[0] >> 7;
        datagram_len = bytes[0] & 0x7f;
        if (datagram_len > len - 1)
            datagram_len = len - 1;
        read_datagram(is_server ? qcap_conversation_server(conversation) : qcap_conversation_client(conversation), bytes + 1,
                      (size_t)datagram_len);
        bytes += 1 + datagram_len;
        len -= 1 + (size_t)datagram_len;
    }
    qcap_conversation_fini(conversation);
    free(conversation);
}

/* ---------------------------------------------------------------- the target */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const subject_t *subject = subject_choose(&bytes, &len);
    if (!subject || len == 0)
        return 0;
    bool has_datagrams = subject->protocol->datagram != QCAP_NONE;
    if (has_datagrams && (bytes[0] & 1 || !subject_has_streams(subject)))
        read_datagrams(subject->protocol, bytes + 1, len - 1);
    else
        twice(subject->protocol, bytes + 1, len - 1);
    return 0;
}
