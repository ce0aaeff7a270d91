/* Bounce scans: through FTP servers that do as they are told, each in its own way; through slow, lossy and
 * unsteady ones; and through those that forbid it, are broken, or mean harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netio/sim/relay.h"
#include "scenario_support.h"

#define SEEDS      20
#define FIRST_PORT 2000
#define LAST_PORT  2119

/* Some of each kind; the rest is closed. */
static const struct sim_port ports[] = {
    {IP_PROTO_TCP, 80, 80, SIM_OPEN, 0, 0, false},
    {IP_PROTO_TCP, 2010, 2019, SIM_OPEN, 0, 0, false},
    {IP_PROTO_TCP, 2040, 2049, SIM_DROP, 0, 0, false},
    {IP_PROTO_TCP, 2080, 2082, SIM_ICMP, ICMP4_UNREACHABLE, 1, false},
};

/* What outlives a scan. */
struct bounce_case {
    struct sim_host hosts[2];
    struct sim_relay relay;
    struct bounce_relay login;
};

static struct bounce_case case_with(struct sim_relay relay)
{
    struct bounce_case ret = {.relay = relay, .login = {.user = "anonymous", .password = "-wwwuser@"}};
    ret.hosts[0] = host_with("198.18.0.2", ports, sizeof ports / sizeof ports[0]);
    ret.hosts[1] = host_with("2001:db8::2", ports, sizeof ports / sizeof ports[0]);
    assert_true(addr_parse("203.0.113.21", &ret.relay.addr));
    ret.relay.port = 21;
    ret.relay.rtt_ns = relay.rtt_ns ? relay.rtt_ns : 20 * MSEC;
    ret.login.addr = ret.relay.addr;
    ret.login.port = 21;
    return ret;
}

static struct scenario scan_through(const struct bounce_case *bounce_case, uint64_t seed)
{
    struct scenario scenario = scan_of(bounce_case->hosts, 2, "198.18.0.2", "198.18.0.2", 0);
    scenario.sim.relays = &bounce_case->relay;
    scenario.sim.relay_count = 1;
    scenario.first_port = FIRST_PORT;
    scenario.last_port = LAST_PORT;
    scenario.technique = &technique_bounce;
    scenario.relay = &bounce_case->login;
    scenario.seed = seed;
    return scenario;
}

/* Scan, and fail unless every state is right and nothing was found wrong with the relay. */
static int64_t expect_truth(const struct bounce_case *bounce_case, uint64_t seed)
{
    struct scenario scenario = scan_through(bounce_case, seed);
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.notes[NOTE_RELAY], 0);
    assert_false(scenario.unfinished);
    int64_t took_ns = scenario.took_ns;
    scenario_done(&scenario);
    return took_ns;
}

static void every_kind_of_server_shows_every_state(void **state)
{
    (void)state;
    const struct sim_relay relays[] = {
        {.rtt_ns = MSEC},
        {.rtt_ns = 200 * MSEC, .jitter_ns = 50 * MSEC},
        {.connects_at_port = true},
        {.connects_at_port = true, .connect_timeout_ns = 30 * SEC},
        {.marks_first = true, .gives_reasons = true},
        {.gives_reasons = true, .connect_timeout_ns = 2 * SEC},
        {.several_lines = true, .no_list = true},
        {.wants_no_password = true},
        {.drip_ns = 60 * MSEC},
        {.sessions_max = 1, .connect_timeout_ns = 5 * SEC},
        {.sessions_max = 3, .connect_timeout_ns = 60 * SEC},
        {.connect_timeout_ns = 2 * SEC},
    };
    for (unsigned i = 0; i < sizeof relays / sizeof relays[0]; i++) {
        struct bounce_case bounce_case = case_with(relays[i]);
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            expect_truth(&bounce_case, seed);
    }
}

static void loss_between_server_and_target_makes_no_wrong_state(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bounce_case bounce_case = case_with((struct sim_relay){.loss = 0.01 * (double)(seed % 6)});
        expect_truth(&bounce_case, seed);
        bounce_case.relay.connect_timeout_ns = 5 * SEC;
        expect_truth(&bounce_case, seed);
    }
}

