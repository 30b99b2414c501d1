/* synth.c: makes up a trace, for measuring.
 *
 *     synth mix 2000000 4096 FILE         packets, connections at once: web, mail, files, names (see talk.c)
 *     synth large 1000 16 FILE            megabytes of transfers of 4 to 64 MB
 *     synth short 500000 4096 FILE        connections of ten packets
 *     synth open 1000000 1000000 FILE     the same, but none goes two steps ahead of another: all are open at once
 *
 * Out: a pcap file of Ethernet packets. Of the mix, whose packets have some 220 bytes on average, 1 % are out of order, 0.5 %
 * are sent twice, 0.2 % are fragments. The same arguments give the same file, on every machine.
 *
 * The idea: a pool of connections, each a small state machine that says which packet comes next; one of the pool is asked
 * again and again. A message leaves in segments. A connection that is over makes room for a new one. To disorder, a segment
 * is kept back until the next one of its connection has left, or leaves at once and another time then. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

/* Of the segments that another one follows at once, so many in 10000 are kept back; of those with data, sent twice; of those
 * with much data, sent in fragments. */
#define LATE_PER_10000 3300
#define TWICE_PER_10000 140
#define FRAGMENTS_PER_10000 160
#define MUCH 600

#define CONFIRM_EVERY 2 /* segments: RFC 9293, 3.8.6.3 */

/* What comes next. ORDER: a connection goes through them; between SPEAK and CONFIRM it goes to and fro. */
typedef enum { OPEN, OPEN_ANSWER, OPEN_CONFIRM, SPEAK, CONFIRM, CLOSE, CLOSE_CONFIRM } step_t;

typedef struct connection {
    end_t client, server;
    step_t step;
    talk_t talk;
    message_t *message;   /* being said; NULL: none */
    size_t said;          /* bytes of it that have left */
    unsigned unconfirmed; /* segments since the last acknowledgement */
    packet_t *late;       /* leaves behind the next packet; NULL: none */
} connection_t;

typedef struct kind {
    const char *name;
    talk_kind_t talk;
    enum { PACKETS, MEGABYTES, CONNECTIONS } unit; /* of what is wanted */
    bool is_disordered;
    bool goes_round; /* each connection is asked in its turn */
} kind_t;

typedef struct synth {
    trace_t trace;
    const kind_t *kind;
    uint64_t wanted, opened;
    connection_t *pool;
    uint32_t pool_count;
} synth_t;

