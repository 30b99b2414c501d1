/* talk.c: what the two ends of a connection say to each other.
 *
 * Each protocol is a function that is asked for one message after the other: talk->turn counts them from 0. Web traffic is
 * most of it; mail is sent (SMTP) and fetched (POP3), files are listed (FTP's control connection), names looked up (DNS). */
#include "talk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct protocol {
    uint16_t port;
    bool is_udp;
    bool (*next)(trace_t *t, talk_t *talk, message_t *message);
} protocol_t;

static const char filling[] = "<p>The quick brown fox jumps over the lazy dog, and nobody minds.</p>\r\n";
#define FILLING_LEN (sizeof filling - 1)

static void say(message_t *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(message_t *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(m->text + m->len, sizeof m->text - m->len, format, args);
    va_end(args);
    m->len += (size_t)len;
}

static void say_base64(message_t *m, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)(uint8_t)text[i] << 16;
        group |= i + 1 < len ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
        group |= i + 2 < len ? (uint32_t)(uint8_t)text[i + 2] : 0;
        say(m, "%c%c%c%c", digits[group >> 18], digits[group >> 12 & 63], i + 1 < len ? digits[group >> 6 & 63] : '=',
            i + 2 < len ? digits[group & 63] : '=');
    }
}

static const char *user(trace_t *t)
{
    static const char *const users[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"};
    return PICK(t, users);
}

/* ---------------------------------------------------------------- HTTP */

static void say_login(trace_t *t, message_t *m)
{
    char text[64];
    const char *name = user(t);
    uint32_t number = chance(t, 1000);
    snprintf(text, sizeof text, "%s%u:secret%u", name, number, number * 7919 % 100000);
    say(m, "Authorization: Basic ");
    say_base64(m, text);
    say(m, "\r\n");
}

static void say_target(trace_t *t, message_t *m)
{
    static const char *const folders[] = {"", "/images", "/static/css", "/static/js", "/api/v2/items", "/news/2024/05"};
    static const char *const files[] = {"/index.html", "/logo.png", "/main.css", "/app.min.js", "/list", "/article.html"};
    say(m, "%s", PICK(t, folders));
    say(m, "%s", PICK(t, files));
    uint32_t id = chance(t, 1000000);
    if (id % 3 == 0)
        say(m, "?id=%u&page=%u&sort=date", id, id % 40);
}

static void say_request(trace_t *t, talk_t *talk, message_t *m)
{
    static const char *const hosts[] = {"www.example.com", "static.example.net", "api.example.org", "news.example.edu"};
    static const char *const agents[] = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "curl/7.88.1",
    };
    uint32_t kind = chance(t, 100);
    bool is_post = kind < 10;
    talk->is_head = kind >= 96;
    say(m, "%s ", is_post ? "POST" : talk->is_head ? "HEAD" : "GET");
    say_target(t, m);
    say(m, " HTTP/1.1\r\nHost: %s\r\n", PICK(t, hosts));
    say(m, "User-Agent: %s\r\nAccept: */*\r\n", PICK(t, agents));
    if (chance(t, 2))
        say(m, "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.5\r\n");
    if (chance(t, 3) == 0)
        say(m, "Cookie: session=%08x; consent=yes; theme=dark\r\n", chance(t, 1u << 30));
    if (chance(t, 20) == 0)
        say_login(t, m);
    if (!is_post) {
        say(m, "Connection: keep-alive\r\n\r\n");
        return;
    }
    char body[64];
    int len = snprintf(body, sizeof body, "name=user%u&comment=nothing+special", chance(t, 100000));
    say(m, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len, body);
}

/* Bytes of a body: mostly few, at times several segments. */
static uint32_t body_len(trace_t *t)
{
    return chance(t, 3) == 0 ? 1500 + chance(t, 6500) : chance(t, 420);
}

static void say_response(trace_t *t, const talk_t *talk, message_t *m)
{
    uint32_t kind = chance(t, 100);
    const char *status = kind < 70   ? "200 OK"
                         : kind < 77 ? "404 Not Found"
                         : kind < 97 ? "304 Not Modified"
                                     : "204 No Content";
    say(m, "HTTP/1.1 %s\r\nServer: nginx/1.22.1\r\nDate: Mon, 06 May 2024 10:20:%02u GMT\r\n", status, chance(t, 60));
    if (talk->is_head || kind >= 77) {
        say(m, "Connection: keep-alive\r\n\r\n");
        return;
    }
    m->fill = body_len(t);
    say(m, "Content-Type: text/html; charset=utf-8\r\nConnection: keep-alive\r\n");
    if (chance(t, 8) == 0) {
        m->fill++;
        say(m, "Transfer-Encoding: chunked\r\n\r\n%" PRIx32 "\r\n", m->fill);
        m->tail = "\r\n0\r\n\r\n";
    } else {
        say(m, "Content-Length: %" PRIu32 "\r\n\r\n", m->fill);
    }
}

