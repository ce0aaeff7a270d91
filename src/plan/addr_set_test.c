#include "plan/addr_set.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

/* The brute-force model: a small universe of addresses, one flag each. Half of it is IPv4, and the rest are
 * IPv6 blocks without a zone and with zones 1 and 2; every block straddles a byte boundary, and the first
 * ends the family. */
#define BLOCK_LEN   96
#define BLOCK_COUNT 6
#define UNIVERSE    (BLOCK_LEN * BLOCK_COUNT)

static struct addr v6_at(const char *text, uint32_t scope, uint32_t offset)
{
    struct addr addr;
    assert_true(addr_parse(text, &addr));
    unsigned sum = addr.bytes[15] + offset;
    addr.bytes[15] = (uint8_t)sum;
    addr.bytes[14] = (uint8_t)(addr.bytes[14] + (sum >> 8));
    addr.scope = scope;
    return addr;
}

static struct addr address_of(unsigned block, uint32_t offset)
{
    switch (block) {
    case 0:
        return addr_v4(0xffffffff - (BLOCK_LEN - 1) + offset);
    case 1:
        return addr_v4(0xc6120000 - BLOCK_LEN / 2 + offset);
    case 2:
        return v6_at("2001:db8::ffd0", 0, offset > 47 ? 47 : offset);
    case 3:
        return v6_at("fe80::f0", 0, offset);
    case 4:
        return v6_at("fe80::f0", 1, offset);
    default:
        return v6_at("fe80::f0", 2, offset);
    }
}

static bool excludes(const bool model[UNIVERSE], size_t i)
{
    size_t block = i / BLOCK_LEN;
    return model[i] ||
           (block > 3 && model[3 * BLOCK_LEN + i % BLOCK_LEN]); /* without a zone: in every zone */
}

static void fill(struct rand *rand, struct addr_set *set, bool model[UNIVERSE])
{
    uint64_t ranges = rand_below(rand, 24);
    for (uint64_t r = 0; r < ranges; r++) {
        unsigned block = (unsigned)rand_below(rand, BLOCK_COUNT);
        uint32_t block_len = block == 2 ? 48 : BLOCK_LEN;
        uint32_t first = (uint32_t)rand_below(rand, block_len);
        uint32_t last = first + (uint32_t)rand_below(rand, rand_below(rand, 4) ? 6 : block_len);
        last = last < block_len ? last : block_len - 1;
        assert_int_equal(addr_set_add(set, address_of(block, first), address_of(block, last)), 0);
        for (uint32_t offset = first; offset <= last; offset++)
            model[block * BLOCK_LEN + offset] = true;
    }
    assert_int_equal(addr_set_normalize(set), 0);
}

static void check_against_model(const struct addr_set *set, const bool model[UNIVERSE], uint64_t seed)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < UNIVERSE; i++) {
        if (i / BLOCK_LEN == 2 && i % BLOCK_LEN >= 48)
            continue;
        struct addr addr = address_of(i / BLOCK_LEN, i % BLOCK_LEN);
        uint64_t index = UINT64_MAX;
        bool found = addr_set_find(set, &addr, &index);
        if (found != model[i] || (found && index >= set->addr_count))
            fail_msg("seed %llu: address %u of the universe", (unsigned long long)seed, i);
        struct addr same = found ? addr_set_at(set, index) : addr;
        if (!addr_equal(&same, &addr))
            fail_msg("seed %llu: at(find(%u)) is another address", (unsigned long long)seed, i);
        count += found;
    }
    if (count != set->addr_count)
        fail_msg("seed %llu: %llu addresses counted, %llu there", (unsigned long long)seed,
                 (unsigned long long)set->addr_count, (unsigned long long)count);
}

static void a_set_holds_exactly_what_was_added(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {seed};
        struct addr_set set = {0};
        bool model[UNIVERSE] = {false};
        fill(&rand, &set, model);
        check_against_model(&set, model, seed);
        addr_set_done(&set);
    }
}

static void subtraction_takes_away_exactly_what_is_in_both(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {seed};
        struct addr_set set = {0};
        struct addr_set remove = {0};
        bool model[UNIVERSE] = {false};
        bool removed_model[UNIVERSE] = {false};
        fill(&rand, &set, model);
        fill(&rand, &remove, removed_model);
        uint64_t expected = 0;
        for (unsigned i = 0; i < UNIVERSE; i++) {
            bool gone = model[i] && excludes(removed_model, i);
            expected += gone;
            model[i] = model[i] && !gone;
        }

        uint64_t removed = UINT64_MAX;
        assert_int_equal(addr_set_subtract(&set, &remove, &removed), 0);
        if (removed != expected)
            fail_msg("seed %llu: removed %llu", (unsigned long long)seed, (unsigned long long)removed);
        check_against_model(&set, model, seed);
        addr_set_done(&set);
        addr_set_done(&remove);
    }
}

static void positions_and_addresses_are_inverse(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand rand = {seed};
        struct addr_set set = {0};
        bool model[UNIVERSE] = {false};
        fill(&rand, &set, model);
        for (uint64_t i = 0; i < set.addr_count; i++) {
            struct addr addr = addr_set_at(&set, i);
            uint64_t index = UINT64_MAX;
            if (!addr_set_find(&set, &addr, &index) || index != i)
                fail_msg("seed %llu: position %llu", (unsigned long long)seed, (unsigned long long)i);
        }
        addr_set_done(&set);
    }
}

