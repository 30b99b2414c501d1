/* dialogue.h: a TCP conversation that a test conducts, packet by packet, and a log of what a handle makes of it.
 *
 * A test reads like the scenario: who says what, in the order of the capture. Offsets count from the first byte
 * behind the SYN, as in qcap.h. */
#ifndef QCAP_TEST_DIALOGUE_H
#define QCAP_TEST_DIALOGUE_H

#include "qcap.h"
#include "traffic.h"

typedef struct dialogue {
    qcap_t *q;             /* where packets are pushed; of link type TRAFFIC_LINK_TYPE */
    uint16_t server_port;  /* of the server */
    uint32_t first_seq[2]; /* sequence number of offset 0: [0] of the client, [1] of the server */
    uint32_t said[2];      /* offset behind the last byte said */
    int64_t now_ns;        /* time of the next packet; grows by a millisecond with each */
} dialogue_t;

#define CLIENT false
#define SERVER true

/* A dialogue at that port of the server, of which nothing has been captured yet. */
void dialogue_init(dialogue_t *dialogue, qcap_t *q, uint16_t server_port);

/* The three segments that open a connection. */
void dialogue_open(dialogue_t *dialogue);

/* One side says a text, in one segment, having heard all that the other side has said. */
void dialogue_say(dialogue_t *dialogue, bool is_server, const char *text);

/* A segment with a text at any offset, whose sender has heard `heard` bytes of the other side. */
void dialogue_segment(dialogue_t *dialogue, bool is_server, uint32_t offset, const char *text, uint32_t heard);

/* The side closes. */
void dialogue_fin(dialogue_t *dialogue, bool is_server);

/* The side resets the connection. */
void dialogue_reset(dialogue_t *dialogue, bool is_server);

/* ---------------------------------------------------------------- what came of it */

/* A log: one line for each match and report, in order. */
typedef struct chronicle {
    char text[16384];
    size_t len;
} chronicle_t;

/* Handlers whose user is a chronicle. Lines of matches: `client http.method 0 "GET"`, where CR and LF stand as \r and
 * \n; of streams: `server begin http.content 17`, then piece with its text, gap with its length, end; of reports:
 * `client error 5 offset 5: unexpected byte`. Behind the offset of what
 * a sub-stream has: `..9 (1: 0..4)`, its end, how deep it lies, and its offsets there; of a report `(1: mime)`, its protocol. */
void chronicle_match(const qcap_match_t *match, void *user);
void chronicle_report(const qcap_report_t *report, void *user);

/* Likewise: `speaks toy from 0 0: its bytes fit`, the offsets being the client's and the server's; `announced by ftp server 27`
 * behind it, the announcement's direction and offset. */
void chronicle_spoken(const qcap_spoken_t *spoken, void *user);

#endif
