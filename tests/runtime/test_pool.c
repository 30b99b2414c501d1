/* test_pool.c: tests pool.c. */
#include "pool.h"
#include "test.h"

#define BLOCK_LEN 232u
#define BLOCKS 40000u

typedef struct fixture {
    qcapint_budget_t budget;
    qcapint_pool_t pool;
    unsigned char *blocks[BLOCKS];
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    qcapint_budget_init(&f->budget, (uint64_t)512 << 20);
    qcapint_pool_init(&f->pool, &f->budget, BLOCK_LEN);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    for (size_t i = 0; i < BLOCKS; i++)
        qcapint_pool_free(&f->pool, f->blocks[i]);
    assert_int_equal(f->budget.used, 0);
    qcapint_pool_fini(&f->pool);
    free(f);
    return 0;
}

static void fill(fixture_t *f, size_t from, size_t until)
{
    for (size_t i = from; i < until; i++) {
        f->blocks[i] = qcapint_pool_alloc(&f->pool);
        assert_non_null(f->blocks[i]);
        for (size_t at = 0; at < BLOCK_LEN; at++)
            assert_int_equal(f->blocks[i][at], 0);
        memset(f->blocks[i], (int)(i % 251), BLOCK_LEN);
    }
}

static void check(const fixture_t *f, size_t i)
{
    for (size_t at = 0; at < BLOCK_LEN; at++)
        assert_int_equal(f->blocks[i][at], i % 251);
}

static void empty(fixture_t *f, size_t i)
{
    qcapint_pool_free(&f->pool, f->blocks[i]);
    f->blocks[i] = NULL;
}

/* Over several chunks, with holes that are filled again. */
static void blocks_are_zeros_and_nobody_elses(void **state)
{
    fixture_t *f = *state;
    fill(f, 0, BLOCKS);
    assert_int_equal(f->budget.used, (uint64_t)BLOCKS * BLOCK_LEN);
    for (size_t i = 0; i < BLOCKS; i += 3)
        empty(f, i);
    for (size_t i = 0; i < BLOCKS; i += 3)
        fill(f, i, i + 1);
    for (size_t i = 0; i < BLOCKS; i++)
        check(f, i);
}

static size_t chunk_count(const fixture_t *f)
{
    uintptr_t seen[64];
    size_t count = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        uintptr_t chunk = (uintptr_t)f->blocks[i] & ~(uintptr_t)(f->pool.chunk_size - 1);
        size_t at = 0;
        while (at < count && seen[at] != chunk)
            at++;
        if (f->blocks[i] && at == count)
            seen[count++] = chunk;
    }
    return count;
}

/* ... as the same blocks show, when they are wanted again. */
static void empty_chunks_are_used_again_or_given_back(void **state)
{
    fixture_t *f = *state;
    fill(f, 0, BLOCKS);
    size_t count = chunk_count(f);
    assert_true(count > 3 && count < 8);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < BLOCKS; i++)
            empty(f, round % 2 ? i : BLOCKS - 1 - i);
        assert_int_equal(f->budget.used, 0);
        fill(f, 0, BLOCKS);
        assert_true(chunk_count(f) <= count + 1);
    }
}

/* What is not in use of a chunk is no more than a small part of the ceiling. */
static void chunks_are_small_where_memory_is(void **state)
{
    fixture_t *f = *state;
    f->budget.limit = 8u << 20;
    fill(f, 0, 1);
    assert_true(f->pool.chunk_size <= f->budget.limit / 64);
    fill(f, 1, 10000);
    for (size_t i = 0; i < 10000; i++)
        check(f, i);
}

/* The first chunk is a part of one, and a block may be larger than that part. */
static void large_blocks_lie_in_chunks_where_memory_is_small(void **state)
{
    enum { LARGE = 4096, COUNT = 12 };
    (void)state;
    qcapint_budget_t budget;
    qcapint_pool_t pool;
    unsigned char *blocks[COUNT];
    qcapint_budget_init(&budget, 1u << 20);
    qcapint_pool_init(&pool, &budget, LARGE);
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = qcapint_pool_alloc(&pool);
        assert_non_null(blocks[i]);
        uintptr_t begin = (uintptr_t)blocks[i] & (pool.chunk_size - 1);
        assert_true(begin + LARGE <= pool.chunk_size);
        memset(blocks[i], (int)i, LARGE);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][LARGE - 1], i);
        qcapint_pool_free(&pool, blocks[i]);
    }
    qcapint_pool_fini(&pool);
}

static void a_refused_block_is_null(void **state)
{
    fixture_t *f = *state;
    fill(f, 0, 10);
    f->budget.limit = f->budget.used + BLOCK_LEN;
    fill(f, 10, 11);
    assert_null(qcapint_pool_alloc(&f->pool));
    assert_int_equal(f->budget.refused, 1);
    empty(f, 5);
    fill(f, 5, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_zeros_and_nobody_elses, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_chunks_are_used_again_or_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(chunks_are_small_where_memory_is, setup, teardown),
        cmocka_unit_test(large_blocks_lie_in_chunks_where_memory_is_small),
        cmocka_unit_test_setup_teardown(a_refused_block_is_null, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
