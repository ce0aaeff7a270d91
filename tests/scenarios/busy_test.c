/* Our own machine is busy: it sends later than it meant to, or finds no room at its socket. That says nothing
 * of the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenario_support.h"

/* What is to be sent now leaves up to a millisecond later, and its answer is known all the same. */
static void a_machine_that_sends_late_asks_a_firewalled_host_twice(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.seed = seed;
        scenario.sim.lag_ns = MSEC;
        scenario_run(&scenario);
        assert_firewalled_host_was_asked_twice(&scenario);
        scenario_done(&scenario);
    }
}

static struct sim_link policer_before(const struct sim_host *host)
{
    return (struct sim_link){.first = host->first,
                             .last = host->last,
                             .rate_pps = 1000,
                             .policer_burst = 20,
                             .policed_proto = IP_PROTO_TCP};
}

/* The echo of a host is back before any reset, when what it answers is asked again: it has shown none to miss
 * yet. */
static void a_host_whose_resets_come_late_is_not_said_to_limit_them(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 2, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.on_link = true;
        host.rtt_ns = MSEC / 50;
        host.jitter_ns = MSEC;
        host.last = addr_v4(addr_to_v4(&host.first) + 3);
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.5", 8);
        scenario.seed = seed;
        scenario.sim.lag_ns = MSEC;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        if (scenario.end[END_HOSTS_LIMITED])
            fail_msg("seed %u", (unsigned)seed);
        scenario_done(&scenario);
    }
}

static void assert_right_without_room(const struct sim_host *host, const struct sim_link *link, uint64_t seed)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario.sim.links = link;
    scenario.sim.link_count = link ? 1 : 0;
    scenario.sim.no_room = 0.05;
    scenario.seed = seed;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    scenario_done(&scenario);
}

/* What did not leave was not silent: in sweeps, and where hosts are asked at a pace of their own. */
static void probes_that_find_no_room_are_still_to_be_sent(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        struct sim_link policer = policer_before(&host);
        assert_right_without_room(&host, NULL, seed);
        assert_right_without_room(&host, &policer, seed);
        host.otherwise = SIM_CLOSED;
        host.rst_rate_pps = 200;
        host.limiter_burst = 200;
        assert_right_without_room(&host, NULL, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_sends_late_asks_a_firewalled_host_twice),
        cmocka_unit_test(a_host_whose_resets_come_late_is_not_said_to_limit_them),
        cmocka_unit_test(probes_that_find_no_room_are_still_to_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
