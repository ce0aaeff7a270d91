/* Networks behind the same way out that differ: each goes at the rate that its own path carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario_support.h"

#define PORTS 40

static struct addr address(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, &addr));
    return addr;
}

/* A link to a network, so wide that it does nothing. */
static struct sim_link link_to(const char *first, const char *last)
{
    return (struct sim_link){.first = address(first), .last = address(last)};
}

/* Hosts of which a firewall shows three open ports. */
static struct sim_host firewalled(const char *first, const char *last)
{
    static const struct sim_port ports[] = {{IP_PROTO_TCP, 11, 13, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with(first, ports, 1);
    host.last = address(last);
    host.otherwise = SIM_DROP;
    host.rtt_ns = 20 * MSEC;
    host.jitter_ns = 2 * MSEC;
    return host;
}

/* The four /24s of 198.18.0.0/22, behind a link of 5,000 packets a second; behind that the second has one of
 * its own. */
struct quarters {
    struct sim_host host;
    struct sim_link links[2];
    const char *first, *last; /* that are scanned */
    uint64_t seed;
};

static struct quarters quarters_with(struct sim_link second)
{
    struct quarters quarters = {.host = firewalled("198.18.0.0", "198.18.3.255"),
                                .links = {link_to("198.18.0.0", "198.18.3.255"), second},
                                .first = "198.18.0.0",
                                .last = "198.18.3.255"};
    quarters.links[0].rate_pps = 5000;
    quarters.links[0].queue_len = 500;
    return quarters;
}

static struct scenario run_quarters(const struct quarters *quarters)
{
    struct scenario scenario = scan_of(&quarters->host, 1, quarters->first, quarters->last, PORTS);
    scenario.sim.links = quarters->links;
    scenario.sim.link_count = 2;
    scenario.seed = quarters->seed;
    scenario_run(&scenario);
    return scenario;
}

static int64_t took_ns(const struct quarters *quarters)
{
    struct scenario scenario = run_quarters(quarters);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    scenario_done(&scenario);
    return scenario.took_ns;
}

/* When the last of the hosts was done whose third byte is, or is not, this one. */
static int64_t done_ns(const struct scenario *scenario, uint8_t byte, bool is)
{
    int64_t last_ns = 0;
    for (uint64_t i = 0; i < scenario->plan->host_count; i++) {
        struct addr host = plan_host_at(scenario->plan, i);
        if ((host.bytes[2] == byte) == is && scenario->hosts[i].done_ns > last_ns)
            last_ns = scenario->hosts[i].done_ns;
    }
    return last_ns - SEC; /* the clock of the simulation begins there */
}

/* The others take no longer than without the second's link, and all of them no longer than that and the
 * second by itself. */
static void assert_slows_only_itself(struct sim_link second, uint64_t seed)
{
    struct quarters alone = quarters_with(second),
                    without = quarters_with(link_to("198.18.1.0", "198.18.1.255"));
    struct quarters all = alone;
    alone.first = "198.18.1.0";
    alone.last = "198.18.1.255";
    alone.seed = without.seed = all.seed = seed;
    int64_t without_ns = took_ns(&without), alone_ns = took_ns(&alone);
    struct scenario scenario = run_quarters(&all);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario.notes[NOTE_PATH_SPLIT] >= 1);
    int64_t others_ns = done_ns(&scenario, 1, false);
    int64_t most_ns = without_ns + without_ns / 10 * 3;
    if (second.rate_pps > 0 && others_ns > most_ns)
        fail_msg("seed %llu: the others took %.1f s, without it %.1f s", (unsigned long long)seed,
                 (double)others_ns / 1e9, (double)without_ns / 1e9);
    if (scenario.took_ns > most_ns + alone_ns)
        fail_msg("seed %llu: all took %.1f s, without it %.1f s, itself %.1f s", (unsigned long long)seed,
                 (double)scenario.took_ns / 1e9, (double)without_ns / 1e9, (double)alone_ns / 1e9);
    scenario_done(&scenario);
}

static void a_network_behind_a_narrow_link_slows_only_itself(void **state)
{
    (void)state;
    struct sim_link narrow = link_to("198.18.1.0", "198.18.1.255");
    narrow.rate_pps = 100;
    narrow.queue_len = 100;
    assert_slows_only_itself(narrow, 1);
}

static void a_network_behind_a_lossy_link_slows_only_itself(void **state)
{
    (void)state;
    struct sim_link lossy = link_to("198.18.1.0", "198.18.1.255");
    lossy.loss_out = lossy.loss_back = 0.2;
    assert_slows_only_itself(lossy, 1);
}

/* They share a link that is full, and lossy in bursts. */
static void networks_that_are_alike_share_a_path(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) { /* each kind of link with each kind of host */
        struct sim_host host = firewalled("198.18.0.128", "198.18.1.127");
        struct sim_link link = link_to("198.18.0.0", "198.18.3.255");
        link.rate_pps = 3000;
        link.queue_len = 300;
        link.loss_out = link.loss_back = seed % 2 ? 0.1 : 0;
        link.burst_ns = seed % 4 == 1 ? 20 * MSEC : 0;
        host.otherwise = seed % 3 ? SIM_DROP : SIM_CLOSED;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.128", "198.18.1.127", PORTS);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        if (scenario.notes[NOTE_PATH_SPLIT])
            fail_msg("seed %llu: split", (unsigned long long)seed);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* One /16 is 20 ms away, the other 400 ms. */
static void a_network_that_is_farther_away_is_not_waited_for_by_the_nearer_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct sim_host hosts[] = {firewalled("198.18.255.0", "198.18.255.255"),
                                   firewalled("198.19.0.0", "198.19.0.255")};
        hosts[1].rtt_ns = 400 * MSEC;
        struct scenario near = scan_of(&hosts[0], 1, "198.18.255.0", "198.18.255.255", PORTS);
        struct scenario both = scan_of(hosts, 2, "198.18.255.0", "198.19.0.255", PORTS);
        near.seed = both.seed = seed;
        scenario_run(&near);
        scenario_run(&both);
        assert_int_equal(scenario_count_wrong(&both), 0);
        assert_int_equal(both.notes[NOTE_PATH_SPLIT], 1);
        assert_true(done_ns(&both, 255, true) < 2 * near.took_ns);
        scenario_done(&near);
        scenario_done(&both);
    }
}

