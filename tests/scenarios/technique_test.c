/* Every TCP technique against stacks of different habits: states and reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenario_support.h"

static const struct sim_port ports[] = {
    {IP_PROTO_TCP, 10, 14, SIM_OPEN, 0, 0, false},
    {IP_PROTO_TCP, 20, 24, SIM_DROP, 0, 0, false},
    {IP_PROTO_TCP, 30, 30, SIM_ICMP, ICMP4_UNREACHABLE, 13, true},
    {IP_PROTO_TCP, 31, 31, SIM_ICMP, ICMP4_UNREACHABLE, 3, false},
    {IP_PROTO_TCP, 32, 32, SIM_SHORT_QUOTE, ICMP4_UNREACHABLE, 10, true},
};

static const struct technique *const tcp_techniques[] = {
    &technique_syn,    &technique_null, &technique_fin,    &technique_xmas,
    &technique_maimon, &technique_ack,  &technique_window,
};

/* Scan one host of these habits with every technique, with loss, duplicates and reordering. */
static void assert_all_right(struct sim_host host)
{
    for (size_t i = 0; i < sizeof tcp_techniques / sizeof tcp_techniques[0]; i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            host.loss_out = host.loss_back = 0.03;
            host.duplicate = 0.1;
            host.jitter_ns = 2 * MSEC;
            struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
            scenario.technique = tcp_techniques[i];
            scenario.seed = seed;
            scenario.sim.forgeries_per_probe = 1;
            scenario_run(&scenario);
            assert_int_equal(scenario_count_wrong(&scenario), 0);
            assert_int_equal(scenario_port(&scenario, "198.18.0.2", 30)->reason, REASON_ADMIN_PROHIBITED);
            assert_int_equal(scenario_port(&scenario, "198.18.0.2", 32)->reason, REASON_HOST_PROHIBITED);
            assert_int_equal(scenario_port(&scenario, "198.18.0.2", 50)->reason, REASON_RESET);
            scenario_done(&scenario);
        }
    }
}

static void a_stack_after_the_rfc_is_read_rightly(void **state)
{
    (void)state;
    assert_all_right(host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]));
}

static void a_bsd_shows_its_open_ports_to_maimon(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    host.drops_fin_ack = true;
    assert_all_right(host);
}

static void a_stack_that_resets_everything_shows_all_closed(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    host.resets_all = true;
    assert_all_right(host);
}

static void a_window_in_the_reset_shows_open_ports(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    host.open_reset_window = 4096;
    assert_all_right(host);
}

static void other_flags_are_judged_as_their_base(void **state)
{
    (void)state;
    const struct technique syn_fin = tcp_probe_with_flags(&technique_syn, TCP_SYN | TCP_FIN);
    const struct technique psh = tcp_probe_with_flags(&technique_fin, TCP_PSH);
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
    scenario.technique = &syn_fin;
    scenario_run(&scenario);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 10)->state, PORT_OPEN);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 50)->state, PORT_CLOSED);
    scenario_done(&scenario);
    scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
    scenario.technique = &psh;
    scenario_run(&scenario);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 10)->state, PORT_OPEN_FILTERED);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 50)->state, PORT_CLOSED);
    scenario_done(&scenario);
}

static struct scenario scanned_with(const struct sim_host *host, const struct technique *technique,
                                    uint64_t seed)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario.technique = technique;
    scenario.seed = seed;
    scenario_run(&scenario);
    return scenario;
}

/* A reset acknowledges the data of the probe, too: nothing is lost for that, nor asked again. */
static void assert_data_change_nothing(const struct technique *technique, size_t len, uint64_t seed)
{
    static const uint8_t bytes[1400];
    const struct probe_data data = {bytes, len};
    const struct technique with_data = technique_with_data(technique, &data);
    const struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    struct scenario plain = scanned_with(&host, technique, seed);
    struct scenario scenario = scanned_with(&host, &with_data, seed);
    for (uint16_t port = 1; port <= 1000; port++)
        if (scenario_port(&scenario, "198.18.0.2", port)->state !=
            scenario_port(&plain, "198.18.0.2", port)->state)
            fail_msg("seed %u, %s with %zu bytes: port %u", (unsigned)seed, technique->name, len, port);
    assert_int_equal(scenario.progress[PROGRESS_REJECTED], 0);
    assert_true(scenario.stats.packets_sent < 1200);
    scenario_done(&scenario);
    scenario_done(&plain);
}

