/* Idle scans through zombies of every kind: no wrong state, whatever the zombie does besides. The whole set
 * of zombies, and their times, are bench/idle_matrix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/idle/ipid.h"
#include "idle_scene.h"

/* Few ports, so that many zombies can be tried. */
static struct idle_scene small_scene(void)
{
    struct idle_scene scene = idle_scene_usual();
    scene.port_count = 120;
    scene.open_count = 4;
    return scene;
}

static void assert_all_right(struct idle_scene *scene)
{
    idle_scene_run(scene);
    if (scene->false_opens || scene->missed_opens || scene->unknown || scene->unfinished)
        fail_msg("seed %u: %u wrongly open, %u missed, %u unknown", (unsigned)scene->seed, scene->false_opens,
                 scene->missed_opens, scene->unknown);
}

static void a_quiet_zombie_shows_every_port_in_seconds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct idle_scene scene = idle_scene_usual();
        scene.seed = seed;
        assert_all_right(&scene);
        assert_true(scene.took_ns < 8 * SEC);
    }
}

static void the_traffic_of_the_zombie_makes_it_slower_and_never_wrong(void **state)
{
    (void)state;
    static const double backgrounds[] = {1, 10, 50};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.background_pps = backgrounds[seed % 3];
        assert_all_right(&scene);
    }
}

static void lost_packets_and_late_repeats_of_syn_acks_are_no_ports(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.loss = scene.target.loss_out = scene.target.loss_back = 0.1;
        scene.zombie.background_pps = 1;
        assert_all_right(&scene);
    }
}

static void packets_that_overtake_each_other_are_told_apart(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        int64_t rtt_ns = seed % 2 ? 50 * MSEC : 200 * MSEC;
        scene.zombie.rtt_ns = scene.target.rtt_ns = rtt_ns;
        scene.zombie.jitter_ns = scene.target.jitter_ns = seed % 2 ? rtt_ns / 5 : rtt_ns / 10;
        assert_all_right(&scene);
    }
}

static void a_long_way_is_found_out(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.target.rtt_ns = 200 * MSEC;
    assert_all_right(&scene);
}

static void a_way_that_varies_more_than_that_to_the_zombie_is_found_out(void **state)
{
    (void)state;
    static const int jitters_ms[] = {20, 10, 3};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.target.rtt_ns = seed % 3 ? 50 * MSEC : 400 * MSEC;
        scene.target.jitter_ns = jitters_ms[seed % 3] * MSEC;
        assert_all_right(&scene);
    }
}

/* Its zombie is steady, and the way through the target varies by 40 ms: a short window holds a few of a
 * port's answers, and the others fall into the tests of other ports. */
static void late_answers_neither_prove_a_port_nor_hide_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.open_count = 10;
        scene.zombie.rtt_ns = scene.target.rtt_ns = 200 * MSEC;
        scene.target.jitter_ns = 20 * MSEC;
        assert_all_right(&scene);
    }
}

static void the_id_wraps_within_the_scan(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.first_id = 65536 - 20 * (uint32_t)seed * (uint32_t)seed;
        assert_all_right(&scene);
    }
}

static void counters_by_two_and_with_swapped_bytes_are_read(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {SIM_IPID_BY_TWO, SIM_IPID_SWAPPED};
    static const enum ipid_class classes[] = {IPID_BY_TWO, IPID_SWAPPED};
    for (unsigned i = 0; i < 2; i++) {
        struct idle_scene scene = small_scene();
        scene.zombie.ipid = kinds[i];
        scene.zombie.first_id = 0xff80;
        scene.zombie.background_pps = 5;
        assert_all_right(&scene);
        assert_int_equal(scene.ipid_class, classes[i]);
    }
}

/* The run ends with the class as the reason, before any target was touched. */
static void assert_unfit(struct idle_scene scene, enum ipid_class class)
{
    idle_scene_run(&scene);
    assert_true(scene.has_zombie_note && scene.unfinished);
    assert_string_equal(ipid_class_name((enum ipid_class)scene.ipid_class), ipid_class_name(class));
    assert_int_equal(scene.decided, 0);
}

