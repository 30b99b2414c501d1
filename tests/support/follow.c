/* follow.c: scene + cutting → log of events.
 *
 * A side that waits for the other keeps its bytes here, and is offered them again when the other side has moved on. */
#include "follow.h"

#include "decoders.h"
#include "subjects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned follow_failing, follow_allocations;

#define SHOWN_MAX 64u /* bytes of a text that a line shows */

/* What follows one side. */
typedef struct side {
    qcap_parser_t *parser;
    qcap_keeper_t keeper;
    unsigned char *buffer;  /* the keeper's */
    unsigned char *stream;  /* all bytes of the scene */
    bool *is_hole;          /* for each of them */
    uint64_t stream_len;
    unsigned char *waiting; /* bytes that the parser would not take yet */
    size_t waiting_len;
    bool is_used;           /* the scene says something of this side */
} side_t;

typedef struct follower {
    const qcap_protocol_t *protocol;
    side_t sides[2]; /* client, server */
    unsigned char *fence; /* the page that cannot be read */
    unsigned char *room;  /* mapped in front of it */
    size_t room_size;
    event_log_t *log;
} follower_t;

static void *get_memory(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void *copy_bytes(const void *bytes, size_t len)
{
    void *copy = get_memory(len);
    return len ? memcpy(copy, bytes, len) : copy;
}

/* ---------------------------------------------------------------- logging */

static log_line_t *add_line(event_log_t *log, const log_line_t *line)
{
    log_line_t *grown = realloc(log->lines, (log->count + 1) * sizeof *grown);
    if (!grown) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    log->lines = grown;
    log->lines[log->count] = *line;
    return &log->lines[log->count++];
}

/* The last line about that side, or NULL. */
static log_line_t *last_line(event_log_t *log, unsigned teller)
{
    for (size_t i = log->count; i-- > 0;)
        if (log->lines[i].teller == teller)
            return &log->lines[i];
    return NULL;
}

/* Adds a piece to the line of the piece in front of it. */
static bool join(event_log_t *log, const log_line_t *piece)
{
    log_line_t *last = last_line(log, piece->teller);
    if (!last || last->kind != QCAP_EVENT_PIECE || last->element != piece->element || last->end != piece->begin)
        return false;
    unsigned char *bytes = get_memory(last->len + piece->len);
    memcpy(bytes, last->bytes, last->len);
    memcpy(bytes + last->len, piece->bytes, piece->len);
    free(last->bytes);
    last->bytes = bytes;
    last->len += piece->len;
    last->end = piece->end;
    last->outer_end = piece->outer_end;
    return true;
}

static void print_text(const unsigned char *bytes, size_t len, FILE *out)
{
    static const char names[] = "rnt\"\\", escaped[] = "\r\n\t\"\\";
    fputs(" \"", out);
    for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
        const char *found = bytes[i] ? strchr(escaped, bytes[i]) : NULL;
        if (found)
            fprintf(out, "\\%c", names[found - escaped]);
        else if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            fprintf(out, "\\x%02x", bytes[i]);
        else
            fputc(bytes[i], out);
    }
    fputs(len > SHOWN_MAX ? "\"..." : "\"", out);
}

static void print_expected(const qcap_expected_t *expected, FILE *out)
{
    uint32_t a = expected->address;
    fprintf(out, " over %s at ", expected->transport);
    if (expected->host == QCAP_HOST_TEXT)
        fprintf(out, "%.*s", (int)expected->text_len, (const char *)expected->text);
    else if (expected->host == QCAP_HOST_ADDRESS)
        fprintf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    else
        fputs(expected->host == QCAP_HOST_SERVER ? "the server" : "the client", out);
    fprintf(out, ", port %u", expected->port);
}

/* What is said of an event that is neither an element nor a piece. */
static void print_rest(const qcap_event_t *event, FILE *out)
{
    char text[512];
    if (event->kind == QCAP_EVENT_ERROR) {
        qcap_error_print(event->error, text, sizeof text);
        fprintf(out, ": %s", text);
    } else if (event->text) {
        fprintf(out, " %s", event->text);
    }
    if (event->kind == QCAP_EVENT_EXPECT)
        print_expected(event->expected, out);
    if (event->flags & QCAP_EVENT_TRUNCATED)
        fputs(" truncated", out);
    if (event->flags & QCAP_EVENT_ABORTED)
        fputs(" aborted", out);
}

#define TELLERS 8

/* Who tells of it: a side, or what that feeds; TELLERS more for what a side tells of what it feeds, whose order among its own
 * events depends on cuts. */
