/* synth.c: makes up a trace of web traffic, for measuring.
 *
 * In: a number of packets. Out: a pcap file of that many Ethernet packets (some 220 bytes each on average): thousands of TCP
 * connections at a time, each with one to eight HTTP/1.1 transactions, correct checksums, 1 % of the packets out of order
 * and 0.5 % sent twice. The same number gives the same file, on every machine.
 *
 * The idea: a pool of connections, each a small state machine that says which packet comes next; a random one of the pool is
 * asked again and again. What a side has to say is written as text to its buffer, and leaves in segments of MSS bytes. A
 * connection that is over makes room for a new one. To disorder, a segment is kept back until the next one of its connection
 * has left, or leaves at once and another time then. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL 4096       /* connections at a time */
#define MSS 1448        /* bytes of a segment, with time stamps */
#define SAY_SIZE 16384  /* most bytes of a message */
#define ETHERNET_LEN 14
#define IP_LEN 20
#define TCP_LEN 32
#define HEADERS_LEN (ETHERNET_LEN + IP_LEN + TCP_LEN)

/* Of the segments that another one follows at once, so many in 10000 are kept back; of those with data, sent twice. */
#define LATE_PER_10000 4400
#define TWICE_PER_10000 130

#define CONFIRM_EVERY 4 /* segments */

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

typedef struct side {
    uint8_t address[4];
    uint16_t port;
    uint32_t seq; /* of its next byte */
} side_t;

typedef struct packet {
    size_t len; /* 0: none */
    uint8_t bytes[HEADERS_LEN + MSS];
} packet_t;

/* What comes next. ORDER: a connection goes through them, and from CONFIRM back to ASK for its next transaction. */
typedef enum {
    OPEN,
    OPEN_ANSWER,
    OPEN_CONFIRM,
    ASK,
    ASK_CONFIRM,
    ANSWER,
    CONFIRM,
    CLOSE,
    CLOSE_ANSWER,
    CLOSE_CONFIRM
} step_t;

typedef struct connection {
    side_t client, server;
    step_t step;
    unsigned transactions; /* still to come */
    bool is_head;          /* the request was HEAD: the response has no body */
    char say[SAY_SIZE];    /* the message being sent */
    size_t say_len;
    size_t said;           /* bytes of it that have left */
    unsigned unconfirmed;  /* segments since the last acknowledgement */
    packet_t late;         /* leaves behind the next packet */
} connection_t;

typedef struct trace {
    FILE *file;
    uint64_t count;   /* packets written, */
    uint64_t wanted;  /* and to write */
    uint64_t time_us; /* of the last one */
    uint64_t random;
} trace_t;

/* ---------------------------------------------------------------- chance */

/* A number from 0 to below - 1: xorshift64* (Marsaglia; Vigna), the same everywhere. At most one call in an expression: C
 * leaves open which argument comes first. */
static uint32_t chance(trace_t *t, uint32_t below)
{
    t->random ^= t->random >> 12;
    t->random ^= t->random << 25;
    t->random ^= t->random >> 27;
    return (uint32_t)((t->random * 0x2545f4914f6cdd1dull) >> 33) % below;
}

#define PICK(t, list) ((list)[chance((t), (uint32_t)(sizeof(list) / sizeof *(list)))])

/* ---------------------------------------------------------------- packets */

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

static void put_ip(uint8_t *ip, const side_t *from, const side_t *to, size_t tcp_len, uint32_t id)
{
    memset(ip, 0, IP_LEN);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP_LEN + tcp_len));
    put16(ip + 4, id);
    ip[6] = 0x40; /* do not fragment */
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, from->address, 4);
    memcpy(ip + 16, to->address, 4);
    put16(ip + 10, ~checksum(ip, IP_LEN, 0) & 0xffff);
}

