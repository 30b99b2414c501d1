/* judge.c: two logs, and what differs between them. */
#include "judge.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 512u /* of an element: small, so that limits are reached */
#define TRIES_MAX 1500u
#define SECONDS_MAX 60u /* that work apart may take */

typedef struct lines {
    char **items;
    size_t count;
} lines_t;

/* One side of one run of the parser. */
typedef struct listener {
    qcap_parser_t *parser;
    qcap_keeper_t keeper;
    unsigned char buffer[LIMIT < 65536u ? 65536u : LIMIT]; /* the keeper's */
    uint64_t streamed;                                     /* the open stream element has come up to here */
    bool has_stream;
    bool has_hole;
    bool is_datagram;
} listener_t;

/* What each side of a scene says, in a row. */
typedef struct said {
    unsigned char *bytes;
    size_t len;
    size_t fed;     /* taken by the reader */
    size_t arrived; /* may be taken */
} said_t;

struct judge {
    const qcap_protocol_t *protocol;
    const grammar_t *grammar;
    interpret_t *interpret;
    lines_t logs[2][2]; /* of the interpreter and the parser, of client and server */
    said_t said[2];
    listener_t listeners[2];
    qcap_conversation_t *conversation;
    uint64_t random;
    bool is_cut;
    bool is_apart;
    unsigned tries; /* of shrinking */
};

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned random_below(uint64_t *state, unsigned count)
{
    return count ? (unsigned)(random_next(state) % count) : 0;
}