static void data_in_the_probes_change_no_state(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 100, 1400};
    for (size_t i = 0; i < 3 * sizeof tcp_techniques / sizeof tcp_techniques[0]; i++)
        for (uint64_t seed = 1; seed <= 5; seed++)
            assert_data_change_nothing(tcp_techniques[i / 3], lens[i % 3], seed);
}

/* A probe that comes back carries all the right numbers, and says nothing; nor does what our own kernel makes
 * of it, which comes back as well. (UDP is an exception: RFC 862 has servers that do just this, and whatever
 * comes from a port shows that it is open.) */
static void a_mirror_shows_nothing(void **state)
{
    (void)state;
    static const char *const addresses[] = {"198.18.0.2", "2001:db8::2"};
    const struct technique reset = tcp_probe_with_flags(&technique_ack, TCP_RST | TCP_ACK);
    const struct technique *const techniques[] = {
        &technique_syn,
        &technique_null,
        &technique_fin,
        &technique_xmas,
        &technique_maimon,
        &technique_ack,
        &technique_window,
        &technique_sctp_init,
        &technique_sctp_cookie,
        &technique_ip_protocol,
        &reset,
    };
    for (size_t i = 0; i < 2 * sizeof techniques / sizeof techniques[0]; i++) {
        const char *address = addresses[i % 2];
        struct sim_host host = host_with(address, NULL, 0);
        host.mirrors = true;
        struct scenario scenario = scan_of(&host, 1, address, address, 255);
        scenario.technique = techniques[i / 2];
        scenario_run(&scenario);
        for (uint16_t port = 1; port <= 255; port++) {
            const struct seen_port *seen = scenario_port(&scenario, address, port);
            if (seen->state != scenario.technique->silent_state)
                fail_msg("%s, port %u of %s: %s", scenario.technique->name, port, address,
                         state_name(seen->state));
        }
        assert_true(scenario.progress[PROGRESS_REJECTED] > 0 ||
                    scenario_port(&scenario, address, 255)->reason == REASON_PROBE_RETURNED);
        scenario_done(&scenario);
    }
}

/* Ports from which we ask as well: some probe has the port it asks as its own. */
static void assert_all_are(const char *address, const struct technique *technique, enum port_state state)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct sim_host host = host_with(address, NULL, 0);
        struct scenario scenario = scan_of(&host, 1, address, address, 0);
        scenario.first_port = SCENARIO_FIRST_PORT;
        scenario.last_port = SCENARIO_FIRST_PORT + SCENARIO_PORT_COUNT - 1;
        scenario.technique = technique;
        scenario.seed = seed;
        scenario_run(&scenario);
        for (unsigned port = scenario.first_port; port <= scenario.last_port; port++) {
            const struct seen_port *seen = scenario_port(&scenario, address, (uint16_t)port);
            if (seen->state != state)
                fail_msg("seed %u, %s, port %u of %s: %s", (unsigned)seed, technique->name, port, address,
                         state_name(seen->state));
        }
        assert_int_equal(scenario.progress[PROGRESS_REJECTED], 0);
        scenario_done(&scenario);
    }
}

/* Where we scan ourselves, each probe is heard on its way. It has not come back, and is no answer. */
static void probes_to_an_address_of_ours_are_not_taken_for_answers(void **state)
{
    (void)state;
    static const char *const ours[] = {"203.0.113.1", "2001:db8:ffff::1"};
    static const struct technique *const closed[] = {&technique_syn,  &technique_null,   &technique_fin,
                                                     &technique_xmas, &technique_maimon, &technique_window,
                                                     &technique_udp};
    for (size_t i = 0; i < 2 * sizeof closed / sizeof closed[0]; i++)
        assert_all_are(ours[i % 2], closed[i / 2], PORT_CLOSED);
    for (size_t i = 0; i < 2; i++) {
        assert_all_are(ours[i], &technique_ack, PORT_UNFILTERED);
        assert_all_are(ours[i], &technique_sctp_init, PORT_FILTERED);
        assert_all_are(ours[i], &technique_sctp_cookie, PORT_FILTERED);
    }
}

