/* connections.c: what became of every TCP connection?
 *
 * A connection is counted while it goes on, and printed when it is over: nothing is kept of it then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"

static const char help[] =
    "Usage: connections [OPTION...] TRACE [FILTER...]\n"
    "       connections [OPTION...] -i DEVICE [FILTER...]\n"
    "Prints every TCP connection when it is over, and in the end those that are not:\n"
    "  NUMBER    as they were met\n"
    "  CLIENT    and SERVER: addresses and ports\n"
    "  OPENED    when its first packet came, UTC; it was open for so many SECONDS, up to its last bytes or its end\n"
    "  STATE     of the client and the server: what TCP calls it, as far as packets tell\n"
    "  SENT      bytes from the client, RECEIVED: from the server; both without those that are MISSING in the capture\n"
    "  END       closed, reset, idle (for too long), evicted (memory ran short), replaced (the same ports were used\n"
    "            again) or live (the capture ended first)\n"
    "  PROTOCOL  what it speaks, -- if it carried nothing; one behind the other where it went over to another;\n"
    "            unknown? looks encrypted\n"
    "\n"
    "  --json             each line an object: number, client, server; opened and last, in seconds since 1970; for\n"
    "                     either side state, bytes, missing bytes, gaps (how many) and end; is_whole (its beginning\n"
    "                     was captured), is_live, protocol\n";

static const char examples[] = "  connections trace.pcap\n"
                               "  connections --json trace.pcap tcp port 25 | jq .protocol\n";

/* What is counted for one connection: both directions have it. Who is the client may become clear later on, so [0] is the direction
 * that was thought to be the client's first; when it is printed, that is its client's. */
typedef struct connection {
    const qcap_tcpstr_t *first;
    uint64_t bytes[2], missing[2], gaps[2];
    qcap_end_t ends[2];
    int64_t last_ns;    /* of its last bytes, or its end */
    char protocol[64];  /* "" as long as nothing is known */
} connection_t;

typedef struct report {
    const program_t *program;
    qcap_t *q;
    bool is_json;
} report_t;

/* ---------------------------------------------------------------- counting */

static void on_open(qcap_tcpstr_t *client, void *user)
{
    const report_t *report = user;
    connection_t *connection = program_resize(report->program, NULL, sizeof *connection);
    *connection = (connection_t){.first = client, .last_ns = qcap_tcpstr_opened_ns(client)};
    conversation_set(client, connection);
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    connection_t *connection = qcap_tcpstr_user(str);
    (void)offset, (void)bytes, (void)user;
    connection->bytes[str != connection->first] += len;
    if (qcap_packet_time_ns(packet) > connection->last_ns)
        connection->last_ns = qcap_packet_time_ns(packet);
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    connection_t *connection = qcap_tcpstr_user(str);
    (void)offset, (void)user;
    connection->missing[str != connection->first] += len;
    connection->gaps[str != connection->first]++;
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    const report_t *report = user;
    connection_t *connection = qcap_tcpstr_user(str);
    qcap_stats_t stats;
    connection->ends[str != connection->first] = end;
    if (end != QCAP_END_FIN && end != QCAP_END_RESET)
        return;
    qcap_stats(report->q, &stats);
    if (stats.last_ns > connection->last_ns)
        connection->last_ns = stats.last_ns;
}

/* Told again when it goes over to another protocol. */
static void on_spoken(const qcap_spoken_t *spoken, void *user)
{
    (void)user;
    if (!spoken->client)
        return;
    connection_t *connection = qcap_tcpstr_user(spoken->client);
    size_t len = strlen(connection->protocol);
    snprintf(connection->protocol + len, sizeof connection->protocol - len, "%s%s", len ? "," : "",
             spoken->name ? spoken->name : spoken->is_encrypted ? "unknown?" : "unknown");
}

/* ---------------------------------------------------------------- printing */

/* How the connection ended: if its directions did so in different ways, what counts more. */
static const char *end_of(const connection_t *connection)
{
    static const char *const names[QCAP_END_COUNT] = {
        [QCAP_END_FIN] = "closed",      [QCAP_END_RESET] = "reset",       [QCAP_END_EXPIRED] = "idle",
        [QCAP_END_EVICTED] = "evicted", [QCAP_END_REPLACED] = "replaced", [QCAP_END_CAPTURE] = "live"};
    qcap_end_t client = connection->ends[0], server = connection->ends[1];
    bool is_client = client == QCAP_END_RESET || server == QCAP_END_FIN;
    return names[is_client ? client : server];
}

/* To tell two connections apart a thousandth of a second is enough. */
static void print_when(int64_t ns)
{
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    time_t time = (time_t)seconds;
    struct tm date;
    char text[40] = "-";
    if (gmtime_r(&time, &date))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &date);
    printf("%s.%03d", text, (int)((ns - seconds * 1000000000) / 1000000));
}

