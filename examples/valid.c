/* valid.c: who keeps to the protocol? For each conversation: what its port promises, what it speaks, and where it first
 * goes wrong.
 *
 * A conversation is a line, printed when it is over; one of datagrams, at the end of the capture. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static const char help[] =
    "Usage: valid [OPTION...] TRACE [FILTER...]\n"
    "       valid [OPTION...] -i DEVICE [FILTER...]\n"
    "Prints a line for each conversation: its number, transport and ends; the protocol that its port promises, and the\n"
    "one it speaks (- is none that is known); what is wrong with it:\n"
    "  ok                nothing\n"
    "  silent            there is nothing that could be: nobody said anything\n"
    "  unknown           nobody knows: it speaks no protocol that is known\n"
    "  anomalies ...     what its RFC does not allow and software does, by name, with how often\n"
    "  incomplete        bytes were not captured where the protocol cannot do without\n"
    "  violation ...     the first that cannot be read: number of the packet, who sent it, offset in that direction,\n"
    "                    what was found, in which rule, and what was expected there\n"
    "\n"
    "  --bad              only conversations with anomalies or violations, or that do not speak what their port promises\n"
    "  --json             each line an object: number (of datagrams: exchange), transport, client, server, promised,\n"
    "                     spoken, anomalies (how many, by name), errors (how many), incomplete; violation: packet,\n"
    "                     direction, offset, text\n"
    "  --strict           anomalies, and other protocols than the port promises, count as violations in the exit status\n";

static const char statuses[] = "  3  the capture was read to its end, and there was a violation\n";

static const char examples[] = "  valid trace.pcap\n"
                               "  valid --bad --json trace.pcap port 25\n"
                               "  valid --strict trace.pcap >/dev/null || echo something is wrong\n";

#define EXIT_VIOLATION 3
#define CHAINS 65536u /* exchanges by number, modulo this */
#define ANOMALIES 16 /* names that are kept of one conversation; the others are counted together */

typedef struct anomaly {
    const char *name; /* static: the parser's */
    uint64_t count;
} anomaly_t;

/* What is known of a conversation. */
typedef struct conversation {
    uint64_t number;           /* of the conversation, or of the exchange */
    struct conversation *next; /* of those exchanges whose number ends alike */
    bool is_tcp;
    bool has_bytes;            /* somebody said something */
    qcap_endpoint_t client, server;
    const qcap_protocol_t *promised, *spoken; /* NULL: none */
    anomaly_t anomalies[ANOMALIES];
    uint64_t other_anomalies;
    uint64_t errors;           /* what could not be read, */
    char *violation;           /* and the first of it, for people; NULL: there is none */
    uint64_t packet;           /* its packet's number; 0: it lies in no packet */
    uint64_t offset;           /* where it is in what the client or */
    bool is_server;            /* the server says */
    bool is_incomplete;        /* an error that is the capture's */
} conversation_t;

typedef struct run {
    const program_t *program;
    qcap_t *q;
    bool is_bad_only, is_json, is_strict;
    conversation_t **exchanges; /* of datagrams: CHAINS chains; those that are over are not there any more */
    uint64_t violations;       /* conversations that count for the exit status */
} run_t;

/* ---------------------------------------------------------------- conversations */

static const qcap_protocol_t *find_promised(qcap_t *q, const char *transport, uint16_t port)
{
    const qcap_protocol_t *protocol;
    for (size_t i = 0; (protocol = qcap_protocol_at(q, i)); i++)
        for (size_t k = 0; k < protocol->port_count; k++)
            if (protocol->ports[k].number == port && strcmp(protocol->ports[k].transport, transport) == 0)
                return protocol;
    return NULL;
}

static void set_roles(const run_t *run, conversation_t *conversation, const qcap_endpoint_t *client, const qcap_endpoint_t *server)
{
    conversation->client = *client;
    conversation->server = *server;
    conversation->promised = find_promised(run->q, conversation->is_tcp ? "tcp" : "udp", server->port);
}

