#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bitset.h"
#include "base/rand.h"
#include "netio/order.h"

#define PROBES_MAX 256
#define SEEDS      200

/* A block of some probes, part of which are pending; which of them are to come, and room for those that
 * do. */
struct walk_case {
    struct block block;
    struct order order;
    uint64_t pending[PROBES_MAX / 64];
    struct order_place wanted[PROBES_MAX], taken[PROBES_MAX];
    unsigned wanted_count;
};

/* What is to come, by the definition: position by position. */
static void expect(struct walk_case *walk)
{
    walk->wanted_count = 0;
    for (uint64_t position = walk->order.next; position < walk->order.end; position++) {
        uint64_t bit = block_bit_at(&walk->block, position);
        if (bitset_get(walk->pending, bit))
            walk->wanted[walk->wanted_count++] = (struct order_place){.bit = bit, .position = position};
    }
}

static void make_case(struct walk_case *walk, struct rand *rand)
{
    uint64_t size = 2 + rand_below(rand, PROBES_MAX - 2);
    uint64_t early = 1 + rand_below(rand, size - 1);
    *walk = (struct walk_case){
        .block = {.early = permutation_new(early, rand_next(rand)),
                  .rest = permutation_new(size - early, rand_next(rand))},
        .order = {.end = 1 + rand_below(rand, size), .limit = UINT32_MAX},
    };
    for (uint64_t bit = 0; bit < size; bit++) {
        if (rand_below(rand, 3))
            bitset_set(walk->pending, bit);
    }
    walk->block.pending = walk->pending;
    walk->order.block = &walk->block;
    walk->order.next = rand_below(rand, walk->order.end);
    expect(walk);
}

static bool is_all(const struct walk_case *walk, unsigned taken_count)
{
    if (taken_count != walk->wanted_count)
        return false;
    for (unsigned i = 0; i < taken_count; i++) {
        if (walk->taken[i].bit != walk->wanted[i].bit || walk->taken[i].position != walk->wanted[i].position)
            return false;
    }
    return true;
}

/* Does it hold for every block? */
static void try_all(bool (*holds)(struct walk_case *walk, struct rand *rand))
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {seed};
        struct walk_case walk;
        make_case(&walk, &rand);
        if (!holds(&walk, &rand))
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

static bool comes_in_parts(struct walk_case *walk, struct rand *rand)
{
    unsigned count = 0;
    for (unsigned got = 1; got; count += got) {
        unsigned room = 1 + (unsigned)rand_below(rand, PROBES_MAX - count);
        got = order_take(&walk->order, walk->taken + count, room);
    }
    return is_all(walk, count);
}

static void what_is_pending_comes_once_and_in_order_however_much_is_taken_at_a_time(void **state)
{
    (void)state;
    try_all(comes_in_parts);
}

static bool stops_at_the_limit(struct walk_case *walk, struct rand *rand)
{
    uint32_t limit = (uint32_t)rand_below(rand, walk->wanted_count + 1);
    walk->order.limit = limit;
    unsigned first = order_take(&walk->order, walk->taken, PROBES_MAX);
    if (first != limit || walk->order.limit != 0)
        return false;
    walk->order.limit = UINT32_MAX;
    return is_all(walk, first + order_take(&walk->order, walk->taken + first, PROBES_MAX - first));
}

static void no_more_is_taken_than_the_limit_and_the_rest_comes_next(void **state)
{
    (void)state;
    try_all(stops_at_the_limit);
}

static bool comes_again(struct walk_case *walk, struct rand *rand)
{
    unsigned first = order_take(&walk->order, walk->taken, PROBES_MAX);
    unsigned back = (unsigned)rand_below(rand, first + 1);
    if (back)
        order_put_back(&walk->order, walk->taken[first - back].position, back);
    unsigned again = order_take(&walk->order, walk->taken + first - back, back);
    return again == back && is_all(walk, first) && walk->order.limit == UINT32_MAX - walk->wanted_count;
}

static void what_is_put_back_comes_again(void **state)
{
    (void)state;
    try_all(comes_again);
}

static void listed_bits_come_whether_pending_or_not(void **state)
{
    (void)state;
    const uint64_t bits[] = {5, 3, 9};
    struct order_place taken[4];
    struct order order = {.bits = bits, .end = 3, .limit = UINT32_MAX};
    assert_int_equal(order_take(&order, taken, 4), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(taken[i].bit, bits[i]);
        assert_int_equal(taken[i].position, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pending_comes_once_and_in_order_however_much_is_taken_at_a_time),
        cmocka_unit_test(no_more_is_taken_than_the_limit_and_the_rest_comes_next),
        cmocka_unit_test(what_is_put_back_comes_again),
        cmocka_unit_test(listed_bits_come_whether_pending_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
