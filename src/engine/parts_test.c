/* The small parts of the engine: round trips, pace, loss, records, exceptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"
#include "engine/hosts.h"
#include "engine/path/loss.h"
#include "engine/path/pacer.h"
#include "engine/answer/provisional.h"
#include "engine/path/rtt.h"

static const struct rtt_limits limits = {10 * MSEC, SEC, 60 * SEC};

/* RFC 6298 section 2.2: the first sample gives SRTT = R, RTTVAR = R/2, RTO = R + 4 * R/2. */
static void the_first_sample_sets_three_times_the_rtt(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt, &limits);
    assert_int_equal(rtt.rto_ns, SEC);
    rtt_sample(&rtt, &limits, 100 * MSEC);
    assert_int_equal(rtt.rto_ns, 300 * MSEC);
}

/* RFC 6298 section 2.3: RTTVAR before SRTT; from R = 100 ms, R' = 180 ms: RTTVAR = 57.5, SRTT = 110. */
static void later_samples_are_folded_in_with_an_eighth_and_a_quarter(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt, &limits);
    rtt_sample(&rtt, &limits, 100 * MSEC);
    rtt_sample(&rtt, &limits, 180 * MSEC);
    assert_int_equal(rtt.rttvar_ns, 57500 * USEC);
    assert_int_equal(rtt.srtt_ns, 110 * MSEC);
    assert_int_equal(rtt.rto_ns, 340 * MSEC);
}

static void the_time_out_stays_within_its_bounds(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt, &limits);
    rtt_sample(&rtt, &limits, 1000);
    assert_int_equal(rtt.rto_ns, 10 * MSEC);
    rtt_sample(&rtt, &limits, 1000 * SEC);
    assert_int_equal(rtt.rto_ns, 60 * SEC);
}

static void the_pacer_lets_the_rate_through_and_no_more(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rand rand = {.state = seed};
        struct pacer pacer;
        double rate_pps = (double)(1 + rand_below(&rand, 100000));
        pacer_init(&pacer, rate_pps, 0);
        uint64_t sent = 0;
        int64_t now_ns = 0;
        while (now_ns < 10 * SEC) {
            uint32_t allowance = pacer_allowance(&pacer, now_ns);
            pacer_spend(&pacer, allowance);
            sent += allowance;
            int64_t next_ns = pacer_next_ns(&pacer);
            assert_true(next_ns > now_ns);
            now_ns = next_ns;
        }
        assert_true((double)sent <= rate_pps * 10 + 1 + rate_pps / 250);
        assert_true((double)sent >= rate_pps * 9.8 - 1);
    }
}

static void an_idle_pacer_saves_only_a_small_burst(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 10000, 0);
    assert_int_equal(pacer_allowance(&pacer, 3600 * SEC), 40);
}

static void a_fast_pacer_lets_what_falls_due_together_leave_together(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 1e6, 0);
    assert_int_equal(pacer_allowance(&pacer, 0), 16);
    pacer_spend(&pacer, 16);
    assert_int_equal(pacer_allowance(&pacer, 15 * USEC), 0);
    assert_in_range(pacer_next_ns(&pacer), 16 * USEC, 16 * USEC + 10);
    assert_int_equal(pacer_allowance(&pacer, 16 * USEC + 10), 16);
}

static void charging_more_than_was_allowed_delays_the_next(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 1000, 0);
    pacer_spend(&pacer, 11);
    assert_in_range(pacer_next_ns(&pacer), 11 * MSEC, 11 * MSEC + 10);
    assert_int_equal(pacer_allowance(&pacer, 5 * MSEC), 0);
}

static void loss_is_the_share_of_tries_that_answers_skip(void **state)
{
    (void)state;
    struct loss path = {0};
    for (int i = 0; i < 9000; i++)
        loss_count(&path, 1, 0);
    for (int i = 0; i < 1000; i++)
        loss_count(&path, 2, 1);
    assert_true(loss_of_path(&path) > 0.09 && loss_of_path(&path) < 0.0911);
    struct loss nothing = {0};
    assert_true(loss_of_host(loss_of_path(&path), &nothing) > 0.09);
    assert_true(loss_of_path(&nothing) >= 0.01 && loss_of_path(&nothing) < 0.0101);
}

/* Ports that are answered late come with more lost tries, and after all others. */
static void loss_is_not_overrated_because_lossy_ports_answer_last(void **state)
{
    (void)state;
    struct loss path = {0};
    double left = 100000;
    for (unsigned tries = 1; left >= 1; tries++) {
        for (unsigned i = 0; i < (unsigned)(left * 0.8); i++)
            loss_count(&path, tries, tries - 1);
        left *= 0.2;
    }
    assert_true(loss_of_path(&path) > 0.19 && loss_of_path(&path) < 0.21);
}

