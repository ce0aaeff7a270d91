#include "engine/idle/ipid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

#define SAMPLES 16

/* IDs from `first` on, in steps, asked for 20 ms apart. */
static enum ipid_class classify(uint32_t first, uint32_t step, struct ipid_scale *ret_scale, double *ret_pps)
{
    struct ipid_sample samples[SAMPLES];
    for (unsigned i = 0; i < SAMPLES; i++)
        samples[i] = (struct ipid_sample){.time_ns = i * 20 * MSEC, .id = (first + i * step) & UINT16_MAX};
    return ipid_classify(samples, SAMPLES, UINT16_MAX, ret_scale, ret_pps);
}

static void a_counter_is_known_by_its_steps_also_where_it_wraps(void **state)
{
    (void)state;
    struct ipid_scale scale;
    double pps;
    assert_int_equal(classify(65530, 1, &scale, &pps), IPID_INCREMENTAL);
    assert_true(pps < 1e-9);
    assert_int_equal(classify(65530, 2, &scale, &pps), IPID_BY_TWO);
    assert_int_equal(scale.step, 2);
    assert_true(pps < 1e-9);
    assert_int_equal(classify(0xff00, 256, &scale, &pps), IPID_SWAPPED);
    assert_true(scale.swapped);
}

static void what_it_sends_by_itself_is_what_our_questions_do_not_explain(void **state)
{
    (void)state;
    struct ipid_scale scale;
    double pps;
    assert_int_equal(classify(7, 3, &scale, &pps), IPID_INCREMENTAL);
    assert_true(pps > 99 && pps < 101); /* two more every 20 ms */
    assert_int_equal(classify(7, 9, &scale, &pps), IPID_BUSY);
}

static void constants_and_chance_are_no_counters(void **state)
{
    (void)state;
    struct ipid_scale scale;
    double pps;
    assert_int_equal(classify(0, 0, &scale, &pps), IPID_ZERO);
    assert_int_equal(classify(9, 0, &scale, &pps), IPID_CONSTANT);
    assert_int_equal(classify(9, 23456, &scale, &pps), IPID_RANDOM);
    assert_int_equal(ipid_classify(NULL, 0, UINT16_MAX, &scale, &pps), IPID_SILENT);
}

static void distances_are_packets_and_go_round(void **state)
{
    (void)state;
    struct ipid_scale plain = {.mask = UINT16_MAX, .step = 1}, wide = {.mask = UINT32_MAX, .step = 2};
    struct ipid_scale swapped = {.mask = UINT16_MAX, .step = 1, .swapped = true};
    assert_int_equal(ipid_distance(&plain, 65535, 1), 2);
    assert_int_equal(ipid_distance(&plain, 1, 65535), -2);
    assert_int_equal(ipid_distance(&wide, UINT32_MAX - 1, 4), 3);
    assert_int_equal(ipid_distance(&swapped, 0xff00, 0x0001), 1);
}

static void every_class_has_a_name_and_what_does_not_fit_a_reason(void **state)
{
    (void)state;
    for (unsigned class = 0; class < IPID_CLASS_COUNT; class ++) {
        assert_non_null(ipid_class_name((enum ipid_class) class));
        if (!ipid_class_fits((enum ipid_class) class))
            assert_non_null(ipid_class_trouble((enum ipid_class) class));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_is_known_by_its_steps_also_where_it_wraps),
        cmocka_unit_test(what_it_sends_by_itself_is_what_our_questions_do_not_explain),
        cmocka_unit_test(constants_and_chance_are_no_counters),
        cmocka_unit_test(distances_are_packets_and_go_round),
        cmocka_unit_test(every_class_has_a_name_and_what_does_not_fit_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