static void connections_that_break_lose_no_port(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bounce_case bounce_case = case_with((struct sim_relay){.drop = 0.02 * (double)(seed % 6)});
        expect_truth(&bounce_case, seed);
    }
}

/* Ports that answer take two round trips each, and some connections work at the same time. */
static void nothing_is_waited_for_without_need(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.rtt_ns = 100 * MSEC});
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.first_port = 3000;
    scenario.last_port = 3099;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario.took_ns < 30 * bounce_case.relay.rtt_ns);
    scenario_done(&scenario);
}

static void silent_ports_are_waited_for_side_by_side(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.connect_timeout_ns = 60 * SEC});
    bounce_case.hosts[0].otherwise = SIM_DROP;
    int64_t took_ns = expect_truth(&bounce_case, 1);
    assert_true(took_ns < 180 * SEC); /* one after the other it would be 7 minutes at the least */
}

/* Its way is not known yet, and at PORT it says nothing for half a minute. */
static void a_silent_port_that_comes_first_holds_nothing_up(void **state)
{
    (void)state;
    struct bounce_case bounce_case =
        case_with((struct sim_relay){.connects_at_port = true, .connect_timeout_ns = 30 * SEC});
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.first_port = 2049;
    scenario.last_port = 2079;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario.took_ns < 20 * SEC);
    scenario_done(&scenario);
}

static void ports_that_the_server_refuses_are_unknown(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.low_ends = true});
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        bounce_case.relay.low_ends = seed % 2;
        bounce_case.relay.forbids_low = !bounce_case.relay.low_ends;
        struct scenario scenario = scan_through(&bounce_case, seed);
        scenario.first_port = 1000;
        scenario.last_port = 1100;
        scenario_run(&scenario);
        for (unsigned port = 1000; port <= 1100; port++) {
            const struct seen_port *seen = scenario_port(&scenario, "198.18.0.2", (uint16_t)port);
            assert_int_equal(seen->state, port < 1024 ? PORT_UNKNOWN : PORT_CLOSED);
            assert_int_equal(seen->reason, port < 1024 ? REASON_RELAY_REFUSED : REASON_FTP_REFUSED);
        }
        assert_int_equal(scenario.troubles[RELAY_FORBIDS_LOW], 1);
        assert_int_equal(scenario.trouble_number, 500);
        assert_int_equal(scenario.notes[NOTE_RELAY], 1);
        assert_false(scenario.unfinished);
        assert_true(scenario.took_ns < 5 * SEC);
        scenario_done(&scenario);
    }
}

static void ipv6_targets_are_asked_with_eprt(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.has_eprt = true});
    for (unsigned offered = 0; offered < 2; offered++) {
        bounce_case.relay.has_eprt = offered;
        struct scenario scenario = scan_through(&bounce_case, 1);
        scenario.targets_first = scenario.targets_last = "2001:db8::2";
        scenario_run(&scenario);
        const struct seen_port *seen = scenario_port(&scenario, "2001:db8::2", 2010);
        assert_int_equal(seen->state, offered ? PORT_OPEN : PORT_UNKNOWN);
        assert_int_equal(scenario.troubles[RELAY_FORBIDS_V6], !offered);
        if (offered)
            assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* Expect that the scan is given up for this reason within the time, and that little was read. */
static void expect_trouble(struct sim_relay relay, enum relay_trouble trouble, int64_t within_ns)
{
    struct bounce_case bounce_case = case_with(relay);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct scenario scenario = scan_through(&bounce_case, seed);
        scenario_run(&scenario);
        if (scenario.troubles[trouble] != 1 || scenario.notes[NOTE_RELAY] != 1)
            fail_msg("seed %llu, trouble %d is not told", (unsigned long long)seed, (int)trouble);
        assert_true(scenario.unfinished);
        assert_true(scenario.took_ns <= within_ns);
        assert_true(scenario.stats.bytes_received < 1000000);
        const struct seen_host *host = scenario_host(&scenario, "198.18.0.2");
        assert_true(!host->up || host->done);
        scenario_done(&scenario);
    }
}

static void a_server_that_forbids_it_is_recognised_in_seconds(void **state)
{
    (void)state;
    expect_trouble((struct sim_relay){.forbids = true}, RELAY_FORBIDS, 2 * SEC);
    expect_trouble((struct sim_relay){.forbids = true, .several_lines = true, .rtt_ns = 200 * MSEC},
                   RELAY_FORBIDS, 5 * SEC);
}