static void print_teller(unsigned teller, FILE *out)
{
    teller %= TELLERS;
    fputs(teller % 2 ? "server" : "client", out);
    for (; teller >= 2; teller -= 2)
        fputs(" >", out);
}

/* Offsets, and of a sub-stream those of the parent. */
static void print_span(const log_line_t *line, FILE *out)
{
    bool is_place = line->kind == QCAP_EVENT_BEGIN || line->kind == QCAP_EVENT_BECOME;
    fprintf(out, is_place ? " %llu" : " %llu..%llu", (unsigned long long)line->begin, (unsigned long long)line->end);
    if (line->teller % TELLERS >= 2)
        fprintf(out, is_place ? " (%llu)" : " (%llu..%llu)", (unsigned long long)line->outer_begin,
                (unsigned long long)line->outer_end);
}

/* SIDE OFFSETS [PATH] [KIND] [TEXT]; the offsets and the text of a piece are added when no more can come. */
static char *print_event(const qcap_parser_t *parser, const log_line_t *line_of, const qcap_event_t *event)
{
    char *line = NULL, path[256];
    size_t size;
    FILE *out = open_memstream(&line, &size);
    if (event->kind != QCAP_EVENT_PIECE)
        print_teller(line_of->teller, out);
    if (event->kind != QCAP_EVENT_PIECE && event->kind != QCAP_EVENT_ERROR)
        print_span(line_of, out);
    if (event->element != QCAP_NONE) {
        qcap_element_path(qcap_parser_conversation(parser)->protocol, event->element, path, sizeof path);
        fprintf(out, " %s", path);
    }
    if (event->kind != QCAP_EVENT_ELEMENT)
        fprintf(out, " %s", qcap_event_kind_name(event->kind));
    if (event->value)
        fputs(" joined", out);
    print_rest(event, out);
    fclose(out);
    return line;
}

/* Offsets and bytes of a piece are known now, and the bytes of an element are shown last. */
static void complete(log_line_t *line)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (line->kind == QCAP_EVENT_PIECE) {
        print_teller(line->teller, out);
        print_span(line, out);
    }
    fputs(line->text, out);
    if (line->kind == QCAP_EVENT_PIECE || line->kind == QCAP_EVENT_ELEMENT)
        print_text(line->bytes, line->len, out);
    fclose(out);
    free(line->text);
    line->text = text;
}

static bool has_hole(const side_t *side, uint64_t begin, uint64_t end)
{
    for (; begin < end && begin < side->stream_len; begin++)
        if (side->is_hole[begin])
            return true;
    return false;
}

/* The bytes of an element or piece, wherever they are; says so in the log if they are not those of the scene. */
static void get_bytes(const side_t *side, const qcap_event_t *event, log_line_t *line)
{
    static const char wrong[] = "(not the bytes at these offsets)", hole[] = "(with a hole)";
    size_t len = (size_t)(event->end - event->begin);
    if (event->value || (line->teller % TELLERS >= 2 && event->bytes)) {
        line->len = event->value ? event->value_len : len;
        line->bytes = copy_bytes(event->value ? event->value : event->bytes, line->len);
        return;
    }
    line->bytes = get_memory(len);
    if (event->bytes)
        memcpy(line->bytes, event->bytes, len);
    else
        len = qcap_keeper_copy(&side->keeper, event->begin, event->end, line->bytes);
    line->len = len;
    bool is_right = len == event->end - event->begin && event->end <= side->stream_len &&
                    memcmp(line->bytes, side->stream + event->begin, len) == 0;
    if (is_right)
        return;
    const char *text = has_hole(side, event->begin, event->end) ? hole : wrong;
    free(line->bytes);
    line->len = strlen(text);
    line->bytes = copy_bytes(text, line->len);
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    follower_t *f = user;
    bool is_server = qcap_parser_is_server(parser);
    unsigned teller = is_server;
    for (const qcap_parser_t *p = parser; qcap_parser_parent(p) && teller + 2 < TELLERS; p = qcap_parser_parent(p))
        teller += 2;
    if (event->flags & QCAP_EVENT_FED)
        teller += TELLERS;
    log_line_t line = {.teller = teller, .kind = event->kind, .element = event->element, .begin = event->begin,
                       .end = event->end, .outer_begin = qcap_parser_parent(parser) ? event->outer_begin : 0,
                       .outer_end = qcap_parser_parent(parser) ? event->outer_end : 0};
    if (event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_PIECE)
        get_bytes(&f->sides[is_server], event, &line);
    if (event->kind == QCAP_EVENT_PIECE && join(f->log, &line)) {
        free(line.bytes);
        return;
    }
    line.text = print_event(parser, &line, event);
    add_line(f->log, &line);
}

