/* Hosts that answer everything: SYN proxies, tarpits, middleboxes. They are told from hosts with open ports,
 * and delay nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "scenario_support.h"

#define SEEDS 20

static const uint8_t fronts[] = {SIM_FRONT_PROXY, SIM_FRONT_TARPIT, SIM_FRONT_COOKIES};
#define FRONTS (sizeof fronts / sizeof fronts[0])

/* Flags with which a host is reported after a scan of its first ports. */
static uint8_t done_flags_of(const struct sim_host *host, uint16_t ports, uint64_t seed)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", "198.18.0.2", ports);
    scenario.seed = seed;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    const struct seen_host *seen = scenario_host(&scenario, "198.18.0.2");
    assert_true(seen->done);
    assert_int_equal(seen->done_count, 1);
    uint8_t flags = seen->done_flags;
    scenario_done(&scenario);
    return flags;
}

static void three_ports_are_enough_to_tell_a_host_that_answers_everything(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRONTS; i++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.front = fronts[i];
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            if (!(done_flags_of(&host, 3, seed) & RECORD_ANSWERS_ALL))
                fail_msg("front %u, seed %llu", fronts[i], (unsigned long long)seed);
    }
}

static void it_is_told_behind_a_path_that_loses_a_tenth_each_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRONTS; i++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.front = fronts[i];
        host.loss_out = host.loss_back = 0.1;
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            if (!(done_flags_of(&host, 100, seed) & RECORD_ANSWERS_ALL))
                fail_msg("front %u, seed %llu", fronts[i], (unsigned long long)seed);
    }
}

static void a_window_of_zero_shows_a_proxy_even_for_one_port(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.front = SIM_FRONT_PROXY;
    assert_int_equal(done_flags_of(&host, 1, 1), RECORD_PROXIED);
    host.front = SIM_FRONT_TARPIT;
    assert_int_equal(done_flags_of(&host, 1, 1), 0);
}

static void a_firewalled_host_with_some_services_does_not_answer_everything(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 50, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.otherwise = SIM_DROP;
        assert_int_equal(done_flags_of(&host, 3, seed), 0);
        assert_int_equal(done_flags_of(&host, 100, seed), 0);
    }
}

static void a_host_that_resets_one_port_is_not_asked_more(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 2, 20, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 20);
    scenario.timing.max_rate_pps = 1000; /* one after the other */
    scenario_run(&scenario);
    assert_in_range(scenario.progress[PROGRESS_PROBES_SENT], 20, 40); /* with canaries and soundings */
    assert_int_equal(scenario_host(&scenario, "198.18.0.2")->done_flags, 0);
    scenario_done(&scenario);
}

/* While one of them is asked, answers of others come in that make them wait for the same. */
static void many_hosts_are_asked_whether_they_answer_everything_and_none_is_forgotten(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 6, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host hosts = host_with("198.18.0.0", ports, 1);
        assert_true(addr_parse("198.18.1.255", &hosts.last));
        hosts.otherwise = SIM_DROP;
        struct scenario scenario = scan_of(&hosts, 1, "198.18.0.0", "198.18.1.255", 8);
        scenario.seed = seed;
        scenario_run(&scenario); /* which asserts that it ends */
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_int_equal(scenario.records[RECORD_HOST_DONE], 512);
        scenario_done(&scenario);
    }
}

/* Two hosts out of four, all ports each. When is the last of the two others complete? */
static int64_t others_done_ns(uint8_t first_front, uint8_t second_front, const char *last)
{
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 1000, SIM_OPEN, 0, 0, false}};
    struct sim_host hosts[] = {host_with("198.18.0.2", ports, 1), host_with("198.18.0.4", ports, 1),
                               host_with("198.18.0.5", ports, 1)};
    assert_true(addr_parse("198.18.0.3", &hosts[0].last));
    hosts[1].front = first_front;
    hosts[2].front = second_front;
    struct scenario scenario = scan_of(hosts, 3, "198.18.0.2", last, UINT16_MAX);
    int64_t done_ns = 0;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct seen_host *other = scenario_host(&scenario, i ? "198.18.0.3" : "198.18.0.2");
        done_ns = other->done_ns > done_ns ? other->done_ns : done_ns;
    }
    scenario_done(&scenario);
    return done_ns;
}

static void all_ports_of_a_proxy_and_a_tarpit_delay_their_neighbours_no_more_than_ordinary_hosts(void **state)
{
    (void)state;
    int64_t alone_ns = others_done_ns(SIM_FRONT_NONE, SIM_FRONT_NONE, "198.18.0.3");
    int64_t among_ordinary_ns = others_done_ns(SIM_FRONT_NONE, SIM_FRONT_NONE, "198.18.0.5");
    int64_t among_boxes_ns = others_done_ns(SIM_FRONT_PROXY, SIM_FRONT_TARPIT, "198.18.0.5");
    if (among_boxes_ns > among_ordinary_ns + among_ordinary_ns / 20 ||
        among_boxes_ns > 2 * alone_ns + alone_ns / 20)
        fail_msg("%.2f s alone, %.2f s among ordinary hosts, %.2f s among boxes", (double)alone_ns / 1e9,
                 (double)among_ordinary_ns / 1e9, (double)among_boxes_ns / 1e9);
}

