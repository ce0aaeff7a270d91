#include "netio/xdp/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/time.h"
#include "technique/token_core.h"

#define START_NS (100 * SEC)

/* A trial under way: a first order left the faster way, and a second one through the packet socket. */
static struct trial begun(void)
{
    struct trial trial = {0};
    trial_begin(&trial, true, START_NS);
    trial_end(&trial, START_NS + 10 * MSEC);
    trial_begin(&trial, false, START_NS + 10 * MSEC);
    trial_end(&trial, START_NS + 20 * MSEC);
    return trial;
}

static void an_answer_to_what_left_the_faster_way_passes_it(void **state)
{
    (void)state;
    struct trial trial = begun();
    trial_hear(&trial, START_NS + 5 * MSEC, START_NS + 30 * MSEC);
    assert_int_equal(trial.verdict, TRIAL_PASSED);
    assert_true(trial_allows(&trial, 0));
    assert_true(trial_allows(&trial, 3));
}

static void it_may_be_answered_while_the_order_is_under_way(void **state)
{
    (void)state;
    struct trial trial = {0};
    trial_begin(&trial, true, START_NS);
    trial_hear(&trial, START_NS, START_NS + MSEC);
    assert_int_equal(trial.verdict, TRIAL_PASSED);
}

static void answers_to_the_packet_socket_alone_fail_it(void **state)
{
    (void)state;
    struct trial trial = begun();
    for (unsigned i = 0; i < TRIAL_ANSWERS; i++) {
        assert_int_equal(trial.verdict, TRIAL_OPEN);
        trial_hear(&trial, START_NS + 12 * MSEC + i * MSEC, START_NS + 30 * MSEC);
    }
    assert_int_equal(trial.verdict, TRIAL_FAILED);
    for (unsigned i = 0; i < 2 * TRIAL_PERIOD; i++)
        assert_false(trial_allows(&trial, 0));
}

static void what_left_before_it_began_proves_nothing(void **state)
{
    (void)state;
    struct trial trial = {0};
    trial_begin(&trial, false, START_NS - 20 * MSEC);
    trial_end(&trial, START_NS - 10 * MSEC);
    trial_begin(&trial, true, START_NS);
    for (unsigned i = 0; i < 2 * TRIAL_ANSWERS; i++)
        trial_hear(&trial, START_NS - 15 * MSEC, START_NS + MSEC);
    assert_int_equal(trial.verdict, TRIAL_OPEN);
}

/* The time of a token is rounded down: what left next may seem to have left within the step before. */
static void what_left_at_the_very_end_may_have_left_the_other_way(void **state)
{
    (void)state;
    struct trial trial = begun();
    trial_hear(&trial, START_NS + 10 * MSEC - TOKEN_TIME_STEP_NS / 2, START_NS + 30 * MSEC);
    assert_int_equal(trial.verdict, TRIAL_OPEN);
}

static void an_answer_that_is_too_late_to_tell_its_time_proves_nothing(void **state)
{
    (void)state;
    struct trial trial = begun();
    trial_hear(&trial, START_NS + 5 * MSEC, START_NS + TRIAL_MEMORY_NS + 10 * MSEC);
    assert_int_equal(trial.verdict, TRIAL_OPEN);
}

static void while_it_lasts_the_packet_socket_sends_a_part(void **state)
{
    (void)state;
    struct trial trial = {0};
    unsigned fast = 0;
    assert_true(trial_allows(&trial, 0));
    assert_false(trial_allows(&trial, 0));
    for (unsigned i = 2; i < 4 * TRIAL_PERIOD; i++)
        fast += trial_allows(&trial, 0);
    assert_int_equal(fast, 4 * TRIAL_PERIOD - 4 - 1);
}

static void while_it_lasts_the_packet_socket_repeats(void **state)
{
    (void)state;
    struct trial trial = {0};
    for (unsigned i = 0; i < 2 * TRIAL_PERIOD; i++)
        assert_false(trial_allows(&trial, 1));
}

static void the_spans_of_many_orders_are_not_mixed_up(void **state)
{
    (void)state;
    struct trial trial = {0};
    for (unsigned i = 0; i < 5 * TRIAL_SPANS; i++) {
        trial_begin(&trial, i % 2 == 0, START_NS + i * MSEC);
        trial_end(&trial, START_NS + (i + 1) * MSEC);
    }
    int64_t last_ns = START_NS + (5 * TRIAL_SPANS - 1) * MSEC;
    trial_hear(&trial, START_NS + MSEC / 2, last_ns + MSEC); /* forgotten */
    assert_int_equal(trial.verdict, TRIAL_OPEN);
    trial_hear(&trial, last_ns + MSEC / 2, last_ns + MSEC); /* through the packet socket */
    assert_int_equal(trial.verdict, TRIAL_OPEN);
    trial_hear(&trial, last_ns - MSEC / 2, last_ns + MSEC);
    assert_int_equal(trial.verdict, TRIAL_PASSED);
}

static void what_the_interface_does_not_count_fails_it(void **state)
{
    (void)state;
    struct trial trial = begun();
    trial_fail(&trial);
    trial_hear(&trial, START_NS + 5 * MSEC, START_NS + 30 * MSEC);
    assert_int_equal(trial.verdict, TRIAL_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_to_what_left_the_faster_way_passes_it),
        cmocka_unit_test(it_may_be_answered_while_the_order_is_under_way),
        cmocka_unit_test(answers_to_the_packet_socket_alone_fail_it),
        cmocka_unit_test(what_left_before_it_began_proves_nothing),
        cmocka_unit_test(what_left_at_the_very_end_may_have_left_the_other_way),
        cmocka_unit_test(an_answer_that_is_too_late_to_tell_its_time_proves_nothing),
        cmocka_unit_test(while_it_lasts_the_packet_socket_sends_a_part),
        cmocka_unit_test(while_it_lasts_the_packet_socket_repeats),
        cmocka_unit_test(the_spans_of_many_orders_are_not_mixed_up),
        cmocka_unit_test(what_the_interface_does_not_count_fails_it),
    };
    return cmocka_run_group_tests_name("trial of a faster way out", tests, NULL, NULL);
}