static void assert_protocols(struct sim_host host, const char *address, uint8_t icmp,
                             enum reason closed_reason)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scenario scenario = scan_of(&host, 1, address, address, 255);
        scenario.technique = &technique_ip_protocol;
        scenario.first_port = icmp == IP_PROTO_ICMP ? 0 : 61; /* below are IPv6 extension headers */
        scenario.last_port = icmp == IP_PROTO_ICMP ? 255 : 131;
        scenario.seed = seed;
        scenario_run(&scenario);
        for (uint16_t i = scenario.first_port; i <= scenario.last_port; i++) {
            const struct seen_port *seen = scenario_port(&scenario, address, i);
            bool open = i == IP_PROTO_TCP || i == IP_PROTO_UDP || i == icmp || i == 47 || i == 115;
            if (seen->state != (open ? PORT_OPEN : PORT_CLOSED))
                print_message("seed %u: protocol %u of %s\n", (unsigned)seed, i, address);
            assert_string_equal(state_name(seen->state), state_name(open ? PORT_OPEN : PORT_CLOSED));
            if (!open)
                assert_string_equal(reason_name(seen->reason), reason_name(closed_reason));
        }
        scenario_done(&scenario);
    }
}

static void ip_protocols_are_told_apart(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {47, 115};
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.protocols = protocols;
    host.protocol_count = 2;
    host.loss_out = 0.03;
    assert_protocols(host, "198.18.0.2", IP_PROTO_ICMP, REASON_PROTO_UNREACH);

    struct sim_host host6 = host_with("2001:db8::2", NULL, 0);
    host6.protocols = protocols;
    host6.protocol_count = 2;
    assert_protocols(host6, "2001:db8::2", IP_PROTO_ICMPV6, REASON_PARAM_PROBLEM);
}

static void silent_protocols_are_open_or_filtered(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {47};
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.protocols = protocols;
    host.protocol_count = 1;
    host.otherwise = SIM_DROP;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 255);
    scenario.technique = &technique_ip_protocol;
    scenario_run(&scenario);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 47)->state, PORT_OPEN);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", IP_PROTO_ICMP)->reason, REASON_ECHO_REPLY);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 200)->state, PORT_OPEN_FILTERED);
    scenario_done(&scenario);
}

static void assert_sctp(const struct technique *technique, const char *address, bool silent_to_cookies,
                        enum port_state open_state)
{
    const bool v4 = strchr(address, ':') == NULL;
    const struct sim_port sctp_ports[] = {
        {IP_PROTO_SCTP, 10, 19, SIM_OPEN, 0, 0, false},
        {IP_PROTO_SCTP, 20, 29, SIM_DROP, 0, 0, false},
        {IP_PROTO_SCTP, 30, 30, SIM_ICMP, v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE, v4 ? 13 : 1, true},
        {IP_PROTO_SCTP, 40, 49, SIM_WRONG_ACK, 0, 0, false},
    };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with(address, sctp_ports, 4);
        host.speaks_sctp = true;
        host.silent_to_cookies = silent_to_cookies;
        host.loss_out = 0.05;
        struct scenario scenario = scan_of(&host, 1, address, address, 100);
        scenario.technique = technique;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_port(&scenario, address, 15)->state, open_state);
        assert_int_equal(scenario_port(&scenario, address, 25)->state, technique->silent_state);
        assert_int_equal(scenario_port(&scenario, address, 30)->reason, REASON_ADMIN_PROHIBITED);
        assert_int_equal(scenario_port(&scenario, address, 45)->state,
                         technique->silent_state); /* not our tag */
        assert_int_equal(scenario_port(&scenario, address, 99)->reason, REASON_ABORT);
        scenario_done(&scenario);
    }
}

static void sctp_ports_are_read_by_their_first_chunk(void **state)
{
    (void)state;
    assert_sctp(&technique_sctp_init, "198.18.0.2", false, PORT_OPEN);
    assert_sctp(&technique_sctp_init, "2001:db8::2", false, PORT_OPEN);
    assert_sctp(&technique_sctp_cookie, "198.18.0.2", false, PORT_OPEN);
    assert_sctp(&technique_sctp_cookie, "198.18.0.2", true, PORT_OPEN_FILTERED);
    assert_sctp(&technique_sctp_cookie, "2001:db8::2", true, PORT_OPEN_FILTERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_after_the_rfc_is_read_rightly),
        cmocka_unit_test(a_bsd_shows_its_open_ports_to_maimon),
        cmocka_unit_test(a_stack_that_resets_everything_shows_all_closed),
        cmocka_unit_test(a_window_in_the_reset_shows_open_ports),
        cmocka_unit_test(other_flags_are_judged_as_their_base),
        cmocka_unit_test(data_in_the_probes_change_no_state),
        cmocka_unit_test(a_mirror_shows_nothing),
        cmocka_unit_test(probes_to_an_address_of_ours_are_not_taken_for_answers),
        cmocka_unit_test(sctp_ports_are_read_by_their_first_chunk),
        cmocka_unit_test(ip_protocols_are_told_apart),
        cmocka_unit_test(silent_protocols_are_open_or_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
