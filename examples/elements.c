/* elements.c: what exactly was said? Prints elements of protocols as JSON, one line each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static const char help[] =
    "Usage: elements [OPTION...] TRACE NAME...\n"
    "       elements [OPTION...] -i DEVICE NAME...\n"
    "       elements --list [PROTOCOL...]\n"
    "Prints each element that a NAME fits, as a line of JSON:\n"
    "  time       seconds since 1970, when the packet came that completed it\n"
    "  packet     its number; 0 if it was no packet that did, but the end, or missing bytes\n"
    "  flow       number of the connection; addresses of its client and its server;\n"
    "             of datagrams, in place of the number, exchange: which two endpoints, as they were met\n"
    "  direction  who sent it: client or server\n"
    "  kind       element; or, of one that comes in pieces, begin, piece, gap and end\n"
    "  name       its full path\n"
    "  offset     of its first byte in that direction; length: how many bytes it has\n"
    "  text       of element and piece; bytes that are not UTF-8 stand as \\u0080 to \\u00ff\n"
    "and, where it applies, truncated, aborted or lost: true.\n"
    "A NAME is a protocol and the tail of a path: http.host, http.request.method, 'http.field-value[Cookie]'.\n"
    "\n"
    "  --list             names of all elements; behind those that come in pieces stands [...], behind those that a\n"
    "                     text in brackets can select [TEXT]\n"
    "  --events           also print lines of the kinds error, anomaly and missing (bytes that were not captured);\n"
    "                     their name is the protocol's, \"\" if it is not known\n"
    "  --raw              the bytes alone; a newline behind each element that comes whole\n"
    "  -t                 no time; -ttt: seconds since the line before; -tttt: date and time, UTC; -ttttt: seconds\n"
    "                     since the first line\n"
    "  --where CONDITION  only elements that this is true for: http.host contains \"a\" and ip.ttl < 5; names of\n"
    "                     elements stand for what this one is, fields (--where help lists them) are those of its\n"
    "                     packet; for lines of --events there are no elements\n";

static const char examples[] = "  elements --list dns\n"
                               "  elements trace.pcap http.request-target 'http.field-value[Cookie]'\n"
                               "  elements --where 'ip.src == 10.0.0.0/8' trace.pcap dns.name | jq -r .text | sort | uniq -c\n"
                               "  elements --raw -f 'tcp port 80' trace.pcap http.content\n";

#define FLOWS 512

/* Text about a conversation, or an exchange of datagrams. */
typedef struct flow {
    uint64_t number; /* 0: none */
    bool is_stream;
    char text[FLOW_SIZE];
} flow_t;

/* What was told last, and by which of the names. */
typedef struct told {
    const char *path;
    const qcap_tcpstr_t *str;
    uint64_t exchange, begin, end;
    qcap_event_kind_t kind;
    int name;
} told_t;

/* What the command line asks for. */
typedef struct wishes {
    qcap_getter_t *where; /* NULL: everything */
    flow_t flows[FLOWS];  /* by number, the latest ones */
    time_style_t times;
    bool is_raw;
    told_t told;
} wishes_t;

/* One of the names. */
typedef struct wish {
    wishes_t *wishes;
    int name; /* 0, 1, ... as they were asked for */
} wish_t;

/* ---------------------------------------------------------------- lines */

/* Where something was found. */
typedef struct origin {
    const qcap_tcpstr_t *str;    /* NULL: in a datagram */
    const qcap_packet_t *packet; /* the datagram */
    const qcap_packet_t *last;   /* that completed it; NULL: none */
    uint64_t exchange;           /* its number */
    bool is_server;
    int64_t time_ns;
} origin_t;

/* The member "flow", which many lines have in common: it is kept. */
static const char *flow_text(wishes_t *wishes, const origin_t *origin)
{
    uint64_t number = origin->str ? qcap_tcpstr_number(origin->str) : origin->exchange;
    flow_t *flow = &wishes->flows[number % FLOWS];
    if (flow->number == number && flow->is_stream == (origin->str != NULL))
        return flow->text;
    flow->number = number;
    flow->is_stream = origin->str != NULL;
    print_flow(flow->text, origin->str, origin->packet, origin->exchange, origin->is_server);
    return flow->text;
}

#define LINE_SIZE 4096
#define HEAD_SIZE 1024 /* what a line has at most around its name and its text */