static void put_tcp(uint8_t *tcp, const side_t *from, const side_t *to, unsigned flags, size_t len, uint32_t time)
{
    memset(tcp, 0, TCP_LEN);
    put16(tcp, from->port);
    put16(tcp + 2, to->port);
    put32(tcp + 4, from->seq);
    put32(tcp + 8, flags & ACK ? to->seq : 0);
    tcp[12] = TCP_LEN / 4 << 4;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 64240);
    static const uint8_t time_stamps[] = {1, 1, 8, 10}; /* RFC 7323, 3.2 */
    memcpy(tcp + 20, time_stamps, sizeof time_stamps);
    put32(tcp + 24, time);
    put32(tcp + 28, flags & ACK ? time - 1 : 0);
    uint8_t pseudo[12] = {0}; /* RFC 9293, 3.1 */
    memcpy(pseudo, from->address, 4);
    memcpy(pseudo + 4, to->address, 4);
    pseudo[9] = 6;
    put16(pseudo + 10, (uint32_t)(TCP_LEN + len));
    put16(tcp + 16, ~checksum(tcp, TCP_LEN + len, checksum(pseudo, sizeof pseudo, 0)) & 0xffff);
}

static void build(trace_t *t, packet_t *packet, const side_t *from, const side_t *to, unsigned flags, const char *data,
                  size_t len)
{
    uint8_t *ethernet = packet->bytes;
    memcpy(ethernet, "\2\0\0\0\0\1\2\0\0\0\0\2\x08", 13);
    ethernet[13] = 0;
    uint8_t *ip = ethernet + ETHERNET_LEN, *tcp = ip + IP_LEN;
    if (len)
        memcpy(tcp + TCP_LEN, data, len);
    put_tcp(tcp, from, to, flags, len, (uint32_t)(t->time_us / 1000));
    put_ip(ip, from, to, TCP_LEN + len, (uint32_t)t->count);
    packet->len = HEADERS_LEN + len;
}

/* Writes a packet as the pcap record that comes next, unless there are enough. */
static void write_packet(trace_t *t, const packet_t *packet)
{
    if (t->count == t->wanted)
        return;
    t->time_us += 1 + chance(t, 16);
    uint32_t header[4] = {(uint32_t)(t->time_us / 1000000), (uint32_t)(t->time_us % 1000000), (uint32_t)packet->len,
                          (uint32_t)packet->len};
    fwrite(header, sizeof header, 1, t->file);
    fwrite(packet->bytes, packet->len, 1, t->file);
    t->count++;
}

/* Sends a segment of `from`; has_more: another one with data follows at once, so that this one may come late. */
static void send(trace_t *t, connection_t *c, side_t *from, unsigned flags, size_t len, bool has_more)
{
    side_t *to = from == &c->client ? &c->server : &c->client;
    packet_t packet;
    build(t, &packet, from, to, flags, c->say + c->said, len);
    from->seq += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
    bool was_late = c->late.len > 0;
    if (has_more && !was_late && chance(t, 10000) < LATE_PER_10000) {
        c->late = packet;
        return;
    }
    write_packet(t, &packet);
    if (was_late) {
        write_packet(t, &c->late);
        c->late.len = 0;
    } else if (len && chance(t, 10000) < TWICE_PER_10000) {
        c->late = packet;
    }
}

/* ---------------------------------------------------------------- messages */

static void say(connection_t *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(connection_t *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(c->say + c->say_len, sizeof c->say - c->say_len, format, args);
    va_end(args);
    c->say_len += (size_t)len;
}

static void say_base64(connection_t *c, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)(uint8_t)text[i] << 16;
        group |= i + 1 < len ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
        group |= i + 2 < len ? (uint32_t)(uint8_t)text[i + 2] : 0;
        say(c, "%c%c%c%c", digits[group >> 18], digits[group >> 12 & 63], i + 1 < len ? digits[group >> 6 & 63] : '=',
            i + 2 < len ? digits[group & 63] : '=');
    }
}

