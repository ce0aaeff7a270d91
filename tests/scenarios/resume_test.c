/* Scans that are killed and go on from what a store holds of them then: whatever the host is like, no state
 * is wrong in the end, and little is asked twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keeper.h"
#include "scenario_support.h"

#define KILLS 8 /* of each scan, spread over it */

/* Longest time between two states in a store, and until what was asked before one can have been answered. */
#define STATE_MAX_NS (8 * SEC)
#define MARK_MAX_NS  (2 * SEC)

/* Of a scan that was killed and went on, both runs together. */
struct outcome {
    uint64_t wrong, packets_sent;
    bool slowed; /* when it was killed it had met a limiter, or a policer */
};

static struct outcome kill_and_resume(const struct scenario *scan, int64_t kill_at_ns, int64_t period_ns)
{
    struct keeper keeper = {.period_ns = period_ns};
    struct scenario first = *scan, second = *scan;
    struct outcome outcome;
    first.keep = keeper_take;
    first.keep_context = &keeper;
    first.kill_at_ns = kill_at_ns;
    scenario_run(&first);
    assert_int_equal(first.records[RECORD_END], 0);
    second.resume = keeper_resume(&keeper, first.plan);
    struct sim_host host = *scan->sim.hosts;
    host.limiter_spent = host.limiter_burst; /* as the first run left it */
    second.sim.hosts = &host;
    scenario_run(&second);
    assert_false(second.unfinished);
    keeper_merge(&keeper, &second);
    outcome.wrong = scenario_count_wrong(&second);
    outcome.packets_sent = first.stats.packets_sent + second.stats.packets_sent;
    outcome.slowed = keeper_limited(&keeper);
    scenario_done(&first);
    scenario_done(&second);
    keeper_done(&keeper);
    return outcome;
}

/* Kill it at moments spread over the time it takes. How often it had been slowed down by then? */
static unsigned kill_all_over(const struct scenario *scan)
{
    struct scenario whole = *scan;
    unsigned slowed = 0;
    scenario_run(&whole);
    int64_t took_ns = whole.took_ns;
    assert_int_equal(scenario_count_wrong(&whole), 0);
    scenario_done(&whole);
    for (unsigned i = 0; i < KILLS; i++) {
        int64_t kill_at_ns = took_ns * (2 * i + 1) / (2 * KILLS);
        struct outcome outcome = kill_and_resume(scan, kill_at_ns, SEC);
        if (outcome.wrong)
            fail_msg("seed %u: killed after %.1f s of %.1f", (unsigned)scan->seed,
                     (double)kill_at_ns / (double)SEC, (double)took_ns / (double)SEC);
        slowed += outcome.slowed;
    }
    return slowed;
}

static void assert_right_while_errors_are_limited(const struct sim_port ports[2],
                                                  const struct technique *technique, uint16_t last_port)
{
    unsigned slowed = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        struct scenario scan = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", last_port);
        scan.technique = technique;
        scan.seed = seed;
        slowed += kill_all_over(&scan);
    }
    assert_true(slowed > KILLS);
}

static void a_host_that_limits_its_errors_is_right_whenever_the_scan_was_killed(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 15, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_UDP, 16, 30, SIM_DROP, 0, 0, false}};
    assert_right_while_errors_are_limited(ports, &technique_udp, 60);
}

/* What most of its ports answer is not limited. */
static void a_host_that_limits_errors_among_resets_is_right_whenever_the_scan_was_killed(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 101, 112, SIM_ICMP, ICMP4_UNREACHABLE, 13, false},
                                     {IP_PROTO_TCP, 150, 150, SIM_DROP, 0, 0, false}};
    assert_right_while_errors_are_limited(ports, &technique_fin, 300);
}

static void a_host_that_limits_its_resets_is_right_whenever_the_scan_was_killed(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 50, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 900, 999, SIM_DROP, 0, 0, false}};
    unsigned slowed = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rst_rate_pps = 100;
        host.limiter_burst = 5;
        struct scenario scan = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scan.seed = seed;
        slowed += kill_all_over(&scan);
    }
    assert_true(slowed > KILLS);
}

/* Which is asked calmly by then. */
static void a_host_behind_a_policer_is_right_whenever_the_scan_was_killed(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        struct sim_link link = {.first = host.first,
                                .last = host.last,
                                .rate_pps = 200,
                                .policer_burst = 20,
                                .policed_proto = IP_PROTO_TCP};
        struct scenario scan = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scan.sim.links = &link;
        scan.sim.link_count = 1;
        scan.seed = seed;
        kill_all_over(&scan);
    }
}

/* Just before a state was due the last is as old as one can be. */
static void no_more_than_the_last_seconds_are_asked_again(void **state)
{
    (void)state;
    const double rate_pps = 500;
    struct sim_host hosts = host_with("198.18.0.1", NULL, 0);
    hosts.last = addr_v4(addr_to_v4(&hosts.first) + 49);
    struct scenario scan = scan_of(&hosts, 1, "198.18.0.1", "198.18.0.50", 500);
    scan.timing.max_rate_pps = rate_pps;
    struct scenario whole = scan;
    scenario_run(&whole);
    uint64_t needed = whole.stats.packets_sent;
    assert_true(whole.took_ns > 5 * STATE_MAX_NS);
    scenario_done(&whole);
    for (unsigned i = 1; i <= 5; i++) {
        struct outcome outcome = kill_and_resume(&scan, i * STATE_MAX_NS - MSEC, STATE_MAX_NS);
        double seconds = (double)(outcome.packets_sent - needed) / rate_pps;
        assert_int_equal(outcome.wrong, 0);
        if (seconds > (double)(STATE_MAX_NS + MARK_MAX_NS) / (double)SEC)
            fail_msg("killed after %u states: %.1f s of probes were repeated", i, seconds);
        print_message("killed after %u states: %.1f s of probes were repeated\n", i, seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_limits_its_errors_is_right_whenever_the_scan_was_killed),
        cmocka_unit_test(a_host_that_limits_errors_among_resets_is_right_whenever_the_scan_was_killed),
        cmocka_unit_test(a_host_that_limits_its_resets_is_right_whenever_the_scan_was_killed),
        cmocka_unit_test(a_host_behind_a_policer_is_right_whenever_the_scan_was_killed),
        cmocka_unit_test(no_more_than_the_last_seconds_are_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