/* ---------------------------------------------------------------- feeding */

/* Offers a side what waits for it, from in front of the fence. */
static void offer_own(follower_t *f, side_t *side)
{
    unsigned char *piece = f->fence - side->waiting_len;
    memcpy(piece, side->waiting, side->waiting_len);
    size_t taken = qcap_keeper_feed(&side->keeper, side->parser, piece, side->waiting_len);
    memset(f->room, 0xa5, f->room_size); /* what was not kept is gone */
    side->waiting_len -= taken;
    memmove(side->waiting, side->waiting + taken, side->waiting_len);
}

/* Offers what waits, to one side and the other, until nothing moves. */
static void offer_waiting(follower_t *f)
{
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        for (int i = 0; i < 2; i++) {
            side_t *side = &f->sides[i];
            size_t lines = f->log->count, len = side->waiting_len;
            offer_own(f, side);
            has_moved |= side->waiting_len < len || f->log->count > lines;
        }
    }
}

static void feed(follower_t *f, side_t *side, const unsigned char *bytes, size_t len)
{
    memcpy(side->waiting + side->waiting_len, bytes, len);
    side->waiting_len += len;
    offer_own(f, side);
}

/* Feeds the bytes of a step, `done` bytes of the scene being behind us. The other side has its turn when the step is
 * done: how far it is when a request comes decides what is paired with what after a loss; cuts must not change it. */
static void feed_cut(follower_t *f, const step_t *step, cutting_t cutting, uint64_t done)
{
    for (size_t at = 0; at < step->len;) {
        size_t len = step->len - at;
        if (cutting.piece && len > cutting.piece)
            len = cutting.piece;
        if (cutting.at > done + at && cutting.at < done + at + len)
            len = (size_t)(cutting.at - done - at);
        feed(f, &f->sides[step->is_server], step->bytes + at, len);
        at += len;
    }
    offer_waiting(f);
}

static void do_step(follower_t *f, const step_t *step)
{
    side_t *side = &f->sides[step->is_server];
    switch (step->kind) {
    case STEP_BYTES:
        break;
    case STEP_DATAGRAM:
        memcpy(f->fence - step->len, step->bytes, step->len);
        qcap_parser_datagram(side->parser, f->fence - step->len, step->len);
        memset(f->room, 0xa5, f->room_size);
        break;
    case STEP_GAP:
        side->waiting_len = 0;
        qcap_parser_gap(side->parser, step->number);
        break;
    case STEP_FINISH:
        qcap_parser_finish(side->parser);
        break;
    case STEP_ABSENT:
        qcap_parser_absent(side->parser);
        break;
    case STEP_HURRY:
        qcap_parser_hurry(side->parser);
        break;
    case STEP_SEARCH:
        qcap_parser_search(side->parser);
        break;
    case STEP_LIMIT:
        qcap_conversation_set_limit(qcap_parser_conversation(side->parser), (uint32_t)step->number);
        break;
    }
    offer_waiting(f);
}

/* ---------------------------------------------------------------- a scene */

static void *queue_memory(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return ++follow_allocations == follow_failing ? NULL : memset(get_memory(size), 0xa5, size);
    free(block);
    return NULL;
}

/* How far a step takes its side's stream. */
static uint64_t step_len(const step_t *step)
{
    return step->kind == STEP_BYTES || step->kind == STEP_DATAGRAM ? step->len : step->kind == STEP_GAP ? step->number : 0;
}

/* Lays out what each side says, and room for a piece in front of a fence. */
static void init(follower_t *f, const scene_t *scene)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t total = scene_len(scene);
    f->room_size = ((size_t)total / page_size + 1) * page_size;
    f->room = mmap(NULL, f->room_size + page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f->room == MAP_FAILED || mprotect(f->room + f->room_size, page_size, PROT_NONE) != 0) {
        perror("mmap");
        exit(1);
    }
    f->fence = f->room + f->room_size;
    for (int i = 0; i < 2; i++) {
        side_t *side = &f->sides[i];
        side->waiting = get_memory((size_t)total);
        for (size_t k = 0; k < scene->step_count; k++)
            if (scene->steps[k].is_server == (i == 1))
                side->stream_len += step_len(&scene->steps[k]);
        side->stream = get_memory((size_t)side->stream_len);
        side->is_hole = get_memory((size_t)side->stream_len * sizeof *side->is_hole);
    }
    uint64_t at[2] = {0, 0};
    for (size_t k = 0; k < scene->step_count; k++) {
        const step_t *step = &scene->steps[k];
        side_t *side = &f->sides[step->is_server];
        if (step->kind == STEP_BYTES || step->kind == STEP_DATAGRAM)
            memcpy(side->stream + at[step->is_server], step->bytes, step->len);
        else
            memset(side->is_hole + at[step->is_server], true, (size_t)step_len(step));
        at[step->is_server] += step_len(step);
        side->is_used |= step->kind != STEP_LIMIT;
    }
}

