/* Zombies that fall silent, start anew or jump at any moment of a scan: while they are qualified, while the
 * lag is searched for, while groups are tested, and while single ports are confirmed. No wrong state, a clear
 * message, an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/idle/ipid.h"
#include "idle_scene.h"

#define BEGIN_NS   SEC /* when a scan begins, in virtual time */
#define STEP_NS    (40 * MSEC)
#define LONGEST_NS (10 * SEC) /* it takes little more than one */

/* How far a scan had come when it ended. */
enum reached { UNFIT, NOTHING_DECIDED, SOME_DECIDED, ALL_DECIDED, REACHED_COUNT };

static struct idle_scene small_scene(uint64_t seed)
{
    struct idle_scene scene = idle_scene_usual();
    scene.port_count = 120;
    scene.open_count = 4;
    scene.seed = seed;
    return scene;
}

/* Fails on a wrong state, and on an end that is not told. */
static enum reached run(struct idle_scene *scene)
{
    idle_scene_run(scene);
    if (scene->false_opens || scene->missed_opens || scene->took_ns > LONGEST_NS)
        fail_msg("seed %u: %u wrongly open, %u missed, %.1f s", (unsigned)scene->seed, scene->false_opens,
                 scene->missed_opens, (double)scene->took_ns / (double)SEC);
    assert_true(scene->has_zombie_note);
    if (!ipid_class_fits((enum ipid_class)scene->ipid_class)) {
        assert_true(scene->unfinished && scene->decided == 0);
        return UNFIT;
    }
    assert_int_equal(scene->has_trouble, scene->unknown > 0);
    assert_int_equal(scene->unfinished_hosts, scene->unknown > 0);
    if (scene->decided == 0)
        return NOTHING_DECIDED;
    return scene->unknown ? SOME_DECIDED : ALL_DECIDED;
}

/* Let the zombie change at one moment of the scan after the other.
 *   ret_met  how many scans ended so far */
static void try_all_moments(void (*change)(struct sim_zombie *zombie, int64_t moment_ns),
                            void (*judge)(const struct idle_scene *scene, enum reached reached),
                            unsigned ret_met[static REACHED_COUNT])
{
    struct idle_scene whole = small_scene(1);
    uint64_t seed = 1;
    assert_int_equal(run(&whole), ALL_DECIDED);
    for (int64_t moment_ns = BEGIN_NS + 1; moment_ns < BEGIN_NS + whole.took_ns; moment_ns += STEP_NS) {
        struct idle_scene scene = small_scene(seed++);
        change(&scene.zombie, moment_ns);
        enum reached reached = run(&scene);
        judge(&scene, reached);
        ret_met[reached]++;
    }
}

static void fall_silent(struct sim_zombie *zombie, int64_t moment_ns)
{
    zombie->silent_from_ns = moment_ns;
}

static void judge_silent(const struct idle_scene *scene, enum reached reached)
{
    if (reached == UNFIT)
        assert_int_equal(scene->ipid_class, IPID_SILENT);
    else if (reached != ALL_DECIDED)
        assert_int_equal(scene->trouble, IDLE_ZOMBIE_SILENT);
}

/* It may be needed no more. */
static void a_zombie_that_falls_silent_at_any_moment_is_told(void **state)
{
    (void)state;
    unsigned met[REACHED_COUNT] = {0};
    try_all_moments(fall_silent, judge_silent, met);
    assert_true(met[UNFIT] && met[NOTHING_DECIDED] && met[SOME_DECIDED] && met[ALL_DECIDED]);
}

static void start_anew(struct sim_zombie *zombie, int64_t moment_ns)
{
    zombie->first_id = 30000;
    zombie->restarts_at_ns = moment_ns;
}

static void boot(struct sim_zombie *zombie, int64_t moment_ns)
{
    start_anew(zombie, moment_ns);
    zombie->silent_from_ns = moment_ns;
    zombie->silent_to_ns = moment_ns + 600 * MSEC;
}

/* While it is qualified it looks as if it numbered its packets at random. */
static void judge_restarted(const struct idle_scene *scene, enum reached reached)
{
    assert_true(reached == ALL_DECIDED || reached == UNFIT);
    if (reached == UNFIT)
        assert_true(scene->ipid_class == IPID_RANDOM || scene->ipid_class == IPID_SILENT);
}

static void a_zombie_that_starts_anew_at_any_moment_shows_every_port(void **state)
{
    (void)state;
    void (*const changes[])(struct sim_zombie *, int64_t) = {start_anew, boot};
    for (unsigned i = 0; i < 2; i++) {
        unsigned met[REACHED_COUNT] = {0};
        try_all_moments(changes[i], judge_restarted, met);
        assert_true(met[UNFIT] > 0 && met[ALL_DECIDED] > met[UNFIT]);
    }
}

/* The more often, the less is decided; and the reason is told. */
static void ids_that_jump_now_and_then_or_always_show_no_open_port(void **state)
{
    (void)state;
    static const double chances[] = {0.005, 0.02, 0.06, 0.5};
    unsigned met[REACHED_COUNT] = {0};
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct idle_scene scene = small_scene(seed);
        scene.zombie.jump_chance = chances[seed % 4];
        enum reached reached = run(&scene);
        if (reached == UNFIT)
            assert_int_equal(scene.ipid_class, IPID_RANDOM);
        else if (reached != ALL_DECIDED)
            assert_int_equal(scene.trouble, IDLE_ZOMBIE_JUMPS);
        if (scene.zombie.jump_chance > 0.4)
            assert_int_equal(reached, UNFIT);
        met[reached]++;
    }
    assert_true(met[UNFIT] && met[NOTHING_DECIDED] && met[ALL_DECIDED]);
}

static void after_three_targets_without_an_answer_the_scan_ends(void **state)
{
    (void)state;
    struct idle_scene scene = small_scene(1);
    scene.targets = IDLE_SCENE_TARGETS_MAX;
    scene.zombie.silent_from_ns = BEGIN_NS + 600 * MSEC;
    idle_scene_run(&scene);
    assert_int_equal(scene.trouble, IDLE_ZOMBIE_SILENT);
    assert_int_equal(scene.unfinished_hosts, 3);
    assert_true(scene.unfinished);
    assert_true(scene.took_ns < 30 * SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zombie_that_falls_silent_at_any_moment_is_told),
        cmocka_unit_test(a_zombie_that_starts_anew_at_any_moment_shows_every_port),
        cmocka_unit_test(ids_that_jump_now_and_then_or_always_show_no_open_port),
        cmocka_unit_test(after_three_targets_without_an_answer_the_scan_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
