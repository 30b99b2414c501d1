/* utf8.h: code points as bytes. */
#ifndef QCAPGEN_UTF8_H
#define QCAPGEN_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "vec.h"

#define UTF8_CODE_POINT_MAX 0x10ffffu
#define UTF8_LEN_MAX 4

/* Bytes of which the first is in low[0] to high[0], the second in low[1] to high[1], and so on. */
typedef struct utf8_row {
    unsigned low[UTF8_LEN_MAX], high[UTF8_LEN_MAX];
    unsigned len; /* bytes */
} utf8_row_t;

typedef VEC(utf8_row_t) utf8_rows_t;

/* Whether there is an encoding: surrogates have none. */
bool utf8_is_code_point(unsigned code_point);

/* Writes the encoding of a code point and returns its length. */
size_t utf8_encode(unsigned code_point, unsigned char bytes[UTF8_LEN_MAX]);

/* Adds rows that together are the encodings of all code points from `low` to `high`; none if all are surrogates. No two
 * rows have an encoding in common. */
void utf8_add_range(arena_t *arena, unsigned low, unsigned high, utf8_rows_t *rows);

#endif
