/* The rate over a path that carries so much, has a queue, and loses some: each test plays one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"
#include "engine/path/rate.h"

#define STEP_NS   (1 * MSEC)
#define WAY_STEPS 512 /* answers on their way, by the step they arrive in */

struct play {
    struct rate rate;
    struct rand rand;
    double capacity_pps; /* 0: any */
    int64_t queue_max_ns;
    int64_t rtt_ns;
    double loss;
    double answered_share; /* of first tries */
    int64_t now_ns;
    double debt; /* of the pacer */
    double queue;
    int64_t worst_queue_ns, pause_until_ns;
    struct {
        unsigned count;
        uint16_t soundings, soundings_lost;
        int64_t sent_ns, queue_ns;
    } way[WAY_STEPS];
};

static void play_init(struct play *play, double capacity_pps, double loss, uint64_t seed)
{
    struct rate_limits limits = {.start_pps = 10000, .share_left = 0.1};
    *play = (struct play){.rand = {.state = seed},
                          .capacity_pps = capacity_pps,
                          .queue_max_ns = 200 * MSEC,
                          .rtt_ns = 20 * MSEC,
                          .loss = loss,
                          .answered_share = 1,
                          .now_ns = SEC};
    rate_init(&play->rate, &limits, play->now_ns);
}

/* One packet of this step. */
static void send(struct play *play)
{
    double queue_ns = play->capacity_pps > 0 ? play->queue / play->capacity_pps * (double)SEC : 0;
    if (queue_ns > (double)play->queue_max_ns)
        return;
    play->queue += play->capacity_pps > 0;
    bool sounding = rand_below(&play->rand, 16) == 0;
    bool lost = rand_unit(&play->rand) < play->loss || rand_unit(&play->rand) >= play->answered_share;
    size_t step = (size_t)((play->now_ns + play->rtt_ns + (int64_t)queue_ns) / STEP_NS % WAY_STEPS);
    if (sounding)
        play->way[step].soundings++;
    if (sounding && lost)
        play->way[step].soundings_lost++;
    if (lost)
        return;
    play->way[step].count++;
    play->way[step].sent_ns = play->now_ns;
    play->way[step].queue_ns = (int64_t)queue_ns;
}

static void step(struct play *play)
{
    size_t here = (size_t)(play->now_ns / STEP_NS % WAY_STEPS);
    for (unsigned i = 0; i < play->way[here].count; i++)
        rate_answered(&play->rate, play->way[here].sent_ns, play->way[here].queue_ns, true);
    for (unsigned i = 0; i < play->way[here].soundings; i++)
        rate_sounded(&play->rate, play->way[here].sent_ns, i >= play->way[here].soundings_lost);
    play->way[here].count = play->way[here].soundings = play->way[here].soundings_lost = 0;
    play->queue -= play->capacity_pps * (double)STEP_NS / (double)SEC;
    play->queue = play->queue > 0 ? play->queue : 0;
    if (play->now_ns >= play->pause_until_ns)
        play->debt += play->rate.pps * (double)STEP_NS / (double)SEC;
    unsigned sent = (unsigned)play->debt;
    play->debt -= sent;
    for (unsigned i = 0; i < sent; i++)
        send(play);
    rate_sent(&play->rate, sent, sent, play->now_ns);
    play->now_ns += STEP_NS;
    if (rate_update(&play->rate, play->now_ns, play->rtt_ns) == RATE_DOWN)
        play->pause_until_ns = play->now_ns + play->rate.pause_ns;
}

static void run(struct play *play, int64_t for_ns)
{
    int64_t until_ns = play->now_ns + for_ns;
    play->worst_queue_ns = 0;
    while (play->now_ns < until_ns) {
        step(play);
        int64_t queue_ns =
            play->capacity_pps > 0 ? (int64_t)(play->queue / play->capacity_pps * (double)SEC) : 0;
        play->worst_queue_ns = queue_ns > play->worst_queue_ns ? queue_ns : play->worst_queue_ns;
    }
}

