/* diag.h: messages about a spec: file, line, column, the source line, a caret.
 *
 *     toy.abnf:12:10: error: rule `tokn` is not defined
 *        12 | method = tokn
 *           |          ^~~~
 */
#ifndef QCAPGEN_DIAG_H
#define QCAPGEN_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "arena.h"

typedef struct source source_t; /* a spec file: source.h */

/* A place in a spec. */
typedef struct place {
    const source_t *source; /* NULL: built in */
    unsigned offset, len;   /* bytes in its text */
} place_t;

typedef struct diag diag_t;

diag_t *diag_new(arena_t *arena);

/* Both keep the message; nothing is printed yet. An error makes diag_has_errors() true for good. */
void diag_error(diag_t *diag, place_t place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(diag_t *diag, place_t place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line that belongs to the message before: an example input, what would help. */
void diag_note(diag_t *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Likewise, about another place: "TEXT, in FILE, line N", and that line. */
void diag_note_at(diag_t *diag, place_t place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds the messages of `other`. */
void diag_add(diag_t *diag, const diag_t *other);

/* Keeps up to `most` messages from now on, rather than the few that a reader takes in. */
void diag_keep(diag_t *diag, unsigned most);

bool diag_has_errors(const diag_t *diag);

/* From here on messages are printed in colours, for a terminal (ECMA-48, 8.3.117: SGR). */
void diag_colour(diag_t *diag);

/* All messages, those of one file in the order of its lines. */
void diag_print(diag_t *diag, FILE *file);

#endif
