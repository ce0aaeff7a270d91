#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/own.h"

static void add(struct addr_set *set, const char *first_text, const char *last_text)
{
    struct addr first;
    struct addr last;
    assert_true(addr_parse(first_text, &first));
    assert_true(addr_parse(last_text, &last));
    assert_int_equal(addr_set_add(set, first, last), 0);
}

/* A plan over targets alone, on the heap for its size. */
static struct plan *plan_over(struct addr_set *targets, struct addr_set *excluded,
                              struct addr_set *broadcasts, const struct plan_options *options,
                              struct error *err)
{
    own(free_ptr) struct port_set *ports = calloc(1, sizeof *ports);
    struct plan *plan = calloc(1, sizeof *plan);
    assert_non_null(ports);
    assert_non_null(plan);
    port_set_add(ports, PORTS_TCP, 80);
    int error = plan_init(plan, targets, excluded, broadcasts, ports, options, err);
    assert_int_equal(port_set_count(ports, PORTS_TCP), 0);
    assert_null(targets->v4);
    assert_null(targets->v6);
    if (!error) {
        assert_true(port_set_has(&plan->ports, PORTS_TCP, 80));
        return plan;
    }
    assert_int_equal(error, -err->status);
    free(plan);
    return NULL;
}

static void plan_free(struct plan *plan)
{
    plan_done(plan);
    free(plan);
}

static struct plan *shard_of(const char *last, uint64_t index, uint64_t count)
{
    struct addr_set targets = {0};
    add(&targets, "198.18.0.0", last);
    add(&targets, "2001:db8::", "2001:db8::4");
    struct plan_options options = {.seed = 7, .shard_index = index, .shard_count = count};
    struct error err;
    struct plan *plan = plan_over(&targets, NULL, NULL, &options, &err);
    assert_non_null(plan);
    return plan;
}

/* The shards are checked address by address against a bitmap of the whole. */
static void check_shards(const char *last, uint64_t count)
{
    struct plan *whole = shard_of(last, 0, 1);
    own(free_ptr) uint64_t *seen = calloc(bitset_words(whole->host_count), sizeof *seen);
    assert_non_null(seen);
    uint64_t total = 0;
    for (uint64_t index = 0; index < count; index++) {
        struct plan *shard = shard_of(last, index, count);
        for (uint64_t position = 0; position < shard->host_count; position++) {
            struct addr addr = plan_host_at(shard, position);
            uint64_t found = UINT64_MAX;
            uint64_t place = UINT64_MAX;
            assert_true(plan_host_find(shard, &addr, &found));
            assert_int_equal(found, position);
            assert_true(plan_host_find(whole, &addr, &place));
            assert_false(bitset_get(seen, place));
            bitset_set(seen, place);
            total++;
        }
        plan_free(shard);
    }
    assert_int_equal(total, whole->host_count);
    plan_free(whole);
}

static void shards_are_disjoint_and_their_union_is_the_whole(void **state)
{
    (void)state;
    static const char *const lasts[] = {"198.18.0.0", "198.18.0.1", "198.18.0.250", "198.18.1.7",
                                        "198.18.3.255"};
    static const uint64_t counts[] = {1, 2, 3, 5, 7, 16, 300};
    for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++)
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++)
            check_shards(lasts[i], counts[j]);
}

static void a_host_of_another_shard_is_not_found(void **state)
{
    (void)state;
    struct plan *zero = shard_of("198.18.0.255", 0, 2);
    struct plan *one = shard_of("198.18.0.255", 1, 2);
    uint64_t position = 42;
    for (uint64_t i = 0; i < zero->host_count; i++) {
        struct addr addr = plan_host_at(zero, i);
        assert_false(plan_host_find(one, &addr, &position));
    }
    assert_int_equal(position, 42);
    plan_free(zero);
    plan_free(one);
}