static conversation_t *new_conversation(const run_t *run, uint64_t number, bool is_tcp, const qcap_endpoint_t *client,
                                        const qcap_endpoint_t *server)
{
    conversation_t *conversation = program_resize(run->program, NULL, sizeof *conversation);
    *conversation = (conversation_t){.number = number, .is_tcp = is_tcp};
    set_roles(run, conversation, client, server);
    return conversation;
}

/* What leads to that of an exchange; to NULL, if there is none. */
static conversation_t **place_of(const run_t *run, uint64_t exchange)
{
    conversation_t **place = &run->exchanges[exchange % CHAINS];
    while (*place && (*place)->number != exchange)
        place = &(*place)->next;
    return place;
}

/* That of an exchange of datagrams: made when it is first heard of. */
static conversation_t *of_exchange(run_t *run, uint64_t exchange, const qcap_endpoint_t ends[2])
{
    conversation_t **place = place_of(run, exchange);
    if (!*place) {
        *place = new_conversation(run, exchange, false, &ends[0], &ends[1]);
        (*place)->has_bytes = true;
    }
    return *place;
}

static conversation_t *of_report(run_t *run, const qcap_report_t *report)
{
    qcap_endpoint_t ends[2];
    if (report->str)
        return conversation_of(report->str);
    get_ends(NULL, report->packet, report->is_server, ends);
    return of_exchange(run, report->exchange, ends);
}

static void add_anomaly(conversation_t *conversation, const char *name)
{
    size_t i = 0;
    while (i < ANOMALIES && conversation->anomalies[i].name && strcmp(conversation->anomalies[i].name, name) != 0)
        i++;
    if (i == ANOMALIES) {
        conversation->other_anomalies++;
        return;
    }
    conversation->anomalies[i].name = name;
    conversation->anomalies[i].count++;
}

/* ---------------------------------------------------------------- printing */

static bool differs(const conversation_t *conversation)
{
    return conversation->has_bytes && conversation->promised && conversation->promised != conversation->spoken;
}

static bool is_bad(const conversation_t *conversation)
{
    return conversation->violation || conversation->anomalies[0].name || differs(conversation);
}

static const char *name_of(const qcap_protocol_t *protocol)
{
    return protocol ? protocol->name : "-";
}

static void print_anomalies(const conversation_t *conversation)
{
    const char *before = "anomalies ";
    for (size_t i = 0; i < ANOMALIES && conversation->anomalies[i].name; i++) {
        printf("%s%s %" PRIu64, before, conversation->anomalies[i].name, conversation->anomalies[i].count);
        before = ", ";
    }
    if (conversation->other_anomalies > 0)
        printf(", others %" PRIu64, conversation->other_anomalies);
}

/* Of one that has nothing wrong with it. */
static const char *verdict(const conversation_t *conversation)
{
    if (!conversation->has_bytes)
        return "silent";
    return conversation->is_incomplete ? "incomplete" : conversation->spoken ? "ok" : "unknown";
}

static void print_line(const conversation_t *conversation)
{
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    printf("%-6" PRIu64 " %s  %-21s  %-21s  %-9s  %-9s  ", conversation->number, conversation->is_tcp ? "tcp" : "udp",
           qcap_endpoint_print(&conversation->client, client, sizeof client),
           qcap_endpoint_print(&conversation->server, server, sizeof server), name_of(conversation->promised),
           name_of(conversation->spoken));
    if (conversation->anomalies[0].name)
        print_anomalies(conversation);
    if (conversation->violation) {
        printf("%sviolation in packet %" PRIu64 ", from the %s at %" PRIu64 ": ", conversation->anomalies[0].name ? "; " : "",
               conversation->packet, conversation->is_server ? "server" : "client", conversation->offset);
        print_safely((const unsigned char *)conversation->violation, strlen(conversation->violation));
    }
    if (!conversation->violation && !conversation->anomalies[0].name)
        fputs(verdict(conversation), stdout);
    putchar('\n');
}

