/* traffic.c: building packets, and recording what comes of them. See traffic.h. */
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

/* ---------------------------------------------------------------- recording */

static void append(char *text, size_t size, const char *more, size_t len)
{
    size_t old = strlen(text);
    if (old + len < size) {
        memcpy(text + old, more, len);
        text[old + len] = '\0';
    }
}

static void record(traffic_t *traffic, const qcap_tcpstr_t *str, const char *more, size_t len)
{
    append(traffic->text[qcap_tcpstr_is_server(str)], sizeof traffic->text[0], more, len);
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    (void)offset, (void)packet;
    record(user, str, (const char *)bytes, len);
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    char text[32];
    (void)offset;
    snprintf(text, sizeof text, "[%llu]", (unsigned long long)len);
    record(user, str, text, strlen(text));
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    static const char marks[] = ".!~#^$";
    record(user, str, &marks[end], 1);
}

static void on_stage(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    traffic_t *traffic = user;
    const char *text = qcap_stage_text(stage);
    (void)packet;
    append(traffic->stages, sizeof traffic->stages, text, strlen(text));
    append(traffic->stages, sizeof traffic->stages, ",", 1);
}

static void on_datagram(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    traffic_t *traffic = user;
    (void)stage;
    const unsigned char *bytes = qcap_packet_payload(packet, &traffic->datagram_len);
    memcpy(traffic->datagram, bytes, traffic->datagram_len);
}

traffic_t *traffic_record(qcap_t *q)
{
    static const qcap_tap_t tap = {.on_data = on_data, .on_gap = on_gap, .on_end = on_end};
    traffic_t *traffic = calloc(1, sizeof *traffic);
    if (!q || !traffic)
        abort();
    traffic->q = q;
    traffic->now_ns = INT64_C(1000000000) * 1000000000;
    qcap_tap_add(q, &tap, traffic);
    for (qcap_stage_t stage = QCAP_STAGE_TCP_OPENED; stage < QCAP_STAGE_OTHER; stage++)
        qcap_packet_handler_add(q, stage, on_stage, traffic);
    qcap_packet_handler_add(q, QCAP_STAGE_DEFRAGMENTED, on_datagram, traffic);
    return traffic;
}

traffic_t *traffic_open(void)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    return traffic_record(qcap_open_pushed(TRAFFIC_LINK_TYPE, errbuf));
}

void traffic_close(traffic_t *traffic)
{
    qcap_close(traffic->q);
    free(traffic);
}

void traffic_wait_ms(traffic_t *traffic, int64_t ms)
{
    traffic->now_ns += ms * 1000000;
}

uint64_t traffic_count(const traffic_t *traffic, qcap_stage_t stage)
{
    qcap_stats_t stats;
    qcap_stats(traffic->q, &stats);
    return stats.stages[stage];
}

/* Handlers see bytes in an allocation that ends where the packet does, so that a sanitizer sees a read behind it. */
void traffic_push(traffic_t *traffic, const void *packet, size_t len, size_t wire_len)
{
    unsigned char *bytes = malloc(len ? len : 1);
    if (!bytes)
        abort();
    memcpy(bytes, packet, len);
    qcap_push(traffic->q, bytes, (uint32_t)len, (uint32_t)wire_len, traffic->now_ns);
    traffic->now_ns += 1000;
    free(bytes);
}

/* ---------------------------------------------------------------- IP */

/* 10.0.0.1 or .2, 2001:db8::1 or ::2. */
static void put_address(unsigned char *at, bool is_ipv6, bool is_server)
{
    memset(at, 0, is_ipv6 ? 16 : 4);
    if (is_ipv6)
        memcpy(at, "\x20\x01\x0d\xb8", 4);
    else
        at[0] = 10;
    at[is_ipv6 ? 15 : 3] = is_server ? 2 : 1;
}

static void put_ipv4(unsigned char *ip, uint8_t protocol, bool from_server, uint32_t payload_len)
{
    memset(ip, 0, 20);
    ip[0] = 0x45;
    qcapint_put_be16(ip + 2, 20 + payload_len);
    ip[8] = 64;
    ip[9] = protocol;
    put_address(ip + 12, false, from_server);
    put_address(ip + 16, false, !from_server);
}

static void put_ipv6(unsigned char *ip, uint8_t next_header, bool from_server, uint32_t payload_len)
{
    memset(ip, 0, 40);
    ip[0] = 0x60;
    qcapint_put_be16(ip + 4, payload_len);
    ip[6] = next_header;
    ip[7] = 64;
    put_address(ip + 8, true, from_server);
    put_address(ip + 24, true, !from_server);
}

