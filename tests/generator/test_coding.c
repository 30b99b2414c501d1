/* test_coding.c tests coding.c: values that are no byte, as bytes. */
#include "test.h"

#include <limits.h>

#include "coding.h"

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
    return code_point < least[len] || !coding_is_code_point(code_point) ? UINT_MAX : code_point;
}

static void every_code_point_is_encoded(void **state)
{
    unsigned char bytes[CODE_POINT_LEN_MAX];

    (void)state;
    for (unsigned c = 0; c <= CODE_POINT_MAX; c++)
        if (coding_is_code_point(c))
            assert_int_equal(decode(bytes, coding_encode(c, bytes)), c);
}

/* Marks all code points that rows say, each of which may be said once. */
static void mark_row(const coding_row_t *row, unsigned at, unsigned char *bytes, unsigned char *is_there)
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
    unsigned char *is_there = ARENA_ARRAY(arena, unsigned char, CODE_POINT_MAX + 1), bytes[CODE_POINT_LEN_MAX];
    coding_rows_t rows = {.count = 0};

    coding_add_code_points(arena, low, high, &rows);
    for (size_t i = 0; i < rows.count; i++)
        mark_row(&rows.items[i], 0, bytes, is_there);
    for (unsigned c = 0; c <= CODE_POINT_MAX; c++)
        assert_int_equal(is_there[c], c >= low && c <= high && coding_is_code_point(c));
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

static unsigned count_of(const coding_row_t *row)
{
    unsigned count = 1;

    for (unsigned i = 0; i < row->len; i++)
        count *= row->high[i] - row->low[i] + 1u;
    return count;
}

/* Rows go up, and none is below the one before; so if they have as many numbers as the range, they are the range. */
static void check_numbers(unsigned low, unsigned high, unsigned len)
{
    arena_t *arena = arena_new();
    coding_rows_t rows = {.count = 0};
    unsigned count = 0;

    coding_add_numbers(arena, low, high, len, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        assert_int_equal(rows.items[i].len, len);
        assert_true(i == 0 || memcmp(rows.items[i - 1].high, rows.items[i].low, len) < 0);
        count += count_of(&rows.items[i]);
    }
    assert_int_equal(count, high - low + 1);
    assert_int_equal(rows.items[0].low[len - 1], low & 0xff);
    assert_int_equal(rows.items[rows.count - 1].high[0], high >> (8 * (len - 1)));
    arena_free(arena);
}

static void numbers_have_their_width(void **state)
{
    coding_rows_t rows = {.count = 0};
    arena_t *arena = arena_new();

    (void)state;
    for (unsigned low = 0; low < 0xffff; low += 251)
        for (unsigned high = low; high < 0xffff; high += 1021) {
            check_numbers(low, high, 2);
            check_numbers(low, high, 3);
        }
    check_numbers(0, 0xffff, 2);
    coding_add_numbers(arena, 0, UINT64_MAX >> 1, 8, &rows);
    assert_int_equal(rows.count, 1);
    assert_memory_equal(rows.items[0].low, "\0\0\0\0\0\0\0\0", 8);
    assert_memory_equal(rows.items[0].high, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
    coding_add_numbers(arena, UINT64_MAX, UINT64_MAX, 8, &rows);
    assert_int_equal(rows.count, 2);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_encoded),
        cmocka_unit_test(rows_say_exactly_the_range),
        cmocka_unit_test(numbers_have_their_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
