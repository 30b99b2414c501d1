/* source.h: the text of a spec file, and where in it something stands. */
#ifndef QCAPGEN_SOURCE_H
#define QCAPGEN_SOURCE_H

#include "arena.h"
#include "diag.h"

/* Offsets into a spec fit 32 bits with room to spare, and nobody writes a longer one. */
#define SOURCE_SIZE_MAX ((size_t)4 * 1024 * 1024)

struct source {
    const char *path; /* as messages name it */
    const char *text; /* len bytes, then a NUL */
    size_t len;       /* at most SOURCE_SIZE_MAX */
};

/* A line and column, both from 1; columns count characters of UTF-8. */
typedef struct source_position {
    unsigned line, column;
} source_position_t;

/* A source of bytes that are in memory already: built in, or a test's. Borrows both. */
const source_t *source_new(arena_t *arena, const char *path, const char *text, size_t len);

/* A file, or standard input for "-". NULL if it cannot be read or is too long. `place` is where the name was found, for the message;
 * if that is in a spec, it must be a regular file. */
const source_t *source_read(arena_t *arena, const char *path, place_t place, diag_t *diag);

/* `file` as seen from the folder of `path`; a name that begins with a slash is itself. */
const char *source_sibling(arena_t *arena, const char *path, const char *file);

source_position_t source_position(const source_t *source, size_t offset);

/* The offset where the line of `offset` begins, and the one behind its last byte, without the line end. */
size_t source_line_begin(const source_t *source, size_t offset);
size_t source_line_end(const source_t *source, size_t offset);

/* The last part of a path. */
const char *source_base_name(const char *path);

/* From the start of `from` to the end of `to`, which are of one source; either may be the empty place. */
place_t place_span(place_t from, place_t to);

#endif
