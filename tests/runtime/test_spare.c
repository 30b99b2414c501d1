/* test_spare.c: tests spare.c. */
#include "spare.h"
#include "test.h"

#define SIZE 10000u
#define LIMIT ((uint64_t)64 << 20) /* a part of it, 256 KB, may be spare */

typedef struct fixture {
    qcapint_budget_t budget;
    qcapint_spares_t spares;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    qcapint_budget_init(&f->budget, LIMIT);
    qcapint_spares_init(&f->spares, &f->budget);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(f->budget.used, 0);
    qcapint_spares_fini(&f->spares);
    free(f);
    return 0;
}

/* A block that the test fills. */
static void *get(fixture_t *f, size_t size)
{
    void *block = qcapint_spares_get(&f->spares, size);
    assert_non_null(block);
    return memset(block, 0x55, size);
}

static void the_last_one_that_came_back_serves_first(void **state)
{
    fixture_t *f = *state;
    void *first = get(f, SIZE), *second = get(f, SIZE), *other = get(f, SIZE + 1);
    assert_int_equal(f->budget.used, 3 * SIZE + 1);
    qcapint_spares_put(&f->spares, first, SIZE);
    qcapint_spares_put(&f->spares, second, SIZE);
    qcapint_spares_put(&f->spares, other, SIZE + 1);
    assert_int_equal(f->budget.used, 0);
    assert_int_equal(f->spares.kept, 3 * SIZE + 1);
    assert_ptr_equal(get(f, SIZE), second);
    assert_ptr_equal(get(f, SIZE), first);
    assert_ptr_equal(get(f, SIZE + 1), other);
    assert_int_equal(f->spares.kept, 0);
    assert_int_equal(f->budget.used, 3 * SIZE + 1);
    qcapint_spares_put(&f->spares, first, SIZE);
    qcapint_spares_put(&f->spares, second, SIZE);
    qcapint_spares_put(&f->spares, other, SIZE + 1);
}

static void a_small_part_of_the_ceiling_is_spare_at_most(void **state)
{
    fixture_t *f = *state;
    void *blocks[100];
    for (size_t i = 0; i < 100; i++)
        blocks[i] = get(f, SIZE);
    for (size_t i = 0; i < 100; i++)
        qcapint_spares_put(&f->spares, blocks[i], SIZE);
    assert_in_range(f->spares.kept, SIZE, LIMIT / 256);
}

static void of_more_sizes_than_there_is_room_for_nothing_is_kept(void **state)
{
    fixture_t *f = *state;
    void *blocks[2 * QCAPINT_SPARE_SIZES];
    size_t kept = 0;
    for (size_t i = 0; i < 2 * QCAPINT_SPARE_SIZES; i++)
        blocks[i] = get(f, 100 + i);
    for (size_t i = 0; i < 2 * QCAPINT_SPARE_SIZES; i++) {
        qcapint_spares_put(&f->spares, blocks[i], 100 + i);
        kept += i < QCAPINT_SPARE_SIZES ? 100 + i : 0;
    }
    assert_int_equal(f->spares.kept, kept);
}

static void a_refused_block_is_null_and_stays_spare(void **state)
{
    fixture_t *f = *state;
    qcapint_spares_put(&f->spares, get(f, SIZE), SIZE);
    f->budget.fail_in = 1;
    assert_null(qcapint_spares_get(&f->spares, SIZE));
    assert_int_equal(f->budget.refused, 1);
    assert_int_equal(f->spares.kept, SIZE);
    f->budget.fail_in = 1;
    assert_null(qcapint_spares_get(&f->spares, SIZE + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_one_that_came_back_serves_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_small_part_of_the_ceiling_is_spare_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(of_more_sizes_than_there_is_room_for_nothing_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_block_is_null_and_stays_spare, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
