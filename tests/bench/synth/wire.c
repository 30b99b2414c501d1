/* wire.c: Ethernet packets with IPv4 and TCP or UDP, with correct checksums, and the pcap file that they go to. The clock
 * goes on by some microseconds with each. See wire.h. */
#include "wire.h"

#include <string.h>

#define ETHERNET_LEN 14
#define IP_LEN 20
#define TCP_LEN 32 /* with time stamps */
#define UDP_LEN 8

uint32_t chance(trace_t *t, uint32_t below)
{
    t->random ^= t->random >> 12;
    t->random ^= t->random << 25;
    t->random ^= t->random >> 27;
    return (uint32_t)((t->random * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

/* The Internet checksum (RFC 1071) of an even or odd number of bytes, on top of a sum so far. */
static uint32_t checksum(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (len & 1)
        sum += (uint32_t)bytes[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Sums the pseudo-header: RFC 9293, 3.1. */
static uint32_t sum_ends(const end_t *from, const end_t *to, uint8_t protocol, size_t len)
{
    uint8_t pseudo[12] = {0};
    memcpy(pseudo, from->address, 4);
    memcpy(pseudo + 4, to->address, 4);
    pseudo[9] = protocol;
    put16(pseudo + 10, (uint32_t)len);
    return checksum(pseudo, sizeof pseudo, 0);
}

static void put_ip_checksum(uint8_t *ip)
{
    put16(ip + 10, 0);
    put16(ip + 10, ~checksum(ip, IP_LEN, 0) & 0xffff);
}

/* The headers in front of `len` bytes of TCP or UDP, which the result points to. */
static uint8_t *put_headers(trace_t *t, packet_t *packet, const end_t *from, const end_t *to, uint8_t protocol, size_t len)
{
    uint8_t *ip = packet->bytes + ETHERNET_LEN;
    memcpy(packet->bytes, "\2\0\0\0\0\1\2\0\0\0\0\2\x08", 13);
    packet->bytes[13] = 0;
    memset(ip, 0, IP_LEN);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP_LEN + len));
    put16(ip + 4, (uint32_t)t->count);
    ip[6] = 0x40; /* do not fragment */
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, from->address, 4);
    memcpy(ip + 16, to->address, 4);
    put_ip_checksum(ip);
    packet->len = ETHERNET_LEN + IP_LEN + len;
    return ip + IP_LEN;
}

void wire_tcp(trace_t *t, packet_t *packet, const end_t *from, const end_t *to, unsigned flags, const char *data, size_t len)
{
    static const uint8_t time_stamps[] = {1, 1, 8, 10}; /* RFC 7323, 3.2 */
    uint8_t *tcp = put_headers(t, packet, from, to, 6, TCP_LEN + len);
    uint32_t time = (uint32_t)(t->time_us / 1000);
    memset(tcp, 0, TCP_LEN);
    put16(tcp, from->port);
    put16(tcp + 2, to->port);
    put32(tcp + 4, from->seq);
    put32(tcp + 8, flags & ACK ? to->seq : 0);
    tcp[12] = TCP_LEN / 4 << 4;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 64240);
    memcpy(tcp + 20, time_stamps, sizeof time_stamps);
    put32(tcp + 24, time);
    put32(tcp + 28, flags & ACK ? time - 1 : 0);
    if (len)
        memcpy(tcp + TCP_LEN, data, len);
    put16(tcp + 16, ~checksum(tcp, TCP_LEN + len, sum_ends(from, to, 6, TCP_LEN + len)) & 0xffff);
}

void wire_udp(trace_t *t, packet_t *packet, const end_t *from, const end_t *to, const char *data, size_t len)
{
    uint8_t *udp = put_headers(t, packet, from, to, 17, UDP_LEN + len);
    put16(udp, from->port);
    put16(udp + 2, to->port);
    put16(udp + 4, (uint32_t)(UDP_LEN + len));
    put16(udp + 6, 0);
    memcpy(udp + UDP_LEN, data, len);
    put16(udp + 6, ~checksum(udp, UDP_LEN + len, sum_ends(from, to, 17, UDP_LEN + len)) & 0xffff);
}

void wire_begin(trace_t *t)
{
    const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1};
    fwrite(header, sizeof header, 1, t->file);
}

void wire_write(trace_t *t, const packet_t *packet)
{
    t->time_us += 1 + chance(t, 16);
    uint32_t header[4] = {(uint32_t)(t->time_us / 1000000), (uint32_t)(t->time_us % 1000000), (uint32_t)packet->len,
                          (uint32_t)packet->len};
    fwrite(header, sizeof header, 1, t->file);
    fwrite(packet->bytes, packet->len, 1, t->file);
    t->count++;
}

void wire_write_fragments(trace_t *t, const packet_t *packet)
{
    packet_t part = *packet;
    size_t headers = ETHERNET_LEN + IP_LEN, first = (packet->len - headers) / 2 & ~(size_t)7;
    uint8_t *ip = part.bytes + ETHERNET_LEN;
    put16(ip + 2, (uint32_t)(IP_LEN + first));
    put16(ip + 6, 0x2000); /* more follow */
    put_ip_checksum(ip);
    part.len = headers + first;
    wire_write(t, &part);
    part.len = packet->len - first;
    memcpy(part.bytes + headers, packet->bytes + headers + first, part.len - headers);
    put16(ip + 2, (uint32_t)(part.len - ETHERNET_LEN));
    put16(ip + 6, (uint32_t)(first / 8));
    put_ip_checksum(ip);
    wire_write(t, &part);
}
