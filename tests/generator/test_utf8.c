/* test_utf8.c: code points as bytes: utf8.c, against a decoder of its own. */
#include "test.h"

#include <limits.h>

#include "utf8.h"

/* The code point that bytes encode in the shortest way (RFC 3629, 3); UINT_MAX if none. */
static unsigned decode(const unsigned char *bytes, size_t len)
{
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned code_point = len == 1 ? bytes[0] : bytes[0] - (unsigned)heads[len];

    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return UINT_MAX;
        code_point = code_point << 6 | (bytes[i] & 0x3fu);
    }
    return code_point < least[len] || !utf8_is_code_point(code_point) ? UINT_MAX : code_point;
}

static void every_code_point_is_encoded(void **state)
{
    unsigned char bytes[UTF8_LEN_MAX];

    (void)state;
    for (unsigned c = 0; c <= UTF8_CODE_POINT_MAX; c++)
        if (utf8_is_code_point(c))
            assert_int_equal(decode(bytes, utf8_encode(c, bytes)), c);
}

/* Marks all code points that rows say, each of which may be said once. */
static void mark_row(const utf8_row_t *row, unsigned at, unsigned char *bytes, unsigned char *is_there)
{
    if (at == row->len) {
        unsigned code_point = decode(bytes, row->len);
        assert_int_not_equal(code_point, UINT_MAX);
        assert_false(is_there[code_point]);
        is_there[code_point] = 1;
        return;
    }
    for (unsigned byte = row->low[at]; byte <= row->high[at]; byte++) {
        bytes[at] = (unsigned char)byte;
        mark_row(row, at + 1, bytes, is_there);
    }
}

static void check_range(unsigned low, unsigned high)
{
    arena_t *arena = arena_new();
    unsigned char *is_there = ARENA_ARRAY(arena, unsigned char, UTF8_CODE_POINT_MAX + 1), bytes[UTF8_LEN_MAX];
    utf8_rows_t rows = {.count = 0};

    utf8_add_range(arena, low, high, &rows);
    for (size_t i = 0; i < rows.count; i++)
        mark_row(&rows.items[i], 0, bytes, is_there);
    for (unsigned c = 0; c <= UTF8_CODE_POINT_MAX; c++)
        assert_int_equal(is_there[c], c >= low && c <= high && utf8_is_code_point(c));
    arena_free(arena);
}

static void rows_say_exactly_the_range(void **state)
{
    static const unsigned ends[] = {0,      0x41,   0x7f,   0x80,   0xa5,   0xff,    0x7ff,   0x800,   0x10ff,
                                    0xd7ff, 0xd800, 0xdfff, 0xe000, 0xffff, 0x10000, 0x1f600, 0x40000, 0x10ffff};
    const size_t count = sizeof ends / sizeof *ends;

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i; k < count; k++)
            check_range(ends[i], ends[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_encoded),
        cmocka_unit_test(rows_say_exactly_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
