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

/* ---------------------------------------------------------------- JSON */

static void print_byte(unsigned byte)
{
    if (byte == '"' || byte == '\\')
        printf("\\%c", (int)byte);
    else if (byte == '\n')
        fputs("\\n", stdout);
    else if (byte == '\r')
        fputs("\\r", stdout);
    else if (byte == '\t')
        fputs("\\t", stdout);
    else if (byte < 0x20 || byte >= 0x7f)
        printf("\\u%04x", byte);
    else
        putchar((int)byte);
}

/* Some readers end a line at NEL, LS or PS, too (U+0085, U+2028, U+2029): these are escaped like control characters. */
static void print_character(const unsigned char *text, size_t len)
{
    if (len == 2 && text[0] == 0xc2 && text[1] < 0xa0)
        printf("\\u%04x", (unsigned)text[1]);
    else if (len == 3 && text[0] == 0xe2 && text[1] == 0x80 && (text[2] == 0xa8 || text[2] == 0xa9))
        printf("\\u20%02x", text[2] - 0x80u);
    else
        fwrite(text, 1, len, stdout);
}

static void print_text(const unsigned char *text, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len;) {
        size_t step = utf8_len(text + i, len - i);
        if (step > 1)
            print_character(text + i, step);
        else
            print_byte(text[i]);
        i += step ? step : 1;
    }
    putchar('"');
}

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
        print_text(match->bytes, match->len);
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
    size_t len = 0;
    (void)user;
    while (report->text[len])
        len++;
    const origin_t origin = {report->str, report->packet, report->exchange, report->is_server, report->time_ns};
    print_head(&origin, kinds[report->kind], report->protocol ? report->protocol->name : "", report->begin_offset,
               report->end_offset);
    fputs(",\"text\":", stdout);
    print_text((const unsigned char *)report->text, len);
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
    program_t program = {.name = "elements", .help = help, .option = "events", .has_operands = true};
    qcap_t *q = program_start(&program, argc, argv);
    bool has_events = program.value != NULL;
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
