/* The way to the targets is gone for a while: nothing that was sent or awaited then counts as silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"

/* Our link is down for three seconds from then on. */
static void go_away(struct scenario *scenario, int64_t from_ns)
{
    scenario->sim.away_from_ns = from_ns;
    scenario->sim.away_to_ns = from_ns + 3 * SEC;
}

static void assert_right(const struct scenario *scenario)
{
    assert_int_equal(scenario_count_wrong(scenario), 0);
    assert_int_equal(scenario->notes[NOTE_WAY_GONE], 1);
    assert_int_equal(scenario->notes[NOTE_WAY_BACK], 1);
    assert_true(scenario->took_ns > 3 * SEC);
}

/* At any moment of the scan: while it sends, while it waits, before a host has answered at all. */
static void a_link_that_is_down_for_three_seconds_leaves_no_wrong_state(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 500, 599, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rtt_ns = seed % 2 ? 2 * MSEC : 80 * MSEC;
        host.loss_out = host.loss_back = seed % 3 ? 0 : 0.05;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.discovery = seed % 5 == 0;
        scenario.timing.max_rate_pps = 2000;
        scenario.seed = seed;
        go_away(&scenario, SEC + (int64_t)seed * 33 * MSEC);
        scenario_run(&scenario);
        assert_right(&scenario);
        scenario_done(&scenario);
    }
}

static void hosts_are_not_taken_for_down_because_our_link_was(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.1", NULL, 0);
        host.last = addr_v4(addr_to_v4(&host.first) + 199);
        host.on_link = seed % 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.0.200", 10);
        scenario.discovery = true;
        scenario.timing.max_rate_pps = 10000; /* so that it is not over before */
        scenario.seed = seed;
        go_away(&scenario, SEC + (int64_t)seed * 2 * MSEC);
        scenario_run(&scenario);
        assert_right(&scenario);
        scenario_done(&scenario);
    }
}

static void a_limited_host_keeps_its_states_when_our_link_is_down(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 15, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 30);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        go_away(&scenario, SEC + (int64_t)seed * 700 * MSEC);
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* A path that carries a tenth from now on: the rate follows it. */
static void a_path_that_carries_a_tenth_from_some_moment_on_slows_the_scan_and_breaks_nothing(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 500, 999, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rtt_ns = seed % 2 ? 20 * MSEC : 2 * MSEC;
        host.otherwise = seed % 3 ? SIM_CLOSED : SIM_DROP;
        struct sim_link link = {.first = host.first,
                                .last = host.last,
                                .rate_pps = 20000,
                                .queue_len = 2000,
                                .changes_at_ns = SEC + 300 * MSEC,
                                .changed_rate_pps = 2000};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10000);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.slower[RATE_QUEUES] + scenario.slower[RATE_LOSES] > 0);
        scenario_done(&scenario);
    }
}

/* Nobody tells us that the path is gone. */
static void a_path_that_is_gone_for_three_seconds_is_said_and_leaves_no_wrong_state(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 500, 999, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rtt_ns = seed % 2 ? 2 * MSEC : 80 * MSEC;
        host.otherwise = seed % 3 ? SIM_CLOSED : SIM_DROP;
        struct sim_link link = {.first = host.first,
                                .last = host.last,
                                .down_from_ns = SEC + (int64_t)seed * 33 * MSEC,
                                .down_to_ns = 4 * SEC + (int64_t)seed * 33 * MSEC};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.timing.max_rate_pps = 2000;
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        bool has_answered =
            link.down_from_ns > SEC + host.rtt_ns; /* else nobody knows that somebody is there */
        if (scenario.notes[NOTE_PATH_SILENT] != has_answered ||
            scenario.notes[NOTE_PATH_ANSWERS] != has_answered)
            fail_msg("seed %llu: said %u and %u times", (unsigned long long)seed,
                     (unsigned)scenario.notes[NOTE_PATH_SILENT], (unsigned)scenario.notes[NOTE_PATH_ANSWERS]);
        assert_true(scenario.took_ns < 90 * SEC);
        scenario_done(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_that_is_down_for_three_seconds_leaves_no_wrong_state),
        cmocka_unit_test(hosts_are_not_taken_for_down_because_our_link_was),
        cmocka_unit_test(a_path_that_carries_a_tenth_from_some_moment_on_slows_the_scan_and_breaks_nothing),
        cmocka_unit_test(a_path_that_is_gone_for_three_seconds_is_said_and_leaves_no_wrong_state),
        cmocka_unit_test(a_limited_host_keeps_its_states_when_our_link_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