/* The checksum, as slow and plain as can be: an independent check of the runtime's. */
static uint32_t sum(const unsigned char *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

size_t traffic_build_fragment(unsigned char *packet, const traffic_fragment_t *f)
{
    uint8_t protocol = f->protocol ? f->protocol : 17;
    size_t header_len = f->is_ipv6 ? 48 : 20;
    if (f->is_ipv6) {
        put_ipv6(packet, 44, false, 8 + f->len);
        memset(packet + 40, 0, 8);
        packet[40] = protocol;
        qcapint_put_be16(packet + 42, f->begin | f->has_more);
        qcapint_put_be32(packet + 44, f->identification);
    } else {
        put_ipv4(packet, protocol, false, f->len);
        qcapint_put_be16(packet + 4, f->identification);
        qcapint_put_be16(packet + 6, f->begin / 8 | (f->has_more ? 0x2000u : 0));
        qcapint_put_be16(packet + 10, (uint16_t)~fold(sum(packet, 20)));
    }
    memcpy(packet + header_len, f->bytes, f->len);
    return header_len + f->len;
}

void traffic_send_fragment(traffic_t *traffic, const traffic_fragment_t *fragment)
{
    unsigned char packet[TRAFFIC_MAX];
    size_t len = traffic_build_fragment(packet, fragment);
    traffic_push(traffic, packet, len, len);
}

/* ---------------------------------------------------------------- UDP */

/* Without a checksum, as RFC 768 allows. */
void traffic_send_udp(traffic_t *traffic, const traffic_datagram_t *d)
{
    unsigned char packet[TRAFFIC_MAX], *udp = packet + 20;
    uint16_t client = d->client_port ? d->client_port : 40000, server = d->server_port ? d->server_port : 53;
    uint32_t len = d->len ? d->len : d->text ? (uint32_t)strlen(d->text) : 0;
    put_ipv4(packet, 17, d->from_server, 8 + len);
    qcapint_put_be16(packet + 10, (uint16_t)~fold(sum(packet, 20)));
    qcapint_put_be16(udp, d->from_server ? server : client);
    qcapint_put_be16(udp + 2, d->from_server ? client : server);
    qcapint_put_be16(udp + 4, 8 + len);
    qcapint_put_be16(udp + 6, 0);
    if (len > 0)
        memcpy(udp + 8, d->text, len);
    traffic_push(traffic, packet, 28 + len - d->snap, 28 + len);
}

/* ---------------------------------------------------------------- TCP */

static uint8_t flag_bits(const char *flags)
{
    uint8_t bits = 0;
    for (; *flags; flags++)
        bits = (uint8_t)(bits | (*flags == 'S' ? 0x02 : *flags == 'F' ? 0x01 : *flags == 'R' ? 0x04 : *flags == 'U' ? 0x20 : 0x10));
    return bits;
}

static void put_ports(unsigned char *tcp, const traffic_segment_t *s)
{
    uint16_t client = s->client_port ? s->client_port : 40000, server = s->server_port ? s->server_port : 80;
    qcapint_put_be16(tcp, s->from_server ? server : client);
    qcapint_put_be16(tcp + 2, s->from_server ? client : server);
}

static void put_checksum(unsigned char *ip, unsigned char *tcp, const traffic_segment_t *s, size_t len)
{
    uint32_t pseudo = (s->is_ipv6 ? sum(ip + 8, 32) : sum(ip + 12, 8)) + 6 + (uint32_t)len;
    uint16_t right = (uint16_t)~fold(pseudo + fold(sum(tcp, len)));
    switch (s->checksum) {
    case TRAFFIC_GOOD:
        qcapint_put_be16(tcp + 16, right);
        break;
    case TRAFFIC_BAD:
        qcapint_put_be16(tcp + 16, right ^ 0x5555u);
        break;
    case TRAFFIC_ZERO:
        break;
    case TRAFFIC_PARTIAL:
        qcapint_put_be16(tcp + 16, fold(pseudo));
        break;
    }
}

size_t traffic_build_tcp(unsigned char *packet, const traffic_segment_t *s)
{
    size_t ip_len = s->is_ipv6 ? 40 : 20, text_len = s->len ? s->len : s->text ? strlen(s->text) : 0;
    unsigned char *tcp = packet + ip_len;
    size_t tcp_len = s->scale ? 24 : 20;
    memset(tcp, 0, tcp_len);
    put_ports(tcp, s);
    qcapint_put_be32(tcp + 4, s->seq);
    qcapint_put_be32(tcp + 8, s->ack);
    tcp[12] = (unsigned char)(tcp_len / 4 << 4);
    tcp[13] = flag_bits(s->flags ? s->flags : "A");
    qcapint_put_be16(tcp + 14, s->is_window_zero ? 0 : s->window ? s->window : 65535u);
    qcapint_put_be16(tcp + 18, s->urgent);
    if (s->scale)
        memcpy(tcp + 20, (unsigned char[]){3, 3, s->scale, 0}, 4);
    if (s->text)
        memcpy(tcp + tcp_len, s->text, text_len);
    if (s->is_ipv6)
        put_ipv6(packet, 6, s->from_server, (uint32_t)(tcp_len + text_len));
    else
        put_ipv4(packet, 6, s->from_server, (uint32_t)(tcp_len + text_len));
    if (!s->is_ipv6)
        qcapint_put_be16(packet + 10, (uint16_t)~fold(sum(packet, 20)));
    put_checksum(packet, tcp, s, tcp_len + text_len);
    return ip_len + tcp_len + text_len;
}

void traffic_send_tcp(traffic_t *traffic, const traffic_segment_t *segment)
{
    unsigned char packet[TRAFFIC_MAX];
    size_t len = traffic_build_tcp(packet, segment);
    traffic_push(traffic, packet, len - segment->snap, len);
}

void traffic_handshake(traffic_t *traffic)
{
    traffic_tcp(traffic, .flags = "S", .seq = TRAFFIC_CLIENT_SEQ - 1);
    traffic_tcp(traffic, .from_server = true, .flags = "SA", .seq = TRAFFIC_SERVER_SEQ - 1, .ack = TRAFFIC_CLIENT_SEQ);
    traffic_tcp(traffic, .seq = TRAFFIC_CLIENT_SEQ, .ack = TRAFFIC_SERVER_SEQ);
}
