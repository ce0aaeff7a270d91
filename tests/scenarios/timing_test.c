/* Delay, loss, our own losses, rates and time-outs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/closing/speaker.h"
#include "scenario_support.h"

static void a_host_that_answers_after_1300_ms_is_still_right(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 10, 19, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 50, 99, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.rtt_ns = 1300 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 200);
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* A probe survives both ways with a chance of 0.81: 13 tries all fail for 4 in 10^10 ports. */
static void ten_percent_loss_each_way_leaves_no_wrong_state(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 100, 199, SIM_OPEN, 0, 0, false},
                                     {IP_PROTO_TCP, 4000, 4009, SIM_DROP, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 2);
        host.loss_out = host.loss_back = 0.1;
        host.jitter_ns = MSEC;
        host.duplicate = 0.05;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 5000);
        scenario.timing.max_retries = 12;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        scenario_done(&scenario);
    }
}

/* It tells nothing of the round trip: who takes it for a slow answer waits for seconds after each sweep that
 * follows, and sees a queue where there is none. */
static void a_syn_ack_sent_again_is_not_taken_for_a_slow_answer(void **state)
{
    (void)state;
    enum { STEPS_UP = 4 }; /* from what an unproved path gets to the most */
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 1000, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.loss_out = host.loss_back = 0.1;
        host.repeats_syn_ack = true;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10000);
        scenario.timing.max_rate_pps = 12000; /* they come when few others do */
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        if (scenario.took_ns > 2 * SEC || scenario.notes[NOTE_RATE] > STEPS_UP)
            fail_msg("seed %u: took %.2f s, the rate changed %u times", (unsigned)seed,
                     (double)scenario.took_ns / (double)SEC, (unsigned)scenario.notes[NOTE_RATE]);
        scenario_done(&scenario);
    }
}

/* Of probes that leave together a burst takes all, which says nothing of the rate, nor of the host. */
static void bursts_of_loss_are_taken_neither_for_too_high_a_rate_nor_for_limiters(void **state)
{
    (void)state;
    uint64_t slowed = 0, limited = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct sim_host host = host_with("198.18.0.1", NULL, 0);
        host.last = addr_v4(addr_to_v4(&host.first) + 255);
        host.rtt_ns = 20 * MSEC;
        host.jitter_ns = 2 * MSEC;
        struct sim_link link = {
            .first = host.first, .last = host.last, .loss_out = 0.2, .loss_back = 0.2, .burst_ns = 10 * MSEC};
        struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.1.0", 500);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        slowed += scenario.slower[RATE_LOSES];
        limited += scenario.end[END_HOSTS_LIMITED];
        scenario_done(&scenario);
    }
    assert_in_range(slowed, 0, 1);
    assert_in_range(limited, 0, 2);
}

/* What hosts are asked at the end of a sweep is more than such a path's queue may hold. */
static void canaries_do_not_make_a_slow_path_seem_slower(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_host hosts = host_with("198.18.0.1", ports, 1);
        hosts.last = addr_v4(addr_to_v4(&hosts.first) + 31);
        hosts.rtt_ns = 20 * MSEC;
        struct sim_link link = {.first = hosts.first,
                                .last = hosts.last,
                                .rate_pps = 1000,
                                .queue_len = 1000,
                                .loss_out = 0.2,
                                .loss_back = 0.2};
        struct scenario scenario = scan_of(&hosts, 1, "198.18.0.1", "198.18.0.32", 300);
        scenario.sim.links = &link;
        scenario.sim.link_count = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.took_ns <
                    2 * (int64_t)(32 * 300 / 0.64) * MSEC); /* twice what the path takes for that */
        scenario_done(&scenario);
    }
}

