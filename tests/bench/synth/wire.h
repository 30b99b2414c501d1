/* wire.h: packets as they are on the wire, and the pcap file that they go to. See wire.c. */
#ifndef SYNTH_WIRE_H
#define SYNTH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MSS 1448 /* most bytes of a segment, with time stamps */
#define PACKET_SIZE 1514

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

/* One end of a connection. */
typedef struct end {
    uint8_t address[4];
    uint16_t port;
    uint32_t seq; /* of its next byte */
} end_t;

typedef struct packet {
    size_t len;
    uint8_t bytes[PACKET_SIZE];
} packet_t;

typedef struct trace {
    FILE *file;
    uint64_t count;   /* packets written */
    uint64_t bytes;   /* of payload, written */
    uint64_t time_us; /* of the last packet */
    uint64_t random;
} trace_t;

/* A number from 0 to below - 1: xorshift64* (Marsaglia; Vigna), the same everywhere. At most one call in an expression: C
 * leaves open which argument comes first. */
uint32_t chance(trace_t *t, uint32_t below);

#define PICK(t, list) ((list)[chance((t), (uint32_t)(sizeof(list) / sizeof *(list)))])

void wire_begin(trace_t *t);

/* Makes a packet of `len` bytes of data; a TCP segment takes its numbers from the two ends. */
void wire_tcp(trace_t *t, packet_t *packet, const end_t *from, const end_t *to, unsigned flags, const char *data, size_t len);
void wire_udp(trace_t *t, packet_t *packet, const end_t *from, const end_t *to, const char *data, size_t len);

/* Writes it as the record that comes next, or as two fragments: RFC 791, 3.2. */
void wire_write(trace_t *t, const packet_t *packet);
void wire_write_fragments(trace_t *t, const packet_t *packet);

#endif
