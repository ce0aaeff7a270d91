/* Scans of simulated hosts whose truth is known: states, reasons, and what must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"

static void every_state_and_reason_is_right(void **state)
{
    (void)state;
    const struct sim_port ports[] = {
        {IP_PROTO_TCP, 22, 22, SIM_OPEN, 0, 0, false},
        {IP_PROTO_TCP, 23, 23, SIM_DROP, 0, 0, false},
        {IP_PROTO_TCP, 24, 24, SIM_ICMP, ICMP4_UNREACHABLE, 13, true},
        {IP_PROTO_TCP, 25, 25, SIM_ICMP, ICMP4_UNREACHABLE, 3, false},
        {IP_PROTO_TCP, 26, 26, SIM_ICMP, ICMP4_UNREACHABLE, 1, true},
        {IP_PROTO_TCP, 27, 27, SIM_BARE_SYN, 0, 0, false},
        {IP_PROTO_TCP, 28, 28, SIM_SHORT_QUOTE, ICMP4_UNREACHABLE, 10, true},
        {IP_PROTO_TCP, 29, 29, SIM_SOFT_ONCE, 0, 0, false},
        {IP_PROTO_TCP, 30, 30, SIM_ICMP, ICMP4_TIME_EXCEEDED, 0, true},
        {IP_PROTO_TCP, 31, 31, SIM_BROKEN_OPTIONS, 0, 0, false},
    };
    const struct {
        enum reason reason;
        bool from_router;
    } expected[] = {
        {REASON_RESET, false},
        {REASON_SYN_ACK, false},
        {REASON_NO_RESPONSE, false},
        {REASON_ADMIN_PROHIBITED, true},
        {REASON_PORT_UNREACH, false},
        {REASON_HOST_UNREACH, true},
        {REASON_SPLIT_HANDSHAKE_SYN, false},
        {REASON_HOST_PROHIBITED, true},
        {REASON_SYN_ACK, false},
        {REASON_TIME_EXCEEDED, true},
        {REASON_SYN_ACK, false},
    };
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
    scenario_run(&scenario);

    assert_int_equal(scenario_count_wrong(&scenario), 0);
    for (uint16_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct seen_port *port = scenario_port(&scenario, "198.18.0.2", (uint16_t)(21 + i));
        assert_string_equal(reason_name(port->reason), reason_name(expected[i].reason));
        assert_int_equal(port->source.family != ADDR_NONE, expected[i].from_router);
    }
    scenario_done(&scenario);
}

static void assert_reasons(struct scenario *scenario, const char *address, const enum reason *reasons,
                           uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        assert_string_equal(reason_name(scenario_port(scenario, address, (uint16_t)(i + 1))->reason),
                            reason_name(reasons[i]));
}

static void ipv6_is_judged_by_its_own_codes(void **state)
{
    (void)state;
    const struct sim_port ports[] = {
        {IP_PROTO_TCP, 1, 1, SIM_OPEN, 0, 0, false},
        {IP_PROTO_TCP, 2, 2, SIM_ICMP, ICMP6_UNREACHABLE, 0, true},
        {IP_PROTO_TCP, 3, 3, SIM_ICMP, ICMP6_UNREACHABLE, 1, true},
        {IP_PROTO_TCP, 4, 4, SIM_ICMP, ICMP6_UNREACHABLE, 4, false},
        {IP_PROTO_TCP, 5, 5, SIM_ICMP, ICMP6_UNREACHABLE, 6, true},
        {IP_PROTO_TCP, 6, 6, SIM_ICMP, ICMP6_TIME_EXCEEDED, 0, true},
    };
    const enum reason reasons[] = {REASON_SYN_ACK,      REASON_NO_ROUTE,     REASON_ADMIN_PROHIBITED,
                                   REASON_PORT_UNREACH, REASON_REJECT_ROUTE, REASON_TIME_EXCEEDED,
                                   REASON_RESET};
    struct sim_host host = host_with("2001:db8::2", ports, sizeof ports / sizeof ports[0]);
    host.on_link = true;
    struct scenario scenario = scan_of(&host, 1, "2001:db8::2", "2001:db8::2", 7);
    scenario_run(&scenario);

    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario_host(&scenario, "2001:db8::2")->up_reason, REASON_ND_RESPONSE);
    assert_reasons(&scenario, "2001:db8::2", reasons, 7);
    scenario_done(&scenario);
}

static void what_is_not_proved_changes_nothing_and_is_counted(void **state)
{
    (void)state;
    const struct sim_port ports[] = {
        {IP_PROTO_TCP, 1, 1, SIM_WRONG_ACK, 0, 0, false},
        {IP_PROTO_TCP, 2, 2, SIM_WRONG_RESET, 0, 0, false},
        {IP_PROTO_TCP, 3, 3, SIM_STRANGE_QUOTE, ICMP4_UNREACHABLE, 13, true},
        {IP_PROTO_TCP, 4, 4, SIM_TRUNCATED, 0, 0, false},
    };
    const enum reason reasons[] = {REASON_NO_RESPONSE, REASON_NO_RESPONSE, REASON_NO_RESPONSE,
                                   REASON_NO_RESPONSE};
    struct sim_host host = host_with("198.18.0.2", ports, 4);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10);
    scenario_run(&scenario);

    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_reasons(&scenario, "198.18.0.2", reasons, 4);
    assert_true(scenario.progress[PROGRESS_REJECTED] >= 8); /* four ports, two tries each at least */
    assert_true(scenario.stats.faults[PACKET_TRUNCATED] >= 2);
    scenario_done(&scenario);
}