static void the_same_seed_gives_the_same_order_and_another_seed_another(void **state)
{
    (void)state;
    struct plan *plans[3];
    static const uint64_t seeds[3] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        struct addr_set targets = {0};
        add(&targets, "198.18.0.0", "198.18.3.255");
        struct plan_options options = {.seed = seeds[i], .shard_count = 1};
        struct error err;
        plans[i] = plan_over(&targets, NULL, NULL, &options, &err);
        assert_non_null(plans[i]);
    }
    unsigned moved = 0;
    for (uint64_t position = 0; position < 1024; position++) {
        struct addr a = plan_host_at(plans[0], position);
        struct addr b = plan_host_at(plans[1], position);
        struct addr c = plan_host_at(plans[2], position);
        assert_true(addr_equal(&a, &b));
        moved += !addr_equal(&a, &c);
    }
    assert_in_range(moved, 1000, 1024);
    for (size_t i = 0; i < 3; i++)
        plan_free(plans[i]);
}

static void overlapping_targets_are_scanned_once(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    add(&targets, "198.18.0.0", "198.18.0.255");
    add(&targets, "198.18.0.128", "198.18.1.127");
    add(&targets, "198.18.0.5", "198.18.0.5");
    struct plan_options options = {.shard_count = 1};
    struct error err;
    struct plan *plan = plan_over(&targets, NULL, NULL, &options, &err);
    assert_non_null(plan);
    assert_int_equal(plan->host_count, 384);
    plan_free(plan);
}

static void add_special_targets(struct addr_set *targets)
{
    add(targets, "0.255.255.0", "1.0.0.9");             /* 256 of this network, 10 others */
    add(targets, "223.255.255.255", "224.0.0.4");       /* 1 other, 5 multicast */
    add(targets, "255.255.255.254", "255.255.255.255"); /* 2 reserved */
    add(targets, "198.18.0.254", "198.18.1.0");         /* 2 others, 1 broadcast */
    add(targets, "::", "::2");                          /* 1 of this network, 2 others */
    add(targets, "ff02::1", "ff02::3");                 /* 3 multicast */
    struct addr zoned;
    assert_true(addr_parse("ff02::1", &zoned));
    zoned.scope = 1;
    assert_int_equal(addr_set_add(targets, zoned, zoned), 0); /* 1 multicast */
}

static void special_addresses_are_left_out_and_counted_by_kind(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    struct addr_set broadcasts = {0};
    add_special_targets(&targets);
    add(&broadcasts, "198.18.0.255", "198.18.0.255");
    struct plan_options options = {.shard_count = 1};
    struct error err;
    struct plan *plan = plan_over(&targets, NULL, &broadcasts, &options, &err);
    assert_non_null(plan);
    assert_int_equal(plan->special_count[SPECIAL_THIS_NETWORK], 257);
    assert_int_equal(plan->special_count[SPECIAL_MULTICAST], 9);
    assert_int_equal(plan->special_count[SPECIAL_RESERVED], 2);
    assert_int_equal(plan->special_count[SPECIAL_BROADCAST], 1);
    assert_int_equal(plan->host_count, 15);
    plan_free(plan);
    addr_set_done(&broadcasts);
}

static void special_addresses_are_scanned_when_allowed(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    struct addr_set broadcasts = {0};
    add_special_targets(&targets);
    add(&broadcasts, "198.18.0.255", "198.18.0.255");
    struct plan_options options = {.shard_count = 1, .allow_special = true};
    struct error err;
    struct plan *plan = plan_over(&targets, NULL, &broadcasts, &options, &err);
    assert_non_null(plan);
    for (size_t kind = 0; kind < SPECIAL_COUNT; kind++)
        assert_int_equal(plan->special_count[kind], 0);
    assert_int_equal(plan->host_count, 15 + 257 + 9 + 2 + 1);
    plan_free(plan);
    addr_set_done(&broadcasts);
}