static void a_network_that_was_slow_for_a_while_joins_the_others_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct quarters quarters = quarters_with(link_to("198.18.1.0", "198.18.1.255"));
        struct sim_link *second = &quarters.links[1];
        second->rate_pps = 100;
        second->queue_len = 100;
        second->changes_at_ns = 4 * SEC; /* from then on it carries anything */
        quarters.host.otherwise = SIM_CLOSED;
        quarters.seed = seed;
        struct scenario scenario = run_quarters(&quarters);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.notes[NOTE_PATH_SPLIT] >= 1);
        if (scenario.notes[NOTE_PATH_JOINED] != scenario.notes[NOTE_PATH_SPLIT])
            fail_msg("seed %llu: %u splits, %u joins", (unsigned long long)seed,
                     (unsigned)scenario.notes[NOTE_PATH_SPLIT], (unsigned)scenario.notes[NOTE_PATH_JOINED]);
        scenario_done(&scenario);
    }
}

/* Of 256 addresses, half in one network and half in the next. The second has a narrow link. */
static void assert_splits_ipv6(const char *first, const char *middle, const char *last)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct sim_host host = firewalled(first, last);
        host.otherwise = SIM_CLOSED;
        struct sim_link narrow = link_to(middle, last);
        narrow.rate_pps = 100;
        narrow.queue_len = 100;
        struct scenario scenario = scan_of(&host, 1, first, last, PORTS);
        scenario.sim.links = &narrow;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_int_equal(scenario.notes[NOTE_PATH_SPLIT], 1);
        scenario_done(&scenario);
    }
}

static void networks_of_ipv6_differ_by_their_first_48_or_64_bits(void **state)
{
    (void)state;
    assert_splits_ipv6("2001:db8:1:ffff:ffff:ffff:ffff:ff80", "2001:db8:2::", "2001:db8:2::7f");
    assert_splits_ipv6("2001:db8:1:1:ffff:ffff:ffff:ff80", "2001:db8:1:2::", "2001:db8:1:2::7f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_behind_a_narrow_link_slows_only_itself),
        cmocka_unit_test(a_network_behind_a_lossy_link_slows_only_itself),
        cmocka_unit_test(networks_that_are_alike_share_a_path),
        cmocka_unit_test(a_network_that_is_farther_away_is_not_waited_for_by_the_nearer_one),
        cmocka_unit_test(a_network_that_was_slow_for_a_while_joins_the_others_again),
        cmocka_unit_test(networks_of_ipv6_differ_by_their_first_48_or_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
