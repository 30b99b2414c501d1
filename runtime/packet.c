/* packet.c: the life of a packet, what can be asked of it, and the stages it comes to. See packet.h. */
#include "packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "handle.h"
#include "trace.h"

/* ---------------------------------------------------------------- life */

void qcapint_packet_init(qcap_packet_t *packet, qcap_t *q, const unsigned char *bytes, uint32_t len, uint32_t wire_len)
{
    *packet = (qcap_packet_t){.q = q,
                              .bytes = bytes,
                              .len = len,
                              .wire_len = wire_len,
                              .place = QCAPINT_NO_PLACE,
                              .headers.protocol = QCAPINT_PROTOCOL_NONE,
                              .flags = len < wire_len ? QCAP_PACKET_SNAPPED : 0};
}

qcapint_decode_t qcapint_packet_begin(qcap_packet_t *packet, qcap_t *q, const qcapint_frame_t *frame)
{
    qcapint_packet_init(packet, q, frame->bytes, frame->len, frame->wire_len);
    packet->time_ns = frame->time_ns;
    packet->link_type = frame->link_type;
    packet->place = frame->place;
    return qcapint_decode_frame(packet->link_type, packet->bytes, packet->len, &packet->headers);
}

void qcapint_packet_fini(qcap_packet_t *packet)
{
    qcap_packet_unref(packet->kept);
    packet->kept = NULL;
}

/* A counted packet is one block: the struct, pointers to its constituents, its bytes. */
static size_t block_size(uint32_t len, uint32_t count)
{
    return sizeof(qcap_packet_t) + count * sizeof(qcap_packet_t *) + len;
}

qcap_packet_t *qcapint_packet_new(qcap_t *q, uint32_t len, uint32_t count, unsigned char **bytes)
{
    qcap_packet_t *packet = qcapint_budget_get(&q->budget, block_size(len, count));
    if (!packet)
        return NULL;
    qcap_packet_t **constituents = (qcap_packet_t **)(packet + 1);
    for (uint32_t i = 0; i < count; i++)
        constituents[i] = NULL;
    *bytes = (unsigned char *)(constituents + count);
    *packet = (qcap_packet_t){.q = q,
                              .len = len,
                              .wire_len = len,
                              .place = QCAPINT_NO_PLACE,
                              .constituents = count > 0 ? constituents : NULL,
                              .constituent_count = count,
                              .references = 1};
    packet->bytes = *bytes;
    return packet;
}

/* The one copy of a borrowed packet, and of those it lies in; it keeps no reference to the original. */
static qcap_packet_t *copy(qcap_packet_t *packet)
{
    unsigned char *bytes;
    qcap_packet_t *kept = qcapint_packet_new(packet->q, packet->len, packet->constituent_count, &bytes);
    if (!kept)
        return NULL;
    qcap_packet_t **constituents = kept->constituents;
    *kept = *packet;
    memcpy(bytes, packet->bytes, packet->len);
    kept->bytes = bytes;
    kept->constituents = constituents;
    kept->references = 1;
    kept->kept = NULL;
    for (uint32_t i = 0; i < kept->constituent_count; i++)
        if (!(constituents[i] = qcap_packet_ref(packet->constituents[i]))) {
            qcap_packet_unref(kept);
            return NULL;
        }
    return kept;
}

qcap_packet_t *qcap_packet_ref(qcap_packet_t *packet)
{
    if (packet->references == 0) {
        if (packet->ends) /* made up, and its endpoints are somebody else's: nothing to keep */
            return NULL;
        if (!packet->kept)
            packet->kept = copy(packet);
        if (!packet->kept)
            return NULL;
        packet = packet->kept;
    }
    packet->references++;
    return packet;
}

void qcap_packet_unref(qcap_packet_t *packet)
{
    if (!packet || packet->references == 0 || --packet->references > 0)
        return;
    for (uint32_t i = 0; i < packet->constituent_count; i++)
        qcap_packet_unref(packet->constituents[i]);
    qcapint_budget_free(&packet->q->budget, packet, block_size(packet->len, packet->constituent_count));
}

/* ---------------------------------------------------------------- stages */

void qcapint_packet_end(qcap_packet_t *packet, qcap_stage_t stage)
{
    if (packet->is_counted) {
        packet->q->stats.ended[packet->stage]--;
        packet->q->stats.ended[stage]++;
    }
    packet->stage = (uint8_t)stage;
}