static void what_a_path_lost_long_ago_counts_for_little(void **state)
{
    (void)state;
    struct loss path = {.tries = 1e6, .lost = 5e5};
    loss_forget(&path, 1000);
    for (int i = 0; i < 99000; i++)
        loss_count(&path, 1, 0);
    assert_true(loss_of_path(&path) < 0.006);
}

/* 200 us + 8 x 100 us, where RFC 6298 with our floor says 10 ms. */
static void what_was_not_overtaken_is_waited_for_a_round_trip_or_two(void **state)
{
    (void)state;
    const struct rtt_limits near = {10 * MSEC, SEC, 10 * SEC};
    struct rtt rtt;
    rtt_init(&rtt, &near);
    rtt_sample(&rtt, &near, 200 * USEC);
    assert_int_equal(rtt.rto_ns, 10 * MSEC);
    assert_int_equal(rtt_prompt_rto_ns(&rtt, 0), 1000 * USEC);
    assert_int_equal(rtt_prompt_rto_ns(&rtt, 5 * MSEC), 5 * MSEC);
    rtt_sample(&rtt, &near, 200 * MSEC);
    assert_int_equal(rtt_prompt_rto_ns(&rtt, 0), rtt.rto_ns);
}

/* a = 0.02, p = 0.01: after two tries 2e-6 are wrong, after three 2e-8. */
static void silence_is_certain_when_few_can_have_been_lost(void **state)
{
    (void)state;
    assert_false(loss_silence_is_certain(0.01, 20, 1000, 2, 1e-6));
    assert_true(loss_silence_is_certain(0.01, 20, 1000, 3, 1e-6));
    assert_true(loss_silence_is_certain(0.005, 20, 1000, 2, 1e-6));
    assert_false(loss_silence_is_certain(0.2, 999, 1000, 9, 1e-6));
}

static void the_host_table_gives_out_what_it_has(void **state)
{
    (void)state;
    struct host_table table;
    assert_int_equal(host_table_init(&table, 4), 0);
    uint32_t taken[3];
    for (int i = 0; i < 3; i++) {
        taken[i] = host_table_take(&table, &limits);
        assert_int_not_equal(taken[i], HOST_RECORD_NONE);
    }
    assert_int_equal(host_table_take(&table, &limits), HOST_RECORD_NONE);
    host_table_give_back(&table, taken[1]);
    host_table_give_back(&table, HOST_RECORD_NONE);
    assert_int_equal(host_table_take(&table, &limits), taken[1]);
    assert_ptr_equal(host_table_get(&table, HOST_RECORD_NONE), NULL);
    host_table_done(&table);
}

static void exceptions_are_found_until_their_block_is_forgotten(void **state)
{
    (void)state;
    struct provisional_table table;
    assert_int_equal(provisional_init(&table, 256), 0);
    for (uint32_t block = 1; block <= 2; block++)
        for (uint64_t bit = 0; bit < 60; bit++)
            provisional_add(&table, block, bit)->try_number = (uint8_t)bit;
    for (uint64_t bit = 0; bit < 8; bit++)
        assert_non_null(provisional_add(&table, 3, bit));
    assert_null(provisional_add(&table, 3, 8)); /* half full is full */
    provisional_forget_block(&table, 1);
    for (uint64_t bit = 0; bit < 60; bit++) {
        assert_null(provisional_find(&table, 1, bit));
        assert_int_equal(provisional_find(&table, 2, bit)->try_number, bit);
    }
    provisional_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sample_sets_three_times_the_rtt),
        cmocka_unit_test(later_samples_are_folded_in_with_an_eighth_and_a_quarter),
        cmocka_unit_test(the_time_out_stays_within_its_bounds),
        cmocka_unit_test(the_pacer_lets_the_rate_through_and_no_more),
        cmocka_unit_test(an_idle_pacer_saves_only_a_small_burst),
        cmocka_unit_test(a_fast_pacer_lets_what_falls_due_together_leave_together),
        cmocka_unit_test(charging_more_than_was_allowed_delays_the_next),
        cmocka_unit_test(loss_is_the_share_of_tries_that_answers_skip),
        cmocka_unit_test(loss_is_not_overrated_because_lossy_ports_answer_last),
        cmocka_unit_test(what_a_path_lost_long_ago_counts_for_little),
        cmocka_unit_test(what_was_not_overtaken_is_waited_for_a_round_trip_or_two),
        cmocka_unit_test(silence_is_certain_when_few_can_have_been_lost),
        cmocka_unit_test(the_host_table_gives_out_what_it_has),
        cmocka_unit_test(exceptions_are_found_until_their_block_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
