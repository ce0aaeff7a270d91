#include "netio/route/prefix_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/rand.h"

#define PREFIXES 40
#define SEEDS    200

static int compare(const void *a, const void *b)
{
    return prefix_compare(a, b);
}

/* Addresses that differ in two bits of each byte only, so that prefixes often lie inside one another. */
static struct addr random_addr(struct rand *rand, uint8_t family)
{
    struct addr addr = {.family = family};
    for (size_t i = 0; i < addr_len(&addr); i++)
        addr.bytes[i] = (uint8_t)(rand_next(rand) & 0x81);
    return addr;
}

static struct prefix random_prefix(struct rand *rand, uint8_t family, uint32_t value)
{
    struct prefix prefix = {.start = random_addr(rand, family), .value = value};
    prefix.prefix_len = (uint8_t)rand_below(rand, 8 * addr_len(&prefix.start) + 1);
    for (unsigned bit = prefix.prefix_len; bit < 8 * addr_len(&prefix.start); bit++)
        prefix.start.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    return prefix;
}

/* The same by trying every prefix: of the longest ones that hold the address, the first. */
static bool find_slowly(const struct prefix *prefixes, size_t count, const struct addr *addr,
                        uint32_t *ret_value)
{
    int best_len = -1;
    for (size_t i = 0; i < count; i++) {
        if (prefix_holds(&prefixes[i].start, prefixes[i].prefix_len, addr) &&
            prefixes[i].prefix_len > best_len) {
            best_len = prefixes[i].prefix_len;
            *ret_value = prefixes[i].value;
        }
    }
    return best_len >= 0;
}

static void check_seed(uint64_t seed, uint8_t family)
{
    struct rand rand = {seed};
    struct prefix prefixes[PREFIXES];
    struct prefix_map map;
    size_t count = rand_below(&rand, PREFIXES + 1);
    for (uint32_t i = 0; i < count; i++)
        prefixes[i] = random_prefix(&rand, family, i);
    qsort(prefixes, count, sizeof prefixes[0], compare);
    assert_int_equal(prefix_map_init(&map, prefixes, count), 0);
    for (int i = 0; i < 200; i++) {
        struct addr addr = random_addr(&rand, family);
        uint32_t value = 0, expected = 0;
        bool found = prefix_map_find(&map, &addr, &value);
        if (found != find_slowly(prefixes, count, &addr, &expected) || value != expected)
            fail_msg("seed %lu", (unsigned long)seed);
    }
    prefix_map_done(&map);
}

static void the_longest_prefix_that_holds_an_address_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        check_seed(seed, ADDR_V4);
        check_seed(seed, ADDR_V6);
    }
}

static void the_last_address_of_all_is_found_too(void **state)
{
    (void)state;
    struct addr last = addr_v4(UINT32_MAX), last6 = {.family = ADDR_V6};
    for (int i = 0; i < 16; i++)
        last6.bytes[i] = 0xff;
    struct prefix prefixes[] = {{.start = addr_v4(0), .value = 7},
                                {.start = last, .prefix_len = 32, .value = 8}};
    struct prefix prefix6 = {.start = last6, .prefix_len = 128, .value = 9};
    struct prefix_map map, map6;
    uint32_t value = 0;
    assert_int_equal(prefix_map_init(&map, prefixes, 2), 0);
    assert_int_equal(prefix_map_init(&map6, &prefix6, 1), 0);
    assert_true(prefix_map_find(&map, &last, &value));
    assert_int_equal(value, 8);
    assert_true(prefix_map_find(&map6, &last6, &value));
    assert_int_equal(value, 9);
    last6.bytes[15] = 0xfe;
    assert_false(prefix_map_find(&map6, &last6, &value));
    prefix_map_done(&map);
    prefix_map_done(&map6);
}

static void an_empty_map_holds_nothing(void **state)
{
    (void)state;
    struct prefix_map map;
    struct addr addr = addr_v4(1);
    uint32_t value = 5;
    assert_int_equal(prefix_map_init(&map, NULL, 0), 0);
    assert_false(prefix_map_find(&map, &addr, &value));
    assert_int_equal(value, 5);
    prefix_map_done(&map);
}

static void an_address_of_the_other_family_is_in_no_prefix(void **state)
{
    (void)state;
    struct addr v4 = addr_v4(0), v6 = {.family = ADDR_V6};
    assert_false(prefix_holds(&v4, 0, &v6));
    assert_false(prefix_holds(&v6, 0, &v4));
    assert_true(prefix_holds(&v6, 0, &v6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_that_holds_an_address_is_found),
        cmocka_unit_test(the_last_address_of_all_is_found_too),
        cmocka_unit_test(an_empty_map_holds_nothing),
        cmocka_unit_test(an_address_of_the_other_family_is_in_no_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
