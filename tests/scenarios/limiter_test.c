/* Hosts that limit their resets or ICMP errors: no wrong state, in little more time than the limiter itself
 * needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"
#include "technique/payload.h"
#include "technique/token.h"

/* The limiter's own time for so many answers. */
static double ideal_seconds(unsigned answers, unsigned burst, double rate_pps)
{
    return answers > burst ? (double)(answers - burst) / rate_pps : 0;
}

static void assert_in_time(const struct scenario *scenario, double ideal, double factor)
{
    double took = (double)scenario->took_ns / (double)SEC;
    if (took > ideal * factor)
        fail_msg("seed %u: took %.2f s, the limiter needs %.2f s", (unsigned)scenario->seed, took, ideal);
}

static void resets_at_200_a_second_are_all_found(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 50, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 900, 999, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rst_rate_pps = 200;
        host.limiter_burst = 5;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(1850, 5, 200), 1.3);
        scenario_done(&scenario);
    }
}

/* Linux: six ICMP errors at once, then one a second. */
static void protocols_behind_the_limiter_of_linux_are_all_right(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {47, 115};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.protocols = protocols;
        host.protocol_count = 2;
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 255);
        scenario.technique = &technique_ip_protocol;
        scenario.first_port = 60;
        scenario.seed = seed;
        scenario_run(&scenario);
        for (uint16_t i = 60; i <= 255; i++) {
            bool open = i == 47 || i == 115;
            assert_int_equal(scenario_port(&scenario, "198.18.0.2", i)->state,
                             open ? PORT_OPEN : PORT_CLOSED);
        }
        assert_in_time(&scenario, ideal_seconds(195, 6, 1), 1.3);
        assert_int_equal(scenario.notes[NOTE_LIMITED], 1);
        scenario_done(&scenario);
    }
}

/* It answers some of every few probes: that could be a path that loses most, but no number of tries is enough
 * for that. */
static void a_limiter_a_fifth_as_fast_as_the_way_is_no_loss(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.on_link = true;
        host.rtt_ns = MSEC / 5;
        host.rst_rate_pps = 200;
        host.limiter_burst = 20;
        struct sim_link bottleneck = {.first = host.first,
                                      .last = host.last,
                                      .rate_pps = 1000,
                                      .queue_len = 100,
                                      .loss_out = 0.05,
                                      .loss_back = 0.05,
                                      .burst_ns = 10 * MSEC};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 5000);
        scenario.sim.links = &bottleneck;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(4980, 20, 200) / 0.95, 1.3);
        assert_int_equal(scenario.notes[NOTE_LIMITED], 1);
        scenario_done(&scenario);
    }
}

static void many_limited_hosts_are_worked_in_parallel(void **state)
{
    (void)state;
    struct sim_host hosts[50];
    for (unsigned i = 0; i < 50; i++) {
        hosts[i] = host_with("198.18.0.1", NULL, 0);
        hosts[i].first = hosts[i].last = addr_v4(addr_to_v4(&hosts[i].first) + i);
        hosts[i].rst_rate_pps = 20;
        hosts[i].limiter_burst = 5;
    }
    struct scenario scenario = scan_of(hosts, 50, "198.18.0.1", "198.18.0.50", 200);
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_in_time(&scenario, ideal_seconds(200, 5, 20), 1.3);
    scenario_done(&scenario);
}

/* One in ten of all answers, and one in ten of all probes, gets lost besides. */
static void loss_beside_a_limiter_leaves_no_wrong_state(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 100, 149, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rst_rate_pps = 100;
        host.limiter_burst = 5;
        host.loss_out = host.loss_back = 0.1;
        host.rtt_ns = 20 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 300);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* Linux sends its SYN/ACK again after a second when our reset of the connection got lost. */
/* It is 0.2 ms away, and asked five times in less than the burst. */
static void a_long_burst_of_loss_before_a_near_host_is_no_policer(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.rtt_ns = 200 * USEC;
        host.rst_rate_pps = 200;
        host.limiter_burst = 20;
        struct sim_link link = {.first = host.first,
                                .last = host.last,
                                .down_from_ns = SEC + (int64_t)seed * MSEC,
                                .down_to_ns = SEC + (int64_t)seed * MSEC + 75 * MSEC};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        if (scenario.notes[NOTE_POLICED])
            fail_msg("seed %u: said to be policed", (unsigned)seed);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

static void an_answer_that_comes_again_at_the_hosts_own_pace_is_told_once(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.rst_rate_pps = 50;
        host.limiter_burst = 5;
        host.duplicate = 1;
        host.duplicate_ns = SEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 200);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        for (uint16_t port = 1; port <= 20; port++) {
            unsigned reports = scenario_port(&scenario, "198.18.0.2", port)->reports;
            if (reports != 1)
                fail_msg("seed %u: port %u is told %u times", (unsigned)seed, port, reports);
        }
        scenario_done(&scenario);
    }
}

static void an_unlimited_host_with_silent_ports_is_not_slowed_down(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 500, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.took_ns < SEC);
        assert_int_equal(scenario.notes[NOTE_LIMITED], 0);
        scenario_done(&scenario);
    }
}

