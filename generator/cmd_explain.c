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

typedef struct explanation {
    const request_t *request;
    interpret_t *interpret;
    bool is_server;
    const unsigned char *bytes;
    size_t len;
    bool has_failed;
    text_t anomalies; /* that no annotation in the tree tells of */
} explanation_t;

/* ---------------------------------------------------------------- quoting */

/* Returns how many columns it took. */
static size_t print_byte(unsigned byte, text_t *text)
{
    size_t before = text->len;
    if (byte == '\r' || byte == '\n' || byte == '\t')
        text_print(text, byte == '\r' ? "\\r" : byte == '\n' ? "\\n" : "\\t");
    else if (byte == '"' || byte == '\\')
        text_print(text, "\\%c", (int)byte);
    else if (byte < 0x20 || byte > 0x7e)
        text_print(text, "\\x%02x", byte);
    else
        text_print(text, "%c", (int)byte);
    return text->len - before;
}

static size_t print_bytes(const unsigned char *bytes, size_t len, text_t *text)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++)
        columns += print_byte(bytes[i], text);
    return columns;
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
    const unsigned char *bytes = e->bytes + span->begin;
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
        text_print(text, "  become %s", note->name);
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
    print_quoted(e->bytes + span->begin, (size_t)(span->end - span->begin), &text);
    text_print(&text, "%s", span->is_open ? " ..." : "");
    for (size_t i = 0; span->notes && i < span->notes->count; i++)
        print_mark(e, span, span->notes->items[i], &text);
    printf("%6llu..%-6llu %s\n", (unsigned long long)span->begin, (unsigned long long)span->end, text.bytes);
}

static void print_tree(const explanation_t *e)
{
    interpret_spans_t spans = interpret_trace(e->interpret, e->is_server, e->request->arena);
    for (size_t i = 0; i < spans.count; i++)
        if (!spans.items[i].rule || !spans.items[i].rule->is_core)
            print_span(e, &spans.items[i]);
    printf("%s", e->anomalies.bytes);
}

/* ---------------------------------------------------------------- failure */

/* The input around the error, and a caret below the byte. */
static void print_around(const explanation_t *e, size_t at)
{
    text_t text;
    size_t begin = at > AROUND ? at - AROUND : 0, end = e->len - at > AROUND ? at + AROUND : e->len;
    text_init(&text, e->request->arena);
    text_print(&text, "    %s", begin ? "... " : "");
    size_t column = text.len + print_bytes(e->bytes + begin, at - begin, &text);
    print_bytes(e->bytes + at, end - at, &text);
    printf("%s%s\n%*s^\n", text.bytes, end < e->len ? " ..." : "", (int)column, "");
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

static void on_event(const interpret_event_t *event, void *user)
{
    explanation_t *e = user;
    if (event->kind == INTERPRET_ANOMALY && event->begin == event->end && !e->has_failed)
        text_print(&e->anomalies, "%6llu..%-6llu anomaly %s\n", (unsigned long long)event->begin,
                   (unsigned long long)event->end, event->text);
    if (event->kind == INTERPRET_BECOME)
        printf("%6llu          the rest is %s\n", (unsigned long long)event->begin,
               strcmp(event->text, "?") == 0 ? "another protocol" : event->text);
    if (event->kind != INTERPRET_ERROR || e->has_failed)
        return;
    e->has_failed = true;
    print_tree(e);
    printf("offset %llu: %s%s%s\n", (unsigned long long)event->begin, interpret_code_text(event->code),
           *event->rule ? " in " : "", event->rule);
    print_around(e, (size_t)event->begin);
    if (event->code == INTERPRET_ERROR_SYNTAX || event->code == INTERPRET_ERROR_UNFINISHED ||
        event->code == INTERPRET_ERROR_EXTENT)
        print_hopes(e);
}

/* ---------------------------------------------------------------- the command */

static bool read_input(explanation_t *e, const char *path)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(path, "rb");
    VEC(unsigned char) bytes = {0};
    unsigned char block[4096];
    size_t some;
    while (file && (some = fread(block, 1, sizeof block, file)) > 0)
        for (size_t i = 0; i < some; i++)
            vec_push(e->request->arena, &bytes, block[i]);
    bool is_read = file && !ferror(file);
    if (!is_read)
        command_fail("cannot read %s: %s", path, strerror(errno));
    if (file && !is_standard)
        fclose(file);
    static const unsigned char none[1];
    e->bytes = bytes.count ? bytes.items : none;
    e->len = bytes.count;
    return is_read;
}

/* Reads up to the first error. */
static int explain(explanation_t *e)
{
    interpret_t *it = e->interpret;
    interpret_absent(it, !e->is_server);
    size_t taken = 0;
    while (taken < e->len && !e->has_failed && interpret_feed(it, e->is_server, e->bytes + taken, 1) == 1)
        taken++;
    if (!e->has_failed && interpret_status(it, e->is_server) != INTERPRET_BECAME)
        interpret_finish(it, e->is_server);
    if (interpret_status(it, e->is_server) == INTERPRET_BROKEN) {
        print_tree(e);
        return command_fail("offset %zu: %s", taken, interpret_complaint(it));
    }
    if (!e->has_failed)
        print_tree(e);
    return e->has_failed ? STATUS_WRONG : STATUS_RIGHT;
}

static int run(const request_t *request)
{
    const grammar_t *grammar = command_load(request, request->arguments[0]);
    const char *root = command_option(request, "--root");
    explanation_t e = {.request = request, .is_server = command_option(request, "--server")};
    if (!grammar)
        return STATUS_WRONG;
    text_init(&e.anomalies, request->arena);
    const rule_t *rule = root ? grammar_find(grammar, root) : NULL;
    if (root && !rule)
        return command_misuse(request->command, "no rule is called `%s`", root);
    if (root && e.is_server)
        return command_misuse(request->command, "--root and --server are two roots");
    if (!rule && !(e.is_server ? grammar->server : grammar->client))
        return command_misuse(request->command, "%s says nothing of what the %s sends: --root names a rule",
                              request->arguments[0], e.is_server ? "server" : "client");
    if (!read_input(&e, request->count > 1 ? request->arguments[1] : "-"))
        return STATUS_WRONG;
    e.interpret = interpret_new(grammar, on_event, &e);
    interpret_set_trace(e.interpret);
    if (rule)
        interpret_set_root(e.interpret, rule);
    int status = explain(&e);
    interpret_free(e.interpret);
    return status;
}

const command_t cmd_explain = {
    .name = "explain",
    .arguments = "SPEC [INPUT]",
    .min = 1,
    .max = 2,
    .summary = "say which rule reads which bytes of an input",
    .help = "INPUT is a file, or standard input. Each line is a rule: the offsets where it began and ended, its bytes, "
            "and what\n"
            "its annotations make of them. Where the input cannot be read, the last lines say what could have come.\n"
            "Exit status 1 if it cannot be read.\n",
    .options = (const option_t[]){{"--server", NULL, "what the server sends, rather than the client"},
                                  {"--root", "RULE", "all of the input is this rule"},
                                  {NULL, NULL, NULL}},
    .run = run,
};
