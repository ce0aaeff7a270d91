/* Links and limiters of the simulated network do what their parameters say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "netio/sim/limit.h"
#include "netio/sim/link.h"

static void a_full_queue_drops_and_a_link_carries_its_rate(void **state)
{
    (void)state;
    struct sim_link link = {.rate_pps = 1000, .queue_len = 100};
    struct sim_link_state link_state;
    unsigned passed = 0;
    int64_t latest_ns = 0, longest_ns = 0;
    sim_link_init(&link_state, &link, 1);
    for (int64_t i = 0; i < 10000; i++) { /* 10,000 a second, for one second */
        int64_t sent_ns = i * 100 * USEC, time_ns = sent_ns;
        if (!sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns))
            continue;
        passed++;
        assert_true(time_ns > latest_ns);
        latest_ns = time_ns;
        longest_ns = time_ns - sent_ns > longest_ns ? time_ns - sent_ns : longest_ns;
    }
    assert_in_range(passed, 1099, 1102);
    assert_in_range(longest_ns, 100 * MSEC, 102 * MSEC);
}

static void a_policer_lets_a_burst_and_then_its_rate_through_and_delays_nothing(void **state)
{
    (void)state;
    struct sim_link link = {.rate_pps = 100, .policer_burst = 20, .policed_proto = IP_PROTO_TCP};
    struct sim_link_state link_state;
    unsigned passed = 0;
    sim_link_init(&link_state, &link, 1);
    for (int64_t i = 0; i < 1000; i++) { /* 1,000 a second, for one second */
        int64_t time_ns = SEC + i * MSEC;
        passed += sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns);
        assert_true(time_ns == SEC + i * MSEC);
        assert_true(sim_link_probe(&link_state, IP_PROTO_UDP, &time_ns));
    }
    assert_in_range(passed, 119, 121);
}

static void a_link_changes_its_rate_and_goes_down_and_up(void **state)
{
    (void)state;
    struct sim_link link = {.rate_pps = 1000,
                            .queue_len = 1000,
                            .changes_at_ns = SEC,
                            .changed_rate_pps = 100,
                            .down_from_ns = 3 * SEC,
                            .down_to_ns = 4 * SEC};
    struct sim_link_state link_state;
    sim_link_init(&link_state, &link, 1);
    int64_t time_ns = SEC / 2;
    assert_true(sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns));
    assert_int_equal(time_ns, SEC / 2 + MSEC);
    time_ns = 2 * SEC;
    assert_true(sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns));
    assert_int_equal(time_ns, 2 * SEC + 10 * MSEC);
    time_ns = 3 * SEC;
    assert_false(sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns));
    assert_false(sim_link_answer(&link_state, 4 * SEC - 1));
    assert_true(sim_link_answer(&link_state, 4 * SEC));
}

/* Of a million packets 1 ms apart, a tenth in bursts of 10 ms: 10,000 bursts. */
static void bursts_lose_their_share_and_last_as_long_as_they_should(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_link link = {.loss_out = 0.1, .loss_back = 0.1, .burst_ns = 10 * MSEC};
        struct sim_link_state link_state;
        unsigned lost = 0, bursts = 0;
        bool lost_before = false;
        sim_link_init(&link_state, &link, seed);
        for (int64_t i = 1; i <= 1000000; i++) {
            int64_t time_ns = i * MSEC;
            bool passed = sim_link_probe(&link_state, IP_PROTO_TCP, &time_ns);
            lost += !passed;
            bursts += !passed && !lost_before;
            lost_before = !passed;
        }
        assert_in_range(lost, 90000, 110000);
        assert_in_range(lost / bursts, 9, 12);
    }
}

static unsigned passed_in(struct sim_limit *limit, const struct sim_host *host, int64_t from_ns,
                          int64_t to_ns)
{
    unsigned passed = 0;
    for (int64_t time_ns = from_ns; time_ns < to_ns; time_ns += MSEC / 10)
        passed += sim_limit_passes(limit, host, host->icmp_rate_pps, time_ns);
    return passed;
}

static void limiters_count_by_bucket_or_by_the_second(void **state)
{
    (void)state;
    struct sim_host linux_host = {.icmp_rate_pps = 1, .limiter_burst = 6};
    struct sim_host freebsd = {.icmp_rate_pps = 200, .limiter = SIM_LIMITER_SECOND};
    struct sim_limits limits;
    assert_true(sim_limits_init(&limits, &linux_host, SEC));
    assert_int_equal(passed_in(&limits.icmp, &linux_host, SEC, 4 * SEC), 8);
    assert_true(sim_limits_init(&limits, &freebsd, 0));
    assert_int_equal(passed_in(&limits.icmp, &freebsd, SEC, SEC + 100 * MSEC), 200);
    assert_int_equal(passed_in(&limits.icmp, &freebsd, SEC + 100 * MSEC, 2 * SEC), 0);
    assert_int_equal(passed_in(&limits.icmp, &freebsd, 2 * SEC, 4 * SEC), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_drops_and_a_link_carries_its_rate),
        cmocka_unit_test(a_policer_lets_a_burst_and_then_its_rate_through_and_delays_nothing),
        cmocka_unit_test(a_link_changes_its_rate_and_goes_down_and_up),
        cmocka_unit_test(bursts_lose_their_share_and_last_as_long_as_they_should),
        cmocka_unit_test(limiters_count_by_bucket_or_by_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
