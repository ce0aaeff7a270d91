#include "engine/idle/port_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PORTS 300
#define RISK  1e-6

/* Search with tests that are right but for every n-th, which says the opposite; n 0: none. Returns how many
 * tests. */
static unsigned search(struct port_groups *groups, const bool *is_open, unsigned lies_every, uint64_t seed)
{
    struct rand rand = {.state = seed};
    unsigned tests = 0;
    port_groups_begin(groups, PORTS);
    port_groups_settle(groups, true);
    while (!port_groups_all_done(groups)) {
        uint32_t index = port_groups_next(groups, &rand, GROUP_NIL, false, true, 64);
        assert_int_not_equal(index, GROUP_NIL);
        const struct port_chain *ports = &groups->groups[index].ports;
        bool shows = false;
        for (uint32_t i = 0, port = ports->first; i < ports->count; i++, port = groups->next[port])
            shows = shows || is_open[port];
        tests++;
        if (lies_every && tests % lies_every == 0)
            shows = true; /* a burst */
        port_groups_tested(groups, index, shows ? 7 : -10);
        assert_true(tests < 10000);
    }
    return tests;
}

static void assert_findings(const struct port_groups *groups, const bool *is_open)
{
    for (uint32_t i = 0; i < PORTS; i++)
        assert_int_equal(groups->findings[i], is_open[i] ? FINDING_OPEN : FINDING_NOT_OPEN);
}

static void every_open_port_is_found_in_few_tests(void **state)
{
    (void)state;
    struct port_groups groups;
    assert_int_equal(port_groups_init(&groups, PORTS, RISK), 0);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rand rand = {.state = seed};
        bool is_open[PORTS] = {false};
        for (unsigned i = 0; i < seed % 7; i++)
            is_open[rand_below(&rand, PORTS)] = true;
        unsigned tests = search(&groups, is_open, 0, seed);
        assert_findings(&groups, is_open);
        assert_true(tests <= 5 + (seed % 7) * (2 * 6 + 3));
        assert_int_equal(groups.bursts, 0);
    }
    port_groups_done(&groups);
}

static void bursts_make_it_longer_and_nothing_is_missed(void **state)
{
    (void)state;
    struct port_groups groups;
    assert_int_equal(port_groups_init(&groups, PORTS, RISK), 0);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        bool is_open[PORTS] = {[17] = true, [18] = true};
        is_open[seed * 9] = true;
        search(&groups, is_open, 5, seed);
        assert_findings(&groups, is_open);
    }
    port_groups_done(&groups);
}

static void all_ports_open_are_all_found(void **state)
{
    (void)state;
    struct port_groups groups;
    bool is_open[PORTS];
    for (unsigned i = 0; i < PORTS; i++)
        is_open[i] = true;
    assert_int_equal(port_groups_init(&groups, PORTS, RISK), 0);
    search(&groups, is_open, 0, 1);
    assert_findings(&groups, is_open);
    assert_int_equal(groups.open_count, PORTS);
    port_groups_done(&groups);
}

static void what_stays_in_doubt_ends_as_that(void **state)
{
    (void)state;
    struct port_groups groups;
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(&groups, 1, RISK), 0);
    port_groups_begin(&groups, 1);
    for (unsigned i = 0; i < GROUP_TESTS_MAX; i++) {
        assert_false(port_groups_all_done(&groups));
        uint32_t index = port_groups_next(&groups, &rand, GROUP_NIL, false, false, 64);
        port_groups_tested(&groups, index, i % 2 ? 1 : -1);
    }
    assert_true(port_groups_all_done(&groups));
    assert_int_equal(groups.findings[0], FINDING_IN_DOUBT);
    port_groups_done(&groups);
}

static void the_same_group_is_not_tested_twice_in_a_row(void **state)
{
    (void)state;
    struct port_groups groups;
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(&groups, 1, RISK), 0);
    port_groups_begin(&groups, 1);
    uint32_t index = port_groups_next(&groups, &rand, GROUP_NIL, false, false, 64);
    port_groups_tested(&groups, index, 1);
    assert_int_equal(port_groups_next(&groups, &rand, index, false, false, 64), GROUP_NIL);
    assert_int_equal(port_groups_next(&groups, &rand, GROUP_NIL, false, false, 64), index);
    port_groups_void(&groups, index);
    assert_int_equal(port_groups_next(&groups, &rand, GROUP_NIL, false, false, 64), index);
    port_groups_done(&groups);
}