static void a_server_of_no_use_is_told_from_others(void **state)
{
    (void)state;
    expect_trouble((struct sim_relay){.knows_nobody = true}, RELAY_NO_LOGIN, SEC);
    expect_trouble((struct sim_relay){.drip_ns = 20 * SEC}, RELAY_SILENT, 120 * SEC);
}

/* At every step but the last a server that goes wrong is of no use, and which way it went is told. */
static void whatever_a_server_does_at_any_step_is_told_in_bounded_time(void **state)
{
    (void)state;
    static const struct {
        enum relay_trouble trouble;
        int64_t login_ns,
            order_ns; /* within which it is told: before it has let us in, or five times after that */
    } faults[SIM_FAULT_COUNT] = {
        [SIM_FAULT_SILENCE] = {RELAY_SILENT, 45 * SEC, 90 * SEC},
        [SIM_FAULT_GARBAGE] = {RELAY_NO_FTP, SEC, 5 * SEC},
        [SIM_FAULT_LINES] = {RELAY_NO_FTP, SEC, 5 * SEC},
        [SIM_FAULT_LINE] = {RELAY_NO_FTP, SEC, 5 * SEC},
        [SIM_FAULT_DRIP] = {RELAY_SILENT, 45 * SEC, 220 * SEC},
        [SIM_FAULT_HANG_UP] = {RELAY_HANGS_UP, 5 * SEC, 5 * SEC},
        [SIM_FAULT_RESET] = {RELAY_HANGS_UP, 5 * SEC, 5 * SEC},
    };
    static const char *const steps[] = {"", "USER", "PASS", "PORT", "LIST"};
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (unsigned fault = SIM_FAULT_NONE + 1; fault < SIM_FAULT_COUNT; fault++) {
            struct sim_relay relay = {.fault = (uint8_t)fault, .fault_at = steps[i]};
            bool silent_to_orders = fault == SIM_FAULT_SILENCE && strcmp(steps[i], "LIST") == 0;
            if (!silent_to_orders)
                expect_trouble(relay, faults[fault].trouble,
                               i < 3 ? faults[fault].login_ns : faults[fault].order_ns);
        }
    }
}

/* It cannot be told from one that waits for ports that are all silent. */
static void a_server_that_never_says_what_became_of_an_order_is_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bounce_case bounce_case =
            case_with((struct sim_relay){.fault = SIM_FAULT_SILENCE, .fault_at = "LIST"});
        struct scenario scenario = scan_through(&bounce_case, seed);
        scenario_run(&scenario);
        assert_int_equal(scenario.troubles[RELAY_TELLS_NOTHING], 1);
        assert_int_equal(scenario.notes[NOTE_RELAY], 1);
        assert_true(scenario.took_ns < 300 * SEC);
        scenario_done(&scenario);
    }
}

/* That it is connected it has said before. */
static void whatever_comes_after_150_changes_nothing(void **state)
{
    (void)state;
    for (unsigned fault = SIM_FAULT_NONE + 1; fault < SIM_FAULT_COUNT; fault++) {
        struct bounce_case bounce_case =
            case_with((struct sim_relay){.fault = (uint8_t)fault, .fault_at = "226"});
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            assert_true(expect_truth(&bounce_case, seed) < 100 * SEC);
    }
}

static void a_port_without_a_server_is_told(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.rtt_ns = MSEC});
    bounce_case.login.port = 2121;
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario_run(&scenario);
    assert_int_equal(scenario.troubles[RELAY_UNREACHABLE], 1);
    assert_true(scenario.unfinished);
    scenario_done(&scenario);
}

static void what_was_found_before_the_end_is_reported(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.rtt_ns = 50 * MSEC});
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.stop_at_ns = SEC;
    scenario_run(&scenario);
    assert_true(scenario.unfinished);
    assert_int_equal(scenario_host(&scenario, "198.18.0.2")->done_flags, RECORD_UNFINISHED);
    assert_true(scenario.records[RECORD_PORT] > 10 && scenario.records[RECORD_PORT] < 120);
    scenario_done(&scenario);
}