/* Ports of a host behind a box: two services, a port on which nobody listens, one that a firewall drops. */
static const struct sim_port behind[] = {{IP_PROTO_TCP, 1, 2, SIM_OPEN, 0, 0, false},
                                         {IP_PROTO_TCP, 4, 4, SIM_DROP, 0, 0, false}};

static void expect_confirmations(uint8_t front, const uint8_t expected[static 4])
{
    struct sim_host host = host_with("198.18.0.2", behind, 2);
    host.front = front;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 4);
    scenario.verify = true;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario_host(&scenario, "198.18.0.2")->done);
    for (uint16_t port = 1; port <= 4; port++)
        if (scenario_port(&scenario, "198.18.0.2", port)->confirmation != expected[port - 1])
            fail_msg("front %u, port %u: %s", front, port,
                     confirmation_name(
                         (enum confirmation)scenario_port(&scenario, "198.18.0.2", port)->confirmation));
    scenario_done(&scenario);
}

static void verify_tells_the_services_behind_a_box_from_the_rest(void **state)
{
    (void)state;
    static const uint8_t plain[] = {CONFIRMATION_ACKNOWLEDGED, CONFIRMATION_ACKNOWLEDGED, CONFIRMATION_NONE,
                                    CONFIRMATION_NONE};
    static const uint8_t proxied[] = {CONFIRMATION_ACKNOWLEDGED, CONFIRMATION_ACKNOWLEDGED,
                                      CONFIRMATION_RESET, CONFIRMATION_SILENT};
    static const uint8_t trapped[] = {CONFIRMATION_SILENT, CONFIRMATION_SILENT, CONFIRMATION_SILENT,
                                      CONFIRMATION_SILENT};
    expect_confirmations(SIM_FRONT_NONE, plain);
    expect_confirmations(SIM_FRONT_PROXY, proxied);
    expect_confirmations(SIM_FRONT_COOKIES, proxied);
    expect_confirmations(SIM_FRONT_TARPIT, trapped);
}

static void a_tarpit_does_not_keep_verify_for_long(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    host.front = SIM_FRONT_TARPIT;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 5000);
    scenario.verify = true;
    scenario_run(&scenario);
    uint32_t untried = 0, none = 0;
    for (uint16_t port = 1; port <= 5000; port++) {
        untried += scenario_port(&scenario, "198.18.0.2", port)->confirmation == CONFIRMATION_UNTRIED;
        none += scenario_port(&scenario, "198.18.0.2", port)->confirmation == CONFIRMATION_NONE;
    }
    assert_int_equal(none, 0);
    assert_in_range(untried, 4900, 4990);
    assert_true(scenario.took_ns < 20 * SEC);
    scenario_done(&scenario);
}

static void verify_stays_below_the_greatest_rate(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 100, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
    scenario.verify = true;
    scenario.timing.max_rate_pps = 50;
    scenario_run(&scenario);
    assert_in_range(scenario.took_ns, 9 * SEC,
                    13 * SEC); /* a SYN each, and at least four packets to look at it */
    scenario_done(&scenario);
}

/* How long a scan of forty open ports takes, which are few enough that the way is hardly known by its end. */
static int64_t slow_start_took_ns(bool verify)
{
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 40, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 40);
    scenario.timing.default_rate_pps = 50;
    scenario.verify = verify;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    int64_t took_ns = scenario.took_ns;
    scenario_done(&scenario);
    return took_ns;
}

static void verify_keeps_to_the_rate_of_the_way(void **state)
{
    (void)state;
    int64_t more_ns = slow_start_took_ns(true) - slow_start_took_ns(false);
    /* Forty connections of four packets, at fifty packets a second until the way is known better. */
    assert_true(more_ns >= 1 * SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_ports_are_enough_to_tell_a_host_that_answers_everything),
        cmocka_unit_test(it_is_told_behind_a_path_that_loses_a_tenth_each_way),
        cmocka_unit_test(a_window_of_zero_shows_a_proxy_even_for_one_port),
        cmocka_unit_test(a_firewalled_host_with_some_services_does_not_answer_everything),
        cmocka_unit_test(many_hosts_are_asked_whether_they_answer_everything_and_none_is_forgotten),
        cmocka_unit_test(a_host_that_resets_one_port_is_not_asked_more),
        cmocka_unit_test(
            all_ports_of_a_proxy_and_a_tarpit_delay_their_neighbours_no_more_than_ordinary_hosts),
        cmocka_unit_test(verify_tells_the_services_behind_a_box_from_the_rest),
        cmocka_unit_test(a_tarpit_does_not_keep_verify_for_long),
        cmocka_unit_test(verify_stays_below_the_greatest_rate),
        cmocka_unit_test(verify_keeps_to_the_rate_of_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
