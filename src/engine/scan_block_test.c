/* Sweeps, void ranges and hosts of a block, against a simple model. */
#include "engine/scan_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/rand.h"
#include "base/time.h"
#include "technique/rows.h"

#define SEEDS 100

static struct scan_block *block_of(uint32_t host_count, uint32_t spec_count, struct probe_spec *specs,
                                   uint64_t seed)
{
    struct waiting_host *hosts = calloc(host_count, sizeof *hosts);
    assert_non_null(hosts);
    for (uint32_t i = 0; i < host_count; i++)
        hosts[i].position = 2 * (uint64_t)i + 1;
    for (uint32_t i = 0; i < spec_count; i++)
        specs[i] = (struct probe_spec){&technique_syn, (uint16_t)(i + 1)};
    struct scan_block_config config = {
        .id = 1,
        .kind = BLOCK_PORTS,
        .hosts = hosts,
        .host_count = host_count,
        .specs = specs,
        .spec_count = spec_count,
        .early_count = spec_count / 3,
        .seed = seed,
        .now_ns = SEC,
    };
    struct scan_block *scan_block = scan_block_new(&config);
    assert_non_null(scan_block);
    free(hosts);
    return scan_block;
}

static void the_order_has_every_probe_once_and_early_ones_first(void **state)
{
    (void)state;
    struct probe_spec specs[40];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        uint32_t hosts = 1 + (uint32_t)rand_below(&rand, 30),
                 spec_count = 1 + (uint32_t)rand_below(&rand, 40);
        struct scan_block *scan_block = block_of(hosts, spec_count, specs, seed);
        uint64_t probes = block_probe_count(&scan_block->block), early = (uint64_t)hosts * (spec_count / 3);
        uint64_t seen[20] = {0};
        for (uint64_t i = 0; i < probes; i++) {
            uint64_t bit = block_bit_at(&scan_block->block, i);
            assert_true(bit < probes);
            assert_int_equal(bit < early, i < early);
            assert_false(bitset_get(seen, bit));
            bitset_set(seen, bit);
        }
        scan_block_free(scan_block);
    }
}

static void hosts_are_found_by_their_position(void **state)
{
    (void)state;
    struct probe_spec specs[1];
    struct scan_block *scan_block = block_of(100, 1, specs, 1);
    uint32_t slot;
    for (uint64_t position = 0; position < 202; position++) {
        bool there = position % 2 == 1 && position < 200;
        assert_int_equal(block_find_position(&scan_block->block, position, &slot), there);
        if (there)
            assert_int_equal(slot, position / 2);
    }
    scan_block_free(scan_block);
}

static void so_are_hosts_that_are_neighbours(void **state)
{
    (void)state;
    struct probe_spec specs[1];
    struct scan_block *scan_block = block_of(100, 1, specs, 1);
    uint32_t slot;
    for (uint32_t i = 0; i < 100; i++)
        scan_block->hosts[i] = 50 + i;
    for (uint64_t position = 0; position < 202; position++) {
        bool there = position >= 50 && position < 150;
        assert_int_equal(block_find_position(&scan_block->block, position, &slot), there);
        if (there)
            assert_int_equal(slot, position - 50);
    }
    scan_block_free(scan_block);
}

static void it_is_known_when_a_probe_left(void **state)
{
    (void)state;
    struct probe_spec specs[40];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct scan_block *scan_block = block_of(25, 40, specs, seed);
        scan_block_start_sweep(scan_block, false, SEC);
        int64_t sent_ns[1000], now_ns = SEC;
        uint64_t at = 0;
        while (at < 990) { /* the last do not leave */
            uint64_t end = at + 1 + rand_below(&rand, 9);
            scan_block_sent(scan_block, end, now_ns);
            for (; at < end; at++)
                sent_ns[at] = now_ns;
            now_ns += (int64_t)rand_below(&rand, 3 * MSEC);
        }
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t bit = block_bit_at(&scan_block->block, i);
            assert_int_equal(block_position_of(&scan_block->block, bit), i);
            int64_t said_ns = scan_block_sent_ns(scan_block, bit);
            if (i >= at)
                assert_true(said_ns == TIME_NEVER);
            else
                assert_true(said_ns <= sent_ns[i] && sent_ns[i] - said_ns < MSEC);
        }
        scan_block_free(scan_block);
    }
}