static bool http(trace_t *t, talk_t *talk, message_t *m)
{
    if (talk->turn == 0)
        talk->rounds = 1 + chance(t, 8);
    m->is_server = talk->turn % 2;
    if (talk->turn / 2 == talk->rounds)
        return false;
    if (m->is_server)
        say_response(t, talk, m);
    else
        say_request(t, talk, m);
    return true;
}

/* Few bytes, once. */
static bool http_short(trace_t *t, talk_t *talk, message_t *m)
{
    m->is_server = talk->turn;
    if (talk->turn == 0)
        say(m, "GET /%u HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n", chance(t, 1000000));
    else
        say(m, "HTTP/1.1 404 Not Found\r\nContent-Length: 11\r\nConnection: close\r\n\r\nNot here.\r\n");
    return talk->turn < 2;
}

/* Some megabytes, as long as the trace goes on. */
static bool http_large(trace_t *t, talk_t *talk, message_t *m)
{
    m->is_server = talk->turn % 2;
    if (!m->is_server) {
        say(m, "GET /%u.iso HTTP/1.1\r\nHost: www.example.com\r\n\r\n", chance(t, 1000000));
        return true;
    }
    m->fill = (4 + chance(t, 60)) << 20;
    say(m, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %" PRIu32 "\r\n\r\n", m->fill);
    return true;
}

/* ---------------------------------------------------------------- mail: RFC 5321, RFC 1939 */

static bool smtp(trace_t *t, talk_t *talk, message_t *m)
{
    static const char *const answers[] = {"220 mail.example.com ESMTP\r\n", "250 mail.example.com\r\n", "250 2.1.0 Ok\r\n",
                                          "250 2.1.5 Ok\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n",
                                          "250 2.0.0 Ok: queued\r\n", "221 2.0.0 Bye\r\n"};
    m->is_server = talk->turn % 2 == 0;
    if (talk->turn == 2 * sizeof answers / sizeof *answers - 1)
        return false;
    if (m->is_server) {
        say(m, "%s", answers[talk->turn / 2]);
        return true;
    }
    switch (talk->turn / 2) {
    case 0:
        say(m, "HELO client%u.example.net\r\n", chance(t, 250));
        break;
    case 1:
        say(m, "MAIL FROM:<%s@example.net>\r\n", user(t));
        break;
    case 2:
        say(m, "RCPT TO:<%s@example.com>\r\n", user(t));
        break;
    case 3:
        say(m, "DATA\r\n");
        break;
    case 4:
        say(m, "From: %s@example.net\r\n", user(t));
        say(m, "To: %s@example.com\r\nSubject: number %u\r\n\r\n", user(t), (unsigned)t->count);
        m->fill = (uint32_t)FILLING_LEN * (1 + chance(t, 40));
        m->tail = ".\r\n";
        break;
    default:
        say(m, "QUIT\r\n");
    }
    return true;
}

static bool pop3(trace_t *t, talk_t *talk, message_t *m)
{
    m->is_server = talk->turn % 2 == 0;
    if (talk->turn == 0) {
        talk->rounds = 1 + chance(t, 4); /* mails */
        say(m, "+OK POP3 ready\r\n");
        return true;
    }
    unsigned command = (talk->turn - 1) / 2; /* USER, PASS, STAT, RETR for each mail, QUIT */
    if (command == talk->rounds + 4)
        return false;
    if (m->is_server && command >= 3 && command < talk->rounds + 3) {
        say(m, "+OK message follows\r\nFrom: %s@example.net\r\n\r\n", user(t));
        m->fill = (uint32_t)FILLING_LEN * (1 + chance(t, 20));
        m->tail = ".\r\n";
    } else if (m->is_server) {
        say(m, command == 2 ? "+OK %u 4711\r\n" : "+OK\r\n", talk->rounds);
    } else if (command == 0) {
        say(m, "USER %s\r\n", user(t));
    } else if (command == 1) {
        say(m, "PASS secret%u\r\n", chance(t, 100000));
    } else if (command == 2) {
        say(m, "STAT\r\n");
    } else {
        say(m, command == talk->rounds + 3 ? "QUIT\r\n" : "RETR %u\r\n", command - 2);
    }
    return true;
}

/* ---------------------------------------------------------------- FTP, the control connection: RFC 959 */

static bool ftp(trace_t *t, talk_t *talk, message_t *m)
{
    static const char *const commands[] = {"CWD /pub", "PWD", "TYPE I", "SIZE index.txt", "NOOP", "MDTM index.txt"};
    static const char *const answers[] = {"250 Directory successfully changed.", "257 \"/pub\"", "200 Switching to Binary.",
                                          "213 4711", "200 NOOP ok."};
    m->is_server = talk->turn % 2 == 0;
    if (talk->turn == 0) {
        talk->rounds = 3 + chance(t, 8);
        say(m, "220 FTP server ready.\r\n");
        return true;
    }
    unsigned command = (talk->turn - 1) / 2; /* USER, PASS, some, QUIT */
    if (command == talk->rounds)
        return false;
    if (command == 0 && !m->is_server)
        say(m, "USER %s\r\n", user(t));
    else if (command == 1 && !m->is_server)
        say(m, "PASS secret%u\r\n", chance(t, 100000));
    else if (command <= 1)
        say(m, command ? "230 Login successful.\r\n" : "331 Please specify the password.\r\n");
    else if (command + 1 == talk->rounds)
        say(m, m->is_server ? "221 Goodbye.\r\n" : "QUIT\r\n");
    else
        say(m, "%s\r\n", m->is_server ? PICK(t, answers) : PICK(t, commands));
    return true;
}

/* ---------------------------------------------------------------- DNS: RFC 1035, 4.1 */

static void say_bytes(message_t *m, const void *bytes, size_t len)
{
    memcpy(m->text + m->len, bytes, len);
    m->len += len;
}

static bool dns(trace_t *t, talk_t *talk, message_t *m)
{
    static const char query[] = "\1\0\0\1\0\0\0\0\0\0", answer[] = "\x81\x80\0\1\0\1\0\0\0\0";
    static const char question[] = "\7example\3com\0\0\1\0\1";
    static const char record[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"; /* for the same name: an address */
    if (talk->turn == 0)
        talk->rounds = chance(t, 65536);
    m->is_server = talk->turn;
    const unsigned char id[2] = {(unsigned char)(talk->rounds >> 8), (unsigned char)talk->rounds};
    say_bytes(m, id, sizeof id);
    say_bytes(m, m->is_server ? answer : query, sizeof query - 1);
    say_bytes(m, "\5hostA", 5);
    m->text[m->len++] = (char)('a' + talk->rounds % 26);
    say_bytes(m, question, sizeof question - 1);
    if (m->is_server)
        say_bytes(m, record, sizeof record - 1);
    return talk->turn < 2;
}

/* ---------------------------------------------------------------- all */

void talk_begin(trace_t *t, talk_t *talk, talk_kind_t kind)
{
    static const protocol_t protocols[] = {{80, false, http}, {25, false, smtp}, {110, false, pop3}, {21, false, ftp},
                                           {53, true, dns}};
    static const protocol_t large = {80, false, http_large}, brief = {80, false, http_short};
    static const uint8_t mix[] = {0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 4, 4, 4, 4};
    memset(talk, 0, sizeof *talk);
    talk->protocol = kind == TALK_LARGE ? &large : kind == TALK_SHORT ? &brief : &protocols[PICK(t, mix)];
}

uint16_t talk_port(const talk_t *talk)
{
    return talk->protocol->port;
}

bool talk_is_udp(const talk_t *talk)
{
    return talk->protocol->is_udp;
}

bool talk_next(trace_t *t, talk_t *talk, message_t *message)
{
    message->len = message->fill = 0;
    message->tail = "";
    if (!talk->protocol->next(t, talk, message))
        return false;
    talk->turn++;
    return true;
}

size_t talk_len(const message_t *message)
{
    return message->len + message->fill + strlen(message->tail);
}

static char byte_at(const message_t *message, size_t at)
{
    if (at < message->len)
        return message->text[at];
    at -= message->len;
    return at < message->fill ? filling[at % FILLING_LEN] : message->tail[at - message->fill];
}

const char *talk_bytes(const message_t *message, size_t at, size_t len, char *buffer)
{
    if (at + len <= message->len)
        return message->text + at;
    for (size_t i = 0; i < len; i++)
        buffer[i] = byte_at(message, at + i);
    return buffer;
}