/* UDP behind the limiter of Linux: a quarter of the ports echo, a quarter are silent, half are closed; the
 * bucket may have been spent on somebody before. */
static void assert_udp(uint16_t port_count, uint64_t seeds, double factor)
{
    const struct sim_port ports[] = {
        {IP_PROTO_UDP, 1, (uint16_t)(port_count / 4), SIM_OPEN, 0, 0, false},
        {IP_PROTO_UDP, (uint16_t)(port_count / 4 + 1), (uint16_t)(port_count / 2), SIM_DROP, 0, 0, false},
    };
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        host.limiter_spent = (double)(seed % 13) / 2;
        host.on_link = true;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", port_count);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario_run(&scenario);
        for (uint16_t port = 1; port <= port_count; port++) {
            enum port_state expected = port <= port_count / 4   ? PORT_OPEN
                                       : port <= port_count / 2 ? PORT_OPEN_FILTERED
                                                                : PORT_CLOSED;
            if (scenario_port(&scenario, "198.18.0.2", port)->state != expected)
                fail_msg("seed %u: port %u is %s", (unsigned)seed, port,
                         state_name(scenario_port(&scenario, "198.18.0.2", port)->state));
        }
        unsigned closed = port_count / 2u;
        double ideal = (double)closed - 6 + host.limiter_spent;
        assert_in_time(&scenario, ideal, factor);
        scenario_done(&scenario);
    }
}

static void forty_mixed_udp_ports_are_right_whatever_the_bucket_holds(void **state)
{
    (void)state;
    assert_udp(40, 100, 1.9); /* of so short a scan much is the end: a token is waited for before every try */
}

/* What is waited for at the end depends on the host's round trip and limiter, not on the time-out of
 * strangers. */
static void few_ports_behind_a_limiter_do_not_wait_for_seconds(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 8, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("2001:db8::2", ports, 1);
        host.icmp_rate_pps = 10;
        host.limiter_burst = 6;
        struct scenario scenario = scan_of(&host, 1, "2001:db8::2", "2001:db8::2", 41);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(33, 6, 10), 1.3);
        scenario_done(&scenario);
    }
}

static void a_few_silent_udp_ports_of_a_host_without_limiter_take_no_second(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 10, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_UDP, 11, 20, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 40);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.took_ns < SEC);
        scenario_done(&scenario);
    }
}

/* Resets may come without limit where errors do not: their canary says nothing of the errors. */
static void errors_are_limited_apart_from_resets(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 21, 40, SIM_ICMP, ICMP4_UNREACHABLE, 13, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 40);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        for (uint16_t port = 21; port <= 40; port++)
            assert_string_equal(
                reason_name((enum reason)scenario_port(&scenario, "198.18.0.2", port)->reason),
                reason_name(REASON_ADMIN_PROHIBITED));
        scenario_done(&scenario);
    }
}

/* A port whose service answers the first payload, and not that of a later try. */
static uint16_t port_that_answers_once(uint8_t later_try)
{
    uint16_t port;
    for (unsigned i = 0; payload_port_at(i, &port); i++)
        if (port > 50 && payload_of_try(port, 0)->sample.len && !payload_of_try(port, later_try)->sample.len)
            return port;
    fail_msg("no port has such payloads");
    return 0;
}

/* That it stays silent then is no loss of the path, and must not hide the limiter. */
static void a_service_that_answers_one_payload_hides_no_limiter(void **state)
{
    (void)state;
    uint16_t port = port_that_answers_once(TOKEN_TRY_CANARY);
    const struct sim_port ports[] = {{IP_PROTO_UDP, port, port, SIM_SERVICE, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.icmp_rate_pps = 50;
        host.limiter_burst = 6;
        host.silent_to_pings = seed % 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", (uint16_t)(port + 50));
        scenario.technique = &technique_udp;
        scenario.first_port = (uint16_t)(port - 50);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* -sS with -sU: neither limiter holds up the other, or lends it its rate. */
static void resets_and_errors_limited_at_once_are_all_found(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 30, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 900, 999, SIM_DROP, 0, 0, false},
                                     {IP_PROTO_UDP, 2001, 2005, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_UDP, 2006, 2010, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 4);
        host.rst_rate_pps = 200;
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2040);
        scenario.also = &technique_udp;
        scenario.also_from = 2001;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(30, 6, 1), 1.3);
        scenario_done(&scenario);
    }
}

