/* reader.c: how much is in this capture, and how fast is it read? Reassembles every TCP conversation.
 *
 * With --streams each direction is written to a file of its own, the table of them to folder/index, where bytes are missing
 * to folder/gaps, the states that connections were left in to folder/states, and copies that differ to folder/conflicts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"

static const char help[] =
    "Usage: reader [OPTION...] TRACE [FILTER...]\n"
    "       reader [OPTION...] -i DEVICE [FILTER...]\n"
    "Reassembles all TCP conversations, and reports what there was and the time it took.\n"
    "\n"
    "  --streams FOLDER   make FOLDER, and write there what each side sent, to NUMBER-client and NUMBER-server (missing\n"
    "                     bytes are left out), with tables, whose columns are separated by tabs:\n"
    "                     index: number, side, its address, the other's, bytes, missing bytes, how it ended;\n"
    "                     gaps, for each hole: number, side, offset, missing bytes;\n"
    "                     states: number, TCP state of the client and of the server at the end;\n"
    "                     conflicts, where two copies of the same bytes differ: number, side, offset, the first\n"
    "                     copy and the later one in hexadecimal, and which of them was read\n";

static const char examples[] = "  reader trace.pcap tcp port 80\n"
                               "  reader --streams streams --set tcp.policy=windows trace.pcap\n";

/* Where the streams go. */
typedef struct folder {
    const program_t *program;
    const char *path;
    FILE *index, *gaps, *states, *conflicts;
} folder_t;

/* What was written of one direction. */
typedef struct written {
    uint64_t bytes;
    uint64_t gap_bytes;
} written_t;

static _Noreturn void fail(const folder_t *folder, const char *name)
{
    fprintf(stderr, "%s: %s/%s: cannot be written: %s\n", folder->program->name, folder->path, name, strerror(errno));
    exit(EXIT_FAILURE);
}

static FILE *open_file(const folder_t *folder, const char *name, const char *mode)
{
    size_t size = strlen(folder->path) + strlen(name) + 2;
    char *path = program_resize(folder->program, NULL, size);
    snprintf(path, size, "%s/%s", folder->path, name);
    FILE *file = fopen(path, mode);
    if (!file)
        fail(folder, name);
    free(path);
    return file;
}

/* What could not be written shows here, or before. */
static void close_file(const folder_t *folder, const char *name, FILE *file)
{
    bool was_written = !ferror(file);
    if (fclose(file) != 0 || !was_written)
        fail(folder, name);
}

static const char *side_of(const qcap_tcpstr_t *str)
{
    return qcap_tcpstr_is_server(str) ? "server" : "client";
}

/* Writes what is said next. Files are opened for each piece: there may be more conversations than a process may have files. */
static void write_stream(const folder_t *folder, const qcap_tcpstr_t *str, const char *mode, const unsigned char *bytes, size_t len)
{
    char name[40];
    snprintf(name, sizeof name, "%" PRIu64 "-%s", qcap_tcpstr_number(str), side_of(str));
    FILE *file = open_file(folder, name, mode);
    fwrite(bytes, 1, len, file);
    close_file(folder, name, file);
}

static void begin_stream(const folder_t *folder, qcap_tcpstr_t *str)
{
    written_t *written = program_resize(folder->program, NULL, sizeof *written);
    *written = (written_t){0, 0};
    qcap_tcpstr_set_user(str, written);
    write_stream(folder, str, "wb", (const unsigned char *)"", 0);
}

static void on_open(qcap_tcpstr_t *client, void *user)
{
    begin_stream(user, client);
    begin_stream(user, qcap_tcpstr_other(client));
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    written_t *written = qcap_tcpstr_user(str);
    (void)offset, (void)packet;
    write_stream(user, str, "ab", bytes, len);
    written->bytes += len;
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    const folder_t *folder = user;
    written_t *written = qcap_tcpstr_user(str);
    written->gap_bytes += len;
    fprintf(folder->gaps, "%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\n", qcap_tcpstr_number(str), side_of(str), offset, len);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    const folder_t *folder = user;
    const written_t *written = qcap_tcpstr_user(str);
    char source[QCAP_ENDPOINT_SIZE], destination[QCAP_ENDPOINT_SIZE];
    fprintf(folder->index, "%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n", qcap_tcpstr_number(str), side_of(str),
            qcap_endpoint_print(qcap_tcpstr_source(str), source, sizeof source),
            qcap_endpoint_print(qcap_tcpstr_destination(str), destination, sizeof destination), written->bytes,
            written->gap_bytes, qcap_end_text(end));
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    const folder_t *folder = user;
    fprintf(folder->states, "%" PRIu64 "\t%s\t%s\n", qcap_tcpstr_number(client),
            qcap_tcp_state_text(qcap_tcp_state(client)), qcap_tcp_state_text(qcap_tcp_state(qcap_tcpstr_other(client))));
    free(qcap_tcpstr_user(client));
    free(qcap_tcpstr_user(qcap_tcpstr_other(client)));
}

