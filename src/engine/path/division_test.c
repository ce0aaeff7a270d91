#include "engine/path/division.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"

/* Each test gets one of its own. */
static int make_division(void **state)
{
    struct division *division = calloc(1, sizeof *division);
    if (division)
        division_reset(division, 0);
    *state = division;
    return division ? 0 : -1;
}

static void begin(struct division *division)
{
    memset(division, 0, sizeof *division);
    division_reset(division, 0);
}

static int free_division(void **state)
{
    free(*state);
    return 0;
}

static struct addr host_of(uint32_t network, uint32_t host)
{
    return addr_v4(UINT32_C(0xc6120000) + (network << 8) + host);
}

static void a_network_has_the_addresses_that_begin_as_it_does(void **state)
{
    (void)state;
    struct addr host = addr_v4(UINT32_C(0xc6121234)), neighbor = addr_v4(UINT32_C(0xc61212ff)), far6;
    struct network network = network_of(&host, 24), first16 = network_of(&host, 16),
                   all = network_of(&host, 0);
    struct addr first = network_first(&network);
    assert_true(addr_parse("2001:db8::1", &far6));
    assert_int_equal(addr_to_v4(&first), UINT32_C(0xc6121200));
    assert_true(network_contains(&network, &neighbor));
    neighbor = addr_v4(UINT32_C(0xc6121300));
    assert_false(network_contains(&network, &neighbor));
    assert_true(network_contains(&first16, &neighbor));
    neighbor = addr_v4(UINT32_C(0x01020304));
    assert_true(network_contains(&all, &neighbor));
    assert_false(network_contains(&all, &far6));
    struct network lan = network_of(&far6, 64);
    first = network_first(&lan);
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(&first, text), "2001:db8::");
}

/* Whatever happens to all alike is no difference, even if it comes in bursts. */
static void networks_that_are_alike_are_not_told_apart(void **state)
{
    struct division *division = *state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand rand = {.state = seed};
        struct divided divided;
        begin(division);
        bool bad = false;
        for (unsigned i = 0; i < 5000; i++) {
            struct addr host = host_of((uint32_t)rand_below(&rand, 8), (uint32_t)rand_below(&rand, 256));
            if (rand_below(&rand, 10) == 0)
                bad = rand_below(&rand, 3) == 0;
            division_count(division, &host, PATH_LATE, (struct outcomes){1, bad});
            division_count(division, &host, PATH_LOST, (struct outcomes){1, bad});
            division_count(division, &host, PATH_FAR, (struct outcomes){1, bad});
            if (division_look(division, (int64_t)i * MSEC, &divided))
                fail_msg("seed %llu: network %08llx", (unsigned long long)seed,
                         (unsigned long long)(divided.network.bits >> 32));
        }
    }
}

/* The chance that an outcome of network 3 is bad, and that one of another is. */
static bool is_told_apart(struct division *division, enum path_difference what, double worse, double usual,
                          uint64_t seed)
{
    struct rand rand = {.state = seed};
    struct divided divided;
    begin(division);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t network = (uint32_t)rand_below(&rand, 4);
        struct addr host = host_of(network, (uint32_t)rand_below(&rand, 256));
        bool bad = rand_unit(&rand) < (network == 3 ? worse : usual);
        division_count(division, &host, what, (struct outcomes){1, bad});
        if (!division_look(division, (int64_t)i * MSEC, &divided))
            continue;
        struct addr first = host_of(3, 0);
        assert_int_equal(divided.what, what);
        assert_int_equal(divided.network.prefix_len, 24);
        assert_true(network_contains(&divided.network, &first));
        return true;
    }
    return false;
}

static void a_network_that_differs_is_found(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        assert_true(is_told_apart(*state, PATH_LATE, 0.5, 0.02, seed));
        assert_true(is_told_apart(*state, PATH_LOST, 0.36, 0.02, seed));
        assert_true(is_told_apart(*state, PATH_FAR, 0.9, 0.1, seed));
        assert_true(is_told_apart(*state, PATH_FAR, 0.1, 0.9, seed));
    }
}

/* 1 % of losses is not worth a path of its own, nor are a few hosts that are farther away. */
static void a_difference_that_does_not_matter_is_none(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        assert_false(is_told_apart(*state, PATH_LOST, 0.01, 0, seed));
        assert_false(is_told_apart(*state, PATH_LOST, 0.09, 0.08, seed));
        assert_false(is_told_apart(*state, PATH_FAR, 0.3, 0.0, seed));
    }
}

static void the_wider_network_is_split_first(void **state)
{
    struct division *division = *state;
    struct rand rand = {.state = 1};
    struct divided divided = {0};
    bool found = false;
    for (unsigned i = 0; i < 5000 && !found; i++) {
        uint32_t network = (uint32_t)rand_below(&rand, 512);
        struct addr host = host_of(network, 1);
        division_count(division, &host, PATH_LATE, (struct outcomes){1, network < 256});
        found = division_look(division, (int64_t)i * MSEC, &divided);
    }
    assert_true(found);
    assert_int_equal(divided.network.prefix_len, 16);
}

static void more_networks_than_there_is_room_for_are_not_watched(void **state)
{
    struct division *division = *state;
    for (uint32_t network = 0; network < DIVISION_NETWORKS_MAX; network++) {
        struct addr host = host_of(network, 1);
        division_count(division, &host, PATH_LATE, (struct outcomes){1, 0});
    }
    assert_false(division->is_crowded);
    struct addr host = host_of(DIVISION_NETWORKS_MAX, 1);
    division_count(division, &host, PATH_LATE, (struct outcomes){1, 0});
    assert_true(division->is_crowded);
    assert_int_equal(division->counts[1], DIVISION_NETWORKS_MAX);
}

static void a_share_is_below_a_limit_when_enough_is_known(void **state)
{
    (void)state;
    assert_false(outcomes_are_below(&(struct outcomes){10, 0}, 0.5, 1e-6));
    assert_true(outcomes_are_below(&(struct outcomes){20, 0}, 0.5, 1e-6)); /* 2^-20 */
    assert_false(outcomes_are_below(&(struct outcomes){20, 12}, 0.5, 1e-6));
    assert_false(outcomes_are_below(&(struct outcomes){0, 0}, 0.5, 1e-6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_has_the_addresses_that_begin_as_it_does),
        cmocka_unit_test_setup_teardown(networks_that_are_alike_are_not_told_apart, make_division,
                                        free_division),
        cmocka_unit_test_setup_teardown(a_network_that_differs_is_found, make_division, free_division),
        cmocka_unit_test_setup_teardown(a_difference_that_does_not_matter_is_none, make_division,
                                        free_division),
        cmocka_unit_test_setup_teardown(the_wider_network_is_split_first, make_division, free_division),
        cmocka_unit_test_setup_teardown(more_networks_than_there_is_room_for_are_not_watched, make_division,
                                        free_division),
        cmocka_unit_test(a_share_is_below_a_limit_when_enough_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
