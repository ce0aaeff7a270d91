#include "netio/route/source_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/rtnetlink.h>
#include <string.h>

#include "netio/route/route.h"

static struct addr parse(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, &addr));
    return addr;
}

static void add_local(struct route_table *table, const char *prefix, uint8_t prefix_len)
{
    struct kernel_route route = {.table = RT_TABLE_LOCAL,
                                 .type = RTN_LOCAL,
                                 .dst = parse(prefix),
                                 .prefix_len = prefix_len,
                                 .index = 1};
    assert_int_equal(route_table_add_route(table, &route), 0);
}

/* A machine with 198.18.0.1, and with 203.0.113.0/26 and 2001:db8:64::/64 routed to it. */
static struct route_table own_routes(void)
{
    struct route_table table;
    struct link lo = {.index = 1, .name = "lo", .kind = LINK_LOOPBACK, .up = true};
    struct error err;
    route_table_init(&table, &(struct route_options){.interface = ""});
    assert_int_equal(route_table_add_link(&table, &lo), 0);
    add_local(&table, "198.18.0.1", 32);
    add_local(&table, "203.0.113.0", 26);
    add_local(&table, "2001:db8:64::", 64);
    assert_int_equal(route_table_finish(&table, &err), 0);
    return table;
}

static int make(const char *ranges[][2], size_t count, bool foreign, struct source_pool *ret,
                struct error *err)
{
    struct addr_set set = {.v4 = NULL};
    struct route_table routes = own_routes();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(addr_set_add(&set, parse(ranges[i][0]), parse(ranges[i][1])), 0);
    addr_set_normalize(&set);
    int result = source_pool_make(&set, &routes, foreign, ret, err);
    addr_set_done(&set);
    route_table_done(&routes);
    return result;
}

static void members_are_numbered_from_one_by_family(void **state)
{
    (void)state;
    const char *ranges[][2] = {{"203.0.113.0", "203.0.113.63"}, {"2001:db8:64::10", "2001:db8:64::1f"}};
    struct source_pool pool;
    struct error err;
    uint16_t first;
    assert_int_equal(make(ranges, 2, false, &pool, &err), 0);
    assert_int_equal(source_pool_of(&pool, ADDR_V4, &first), 64);
    assert_int_equal(first, 1);
    assert_int_equal(source_pool_of(&pool, ADDR_V6, &first), 16);
    assert_int_equal(first, 65);
    for (uint16_t number = 1; number <= 80; number++) {
        struct addr addr = source_pool_at(&pool, number);
        assert_int_equal(source_pool_find(&pool, &addr), number);
    }
    struct addr other = parse("203.0.113.64");
    assert_int_equal(source_pool_find(&pool, &other), 0);
    other.family = ADDR_NONE;
    assert_int_equal(source_pool_find(&pool, &other), 0);
    source_pool_done(&pool);
}

static void a_network_of_any_size_gives_its_first_addresses_but_not_that_of_its_routers(void **state)
{
    (void)state;
    const char *ranges[][2] = {{"2001:db8:64::", "2001:db8:64:0:ffff:ffff:ffff:ffff"}};
    struct source_pool pool;
    struct error err;
    assert_int_equal(make(ranges, 1, false, &pool, &err), 0);
    assert_int_equal(pool.v6_count, SOURCE_POOL_MAX);
    struct addr first = parse("2001:db8:64::1"), last = parse("2001:db8:64::400");
    struct addr found = source_pool_at(&pool, 1);
    assert_true(addr_equal(&found, &first));
    found = source_pool_at(&pool, SOURCE_POOL_MAX);
    assert_true(addr_equal(&found, &last));
    source_pool_done(&pool);
}

static void addresses_of_others_are_refused_unless_told(void **state)
{
    (void)state;
    const char *ranges[][2] = {{"203.0.113.60", "203.0.113.67"}};
    struct source_pool pool;
    struct error err;
    assert_int_equal(make(ranges, 1, false, &pool, &err), -EX_UNAVAILABLE);
    assert_non_null(strstr(err.text, "4 of 8 addresses are not of this machine, the first: 203.0.113.64;"));
    assert_int_equal(make(ranges, 1, true, &pool, &err), 0);
    assert_int_equal(pool.v4_count, 8);
    source_pool_done(&pool);
}

static void link_local_addresses_are_refused(void **state)
{
    (void)state;
    const char *ranges[][2] = {{"fe80::1%1", "fe80::2%1"}};
    struct source_pool pool;
    struct error err;
    assert_int_equal(make(ranges, 1, true, &pool, &err), -EX_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_numbered_from_one_by_family),
        cmocka_unit_test(a_network_of_any_size_gives_its_first_addresses_but_not_that_of_its_routers),
        cmocka_unit_test(addresses_of_others_are_refused_unless_told),
        cmocka_unit_test(link_local_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
