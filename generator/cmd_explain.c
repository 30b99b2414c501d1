/* cmd_explain.c: qcapgen explain: which rule read which bytes of an input, or why it cannot be read.
 *
 * The grammar is interpreted, not compiled, so a spec can be tried before it is one that a parser can be made of. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>

#include "interpret.h"
#include "number.h"

#define SHOWN_MAX 48u /* bytes of a span that are shown, */
#define SHOWN_END 12u /* of which so many are its last, if it is longer */
#define AROUND 40u    /* bytes shown before and behind an error */

/* What one side says. */
typedef struct input {
    const unsigned char *bytes; /* NULL: nothing is known of it */
    size_t len, taken;
    bool is_shown;     /* its tree, for it has failed */
    text_t anomalies;  /* that no annotation in the tree tells of, and what is told of sub-streams */
} input_t;

typedef struct explanation {
    const request_t *request;
    interpret_t *interpret;
    bool is_datagram;
    bool has_failed;
    uint64_t failed_at; /* offset of the error, and whose it is */
    bool has_server_failed;
    bool is_server;    /* the side that is being shown */
    input_t inputs[2]; /* client, server */
} explanation_t;

static const input_t *input_of(const explanation_t *e)
{
    return &e->inputs[e->is_server];
}

/* ---------------------------------------------------------------- quoting */

/* Returns how many columns they took. */
static size_t print_bytes(const unsigned char *bytes, size_t len, text_t *text)
{
    size_t before = text->len;
    for (size_t i = 0; i < len; i++)
        text_quoted_byte(text, bytes[i]);
    return text->len - before;
}

static void print_quoted(const unsigned char *bytes, size_t len, text_t *text)
{
    text_print(text, "\"");
    if (len <= SHOWN_MAX) {
        print_bytes(bytes, len, text);
    } else {
        print_bytes(bytes, SHOWN_MAX - SHOWN_END, text);
        text_print(text, "\" ... \"");
        print_bytes(bytes + len - SHOWN_END, SHOWN_END, text);
    }
    text_print(text, "\"");
}

/* ---------------------------------------------------------------- the tree */

static void print_value(const note_t *note, number_t value, text_t *text)
{
    if (value.state != NUMBER_SET)
        text_print(text, "too large");
    else if (value.bytes)
        print_quoted(value.bytes, (size_t)value.value, text);
    else if (note->convert->kind == CONVERT_KEYWORD)
        text_print(text, "%s", value.value ? note->reg->keywords.items[value.value - 1] : "other");
    else
        text_print(text, "%llu", (unsigned long long)value.value);
}

static void print_mark(const explanation_t *e, const interpret_span_t *span, const note_t *note, text_t *text)
{
    const unsigned char *bytes = input_of(e)->bytes + span->begin;
    size_t len = (size_t)(span->end - span->begin);
    switch (note->kind) {
    case NOTE_EMIT:
        text_print(text, "  emit%s %s", note->is_stream ? " stream" : "", note->name ? note->name : span->rule->name);
        break;
    case NOTE_ANOMALY:
        text_print(text, "  anomaly %s", note->name);
        break;
    case NOTE_CONVERT:
        if (span->is_open || !note->convert || !note->reg)
            break;
        text_print(text, "  %s = ", note->reg->name);
        print_value(note, number_convert(e->request->arena, note, bytes, len), text);
        break;
    case NOTE_SET:
        text_print(text, "  %s is set", note->reg->name);
        break;
    case NOTE_PUSH:
    case NOTE_POP:
        text_print(text, "  %s %s", note->kind == NOTE_PUSH ? "push" : "pop", note->queue->name);
        break;
    case NOTE_BECOME:
        text_print(text, "  become %s", note->reg ? note->reg->name : note->name);
        break;
    case NOTE_EXPECT:
        text_print(text, "  expect %s", note->name);
        break;
    case NOTE_FEED:
    case NOTE_FINISH:
        text_print(text, "  %s %s", note->kind == NOTE_FEED ? "feed" : "finish",
                   note->rule ? note->rule->name : note->name);
        break;
    default:
        break;
    }
}