void qcapint_packet_count(qcap_packet_t *packet)
{
    uint8_t stage = packet->kept ? packet->kept->stage : packet->stage;
    packet->q->stats.ended[stage]++;
    if (packet->kept)
        packet->kept->is_counted = true;
}

void qcapint_packet_stage(qcap_packet_t *packet, qcap_stage_t stage)
{
    qcap_t *q = packet->q;
    qcapint_packet_end(packet, stage);
    if (packet->kept) { /* a copy that was made early learns what has become known since */
        packet->kept->headers = packet->headers;
        packet->kept->stage = packet->stage;
        packet->kept->flags = packet->flags;
    }
    q->stats.stages[stage]++;
    for (qcapint_packet_subscription_t *s = q->packet_handlers[stage]; s; s = s->next)
        s->handler(packet, stage, s->user);
}

int qcap_packet_handler_add(qcap_t *q, qcap_stage_t stage, qcap_packet_handler_t handler, void *user)
{
    if ((unsigned)stage >= QCAP_STAGE_COUNT || !handler)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "no such stage, or no handler");
    qcapint_packet_subscription_t *subscription = qcapint_budget_alloc(&q->budget, sizeof *subscription);
    if (!subscription)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a packet handler");
    subscription->handler = handler;
    subscription->user = user;
    qcapint_packet_subscription_t **last = &q->packet_handlers[stage];
    while (*last)
        last = &(*last)->next;
    *last = subscription;
    q->watched |= UINT64_C(1) << stage;
    return QCAP_OK;
}

/* ---------------------------------------------------------------- what can be asked */

const unsigned char *qcap_packet_bytes(const qcap_packet_t *packet, size_t *len)
{
    *len = packet->len;
    return packet->bytes;
}

const unsigned char *qcap_packet_network(const qcap_packet_t *packet, size_t *len)
{
    *len = packet->headers.network_len;
    return packet->headers.version && packet->bytes ? packet->bytes + packet->headers.network : NULL;
}

const unsigned char *qcap_packet_payload(const qcap_packet_t *packet, size_t *len)
{
    *len = packet->headers.payload_len;
    return packet->headers.protocol != QCAPINT_PROTOCOL_NONE && packet->bytes ? packet->bytes + packet->headers.payload
                                                                              : NULL;
}

size_t qcap_packet_wire_len(const qcap_packet_t *packet)
{
    return packet->wire_len;
}

int64_t qcap_packet_time_ns(const qcap_packet_t *packet)
{
    return packet->time_ns;
}

uint64_t qcap_packet_number(const qcap_packet_t *packet)
{
    return packet->number;
}

qcap_stage_t qcap_packet_stage(const qcap_packet_t *packet)
{
    return (qcap_stage_t)packet->stage;
}

unsigned qcap_packet_flags(const qcap_packet_t *packet)
{
    return packet->flags;
}

uint8_t qcap_packet_protocol(const qcap_packet_t *packet)
{
    return packet->headers.protocol;
}

uint16_t qcap_packet_ethertype(const qcap_packet_t *packet)
{
    return packet->headers.ethertype;
}

int qcap_packet_link_type(const qcap_packet_t *packet)
{
    return packet->link_type;
}

const char *qcap_packet_reason(const qcap_packet_t *packet)
{
    return packet->headers.reason;
}

/* One end, from the IP header: source and destination lie 4 or 16 bytes apart (RFC 791, 3.1; RFC 8200, 3). */
static void endpoint(const qcap_packet_t *packet, bool is_destination, qcap_endpoint_t *end)
{
    const qcapint_headers_t *headers = &packet->headers;
    if (packet->ends) {
        *end = packet->ends[is_destination];
        return;
    }
    memset(end, 0, sizeof *end);
    end->version = headers->version;
    if (headers->version == 4)
        memcpy(end->address, packet->bytes + headers->network + 12 + (is_destination ? 4 : 0), 4);
    else if (headers->version == 6)
        memcpy(end->address, packet->bytes + headers->network + 8 + (is_destination ? 16 : 0), 16);
    end->port = is_destination ? headers->destination_port : headers->source_port;
}

void qcap_packet_source(const qcap_packet_t *packet, qcap_endpoint_t *end)
{
    endpoint(packet, false, end);
}

void qcap_packet_destination(const qcap_packet_t *packet, qcap_endpoint_t *end)
{
    endpoint(packet, true, end);
}

size_t qcap_packet_constituent_count(const qcap_packet_t *packet)
{
    return packet->constituent_count;
}

