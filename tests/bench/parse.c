/* parse.c: how long one parser takes to read messages again and again.
 *
 *     parse_NAME [--messages browser|mix|unknown|responses|body] [--pieces whole|LEN] [--rounds N] [--folder FOLDER]
 *
 * In: messages/ (see record) or FOLDER. Out, as one line: bytes of the stream, rounds, nanoseconds of processor time a
 * round; then, a line each, how many items of each kind a round gave, and how many bytes they had. Exit status 1 if the
 * parser takes a message for malformed.
 *
 *   browser    one request of 700 bytes, again and again: nine fields, a long cookie
 *   mix        the recorded requests
 *   unknown    the recorded requests; names of fields have their letters shifted by one, but those that frame a body
 *   responses  the recorded responses
 *   body       a request with a body of 1 MB
 *
 * Without --rounds: as many as take a tenth of a second. With it the program does little else: for perf and callgrind. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "parse.h"

#define MESSAGES_MAX 256
#define BODY_LEN ((size_t)1 << 20)
#define BROWSER_COUNT 64 /* times that the one request is sent on its connection */
#define ENOUGH_NS 100000000u

static struct {
    unsigned long count[ITEM_KINDS];
    size_t len[ITEM_KINDS];
} items;

void item(item_kind_t kind, const unsigned char *bytes, size_t len)
{
    (void)bytes;
    items.count[kind]++;
    items.len[kind] += len;
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "parse: %s: %s\n", name, what);
    exit(2);
}

/* ---------------------------------------------------------------- messages */

static unsigned char *text; /* all messages */
static size_t text_len;
static size_t ends[MESSAGES_MAX];
static size_t message_count;

static void append(const void *bytes, size_t len)
{
    text = realloc(text, text_len + len);
    if (text == NULL)
        fail("out of memory", "messages");
    memcpy(text + text_len, bytes, len);
    text_len += len;
}

static void end_message(const char *name)
{
    if (message_count == MESSAGES_MAX)
        fail("too many messages", name);
    ends[message_count++] = text_len;
}

static void read_file(const char *path)
{
    unsigned char some[4096];
    size_t len;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail(strerror(errno), path);
    while ((len = fread(some, 1, sizeof some, file)) > 0)
        append(some, len);
    fclose(file);
    end_message(path);
}

static int is_message(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_folder(const char *folder, const char *name)
{
    char path[4096];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int count = scandir(path, &entries, is_message, alphasort);
    if (count < 0)
        fail(strerror(errno), path);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", folder, name, entries[i]->d_name);
        read_file(path);
        free(entries[i]);
    }
    free(entries);
}

static bool frames_body(const unsigned char *name, size_t len)
{
    return (len == 14 && strncasecmp((const char *)name, "Content-Length", len) == 0) ||
           (len == 17 && strncasecmp((const char *)name, "Transfer-Encoding", len) == 0);
}

static void shift_letters(unsigned char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (isalpha(name[i]))
            name[i] = (unsigned char)(tolower(name[i]) == 'z' ? name[i] - 25 : name[i] + 1);
}

/* Names of the fields of all messages, in place. */
static void make_unknown(void)
{
    size_t at = 0;
    for (size_t i = 0; i < message_count; at = ends[i++]) {
        for (;;) {
            unsigned char *line = (unsigned char *)memchr(text + at, '\n', ends[i] - at) + 1;
            if (*line == '\r')
                break;
            size_t len = (size_t)((unsigned char *)memchr(line, ':', (size_t)(text + ends[i] - line)) - line);
            if (!frames_body(line, len))
                shift_letters(line, len);
            at = (size_t)(line - text);
        }
    }
}

static void make_body(void)
{
    static const char head[] = "POST /upload HTTP/1.1\r\nHost: www.example.org\r\nContent-Length: 1048576\r\n\r\n";
    append(head, sizeof head - 1);
    text = realloc(text, text_len + BODY_LEN);
    if (text == NULL)
        fail("out of memory", "messages");
    memset(text + text_len, 'x', BODY_LEN);
    text_len += BODY_LEN;
    end_message("body");
}

static stream_t open_stream(const char *folder, const char *messages, const char *pieces)
{
    char path[4096];
    stream_t stream = {.piece_len = SIZE_MAX};
    if (strcmp(messages, "browser") == 0) {
        snprintf(path, sizeof path, "%s/browser.http", folder);
        for (unsigned i = 0; i < BROWSER_COUNT; i++)
            read_file(path);
    } else if (strcmp(messages, "mix") == 0 || strcmp(messages, "unknown") == 0) {
        read_folder(folder, "requests");
        if (*messages == 'u')
            make_unknown();
    } else if (strcmp(messages, "responses") == 0) {
        read_folder(folder, "responses");
        stream.is_server = true;
    } else if (strcmp(messages, "body") == 0) {
        make_body();
    } else {
        fail("no such messages", messages);
    }
    if (strcmp(pieces, "whole") != 0) {
        stream.piece_len = (size_t)strtoul(pieces, NULL, 10);
        if (stream.piece_len == 0)
            fail("pieces are `whole` or a number of bytes", pieces);
    }
    stream.bytes = text;
    stream.ends = ends;
    stream.message_count = message_count;
    return stream;
}

/* ---------------------------------------------------------------- measuring */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Returns nanoseconds. */
static uint64_t run(const stream_t *stream, unsigned long rounds)
{
    uint64_t begin = now_ns();
    for (unsigned long i = 0; i < rounds; i++) {
        if (!parse_stream(stream)) {
            fprintf(stderr, "parse: a message is malformed\n");
            exit(1);
        }
    }
    return now_ns() - begin;
}

int main(int argc, char **argv)
{
    const char *messages = "mix", *pieces = "whole", *folder = "tests/bench/messages";
    unsigned long rounds = 0;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            fail("an option needs a value", argv[i]);
        if (strcmp(argv[i], "--messages") == 0)
            messages = argv[i + 1];
        else if (strcmp(argv[i], "--pieces") == 0)
            pieces = argv[i + 1];
        else if (strcmp(argv[i], "--folder") == 0)
            folder = argv[i + 1];
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtoul(argv[i + 1], NULL, 10);
        else
            fail("no such option", argv[i]);
    }
    stream_t stream = open_stream(folder, messages, pieces);
    uint64_t taken;
    if (rounds > 0) {
        taken = run(&stream, rounds);
    } else {
        /* The last run, of at least half that time, counts; those before it warm the machine up. */
        rounds = 1;
        while ((taken = run(&stream, rounds)) < ENOUGH_NS / 2)
            rounds = taken < ENOUGH_NS / 20 ? rounds * 8 : rounds * (unsigned long)(ENOUGH_NS / taken) + 1;
    }
    printf("%zu bytes, %lu rounds, %.1f ns\n", text_len, rounds, (double)taken / (double)rounds);

    memset(&items, 0, sizeof items);
    run(&stream, 1);
#define X(name) printf("%s %lu %zu\n", #name, items.count[ITEM_##name], items.len[ITEM_##name]);
    ITEM_MAP(X)
#undef X
    free(text);
    return 0;
}