static void a_zombie_without_a_usable_counter_is_refused_by_its_class(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.zombie.ipid = SIM_IPID_RANDOM;
    assert_unfit(scene, IPID_RANDOM);
    scene.zombie.ipid = SIM_IPID_ZERO;
    assert_unfit(scene, IPID_ZERO);
    scene.zombie.ipid = SIM_IPID_CONSTANT;
    assert_unfit(scene, IPID_CONSTANT);
    scene.zombie.ipid = SIM_IPID_COUNTER;
    scene.zombie.background_pps = 2000;
    assert_unfit(scene, IPID_BUSY);
    scene.zombie.silent_from_ns = 1;
    assert_unfit(scene, IPID_SILENT);
}

static void counters_for_each_destination_are_found_out_by_the_target(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.zombie.ipid = SIM_IPID_PER_HOST;
    idle_scene_run(&scene);
    assert_int_equal(scene.trouble, IDLE_NOT_SHARED);
    assert_int_equal(scene.decided, 0);
    assert_int_equal(scene.unfinished_hosts, 1);
}

static void a_target_whose_name_is_filtered_ends_alone(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.targets = 3;
    scene.filtered_targets = 1 << 1;
    idle_scene_run(&scene);
    assert_int_equal(scene.trouble, IDLE_NOT_SHARED);
    assert_int_equal(scene.unfinished_hosts, 1);
    assert_int_equal(scene.done_hosts, 3);
    assert_int_equal(scene.true_opens[0], scene.open_count);
    assert_int_equal(scene.true_opens[1], 0);
    assert_int_equal(scene.true_opens[2], scene.open_count);
    assert_int_equal(scene.false_opens, 0);
    assert_false(scene.unfinished);
}

static void a_zombie_that_falls_silent_ends_the_target_with_what_was_found(void **state)
{
    (void)state;
    struct idle_scene scene = idle_scene_usual();
    scene.zombie.silent_from_ns = 2800 * MSEC; /* the scan begins at 1 s, and takes two */
    idle_scene_run(&scene);
    assert_int_equal(scene.trouble, IDLE_ZOMBIE_SILENT);
    assert_int_equal(scene.unfinished_hosts, 1);
    assert_true(scene.decided > 0 && scene.unknown > 0);
    assert_int_equal(scene.false_opens, 0);
    assert_int_equal(scene.missed_opens, 0);
    assert_true(scene.took_ns < 60 * SEC);
}

static void a_zombie_that_is_silent_for_half_a_second_is_waited_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.silent_from_ns = 1600 * MSEC; /* while the lag is searched for */
        scene.zombie.silent_to_ns = 2100 * MSEC;
        assert_all_right(&scene);
    }
}

static void ids_that_jump_show_no_open_port(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.jump_chance = 0.02;
        idle_scene_run(&scene);
        assert_int_equal(scene.false_opens, 0);
        assert_int_equal(scene.missed_opens, 0);
        assert_true(scene.took_ns < 120 * SEC);
    }
}

static void answers_that_prove_nothing_change_nothing(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.zombie.forgeries = 3;
    assert_all_right(&scene);
}

static void bursts_of_the_size_of_our_own_are_no_ports(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct idle_scene scene = small_scene();
        scene.seed = seed;
        scene.zombie.bursts_per_s = 2;
        scene.zombie.burst_len = 8;
        scene.zombie.burst_gap_ns = 100 * USEC;
        assert_all_right(&scene);
    }
}

static void over_ipv6_the_ids_of_fragment_headers_serve(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.ipv6 = true;
    scene.zombie.sends_fragment_ids = true;
    scene.zombie.first_id = UINT32_MAX - 100;
    assert_all_right(&scene);
}

static void a_stack_that_sends_no_fragment_headers_is_no_zombie(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.ipv6 = true;
    assert_unfit(scene, IPID_ABSENT);
}