static void *get(size_t size)
{
    void *block = calloc(1, size);
    if (!block) {
        fprintf(stderr, "synth: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return block;
}

static void begin(synth_t *s, connection_t *c)
{
    trace_t *t = &s->trace;
    uint32_t host = chance(t, 16 * 250), server = chance(t, 200);
    memset(c, 0, sizeof *c);
    talk_begin(t, &c->talk, s->kind->talk);
    c->client = (end_t){.address = {10, 1, (uint8_t)(host / 250), (uint8_t)(1 + host % 250)}};
    c->client.port = (uint16_t)(32768 + chance(t, 28000));
    c->client.seq = chance(t, 1u << 31) * 2;
    c->server = (end_t){.address = {192, 0, 2, (uint8_t)(1 + server)}, .port = talk_port(&c->talk)};
    c->server.seq = chance(t, 1u << 31) * 2;
    c->step = talk_is_udp(&c->talk) ? SPEAK : OPEN;
    s->opened++;
}

/* Sends a segment; has_more: another one with data follows at once, so that this one may come late. */
static void send(synth_t *s, connection_t *c, bool is_server, unsigned flags, const char *data, size_t len, bool has_more)
{
    trace_t *t = &s->trace;
    end_t *from = is_server ? &c->server : &c->client, *to = is_server ? &c->client : &c->server;
    packet_t packet;
    wire_tcp(t, &packet, from, to, flags, data, len);
    from->seq += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
    t->bytes += len;
    packet_t *was_late = c->late;
    if (s->kind->is_disordered && !was_late && len) {
        bool is_late = has_more && chance(t, 10000) < LATE_PER_10000;
        if (is_late || chance(t, 10000) < TWICE_PER_10000) {
            c->late = get(sizeof packet);
            *c->late = packet;
        }
        if (is_late)
            return;
    }
    if (s->kind->is_disordered && len > MUCH && chance(t, 10000) < FRAGMENTS_PER_10000)
        wire_write_fragments(t, &packet);
    else
        wire_write(t, &packet);
    if (was_late) {
        wire_write(t, was_late);
        free(was_late);
        c->late = NULL;
    }
}

/* Says the next part of what is to be said. Returns what comes next. */
static step_t speak(synth_t *s, connection_t *c)
{
    char buffer[MSS];
    if (!c->message) {
        c->message = get(sizeof *c->message);
        c->said = 0;
        if (!talk_next(&s->trace, &c->talk, c->message)) {
            free(c->message);
            c->message = NULL;
            return CLOSE;
        }
    }
    const message_t *m = c->message;
    size_t rest = talk_len(m) - c->said, len = rest < MSS ? rest : MSS;
    const char *data = talk_bytes(m, c->said, len, buffer);
    c->unconfirmed++;
    send(s, c, m->is_server, len == rest ? PSH | ACK : ACK, data, len, len < rest && c->unconfirmed < CONFIRM_EVERY);
    c->said += len;
    return len == rest || c->unconfirmed == CONFIRM_EVERY ? CONFIRM : SPEAK;
}

static step_t confirm(synth_t *s, connection_t *c)
{
    c->unconfirmed = 0;
    send(s, c, !c->message->is_server, ACK, NULL, 0, false);
    if (c->said == talk_len(c->message)) {
        free(c->message);
        c->message = NULL;
    }
    return SPEAK;
}

/* Sends the next datagram. Returns false if there is none. */
static bool send_datagram(synth_t *s, connection_t *c)
{
    message_t m;
    packet_t packet;
    if (!talk_next(&s->trace, &c->talk, &m))
        return false;
    wire_udp(&s->trace, &packet, m.is_server ? &c->server : &c->client, m.is_server ? &c->client : &c->server, m.text, m.len);
    wire_write(&s->trace, &packet);
    return true;
}

/* Sends the packet that comes next on a connection. Returns false if that was the last. */
static bool advance(synth_t *s, connection_t *c)
{
    if (talk_is_udp(&c->talk))
        return send_datagram(s, c);
    switch (c->step) {
    case OPEN:
        send(s, c, false, SYN, NULL, 0, false);
        break;
    case OPEN_ANSWER:
        send(s, c, true, SYN | ACK, NULL, 0, false);
        break;
    case OPEN_CONFIRM:
        send(s, c, false, ACK, NULL, 0, false);
        break;
    case SPEAK:
        c->step = speak(s, c);
        if (c->step == CLOSE)
            send(s, c, false, FIN | ACK, NULL, 0, false);
        return true;
    case CONFIRM:
        c->step = confirm(s, c);
        return true;
    case CLOSE:
        send(s, c, true, FIN | ACK, NULL, 0, false);
        break;
    case CLOSE_CONFIRM:
        send(s, c, false, ACK, NULL, 0, false);
        return false;
    }
    c->step++;
    return true;
}

/* Whether the trace is as long as it was to be, or no connection is to begin any more. */
static bool is_enough(const synth_t *s)
{
    switch (s->kind->unit) {
    case PACKETS:
        return s->trace.count >= s->wanted;
    case MEGABYTES:
        return s->trace.bytes >> 20 >= s->wanted;
    case CONNECTIONS:
        return s->opened >= s->wanted;
    }
    return true;
}

static void synthesise(synth_t *s)
{
    const uint32_t stride = 611953; /* a prime, so that a round meets every connection of a pool that is no multiple of it */
    uint32_t live = s->pool_count, at = 0;
    s->pool = get(live * sizeof *s->pool);
    wire_begin(&s->trace);
    for (uint32_t i = 0; i < live; i++)
        begin(s, &s->pool[i]);
    while (live > 0 && !(s->kind->unit != CONNECTIONS && is_enough(s))) {
        at = s->kind->goes_round ? (uint32_t)(((uint64_t)at + stride) % live) : chance(&s->trace, live);
        connection_t *c = &s->pool[at];
        if (advance(s, c))
            continue;
        free(c->late);
        if (is_enough(s))
            *c = s->pool[--live];
        else
            begin(s, c);
    }
    for (uint32_t i = 0; i < live; i++) {
        free(s->pool[i].late);
        free(s->pool[i].message);
    }
    free(s->pool);
}

static const kind_t *find_kind(const char *name)
{
    static const kind_t kinds[] = {{"mix", TALK_MIX, PACKETS, true, false},
                                   {"large", TALK_LARGE, MEGABYTES, false, false},
                                   {"short", TALK_SHORT, CONNECTIONS, false, false},
                                   {"open", TALK_SHORT, CONNECTIONS, false, true}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    synth_t s = {.trace = {.time_us = 1715000000000000, .random = 88172645463325252}};
    if (argc == 5) {
        s.kind = find_kind(argv[1]);
        s.wanted = strtoull(argv[2], NULL, 10);
        s.pool_count = (uint32_t)strtoul(argv[3], NULL, 10);
    }
    if (!s.kind || !s.wanted || !s.pool_count) {
        fprintf(stderr, "usage: synth mix|large|short|open COUNT AT_ONCE FILE\n");
        return 2;
    }
    s.trace.file = fopen(argv[4], "wb");
    if (!s.trace.file) {
        perror(argv[4]);
        return 1;
    }
    synthesise(&s);
    bool is_done = !ferror(s.trace.file);
    if (fclose(s.trace.file) != 0 || !is_done) {
        fprintf(stderr, "%s: cannot be written\n", argv[4]);
        return 1;
    }
    return 0;
}
