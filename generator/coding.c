/* coding.c: values that are no byte, as bytes.
 *
 * A range is cut until all encodings of a piece have one length and differ only as a row can say: up to some byte they are
 * the same, and behind the first that differs each is anything. For code points (RFC 3629, 3) that is 80 to BF:
 *
 *     %xA0-10FF        C2 A0-BF / C3-DF 80-BF / E0 A0-BF 80-BF / E1 80-83 80-BF
 *     %x0010-FFFF      00 10-FF / 01-FF 00-FF                                     as numbers of two bytes */
#include "coding.h"

#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST 0xdfffu

/* The last number that can be in a row with `low`, not beyond `high`; bytes have so many bits of it, but for the first. */
static uint64_t row_end(uint64_t low, uint64_t high, unsigned byte_bits)
{
    for (unsigned bits = byte_bits; bits < 64; bits += byte_bits) {
        uint64_t below = ((uint64_t)1 << bits) - 1; /* what the last bytes of an encoding say */
        if (low >> bits == high >> bits)
            break; /* the bytes before these are the same */
        if (low & below)
            return low | below;
        if ((high & below) != below)
            high = (high & ~below) - 1;
    }
    return high;
}

/* ---------------------------------------------------------------- code points */

bool coding_is_code_point(uint64_t number)
{
    return number <= CODE_POINT_MAX && (number < SURROGATE_FIRST || number > SURROGATE_LAST);
}

size_t coding_encode(uint64_t code_point, unsigned char bytes[CODE_POINT_LEN_MAX])
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; code_point >>= 6)
        bytes[i] = (unsigned char)(0x80 | (code_point & 0x3f));
    bytes[0] = (unsigned char)(marks[len] | code_point);
    return len;
}

/* The last code point with an encoding as long as that of this one. */
static uint64_t length_end(uint64_t code_point)
{
    return code_point < 0x80 ? 0x7f : code_point < 0x800 ? 0x7ff : code_point < 0x10000 ? 0xffff : CODE_POINT_MAX;
}

void coding_add_code_points(arena_t *arena, uint64_t low, uint64_t high, coding_rows_t *rows)
{
    if (low < SURROGATE_FIRST && high >= SURROGATE_FIRST) {
        coding_add_code_points(arena, low, SURROGATE_FIRST - 1, rows);
        low = SURROGATE_FIRST;
    }
    if (low >= SURROGATE_FIRST && low <= SURROGATE_LAST)
        low = SURROGATE_LAST + 1;
    while (low <= high) {
        coding_row_t row = {.len = 0};
        uint64_t end = high < length_end(low) ? high : length_end(low);
        end = low < 0x80 ? end : row_end(low, end, 6);
        row.len = (unsigned)coding_encode(low, row.low);
        coding_encode(end, row.high);
        vec_push(arena, rows, row);
        low = end + 1;
    }
}

/* ---------------------------------------------------------------- numbers */

static void write_number(uint64_t number, unsigned char *bytes, unsigned len)
{
    for (; len-- > 0; number >>= 8)
        bytes[len] = (unsigned char)number;
}

void coding_add_numbers(arena_t *arena, uint64_t low, uint64_t high, unsigned len, coding_rows_t *rows)
{
    uint64_t end;

    do {
        coding_row_t row = {.len = len};
        end = row_end(low, high, 8);
        write_number(low, row.low, len);
        write_number(end, row.high, len);
        vec_push(arena, rows, row);
        low = end + 1;
    } while (end < high);
}
