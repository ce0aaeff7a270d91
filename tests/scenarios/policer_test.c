/* Firewalls and providers that let so many probes a second through and drop the rest in silence: what they
 * drop is not taken for silence of the port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenario_support.h"

/* SYNs to these hosts, so many a second and so many at once. */
static struct sim_link policer(const struct sim_host *hosts, double rate_pps, unsigned burst)
{
    return (struct sim_link){.first = hosts->first,
                             .last = hosts->last,
                             .rate_pps = rate_pps,
                             .policer_burst = burst,
                             .policed_proto = IP_PROTO_TCP};
}

/* Ports 1 .. 1000 of the host, or of those up to the last. */
static struct scenario scan_through(const struct sim_host *host, const char *last,
                                    const struct sim_link *link)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", last, 1000);
    scenario.sim.links = link;
    scenario.sim.link_count = 1;
    return scenario;
}

static void assert_none_missed(const struct sim_host *host, const char *last, const struct sim_link *link,
                               uint64_t seed)
{
    struct scenario scenario = scan_through(host, last, link);
    scenario.seed = seed;
    scenario_run(&scenario);
    if (scenario_count_wrong(&scenario) > 0)
        fail_msg("seed %u: %.0f a second, %u at once", (unsigned)seed, link->rate_pps, link->policer_burst);
    if (scenario.notes[NOTE_POLICED] == 0)
        fail_msg("seed %u: nobody is told of the policer", (unsigned)seed);
    scenario_done(&scenario);
}

static void assert_none_missed_at_any_rate(struct sim_host *host, uint64_t seed)
{
    static const double rates_pps[] = {100, 500, 2000, 10000};
    static const unsigned bursts[] = {1, 5, 20, 100};
    for (unsigned i = 0; i < 16; i++) {
        struct sim_link link = policer(host, rates_pps[i / 4], bursts[i % 4]);
        host->rtt_ns = seed % 2 ? MSEC : 40 * MSEC;
        assert_none_missed(host, "198.18.0.2", &link, seed);
    }
}

static void a_firewalled_host_behind_a_policer_loses_no_open_port(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        assert_none_missed_at_any_rate(&host, seed);
    }
}

static void a_host_with_all_kinds_of_ports_behind_a_policer_loses_none(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT + 1];
    open_some(ports);
    ports[OPEN_COUNT] = (struct sim_port){IP_PROTO_TCP, 500, 1000, SIM_DROP, 0, 0, false};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, OPEN_COUNT + 1);
        assert_none_missed_at_any_rate(&host, seed);
    }
}

/* Closed ports may be all that answers: they look as if the host limited its resets. */
static void ports_behind_a_policer_are_right_where_none_is_open(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 300, 1000, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        struct sim_link link = policer(&host, 500, 5);
        assert_none_missed(&host, "198.18.0.2", &link, seed);
    }
}

static void a_policer_on_a_path_that_loses_hides_nothing(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        host.loss_out = host.loss_back = 0.05;
        struct sim_link link = policer(&host, 1000, 20);
        assert_none_missed(&host, "198.18.0.2", &link, seed);
    }
}

/* It drops our echo requests, too. */
static void a_policer_of_everything_hides_nothing(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        host.silent_to_pings = seed % 2;
        struct sim_link link = policer(&host, 1000, 20);
        link.policed_proto = 0;
        assert_none_missed(&host, "198.18.0.2", &link, seed);
    }
}

static void hosts_that_share_a_policer_lose_no_open_port(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host hosts = firewalled_but_some(ports);
        hosts.last = addr_v4(addr_to_v4(&hosts.first) + 15);
        struct sim_link link = policer(&hosts, 2000, 100);
        assert_none_missed(&hosts, "198.18.0.17", &link, seed);
    }
}

/* Somebody has enough of us. What is unknown is not called filtered. */
static void a_host_that_shuts_us_out_is_left_unfinished(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 10, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 900, 910, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.otherwise = SIM_DROP;
        struct sim_link link = policer(&host, 0.01, 100);
        struct scenario scenario = scan_through(&host, "198.18.0.2", &link);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_true(scenario_host(&scenario, "198.18.0.2")->done_flags & RECORD_UNFINISHED);
        for (uint16_t port = 1; port <= 1000; port++)
            assert_int_not_equal(scenario_port(&scenario, "198.18.0.2", port)->state, PORT_FILTERED);
        assert_true(scenario.took_ns < 30 * SEC);
        scenario_done(&scenario);
    }
}

/* That one port is limited says little of the others. */
static void a_single_port_that_stops_answering_leaves_the_others_filtered_and_in_doubt(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 1, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.otherwise = SIM_DROP;
        struct sim_link link = policer(&host, 0.01, 100);
        struct scenario scenario = scan_through(&host, "198.18.0.2", &link);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_host(&scenario, "198.18.0.2")->done_flags, 0);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.end[END_DOUBT] > 500000);
        scenario_done(&scenario);
    }
}

/* What nothing showed may be there all the same; and that is said. */
static void a_host_that_answers_nothing_is_asked_twice_and_in_a_little_doubt(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.otherwise = SIM_DROP;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario_run(&scenario);
    assert_true(scenario.stats.packets_sent < 2 * 1000 + 250); /* with soundings */
    assert_in_range(scenario.end[END_DOUBT], 1000, 100000);
    scenario_done(&scenario);
}

static void a_firewalled_host_without_policer_is_asked_twice_and_at_once(void **state)
{
    (void)state;
    struct sim_port ports[OPEN_COUNT];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = firewalled_but_some(ports);
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_firewalled_host_was_asked_twice(&scenario);
        assert_true(scenario.end[END_DOUBT] < 1000);
        scenario_done(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firewalled_host_behind_a_policer_loses_no_open_port),
        cmocka_unit_test(a_host_with_all_kinds_of_ports_behind_a_policer_loses_none),
        cmocka_unit_test(ports_behind_a_policer_are_right_where_none_is_open),
        cmocka_unit_test(a_policer_on_a_path_that_loses_hides_nothing),
        cmocka_unit_test(a_policer_of_everything_hides_nothing),
        cmocka_unit_test(hosts_that_share_a_policer_lose_no_open_port),
        cmocka_unit_test(a_host_that_shuts_us_out_is_left_unfinished),
        cmocka_unit_test(a_single_port_that_stops_answering_leaves_the_others_filtered_and_in_doubt),
        cmocka_unit_test(a_host_that_answers_nothing_is_asked_twice_and_in_a_little_doubt),
        cmocka_unit_test(a_firewalled_host_without_policer_is_asked_twice_and_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
