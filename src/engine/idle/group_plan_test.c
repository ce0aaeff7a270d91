#include "engine/idle/group_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "engine/idle/port_groups.h"

/* A zombie that was watched for ten seconds, and sent so many packets a second. */
static struct background watched(double pps)
{
    struct background background;
    background_init(&background);
    background_note(&background, SEC, 10 * pps, 10 * SEC);
    return background;
}

static struct group_plan plan_with(const struct background *background)
{
    return (struct group_plan){
        .background = background,
        .arrival = arrival_unknown(),
        .rate_pps = 10000,
        .wait_ns = 3 * MSEC,
        .show_ns = 3 * MSEC,
        .density = 0.01,
        .none_at = GROUP_NONE_AT,
    };
}

static void the_more_the_zombie_sends_the_more_syns_a_port_gets(void **state)
{
    (void)state;
    unsigned last = 0;
    static const double rates_pps[] = {0, 50, 250};
    for (unsigned i = 0; i < 3; i++) {
        struct background background = watched(rates_pps[i]);
        struct group_plan plan = plan_with(&background);
        plan.show_ns = 50 * MSEC;
        unsigned copies = group_plan_copies(&plan, 16);
        assert_true(copies > last);
        last = copies;
    }
}

static void where_waiting_takes_long_more_syns_cost_nothing(void **state)
{
    (void)state;
    struct background background = watched(0);
    struct group_plan plan = plan_with(&background);
    unsigned least = group_plan_copies(&plan, 1), of_many = group_plan_copies(&plan, 512);
    plan.wait_ns = 200 * MSEC;
    assert_true(group_plan_copies(&plan, 1) > least);
    assert_int_equal(group_plan_copies(&plan, 512), of_many);
}

static void groups_are_larger_where_fewer_ports_are_open(void **state)
{
    (void)state;
    struct background background = watched(1);
    struct group_plan plan = plan_with(&background);
    plan.density = 0.5;
    uint32_t dense = group_plan_size(&plan, 512);
    plan.density = 0.001;
    uint32_t sparse = group_plan_size(&plan, 512);
    assert_true(dense < sparse);
    assert_true(sparse <= 512);
    assert_true(group_plan_size(&plan, 8) <= 8);
}

static void silence_that_needs_to_say_less_takes_fewer_syns(void **state)
{
    (void)state;
    struct background background = watched(1);
    struct group_plan plan = plan_with(&background);
    unsigned copies = group_plan_copies(&plan, 8);
    plan.none_at = GROUP_NONE_AT / 2;
    assert_true(group_plan_copies(&plan, 8) < copies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_the_zombie_sends_the_more_syns_a_port_gets),
        cmocka_unit_test(where_waiting_takes_long_more_syns_cost_nothing),
        cmocka_unit_test(groups_are_larger_where_fewer_ports_are_open),
        cmocka_unit_test(silence_that_needs_to_say_less_takes_fewer_syns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