/* A scan of a host 0.2 ms away that answers on 20 of 100 ports takes at most so long, with seeds 1 to 10. */
static void assert_near_host_takes_at_most(int64_t most_ns, double loss_each_way)
{
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.otherwise = SIM_DROP;
        host.rtt_ns = 200 * USEC;
        host.loss_out = host.loss_back = loss_each_way;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 100);
        scenario.timing.min_rate_pps = 100000;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        if (scenario.took_ns > most_ns)
            fail_msg("seed %u: took %.1f ms", (unsigned)seed, (double)scenario.took_ns / (double)MSEC);
        scenario_done(&scenario);
    }
}

/* Six tries each, whose answers take 0.2 ms. */
static void a_near_host_is_waited_for_no_longer_than_its_round_trips_tell(void **state)
{
    (void)state;
    assert_near_host_takes_at_most(40 * MSEC, 0.1);
}

/* It is asked on ports that nobody listens on, too, and drops those probes: whoever kept up since then is not
 * waited for. */
static void ports_that_nobody_listens_on_keep_no_near_host_waiting(void **state)
{
    (void)state;
    assert_near_host_takes_at_most(10 * MSEC, 0);
}

/* Whatever it leaves unanswered then says nothing, however prompt it was before. The clock begins at 1 s. */
static void a_near_host_that_stands_still_for_8_ms_in_mid_scan_is_still_right(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.otherwise = SIM_DROP;
        host.rtt_ns = 100 * USEC;
        host.stalls_every_ns = SEC + (int64_t)seed * 50 * USEC;
        host.stalls_ns = 8 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 50);
        scenario.timing.min_rate_pps = 100000;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        for (uint16_t port = 1; port <= 20; port++) /* nor was one wrong for a while */
            assert_false(scenario_port(&scenario, "198.18.0.2", port)->flags & RECORD_REPLACES);
        scenario_done(&scenario);
    }
}

static void a_firewalled_host_on_a_clean_path_is_asked_twice(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 20, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    host.otherwise = SIM_DROP;
    host.on_link = true;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_in_range(scenario.progress[PROGRESS_PROBES_SENT], 1 + 20 + 2 * 980 + DEAD_PORTS,
                    1 + 20 + 2 * 980 + DEAD_PORTS + 2 * 980 / 16); /* and soundings */
    assert_true(scenario.took_ns < SEC);
    scenario_done(&scenario);
}

/* With three in ten lost, two tries leave some 90 of 1,000 ports silent. Now and then such a host is taken
 * for one that limits its answers, whose silence does not count as a try. */
static void max_retries_caps_the_tries_and_says_so(void **state)
{
    (void)state;
    unsigned capped = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.loss_out = 0.3;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.timing.max_retries = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        capped += scenario.notes[NOTE_RETRY_CAP] == 1 && scenario.progress[PROGRESS_PROBES_SENT] < 1450 &&
                  scenario.end[END_PORTS_CAPPED] > 0 &&
                  (scenario_host(&scenario, "198.18.0.2")->done_flags & RECORD_CAPPED);
        scenario_done(&scenario);
    }
    assert_in_range(capped, 16, 20);
}

/* With too few tries some ports are wrong: about as many as the scan says. */
static void the_scan_says_how_many_ports_may_be_wrong(void **state)
{
    (void)state;
    double doubt = 0, wrong = 0, loss = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 500, SIM_DROP, 0, 0, false}};
        struct sim_host host = host_with("198.18.0.2", ports, 1);
        host.loss_out = 0.2;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
        scenario.timing.max_retries = 1;
        scenario.seed = seed;
        scenario_run(&scenario);
        for (uint16_t port = 501; port <= 1000; port++)
            wrong += scenario_port(&scenario, "198.18.0.2", port)->state != PORT_CLOSED;
        doubt += (double)scenario.end[END_DOUBT] / 1e6;
        loss += (double)scenario.end[END_TRIES_LOST] / (double)scenario.end[END_TRIES] / 20;
        scenario_done(&scenario);
    }
    if (doubt < wrong / 3 || doubt > wrong * 3)
        fail_msg("%.1f ports in doubt, %.0f wrong", doubt, wrong);
    if (loss < 0.13 || loss > 0.23)
        fail_msg("measured loss %.3f", loss);
}

