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

/* A block of some probes, part of which are pending. */
struct walk_case {
    struct block block;
    struct order order;
    uint64_t pending[PROBES_MAX / 64];
};

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
}

/* What is to come, by the definition: position by position. Returns how many. */
static unsigned expect(const struct walk_case *walk, struct order_place *ret)
{
    unsigned count = 0;
    for (uint64_t position = walk->order.next; position < walk->order.end; position++) {
        uint64_t bit = block_bit_at(&walk->block, position);
        if (bitset_get(walk->pending, bit))
            ret[count++] = (struct order_place){.bit = bit, .position = position};
    }
    return count;
}

static bool is_same(const struct order_place *a, const struct order_place *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (a[i].bit != b[i].bit || a[i].position != b[i].position)
            return false;
    }
    return true;
}

static void what_is_pending_comes_once_and_in_order_however_much_is_taken_at_a_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {seed};
        struct walk_case walk;
        struct order_place wanted[PROBES_MAX], taken[PROBES_MAX];
        make_case(&walk, &rand);
        unsigned wanted_count = expect(&walk, wanted), count = 0;
        for (unsigned got = 1; got; count += got)
            got = order_take(&walk.order, taken + count, 1 + (unsigned)rand_below(&rand, PROBES_MAX - count));
        if (count != wanted_count || !is_same(taken, wanted, count))
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

static void no_more_is_taken_than_the_limit_and_the_rest_comes_next(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {seed};
        struct walk_case walk;
        struct order_place wanted[PROBES_MAX], taken[PROBES_MAX];
        make_case(&walk, &rand);
        unsigned wanted_count = expect(&walk, wanted);
        uint32_t limit = (uint32_t)rand_below(&rand, wanted_count + 1);
        walk.order.limit = limit;
        unsigned first = order_take(&walk.order, taken, PROBES_MAX);
        if (first != limit || walk.order.limit != 0)
            fail_msg("seed %llu: %u of %u", (unsigned long long)seed, first, limit);
        walk.order.limit = UINT32_MAX;
        unsigned count = first + order_take(&walk.order, taken + first, PROBES_MAX - first);
        if (count != wanted_count || !is_same(taken, wanted, count))
            fail_msg("seed %llu: the rest", (unsigned long long)seed);
    }
}

static void what_is_put_back_comes_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {seed};
        struct walk_case walk;
        struct order_place wanted[PROBES_MAX], taken[PROBES_MAX];
        make_case(&walk, &rand);
        unsigned wanted_count = expect(&walk, wanted);
        unsigned first = order_take(&walk.order, taken, PROBES_MAX);
        unsigned back = (unsigned)rand_below(&rand, first + 1);
        if (back)
            order_put_back(&walk.order, taken[first - back].position, back);
        unsigned again = order_take(&walk.order, taken + first - back, back);
        if (first != wanted_count || again != back || !is_same(taken, wanted, wanted_count) ||
            walk.order.limit != UINT32_MAX - wanted_count)
            fail_msg("seed %llu", (unsigned long long)seed);
    }
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
