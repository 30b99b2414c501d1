/* test_budget.c: what is allocated is counted, and refused over the ceiling. */
#include "budget.h"
#include "test.h"

static void what_is_used_is_counted(void **state)
{
    qcapint_budget_t budget;
    (void)state;
    qcapint_budget_init(&budget, 1000);
    unsigned char *block = qcapint_budget_alloc(&budget, 100);
    assert_int_equal(block[99], 0);
    block = qcapint_budget_resize(&budget, block, 100, 300);
    assert_int_equal(budget.used, 300);
    block = qcapint_budget_resize(&budget, block, 300, 200);
    assert_int_equal(budget.used, 200);
    qcapint_budget_free(&budget, block, 200);
    qcapint_budget_free(&budget, NULL, 17);
    assert_int_equal(budget.used, 0);
    assert_int_equal(budget.peak, 300);
    assert_int_equal(budget.refused, 0);
}

static void the_ceiling_is_kept(void **state)
{
    qcapint_budget_t budget;
    (void)state;
    qcapint_budget_init(&budget, 160);
    assert_null(qcapint_budget_alloc(&budget, 161));
    assert_null(qcapint_budget_alloc(&budget, SIZE_MAX));
    void *block = qcapint_budget_alloc(&budget, 150);
    assert_false(qcapint_budget_is_tight(&budget));
    assert_null(qcapint_budget_alloc(&budget, 11));
    assert_null(qcapint_budget_resize(&budget, block, 150, 161));
    block = qcapint_budget_resize(&budget, block, 150, 160);
    assert_true(qcapint_budget_is_tight(&budget));
    assert_int_equal(budget.refused, 4);
    qcapint_budget_free(&budget, block, 160);
}

static void a_test_can_make_one_allocation_fail(void **state)
{
    qcapint_budget_t budget;
    (void)state;
    qcapint_budget_init(&budget, 1000);
    budget.fail_in = 2;
    void *first = qcapint_budget_alloc(&budget, 1);
    assert_non_null(first);
    assert_null(qcapint_budget_alloc(&budget, 1));
    void *third = qcapint_budget_alloc(&budget, 1);
    assert_non_null(third);
    qcapint_budget_free(&budget, first, 1);
    qcapint_budget_free(&budget, third, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_used_is_counted),
        cmocka_unit_test(the_ceiling_is_kept),
        cmocka_unit_test(a_test_can_make_one_allocation_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
