/* elements.c: what exactly was said? Prints elements of protocols as JSON, one line each.
 *
 *     elements trace.pcap http.request-target 'http.field-value[Cookie]'
 *     elements --events trace.pcap http.method */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static const char help[] =
    "Usage: elements [OPTION...] TRACE NAME...\n"
    "       elements [OPTION...] -i DEVICE NAME...\n"
    "Prints each element that a NAME fits, as a line of JSON:\n"
    "  time       seconds since 1970, when the packet came that completed it\n"
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
    "  --events    also print lines of the kinds error, anomaly and missing (bytes that were not captured);\n"
    "              their name is the protocol's, \"\" if it is not known\n";

/* ---------------------------------------------------------------- lines */

/* Where something was found. */
typedef struct origin {
    const qcap_tcpstr_t *str;    /* NULL: in a datagram */
    const qcap_packet_t *packet; /* the datagram */
    uint64_t exchange;           /* its number */
    bool is_server;
    int64_t time_ns;
} origin_t;

static void get_ends(const origin_t *origin, qcap_endpoint_t *source, qcap_endpoint_t *destination)
{
    if (origin->str) {
        *source = *qcap_tcpstr_source(origin->str);
        *destination = *qcap_tcpstr_destination(origin->str);
    } else {
        qcap_packet_source(origin->packet, source);
        qcap_packet_destination(origin->packet, destination);
    }
}

/* What every line begins with. */
static void print_head(const origin_t *origin, const char *kind, const char *name, uint64_t begin, uint64_t end)
{
    qcap_endpoint_t ends[2];
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    get_ends(origin, &ends[origin->is_server], &ends[!origin->is_server]);
    printf("{\"time\":" TIME_FORMAT ",\"flow\":{\"%s\":%" PRIu64 ",\"client\":\"%s\",\"server\":\"%s\"}",
           TIME_VALUES(origin->time_ns), origin->str ? "number" : "exchange",
           origin->str ? qcap_tcpstr_number(origin->str) : origin->exchange,
           qcap_endpoint_print(&ends[0], client, sizeof client), qcap_endpoint_print(&ends[1], server, sizeof server));
    printf(",\"direction\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"offset\":%" PRIu64 ",\"length\":%" PRIu64,
           origin->is_server ? "server" : "client", kind, name, begin, end - begin);
}

/* ---------------------------------------------------------------- handlers */

static void on_match(const qcap_match_t *match, void *user)
{
    (void)user;
    const origin_t origin = {match->str, match->packet, match->exchange, match->is_server, match->time_ns};
    print_head(&origin, qcap_event_kind_name(match->kind), match->path, match->begin_offset, match->end_offset);
    if (match->bytes) {
        fputs(",\"text\":", stdout);
        print_json(match->bytes, match->len);
    }
    if (match->flags & QCAP_MATCH_TRUNCATED)
        fputs(",\"truncated\":true", stdout);
    if (match->flags & QCAP_MATCH_ABORTED)
        fputs(",\"aborted\":true", stdout);
    if (match->flags & QCAP_MATCH_LOST)
        fputs(",\"lost\":true", stdout);
    puts("}");
}

static void on_report(const qcap_report_t *report, void *user)
{
    static const char *const kinds[] = {
        [QCAP_REPORT_ANOMALY] = "anomaly", [QCAP_REPORT_GAP] = "missing", [QCAP_REPORT_ERROR] = "error"};
    (void)user;
    const origin_t origin = {report->str, report->packet, report->exchange, report->is_server, report->time_ns};
    print_head(&origin, kinds[report->kind], report->protocol ? report->protocol->name : "", report->begin_offset,
               report->end_offset);
    fputs(",\"text\":", stdout);
    print_json_string(report->text);
    puts("}");
}

/* Subscribes to what fits the name, whether it comes whole or in pieces. */
static void subscribe(const program_t *program, qcap_t *q, const char *name)
{
    int whole = qcap_tcpstr_handler_add(q, name, on_match, NULL);
    int pieces = qcap_stream_handler_add(q, name, on_match, NULL);
    if (whole < 0 && pieces < 0)
        program_fail(program, q);
}

int main(int argc, char **argv)
{
    const char *events = NULL;
    const program_option_t options[] = {{"events", false, &events}, {NULL, false, NULL}};
    program_t program = {.name = "elements", .help = help, .options = options, .has_operands = true};
    qcap_t *q = program_start(&program, argc, argv);
    bool has_events = events != NULL;
    if (program.operand_count == 0 && !has_events) {
        fputs("elements: there is no NAME; see elements --help\n", stderr);
        qcap_close(q);
        return EXIT_USAGE;
    }
    if (qcap_protocols_builtin(q) < 0)
        program_fail(&program, q);
    for (int i = 0; i < program.operand_count; i++)
        subscribe(&program, q, program.operands[i]);
    if (has_events &&
        (qcap_anomaly_handler_add(q, on_report, NULL) < 0 || qcap_gap_handler_add(q, on_report, NULL) < 0 ||
         qcap_error_handler_add(q, on_report, NULL) < 0))
        program_fail(&program, q);
    int status = program_run(&program, q);
    qcap_close(q);
    return status;
}
