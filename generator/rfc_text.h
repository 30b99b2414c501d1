/* rfc_text.h: the plain text of an RFC as lines that say something: without its pages, each with the section it is in. */
#ifndef QCAPGEN_RFC_TEXT_H
#define QCAPGEN_RFC_TEXT_H

#include "source.h"
#include "vec.h"

/* What stood before a line. */
typedef enum { GAP_NONE, GAP_BLANK, GAP_PAGE } gap_t;

typedef struct rfc_line {
    const char *text;    /* without indentation and trailing blanks; NUL-terminated */
    unsigned indent;     /* columns before it */
    gap_t gap;           /* since the line before */
    const char *section; /* "3.2.1", "A.1", or "" before the first */
} rfc_line_t;

typedef struct rfc_text {
    const char *number;    /* "9112"; "" if the text does not say */
    VEC(rfc_line_t) lines; /* no empty ones, no headings, no heads and feet of pages */
} rfc_text_t;

/* Of any text; what has no pages and sections is lines alone. */
rfc_text_t *rfc_text_read(arena_t *arena, const source_t *source);

#endif