/* Whatever ranges are voided, a repair sweep covers all of them, in order and without going back. */
static void a_repair_sweep_covers_what_was_voided(void **state)
{
    (void)state;
    struct probe_spec specs[40];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct scan_block *scan_block = block_of(25, 40, specs, seed);
        uint8_t voided[1000] = {0}, repaired[1000] = {0};
        scan_block_start_sweep(scan_block, false, SEC);
        scan_block_sent(scan_block, 1000, SEC);
        unsigned ranges = 1 + (unsigned)rand_below(&rand, 60);
        for (unsigned i = 0; i < ranges; i++) {
            uint64_t first = rand_below(&rand, 1000), end = first + 1 + rand_below(&rand, 1000 - first);
            scan_block_void_range(scan_block, (struct order_range){first, end > first + 9 ? first + 9 : end});
            for (uint64_t j = first; j < end && j < first + 9; j++)
                voided[j] = 1;
        }
        scan_block_start_sweep(scan_block, true, 2 * SEC);
        uint64_t last_end = 0;
        struct order_range todo = scan_block_todo(scan_block);
        while (todo.first < todo.end) {
            assert_true(todo.first >= last_end);
            memset(repaired + todo.first, 1, todo.end - todo.first);
            last_end = todo.end;
            scan_block_sent(scan_block, todo.end, 2 * SEC);
            todo = scan_block_todo(scan_block);
        }
        for (unsigned i = 0; i < 1000; i++)
            assert_true(repaired[i] || !voided[i]);
        scan_block_free(scan_block);
    }
}

static void what_was_sent_in_a_span_of_time_can_be_voided(void **state)
{
    (void)state;
    struct probe_spec specs[10];
    struct scan_block *scan_block = block_of(100, 10, specs, 1);
    scan_block_start_sweep(scan_block, false, SEC);
    for (unsigned i = 0; i < 10; i++)
        scan_block_sent(scan_block, (i + 1) * 100, SEC + i * 10 * MSEC);
    assert_int_equal(scan_block_void_time(scan_block, SEC + 25 * MSEC, SEC + 45 * MSEC), 200);
    assert_int_equal(scan_block->void_count, 1);
    assert_int_equal(scan_block->voids[0].first, 300);
    assert_int_equal(scan_block->voids[0].end, 500);
    scan_block_free(scan_block);
}

static void try_numbers_come_round_again_before_the_canarys(void **state)
{
    (void)state;
    struct probe_spec specs[1];
    struct scan_block *scan_block = block_of(1, 1, specs, 1);
    for (unsigned sweep = 0; sweep < 40; sweep++) {
        scan_block->valid_tries = (uint8_t)sweep;
        scan_block_start_sweep(scan_block, false, SEC);
        assert_int_equal(scan_block->try_number, sweep % TOKEN_TRY_CANARY);
        assert_int_equal(scan_block->valid_before[scan_block->try_number], sweep);
    }
    scan_block_free(scan_block);
}

static void a_dropped_host_is_asked_nothing_more(void **state)
{
    (void)state;
    struct probe_spec specs[5];
    struct scan_block *scan_block = block_of(3, 5, specs, 1);
    bitset_clear(scan_block->block.pending, scan_block_bit(scan_block, 1, 2)); /* answered */
    scan_block_drop_host(scan_block, 1, true);
    assert_int_equal(scan_block->open_hosts, 2);
    for (uint32_t spec = 0; spec < 5; spec++) {
        assert_false(bitset_get(scan_block->block.pending, scan_block_bit(scan_block, 1, spec)));
        assert_int_equal(bitset_get(scan_block->silent, scan_block_bit(scan_block, 1, spec)), spec != 2);
        assert_true(bitset_get(scan_block->block.pending, scan_block_bit(scan_block, 0, spec)));
    }
    scan_block_free(scan_block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_has_every_probe_once_and_early_ones_first),
        cmocka_unit_test(hosts_are_found_by_their_position),
        cmocka_unit_test(so_are_hosts_that_are_neighbours),
        cmocka_unit_test(it_is_known_when_a_probe_left),
        cmocka_unit_test(a_repair_sweep_covers_what_was_voided),
        cmocka_unit_test(what_was_sent_in_a_span_of_time_can_be_voided),
        cmocka_unit_test(try_numbers_come_round_again_before_the_canarys),
        cmocka_unit_test(a_dropped_host_is_asked_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