/* The second and the third try leave before the first is answered, and a canary after it; each of them
 * contradicts it. */
static void answers_that_contradict_each_other_are_told_and_the_first_stands(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 7, 9, SIM_FICKLE, 0, 0, false},
                                     {IP_PROTO_TCP, 15, 15, SIM_DROP, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 2);
    host.rtt_ns = 300 * MSEC;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 20);
    scenario.timing.initial_rto_ns = 100 * MSEC;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.notes[NOTE_CONFLICT], 3 * 3);
    assert_int_equal(scenario.end[END_CONFLICTS], 3 * 3);
    scenario_done(&scenario);
}

static void probes_that_did_not_leave_are_sent_again(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario.sim.unsendable = 300;
    scenario.timing.max_retries = 0;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_int_equal(scenario.stats.send_errors, 300);
    assert_int_equal(scenario.notes[NOTE_SEND_ERRORS], 1);
    scenario_done(&scenario);
}

static void probes_that_never_leave_say_nothing(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.2", NULL, 0);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 10);
    scenario.sim.unsendable = UINT64_MAX;
    scenario_run(&scenario);
    assert_int_equal(scenario_host(&scenario, "198.18.0.2")->done_flags, RECORD_UNFINISHED);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 5)->state, PORT_UNKNOWN);
    scenario_done(&scenario);
}

static void answers_our_own_ring_lost_are_asked_for_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.rtt_ns = 5 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 2000);
        scenario.timing.max_retries = 0; /* only repair can save it */
        scenario.sim.deaf_from_ns = SEC + 50 * MSEC;
        scenario.sim.deaf_to_ns = SEC + 70 * MSEC;
        scenario.seed = seed;
        scenario_run(&scenario);
        assert_true(scenario.stats.ring_drops > 0);
        assert_int_equal(scenario_count_wrong(&scenario), 0);
        assert_true(scenario.notes[NOTE_RING_DROPS] > 0);
        scenario_done(&scenario);
    }
}

static void a_host_that_times_out_keeps_what_was_found(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 10, SIM_OPEN, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    host.otherwise = SIM_DROP;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 1000);
    scenario.timing.max_rate_pps = 100;
    scenario.timing.host_timeout_ns = 2 * SEC;
    scenario_run(&scenario);
    const struct seen_host *seen = scenario_host(&scenario, "198.18.0.2");
    assert_int_equal(seen->done_flags, RECORD_UNFINISHED | RECORD_TIMED_OUT);
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 5)->state, PORT_OPEN); /* early ports go first */
    assert_int_equal(scenario_port(&scenario, "198.18.0.2", 999)->state, PORT_UNKNOWN);
    assert_true(scenario.took_ns < 3 * SEC);
    scenario_done(&scenario);
}

static void stopping_reports_every_host_as_unfinished(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.1", NULL, 0);
    host.last = addr_v4(addr_to_v4(&host.first) + 99);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.0.100", 1000);
    scenario.timing.max_rate_pps = 10000;
    scenario.stop_at_ns = SEC;
    scenario_run(&scenario);
    assert_true(scenario.unfinished);
    assert_int_equal(scenario.records[RECORD_HOST_DONE], 100);
    assert_true(scenario.records[RECORD_PORT] > 9000);
    assert_int_equal(scenario_host(&scenario, "198.18.0.50")->done_flags, RECORD_UNFINISHED);
    scenario_done(&scenario);
}

