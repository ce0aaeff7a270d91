/* Small cells of the matrix (bench/matrix), each of which once was slow or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "matrix.h"

/* The number of a cell in the set that covers all pairs, and how many times its ideal time it takes at
 * most. */
struct expected {
    unsigned number;
    double ratio_most;
};

static void assert_as_expected(const struct expected *expected, uint64_t seeds)
{
    struct matrix_cell *cells = calloc(MATRIX_CELLS, sizeof *cells);
    assert_non_null(cells);
    unsigned count = matrix_pairwise(cells);
    assert_true(expected->number < count);
    struct matrix_cell cell = cells[expected->number];
    free(cells);
    struct ideal_case ideal = matrix_ideal(cell);
    double seconds = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct matrix_result result = matrix_run(cell, seed);
        if (result.wrong || result.false_opens)
            fail_msg("cell %u, seed %u: %u wrong", expected->number, (unsigned)seed, (unsigned)result.wrong);
        seconds += result.seconds;
    }
    double ratio = seconds / (double)seeds / ideal_seconds(&ideal);
    if (ratio > expected->ratio_most)
        fail_msg("cell %u takes %.2f times its ideal", expected->number, ratio);
}

static void the_rate_to_a_near_host_is_found_soon(void **state)
{
    (void)state;
    assert_as_expected(&(struct expected){43, 1.5}, 30);
}

static void a_rate_that_begins_far_too_high_costs_little(void **state)
{
    (void)state;
    assert_as_expected(&(struct expected){39, 1.5}, 8);
}

/* Sweeps at ten times what the link carries are over before an answer could say so, and bursts may look like
 * a policer. */
static void a_firewalled_host_behind_bursts_of_loss_is_asked_in_time(void **state)
{
    (void)state;
    assert_as_expected(&(struct expected){12, 1.6}, 30);
}

/* 0.2 ms away, 5 % lost in bursts of 10 ms, resets limited: the tries of the last ports must not all meet one
 * burst. */
static void the_last_ports_of_a_limited_host_are_not_all_asked_in_one_burst(void **state)
{
    (void)state;
    struct matrix_cell cell = matrix_cell_at(1098);
    uint64_t wrong = 0;
    for (uint64_t seed = 1; seed <= 300; seed++)
        wrong += matrix_run(cell, seed).wrong;
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_to_a_near_host_is_found_soon),
        cmocka_unit_test(a_rate_that_begins_far_too_high_costs_little),
        cmocka_unit_test(a_firewalled_host_behind_bursts_of_loss_is_asked_in_time),
        cmocka_unit_test(the_last_ports_of_a_limited_host_are_not_all_asked_in_one_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
