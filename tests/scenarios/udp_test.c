/* UDP scans: ports that answer anything, that answer only their own protocol, from elsewhere, never, or with
 * errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"
#include "technique/payload.h"

#define SECOND_ADDRESS "198.18.0.200"

static const struct sim_port ports[] = {
    {IP_PROTO_UDP, 53, 53, SIM_SERVICE, 0, 0, false},
    {IP_PROTO_UDP, 69, 69, SIM_NEW_PORT, 0, 0, false},
    {IP_PROTO_UDP, 111, 111, SIM_OTHER_ADDRESS, 0, 0, false},
    {IP_PROTO_UDP, 123, 123, SIM_SERVICE, 0, 0, false},
    {IP_PROTO_UDP, 137, 137, SIM_NEW_PORT, 0, 0, false},
    {IP_PROTO_UDP, 161, 161, SIM_SERVICE, 0, 0, false},
    {IP_PROTO_UDP, 177, 177, SIM_SERVICE, 0, 0, false}, /* an answer without an id */
    {IP_PROTO_UDP, 200, 204, SIM_OPEN, 0, 0, false},
    {IP_PROTO_UDP, 210, 214, SIM_DROP, 0, 0, false},
    {IP_PROTO_UDP, 220, 220, SIM_ICMP, ICMP4_UNREACHABLE, 3, false},
    {IP_PROTO_UDP, 221, 221, SIM_ICMP, ICMP4_UNREACHABLE, 3, true},
    {IP_PROTO_UDP, 222, 222, SIM_ICMP, ICMP4_UNREACHABLE, 13, false},
    {IP_PROTO_UDP, 223, 223, SIM_ICMP, ICMP4_UNREACHABLE, 1, true},
    {IP_PROTO_UDP, 224, 224, SIM_SHORT_QUOTE, ICMP4_UNREACHABLE, 10, true},
    {IP_PROTO_UDP, 225, 225, SIM_SOFT_ONCE, 0, 0, false},
};

static struct sim_host udp_host(void)
{
    struct sim_host host = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    assert_true(addr_parse(SECOND_ADDRESS, &host.second));
    return host;
}

static struct scenario udp_scan_of(const struct sim_host *host, uint64_t seed)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", "198.18.0.2", 300);
    scenario.technique = &technique_udp;
    scenario.seed = seed;
    return scenario;
}

static void assert_reason(const struct scenario *scenario, uint16_t port, enum reason reason)
{
    assert_string_equal(reason_name((enum reason)scenario_port(scenario, "198.18.0.2", port)->reason),
                        reason_name(reason));
}

/* Then the port of an answer does not tell which try it is to. */
static void every_kind_of_port_is_told_to_a_fixed_source_port(void **state)
{
    (void)state;
    struct sim_host host = udp_host();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scenario scenario = udp_scan_of(&host, seed);
        scenario.one_source_port = true;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

static void every_kind_of_port_is_told(void **state)
{
    (void)state;
    struct sim_host host = udp_host();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scenario scenario = udp_scan_of(&host, seed);
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_reason(&scenario, 53, REASON_UDP_RESPONSE);
        assert_reason(&scenario, 220, REASON_PORT_UNREACH);
        assert_reason(&scenario, 221, REASON_PORT_UNREACH);
        assert_reason(&scenario, 222, REASON_ADMIN_PROHIBITED);
        assert_reason(&scenario, 223, REASON_HOST_UNREACH);
        assert_reason(&scenario, 224, REASON_HOST_PROHIBITED);
        assert_reason(&scenario, 210, REASON_NO_RESPONSE);
        scenario_done(&scenario);
    }
}

static void loss_duplicates_and_reordering_change_nothing(void **state)
{
    (void)state;
    struct sim_host host = udp_host();
    host.loss_out = host.loss_back = 0.03;
    host.duplicate = 0.1;
    host.jitter_ns = 2 * MSEC;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scenario scenario = udp_scan_of(&host, seed);
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

static void an_echoed_id_needs_no_second_answer_and_a_port_alone_does(void **state)
{
    (void)state;
    struct sim_host host = udp_host();
    struct scenario scenario = udp_scan_of(&host, 1);
    scenario_run(&scenario);
    static const uint16_t strong[] = {53, 111, 123, 137, 161};
    static const uint16_t weak[] = {69, 177, 200, 204};
    for (size_t i = 0; i < sizeof strong / sizeof strong[0]; i++) {
        const struct seen_port *port = scenario_port(&scenario, "198.18.0.2", strong[i]);
        assert_int_equal(port->tries, 1);
        assert_false(port->flags & RECORD_WEAK);
    }
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        const struct seen_port *port = scenario_port(&scenario, "198.18.0.2", weak[i]);
        assert_int_equal(port->tries, 2);
        assert_true(port->flags & RECORD_WEAK);
    }
    scenario_done(&scenario);
}