static unsigned tests_until_open(double risk)
{
    struct port_groups groups;
    struct rand rand = {.state = 1};
    unsigned tests = 0;
    assert_int_equal(port_groups_init(&groups, 1, risk), 0);
    port_groups_begin(&groups, 1);
    for (; !port_groups_all_done(&groups); tests++)
        port_groups_tested(&groups, port_groups_next(&groups, &rand, GROUP_NIL, false, false, 64), 2);
    assert_int_equal(groups.findings[0], FINDING_OPEN);
    port_groups_done(&groups);
    return tests;
}

static void the_smaller_the_risk_the_more_tests_an_open_port_takes(void **state)
{
    (void)state;
    assert_int_equal(tests_until_open(1e-6), 9); /* ln of 10^7 is 16.1 */
    assert_int_equal(tests_until_open(1e-3), 5);
    assert_int_equal(tests_until_open(1e-9), 12);
}

static void the_second_half_is_tested_with_other_ports_when_the_first_shows_something(void **state)
{
    (void)state;
    struct port_groups groups;
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(&groups, 20, RISK), 0);
    port_groups_begin(&groups, 20);
    port_groups_settle(&groups, true);
    port_groups_tested(&groups, port_groups_next(&groups, &rand, GROUP_NIL, false, false, 16), 7);
    uint32_t half = port_groups_next(&groups, &rand, GROUP_NIL, true, false, 16);
    assert_int_equal(groups.groups[half].ports.first, 0);
    port_groups_tested(&groups, half, 7);
    assert_int_equal(groups.pool.count, 8 + 4);
    assert_int_equal(groups.pool.first, 8);
    port_groups_done(&groups);
}

/* Test all parts of a group that has shown something: nothing shows any more. */
static void find_nothing_below(struct port_groups *groups, struct rand *rand)
{
    while (groups->leads > 0)
        port_groups_tested(groups, port_groups_next(groups, rand, GROUP_NIL, true, true, 8), -10);
}

static void nothing_found_by_guesswork_is_asked_again(void **state)
{
    (void)state;
    struct port_groups groups;
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(&groups, 16, RISK), 0);
    port_groups_begin(&groups, 16);
    uint32_t lead = port_groups_next(&groups, &rand, GROUP_NIL, false, false, 8);
    uint32_t other = port_groups_next(&groups, &rand, GROUP_NIL, false, false, 8);
    port_groups_lead(&groups, lead, 7);
    port_groups_tested(&groups, other, -10);
    find_nothing_below(&groups, &rand);
    assert_int_equal(groups.done_count, 0);
    port_groups_restart(&groups);
    uint32_t index = port_groups_next(&groups, &rand, GROUP_NIL, false, true, 16);
    assert_int_equal(groups.groups[index].ports.count, 16);
    port_groups_rule_out(&groups, index);
    assert_true(port_groups_all_done(&groups));
    assert_int_equal(groups.findings[0], FINDING_NOT_OPEN);
    port_groups_done(&groups);
}

/* Of 16 ports the first eight are a lead, the others are tested meanwhile: nothing shows there. */
static void settle_beside_a_lead(struct port_groups *groups, bool right)
{
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(groups, 16, RISK), 0);
    port_groups_begin(groups, 16);
    uint32_t lead = port_groups_next(groups, &rand, GROUP_NIL, false, false, 8);
    uint32_t other = port_groups_next(groups, &rand, GROUP_NIL, false, false, 8);
    port_groups_lead(groups, lead, 7);
    port_groups_tested(groups, other, -10);
    port_groups_settle(groups, right);
}

static void what_a_right_guess_did_not_show_is_not_open(void **state)
{
    (void)state;
    struct port_groups groups;
    settle_beside_a_lead(&groups, true);
    assert_int_equal(groups.done_count, 8);
    assert_int_equal(groups.findings[15], FINDING_NOT_OPEN);
    port_groups_done(&groups);
}

static void what_a_poor_guess_did_not_show_is_asked_for_again(void **state)
{
    (void)state;
    struct port_groups groups;
    settle_beside_a_lead(&groups, false);
    assert_int_equal(groups.done_count, 0);
    assert_int_equal(groups.pool.count, 8);
    port_groups_done(&groups);
}

/* Two ports, of which one was found silent; the other may be open. */
static uint32_t leave_one_of_two(struct port_groups *groups)
{
    struct rand rand = {.state = 1};
    assert_int_equal(port_groups_init(groups, 2, RISK), 0);
    port_groups_begin(groups, 2);
    port_groups_settle(groups, true);
    port_groups_tested(groups, port_groups_next(groups, &rand, GROUP_NIL, false, true, 2), 7);
    port_groups_tested(groups, port_groups_next(groups, &rand, GROUP_NIL, false, false, 2), -10);
    uint32_t index = port_groups_next(groups, &rand, GROUP_NIL, false, true, 2);
    assert_int_equal(groups->groups[index].ports.first, 1);
    return index;
}

