/* coding.h: values that are no byte, as bytes: code points, and numbers of a fixed width. */
#ifndef QCAPGEN_CODING_H
#define QCAPGEN_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "vec.h"

#define CODE_POINT_MAX 0x10ffffu
#define CODE_POINT_LEN_MAX 4 /* bytes of its encoding */
#define CODING_LEN_MAX 8     /* bytes of the longest number */

/* Bytes of which the first is in low[0] to high[0], the second in low[1] to high[1], and so on. */
typedef struct coding_row {
    unsigned char low[CODING_LEN_MAX], high[CODING_LEN_MAX];
    unsigned len; /* bytes */
} coding_row_t;

typedef VEC(coding_row_t) coding_rows_t;

/* Whether there is an encoding: surrogates have none. */
bool coding_is_code_point(uint64_t number);

/* Writes the UTF-8 encoding of a code point and returns its length. */
size_t coding_encode(uint64_t code_point, unsigned char bytes[CODE_POINT_LEN_MAX]);

/* Adds rows that together are the encodings of all code points from `low` to `high`; none if all are surrogates. No two
 * rows have an encoding in common. */
void coding_add_code_points(arena_t *arena, uint64_t low, uint64_t high, coding_rows_t *rows);

/* The same for numbers of `len` bytes, 1 to CODING_LEN_MAX, the most significant one first. */
void coding_add_numbers(arena_t *arena, uint64_t low, uint64_t high, unsigned len, coding_rows_t *rows);

#endif