static void a_host_timeout_ends_a_host(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.sessions_max = 1});
    bounce_case.hosts[0].last = addr_v4(0xc6120003);
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.targets_last = "198.18.0.3";
    scenario.timing.host_timeout_ns = 2 * SEC;
    scenario_run(&scenario);
    assert_false(scenario.unfinished);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(scenario.hosts[i].done_count, 1);
        assert_int_equal(scenario.hosts[i].done_flags, RECORD_UNFINISHED | RECORD_TIMED_OUT);
    }
    scenario_done(&scenario);
}

static void many_hosts_are_all_reported_once(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.drop = 0.02});
    bounce_case.hosts[0].last = addr_v4(0xc61200ff);
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.targets_last = "198.18.0.255";
    scenario.first_port = 2019;
    scenario.last_port = 2020;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.records[RECORD_HOST_UP], 254);
    assert_int_equal(scenario.records[RECORD_HOST_DONE], 254);
    scenario_done(&scenario);
}

static void hosts_that_are_asked_for_first_and_are_down_are_not_scanned(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.rtt_ns = 2 * MSEC});
    bounce_case.hosts[0].last = addr_v4(0xc6120005);
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.targets_last = "198.18.0.9";
    scenario.discovery = true;
    scenario_run(&scenario);
    assert_int_equal(scenario.records[RECORD_HOST_UP], 4);
    assert_int_equal(scenario.records[RECORD_HOST_DOWN], 4);
    assert_int_equal(scenario.records[RECORD_HOST_DONE], 4);
    assert_int_equal(scenario_port(&scenario, "198.18.0.5", 2010)->state, PORT_OPEN);
    assert_int_equal(scenario_port(&scenario, "198.18.0.4", 2009)->state, PORT_CLOSED);
    assert_false(scenario.unfinished);
    scenario_done(&scenario);
}

static void the_pace_asked_for_is_kept(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.rtt_ns = MSEC});
    struct scenario scenario = scan_through(&bounce_case, 1);
    scenario.first_port = 3001;
    scenario.last_port = 3050;
    scenario.timing.max_rate_pps = 10;
    scenario_run(&scenario);
    assert_true(scenario.took_ns >= 49 * 100 * MSEC);
    scenario_done(&scenario);
}

static void the_same_seed_gives_the_same_scan(void **state)
{
    (void)state;
    struct bounce_case bounce_case = case_with((struct sim_relay){.jitter_ns = 5 * MSEC, .drop = 0.05});
    for (uint64_t seed = 1; seed <= 3; seed++)
        assert_int_equal(expect_truth(&bounce_case, seed), expect_truth(&bounce_case, seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_server_shows_every_state),
        cmocka_unit_test(loss_between_server_and_target_makes_no_wrong_state),
        cmocka_unit_test(connections_that_break_lose_no_port),
        cmocka_unit_test(nothing_is_waited_for_without_need),
        cmocka_unit_test(silent_ports_are_waited_for_side_by_side),
        cmocka_unit_test(a_silent_port_that_comes_first_holds_nothing_up),
        cmocka_unit_test(ports_that_the_server_refuses_are_unknown),
        cmocka_unit_test(ipv6_targets_are_asked_with_eprt),
        cmocka_unit_test(a_server_that_forbids_it_is_recognised_in_seconds),
        cmocka_unit_test(a_server_of_no_use_is_told_from_others),
        cmocka_unit_test(whatever_a_server_does_at_any_step_is_told_in_bounded_time),
        cmocka_unit_test(a_server_that_never_says_what_became_of_an_order_is_told),
        cmocka_unit_test(whatever_comes_after_150_changes_nothing),
        cmocka_unit_test(a_port_without_a_server_is_told),
        cmocka_unit_test(what_was_found_before_the_end_is_reported),
        cmocka_unit_test(a_host_timeout_ends_a_host),
        cmocka_unit_test(many_hosts_are_all_reported_once),
        cmocka_unit_test(hosts_that_are_asked_for_first_and_are_down_are_not_scanned),
        cmocka_unit_test(the_pace_asked_for_is_kept),
        cmocka_unit_test(the_same_seed_gives_the_same_scan),
    };
    return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