static void excluded_addresses_are_left_out_and_counted(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    struct addr_set excluded = {0};
    add(&targets, "198.18.0.0", "198.18.0.255");
    add(&excluded, "198.18.0.100", "198.18.0.109");
    add(&excluded, "198.18.0.105", "198.18.0.119");
    add(&excluded, "198.18.0.250", "198.19.255.255");
    add(&excluded, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    struct plan_options options = {.shard_count = 1};
    struct error err;
    struct plan *plan = plan_over(&targets, &excluded, NULL, &options, &err);
    assert_non_null(plan);
    assert_int_equal(plan->excluded_count, 26);
    assert_int_equal(plan->host_count, 230);
    struct addr gone;
    uint64_t position;
    assert_true(addr_parse("198.18.0.110", &gone));
    assert_false(plan_host_find(plan, &gone, &position));
    plan_free(plan);
    addr_set_done(&excluded);
}

static void nothing_left_to_scan_is_an_error_that_says_why(void **state)
{
    (void)state;
    struct plan_options options = {.shard_count = 1};
    struct error err;
    struct addr_set targets = {0};
    assert_null(plan_over(&targets, NULL, NULL, &options, &err));
    assert_int_equal(err.status, EX_DATAERR);
    assert_string_equal(err.text, "no targets given");

    struct addr_set excluded = {0};
    add(&targets, "198.18.0.0", "198.18.0.3");
    add(&excluded, "198.18.0.0", "198.18.0.3");
    assert_null(plan_over(&targets, &excluded, NULL, &options, &err));
    assert_int_equal(err.status, EX_DATAERR);
    assert_string_equal(err.text, "no target left to scan: all 4 are excluded");

    add(&targets, "198.18.0.0", "198.18.0.3");
    add(&targets, "224.0.0.1", "224.0.0.1");
    assert_null(plan_over(&targets, &excluded, NULL, &options, &err));
    assert_string_equal(err.text,
                        "no target left to scan: 4 excluded, 1 never scanned without --allow-special");
    addr_set_done(&excluded);
}

static void too_many_targets_are_an_error(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    add(&targets, "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff");
    struct plan_options options = {.shard_count = 1};
    struct error err;
    assert_null(plan_over(&targets, NULL, NULL, &options, &err));
    assert_int_equal(err.status, EX_DATAERR);
    assert_string_equal(err.text, "too many targets: 2^63 addresses or more");
}

static void the_whole_of_ipv4_is_planned_without_the_special_addresses(void **state)
{
    (void)state;
    struct addr_set targets = {0};
    add(&targets, "0.0.0.0", "255.255.255.255");
    struct plan_options options = {.seed = 3, .shard_index = 6, .shard_count = 7};
    struct error err;
    struct plan *plan = plan_over(&targets, NULL, NULL, &options, &err);
    assert_non_null(plan);
    assert_int_equal(plan->targets.addr_count, UINT64_C(223) << 24);
    assert_int_equal(plan->host_count, ((UINT64_C(223) << 24) - 1 - 6) / 7 + 1);
    for (uint64_t position = 0; position < plan->host_count; position += 1000003) {
        struct addr addr = plan_host_at(plan, position);
        uint64_t found = UINT64_MAX;
        assert_true(plan_host_find(plan, &addr, &found));
        assert_int_equal(found, position);
    }
    plan_free(plan);
}

static void ports_are_listed_in_order(void **state)
{
    (void)state;
    own(free_ptr) struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(ports);
    static const uint16_t numbers[] = {65535, 0, 443, 63, 64};
    static const uint16_t sorted[] = {0, 63, 64, 443, 65535};
    for (size_t i = 0; i < 5; i++)
        port_set_add(ports, PORTS_UDP, numbers[i]);
    port_set_add(ports, PORTS_UDP, 80);
    port_set_remove(ports, PORTS_UDP, 80);
    uint16_t list[8];
    assert_int_equal(port_set_count(ports, PORTS_UDP), 5);
    assert_int_equal(port_set_count(ports, PORTS_TCP), 0);
    assert_int_equal(port_set_list(ports, PORTS_UDP, list, 8), 5);
    assert_memory_equal(list, sorted, sizeof sorted);
    assert_int_equal(port_set_list(ports, PORTS_UDP, list, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_disjoint_and_their_union_is_the_whole),
        cmocka_unit_test(a_host_of_another_shard_is_not_found),
        cmocka_unit_test(the_same_seed_gives_the_same_order_and_another_seed_another),
        cmocka_unit_test(overlapping_targets_are_scanned_once),
        cmocka_unit_test(special_addresses_are_left_out_and_counted_by_kind),
        cmocka_unit_test(special_addresses_are_scanned_when_allowed),
        cmocka_unit_test(excluded_addresses_are_left_out_and_counted),
        cmocka_unit_test(nothing_left_to_scan_is_an_error_that_says_why),
        cmocka_unit_test(too_many_targets_are_an_error),
        cmocka_unit_test(the_whole_of_ipv4_is_planned_without_the_special_addresses),
        cmocka_unit_test(ports_are_listed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
