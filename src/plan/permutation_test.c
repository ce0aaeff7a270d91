#include "plan/permutation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/own.h"
#include "base/rand.h"

/* Every value of 0 .. size-1 is hit exactly once, and found again. */
static void check_bijection(uint64_t size, uint64_t key)
{
    own(free_ptr) uint64_t *seen = calloc(bitset_words(size), sizeof *seen);
    assert_non_null(seen);
    struct permutation permutation = permutation_new(size, key);
    for (uint64_t position = 0; position < size; position++) {
        uint64_t value = permutation_at(&permutation, position);
        if (value >= size || bitset_get(seen, value) || permutation_find(&permutation, value) != position)
            fail_msg("size %llu, key %llu, position %llu", (unsigned long long)size, (unsigned long long)key,
                     (unsigned long long)position);
        bitset_set(seen, value);
    }
}

static void every_size_up_to_300_is_permuted_without_gap_or_repeat(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 300; size++)
        for (uint64_t key = 0; key < 8; key++)
            check_bijection(size, key * UINT64_C(0x123456789abcdef));
}

static void sizes_around_powers_of_two_are_permuted_without_gap_or_repeat(void **state)
{
    (void)state;
    for (unsigned bits = 9; bits <= 18; bits++) {
        check_bijection((UINT64_C(1) << bits) - 1, bits);
        check_bijection(UINT64_C(1) << bits, bits);
        check_bijection((UINT64_C(1) << bits) + 1, bits);
    }
}

static void the_inverse_holds_at_sizes_too_large_to_walk(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {
        (UINT64_C(1) << 32) - 1, UINT64_C(1) << 32,       (UINT64_C(1) << 32) + 1, UINT64_C(1000003) * 65521,
        UINT64_C(1) << 62,       (UINT64_C(1) << 62) + 1, (UINT64_C(1) << 63) - 1, UINT64_C(1) << 63,
    };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rand rand = {seed};
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct permutation permutation = permutation_new(sizes[i], rand_next(&rand));
            uint64_t position = rand_below(&rand, sizes[i]);
            uint64_t value = permutation_at(&permutation, position);
            if (value >= sizes[i] || permutation_find(&permutation, value) != position)
                fail_msg("seed %llu, size %llu", (unsigned long long)seed, (unsigned long long)sizes[i]);
        }
    }
}

static void the_identity_leaves_every_position_in_its_place(void **state)
{
    (void)state;
    struct permutation permutation = permutation_identity(1000);
    for (uint64_t position = 0; position < 1000; position++) {
        assert_int_equal(permutation_at(&permutation, position), position);
        assert_int_equal(permutation_find(&permutation, position), position);
    }
}

static void another_key_gives_another_order(void **state)
{
    (void)state;
    struct permutation one = permutation_new(10000, 1);
    struct permutation two = permutation_new(10000, 2);
    unsigned same = 0;
    for (uint64_t position = 0; position < 10000; position++)
        same += permutation_at(&one, position) == permutation_at(&two, position);
    assert_in_range(same, 0, 10); /* 1 expected by chance; more than 10 in 1 of 10^8 keys */
}

/* Load is to spread over networks: in each stretch of a /8's order, every /16 gets about its share. 65,536
 * draws into 256 networks expect 256 each; the chi-squared statistic with 255 degrees of freedom exceeds 400
 * by chance in fewer than 1 of 10^7. */
static void every_stretch_of_the_order_spreads_over_all_networks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct permutation permutation = permutation_new(UINT64_C(1) << 24, seed);
        uint64_t start = seed << 16;
        double chi_squared = 0;
        unsigned hits[256] = {0};
        for (uint64_t i = 0; i < 65536; i++)
            hits[permutation_at(&permutation, start + i) >> 16]++;
        for (size_t network = 0; network < 256; network++)
            chi_squared += (hits[network] - 256.0) * (hits[network] - 256.0) / 256.0;
        if (chi_squared > 400)
            fail_msg("seed %llu: chi squared %f", (unsigned long long)seed, chi_squared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_up_to_300_is_permuted_without_gap_or_repeat),
        cmocka_unit_test(sizes_around_powers_of_two_are_permuted_without_gap_or_repeat),
        cmocka_unit_test(the_inverse_holds_at_sizes_too_large_to_walk),
        cmocka_unit_test(the_identity_leaves_every_position_in_its_place),
        cmocka_unit_test(another_key_gives_another_order),
        cmocka_unit_test(every_stretch_of_the_order_spreads_over_all_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
