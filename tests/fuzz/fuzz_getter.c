/* fuzz_getter.c: any text as a getter, applied to packets.
 *
 * In: a text, up to a NUL or the end; behind the NUL, bytes: one for the link, the rest a packet. Every getter that compiles is
 * applied to it, and to all packets that it carries; what a field says its values are lies in the packet. */
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "qcap.h"

#define VALUES 8

static void check(const qcap_value_t *value)
{
    char text[QCAP_VALUE_SIZE];
    volatile unsigned char sink = 0;
    bool is_bytes = value->type != QCAP_VALUE_BOOL && value->type != QCAP_VALUE_UINT && value->type != QCAP_VALUE_TIME;
    for (size_t i = 0; is_bytes && i < value->len; i++)
        sink = (unsigned char)(sink + value->bytes[i]);
    if (value->type == QCAP_VALUE_BOOL && value->number > 1)
        abort();
    if (strlen(qcap_value_print(value, text, sizeof text)) >= sizeof text)
        abort();
}

static void on_packet(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    const qcap_getter_t *getter = user;
    qcap_value_t values[VALUES];
    (void)stage;
    size_t count = qcap_getter_apply(getter, packet, values, VALUES);
    for (size_t i = 0; i < count && i < VALUES; i++)
        check(&values[i]);
    bool holds = qcap_getter_holds(getter, packet);
    if (count == 0 && holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const int links[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_PPP, DLT_IEEE802_11_RADIO, DLT_PPI};
    char errbuf[QCAP_ERRBUF_SIZE];
    const uint8_t *nul = memchr(bytes, 0, len);
    size_t text_len = nul ? (size_t)(nul - bytes) : len;
    char *text = malloc(text_len + 1);
    unsigned char *packet = NULL;
    memcpy(text, bytes, text_len);
    text[text_len] = '\0';
    size_t packet_len = len - text_len > 2 ? len - text_len - 2 : 0;
    qcap_t *q = qcap_open_pushed(packet_len ? links[bytes[text_len + 1] % 8] : DLT_RAW, errbuf);
    qcap_protocols_builtin(q);
    qcap_getter_t *getter = qcap_getter_compile(q, text);
    if (!getter && strncmp(qcap_geterr(q), "column ", 7) != 0 && strncmp(qcap_geterr(q), "no memory", 9) != 0)
        abort();
    if (getter && packet_len) {
        packet = malloc(packet_len);
        memcpy(packet, bytes + text_len + 2, packet_len);
        for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++)
            qcap_packet_handler_add(q, (qcap_stage_t)stage, on_packet, getter);
        qcap_push(q, packet, (uint32_t)packet_len, (uint32_t)packet_len, 0);
        qcap_finish(q);
    }
    qcap_getter_free(getter);
    qcap_close(q);
    free(packet);
    free(text);
    return 0;
}