/* Text that is too long for the line goes out with what is in it so far. */
static char *put_or_print(char *line, char *at, const unsigned char *text, size_t len)
{
    if (len < LINE_SIZE && JSON_SIZE(len) <= (size_t)(LINE_SIZE - HEAD_SIZE - (at - line)))
        return put_json(at, text, len);
    fwrite(line, 1, (size_t)(at - line), stdout);
    print_json(text, len);
    return line;
}

/* What every line begins with. */
static char *put_head(char *line, wishes_t *wishes, const origin_t *origin, const char *kind, const char *name)
{
    char *at = line;
    *at++ = '{';
    if (wishes->times.style != 1) {
        at = put_text(at, "\"time\":");
        at = put_time(at, &wishes->times, origin->time_ns);
        *at++ = ',';
    }
    at = put_text(at, "\"packet\":");
    at = put_number(at, origin->last ? qcap_packet_number(origin->last) : 0);
    *at++ = ',';
    at = put_text(at, flow_text(wishes, origin));
    at = put_text(at, origin->is_server ? ",\"direction\":\"server\",\"kind\":\"" : ",\"direction\":\"client\",\"kind\":\"");
    at = put_text(at, kind);
    at = put_text(at, "\",\"name\":");
    return put_or_print(line, at, (const unsigned char *)name, strlen(name));
}

static char *put_place(char *at, uint64_t begin, uint64_t end)
{
    at = put_text(at, ",\"offset\":");
    at = put_number(at, begin);
    at = put_text(at, ",\"length\":");
    return put_number(at, end - begin);
}

static void print_end(const char *line, char *at)
{
    at = put_text(at, "}\n");
    fwrite(line, 1, (size_t)(at - line), stdout);
}

static void print_raw(const qcap_match_t *match)
{
    if (match->bytes)
        fwrite(match->bytes, 1, match->len, stdout);
    if (match->kind == QCAP_EVENT_ELEMENT)
        putchar('\n');
}

/* ---------------------------------------------------------------- handlers */

/* Whether an earlier name fits, too: each is asked in turn. */
static bool is_told(const told_t *told, const qcap_match_t *match, int name)
{
    return told->name < name && told->path == match->path && told->kind == match->kind && told->str == match->str &&
           told->exchange == match->exchange && told->begin == match->own_begin && told->end == match->own_end;
}

static void on_match(const qcap_match_t *match, void *user)
{
    const wish_t *wish = user;
    wishes_t *wishes = wish->wishes;
    const origin_t origin = {match->str, match->packet, match->last, match->exchange, match->is_server, match->time_ns};
    if (is_told(&wishes->told, match, wish->name))
        return;
    wishes->told = (told_t){match->path, match->str, match->exchange, match->own_begin, match->own_end, match->kind, wish->name};
    if (wishes->where && !qcap_getter_holds_match(wishes->where, match))
        return;
    if (wishes->is_raw) {
        print_raw(match);
        return;
    }
    char line[LINE_SIZE], *at = put_head(line, wishes, &origin, qcap_event_kind_name(match->kind), match->path);
    at = put_place(at, match->begin_offset, match->end_offset);
    if (match->bytes) {
        at = put_text(at, ",\"text\":");
        at = put_or_print(line, at, match->bytes, match->len);
    }
    if (match->flags & QCAP_MATCH_TRUNCATED)
        at = put_text(at, ",\"truncated\":true");
    if (match->flags & QCAP_MATCH_ABORTED)
        at = put_text(at, ",\"aborted\":true");
    if (match->flags & QCAP_MATCH_LOST)
        at = put_text(at, ",\"lost\":true");
    print_end(line, at);
}

static void on_report(const qcap_report_t *report, void *user)
{
    static const char *const kinds[] = {
        [QCAP_REPORT_ANOMALY] = "anomaly", [QCAP_REPORT_GAP] = "missing", [QCAP_REPORT_ERROR] = "error"};
    wishes_t *wishes = user;
    const origin_t origin = {report->str, report->packet, report->last, report->exchange, report->is_server, report->time_ns};
    if (wishes->where && !(report->last && qcap_getter_holds(wishes->where, report->last)))
        return;
    char line[LINE_SIZE];
    char *at = put_head(line, wishes, &origin, kinds[report->kind], report->protocol ? report->protocol->name : "");
    at = put_place(at, report->begin_offset, report->end_offset);
    at = put_text(at, ",\"text\":");
    at = put_or_print(line, at, (const unsigned char *)report->text, strlen(report->text));
    print_end(line, at);
}

/* ---------------------------------------------------------------- names */