static void print_object(const conversation_t *conversation)
{
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    printf("{\"%s\":%" PRIu64 ",\"transport\":\"%s\",\"client\":\"%s\",\"server\":\"%s\"",
           conversation->is_tcp ? "number" : "exchange", conversation->number, conversation->is_tcp ? "tcp" : "udp",
           qcap_endpoint_print(&conversation->client, client, sizeof client),
           qcap_endpoint_print(&conversation->server, server, sizeof server));
    if (conversation->promised)
        printf(",\"promised\":\"%s\"", conversation->promised->name);
    if (conversation->spoken)
        printf(",\"spoken\":\"%s\"", conversation->spoken->name);
    fputs(",\"anomalies\":{", stdout);
    for (size_t i = 0; i < ANOMALIES && conversation->anomalies[i].name; i++) {
        fputs(i ? "," : "", stdout);
        print_json_string(conversation->anomalies[i].name);
        printf(":%" PRIu64, conversation->anomalies[i].count);
    }
    printf("},\"errors\":%" PRIu64 ",\"incomplete\":%s", conversation->errors, conversation->is_incomplete ? "true" : "false");
    if (conversation->violation) {
        printf(",\"violation\":{\"packet\":%" PRIu64 ",\"direction\":\"%s\",\"offset\":%" PRIu64 ",\"text\":",
               conversation->packet, conversation->is_server ? "server" : "client", conversation->offset);
        print_json_string(conversation->violation);
        putchar('}');
    }
    puts("}");
}

/* Prints it, if it is to be printed, and forgets it. */
static void finish(run_t *run, conversation_t *conversation)
{
    if (conversation->violation || (run->is_strict && is_bad(conversation)))
        run->violations++;
    if (!run->is_bad_only || is_bad(conversation))
        (run->is_json ? print_object : print_line)(conversation);
    free(conversation->violation);
    free(conversation);
}

/* ---------------------------------------------------------------- handlers */

static void on_open(qcap_tcpstr_t *client, void *user)
{
    conversation_set(client, new_conversation(user, qcap_tcpstr_number(client), true, qcap_tcpstr_source(client),
                                              qcap_tcpstr_destination(client)));
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    (void)offset, (void)bytes, (void)len, (void)packet, (void)user;
    conversation_t *conversation = conversation_of(str);
    conversation->has_bytes = true;
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    finish(user, conversation_of(client));
    conversation_set(client, NULL);
}

static void on_spoken(const qcap_spoken_t *spoken, void *user)
{
    run_t *run = user;
    conversation_t *conversation =
        spoken->client ? conversation_of(spoken->client) : of_exchange(run, spoken->exchange, spoken->ends);
    if (conversation && spoken->client) /* who is the client may have been a guess until now */
        set_roles(run, conversation, &spoken->ends[0], &spoken->ends[1]);
    if (conversation && !conversation->spoken)
        conversation->spoken = spoken->protocol;
    if (spoken->is_over && conversation && !spoken->client) {
        *place_of(run, spoken->exchange) = conversation->next;
        finish(run, conversation);
    }
}

static void on_anomaly(const qcap_report_t *report, void *user)
{
    conversation_t *conversation = of_report(user, report);
    if (conversation)
        add_anomaly(conversation, report->text);
}

/* What the capture lacks, or cut off, is nobody's fault; nor is it known why a stream ends early. A datagram ends where it does,
 * and so does what a protocol carries: it was all there. */
static bool is_incomplete(const qcap_report_t *report)
{
    size_t len = 0;
    if (report->depth > 0)
        return report->error->code == QCAP_ERROR_MISSING;
    if (report->error->code != QCAP_ERROR_UNFINISHED || !report->packet)
        return report->error->code == QCAP_ERROR_MISSING || report->error->code == QCAP_ERROR_UNFINISHED;
    qcap_packet_bytes(report->packet, &len);
    return len < qcap_packet_wire_len(report->packet);
}