/* However impatient the user is: a bucket that somebody else emptied needs its second. */
static void an_empty_bucket_is_waited_for_whatever_the_timing(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 5, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, seed % 2);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        host.limiter_spent = 6;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 20);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario.timing.initial_rto_ns = 100 * MSEC;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* As a scan of another kind leaves it, of a host whose firewall says what it rejects. */
static void an_empty_bucket_is_waited_for_where_an_error_would_tell_more_than_silence(void **state)
{
    (void)state;
    const uint8_t prohibited = 13, host_unreachable = 1;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const uint8_t code = seed % 2 ? prohibited : host_unreachable;
        const struct sim_port ports[] = {{IP_PROTO_TCP, 10, 21, SIM_ICMP, ICMP4_UNREACHABLE, code, false},
                                         {IP_PROTO_TCP, 50, 54, SIM_DROP, 0, 0, false}};
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.icmp_rate_pps = 1;
        host.limiter_burst = 6;
        host.limiter_spent = (double)(seed % 13) / 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
        scenario.technique = &technique_fin;
        scenario.seed = seed;
        scenario_run(&scenario);
        if (scenario_count_wrong(&scenario))
            fail_msg("seed %u: %u wrong", (unsigned)seed, (unsigned)scenario_count_wrong(&scenario));
        scenario_done(&scenario);
    }
}

static void a_thousand_mixed_udp_ports_are_right(void **state)
{
    (void)state;
    assert_udp(1000, 10, 1.3);
}

/* A Linux host gives 64 addresses of ours 64 times as much as one. */
static struct sim_host linux_host(const struct sim_port *ports, size_t port_count)
{
    struct sim_host host = host_with("198.18.0.2", ports, port_count);
    host.icmp_rate_pps = 1;
    host.icmp_total_pps = 1000;
    host.limiter_burst = 6;
    return host;
}

/* The answer that is lost may be the one that took the only token. */
static void loss_beside_the_limiter_of_linux_leaves_no_wrong_state(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 20, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct sim_host host = linux_host(ports, 1);
        host.loss_out = host.loss_back = 0.1;
        host.rtt_ns = 20 * MSEC;
        host.limiter_spent = (double)(seed % 13) / 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 40);
        scenario.technique = &technique_udp;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

static void a_pool_of_sources_gets_the_sum_of_their_buckets(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 20, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_UDP, 500, 509, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = linux_host(ports, 2);
        host.rtt_ns = seed % 2 ? MSEC : 80 * MSEC;
        host.limiter_spent = (double)(seed % 13) / 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.technique = &technique_udp;
        scenario.pool_size = 64;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(1970, (unsigned)(65 * (6 - host.limiter_spent)), 65), 2.5);
        scenario_done(&scenario);
    }
}

/* Loss, and ports that stay silent for good, in equal parts. */
static void a_pool_of_sources_leaves_no_wrong_state_where_packets_are_lost(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 100, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_UDP, 101, 200, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = linux_host(ports, 2);
        host.loss_out = host.loss_back = 0.1;
        host.rtt_ns = 20 * MSEC;
        host.limiter_spent = (double)(seed % 13) / 2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 300);
        scenario.technique = &technique_udp;
        scenario.pool_size = 16;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* More addresses bring nothing there, and break nothing. */
static void a_pool_of_sources_breaks_nothing_where_all_share_one_limiter(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_UDP, 1, 200, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.icmp_rate_pps = 200;
        host.limiter_burst = 50;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.technique = &technique_udp;
        scenario.pool_size = 64;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_in_time(&scenario, ideal_seconds(1800, 50, 200), 1.5);
        scenario_done(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets_at_200_a_second_are_all_found),
        cmocka_unit_test(protocols_behind_the_limiter_of_linux_are_all_right),
        cmocka_unit_test(a_limiter_a_fifth_as_fast_as_the_way_is_no_loss),
        cmocka_unit_test(many_limited_hosts_are_worked_in_parallel),
        cmocka_unit_test(forty_mixed_udp_ports_are_right_whatever_the_bucket_holds),
        cmocka_unit_test(few_ports_behind_a_limiter_do_not_wait_for_seconds),
        cmocka_unit_test(a_few_silent_udp_ports_of_a_host_without_limiter_take_no_second),
        cmocka_unit_test(errors_are_limited_apart_from_resets),
        cmocka_unit_test(a_service_that_answers_one_payload_hides_no_limiter),
        cmocka_unit_test(resets_and_errors_limited_at_once_are_all_found),
        cmocka_unit_test(an_empty_bucket_is_waited_for_whatever_the_timing),
        cmocka_unit_test(an_empty_bucket_is_waited_for_where_an_error_would_tell_more_than_silence),
        cmocka_unit_test(a_thousand_mixed_udp_ports_are_right),
        cmocka_unit_test(loss_beside_a_limiter_leaves_no_wrong_state),
        cmocka_unit_test(loss_beside_the_limiter_of_linux_leaves_no_wrong_state),
        cmocka_unit_test(a_pool_of_sources_gets_the_sum_of_their_buckets),
        cmocka_unit_test(a_pool_of_sources_leaves_no_wrong_state_where_packets_are_lost),
        cmocka_unit_test(a_pool_of_sources_breaks_nothing_where_all_share_one_limiter),
        cmocka_unit_test(a_long_burst_of_loss_before_a_near_host_is_no_policer),
        cmocka_unit_test(an_answer_that_comes_again_at_the_hosts_own_pace_is_told_once),
        cmocka_unit_test(an_unlimited_host_with_silent_ports_is_not_slowed_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