static void say_login(trace_t *t, connection_t *c)
{
    static const char *const users[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"};
    char text[64];
    const char *user = PICK(t, users);
    uint32_t number = chance(t, 1000);
    snprintf(text, sizeof text, "%s%u:secret%u", user, number, number * 7919 % 100000);
    say(c, "Authorization: Basic ");
    say_base64(c, text);
    say(c, "\r\n");
}

static void say_target(trace_t *t, connection_t *c)
{
    static const char *const folders[] = {"", "/images", "/static/css", "/static/js", "/api/v2/items", "/news/2024/05"};
    static const char *const files[] = {"/index.html", "/logo.png", "/main.css", "/app.min.js", "/list", "/article.html"};
    say(c, "%s", PICK(t, folders));
    say(c, "%s", PICK(t, files));
    uint32_t id = chance(t, 1000000);
    if (id % 3 == 0)
        say(c, "?id=%u&page=%u&sort=date", id, id % 40);
}

static void say_request(trace_t *t, connection_t *c)
{
    static const char *const hosts[] = {"www.example.com", "static.example.net", "api.example.org", "news.example.edu"};
    static const char *const agents[] = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "curl/7.88.1",
    };
    uint32_t kind = chance(t, 100);
    bool is_post = kind < 10;
    c->is_head = kind >= 96;
    say(c, "%s ", is_post ? "POST" : c->is_head ? "HEAD" : "GET");
    say_target(t, c);
    say(c, " HTTP/1.1\r\nHost: %s\r\n", PICK(t, hosts));
    say(c, "User-Agent: %s\r\nAccept: */*\r\n", PICK(t, agents));
    if (chance(t, 2))
        say(c, "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.5\r\n");
    if (chance(t, 3) == 0)
        say(c, "Cookie: session=%08x; consent=yes; theme=dark\r\n", chance(t, 1u << 30));
    if (chance(t, 20) == 0)
        say_login(t, c);
    if (!is_post) {
        say(c, "Connection: keep-alive\r\n\r\n");
        return;
    }
    char body[64];
    int len = snprintf(body, sizeof body, "name=user%u&comment=nothing+special", chance(t, 100000));
    say(c, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len, body);
}

/* Bytes of a body: mostly few, at times several segments. */
static uint32_t body_len(trace_t *t)
{
    return chance(t, 12) == 0 ? 1500 + chance(t, 6500) : chance(t, 420);
}

static void say_text(connection_t *c, uint32_t len)
{
    static const char text[] = "<p>The quick brown fox jumps over the lazy dog, and nobody minds.</p>\n";
    for (uint32_t i = 0; i < len; i++)
        c->say[c->say_len++] = text[i % (sizeof text - 1)];
}

