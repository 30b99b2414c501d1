/* output.h: generated files: written all or not at all, and read again. */
#ifndef QCAPGEN_OUTPUT_H
#define QCAPGEN_OUTPUT_H

#include <stdbool.h>

#include "text.h"
#include "vec.h"

typedef struct output_file {
    const char *path;    /* where it goes */
    const text_t *text;  /* what is in it */
    const char *scratch; /* where it is until all are there; NULL: nowhere yet */
} output_file_t;

typedef struct output {
    arena_t *arena;
    VEC(output_file_t) files;
    const char *failed; /* the path that could not be written, with errno */
} output_t;

/* Another file; both are borrowed until it is written. */
void output_add(output_t *output, const char *path, const text_t *text);

/* Writes all files beside where they go, and then puts them there: whoever reads one sees the old or the new one,
 * whole. False if one cannot be written, as on a full disk: `failed` and errno say which and why, and no file has
 * changed. */
bool output_write(output_t *output);

/* All of a file. False with errno. */
bool output_read(arena_t *arena, const char *path, text_t *text);

/* Makes a folder and those around it, as far as they are not there. False with errno. */
bool output_make_folder(arena_t *arena, const char *path);

#endif
