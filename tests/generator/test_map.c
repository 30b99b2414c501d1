/* test_map.c tests map.c: from names to things. */
#include "test.h"

#include "map.h"

static void what_was_put_is_found(void **state)
{
    arena_t *arena = arena_new();
    map_t map = {.arena = arena};
    int one = 1, two = 2;

    (void)state;
    assert_null(map_find(&map, "a"));
    map_put(&map, "a", &one);
    assert_ptr_equal(map_find(&map, "a"), &one);
    assert_null(map_find(&map, "A"));
    assert_null(map_find(&map, ""));
    map_put(&map, "a", &two);
    assert_ptr_equal(map_find(&map, "a"), &two);
    assert_int_equal(map.count, 1);
    arena_free(arena);
}

static void case_is_ignored_if_asked_for(void **state)
{
    arena_t *arena = arena_new();
    map_t map = {.arena = arena, .is_case_ignored = true};
    int value = 1;

    (void)state;
    map_put(&map, "Content-Length", &value);
    assert_ptr_equal(map_find(&map, "content-LENGTH"), &value);
    assert_null(map_find(&map, "content_length"));
    arena_free(arena);
}

static void a_map_grows(void **state)
{
    arena_t *arena = arena_new();
    map_t map = {.arena = arena};
    int values[1000];

    (void)state;
    for (int i = 0; i < 1000; i++)
        map_put(&map, arena_print(arena, "name%d", i), &values[i]);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_find(&map, arena_print(arena, "name%d", i)), &values[i]);
    assert_int_equal(map.count, 1000);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(case_is_ignored_if_asked_for),
        cmocka_unit_test(a_map_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