static struct rate rate_from(double start_pps)
{
    struct rate_limits limits = {.start_pps = start_pps, .share_left = 0.1};
    struct rate rate;
    rate_init(&rate, &limits, SEC);
    return rate;
}

/* What the rate becomes after ten prompt answers at 10,000 packets a second. */
static double pps_after_prompt_answers(int64_t rtt_ns)
{
    struct rate rate = rate_from(10000);
    rate_sent(&rate, 1000, 1000, SEC + 100 * MSEC);
    for (int64_t i = 0; i < 10; i++)
        rate_answered(&rate, SEC + i * 10 * MSEC, 0, true);
    assert_int_equal(rate_update(&rate, SEC + 100 * MSEC, rtt_ns), RATE_UP);
    return rate.pps;
}

static void a_near_path_is_tried_in_larger_steps(void **state)
{
    (void)state;
    assert_true(pps_after_prompt_answers(20 * MSEC) == 20000);
    assert_true(pps_after_prompt_answers(1 * MSEC) == 20000);
    assert_true(pps_after_prompt_answers(200 * USEC) == 40000);
}

/* 0.2 ms away, at five times what the path carries: after 2 ms of it the queue is 1.6 ms long. */
static void it_does_not_double_while_a_queue_grows_that_is_short_still(void **state)
{
    (void)state;
    struct rate rate = rate_from(50000);
    rate_sent(&rate, 100, 100, SEC + 2 * MSEC);
    for (int64_t i = 0; i < 20; i++)
        rate_answered(&rate, SEC + i * 100 * USEC, i * 80 * USEC, true);
    assert_int_equal(rate_update(&rate, SEC + 4 * MSEC, 200 * USEC), RATE_SAME);
    for (int64_t i = 20; i < 60; i++) /* and it goes on when it has grown no further */
        rate_answered(&rate, SEC + i * 300 * USEC, 1600 * USEC, true);
    rate_sent(&rate, 900, 900, SEC + 20 * MSEC);
    assert_int_equal(rate_update(&rate, SEC + 20 * MSEC, 200 * USEC), RATE_UP);
}

/* At five times what the path carries 5 ms, of which 1.2 are known: the queue is 20 ms long, though no answer
 * met more than 5. */
static void a_queue_that_grows_fast_is_not_waited_for_until_it_is_long(void **state)
{
    (void)state;
    struct rate rate = rate_from(50000);
    rate_sent(&rate, 250, 250, SEC + 5 * MSEC);
    for (int64_t i = 0; i <= 12; i++)
        rate_answered(&rate, SEC + i * 100 * USEC, i * 400 * USEC, true);
    assert_int_equal(rate_update(&rate, SEC + 5 * MSEC, 200 * USEC), RATE_DOWN);
    assert_true(rate.pps > 8000 && rate.pps < 10000);
    assert_true(rate.pause_ns > 15 * MSEC && rate.pause_ns < 25 * MSEC);
}

/* 50,000 a second were answered without delay; then a short time, in which answers jittered, looks like
 * 8,000. */
static void the_first_queue_is_not_put_down_to_a_rate_that_was_kept_up_with(void **state)
{
    (void)state;
    struct rate rate = rate_from(50000);
    rate_sent(&rate, 1000, 1000, SEC + 20 * MSEC);
    for (int64_t i = 0; i < 60; i++)
        rate_answered(&rate, SEC + i * 300 * USEC, 0, true);
    assert_int_equal(rate_update(&rate, SEC + 20 * MSEC, 20 * MSEC), RATE_UP);
    rate_sent(&rate, 200, 200, SEC + 22 * MSEC);
    for (int64_t i = 0; i < 10; i++)
        rate_answered(&rate, SEC + 20 * MSEC + i * 200 * USEC, i * 2 * MSEC, true);
    assert_int_equal(rate_update(&rate, SEC + 42 * MSEC, 20 * MSEC), RATE_DOWN);
    assert_true(rate.pps > 44999 && rate.pps < 50000);
}

