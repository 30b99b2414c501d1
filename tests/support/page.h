/* page.h: golden pages: Markdown that shows messages, and the events each of them causes.
 *
 * A page is prose, and cases. A case is a `## heading`, prose, and two fenced blocks:
 *
 *     ```message
 *     > GET / HTTP/1.1\r\n         what the client sends; the line's own end is no part of it
 *     < HTTP/1.1 200 OK\r\n        what the server sends; \r \n \t \\ \xHH; consecutive lines are fed as one
 *     >> text                      a datagram of the client, << one of the server: each line is one
 *     server gap 10                or `client`: bytes are missing; finish, absent, hurry and search: see parser.h
 *     limit 16                     the most bytes of a whole element
 *     ```
 *     ```events
 *     client 0..3 http.request.method "GET"
 *     ```
 *
 * What the second block must say is not decided here. */
#ifndef QCAP_TESTS_PAGE_H
#define QCAP_TESTS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { STEP_BYTES, STEP_DATAGRAM, STEP_GAP, STEP_FINISH, STEP_ABSENT, STEP_HURRY, STEP_SEARCH, STEP_LIMIT } step_kind_t;

typedef struct step {
    step_kind_t kind;
    bool is_server;
    unsigned char *bytes; /* STEP_BYTES, STEP_DATAGRAM */
    size_t len;           /* of those */
    uint64_t number;      /* STEP_GAP, STEP_LIMIT */
} step_t;

typedef struct scene {
    char *title;
    step_t *steps;
    size_t step_count;
    char *events;     /* the events block, each line with its end */
    size_t message_end; /* line behind the message block: its index in the page */
    size_t events_end;  /* line behind the events block; message_end if there is none */
} scene_t;

typedef struct page {
    char *path;
    char **lines; /* without their ends */
    size_t line_count;
    scene_t *scenes;
    size_t scene_count;
} page_t;

/* NULL if the file cannot be read, or is no page: a line on stderr says why. Free with page_free(). */
page_t *page_read(const char *path);

/* Rewrites the file with other events blocks: events[i] for scene i. 0, or -1 with a line on stderr. */
int page_write(const page_t *page, char *const *events);

void page_free(page_t *page);

#endif
