/* The laws of chance behind idle scans: sums to one, and evidence that points the right way. */
#include "engine/idle/evidence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "engine/idle/port_groups.h"

#define COUNTS     1500
#define RISK_USUAL 1e-6

/* A zombie that has sent so many packets in so many seconds. */
static struct background background_of(double packets, double seconds)
{
    struct background background;
    background_init(&background);
    background_note(&background, SEC, packets, (int64_t)(seconds * (double)SEC));
    return background;
}

static void the_chances_of_all_counts_are_one_and_none_is_impossible(void **state)
{
    (void)state;
    static const double rates[] = {0, 1, 50, 300};
    double chances[COUNTS];
    for (unsigned i = 0; i < 4; i++) {
        struct background background = background_of(rates[i], 1);
        struct background_law law = background_law(&background, 100 * MSEC, 0.5);
        double sum = 0;
        background_chances(&law, chances, COUNTS);
        for (unsigned n = 0; n < COUNTS; n++) {
            assert_true(chances[n] > 0);
            sum += chances[n];
        }
        assert_true(fabs(sum - 1) < 1e-4); /* the rest is in bursts that are larger still */
    }
}

static struct evidence_test test_of(unsigned ports, unsigned copies, double pps)
{
    struct background background = background_of(pps * 3, 3);
    return (struct evidence_test){.ports = ports,
                                  .copies = copies,
                                  .arrival = arrival_unknown(),
                                  .background = background_law(&background, 20 * MSEC, 0)};
}

static void silence_speaks_against_an_open_port_the_more_the_more_was_sent(void **state)
{
    (void)state;
    double last = 0;
    for (unsigned copies = 1; copies <= 12; copies++) {
        struct evidence_test test = test_of(32, copies, 0);
        double evidence = evidence_of(&test, 0);
        assert_true(evidence < last);
        last = evidence;
    }
    assert_true(last < GROUP_NONE_AT);
}

static void as_many_packets_as_were_sent_speak_for_one_the_less_the_louder_the_zombie(void **state)
{
    (void)state;
    struct evidence_test quiet = test_of(1, 8, 0), loud = test_of(1, 8, 200);
    assert_true(evidence_of(&quiet, 8) > 5);
    assert_true(evidence_of(&loud, 8) < evidence_of(&quiet, 8));
}

static void no_single_test_proves_an_open_port(void **state)
{
    (void)state;
    for (unsigned count = 0; count <= 2 * EVIDENCE_COUNT_MAX; count++) {
        struct evidence_test test = test_of(1, 64, 0);
        assert_true(evidence_of(&test, count) < log(10 / RISK_USUAL));
    }
}

/* By Wald's inequality the mean of the likelihood ratio over what closed ports bring is one. */
static void the_ratio_of_a_closed_port_is_one_on_average(void **state)
{
    (void)state;
    double chances[EVIDENCE_COUNT_MAX], mean = 0;
    struct evidence_test test = test_of(1, 8, 20);
    background_chances(&test.background, chances, EVIDENCE_COUNT_MAX);
    for (unsigned n = 0; n < EVIDENCE_COUNT_MAX; n++)
        mean += chances[n] * exp(evidence_of(&test, n));
    assert_true(mean > 0.99 && mean < 1.01);
}

static void bursts_that_were_met_make_large_counts_say_less(void **state)
{
    (void)state;
    struct background background = background_of(0, 3);
    struct evidence_test test = test_of(1, 8, 0);
    test.background = background_law(&background, 20 * MSEC, 0);
    double before = evidence_of(&test, 8);
    for (unsigned i = 0; i < 5; i++)
        background_note_burst(&background);
    test.background = background_law(&background, 20 * MSEC, 0);
    assert_true(evidence_of(&test, 8) < before - 1);
}

static void what_is_doubted_keeps_its_rate_and_gives_way_to_what_comes(void **state)
{
    (void)state;
    struct background background = background_of(60, 2);
    double before = background_pps(&background);
    background_doubt(&background);
    assert_true(background_pps(&background) > before / 3);
    background_note(&background, SEC, 0, SEC);
    assert_true(background_pps(&background) < before / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chances_of_all_counts_are_one_and_none_is_impossible),
        cmocka_unit_test(silence_speaks_against_an_open_port_the_more_the_more_was_sent),
        cmocka_unit_test(as_many_packets_as_were_sent_speak_for_one_the_less_the_louder_the_zombie),
        cmocka_unit_test(no_single_test_proves_an_open_port),
        cmocka_unit_test(the_ratio_of_a_closed_port_is_one_on_average),
        cmocka_unit_test(bursts_that_were_met_make_large_counts_say_less),
        cmocka_unit_test(what_is_doubted_keeps_its_rate_and_gives_way_to_what_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