static void *get_memory(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

/* ---------------------------------------------------------------- logs */

static void __attribute__((format(printf, 2, 3))) add_line(lines_t *lines, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char **grown = realloc(lines->items, (lines->count + 1) * sizeof *grown);
    if (!grown)
        abort();
    lines->items = grown;
    lines->items[lines->count++] = strdup(text);
}

static void clear(lines_t *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
    *lines = (lines_t){0};
}

static void add_event(lines_t *lines, const char *kind, const char *path, uint64_t begin, uint64_t end,
                      const char *text, bool is_truncated, bool is_aborted)
{
    add_line(lines, "%s %" PRIu64 "..%" PRIu64 " %s%s%s%s", kind, begin, end, path ? path : "", text ? text : "",
             is_truncated ? " truncated" : "", is_aborted ? " aborted" : "");
}

static void add_error(lines_t *lines, unsigned code, uint64_t offset, int byte, const char *rule)
{
    add_line(lines, "error %" PRIu64 " %s byte %d in %s", offset, interpret_code_text((interpret_code_t)code), byte,
             rule);
}

/* Of a joined element, and of a conversation to come. */
static void add_value(lines_t *lines, const unsigned char *value, size_t len)
{
    add_line(lines, "    joined %zu %.*s", len, (int)(len < 400 ? len : 400), (const char *)value);
}

static void add_expected(lines_t *lines, const char *transport, unsigned host, uint32_t address,
                         const unsigned char *text, size_t text_len, unsigned port)
{
    add_line(lines, "    %s host %u %08" PRIx32 " %.*s port %u", transport, host, address, (int)text_len,
             text_len ? (const char *)text : "", port);
}

static void on_interpreted(const interpret_event_t *event, void *user)
{
    judge_t *judge = user;
    lines_t *lines = &judge->logs[0][event->is_server];
    if (event->kind == INTERPRET_ERROR)
        add_error(lines, event->code, event->begin, event->byte, event->rule);
    else
        add_event(lines, interpret_kind_name(event->kind), event->path, event->begin, event->end, event->text,
                  event->is_truncated, event->is_aborted);
    if (event->value)
        add_value(lines, event->value, event->value_len);
    const interpret_expected_t *expected = event->expected;
    if (expected)
        add_expected(lines, expected->transport, expected->host, expected->address, expected->text, expected->text_len,
                     expected->port);
}

/* ---------------------------------------------------------------- listening to the parser */

static void check_bytes(judge_t *judge, lines_t *lines, const qcap_event_t *event, bool is_server)
{
    const said_t *said = &judge->said[is_server];
    listener_t *listener = &judge->listeners[is_server];
    static unsigned char copy[65536];
    size_t len = (size_t)(event->end - event->begin);
    if (event->end > said->len || (event->kind == QCAP_EVENT_ELEMENT && len > sizeof copy)) {
        add_line(lines, "(an element ends behind the input)");
        return;
    }
    if (event->bytes && memcmp(event->bytes, said->bytes + event->begin, len) != 0)
        add_line(lines, "(not the bytes at these offsets)");
    if (event->kind == QCAP_EVENT_ELEMENT && listener->is_datagram && !event->bytes)
        add_line(lines, "(an element of a datagram without its bytes)");
    if (event->kind == QCAP_EVENT_ELEMENT && !listener->has_hole && !listener->is_datagram && !event->value &&
        (qcap_keeper_copy(&listener->keeper, event->begin, event->end, copy) != len ||
         memcmp(copy, said->bytes + event->begin, len) != 0))
        add_line(lines, "(the bytes have not been kept)");
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    judge_t *judge = user;
    bool is_server = qcap_parser_is_server(parser);
    lines_t *lines = &judge->logs[1][is_server];
    listener_t *listener = &judge->listeners[is_server];
    char path[256] = "";
    if (event->element != QCAP_NONE)
        qcap_element_path(judge->protocol, event->element, path, sizeof path);
    switch (event->kind) {
    case QCAP_EVENT_PIECE:
        if (!listener->has_stream || event->begin != listener->streamed)
            add_line(lines, "(a piece at %" PRIu64 " instead of %" PRIu64 ")", event->begin, listener->streamed);
        check_bytes(judge, lines, event, is_server);
        listener->streamed = event->end;
        return;
    case QCAP_EVENT_ERROR:
        add_error(lines, event->error->code, event->error->offset, event->error->byte, event->error->rule);
        return;
    case QCAP_EVENT_BEGIN:
        listener->has_stream = true;
        listener->streamed = event->begin;
        break;
    case QCAP_EVENT_GAP:
    case QCAP_EVENT_SKIPPED:
        listener->streamed = event->end;
        break;
    case QCAP_EVENT_END:
        if (listener->streamed != event->end)
            add_line(lines, "(pieces only up to %" PRIu64 ")", listener->streamed);
        listener->has_stream = false;
        break;
    case QCAP_EVENT_ELEMENT:
        check_bytes(judge, lines, event, is_server);
        break;
    case QCAP_EVENT_ANOMALY:
    case QCAP_EVENT_BECOME:
    case QCAP_EVENT_EXPECT:
        break;
    }
    add_event(lines, qcap_event_kind_name(event->kind), *path ? path : NULL, event->begin, event->end, event->text,
              event->flags & QCAP_EVENT_TRUNCATED, event->flags & QCAP_EVENT_ABORTED);
    if (event->value)
        add_value(lines, event->value, event->value_len);
    const qcap_expected_t *expected = event->expected;
    if (event->kind == QCAP_EVENT_EXPECT)
        add_expected(lines, expected->transport, expected->host, expected->address, expected->text, expected->text_len,
                     expected->port);
}

/* ---------------------------------------------------------------- feeding */

/* One reader: the interpreter or the parser. */
static size_t feed(judge_t *judge, bool is_parser, bool is_server, const unsigned char *bytes, size_t len)
{
    if (!is_parser)
        return interpret_feed(judge->interpret, is_server, bytes, len);
    listener_t *listener = &judge->listeners[is_server];
    size_t taken = 0;
    do {
        size_t piece =
            judge->is_cut && len - taken > 1 ? 1 + random_below(&judge->random, (unsigned)(len - taken)) : len - taken;
        if (judge->is_cut && random_below(&judge->random, 4) == 0)
            piece = len > taken;
        unsigned char *copy = get_memory(piece); /* so that a sanitizer sees what is read behind it */
        memcpy(copy, bytes + taken, piece);
        size_t some = qcap_keeper_feed(&listener->keeper, listener->parser, copy, piece);
        free(copy);
        taken += some;
        if (some < piece)
            break;
    } while (taken < len);
    return taken;
}

static bool offer(judge_t *judge, bool is_parser, bool is_server)
{
    said_t *said = &judge->said[is_server];
    size_t lines = judge->logs[is_parser][is_server].count;
    size_t taken = feed(judge, is_parser, is_server, said->bytes + said->fed, said->arrived - said->fed);
    said->fed += taken;
    return taken > 0 || judge->logs[is_parser][is_server].count > lines;
}

static void read_datagram(judge_t *judge, bool is_parser, bool is_server, size_t len)
{
    said_t *said = &judge->said[is_server];
    unsigned char *copy = get_memory(len); /* as in feed() */
    memcpy(copy, said->bytes + said->fed, len);
    said->arrived = said->fed += len;
    if (is_parser)
        qcap_parser_datagram(judge->listeners[is_server].parser, copy, len);
    else
        interpret_datagram(judge->interpret, is_server, copy, len);
    free(copy);
}

static void do_step(judge_t *judge, bool is_parser, const step_t *step)
{
    interpret_t *interpret = judge->interpret;
    bool is_server = step->is_server;
    said_t *said = &judge->said[is_server];
    qcap_parser_t *parser = judge->listeners[is_server].parser;
    switch (step->kind) {
    case STEP_DATAGRAM:
        judge->listeners[is_server].is_datagram = true;
        read_datagram(judge, is_parser, is_server, step->len);
        return;
    case STEP_BYTES:
        said->arrived += step->len;
        offer(judge, is_parser, is_server);
        return;
    case STEP_GAP:
        judge->listeners[is_server].has_hole = true;
        /* What was not taken is given up: the hole begins where the reader stands. */
        if (is_parser)
            qcap_parser_gap(parser, step->number + (said->arrived - said->fed));
        else
            interpret_gap(interpret, is_server, step->number + (said->arrived - said->fed));
        said->arrived += (size_t)step->number;
        said->fed = said->arrived;
        return;
    case STEP_FINISH:
        is_parser ? qcap_parser_finish(parser) : interpret_finish(interpret, is_server);
        return;
    case STEP_ABSENT:
        is_parser ? qcap_parser_absent(parser) : interpret_absent(interpret, is_server);
        return;
    case STEP_HURRY:
        is_parser ? qcap_parser_hurry(parser) : interpret_hurry(interpret, is_server);
        return;
    case STEP_SEARCH:
        is_parser ? qcap_parser_search(parser) : interpret_search(interpret, is_server);
        return;
    case STEP_LIMIT:
        if (is_parser)
            qcap_conversation_set_limit(judge->conversation, (uint32_t)step->number);
        else
            interpret_set_limit(interpret, (uint32_t)step->number);
        return;
    }
}

static void follow_scene(judge_t *judge, bool is_parser, const scene_t *scene)
{
    for (int i = 0; i < 2; i++) {
        judge->said[i].fed = judge->said[i].arrived = 0;
        clear(&judge->logs[is_parser][i]);
    }
    for (size_t i = 0; i < scene->step_count; i++) {
        do_step(judge, is_parser, &scene->steps[i]);
        for (bool is_moving = true; is_moving;) {
            is_moving = offer(judge, is_parser, false);
            is_moving |= offer(judge, is_parser, true);
        }
    }
}

/* ---------------------------------------------------------------- runs */

static bool has_bytes(const step_t *step)
{
    return step->kind == STEP_BYTES || step->kind == STEP_DATAGRAM;
}

/* How far a step takes its side. */
static size_t step_len(const step_t *step)
{
    return has_bytes(step) ? step->len : step->kind == STEP_GAP ? (size_t)step->number : 0;
}

static void lay_out(judge_t *judge, const scene_t *scene)
{
    for (int i = 0; i < 2; i++) {
        said_t *said = &judge->said[i];
        free(said->bytes);
        *said = (said_t){0};
        for (size_t k = 0; k < scene->step_count; k++)
            if (scene->steps[k].is_server == (i == 1))
                said->len += step_len(&scene->steps[k]);
        said->bytes = get_memory(said->len);
        size_t at = 0;
        for (size_t k = 0; k < scene->step_count; k++) {
            const step_t *step = &scene->steps[k];
            if (step->is_server != (i == 1))
                continue;
            if (has_bytes(step) && step->len)
                memcpy(said->bytes + at, step->bytes, step->len);
            at += step_len(step);
        }
    }
}

static void add_register(lines_t *lines, const reg_t *reg, bool is_set, uint64_t number, const unsigned char *bytes,
                         bool is_cut)
{
    if (!is_set)
        add_line(lines, "%s is not set", reg->name);
    else if (bytes)
        add_line(lines, "%s is \"%.*s\"%s", reg->name, (int)number, (const char *)bytes, is_cut ? " and more" : "");
    else
        add_line(lines, "%s is %" PRIu64, reg->name, number);
}

static void add_interpreted_register(judge_t *judge, bool is_server, const reg_t *reg)
{
    interpret_value_t value;
    bool is_set = interpret_register(judge->interpret, is_server, reg, &value);
    add_register(&judge->logs[0][is_server], reg, is_set, value.number, value.bytes, value.is_cut);
}

static void add_parsed_register(judge_t *judge, bool is_server, const reg_t *reg)
{
    const qcap_parser_t *parser = judge->listeners[is_server].parser;
    qcap_number_t n = reg->is_shared ? qcap_shared(parser, reg->index) : qcap_register(parser, reg->index);
    bool is_text = reg->type == REGISTER_BYTES;
    const unsigned char *bytes = is_text ? qcap_bytes(parser, reg->index, reg->is_shared).bytes : NULL;
    add_register(&judge->logs[1][is_server], reg, n.state == QCAP_NUMBER_SET,
                 is_text ? QCAP_BYTES_LEN(n.value) : n.value, bytes, is_text && (n.value & QCAP_BYTES_CUT));
}

static void add_state(judge_t *judge, bool is_parser, bool is_server)
{
    static const char *const statuses[] = {"ready", "searching", "waiting", "became", "failed", "finished", "broken"};
    static const char *const parsed[] = {"ready", "searching", "waiting", "paused", "became", "failed", "finished"};
    const grammar_t *grammar = judge->grammar;
    lines_t *lines = &judge->logs[is_parser][is_server];
    qcap_parser_t *parser = judge->listeners[is_server].parser;
    if (is_parser)
        add_line(lines, "%s at %" PRIu64, parsed[qcap_parser_status(parser)], qcap_parser_offset(parser));
    else
        add_line(lines, "%s at %" PRIu64, statuses[interpret_status(judge->interpret, is_server)],
                 interpret_offset(judge->interpret, is_server));
    for (size_t i = 0; i < grammar->registers.count + grammar->shared.count; i++) {
        const reg_t *reg = i < grammar->registers.count ? grammar->registers.items[i]
                                                        : grammar->shared.items[i - grammar->registers.count];
        if (is_parser)
            add_parsed_register(judge, is_server, reg);
        else
            add_interpreted_register(judge, is_server, reg);
    }
}

static void *get_queues(void *block, size_t size, void *user)
{
    (void)user;
    if (!block)
        return get_memory(size);
    free(block);
    return NULL;
}

static void run_interpreter(judge_t *judge, const scene_t *scene)
{
    interpret_set_limit(judge->interpret, LIMIT);
    interpret_set_depth(judge->interpret, judge->protocol->region_max, judge->protocol->frame_max);
    interpret_restart(judge->interpret);
    follow_scene(judge, false, scene);
    add_state(judge, false, false);
    add_state(judge, false, true);
}

static void run_parser(judge_t *judge, const scene_t *scene)
{
    judge->conversation = get_memory(judge->protocol->size);
    qcap_conversation_init(judge->conversation, judge->protocol, on_event, judge);
    qcap_conversation_set_memory(judge->conversation, get_queues);
    qcap_conversation_set_limit(judge->conversation, LIMIT);
    for (int i = 0; i < 2; i++) {
        listener_t *listener = &judge->listeners[i];
        listener->parser =
            i ? qcap_conversation_server(judge->conversation) : qcap_conversation_client(judge->conversation);
        qcap_keeper_init(&listener->keeper, listener->buffer, sizeof listener->buffer);
        listener->has_stream = listener->has_hole = listener->is_datagram = false;
        listener->streamed = 0;
    }
    follow_scene(judge, true, scene);
    add_state(judge, true, false);
    add_state(judge, true, true);
    qcap_conversation_fini(judge->conversation);
    free(judge->conversation);
}

/* ---------------------------------------------------------------- differences */

/* It went round without a byte until that was told. How often is nobody's business. */
static bool went_round(const lines_t *lines)
{
    for (size_t i = lines->count; i-- > 0;)
        if (strstr(lines->items[i], interpret_code_text(INTERPRET_ERROR_IDLE)))
            return true;
    return false;
}

static bool is_different(const judge_t *judge)
{
    for (int i = 0; i < 2; i++) {
        const lines_t *a = &judge->logs[0][i], *b = &judge->logs[1][i];
        if (went_round(a) && went_round(b))
            return false;
        if (a->count != b->count)
            return true;
        for (size_t k = 0; k < a->count; k++)
            if (strcmp(a->items[k], b->items[k]) != 0)
                return true;
    }
    return false;
}

static char *print_difference(const judge_t *judge)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s\n", judge->is_cut ? "in pieces:" : "whole:");
    for (int i = 0; i < 2; i++) {
        const lines_t *a = &judge->logs[0][i], *b = &judge->logs[1][i];
        bool was_equal = true;
        for (size_t k = 0; k < a->count || k < b->count; k++) {
            const char *left = k < a->count ? a->items[k] : "", *right = k < b->count ? b->items[k] : "";
            bool is_equal = strcmp(left, right) == 0;
            if (is_equal && was_equal)
                fprintf(out, "    %s  %s\n", i ? "server" : "client", left);
            else
                fprintf(out, "%s %s  interpreter: %-50s | parser: %s\n", is_equal ? "   " : "***",
                        i ? "server" : "client", left, right);
            was_equal &= is_equal;
        }
    }
    fclose(out);
    return text;
}

