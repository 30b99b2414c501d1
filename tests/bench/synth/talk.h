/* talk.h: what the two ends of a connection say to each other. See talk.c. */
#ifndef SYNTH_TALK_H
#define SYNTH_TALK_H

#include "wire.h"

#define SAY_SIZE 1200 /* most bytes of a message, before its filling */

/* A message. What is long is not written out: `fill` bytes of the same text follow, and then the `tail`. */
typedef struct message {
    bool is_server;   /* who says it */
    size_t len;       /* of text */
    uint32_t fill;
    const char *tail; /* "" if nothing follows */
    char text[SAY_SIZE];
} message_t;

typedef struct talk talk_t;

/* The talks there are: of the mix, each as often as in the traffic it is to be like; of large transfers; of short
 * connections. */
typedef enum { TALK_MIX, TALK_LARGE, TALK_SHORT } talk_kind_t;

struct talk {
    const struct protocol *protocol;
    unsigned turn;   /* messages so far */
    unsigned rounds; /* still to come, of a request and a response */
    bool is_head;    /* HTTP: the request was HEAD: the response has no body */
};

void talk_begin(trace_t *t, talk_t *talk, talk_kind_t kind);

/* The server's port; whether messages are datagrams. */
uint16_t talk_port(const talk_t *talk);
bool talk_is_udp(const talk_t *talk);

/* What is said next. Returns false if everything was said. */
bool talk_next(trace_t *t, talk_t *talk, message_t *message);

/* The bytes [at, at + len) of a message, len not above MSS: they are in the message, or written to `buffer`. */
const char *talk_bytes(const message_t *message, size_t at, size_t len, char *buffer);
size_t talk_len(const message_t *message);

#endif