static void what_a_poor_lag_did_not_show_is_asked_for_again_though_its_group_goes_on(void **state)
{
    (void)state;
    struct port_groups groups;
    uint32_t index = leave_one_of_two(&groups);
    port_groups_tested(&groups, index, 15);
    port_groups_doubt_all(&groups);
    assert_int_equal(groups.pool.count, 1);
    assert_int_equal(groups.pool.first, 0);
    port_groups_tested(&groups, index, -10);
    assert_int_equal(groups.findings[1], FINDING_NONE_YET); /* a burst: it is tested once more */
    assert_int_equal(groups.findings[0], FINDING_NONE_YET);
    port_groups_done(&groups);
}

static void a_port_would_be_open_by_the_third_test_that_shows_it(void **state)
{
    (void)state;
    struct port_groups groups;
    uint32_t index = leave_one_of_two(&groups);
    for (unsigned test = 1; test < GROUP_OPEN_TESTS; test++) {
        assert_false(port_groups_would_open(&groups, index, 20));
        port_groups_tested(&groups, index, 8);
    }
    assert_false(port_groups_would_open(&groups, index, -5));
    assert_true(port_groups_would_open(&groups, index, 8));
    port_groups_done(&groups);
}

static void a_trial_decides_whatever_was_thought_before(void **state)
{
    (void)state;
    static const struct {
        double evidence;
        enum port_finding finding;
    } trials[] = {{17, FINDING_OPEN}, {5, FINDING_IN_DOUBT}};
    for (unsigned i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        struct port_groups groups;
        uint32_t index = leave_one_of_two(&groups);
        port_groups_tested(&groups, index, 15);
        port_groups_tried(&groups, index, trials[i].evidence);
        assert_int_equal(groups.findings[1], trials[i].finding);
        assert_int_equal(groups.findings[0], FINDING_NOT_OPEN);
        port_groups_done(&groups);
    }
}

static void a_port_that_is_silent_in_its_trial_was_a_burst(void **state)
{
    (void)state;
    struct port_groups groups;
    uint32_t index = leave_one_of_two(&groups);
    port_groups_tested(&groups, index, 15);
    port_groups_tried(&groups, index, -10);
    assert_int_equal(groups.findings[1], FINDING_NONE_YET);
    assert_int_equal(groups.bursts, 1);
    port_groups_done(&groups);
}

static void what_guesswork_never_finds_stays_in_doubt(void **state)
{
    (void)state;
    struct port_groups groups;
    struct rand rand = {.state = 1};
    unsigned guesses = 0;
    assert_int_equal(port_groups_init(&groups, 8, RISK), 0);
    port_groups_begin(&groups, 8);
    for (; !port_groups_all_done(&groups); guesses++) {
        port_groups_restart(&groups);
        port_groups_lead(&groups, port_groups_next(&groups, &rand, GROUP_NIL, false, true, 8), 7);
        find_nothing_below(&groups, &rand);
        assert_true(guesses < 100);
    }
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(groups.findings[i], FINDING_IN_DOUBT);
    port_groups_done(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_open_port_is_found_in_few_tests),
        cmocka_unit_test(bursts_make_it_longer_and_nothing_is_missed),
        cmocka_unit_test(all_ports_open_are_all_found),
        cmocka_unit_test(what_stays_in_doubt_ends_as_that),
        cmocka_unit_test(the_same_group_is_not_tested_twice_in_a_row),
        cmocka_unit_test(nothing_found_by_guesswork_is_asked_again),
        cmocka_unit_test(the_second_half_is_tested_with_other_ports_when_the_first_shows_something),
        cmocka_unit_test(what_a_right_guess_did_not_show_is_not_open),
        cmocka_unit_test(what_a_poor_guess_did_not_show_is_asked_for_again),
        cmocka_unit_test(what_a_poor_lag_did_not_show_is_asked_for_again_though_its_group_goes_on),
        cmocka_unit_test(a_port_would_be_open_by_the_third_test_that_shows_it),
        cmocka_unit_test(a_trial_decides_whatever_was_thought_before),
        cmocka_unit_test(a_port_that_is_silent_in_its_trial_was_a_burst),
        cmocka_unit_test(what_guesswork_never_finds_stays_in_doubt),
        cmocka_unit_test(the_smaller_the_risk_the_more_tests_an_open_port_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
