/* test_text.c tests text.c and arena.c: growing text, and what it lives in. */
#include "test.h"

#include "text.h"

static void text_grows_and_ends_with_a_nul(void **state)
{
    arena_t *arena = arena_new();
    text_t text;

    (void)state;
    text_init(&text, arena);
    assert_string_equal(text.bytes, "");
    for (int i = 0; i < 1000; i++)
        text_print(&text, "%d,", i % 10);
    assert_int_equal(text.len, 2000);
    assert_int_equal(strlen(text.bytes), 2000);
    text_append(&text, "a\0b", 3);
    assert_int_equal(text.len, 2003);
    assert_memory_equal(text.bytes + 2000, "a\0b", 4);
    text_append(&text, NULL, 0);
    assert_int_equal(text.len, 2003);
    arena_free(arena);
}

static void bytes_are_written_as_people_write_them(void **state)
{
    const unsigned bytes[] = {'a', ' ', '\n', '\r', '\t', 0, '\'', '\\', 0x7f, 0x80, 0xff};
    arena_t *arena = arena_new();
    text_t text;

    (void)state;
    text_init(&text, arena);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        text_byte(&text, bytes[i]);
    assert_string_equal(text.bytes, "'a'' ''\\n''\\r''\\t''\\0''\\'''\\\\'0x7f0x800xff");
    arena_free(arena);
}

static void memory_is_zeroed_and_aligned(void **state)
{
    arena_t *arena = arena_new();

    (void)state;
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        unsigned char *memory = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
    arena_free(arena);
}

static void copies_end_with_a_nul(void **state)
{
    arena_t *arena = arena_new();

    (void)state;
    assert_string_equal(arena_copy(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(arena, NULL, 0), "");
    assert_string_equal(arena_print(arena, "%s-%d", "a", 7), "a-7");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_ends_with_a_nul),
        cmocka_unit_test(bytes_are_written_as_people_write_them),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(copies_end_with_a_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
