#include "cli/supervisor/zombies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static struct record found(uint32_t addr, enum ipid_class class, uint64_t milli_pps, uint64_t loss_ppm,
                           int64_t rtt_ns)
{
    return (struct record){.type = RECORD_NOTE,
                           .note = NOTE_ZOMBIE,
                           .host = addr_v4(addr),
                           .value = {class, milli_pps, loss_ppm, (uint64_t)rtt_ns}};
}

static void traffic_loss_and_distance_make_a_zombie_worse(void **state)
{
    (void)state;
    const struct record records[] = {
        found(1, IPID_INCREMENTAL, 50000, 0, MSEC), found(2, IPID_SWAPPED, 0, 0, 200 * MSEC),
        found(3, IPID_BY_TWO, 0, 100000, MSEC),     found(4, IPID_INCREMENTAL, 0, 0, MSEC),
        found(5, IPID_INCREMENTAL, 0, 0, 2 * MSEC),
    };
    static const uint32_t order[] = {4, 5, 3, 1, 2};
    struct zombies zombies = {.count = 0};
    struct report_end end = {.end_ns = 0};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        assert_true(zombies_take(&zombies, &records[i]));
    zombies_describe(&zombies, &end);
    assert_int_equal(end.zombie_count, 5);
    for (size_t i = 0; i < 5; i++) {
        struct addr expected = addr_v4(order[i]);
        assert_true(addr_equal(&end.zombies[i].addr, &expected));
    }
    assert_string_equal(end.zombies[2].ids, "incremental by two");
    zombies_done(&zombies);
}

static void hosts_that_are_not_fit_are_counted_by_the_reason(void **state)
{
    (void)state;
    struct zombies zombies = {.count = 0};
    struct report_end end = {.end_ns = 0};
    struct record records[] = {found(1, IPID_ZERO, 0, 0, MSEC), found(2, IPID_RANDOM, 0, 0, MSEC),
                               found(3, IPID_ZERO, 0, 0, MSEC)};
    records[1].value[0] = UINT64_MAX; /* no class: whoever says so is not believed */
    for (size_t i = 0; i < 3; i++)
        assert_true(zombies_take(&zombies, &records[i]));
    zombies_describe(&zombies, &end);
    assert_int_equal(end.zombie_count, 0);
    assert_int_equal(end.unfit[IPID_ZERO].count, 2);
    assert_string_equal(end.unfit[IPID_ZERO].why, "gives all its packets the ID 0");
    assert_int_equal(end.unfit[IPID_SILENT].count, 1);
    assert_int_equal(end.unfit[IPID_RANDOM].count, 0);
    zombies_done(&zombies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_loss_and_distance_make_a_zombie_worse),
        cmocka_unit_test(hosts_that_are_not_fit_are_counted_by_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
