/* follow.h: feeds a scene to a protocol's parser, in pieces of any size, and logs what happens.
 *
 * Each piece lies in front of a page that cannot be read, so that a parser which looks behind it crashes; bytes that
 * the parser needs again come from a qcap_keeper_t. The text of every element is compared with what the scene says: a
 * log line never shows other bytes than those at its offsets. */
#ifndef QCAP_TESTS_FOLLOW_H
#define QCAP_TESTS_FOLLOW_H

#include "page.h"
#include "parser.h"

/* Where the bytes of a scene are cut, steps apart; both 0: nowhere. */
typedef struct cutting {
    uint64_t at;   /* behind so many bytes of the scene */
    size_t piece;  /* into pieces of so many bytes */
} cutting_t;

typedef struct log_line {
    unsigned teller; /* 0: the client; 1: the server; 2 and 3: what they feed; and so on */
    qcap_event_kind_t kind; /* of what the line tells; pieces that adjoin are one line */
    uint16_t element;
    uint64_t begin, end, outer_begin, outer_end;
    unsigned char *bytes;   /* of an element or piece */
    size_t len;
    char *text;             /* the line as it is printed; made when the scene has ended */
} log_line_t;

typedef struct event_log {
    log_line_t *lines;
    size_t count;
} event_log_t;

/* Which allocation of a run fails, from 1; 0: none. And how many the last run has asked for. */
extern unsigned follow_failing, follow_allocations;

/* The events of `scene`, then one line for each side that is neither ready nor finished. Free with event_log_fini(). */
void follow(const qcap_protocol_t *protocol, const scene_t *scene, cutting_t cutting, event_log_t *log);

/* All lines, each with its end; the caller frees it. */
char *event_log_print(const event_log_t *log);

/* NULL if both logs say the same of each side, and of what it feeds, however these alternate; else the first line of `log` that differs,
 * "" if it lacks one. */
const char *event_log_compare(const event_log_t *expected, const event_log_t *log);

void event_log_fini(event_log_t *log);

/* How many bytes a scene has that can be cut. */
uint64_t scene_len(const scene_t *scene);

#endif