static void a_forger_who_knows_the_ports_is_not_believed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.otherwise = SIM_DROP;
        host.rtt_ns = 20 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.sim.forgeries_per_probe = 3;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.progress[PROGRESS_REJECTED] >= 6000);
        scenario_done(&scenario);
    }
}

/* Off the path, a forger sees neither ports nor numbers, but may know the range that our ports are from. */
static void of_a_million_off_path_forgeries_none_is_accepted(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.otherwise = SIM_DROP;
    host.silent_to_pings = true;
    host.rtt_ns = 20 * MSEC;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10000);
    scenario.sim.forgeries_per_probe = 50;
    scenario.sim.forger_first_port = SCENARIO_FIRST_PORT;
    scenario.sim.forger_port_count = SCENARIO_PORT_COUNT;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.progress[PROGRESS_ANSWERS], 0);
    assert_true(scenario.progress[PROGRESS_REJECTED] >= 1000000);
    scenario_done(&scenario);
}

static void connect_scans_tell_icmp_from_reset(void **state)
{
    (void)state;
    const struct sim_port ports[] = {
        {IP_PROTO_TCP, 2, 2, SIM_OPEN, 0, 0, false},
        {IP_PROTO_TCP, 3, 3, SIM_DROP, 0, 0, false},
        {IP_PROTO_TCP, 4, 4, SIM_ICMP, ICMP4_UNREACHABLE, 3, false},
        {IP_PROTO_TCP, 5, 5, SIM_ICMP, ICMP4_UNREACHABLE, 13, true},
    };
    const enum reason reasons[] = {REASON_CONN_REFUSED, REASON_SYN_ACK, REASON_NO_RESPONSE,
                                   REASON_PORT_UNREACH, REASON_ADMIN_PROHIBITED};
    struct sim_host host = host_with("198.18.0.2", ports, 4);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 5);
    scenario.technique = &technique_connect;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_reasons(&scenario, "198.18.0.2", reasons, 5);
    scenario_done(&scenario);
}

static void many_hosts_stream_through(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 3, 5, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.0", ports, 1);
    host.last = addr_v4(addr_to_v4(&host.first) + 65279);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.0", "198.18.254.255", 10);
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.records[RECORD_PORT], 65280 * 10);
    scenario_done(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_reason_is_right),
        cmocka_unit_test(ipv6_is_judged_by_its_own_codes),
        cmocka_unit_test(what_is_not_proved_changes_nothing_and_is_counted),
        cmocka_unit_test(a_forger_who_knows_the_ports_is_not_believed),
        cmocka_unit_test(of_a_million_off_path_forgeries_none_is_accepted),
        cmocka_unit_test(connect_scans_tell_icmp_from_reset),
        cmocka_unit_test(many_hosts_stream_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