static void a_scan_that_is_stopped_reports_what_it_knows(void **state)
{
    (void)state;
    struct idle_scene scene = idle_scene_usual();
    scene.stop_at_ns = 1800 * MSEC;
    idle_scene_run(&scene);
    assert_true(scene.unfinished);
    assert_int_equal(scene.done_hosts, 1);
    assert_true(scene.decided > 0 && scene.unknown > 0);
    assert_int_equal(scene.false_opens, 0);
}

static void a_host_with_every_port_open_is_found_so(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.port_count = scene.open_count = 60;
    assert_all_right(&scene);
}

static void hosts_that_are_asked_for_first_and_are_down_are_not_scanned(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.targets = 3;
    scene.down_targets = 1 << 1;
    scene.asks_first = true;
    idle_scene_run(&scene);
    assert_int_equal(scene.up_hosts, 2);
    assert_int_equal(scene.down_hosts, 1);
    assert_int_equal(scene.done_hosts, 2);
    assert_int_equal(scene.true_opens[0], scene.open_count);
    assert_int_equal(scene.true_opens[2], scene.open_count);
    assert_int_equal(scene.false_opens, 0);
    assert_false(scene.unfinished);
}

static void without_a_host_that_is_up_the_zombie_is_left_alone(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.down_targets = 1;
    scene.asks_first = true;
    idle_scene_run(&scene);
    assert_int_equal(scene.down_hosts, 1);
    assert_false(scene.has_zombie_note || scene.unfinished);
}

static void a_scan_that_is_stopped_while_it_asks_first_ends_at_once(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene();
    scene.down_targets = 1;
    scene.asks_first = true;
    scene.stop_at_ns = MSEC;
    idle_scene_run(&scene);
    assert_true(scene.unfinished);
    assert_int_equal(scene.down_hosts, 0);
    assert_true(scene.took_ns < SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_zombie_shows_every_port_in_seconds),
        cmocka_unit_test(the_traffic_of_the_zombie_makes_it_slower_and_never_wrong),
        cmocka_unit_test(lost_packets_and_late_repeats_of_syn_acks_are_no_ports),
        cmocka_unit_test(packets_that_overtake_each_other_are_told_apart),
        cmocka_unit_test(a_long_way_is_found_out),
        cmocka_unit_test(a_way_that_varies_more_than_that_to_the_zombie_is_found_out),
        cmocka_unit_test(late_answers_neither_prove_a_port_nor_hide_one),
        cmocka_unit_test(the_id_wraps_within_the_scan),
        cmocka_unit_test(counters_by_two_and_with_swapped_bytes_are_read),
        cmocka_unit_test(a_zombie_without_a_usable_counter_is_refused_by_its_class),
        cmocka_unit_test(counters_for_each_destination_are_found_out_by_the_target),
        cmocka_unit_test(a_target_whose_name_is_filtered_ends_alone),
        cmocka_unit_test(a_zombie_that_falls_silent_ends_the_target_with_what_was_found),
        cmocka_unit_test(a_zombie_that_is_silent_for_half_a_second_is_waited_for),
        cmocka_unit_test(ids_that_jump_show_no_open_port),
        cmocka_unit_test(answers_that_prove_nothing_change_nothing),
        cmocka_unit_test(bursts_of_the_size_of_our_own_are_no_ports),
        cmocka_unit_test(over_ipv6_the_ids_of_fragment_headers_serve),
        cmocka_unit_test(a_stack_that_sends_no_fragment_headers_is_no_zombie),
        cmocka_unit_test(a_scan_that_is_stopped_reports_what_it_knows),
        cmocka_unit_test(a_host_with_every_port_open_is_found_so),
        cmocka_unit_test(hosts_that_are_asked_for_first_and_are_down_are_not_scanned),
        cmocka_unit_test(without_a_host_that_is_up_the_zombie_is_left_alone),
        cmocka_unit_test(a_scan_that_is_stopped_while_it_asks_first_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