static void print_hex(FILE *file, const unsigned char *bytes, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        fprintf(file, "%02x", bytes[i]);
    fputc('\t', file);
}

/* Those of fragments are of no stream. */
static void on_conflict(const qcap_conflict_t *conflict, void *user)
{
    const folder_t *folder = user;
    uint64_t len = conflict->end_offset - conflict->begin_offset;
    if (!conflict->str)
        return;
    fprintf(folder->conflicts, "%" PRIu64 "\t%s\t%" PRIu64 "\t", qcap_tcpstr_number(conflict->str),
            side_of(conflict->str), conflict->begin_offset);
    print_hex(folder->conflicts, conflict->stored, len);
    print_hex(folder->conflicts, conflict->newcomer, len);
    fputs(conflict->is_newcomer_kept ? "later\n" : "first\n", folder->conflicts);
}

static void print(const char *name, uint64_t value)
{
    printf("%-20s %" PRIu64 "\n", name, value);
}

/* How the packets' ways ended: these numbers add up to all of them. */
static void print_ends(const qcap_stats_t *stats)
{
    char name[64];
    for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++)
        if (stats->ended[stage] > 0) {
            snprintf(name, sizeof name, "- %s", qcap_stage_text((qcap_stage_t)stage));
            print(name, stats->ended[stage]);
        }
}

static void print_stats(qcap_t *q, double seconds)
{
    qcap_stats_t stats;
    qcap_stats(q, &stats);
    print("packets", stats.packets);
    print_ends(&stats);
    print("bytes", stats.bytes);
    print("connections", stats.conversations);
    print("stream bytes", stats.stream_bytes);
    print("gaps", stats.gaps);
    print("gap bytes", stats.gap_bytes);
    print("retransmitted bytes", stats.retransmitted_bytes);
    print("conflicting bytes", stats.conflicting_bytes);
    print("defragmented", stats.datagrams);
    print("UDP datagrams", stats.stages[QCAP_STAGE_UDP_DELIVERED]);
    print("most memory", stats.memory_peak);
    printf("%-20s %.3f\n", "seconds", seconds);
    if (stats.packets > 0)
        printf("%-20s %.3f\n", "us per packet", seconds * 1e6 / (double)stats.packets);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const char *streams = NULL;
    const program_option_t options[] = {{"streams", true, &streams}, {NULL, false, NULL}};
    program_t program = {.name = "reader", .help = help, .examples = examples, .options = options};
    qcap_t *q = program_start(&program, argc, argv);
    folder_t folder = {.program = &program, .path = streams};
    const qcap_tap_t tap = {on_open, on_data, on_gap, on_end, on_close};
    if (folder.path) {
        program_make_folder(&program, folder.path);
        folder.index = open_file(&folder, "index", "w");
        folder.gaps = open_file(&folder, "gaps", "w");
        folder.states = open_file(&folder, "states", "w");
        folder.conflicts = open_file(&folder, "conflicts", "w");
        if (qcap_tap_add(q, &tap, &folder) < 0 || qcap_conflict_handler_add(q, on_conflict, &folder) < 0)
            program_fail(&program, q);
    }
    double begin = now();
    int status = program_run(&program, q);
    print_stats(q, now() - begin);
    if (folder.path) {
        close_file(&folder, "index", folder.index);
        close_file(&folder, "gaps", folder.gaps);
        close_file(&folder, "states", folder.states);
        close_file(&folder, "conflicts", folder.conflicts);
    }
    qcap_close(q);
    return status;
}