static void print_span(const explanation_t *e, const interpret_span_t *span)
{
    text_t text;
    text_init(&text, e->request->arena);
    text_print(&text, "%*s%s ", (int)(2 * span->depth), "", span->rule ? span->rule->name : "/");
    print_quoted(input_of(e)->bytes + span->begin, (size_t)(span->end - span->begin), &text);
    text_print(&text, "%s", span->is_open ? " ..." : "");
    for (size_t i = 0; span->notes && i < span->notes->count; i++)
        print_mark(e, span, span->notes->items[i], &text);
    printf("%6llu..%-6llu %s\n", (unsigned long long)span->begin, (unsigned long long)span->end, text.bytes);
}

/* The tree of the side, and what else there is to say of it. */
static void print_tree(explanation_t *e, bool is_server)
{
    e->is_server = is_server;
    e->inputs[is_server].is_shown = true;
    if (e->inputs[!is_server].bytes)
        printf("%s\n", is_server ? "server" : "client");
    interpret_spans_t spans = interpret_trace(e->interpret, e->is_server, e->request->arena);
    for (size_t i = 0; i < spans.count; i++)
        if (!spans.items[i].rule || !spans.items[i].rule->is_core)
            print_span(e, &spans.items[i]);
    printf("%s", input_of(e)->anomalies.bytes);
}

/* ---------------------------------------------------------------- failure */

/* The input around the error, and a caret below the byte. */
static void print_around(const explanation_t *e, size_t at)
{
    text_t text;
    const input_t *input = input_of(e);
    size_t begin = at > AROUND ? at - AROUND : 0, end = input->len - at > AROUND ? at + AROUND : input->len;
    text_init(&text, e->request->arena);
    text_print(&text, "    %s", begin ? "... " : "");
    size_t column = text.len + print_bytes(input->bytes + begin, at - begin, &text);
    print_bytes(input->bytes + at, end - at, &text);
    printf("%s%s\n%*s^\n", text.bytes, end < input->len ? " ..." : "", (int)column, "");
}

static void print_hopes(const explanation_t *e)
{
    interpret_hopes_t hopes = interpret_hopes(e->interpret, e->is_server, e->request->arena);
    for (size_t i = 0; i < hopes.count; i++) {
        text_t text;
        bool is_empty = charset_is_empty(&hopes.items[i].set);
        text_init(&text, e->request->arena);
        if (!is_empty)
            charset_print(&hopes.items[i].set, &text);
        if (hopes.items[i].can_end)
            text_print(&text, "%sthe end", is_empty ? "" : " or ");
        if (text.len)
            printf("    %s wants %s\n", *hopes.items[i].rule ? hopes.items[i].rule : "what comes next", text.bytes);
    }
}

static void add_span(text_t *text, uint64_t begin, uint64_t end)
{
    text_print(text, "%6llu..%-6llu ", (unsigned long long)begin, (unsigned long long)end);
}

/* What a sub-stream tells: its offsets are where in the parent that was. */
static void add_fed(const interpret_event_t *event, text_t *text)
{
    if (event->kind != INTERPRET_ELEMENT && event->kind != INTERPRET_END && event->kind != INTERPRET_ANOMALY)
        return;
    add_span(text, event->outer_begin, event->outer_end);
    text_print(text, "> %s", event->kind == INTERPRET_ANOMALY ? "anomaly " : "");
    text_print(text, "%s", event->kind == INTERPRET_ANOMALY ? event->text : event->path);
    if (event->kind != INTERPRET_ANOMALY) {
        text_print(text, " ");
        print_quoted(event->bytes, (size_t)(event->end - event->begin), text);
    }
    text_print(text, "\n");
}

static void add_anomaly(const interpret_event_t *event, text_t *text)
{
    add_span(text, event->begin, event->end);
    text_print(text, "anomaly %s", event->text);
    if (event->is_fed && event->rule)
        text_print(text, ": %s%s%s, %llu bytes in", interpret_code_text(event->code), *event->rule ? " in " : "",
                   event->rule, (unsigned long long)event->inner);
    text_print(text, "\n");
}

static void print_failure(explanation_t *e, const interpret_event_t *event)
{
    print_tree(e, event->is_server);
    printf("offset %llu: %s%s%s\n", (unsigned long long)event->begin, interpret_code_text(event->code),
           *event->rule ? " in " : "", event->rule);
    print_around(e, (size_t)event->begin);
    if (event->code == INTERPRET_ERROR_SYNTAX || event->code == INTERPRET_ERROR_UNFINISHED ||
        event->code == INTERPRET_ERROR_EXTENT)
        print_hopes(e);
}