static char *compare(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    lay_out(judge, scene);
    run_interpreter(judge, scene);
    judge->random = seed;
    for (int i = 0; i < 2; i++) {
        judge->is_cut = i == 1;
        run_parser(judge, scene);
        if (is_different(judge))
            return print_difference(judge);
    }
    return NULL;
}

/* How a process of its own has ended that does the work; its exit status is what that returns. */
static int run_apart(int (*work)(void *), void *user)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            signal(signals[i], SIG_DFL); /* cmocka would go on with the test here */
        alarm(SECONDS_MAX);
        _exit(work(user));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return status;
}

bool judge_works_apart(int (*work)(void *), void *user)
{
    int status = run_apart(work, user);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

typedef struct comparison {
    judge_t *judge;
    const scene_t *scene;
    uint64_t seed;
} comparison_t;

static int do_comparison(void *user)
{
    comparison_t *c = user;
    return compare(c->judge, c->scene, c->seed) ? 1 : 0;
}

/* Tries it in another process first. NULL if they agree. */
static char *compare_apart(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    comparison_t comparison = {judge, scene, seed};
    int status = run_apart(do_comparison, &comparison);
    char *text = NULL;
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0 ? NULL : compare(judge, scene, seed);
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "it dies by signal %d\n", WTERMSIG(status));
    fclose(out);
    return text;
}

