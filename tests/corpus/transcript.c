/* transcript.c: what the library makes of a trace of web traffic, for the corpus check.
 *
 * In: a trace; a folder. Out: FOLDER/N.c2s and FOLDER/N.s2c for conversation N, each with the bytes the receiver read, lost
 * ones as zeros; on standard output what happened, in order. D is c2s or s2c, begins and ends are offsets in these files:
 *
 *     open N CLIENT SERVER
 *     gap N D BEGIN END
 *     NAME N D BEGIN END         an element, or a piece of the content, under a name of the list below
 *     error N D BEGIN TEXT
 *     end N D END REASON
 *
 * It subscribes as any application would; nothing of the runtime's inside is used. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qcap.h"

/* What is subscribed to: the library's name, and that in the transcript. */
static const char *const wanted[][2] = {
    {"http.method", "method"},
    {"http.request-target", "target"},
    {"http.HTTP-version", "version"},
    {"http.status-code", "status"},
    {"http.reason-phrase", "phrase"},
    {"http.Content-Length", "content-length"},
    {"http.Transfer-Encoding", "transfer-encoding"},
    {"http.field-value[Content-Encoding]", "content-encoding"},
    {"http.chunk-size", "chunk-size"},
};

static const char *direction(const qcap_tcpstr_t *str)
{
    return qcap_tcpstr_is_server(str) ? "s2c" : "c2s";
}

/* One line: what, where in the conversation. */
static void print(const char *name, const qcap_tcpstr_t *str, uint64_t begin, uint64_t end)
{
    printf("%s %" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", name, qcap_tcpstr_number(str), direction(str), begin, end);
}

/* Opens the file of one direction, or ends the program: a check that cannot write has no result. */
static void open_file(qcap_tcpstr_t *str, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%" PRIu64 ".%s", folder, qcap_tcpstr_number(str), direction(str));
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
        perror("transcript");
        exit(1);
    }
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *folder)
{
    (void)folder;
    print("gap", str, offset, offset + len);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *folder)
{
    (void)folder;
    printf("end %" PRIu64 " %s %" PRIu64 " %s\n", qcap_tcpstr_number(str), direction(str), qcap_tcpstr_offset(str),
           qcap_end_text(end));
    fclose(qcap_tcpstr_user(str));
}

static void on_element(const qcap_match_t *match, void *name)
{
    print(name, match->str, match->begin_offset, match->end_offset);
}

static void on_content(const qcap_match_t *match, void *user)
{
    (void)user;
    if (match->kind == QCAP_EVENT_PIECE)
        print("content", match->str, match->begin_offset, match->end_offset);
}

static void on_error(const qcap_report_t *report, void *user)
{
    (void)user;
    printf("error %" PRIu64 " %s %" PRIu64 " %s\n", qcap_tcpstr_number(report->str), direction(report->str),
           report->begin_offset, report->text);
}

static int subscribe(qcap_t *q, char *folder)
{
    const qcap_tap_t tap = {.on_open = on_open, .on_data = on_data, .on_gap = on_gap, .on_end = on_end};
    /* As tshark does, whose word is the truth: captures were rewritten without mending the checksums. */
    int status = qcap_set_checksums(q, QCAP_CHECKSUMS_IGNORE);
    if (status >= 0)
        status = qcap_tap_add(q, &tap, folder);
    if (status >= 0)
        status = qcap_protocols_builtin(q);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status >= 0; i++)
        status = qcap_tcpstr_handler_add(q, wanted[i][0], on_element, (void *)(uintptr_t)wanted[i][1]);
    if (status >= 0)
        status = qcap_stream_handler_add(q, "http.content", on_content, NULL);
    if (status >= 0)
        status = qcap_error_handler_add(q, on_error, NULL);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: transcript TRACE FOLDER\n");
        return 2;
    }
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = qcap_open_trace(argv[1], errbuf);
    if (!q) {
        fprintf(stderr, "transcript: %s\n", errbuf);
        return 1;
    }
    int status = subscribe(q, argv[2]);
    if (status >= 0)
        status = qcap_loop(q, 0);
    if (status < 0)
        fprintf(stderr, "transcript: %s\n", qcap_geterr(q));
    qcap_close(q);
    return status < 0;
}