static void say_response(trace_t *t, connection_t *c)
{
    uint32_t kind = chance(t, 100);
    const char *status = kind < 70   ? "200 OK"
                         : kind < 77 ? "404 Not Found"
                         : kind < 97 ? "304 Not Modified"
                                     : "204 No Content";
    say(c, "HTTP/1.1 %s\r\nServer: nginx/1.22.1\r\nDate: Mon, 06 May 2024 10:20:%02u GMT\r\n", status, chance(t, 60));
    if (c->is_head || kind >= 77) {
        say(c, "Connection: keep-alive\r\n\r\n");
        return;
    }
    uint32_t len = body_len(t);
    say(c, "Content-Type: text/html; charset=utf-8\r\nConnection: keep-alive\r\n");
    if (chance(t, 8) == 0) {
        say(c, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", len + 1);
        say_text(c, len + 1);
        say(c, "\r\n0\r\n\r\n");
    } else {
        say(c, "Content-Length: %" PRIu32 "\r\n\r\n", len);
        say_text(c, len);
    }
}

/* ---------------------------------------------------------------- connections */

static void open_connection(trace_t *t, connection_t *c)
{
    uint32_t host = chance(t, 16 * 250);
    c->client = (side_t){.address = {10, 1, (uint8_t)(host / 250), (uint8_t)(1 + host % 250)}};
    c->client.port = (uint16_t)(32768 + chance(t, 28000));
    c->client.seq = chance(t, 1u << 31) * 2;
    c->server = (side_t){.address = {192, 0, 2, (uint8_t)(1 + chance(t, 200))}, .port = 80};
    c->server.seq = chance(t, 1u << 31) * 2;
    c->step = OPEN;
    c->transactions = 1 + chance(t, 8);
    c->say_len = c->said = 0;
    c->unconfirmed = 0;
    c->late.len = 0;
}

/* Sends the next segment of the message. Returns true if it was the last. */
static bool send_part(trace_t *t, connection_t *c, side_t *from)
{
    size_t rest = c->say_len - c->said;
    size_t len = rest < MSS ? rest : MSS;
    send(t, c, from, len == rest ? PSH | ACK : ACK, len, len < rest && c->unconfirmed < CONFIRM_EVERY);
    c->said += len;
    return len == rest;
}

static void answer(trace_t *t, connection_t *c)
{
    if (c->said == c->say_len) {
        c->say_len = c->said = 0;
        say_response(t, c);
    }
    c->unconfirmed++;
    if (send_part(t, c, &c->server) || c->unconfirmed == CONFIRM_EVERY)
        c->step = CONFIRM;
}

static void confirm(trace_t *t, connection_t *c)
{
    c->unconfirmed = 0;
    send(t, c, &c->client, ACK, 0, false);
    if (c->said < c->say_len)
        c->step = ANSWER;
    else
        c->step = --c->transactions ? ASK : CLOSE;
}

/* Sends the packet that comes next on a connection. */
static void advance(trace_t *t, connection_t *c)
{
    switch (c->step) {
    case OPEN:
        send(t, c, &c->client, SYN, 0, false);
        break;
    case OPEN_ANSWER:
        send(t, c, &c->server, SYN | ACK, 0, false);
        break;
    case OPEN_CONFIRM:
    case CLOSE_CONFIRM:
        send(t, c, &c->client, ACK, 0, false);
        break;
    case ASK:
        c->say_len = c->said = 0;
        say_request(t, c);
        send_part(t, c, &c->client);
        break;
    case ASK_CONFIRM:
        send(t, c, &c->server, ACK, 0, false);
        break;
    case ANSWER:
        answer(t, c);
        return;
    case CONFIRM:
        confirm(t, c);
        return;
    case CLOSE:
        send(t, c, &c->client, FIN | ACK, 0, false);
        break;
    case CLOSE_ANSWER:
        send(t, c, &c->server, FIN | ACK, 0, false);
        break;
    }
    if (c->step == CLOSE_CONFIRM)
        open_connection(t, c);
    else
        c->step++;
}

/* ---------------------------------------------------------------- main */

static bool synthesise(trace_t *t)
{
    connection_t *pool = calloc(POOL, sizeof *pool);
    if (!pool)
        return false;
    const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1};
    fwrite(header, sizeof header, 1, t->file);
    for (size_t i = 0; i < POOL; i++)
        open_connection(t, &pool[i]);
    while (t->count < t->wanted)
        advance(t, &pool[chance(t, POOL)]);
    free(pool);
    return true;
}

int main(int argc, char **argv)
{
    char *rest = NULL;
    uint64_t wanted = argc == 3 ? strtoull(argv[1], &rest, 10) : 0;
    if (!wanted || *rest) {
        fprintf(stderr, "usage: synth PACKETS FILE\n");
        return 2;
    }
    trace_t t = {.file = fopen(argv[2], "wb"), .wanted = wanted, .time_us = 1715000000000000, .random = 88172645463325252};
    if (!t.file) {
        perror(argv[2]);
        return 1;
    }
    bool is_done = synthesise(&t) && !ferror(t.file);
    if (fclose(t.file) != 0 || !is_done) {
        fprintf(stderr, "%s: cannot be written\n", argv[2]);
        return 1;
    }
    return 0;
}
