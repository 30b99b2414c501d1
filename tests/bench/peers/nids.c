/* nids.c: the least program that reassembles with libnids: counts connections and the bytes of their streams.
 *
 *     nids TRACE
 *     nids TRACE http        the streams of port 80 go through http-parser, which counts messages
 */
#include <http_parser.h>
#include <inttypes.h>
#include <nids.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t connections, stream_bytes, messages;
static bool has_http;
static http_parser_settings settings;

static int on_message(http_parser *parser)
{
    (void)parser;
    messages++;
    return 0;
}

static void *parsers(void)
{
    http_parser *pair = malloc(2 * sizeof *pair);
    if (pair) {
        http_parser_init(&pair[0], HTTP_REQUEST);
        http_parser_init(&pair[1], HTTP_RESPONSE);
    }
    return pair;
}

static void take(struct half_stream *half, http_parser *parser)
{
    if (half->count_new <= 0)
        return;
    stream_bytes += (uint64_t)half->count_new;
    if (parser)
        http_parser_execute(parser, &settings, half->data, (size_t)half->count_new);
}

static void on_tcp(struct tcp_stream *stream, void **user)
{
    http_parser *pair = *user;
    switch (stream->nids_state) {
    case NIDS_JUST_EST:
        connections++;
        stream->client.collect = stream->server.collect = 1;
        *user = has_http && stream->addr.dest == 80 ? parsers() : NULL;
        break;
    case NIDS_DATA:
        take(&stream->server, pair);
        take(&stream->client, pair ? pair + 1 : NULL);
        break;
    default:
        free(pair);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: nids TRACE [http]\n");
        return 2;
    }
    has_http = argc == 3 && strcmp(argv[2], "http") == 0;
    settings.on_message_complete = on_message;
    nids_params.filename = argv[1];
    nids_params.scan_num_hosts = 0;     /* port scans are not looked for */
    nids_params.n_tcp_streams = 1 << 20;
    nids_params.tcp_workarounds = 1;    /* a connection that its client's FIN ends goes at once */
    if (!nids_init()) {
        fprintf(stderr, "%s: %s\n", argv[1], nids_errbuf);
        return 1;
    }
    nids_register_tcp(on_tcp);
    nids_run();
    printf("%" PRIu64 " connections, %" PRIu64 " bytes, %" PRIu64 " messages\n", connections, stream_bytes, messages);
    return 0;
}
