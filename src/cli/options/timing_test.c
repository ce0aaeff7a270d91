#include "cli/options/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static struct options nothing_given(unsigned template_number)
{
    return (struct options){.template_number = template_number,
                            .max_retries = OPTION_UNSET,
                            .scan_delay_ns = -1,
                            .host_timeout_ns = -1};
}

static void every_template_has_bounds_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= 5; i++) {
        struct options options = nothing_given(i);
        struct timing timing = timing_from(&options);
        assert_true(timing.min_rto_ns > 0);
        assert_true(timing.min_rto_ns <= timing.initial_rto_ns);
        assert_true(timing.initial_rto_ns <= timing.max_rto_ns);
        assert_true(timing.default_rate_pps > 0);
        assert_true(timing.max_rate_pps == 0);
        assert_true(timing.risk == TIMING_RISK_USUAL);
    }
}

static void higher_templates_wait_less(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct options slow = nothing_given(i);
        struct options fast = nothing_given(i + 1);
        assert_true(timing_from(&slow).initial_rto_ns >= timing_from(&fast).initial_rto_ns);
        assert_true(timing_from(&slow).scan_delay_ns >= timing_from(&fast).scan_delay_ns);
        assert_true(timing_from(&slow).default_rate_pps <= timing_from(&fast).default_rate_pps);
    }
}

static void single_options_win_over_the_template(void **state)
{
    (void)state;
    struct options options = nothing_given(5);
    options.max_retries = 12;
    options.host_timeout_ns = 0;
    options.scan_delay_ns = 3 * MSEC;
    options.max_rate_pps = 7;
    struct timing timing = timing_from(&options);
    assert_int_equal(timing.max_retries, 12);
    assert_int_equal(timing.host_timeout_ns, 0);
    assert_int_equal(timing.scan_delay_ns, 3 * MSEC);
    assert_true(timing.max_rate_pps > 6.9 && timing.max_rate_pps < 7.1);
}

static void a_bound_that_is_given_moves_the_others(void **state)
{
    (void)state;
    struct options low_max = nothing_given(3);
    low_max.max_rtt_timeout_ns = 5 * MSEC;
    struct timing timing = timing_from(&low_max);
    assert_int_equal(timing.max_rto_ns, 5 * MSEC);
    assert_int_equal(timing.initial_rto_ns, 5 * MSEC);
    assert_int_equal(timing.min_rto_ns, 5 * MSEC);

    struct options high_min = nothing_given(4);
    high_min.min_rtt_timeout_ns = 3 * SEC;
    timing = timing_from(&high_min);
    assert_int_equal(timing.min_rto_ns, 3 * SEC);
    assert_int_equal(timing.initial_rto_ns, 3 * SEC);
    assert_int_equal(timing.max_rto_ns, 3 * SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_template_has_bounds_in_order),
        cmocka_unit_test(higher_templates_wait_less),
        cmocka_unit_test(single_options_win_over_the_template),
        cmocka_unit_test(a_bound_that_is_given_moves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