static void on_event(const interpret_event_t *event, void *user)
{
    explanation_t *e = user;
    text_t *text = &e->inputs[event->is_server].anomalies;
    if (e->has_failed)
        return;
    if (event->nesting > 0)
        add_fed(event, text);
    else if (event->kind == INTERPRET_ANOMALY && event->begin == event->end)
        add_anomaly(event, text);
    if (event->kind == INTERPRET_BECOME)
        printf("%6llu          the rest is %s\n", (unsigned long long)event->begin,
               strcmp(event->text, "?") == 0 ? "another protocol" : event->text);
    e->has_failed = event->kind == INTERPRET_ERROR;
    e->failed_at = event->begin;
    e->has_server_failed = event->is_server;
    if (e->has_failed)
        print_failure(e, event);
}

/* ---------------------------------------------------------------- the wrong side */

/* How far an input could be read as the other side's. */
typedef struct probe {
    bool has_failed;
    uint64_t failed_at;
} probe_t;

static void on_probed(const interpret_event_t *event, void *user)
{
    probe_t *probe = user;
    if (event->kind != INTERPRET_ERROR || probe->has_failed)
        return;
    *probe = (probe_t){.has_failed = true, .failed_at = event->begin};
}

static probe_t read_as(const grammar_t *grammar, bool is_server, const input_t *input)
{
    probe_t probe = {0};
    interpret_t *it = interpret_new(grammar, on_probed, &probe);
    interpret_absent(it, !is_server);
    size_t taken = interpret_feed(it, is_server, input->bytes, input->len);
    if (!probe.has_failed && taken == input->len)
        interpret_finish(it, is_server);
    if (!probe.has_failed && taken < input->len)
        probe = (probe_t){.has_failed = true, .failed_at = taken};
    interpret_free(it);
    return probe;
}

/* What one side says is easily taken for what the other does: says so if that can be read further. */
static void suggest_side(const explanation_t *e, const grammar_t *grammar)
{
    bool is_server = !e->has_server_failed;
    if (!(is_server ? grammar->server : grammar->client))
        return;
    probe_t probe = read_as(grammar, is_server, &e->inputs[e->has_server_failed]);
    if (probe.has_failed && probe.failed_at <= e->failed_at)
        return;
    printf("As what the %s sends it can be read", is_server ? "server" : "client");
    if (probe.has_failed)
        printf(" up to offset %llu", (unsigned long long)probe.failed_at);
    printf(": %s --server\n", is_server ? "explain" : "explain without");
}

/* ---------------------------------------------------------------- the command */

static bool read_input(const request_t *request, const char *path, input_t *input)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(path, "rb");
    VEC(unsigned char) bytes = {0};
    unsigned char block[4096];
    size_t some;
    while (file && (some = fread(block, 1, sizeof block, file)) > 0)
        for (size_t i = 0; i < some; i++)
            vec_push(request->arena, &bytes, block[i]);
    bool is_read = file && !ferror(file);
    if (!is_read)
        command_fail("cannot read %s: %s", path, strerror(errno));
    if (file && !is_standard)
        fclose(file);
    static const unsigned char none[1];
    input->bytes = bytes.count ? bytes.items : none;
    input->len = bytes.count;
    return is_read;
}

/* Offers a side one byte after the other. Has anything been taken? */
static bool offer(explanation_t *e, bool is_server)
{
    input_t *input = &e->inputs[is_server];
    size_t before = input->taken;
    interpret_feed(e->interpret, is_server, NULL, 0);
    while (input->taken < input->len && !e->has_failed &&
           interpret_feed(e->interpret, is_server, input->bytes + input->taken, 1) == 1)
        input->taken++;
    return input->taken > before;
}

static void offer_both(explanation_t *e)
{
    for (bool is_moving = true; is_moving && !e->has_failed;) {
        is_moving = offer(e, false);
        is_moving |= offer(e, true);
    }
}

/* A side that has said all is at its end; the other, if it waited for more of that, goes on then. Two that wait for each
 * other wait for nothing. */