static void it_settles_just_under_what_the_path_carries(void **state)
{
    (void)state;
    static const double capacities_pps[] = {1000, 3000, 10000, 50000, 200000};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct play play;
        play_init(&play, capacities_pps[seed % 5], 0.05 * (double)(seed % 3), seed);
        run(&play, 3 * SEC);
        for (int i = 0; i < 20; i++) {
            run(&play, 100 * MSEC);
            assert_true(play.rate.pps > 0.45 * play.capacity_pps);
            assert_true(play.rate.pps < 1.6 * play.capacity_pps);
            assert_true(play.worst_queue_ns < 60 * MSEC);
        }
    }
}

static void it_grows_to_the_ceiling_where_nothing_holds_it(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, 0, 0.2, 1);
    run(&play, SEC);
    assert_true(play.rate.pps >= RATE_CEILING_PPS);
}

static void it_follows_a_path_that_loses_nine_tenths_of_its_capacity_and_regains_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct play play;
        play_init(&play, 20000, 0.01, seed);
        run(&play, 3 * SEC);
        play.capacity_pps = 2000;
        run(&play, 3 * SEC);
        assert_true(play.rate.pps < 5000);
        play.capacity_pps = 20000;
        run(&play, 10 * SEC);
        assert_true(play.rate.pps > 10000);
    }
}

static void loss_that_does_not_depend_on_the_rate_does_not_slow_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct play play;
        play_init(&play, 50000, 0.36, seed);
        run(&play, 3 * SEC);
        assert_true(play.rate.pps > 35000);
    }
}

static void soundings_that_are_lost_slow_it_without_any_queue(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, 50000, 0, 1);
    run(&play, SEC);
    double before_pps = play.rate.pps;
    play.loss = 0.9;
    run(&play, SEC / 2);
    assert_true(play.rate.pps < before_pps / 2);
}

static void a_delay_that_stays_however_slow_we_are_is_not_ours(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, 0, 0, 1);
    run(&play, SEC);
    for (int i = 0; i < 5000; i++) {
        step(&play);
        for (size_t k = 0; k < WAY_STEPS; k++)
            play.way[k].queue_ns = 80 * MSEC;
    }
    assert_true(play.rate.pps > 100000);
}

/* Eight services, eight canaries and three soundings of a host are asked at once, for which 1,000 packets a
 * second take 19 ms. */
static void what_is_asked_at_once_is_no_queue_that_will_be_long(void **state)
{
    (void)state;
    struct rate rate = rate_from(1000);
    rate_update(&rate, SEC, 200 * MSEC); /* a queue of 50 ms is allowed */
    rate_sent(&rate, 20, 20, SEC + 6 * MSEC);
    for (int64_t i = 0; i < 20; i++)
        rate_answered(&rate, SEC + (i ? 6 : 1) * MSEC, i * MSEC, true);
    assert_int_equal(rate_update(&rate, SEC + 230 * MSEC, 200 * MSEC), RATE_SAME);
}

/* Ten times what was kept up with, and only two answers since. */
static void a_rate_at_which_nothing_is_heard_becomes_what_was_kept_up_with(void **state)
{
    (void)state;
    struct rate_limits limits = {.start_pps = 10000, .unproved_pps = 1000, .share_left = 0.1};
    struct rate rate;
    rate_init(&rate, &limits, SEC);
    assert_false(rate_is_unheard(&rate, SEC + 200 * MSEC)); /* slower than at first it does not become */
    for (int64_t i = 0; i < RATE_ANSWERS_PROVED; i++)
        rate_answered(&rate, SEC + i * MSEC, 0, true);
    assert_int_equal(rate_update(&rate, SEC + 300 * MSEC, 200 * MSEC), RATE_UP);
    rate_sent(&rate, 1000, 1000, SEC + 400 * MSEC);
    rate_answered(&rate, SEC + 301 * MSEC, 0, true);
    rate_answered(&rate, SEC + 302 * MSEC, 0, true);
    assert_true(rate_is_unheard(&rate, SEC + 700 * MSEC));
    assert_true(rate.pps > 999 && rate.pps < 1001);
    assert_true(rate.overload_ns == SEC + 300 * MSEC);
    assert_false(rate_is_unheard(&rate, SEC + 900 * MSEC));
}