/* The text without the offset in front, which is told otherwise. */
static const char *without_offset(const char *text)
{
    const char *behind = strncmp(text, "offset ", 7) == 0 ? strstr(text, ": ") : NULL;
    return behind ? behind + 2 : text;
}

/* What is wrong, and in which protocol if that is one inside the other. */
static char *describe(const run_t *run, const qcap_report_t *report)
{
    const char *text = without_offset(report->text), *protocol = report->depth > 0 ? name_of(report->protocol) : "";
    size_t size = strlen(protocol) + strlen(text) + 3;
    char *description = program_resize(run->program, NULL, size);
    snprintf(description, size, "%s%s%s", protocol, *protocol ? ": " : "", text);
    return description;
}

static void on_error(const qcap_report_t *report, void *user)
{
    run_t *run = user;
    conversation_t *conversation = of_report(run, report);
    if (!conversation)
        return;
    if (is_incomplete(report)) {
        conversation->is_incomplete = true;
        return;
    }
    conversation->errors++;
    if (conversation->violation)
        return;
    conversation->violation = describe(run, report);
    conversation->packet = report->last ? qcap_packet_number(report->last) : 0;
    conversation->offset = report->begin_offset;
    conversation->is_server = report->is_server;
}

static int compare_numbers(const void *left, const void *right)
{
    const conversation_t *const *a = left, *const *b = right;
    return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

/* Those that were not over when the capture was, in the order in which they were met. */
static void finish_exchanges(run_t *run)
{
    size_t count = 0, size = 0;
    conversation_t **left = NULL;
    for (size_t i = 0; i < CHAINS; i++)
        for (conversation_t *at = run->exchanges[i]; at; at = at->next) {
            if (count == size)
                left = program_resize(run->program, left, (size = size ? size * 2 : 64) * sizeof *left);
            left[count++] = at;
        }
    if (count > 0)
        qsort(left, count, sizeof *left, compare_numbers);
    for (size_t i = 0; i < count; i++)
        finish(run, left[i]);
    free(left);
    free(run->exchanges);
}

int main(int argc, char **argv)
{
    const char *bad = NULL, *json = NULL, *strict = NULL;
    const program_option_t options[] = {{"bad", false, &bad}, {"json", false, &json}, {"strict", false, &strict}, {NULL, false, NULL}};
    program_t program = {.name = "valid", .help = help, .status = statuses, .examples = examples, .options = options,
                         .is_talkative = true};
    const qcap_tap_t tap = {.on_open = on_open, .on_data = on_data, .on_close = on_close};
    qcap_t *q = program_start(&program, argc, argv);
    run_t run = {.program = &program, .q = q, .is_bad_only = bad, .is_json = json, .is_strict = strict};
    run.exchanges = program_resize(&program, NULL, CHAINS * sizeof *run.exchanges);
    for (size_t i = 0; i < CHAINS; i++)
        run.exchanges[i] = NULL;
    if (qcap_protocols_builtin(q) < 0 || qcap_tap_add(q, &tap, &run) < 0 || qcap_spoken_handler_add(q, on_spoken, &run) < 0 ||
        qcap_anomaly_handler_add(q, on_anomaly, &run) < 0 || qcap_error_handler_add(q, on_error, &run) < 0)
        program_fail(&program, q);
    if (!json)
        printf("%-6s %s  %-21s  %-21s  %-9s  %-9s  %s\n", "NUMBER", "   ", "CLIENT", "SERVER", "PORT", "SPEAKS", "VERDICT");
    int status = program_run(&program, q);
    finish_exchanges(&run);
    qcap_close(q);
    return status == EXIT_SUCCESS && run.violations > 0 ? EXIT_VIOLATION : status;
}