static void fini(follower_t *f)
{
    for (int i = 0; i < 2; i++) {
        free(f->sides[i].waiting);
        free(f->sides[i].buffer);
        free(f->sides[i].stream);
        free(f->sides[i].is_hole);
    }
    munmap(f->room, f->room_size + (size_t)sysconf(_SC_PAGESIZE));
}

/* A side that is stuck says so. */
static void log_status(follower_t *f)
{
    static const char *const names[] = {[QCAP_PARSER_SEARCHING] = "searching", [QCAP_PARSER_WAITING] = "waiting",
                                        [QCAP_PARSER_PAUSED] = "paused", [QCAP_PARSER_BECAME] = "became",
                                        [QCAP_PARSER_FAILED] = "failed"};
    for (int i = 0; i < 2; i++) {
        qcap_parser_status_t status = qcap_parser_status(f->sides[i].parser);
        if (!f->sides[i].is_used || status == QCAP_PARSER_READY || status == QCAP_PARSER_FINISHED)
            continue;
        char text[64];
        snprintf(text, sizeof text, "%s %llu is %s", i ? "server" : "client",
                 (unsigned long long)qcap_parser_offset(f->sides[i].parser), names[status]);
        log_line_t line = {.teller = (unsigned)i, .kind = QCAP_EVENT_BEGIN, .text = copy_bytes(text, strlen(text) + 1)};
        add_line(f->log, &line);
    }
}

void follow(const qcap_protocol_t *protocol, const scene_t *scene, cutting_t cutting, event_log_t *log)
{
    follower_t f = {.protocol = protocol, .log = log};
    *log = (event_log_t){0};
    follow_allocations = 0;
    init(&f, scene);
    qcap_conversation_t *conversation = get_memory(protocol->size);
    memset(conversation, 0xa5, protocol->size); /* whatever was there, it is not looked at */
    qcap_conversation_init(conversation, protocol, on_event, &f);
    qcap_conversation_set_memory(conversation, queue_memory);
    qcap_conversation_set_find(conversation, subject_find);
    qcap_conversation_set_decoders(conversation, qcap_decoders);
    f.sides[0].parser = qcap_conversation_client(conversation);
    f.sides[1].parser = qcap_conversation_server(conversation);
    for (int i = 0; i < 2; i++) {
        f.sides[i].buffer = get_memory(qcap_keeper_size(conversation));
        qcap_keeper_init(&f.sides[i].keeper, f.sides[i].buffer, qcap_keeper_size(conversation));
    }

    uint64_t done = 0;
    for (size_t i = 0; i < scene->step_count; i++) {
        if (scene->steps[i].kind == STEP_BYTES)
            feed_cut(&f, &scene->steps[i], cutting, done);
        else
            do_step(&f, &scene->steps[i]);
        done += scene->steps[i].len;
    }
    log_status(&f);
    for (size_t i = 0; i < log->count; i++)
        complete(&log->lines[i]);
    qcap_conversation_fini(conversation);
    free(conversation);
    fini(&f);
}

uint64_t scene_len(const scene_t *scene)
{
    uint64_t len = 0;
    for (size_t i = 0; i < scene->step_count; i++)
        len += scene->steps[i].len;
    return len;
}

/* ---------------------------------------------------------------- logs */

char *event_log_print(const event_log_t *log)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < log->count; i++)
        fprintf(out, "%s\n", log->lines[i].text);
    fclose(out);
    return text;
}

static const log_line_t *next_line(const event_log_t *log, unsigned teller, size_t *at)
{
    while (*at < log->count)
        if (log->lines[(*at)++].teller == teller)
            return &log->lines[*at - 1];
    return NULL;
}

const char *event_log_compare(const event_log_t *expected, const event_log_t *log)
{
    for (unsigned i = 0; i < 2 * TELLERS; i++) {
        size_t left = 0, right = 0;
        for (;;) {
            const log_line_t *a = next_line(expected, i, &left), *b = next_line(log, i, &right);
            if (!a && !b)
                break;
            if (!a || !b || strcmp(a->text, b->text) != 0)
                return b ? b->text : "";
        }
    }
    return NULL;
}

void event_log_fini(event_log_t *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->lines[i].bytes);
        free(log->lines[i].text);
    }
    free(log->lines);
    *log = (event_log_t){0};
}