static void a_far_path_gets_little_until_it_has_answered_fifty_probes(void **state)
{
    (void)state;
    struct rate_limits limits = {.start_pps = 10000, .unproved_pps = 1000};
    struct rate rate;
    rate_init(&rate, &limits, 0);
    for (int i = 1; i < RATE_ANSWERS_PROVED; i++) {
        rate_sent(&rate, 1, 1, i * MSEC);
        rate_answered(&rate, i * MSEC, 0, true);
        rate_update(&rate, i * MSEC + 1, 20 * MSEC);
        assert_true(rate.pps <= 1000);
    }
    rate_answered(&rate, 50 * MSEC, 0, true);
    assert_int_equal(rate_update(&rate, 51 * MSEC, 20 * MSEC), RATE_UP);
    assert_true(rate.pps >= 10000);
}

static void a_near_path_doubles_even_that_little_by_prompt_answers(void **state)
{
    (void)state;
    struct rate_limits limits = {.start_pps = 10000, .unproved_pps = 1000};
    struct rate rate;
    rate_init(&rate, &limits, 0);
    for (int i = 1; i <= 8; i++) {
        assert_true(rate.pps <= 1000);
        rate_sent(&rate, 1, 1, i * MSEC);
        rate_answered(&rate, i * MSEC, 0, true);
        rate_update(&rate, i * MSEC + 1, MSEC);
    }
    assert_true(rate.pps >= 2000 && rate.pps <= 2000);
}

static void silence_leaves_the_rate_where_it_began(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, 0, 0, 1);
    play.answered_share = 0;
    run(&play, SEC);
    assert_true(play.rate.pps >= 10000 && play.rate.pps <= 10000);
}

static void the_users_rates_are_bounds(void **state)
{
    (void)state;
    struct rate rate;
    struct rate_limits low = {.start_pps = 10000, .max_pps = 500},
                       high = {.start_pps = 10000, .min_pps = 50000};
    rate_init(&rate, &low, 0);
    assert_true(rate.pps <= 500);
    rate_init(&rate, &high, 0);
    assert_true(rate.pps >= 50000);
    rate_dropped(&rate, SEC);
    assert_true(rate.pps >= 50000);
}

static void our_own_drops_slow_it(void **state)
{
    (void)state;
    struct rate rate;
    struct rate_limits limits = {.start_pps = 10000};
    rate_init(&rate, &limits, 0);
    rate_dropped(&rate, SEC);
    assert_true(rate.pps < 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_near_path_is_tried_in_larger_steps),
        cmocka_unit_test(it_does_not_double_while_a_queue_grows_that_is_short_still),
        cmocka_unit_test(a_queue_that_grows_fast_is_not_waited_for_until_it_is_long),
        cmocka_unit_test(the_first_queue_is_not_put_down_to_a_rate_that_was_kept_up_with),
        cmocka_unit_test(it_settles_just_under_what_the_path_carries),
        cmocka_unit_test(it_grows_to_the_ceiling_where_nothing_holds_it),
        cmocka_unit_test(it_follows_a_path_that_loses_nine_tenths_of_its_capacity_and_regains_them),
        cmocka_unit_test(loss_that_does_not_depend_on_the_rate_does_not_slow_it),
        cmocka_unit_test(soundings_that_are_lost_slow_it_without_any_queue),
        cmocka_unit_test(a_delay_that_stays_however_slow_we_are_is_not_ours),
        cmocka_unit_test(what_is_asked_at_once_is_no_queue_that_will_be_long),
        cmocka_unit_test(a_rate_at_which_nothing_is_heard_becomes_what_was_kept_up_with),
        cmocka_unit_test(a_far_path_gets_little_until_it_has_answered_fifty_probes),
        cmocka_unit_test(a_near_path_doubles_even_that_little_by_prompt_answers),
        cmocka_unit_test(silence_leaves_the_rate_where_it_began),
        cmocka_unit_test(the_users_rates_are_bounds),
        cmocka_unit_test(our_own_drops_slow_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
