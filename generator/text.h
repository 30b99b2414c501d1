/* text.h: growing text, for everything the generator writes. */
#ifndef QCAPGEN_TEXT_H
#define QCAPGEN_TEXT_H

#include <stdbool.h>

#include "arena.h"

typedef struct text {
    arena_t *arena;
    char *bytes; /* NUL-terminated */
    size_t len, capacity;
} text_t;

void text_init(text_t *text, arena_t *arena);
void text_print(text_t *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append(text_t *text, const char *bytes, size_t len);

/* A byte as people write it: 'a', '\n', 0x80. */
void text_byte(text_t *text, unsigned byte);

/* A string as ABNF has it: "abc", %s"abc" if case matters, %x0D.0A if it cannot be quoted. */
void text_abnf_string(text_t *text, const char *bytes, size_t len, bool is_case_sensitive);

/* A byte as it stands in a quoted text: a, \n, \", \x80. */
void text_quoted_byte(text_t *text, unsigned byte);

#endif
