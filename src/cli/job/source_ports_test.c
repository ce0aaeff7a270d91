#include "cli/job/source_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_range_lies_beside_that_of_the_kernel(void **state)
{
    (void)state;
    const struct {
        unsigned low, high;
        uint16_t first, count;
    } ranges[] = {
        {32768, 60999, 1024, 31744}, /* the usual one */
        {1024, 32767, 32768, 32768}, {10000, 20000, 20001, 45535}, {60000, 65535, 1024, 58976},
        {1024, 65535, 61000, 4536}, /* everything: the ports above the usual range all the same */
        {1, 65535, 61000, 4536},     {7, 3, 1024, 31744}, /* no range */
        {0, 4000000, 1024, 31744},
    };
    for (unsigned i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint16_t first = 0;
        uint16_t count = 0;
        source_ports_beside(ranges[i].low, ranges[i].high, &first, &count);
        assert_int_equal(first, ranges[i].first);
        assert_int_equal(count, ranges[i].count);
        assert_true(first + count <= 65536);
    }
}

static void a_few_ports_are_enough_for_tokens_and_lie_within(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint16_t first = 61000;
        uint16_t count = 40;
        source_ports_few(1, &first, &count);
        assert_int_equal(count, 32);
        assert_in_range(first, 61000, 61008);
    }
    uint16_t first = 53;
    uint16_t count = 1;
    source_ports_few(1, &first, &count); /* there are no more */
    assert_int_equal(first, 53);
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_range_lies_beside_that_of_the_kernel),
        cmocka_unit_test(a_few_ports_are_enough_for_tokens_and_lie_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