const qcap_packet_t *qcap_packet_constituent(const qcap_packet_t *packet, size_t index)
{
    return index < packet->constituent_count ? packet->constituents[index] : NULL;
}

/* ---------------------------------------------------------------- places */

int qcap_packet_place(const qcap_packet_t *packet, qcap_place_t *place)
{
    if (packet->place == QCAPINT_NO_PLACE)
        return qcapint_fail(packet->q, QCAP_E_GONE, "the packet lies in no file");
    *place = (qcap_place_t){.offset = packet->place,
                            .number = packet->number,
                            .time_ns = packet->time_ns,
                            .len = packet->len,
                            .wire_len = packet->wire_len,
                            .link_type = packet->link_type};
    return QCAP_OK;
}

/* The stage at which a packet leaves decoding. */
static qcap_stage_t stage_of(qcapint_decode_t decoded)
{
    switch (decoded) {
    case QCAPINT_DECODE_OK:
        return QCAP_STAGE_LINK_DECODED;
    case QCAPINT_DECODE_ARP:
        return QCAP_STAGE_ARP;
    case QCAPINT_DECODE_BAD_HEADER:
        return QCAP_STAGE_BAD_HEADER;
    default:
        return QCAP_STAGE_OTHER;
    }
}

qcap_packet_t *qcap_packet_reread(qcap_t *q, const qcap_place_t *place)
{
    unsigned char *bytes;
    if (place->len > QCAPINT_TRACE_PACKET || place->len > place->wire_len) {
        qcapint_fail(q, QCAP_E_ARGUMENT, "no packet has a place like that");
        return NULL;
    }
    qcap_packet_t *packet = qcapint_packet_new(q, place->len, 0, &bytes);
    if (!packet) {
        qcapint_fail(q, QCAP_E_MEMORY, "no memory for a packet that is read again");
        return NULL;
    }
    int status = qcapint_capture_reread(q->capture, place->offset, bytes, place->len);
    if (status < 0) {
        qcapint_fail(q, status, "packet %llu cannot be read again: %s", (unsigned long long)place->number,
                     qcapint_capture_error(q->capture));
        qcap_packet_unref(packet);
        return NULL;
    }
    packet->place = place->offset;
    packet->number = place->number;
    packet->time_ns = place->time_ns;
    packet->wire_len = place->wire_len;
    packet->link_type = (uint16_t)place->link_type;
    packet->flags = place->len < place->wire_len ? QCAP_PACKET_SNAPPED : 0;
    packet->stage = (uint8_t)stage_of(qcapint_decode_frame(place->link_type, bytes, place->len, &packet->headers));
    if (packet->stage == QCAP_STAGE_BAD_HEADER)
        packet->flags |= QCAP_PACKET_DISCARDED;
    return packet;
}

/* ---------------------------------------------------------------- endpoints as text */

/* Writes the number, which is below 100000; returns its end. By hand, like the rest: an application may print millions. */
static char *put_decimal(char *to, unsigned number)
{
    char digits[5];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

/* Returns the end of the text, which is not terminated. */
static char *put_address(char *to, const qcap_endpoint_t *end)
{
    if (end->version == 6)
        return inet_ntop(AF_INET6, end->address, to, INET6_ADDRSTRLEN) ? to + strlen(to) : to;
    if (!end->version)
        *to++ = '-';
    for (size_t i = 0; end->version && i < 4; i++) {
        to = put_decimal(to, end->address[i]);
        *to++ = '.';
    }
    return end->version ? to - 1 : to;
}

/* As much of what was put as there is room for. */
static const char *copy_text(char *text, size_t size, const char *from, const char *from_end)
{
    size_t len = (size_t)(from_end - from);
    if (size == 0)
        return text;
    len = len < size ? len : size - 1;
    memcpy(text, from, len);
    text[len] = '\0';
    return text;
}

const char *qcap_address_print(const qcap_endpoint_t *end, char *text, size_t size)
{
    char whole[QCAP_ENDPOINT_SIZE];
    return copy_text(text, size, whole, put_address(whole, end));
}

const char *qcap_endpoint_print(const qcap_endpoint_t *end, char *text, size_t size)
{
    char whole[QCAP_ENDPOINT_SIZE], *to = whole;
    if (end->version == 6)
        *to++ = '[';
    to = put_address(to, end);
    if (end->version == 6)
        *to++ = ']';
    *to++ = ':';
    return copy_text(text, size, whole, put_decimal(to, end->port));
}
