/* traffic.h: packets that a test makes up, and a record of what a handle makes of them.
 *
 * A test reads like the capture: each call is one packet, pushed to the handle at once. What a call does not say is a
 * default:
 *
 *     traffic_tcp(t, .flags = "S", .seq = 99);
 *     traffic_tcp(t, .seq = 100, .text = "GET ");
 *     assert_string_equal(t->text[0], "GET "); */
#ifndef QCAP_TEST_TRAFFIC_H
#define QCAP_TEST_TRAFFIC_H

#include "qcap.h"

#define TRAFFIC_LINK_TYPE 12 /* raw IP */
#define TRAFFIC_MAX 70000    /* bytes of a packet */

typedef struct traffic {
    qcap_t *q;           /* pushed handle, link type raw IP */
    int64_t now_ns;      /* time of the next packet; grows by a microsecond with each */
    char text[2][8192];  /* what the client's and the server's streams had: see traffic_open() */
    char stages[8192];   /* texts of the stages from TCP_OPENED on, each followed by a comma */
    unsigned char datagram[TRAFFIC_MAX]; /* payload of the last datagram that was put together */
    size_t datagram_len;
} traffic_t;

/* A handle that records, in text[0] and [1]: the bytes of the client and of the server; `[n]` for n lost ones; at
 * the end `.` closed, `!` reset, `~` idle, `#` evicted, `^` replaced, `$` the capture ended. To be closed by
 * traffic_close(). */
traffic_t *traffic_open(void);
/* As traffic_open(), for a handle that was opened elsewhere and is taken over. */
traffic_t *traffic_record(qcap_t *q);
void traffic_close(traffic_t *traffic);

/* Capture time goes on. */
void traffic_wait_ms(traffic_t *traffic, int64_t ms);

/* How often a stage was reached. */
uint64_t traffic_count(const traffic_t *traffic, qcap_stage_t stage);

/* ---------------------------------------------------------------- TCP */

typedef enum {
    TRAFFIC_GOOD,
    TRAFFIC_BAD,
    TRAFFIC_ZERO,   /* the sender's hardware was to compute it */
    TRAFFIC_PARTIAL /* likewise: the sum of the pseudo-header */
} traffic_checksum_t;

typedef struct traffic_segment {
    bool from_server;    /* from 10.0.0.2 to 10.0.0.1; else the other way */
    bool is_ipv6;        /* the addresses are 2001:db8::1 and ::2 */
    const char *flags;   /* of "SFRAU"; NULL: "A" */
    uint32_t seq, ack;
    uint16_t urgent;     /* what the urgent pointer says */
    const char *text;    /* payload; NULL: none */
    uint32_t len;        /* of text; 0: strlen */
    uint16_t window;     /* 0: 65535 */
    bool is_window_zero; /* really 0 */
    uint8_t scale;       /* window scale of a SYN; 0: none */
    uint16_t client_port; /* 0: 40000 */
    uint16_t server_port; /* 0: 80 */
    uint16_t snap;       /* bytes of the payload that were not captured */
    traffic_checksum_t checksum;
} traffic_segment_t;

/* Writes the packet, from the IP header on; returns its length. */
size_t traffic_build_tcp(unsigned char *packet, const traffic_segment_t *segment);

void traffic_send_tcp(traffic_t *traffic, const traffic_segment_t *segment);
#define traffic_tcp(traffic, ...) traffic_send_tcp(traffic, &(traffic_segment_t){__VA_ARGS__})

/* The three segments that open a connection; the first bytes are then at these numbers. */
#define TRAFFIC_CLIENT_SEQ 1000u
#define TRAFFIC_SERVER_SEQ 5000u
void traffic_handshake(traffic_t *traffic);

/* ---------------------------------------------------------------- IP */

typedef struct traffic_fragment {
    bool is_ipv6;
    uint8_t protocol;        /* 0: 17, UDP */
    uint32_t identification;
    uint32_t begin;          /* offset of the data, a multiple of 8 */
    bool has_more;           /* not the last one */
    const void *bytes;       /* the data */
    uint32_t len;
} traffic_fragment_t;

size_t traffic_build_fragment(unsigned char *packet, const traffic_fragment_t *fragment);
void traffic_send_fragment(traffic_t *traffic, const traffic_fragment_t *fragment);
#define traffic_fragment(traffic, ...) traffic_send_fragment(traffic, &(traffic_fragment_t){__VA_ARGS__})

/* ---------------------------------------------------------------- UDP */

typedef struct traffic_datagram {
    bool from_server;     /* from 10.0.0.2 to 10.0.0.1; else the other way */
    const char *text;     /* payload; NULL: none */
    uint32_t len;         /* of text; 0: strlen */
    uint16_t client_port; /* 0: 40000 */
    uint16_t server_port; /* 0: 53 */
    uint16_t snap;        /* bytes of the payload that were not captured */
} traffic_datagram_t;

void traffic_send_udp(traffic_t *traffic, const traffic_datagram_t *datagram);
#define traffic_udp(traffic, ...) traffic_send_udp(traffic, &(traffic_datagram_t){__VA_ARGS__})

/* Pushes any packet, at the time of the next one. */
void traffic_push(traffic_t *traffic, const void *packet, size_t len, size_t wire_len);

#endif
