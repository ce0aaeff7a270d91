/* What the canaries of a host tell, sweep for sweep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "engine/internal.h"

#define CANARIES 8

/* A host with one closed port, eight services, and echoes. */
static struct host_record host(void)
{
    struct host_record record = {.has_canary = true, .has_sounding = true, .service_count = SERVICES_MAX};
    for (uint32_t i = 0; i < SERVICES_MAX; i++)
        record.services[i] = i;
    record.sounding_spec = record.canary_spec = SERVICES_MAX;
    return record;
}

/* What came back of a sweep's canaries. */
struct back {
    unsigned resets, soundings, services;
};

static enum canary_verdict judge_behind(double path_loss, struct host_record *record, struct back back)
{
    record->canary_asked = record->canary_was_known = true;
    record->services_asked = record->service_count;
    record->canary_answers = (uint8_t)back.resets;
    record->canary_soundings = (uint8_t)back.soundings;
    record->services_back = (uint8_t)((1u << back.services) - 1);
    return canary_judge(record, path_loss);
}

static enum canary_verdict judge(struct host_record *record, struct back back)
{
    return judge_behind(0.01, record, back);
}

/* Of a host that resets nothing. */
static enum canary_verdict judge_without_resets(double path_loss, struct host_record *record,
                                                struct back back)
{
    record->canary_asked = true;
    record->services_asked = record->service_count;
    record->canary_soundings = (uint8_t)back.soundings;
    record->services_back = (uint8_t)((1u << back.services) - 1);
    return canary_judge(record, path_loss);
}

static void services_that_are_asked_at_once_are_one_try_of_the_hosts_loss(void **state)
{
    (void)state;
    struct host_record record = host();
    record.canary_had_soundings = true;
    assert_int_equal(judge(&record, (struct back){CANARIES, 3, 6}), CANARY_FINE);
    assert_true(record.loss.tries == 1);
    assert_true(record.loss.lost == 0.25);
}

/* So many sweeps in which nothing came back until that is believed. */
static unsigned sweeps_until_believed(double path_loss, struct host_record *record)
{
    unsigned sweeps = 1;
    while (judge_behind(path_loss, record, (struct back){0, 0, 0}) == CANARY_UNCLEAR)
        sweeps++;
    return sweeps;
}

static void silence_is_the_paths_only_where_soundings_were_sent_and_lost_with_it(void **state)
{
    (void)state;
    struct host_record record = host();
    record.canary_had_soundings = true;
    record.has_sounding = false; /* any more */
    unsigned with_soundings = sweeps_until_believed(0.01, &record);
    record = host(); /* has learned a sounding after its canaries had left */
    unsigned without = sweeps_until_believed(0.01, &record);
    assert_int_equal(without, 2);
    assert_true(with_soundings > without);
}

static void silence_that_bursts_of_loss_explain_is_believed_later(void **state)
{
    (void)state;
    struct host_record record = host();
    unsigned rarely_lost = sweeps_until_believed(0.01, &record);
    record = host();
    assert_true(sweeps_until_believed(0.3, &record) > rarely_lost);
}

/* All services were in one burst, and soundings were not. */
static void one_burst_that_takes_all_services_shows_no_policer(void **state)
{
    (void)state;
    struct host_record record = host();
    record.has_canary = false;
    record.canary_had_soundings = true;
    assert_int_equal(judge_without_resets(0.25, &record, (struct back){0, 3, 0}), CANARY_UNCLEAR);
    assert_int_equal(judge_without_resets(0.25, &record, (struct back){0, 3, SERVICES_MAX}), CANARY_FINE);
}

static void services_that_are_mostly_lost_among_soundings_that_are_not_show_a_policer(void **state)
{
    (void)state;
    struct host_record record = host();
    record.has_canary = false;
    record.canary_had_soundings = true;
    unsigned sweeps = 1;
    while (sweeps < 20 &&
           judge_without_resets(0.01, &record, (struct back){0, 3, SERVICES_MAX / 2}) == CANARY_FINE)
        sweeps++;
    assert_in_range(sweeps, 2, 12);
}

static void a_limiter_that_answers_half_of_the_canaries_shows_in_time(void **state)
{
    (void)state;
    struct host_record record = host();
    record.canary_had_soundings = true;
    unsigned sweeps = 1;
    while (sweeps < 20 && judge(&record, (struct back){CANARIES / 2, 3, SERVICES_MAX}) == CANARY_FINE)
        sweeps++;
    assert_in_range(sweeps, 10, 19);
    assert_true(record.answers_limited);
}

static unsigned drawn(struct rand *rand, unsigned of)
{
    unsigned count = 0;
    for (unsigned i = 0; i < of; i++)
        count += rand_below(rand, 4) > 0;
    return count;
}

/* A quarter of all is lost, of what is asked at once all or each by itself. */
static void loss_that_takes_resets_and_services_alike_is_no_limiter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand rand = {.state = seed};
        struct host_record record = host();
        record.canary_had_soundings = true;
        for (unsigned sweep = 0; sweep < 14; sweep++) {
            bool burst = seed % 2 && rand_below(&rand, 4) == 0;
            struct back each = {drawn(&rand, CANARIES), drawn(&rand, 3), drawn(&rand, SERVICES_MAX)};
            if (judge(&record, burst ? (struct back){0, 0, 0} : each) == CANARY_LIMITED)
                fail_msg("seed %u, sweep %u", (unsigned)seed, sweep);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_that_are_asked_at_once_are_one_try_of_the_hosts_loss),
        cmocka_unit_test(silence_is_the_paths_only_where_soundings_were_sent_and_lost_with_it),
        cmocka_unit_test(silence_that_bursts_of_loss_explain_is_believed_later),
        cmocka_unit_test(one_burst_that_takes_all_services_shows_no_policer),
        cmocka_unit_test(services_that_are_mostly_lost_among_soundings_that_are_not_show_a_policer),
        cmocka_unit_test(a_limiter_that_answers_half_of_the_canaries_shows_in_time),
        cmocka_unit_test(loss_that_takes_resets_and_services_alike_is_no_limiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