static void print_row(qcap_tcpstr_t *client, const connection_t *connection)
{
    char ends[2][QCAP_ENDPOINT_SIZE], states[40];
    int64_t opened_ns = qcap_tcpstr_opened_ns(client);
    snprintf(states, sizeof states, "%s/%s", qcap_tcp_state_text(qcap_tcp_state(client)),
             qcap_tcp_state_text(qcap_tcp_state(qcap_tcpstr_other(client))));
    printf("%6" PRIu64 "  %-21s  %-21s  ", qcap_tcpstr_number(client),
           qcap_endpoint_print(qcap_tcpstr_source(client), ends[0], sizeof ends[0]),
           qcap_endpoint_print(qcap_tcpstr_destination(client), ends[1], sizeof ends[1]));
    print_when(opened_ns);
    printf(" %9.3f  %-23s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 "  %-8s  %s\n",
           (double)(connection->last_ns - opened_ns) / 1e9, states, connection->bytes[0], connection->bytes[1],
           connection->missing[0] + connection->missing[1], end_of(connection),
           *connection->protocol ? connection->protocol : "--");
}

static void print_pair(const char *name, const uint64_t numbers[2])
{
    printf(",\"%s\":{\"client\":%" PRIu64 ",\"server\":%" PRIu64 "}", name, numbers[0], numbers[1]);
}

static void print_texts(const char *name, const char *client, const char *server)
{
    printf(",\"%s\":{\"client\":\"%s\",\"server\":\"%s\"}", name, client, server);
}

static void print_object(qcap_tcpstr_t *client, const connection_t *connection)
{
    char ends[2][QCAP_ENDPOINT_SIZE];
    printf("{\"number\":%" PRIu64 ",\"client\":\"%s\",\"server\":\"%s\",\"opened\":" TIME_FORMAT ",\"last\":" TIME_FORMAT,
           qcap_tcpstr_number(client), qcap_endpoint_print(qcap_tcpstr_source(client), ends[0], sizeof ends[0]),
           qcap_endpoint_print(qcap_tcpstr_destination(client), ends[1], sizeof ends[1]),
           TIME_VALUES(qcap_tcpstr_opened_ns(client)), TIME_VALUES(connection->last_ns));
    print_texts("state", qcap_tcp_state_text(qcap_tcp_state(client)),
                qcap_tcp_state_text(qcap_tcp_state(qcap_tcpstr_other(client))));
    print_pair("bytes", connection->bytes);
    print_pair("missing", connection->missing);
    print_pair("gaps", connection->gaps);
    print_texts("end", qcap_end_text(connection->ends[0]), qcap_end_text(connection->ends[1]));
    printf(",\"is_whole\":%s,\"is_live\":%s,\"protocol\":", qcap_tcpstr_has_syn(client) ? "true" : "false",
           strcmp(end_of(connection), "live") == 0 ? "true" : "false");
    if (*connection->protocol)
        print_json_string(connection->protocol);
    else
        fputs("null", stdout);
    puts("}");
}

static void exchange(uint64_t numbers[2])
{
    const uint64_t first = numbers[0];
    numbers[0] = numbers[1];
    numbers[1] = first;
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    const report_t *report = user;
    connection_t *connection = qcap_tcpstr_user(client);
    if (client != connection->first) {
        const qcap_end_t end = connection->ends[0];
        connection->ends[0] = connection->ends[1];
        connection->ends[1] = end;
        exchange(connection->bytes);
        exchange(connection->missing);
        exchange(connection->gaps);
    }
    if (report->is_json)
        print_object(client, connection);
    else
        print_row(client, connection);
    free(connection);
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    const program_option_t options[] = {{"json", false, &json}, {NULL, false, NULL}};
    const qcap_tap_t tap = {on_open, on_data, on_gap, on_end, on_close};
    program_t program = {.name = "connections", .help = help, .examples = examples, .options = options, .is_talkative = true};
    qcap_t *q = program_start(&program, argc, argv);
    report_t report = {.program = &program, .q = q, .is_json = json != NULL};
    if (qcap_protocols_builtin(q) < 0 || qcap_tap_add(q, &tap, &report) < 0 || qcap_spoken_handler_add(q, on_spoken, NULL) < 0)
        program_fail(&program, q);
    if (!report.is_json)
        printf("%6s  %-21s  %-21s  %-23s %9s  %-23s %10s %10s %8s  %-8s  %s\n", "NUMBER", "CLIENT", "SERVER", "OPENED", "SECONDS",
               "STATE", "SENT", "RECEIVED", "MISSING", "END", "PROTOCOL");
    int status = program_run(&program, q);
    qcap_close(q);
    return status;
}
