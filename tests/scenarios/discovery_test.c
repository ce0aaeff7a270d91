/* Who is up, and what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"

static void discovery_finds_who_is_up_and_scans_only_them(void **state)
{
    (void)state;
    struct sim_host hosts[2] = {host_with("198.18.0.10", NULL, 0), host_with("198.18.0.20", NULL, 0)};
    hosts[0].silent_to_pings = true; /* but its RST shows it */
    struct scenario scenario = scan_of(hosts, 2, "198.18.0.1", "198.18.0.40", 50);
    scenario.discovery = true;
    scenario_run(&scenario);
    assert_int_equal(scenario.records[RECORD_HOST_UP], 2);
    assert_int_equal(scenario.records[RECORD_HOST_DOWN], 38);
    assert_int_equal(scenario.records[RECORD_HOST_DONE], 2);
    assert_int_equal(scenario_host(&scenario, "198.18.0.10")->up_reason, REASON_RESET);
    assert_int_equal(scenario_port(&scenario, "198.18.0.20", 50)->state, PORT_CLOSED);
    scenario_done(&scenario);
}

static void a_host_is_up_that_says_anything_to_an_sctp_init(void **state)
{
    (void)state;
    static const struct sim_port open[] = {{IP_PROTO_SCTP, 80, 80, SIM_OPEN, 0, 0, false}};
    static const char *const families[][5] = {
        {"198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.4", "198.18.0.8"},
        {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "2001:db8::8"},
    };
    for (size_t i = 0; i < 2; i++) {
        const char *const *addresses = families[i];
        struct sim_host hosts[4] = {host_with(addresses[0], open, 1), host_with(addresses[1], NULL, 0),
                                    host_with(addresses[2], NULL, 0), host_with(addresses[3], NULL, 0)};
        hosts[0].speaks_sctp = hosts[1].speaks_sctp = true;
        hosts[3].down = true;
        struct scenario scenario = scan_of(hosts, 4, addresses[0], addresses[4], 1);
        scenario.discovery = scenario.no_ports = true;
        scenario.ping = &technique_ping_sctp;
        scenario_run(&scenario);
        assert_int_equal(scenario.records[RECORD_HOST_UP], 3);
        assert_int_equal(scenario_host(&scenario, addresses[0])->up_reason, REASON_INIT_ACK);
        assert_int_equal(scenario_host(&scenario, addresses[1])->up_reason, REASON_ABORT);
        assert_int_equal(scenario_host(&scenario, addresses[2])->up_reason,
                         i == 0 ? REASON_PROTO_UNREACH : REASON_PARAM_PROBLEM);
        scenario_done(&scenario);
    }
}

static void without_ports_only_discovery_runs(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.10", NULL, 0);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.9", "198.18.0.10", 1);
    scenario.discovery = true;
    scenario.no_ports = true;
    scenario_run(&scenario);
    assert_int_equal(scenario.records[RECORD_HOST_UP], 1);
    assert_int_equal(scenario.records[RECORD_HOST_DONE], 1);
    assert_int_equal(scenario.records[RECORD_PORT], 0);
    scenario_done(&scenario);
}

static void hosts_on_link_are_found_by_arp_even_if_silent(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.on_link = true;
    host.silent_to_pings = true;
    host.otherwise = SIM_DROP;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10);
    scenario.discovery = true;
    scenario_run(&scenario);
    assert_int_equal(scenario_host(&scenario, "198.18.0.2")->up_reason, REASON_ARP_RESPONSE);
    assert_int_equal(scenario.records[RECORD_MAC], 1);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    scenario_done(&scenario);
}

static void a_neighbour_that_does_not_resolve_is_unreachable_and_we_say_so(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.on_link = true;
    host.down = true;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10);
    scenario_run(&scenario);
    const struct seen_port *port = scenario_port(&scenario, "198.18.0.2", 7);
    assert_int_equal(port->reason, REASON_HOST_UNREACH);
    assert_true(addr_equal(&port->source, &scenario.sim.source4));
    scenario_done(&scenario);
}

static void a_slow_host_holds_up_nobody_else(void **state)
{
    (void)state;
    struct sim_host hosts[2] = {host_with("198.18.0.1", NULL, 0), host_with("198.18.0.2", NULL, 0)};
    hosts[1].rtt_ns = 1500 * MSEC;
    hosts[1].otherwise = SIM_DROP;
    struct scenario scenario = scan_of(hosts, 2, "198.18.0.1", "198.18.0.2", 100);
    scenario.discovery = true;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario_host(&scenario, "198.18.0.1")->done_ns < 2 * SEC);
    assert_true(scenario_host(&scenario, "198.18.0.2")->done_ns > 3 * SEC);
    scenario_done(&scenario);
}

static void a_quarter_of_discovery_lost_misses_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.1", NULL, 0);
        host.last = addr_v4(addr_to_v4(&host.first) + 99);
        host.loss_out = 0.25;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.0.100", 1);
        scenario.discovery = true;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario.records[RECORD_HOST_UP], 100);
        scenario_done(&scenario);
    }
}

/* Alone at the end they would be asked five times as fast as they answer, and take seconds more. */
static void hosts_found_late_are_asked_along_with_the_others(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = host_with("198.18.0.1", NULL, 0);
        host.last = addr_v4(addr_to_v4(&host.first) + 255);
        host.on_link = true;
        host.rst_rate_pps = 50;
        host.limiter_burst = 20;
        host.limits_each = true;
        host.loss_out = 0.1;
        struct sim_link link = {.first = host.first, .last = host.last, .rate_pps = 5000, .queue_len = 500};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.1.0", 200);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.took_ns < 15500 * MSEC);
        scenario_done(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovery_finds_who_is_up_and_scans_only_them),
        cmocka_unit_test(a_host_is_up_that_says_anything_to_an_sctp_init),
        cmocka_unit_test(without_ports_only_discovery_runs),
        cmocka_unit_test(hosts_on_link_are_found_by_arp_even_if_silent),
        cmocka_unit_test(a_neighbour_that_does_not_resolve_is_unreachable_and_we_say_so),
        cmocka_unit_test(a_slow_host_holds_up_nobody_else),
        cmocka_unit_test(a_quarter_of_discovery_lost_misses_nobody),
        cmocka_unit_test(hosts_found_late_are_asked_along_with_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