static void positions_cross_64_bit_halves(void **state)
{
    (void)state;
    struct addr_set set = {0};
    struct addr first;
    struct addr last;
    assert_true(addr_parse("2001:db8:0:0:ffff:ffff:ffff:fff0", &first));
    assert_true(addr_parse("2001:db8:0:1::f", &last));
    assert_int_equal(addr_set_add(&set, first, last), 0);
    assert_int_equal(addr_set_normalize(&set), 0);
    assert_int_equal(set.addr_count, 32);
    struct addr middle = addr_set_at(&set, 16);
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(&middle, text), "2001:db8:0:1::");
    addr_set_done(&set);
}

static void ranges_that_touch_become_one(void **state)
{
    (void)state;
    struct addr_set set = {0};
    assert_int_equal(addr_set_add(&set, addr_v4(20), addr_v4(29)), 0);
    assert_int_equal(addr_set_add(&set, addr_v4(0), addr_v4(9)), 0);
    assert_int_equal(addr_set_add(&set, addr_v4(10), addr_v4(19)), 0);
    assert_int_equal(addr_set_normalize(&set), 0);
    assert_int_equal(set.v4_count, 1);
    assert_int_equal(set.addr_count, 30);
    addr_set_done(&set);
}

static void a_list_in_order_takes_one_range_from_the_start(void **state)
{
    (void)state;
    struct addr_set set = {0};
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(addr_set_add(&set, addr_v4(i), addr_v4(i)), 0);
    assert_int_equal(set.v4_count, 1);
    addr_set_done(&set);
}

static void backwards_and_mixed_ranges_are_refused(void **state)
{
    (void)state;
    struct addr_set set = {0};
    struct addr v6 = v6_at("2001:db8::1", 0, 0);
    struct addr zone = v6_at("2001:db8::1", 3, 0);
    struct addr none = {0};
    assert_int_equal(addr_set_add(&set, addr_v4(2), addr_v4(1)), -EINVAL);
    assert_int_equal(addr_set_add(&set, addr_v4(2), v6), -EINVAL);
    assert_int_equal(addr_set_add(&set, v6, zone), -EINVAL);
    assert_int_equal(addr_set_add(&set, none, none), -EINVAL);
    assert_int_equal(set.v4_count + set.v6_count, 0);
}

static void add_text(struct addr_set *set, const char *first_text, const char *last_text)
{
    struct addr first;
    struct addr last;
    assert_true(addr_parse(first_text, &first));
    assert_true(addr_parse(last_text, &last));
    assert_int_equal(addr_set_add(set, first, last), 0);
}

static void all_of_ipv4_and_2_to_the_62_of_ipv6_can_be_addressed(void **state)
{
    (void)state;
    struct addr_set set = {0};
    add_text(&set, "0.0.0.0", "255.255.255.255");
    add_text(&set, "2001:db8::", "2001:db8::3fff:ffff:ffff:ffff");
    assert_int_equal(addr_set_normalize(&set), 0);
    assert_int_equal(set.addr_count, (UINT64_C(1) << 32) + (UINT64_C(1) << 62));
    struct addr last = addr_set_at(&set, set.addr_count - 1);
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(&last, text), "2001:db8::3fff:ffff:ffff:ffff");
    addr_set_done(&set);
}

static void a_set_of_2_to_the_63_is_too_large_but_can_be_subtracted(void **state)
{
    (void)state;
    static const char *const lasts[] = {"2001:db8::7fff:ffff:ffff:ffff", "2001:db8::ffff:ffff:ffff:ffff",
                                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++) {
        struct addr_set set = {0};
        struct addr_set remove = {0};
        add_text(&remove, "2001:db8::", lasts[i]);
        assert_int_equal(addr_set_normalize(&remove), -EOVERFLOW);
        assert_int_equal(addr_set_normalize(&remove), -EOVERFLOW);
        add_text(&set, "2001:db8::10", "2001:db8::1f");
        add_text(&set, "2001:db7::10", "2001:db7::1f");
        assert_int_equal(addr_set_normalize(&set), 0);
        uint64_t removed = 0;
        assert_int_equal(addr_set_subtract(&set, &remove, &removed), 0);
        assert_int_equal(removed, 16);
        assert_int_equal(set.addr_count, 16);
        addr_set_done(&set);
        addr_set_done(&remove);
    }
}

static void a_slash_8_is_one_range_in_memory(void **state)
{
    (void)state;
    struct addr_set set = {0};
    assert_int_equal(addr_set_add(&set, addr_v4(0x0a000000), addr_v4(0x0affffff)), 0);
    assert_int_equal(addr_set_normalize(&set), 0);
    assert_int_equal(set.addr_count, UINT64_C(1) << 24);
    assert_in_range(set.v4_capacity * sizeof *set.v4 + set.v6_capacity * sizeof *set.v6, 1, 1024);
    addr_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_holds_exactly_what_was_added),
        cmocka_unit_test(subtraction_takes_away_exactly_what_is_in_both),
        cmocka_unit_test(positions_and_addresses_are_inverse),
        cmocka_unit_test(positions_cross_64_bit_halves),
        cmocka_unit_test(ranges_that_touch_become_one),
        cmocka_unit_test(a_list_in_order_takes_one_range_from_the_start),
        cmocka_unit_test(backwards_and_mixed_ranges_are_refused),
        cmocka_unit_test(all_of_ipv4_and_2_to_the_62_of_ipv6_can_be_addressed),
        cmocka_unit_test(a_set_of_2_to_the_63_is_too_large_but_can_be_subtracted),
        cmocka_unit_test(a_slash_8_is_one_range_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
