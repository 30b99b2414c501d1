/* streams.c: writes both directions of every TCP conversation of a trace to files, for the corpus check.
 *
 * In: a trace; a folder. Out: FOLDER/N.client and FOLDER/N.server for conversation N, each with the bytes the receiver read
 * from that side, lost ones as zeros; on standard output, in the order of events,
 *
 *     open N CLIENT SERVER
 *     gap N client|server OFFSET LENGTH
 *     end N client|server LENGTH REASON
 *
 * It subscribes as any application would; nothing of the runtime's inside is used. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qcap.h"

/* Who sent it. */
static const char *sender(const qcap_tcpstr_t *str)
{
    return qcap_tcpstr_is_server(str) ? "server" : "client";
}

/* Opens the file of one direction, or ends the program: a check that cannot write has no result. */
static void open_file(qcap_tcpstr_t *str, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%" PRIu64 ".%s", folder, qcap_tcpstr_number(str), sender(str));
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    qcap_tcpstr_set_user(str, file);
}

static void on_open(qcap_tcpstr_t *client, void *folder)
{
    char from[QCAP_ENDPOINT_SIZE], to[QCAP_ENDPOINT_SIZE];
    printf("open %" PRIu64 " %s %s\n", qcap_tcpstr_number(client),
           qcap_endpoint_print(qcap_tcpstr_source(client), from, sizeof from),
           qcap_endpoint_print(qcap_tcpstr_destination(client), to, sizeof to));
    open_file(client, folder);
    open_file(qcap_tcpstr_other(client), folder);
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *folder)
{
    (void)packet, (void)folder;
    FILE *file = qcap_tcpstr_user(str);
    if (fseeko(file, (off_t)offset, SEEK_SET) != 0 || fwrite(bytes, 1, len, file) != len) {
        perror("streams");
        exit(1);
    }
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *folder)
{
    (void)folder;
    printf("gap %" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", qcap_tcpstr_number(str), sender(str), offset, len);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *folder)
{
    (void)folder;
    printf("end %" PRIu64 " %s %" PRIu64 " %s\n", qcap_tcpstr_number(str), sender(str), qcap_tcpstr_offset(str),
           qcap_end_text(end));
    fclose(qcap_tcpstr_user(str));
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: streams TRACE FOLDER\n");
        return 2;
    }
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = qcap_open_trace(argv[1], errbuf);
    if (!q) {
        fprintf(stderr, "streams: %s\n", errbuf);
        return 1;
    }
    const qcap_tap_t tap = {.on_open = on_open, .on_data = on_data, .on_gap = on_gap, .on_end = on_end};
    int status = qcap_tap_add(q, &tap, argv[2]);
    if (status >= 0)
        status = qcap_loop(q, 0);
    if (status < 0)
        fprintf(stderr, "streams: %s\n", qcap_geterr(q));
    qcap_close(q);
    return status < 0;
}
