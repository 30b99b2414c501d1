/* utf8.c: code points as bytes: RFC 3629, 3.
 *
 * A range of code points is cut until all encodings of a piece have one length and differ only as a row can say: up to
 * some byte they are the same, and behind the first that differs each goes from 80 to BF:
 *
 *     %xA0-10FF    C2 A0-BF / C3-DF 80-BF / E0 A0-BF 80-BF / E1 80-83 80-BF */
#include "utf8.h"

#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST 0xdfffu

bool utf8_is_code_point(unsigned code_point)
{
    return code_point <= UTF8_CODE_POINT_MAX && (code_point < SURROGATE_FIRST || code_point > SURROGATE_LAST);
}

size_t utf8_encode(unsigned code_point, unsigned char bytes[UTF8_LEN_MAX])
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; code_point >>= 6)
        bytes[i] = (unsigned char)(0x80 | (code_point & 0x3f));
    bytes[0] = (unsigned char)(marks[len] | code_point);
    return len;
}

/* Both ends have one length, and are as far apart as a row can say. */
static void add_row(arena_t *arena, unsigned low, unsigned high, utf8_rows_t *rows)
{
    unsigned char first[UTF8_LEN_MAX], last[UTF8_LEN_MAX];
    utf8_row_t row = {.len = (unsigned)utf8_encode(low, first)};

    utf8_encode(high, last);
    for (unsigned i = 0; i < row.len; i++) {
        row.low[i] = first[i];
        row.high[i] = last[i];
    }
    vec_push(arena, rows, row);
}

/* The last code point that can be in a row with `low`, not beyond `high`. */
static unsigned row_end(unsigned low, unsigned high)
{
    static const unsigned ends[] = {0x7f, 0x7ff, 0xffff, UTF8_CODE_POINT_MAX}; /* of lengths */
    unsigned end = 0;

    for (unsigned i = 0; end < low; i++)
        end = ends[i];
    if (end < high)
        high = end;
    for (unsigned bits = 6; bits <= 18 && low >= 0x80; bits += 6) {
        unsigned below = (1u << bits) - 1; /* what the last bytes of an encoding say */
        if (low >> bits == high >> bits)
            break; /* the bytes before these are the same */
        if (low & below)
            return low | below;
        if ((high & below) != below)
            high = (high & ~below) - 1;
    }
    return high;
}

void utf8_add_range(arena_t *arena, unsigned low, unsigned high, utf8_rows_t *rows)
{
    if (low < SURROGATE_FIRST && high >= SURROGATE_FIRST) {
        utf8_add_range(arena, low, SURROGATE_FIRST - 1, rows);
        low = SURROGATE_FIRST;
    }
    if (low >= SURROGATE_FIRST && low <= SURROGATE_LAST)
        low = SURROGATE_LAST + 1;
    while (low <= high) {
        unsigned end = row_end(low, high);
        add_row(arena, low, end, rows);
        low = end + 1;
    }
}
