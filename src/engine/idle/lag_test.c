#include "engine/idle/lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static struct lag_span span(int64_t from_ms, int64_t to_ms)
{
    return (struct lag_span){.from_ns = from_ms * MSEC, .to_ns = to_ms * MSEC};
}

static void assert_span(const struct lag *lag, int64_t from_ms, int64_t to_ms)
{
    assert_int_equal(lag->span.from_ns, from_ms * MSEC);
    assert_int_equal(lag->span.to_ns, to_ms * MSEC);
}

static void a_guess_can_be_forgotten(void **state)
{
    (void)state;
    struct lag lag;
    lag_init(&lag, MSEC, 500 * MSEC);
    assert_int_equal(lag.knowledge, LAG_UNKNOWN);
    assert_span(&lag, -1, 500);
    lag_guess(&lag, span(10, 60));
    assert_int_equal(lag.knowledge, LAG_GUESSED);
    assert_span(&lag, 10, 60);
    lag_forget_guess(&lag);
    assert_int_equal(lag.knowledge, LAG_UNKNOWN);
    assert_span(&lag, -1, 500);
}

static void open_ports_make_it_known_and_the_widest_of_them_is_left_out(void **state)
{
    (void)state;
    struct lag lag;
    lag_init(&lag, MSEC, 500 * MSEC);
    lag_learn(&lag, span(20, 22));
    lag_learn(&lag, span(21, 24));
    assert_int_equal(lag.knowledge, LAG_KNOWN);
    assert_span(&lag, 20, 24);
    lag_learn(&lag, span(0, 90)); /* while a packet was held up */
    assert_span(&lag, 20, 24);
    lag_forget_guess(&lag);
    assert_span(&lag, 20, 24);
}

static void a_lag_that_is_too_narrow_grows_to_the_longest_at_most(void **state)
{
    (void)state;
    struct lag lag;
    lag_init(&lag, MSEC, 500 * MSEC);
    lag_learn(&lag, span(20, 24));
    lag_widen(&lag);
    assert_span(&lag, 18, 26);
    for (unsigned i = 0; i < 20; i++)
        lag_widen(&lag);
    assert_span(&lag, -1, 500);
}

static void what_was_measured_for_its_own_sake_replaces_what_open_ports_showed(void **state)
{
    (void)state;
    struct lag lag;
    lag_init(&lag, MSEC, 500 * MSEC);
    lag_learn(&lag, (struct lag_span){.from_ns = 10 * MSEC, .to_ns = 12 * MSEC});
    assert_false(lag_is_settled(&lag));
    lag_measured(&lag, (struct lag_span){.from_ns = 15 * MSEC, .to_ns = 55 * MSEC});
    assert_true(lag_is_settled(&lag));
    assert_span(&lag, 15, 55);
    lag_learn(&lag, (struct lag_span){.from_ns = 20 * MSEC, .to_ns = 30 * MSEC});
    assert_span(&lag, 15, 55);
}

static void the_peak_is_where_most_shows_without_empty_ends(void **state)
{
    (void)state;
    const struct lag_step steps[] = {
        {.from_ns = 0, .to_ns = 10, .excess = 2},  {.from_ns = 10, .to_ns = 20, .excess = 0},
        {.from_ns = 20, .to_ns = 30, .excess = 5}, {.from_ns = 30, .to_ns = 40, .excess = 4},
        {.from_ns = 40, .to_ns = 50, .excess = 0},
    };
    double holds;
    struct lag_span peak = lag_peak(steps, 5, 30, &holds);
    assert_int_equal((int)holds, 9);
    assert_int_equal(peak.from_ns, 20);
    assert_int_equal(peak.to_ns, 40);
    peak = lag_peak(steps, 5, 1, &holds); /* one step at least */
    assert_int_equal(peak.from_ns, 20);
    assert_int_equal(peak.to_ns, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guess_can_be_forgotten),
        cmocka_unit_test(open_ports_make_it_known_and_the_widest_of_them_is_left_out),
        cmocka_unit_test(a_lag_that_is_too_narrow_grows_to_the_longest_at_most),
        cmocka_unit_test(what_was_measured_for_its_own_sake_replaces_what_open_ports_showed),
        cmocka_unit_test(the_peak_is_where_most_shows_without_empty_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