/* Subscribes to what fits the name, whether it comes whole or in pieces. */
static void subscribe(const program_t *program, qcap_t *q, const char *name, wish_t *wish)
{
    int whole = qcap_tcpstr_handler_add(q, name, on_match, wish);
    int pieces = qcap_stream_handler_add(q, name, on_match, wish);
    if (whole < 0 && pieces < 0)
        program_refuse(program, q, "", program_guess(name));
}

static void list_protocol(const qcap_protocol_t *protocol)
{
    char path[512];
    for (uint16_t i = 0; i < protocol->element_count; i++) {
        const qcap_element_t *element = &protocol->elements[i];
        qcap_element_path(protocol, i, path, sizeof path);
        printf("%s%s%s\n", path, element->selector != QCAP_NONE ? "[TEXT]" : "",
               element->is_stream ? "[...]" : "");
    }
}

static const qcap_protocol_t *find_protocol(const qcap_t *q, const char *name)
{
    const qcap_protocol_t *protocol;
    for (size_t i = 0; (protocol = qcap_protocol_at(q, i)); i++)
        if (strcmp(protocol->name, name) == 0)
            return protocol;
    return NULL;
}

/* Lists the elements of the protocols, or of all. Returns the exit status. */
static int list_names(const qcap_t *q, char **names)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; !*names && qcap_protocol_at(q, i); i++)
        list_protocol(qcap_protocol_at(q, i));
    for (; *names; names++) {
        const qcap_protocol_t *protocol = find_protocol(q, *names);
        if (protocol) {
            list_protocol(protocol);
            continue;
        }
        const qcap_protocol_t *other;
        fprintf(stderr, "elements: %s: there is no such protocol; there are", *names);
        for (size_t i = 0; (other = qcap_protocol_at(q, i)); i++)
            fprintf(stderr, " %s", other->name);
        putc('\n', stderr);
        status = EXIT_USAGE;
    }
    return status;
}

static int list(const program_t *program, char **names)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    program_watch_output(program);
    qcap_t *q = qcap_open_pushed(1, errbuf);
    if (!q || qcap_protocols_builtin(q) < 0) {
        fprintf(stderr, "elements: %s\n", q ? qcap_geterr(q) : errbuf);
        qcap_close(q);
        return EXIT_FAILURE;
    }
    int status = list_names(q, names);
    qcap_close(q);
    return status;
}

/* Compiles --where, which may name elements of all protocols. */
static qcap_getter_t *compile_where(const program_t *program, qcap_t *q)
{
    qcap_getter_t *getter = program->where ? qcap_getter_compile(q, program->where) : NULL;
    if (program->where && !getter)
        program_refuse(program, q, "--where: ", "");
    return getter;
}

int main(int argc, char **argv)
{
    const char *events = NULL, *raw = NULL;
    const program_option_t options[] = {{"events", false, &events}, {"raw", false, &raw}, {NULL, false, NULL}};
    program_t program = {.name = "elements", .help = help, .examples = examples, .options = options, .has_operands = true,
                         .has_times = true, .is_where_own = true, .is_talkative = true};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--list") == 0 && i > 1)
            program_misuse(&program, "--list stands in front, and needs no trace");
        else if (strcmp(argv[i], "--list") == 0)
            return list(&program, argv + 2);
    qcap_t *q = program_start(&program, argc, argv);
    if (program.operand_count == 0 && (!events || raw)) {
        fputs("elements: there is no NAME; see elements --help\n", stderr);
        qcap_close(q);
        return EXIT_USAGE;
    }
    if (qcap_protocols_builtin(q) < 0)
        program_fail(&program, q);
    static wishes_t wishes;
    wishes = (wishes_t){.where = compile_where(&program, q), .times = {.style = program.times}, .is_raw = raw != NULL};
    wish_t *wish = program_resize(&program, NULL, ((size_t)program.operand_count + 1) * sizeof *wish);
    for (int i = 0; i < program.operand_count; i++) {
        wish[i] = (wish_t){&wishes, i};
        subscribe(&program, q, program.operands[i], &wish[i]);
    }
    if (events && !raw &&
        (qcap_anomaly_handler_add(q, on_report, &wishes) < 0 || qcap_gap_handler_add(q, on_report, &wishes) < 0 ||
         qcap_error_handler_add(q, on_report, &wishes) < 0))
        program_fail(&program, q);
    int status = program_run(&program, q);
    qcap_getter_free(wishes.where);
    qcap_close(q);
    free(wish);
    return status;
}