static void an_answer_from_another_address_names_it(void **state)
{
    (void)state;
    struct sim_host host = udp_host();
    struct scenario scenario = udp_scan_of(&host, 1);
    scenario_run(&scenario);
    const struct seen_port *port = scenario_port(&scenario, "198.18.0.2", 111);
    assert_int_equal(port->state, PORT_OPEN);
    assert_true(addr_equal(&port->source, &host.second));
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 137)->source.family, ADDR_NONE);
    scenario_done(&scenario);
}

/* With the user's own bytes a service that wants its own protocol says nothing. */
static void data_takes_the_place_of_the_payload(void **state)
{
    (void)state;
    const struct probe_data data = {(const uint8_t *)"hello", 5};
    const struct technique with_data = technique_with_data(&technique_udp, &data);
    struct sim_host host = udp_host();
    struct scenario scenario = udp_scan_of(&host, 1);
    scenario.technique = &with_data;
    scenario_run(&scenario);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 53)->state, PORT_OPEN_FILTERED);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 69)->state, PORT_OPEN_FILTERED);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 200)->state, PORT_OPEN);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 230)->state, PORT_CLOSED);
    scenario_done(&scenario);
}

/* A management controller may know only the second of its payloads, each of which is sent twice. A host whose
 * other ports are all silent is certain after two tries. */
static void every_payload_has_its_turn_before_silence_counts(void **state)
{
    (void)state;
    static const struct sim_port agent[] = {{IP_PROTO_UDP, 623, 623, SIM_LAST_PAYLOAD, 0, 0, false}};
    assert_true(payload_tries(623) > 2);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", agent, 1);
        host.otherwise = seed % 2 ? SIM_DROP : SIM_CLOSED;
        host.icmp_rate_pps = seed % 4 ? 0 : 10;
        host.limiter_burst = 6;
        struct scenario scenario = udp_scan_of(&host, seed);
        scenario.first_port = 601;
        scenario.last_port = 650;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_reason(&scenario, 623, REASON_UDP_RESPONSE);
        scenario_done(&scenario);
    }
}

/* Only these ports are asked more often than silence needs. */
static void further_payloads_are_sent_to_their_ports_alone(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.otherwise = SIM_DROP;
    struct scenario scenario = udp_scan_of(&host, 1);
    scenario_run(&scenario);
    assert_true(scenario.stats.packets_sent >= 2 * 300 + 1);
    assert_true(scenario.stats.packets_sent < 2 * 300 + 10 + 100); /* with soundings */
    scenario_done(&scenario);
}

/* The first answer of an echo service may be the one that is lost. (That both of the first two are lost is no
 * more likely than what silence is believed at.) */
static void an_answer_that_must_be_confirmed_is_waited_for(void **state)
{
    (void)state;
    static const struct sim_port echo[] = {{IP_PROTO_UDP, 200, 204, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", echo, 1);
        host.otherwise = SIM_DROP;
        host.loss_back = 0.02;
        struct scenario scenario = udp_scan_of(&host, seed);
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

static void ipv6_is_told_the_same(void **state)
{
    (void)state;
    static const struct sim_port ports6[] = {
        {IP_PROTO_UDP, 53, 53, SIM_SERVICE, 0, 0, false},
        {IP_PROTO_UDP, 69, 69, SIM_NEW_PORT, 0, 0, false},
        {IP_PROTO_UDP, 210, 214, SIM_DROP, 0, 0, false},
        {IP_PROTO_UDP, 222, 222, SIM_ICMP, ICMP6_UNREACHABLE, 1, true},
    };
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("2001:db8::2", ports6, sizeof ports6 / sizeof ports6[0]);
        struct scenario scenario = scan_of(&host, 1, "2001:db8::2", "2001:db8::2", 300);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_port_is_told),
        cmocka_unit_test(every_kind_of_port_is_told_to_a_fixed_source_port),
        cmocka_unit_test(loss_duplicates_and_reordering_change_nothing),
        cmocka_unit_test(an_echoed_id_needs_no_second_answer_and_a_port_alone_does),
        cmocka_unit_test(an_answer_from_another_address_names_it),
        cmocka_unit_test(data_takes_the_place_of_the_payload),
        cmocka_unit_test(every_payload_has_its_turn_before_silence_counts),
        cmocka_unit_test(further_payloads_are_sent_to_their_ports_alone),
        cmocka_unit_test(an_answer_that_must_be_confirmed_is_waited_for),
        cmocka_unit_test(ipv6_is_told_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
