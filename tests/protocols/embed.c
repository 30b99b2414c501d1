/* embed.c: a program that follows both directions of one connection with a generated parser alone: no capture, no
 * library, no allocation. Bytes arrive in pieces that cut elements anywhere; a keeper for each direction holds on to
 * what is still needed. */
#include <stdio.h>
#include <string.h>

#include "http.h"

#define KEPT_MAX 4096 /* bytes of the longest element this program wants whole */

static uint64_t queues[1100]; /* what the two directions share beyond the conversation */

/* The two directions. */
static qcap_keeper_t client_keeper, server_keeper;

static void *get_queues(void *block, size_t size, void *user)
{
    (void)user;
    return !block && size <= sizeof queues ? queues : NULL;
}

static void print_element(qcap_parser_t *parser, const qcap_event_t *event)
{
    const qcap_keeper_t *keeper = qcap_parser_is_server(parser) ? &server_keeper : &client_keeper;
    char text[KEPT_MAX];
    size_t len = qcap_keeper_copy(keeper, event->begin, event->end, text);
    printf(" \"%.*s\"", (int)len, text);
}

/* Names of elements are looked up by their path: the program knows no numbers. */
static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    static const char *const wanted[] = {"http.request.method", "http.request.request-target",
                                         "http.request.field-line.field-value.Host", "http.response.status-code",
                                         "http.response.content"};
    char path[128];
    (void)user;
    if (event->element == QCAP_NONE)
        return;
    qcap_element_path(qcap_parser_conversation(parser)->protocol, event->element, path, sizeof path);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcmp(path, wanted[i]) != 0)
            continue;
        printf("%s %s %s", qcap_parser_is_server(parser) ? "server" : "client", path,
               qcap_event_kind_name(event->kind));
        if (event->kind == QCAP_EVENT_ELEMENT)
            print_element(parser, event);
        if (event->kind == QCAP_EVENT_PIECE)
            printf(" \"%.*s\"", (int)(event->end - event->begin), (const char *)event->bytes);
        putchar('\n');
    }
}

/* Feeds a string in pieces of `piece` bytes. */
static void feed(qcap_parser_t *parser, qcap_keeper_t *keeper, const char *text, size_t piece)
{
    for (size_t len = strlen(text); len > 0;) {
        size_t some = len < piece ? len : piece;
        size_t taken = qcap_keeper_feed(keeper, parser, (const unsigned char *)text, some);
        text += taken;
        len -= taken;
        if (taken < some)
            break;
    }
}

int main(void)
{
    static qcap_http_t http;
    static unsigned char client_buffer[KEPT_MAX], server_buffer[KEPT_MAX];

    qcap_http_init(&http, on_event, NULL);
    qcap_conversation_t *conversation = qcap_parser_conversation(&http.client);
    qcap_conversation_set_memory(conversation, get_queues);
    qcap_conversation_set_limit(conversation, KEPT_MAX);
    qcap_keeper_init(&client_keeper, client_buffer, sizeof client_buffer);
    qcap_keeper_init(&server_keeper, server_buffer, sizeof server_buffer);

    feed(&http.client, &client_keeper, "HEAD /first HTTP/1.1\r\nHost: example.com\r\n\r\nGET /second HTTP/1.1\r\n"
                                       "Host: example.com\r\n\r\n", 5);
    feed(&http.server, &server_keeper, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                       "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nsorry", 3);
    qcap_parser_finish(&http.client);
    qcap_parser_finish(&http.server);
    return 0;
}