char *judge_compare(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    return judge->is_apart ? compare_apart(judge, scene, seed) : compare(judge, scene, seed);
}

void judge_set_apart(judge_t *judge)
{
    judge->is_apart = true;
}

/* ---------------------------------------------------------------- scenes */

static void print_bytes(FILE *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\\')
            fputs("\\\\", out);
        else if (bytes[i] == '\r')
            fputs("\\r", out);
        else if (bytes[i] == '\n')
            fputs("\\n", out);
        else if (bytes[i] == '\t')
            fputs("\\t", out);
        else if (bytes[i] < 0x20 || bytes[i] > 0x7e || (bytes[i] == ' ' && i + 1 == len))
            fprintf(out, "\\x%02x", bytes[i]);
        else
            fputc(bytes[i], out);
    }
}

char *scene_print(const scene_t *scene)
{
    static const char *const words[] = {"", "", "gap", "finish", "absent", "hurry", "search", "limit"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < scene->step_count; i++) {
        const step_t *step = &scene->steps[i];
        if (has_bytes(step)) {
            const char *sign = step->is_server ? "<" : ">";
            fprintf(out, "%s%s ", sign, step->kind == STEP_DATAGRAM ? sign : "");
            print_bytes(out, step->bytes, step->len);
        } else if (step->kind == STEP_LIMIT) {
            fprintf(out, "limit %" PRIu64, step->number);
        } else {
            fprintf(out, "%s %s", step->is_server ? "server" : "client", words[step->kind]);
            if (step->kind == STEP_GAP)
                fprintf(out, " %" PRIu64, step->number);
        }
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

static bool still_differs(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    if (judge->tries++ >= TRIES_MAX)
        return false;
    char *difference = judge_compare(judge, scene, seed);
    free(difference);
    return difference != NULL;
}

static void shrink_bytes(judge_t *judge, scene_t *scene, step_t *step, uint64_t seed)
{
    for (size_t some = step->len; some > 0; some /= 2)
        for (size_t at = 0; at + some <= step->len;) {
            unsigned char *before = get_memory(step->len);
            memcpy(before, step->bytes, step->len);
            memmove(step->bytes + at, step->bytes + at + some, step->len - at - some);
            step->len -= some;
            if (!still_differs(judge, scene, seed)) {
                step->len += some;
                memcpy(step->bytes, before, step->len);
                at += some;
            }
            free(before);
        }
}

void judge_shrink(judge_t *judge, scene_t *scene, uint64_t seed)
{
    judge->tries = 0;
    for (size_t i = scene->step_count; i-- > 0;) {
        step_t step = scene->steps[i];
        size_t behind = scene->step_count - i - 1;
        memmove(scene->steps + i, scene->steps + i + 1, behind * sizeof step);
        scene->step_count--;
        if (still_differs(judge, scene, seed)) {
            free(step.bytes);
            continue;
        }
        memmove(scene->steps + i + 1, scene->steps + i, behind * sizeof step);
        scene->steps[i] = step;
        scene->step_count++;
    }
    for (size_t i = 0; i < scene->step_count; i++)
        if (has_bytes(&scene->steps[i]))
            shrink_bytes(judge, scene, &scene->steps[i], seed);
}

judge_t *judge_new(const qcap_protocol_t *protocol, const grammar_t *grammar)
{
    judge_t *judge = get_memory(sizeof *judge);
    judge->protocol = protocol;
    judge->grammar = grammar;
    judge->interpret = interpret_new(grammar, on_interpreted, judge);
    return judge;
}

void judge_free(judge_t *judge)
{
    for (int i = 0; i < 2; i++) {
        clear(&judge->logs[0][i]);
        clear(&judge->logs[1][i]);
        free(judge->said[i].bytes);
    }
    interpret_free(judge->interpret);
    free(judge);
}