static void finish_both(explanation_t *e)
{
    interpret_t *it = e->interpret;
    bool is_stuck[2];
    for (int i = 0; i < 2; i++)
        is_stuck[i] = interpret_status(it, i) == INTERPRET_WAITING;
    for (int i = 0; i < 2 && is_stuck[0] && is_stuck[1]; i++)
        interpret_hurry(it, i);
    offer_both(e);
    for (int i = 0; i < 4; i++) {
        bool is_server = i % 2 == 1;
        if (e->has_failed || !e->inputs[is_server].bytes || interpret_status(it, is_server) == INTERPRET_BECAME)
            continue;
        if (i < 2 && interpret_status(it, is_server) == INTERPRET_WAITING)
            continue;
        interpret_finish(it, is_server);
        offer_both(e);
    }
}

/* Reads up to the first error. */
static int explain(explanation_t *e)
{
    interpret_t *it = e->interpret;
    for (int i = 0; i < 2; i++)
        if (!e->inputs[i].bytes)
            interpret_absent(it, i);
    if (e->is_datagram)
        interpret_datagram(it, false, e->inputs[0].bytes, e->inputs[0].len);
    else
        offer_both(e);
    if (!e->is_datagram)
        finish_both(e);
    for (int i = 0; i < 2; i++)
        if (e->inputs[i].bytes && !e->inputs[i].is_shown)
            print_tree(e, i);
    if (interpret_status(it, false) == INTERPRET_BROKEN)
        return command_fail("offset %zu: %s", e->inputs[!e->inputs[0].bytes].taken, interpret_complaint(it));
    return e->has_failed ? STATUS_WRONG : STATUS_RIGHT;
}

/* Does the spec say what the inputs are? */
static bool is_said(const request_t *request, const grammar_t *grammar, explanation_t *e, bool is_server)
{
    e->is_datagram = !grammar->client && !grammar->server && grammar->datagram && !is_server && request->count < 3;
    for (int i = 0; i < 2; i++) {
        bool is_wanted = i == is_server || request->count > 2;
        if (is_wanted && !e->is_datagram && !(i ? grammar->server : grammar->client)) {
            command_misuse(request->command, "%s says nothing of what the %s sends: --root names a rule",
                           request->arguments[0], i ? "server" : "client");
            return false;
        }
    }
    return true;
}

static int run(const request_t *request)
{
    const grammar_t *grammar = command_load(request, request->arguments[0]);
    const char *root = command_option(request, "--root");
    bool is_server = command_option(request, "--server");
    explanation_t e = {.request = request};
    if (!grammar)
        return STATUS_WRONG;
    for (int i = 0; i < 2; i++)
        text_init(&e.inputs[i].anomalies, request->arena);
    const rule_t *rule = root ? grammar_find(grammar, root) : NULL;
    if (root && !rule)
        return command_misuse(request->command, "no rule is called `%s`", root);
    if (root && (is_server || request->count > 2))
        return command_misuse(request->command, is_server ? "--root and --server are two roots"
                                                          : "--root is all that is read: it has no other side");
    if (!rule && !is_said(request, grammar, &e, is_server))
        return STATUS_USAGE;
    for (unsigned i = 1; i < request->count || i == 1; i++)
        if (!read_input(request, i < request->count ? request->arguments[i] : "-", &e.inputs[is_server != (i == 2)]))
            return STATUS_WRONG;
    e.interpret = interpret_new(grammar, on_event, &e);
    interpret_set_trace(e.interpret);
    if (rule)
        interpret_set_root(e.interpret, rule);
    int status = explain(&e);
    if (e.has_failed && !rule && !e.is_datagram)
        suggest_side(&e, grammar);
    interpret_free(e.interpret);
    return status;
}

const command_t cmd_explain = {
    .name = "explain",
    .arguments = "SPEC [INPUT [OTHER]]",
    .min = 1,
    .max = 3,
    .summary = "say which rule reads which bytes of an input",
    .help = "INPUT is a file, or standard input: what the client sends, or one datagram. OTHER is what the server sends:\n"
            "it is read where the client waits for it, or has said all. Without it, nothing is waited for.\n"
            "Each line is a rule: the offsets where it began and ended, its bytes, and what its annotations make of them.\n"
            "Lines with a `>` are elements of sub-streams. Where the input cannot be read, the last lines say what could\n"
            "have come, and whether the other side could have said it. Exit status 1 if it cannot be read.\n",
    .options = (const option_t[]){{"--server", NULL, "INPUT is what the server sends, OTHER what the client does"},
                                  {"--root", "RULE", "all of the input is this rule"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