/* A minute of neighbour discovery, probes and their repeats, some to hosts that do not answer. */
static void max_rate_is_a_ceiling_in_every_100_ms_and_is_used(void **state)
{
    (void)state;
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, 900, SIM_DROP, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.1", ports, 1);
    host.last = addr_v4(addr_to_v4(&host.first) + 13);
    host.on_link = true;
    host.loss_out = 0.05;
    struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.0.20", 2000);
    scenario.timing.max_rate_pps = 1000;
    scenario.watch_rate = true;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario.took_ns >= 60 * SEC);
    assert_true(scenario.worst_window <= 110);
    double seconds = (double)scenario.took_ns / (double)SEC;
    double average_pps = (double)scenario.stats.packets_sent / seconds;
    if (average_pps < 980)
        fail_msg("%.1f packets a second in %.1f s", average_pps, seconds);
    scenario_done(&scenario);
}

static void scan_delay_keeps_probes_to_a_host_apart(void **state)
{
    (void)state;
    struct sim_host host = host_with("198.18.0.1", NULL, 0);
    host.last = addr_v4(addr_to_v4(&host.first) + 9);
    struct scenario scenario = scan_of(&host, 1, "198.18.0.1", "198.18.0.10", 20);
    scenario.timing.scan_delay_ns = 400 * MSEC;
    scenario_run(&scenario);
    assert_int_equal(scenario_count_wrong(&scenario), 0);
    assert_true(scenario.took_ns >= 19 * 400 * MSEC);
    assert_true(scenario.took_ns < 25 * 400 * MSEC);
    scenario_done(&scenario);
}

static void the_same_seed_gives_the_same_scan(void **state)
{
    (void)state;
    uint64_t sent[2], received[2];
    int64_t took_ns[2];
    for (int run = 0; run < 2; run++) {
        struct sim_host host = host_with("198.18.0.2", NULL, 0);
        host.loss_out = host.loss_back = 0.2;
        host.jitter_ns = 10 * MSEC;
        struct scenario scenario = scan_of(&host, 1, "198.18.0.2", "198.18.0.2", 3000);
        scenario.seed = 7;
        scenario_run(&scenario);
        sent[run] = scenario.stats.packets_sent;
        received[run] = scenario.stats.packets_received;
        took_ns[run] = scenario.took_ns;
        scenario_done(&scenario);
    }
    assert_int_equal(sent[0], sent[1]);
    assert_int_equal(received[0], received[1]);
    assert_int_equal(took_ns[0], took_ns[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_answers_after_1300_ms_is_still_right),
        cmocka_unit_test(ten_percent_loss_each_way_leaves_no_wrong_state),
        cmocka_unit_test(a_syn_ack_sent_again_is_not_taken_for_a_slow_answer),
        cmocka_unit_test(bursts_of_loss_are_taken_neither_for_too_high_a_rate_nor_for_limiters),
        cmocka_unit_test(canaries_do_not_make_a_slow_path_seem_slower),
        cmocka_unit_test(a_near_host_is_waited_for_no_longer_than_its_round_trips_tell),
        cmocka_unit_test(ports_that_nobody_listens_on_keep_no_near_host_waiting),
        cmocka_unit_test(a_near_host_that_stands_still_for_8_ms_in_mid_scan_is_still_right),
        cmocka_unit_test(a_firewalled_host_on_a_clean_path_is_asked_twice),
        cmocka_unit_test(max_retries_caps_the_tries_and_says_so),
        cmocka_unit_test(the_scan_says_how_many_ports_may_be_wrong),
        cmocka_unit_test(answers_that_contradict_each_other_are_told_and_the_first_stands),
        cmocka_unit_test(probes_that_did_not_leave_are_sent_again),
        cmocka_unit_test(probes_that_never_leave_say_nothing),
        cmocka_unit_test(answers_our_own_ring_lost_are_asked_for_again),
        cmocka_unit_test(a_host_that_times_out_keeps_what_was_found),
        cmocka_unit_test(stopping_reports_every_host_as_unfinished),
        cmocka_unit_test(max_rate_is_a_ceiling_in_every_100_ms_and_is_used),
        cmocka_unit_test(scan_delay_keeps_probes_to_a_host_apart),
        cmocka_unit_test(the_same_seed_gives_the_same_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
