#include "netio/route/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LO = 1, ETH = 2, TUN = 3, WLAN = 4, DOWN = 5, PORT = 6 };

static struct addr addr_of(const char *text)
{
    struct addr addr;
    if (!addr_parse(text, &addr))
        fail_msg("'%s' is no address", text);
    return addr;
}

/* "10.0.0.0/8" */
static struct addr prefix_of(const char *text, uint8_t *ret_len)
{
    char start[ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    assert_non_null(slash);
    snprintf(start, sizeof start, "%.*s", (int)(slash - text), text);
    *ret_len = (uint8_t)strtoul(slash + 1, NULL, 10);
    return addr_of(start);
}

static void add_link(struct route_table *table, uint32_t index, const char *name, enum link_kind kind)
{
    struct link link = {.index = index, .kind = (uint8_t)kind, .up = index != DOWN, .mtu = 1500};
    link.enslaved = index == PORT;
    snprintf(link.name, sizeof link.name, "%s", name);
    assert_int_equal(route_table_add_link(table, &link), 0);
}

static void add_address(struct route_table *table, uint32_t index, const char *prefix)
{
    struct link_address address = {.index = index, .usable = true};
    address.addr = prefix_of(prefix, &address.prefix_len);
    bool link_local = address.addr.family == ADDR_V6 && address.addr.bytes[0] == 0xfe;
    address.scope = index == LO ? RT_SCOPE_HOST : link_local ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    address.addr.scope = link_local ? index : 0;
    assert_int_equal(route_table_add_address(table, &address), 0);
}

static struct kernel_route route_to(const char *prefix, uint32_t index)
{
    struct kernel_route route = {.table = RT_TABLE_MAIN, .type = RTN_UNICAST, .index = index};
    route.dst = prefix_of(prefix, &route.prefix_len);
    return route;
}

static void add_route(struct route_table *table, const char *prefix, uint32_t index, const char *gateway)
{
    struct kernel_route route = route_to(prefix, index);
    if (gateway)
        route.gateway = addr_of(gateway);
    assert_int_equal(route_table_add_route(table, &route), 0);
}

static void add_typed(struct route_table *table, const char *prefix, uint32_t index, uint8_t type)
{
    struct kernel_route route = route_to(prefix, index);
    route.type = type;
    if (type == RTN_LOCAL || type == RTN_BROADCAST)
        route.table = RT_TABLE_LOCAL;
    assert_int_equal(route_table_add_route(table, &route), 0);
}

/* A machine with an Ethernet, a tunnel, a second Ethernet and one that is down. */
static void fill(struct route_table *table, const struct route_options *options)
{
    route_table_init(table, options);
    add_link(table, WLAN, "wlan0", LINK_ETHERNET);
    add_link(table, LO, "lo", LINK_LOOPBACK);
    add_link(table, ETH, "eth0", LINK_ETHERNET);
    add_link(table, TUN, "tun0", LINK_PLAIN);
    add_link(table, DOWN, "eth1", LINK_ETHERNET);
    add_link(table, PORT, "port0", LINK_ETHERNET);
    add_address(table, LO, "127.0.0.1/8");
    add_address(table, ETH, "198.18.0.1/24");
    add_address(table, ETH, "198.18.1.1/24");
    add_address(table, ETH, "fe80::1/64");
    add_address(table, ETH, "2001:db8::1/64");
    add_address(table, ETH, "fd00::1/64");
    add_address(table, TUN, "198.19.0.1/32");
    add_address(table, WLAN, "203.0.113.1/24");
    add_address(table, PORT, "fe80::6/64");
    add_typed(table, "127.0.0.0/8", LO, RTN_LOCAL);
    add_typed(table, "198.18.0.1/32", ETH, RTN_LOCAL);
    add_typed(table, "198.18.0.255/32", ETH, RTN_BROADCAST);
    add_typed(table, "2001:db8::1/128", ETH, RTN_LOCAL);
    add_route(table, "198.18.0.0/24", ETH, NULL);
    add_route(table, "198.18.1.0/24", ETH, NULL);
    add_route(table, "203.0.113.0/24", WLAN, NULL);
    add_route(table, "198.51.100.0/24", TUN, NULL);
    add_route(table, "192.0.2.0/24", DOWN, NULL);
    add_route(table, "0.0.0.0/0", ETH, "198.18.1.254");
    add_route(table, "2001:db8::/64", ETH, NULL);
    add_route(table, "fd00::/64", ETH, NULL);
    add_route(table, "::/0", ETH, "fe80::fe%2");
    add_typed(table, "10.1.0.0/16", 0, RTN_UNREACHABLE);
    add_typed(table, "10.2.0.0/16", 0, RTN_PROHIBIT);
    add_typed(table, "10.3.0.0/16", 0, RTN_BLACKHOLE);
}

static struct route_table finished(const struct route_options *options)
{
    struct route_table table;
    struct error err = {0};
    fill(&table, options);
    if (route_table_finish(&table, &err) < 0)
        fail_msg("%s", err.text);
    return table;
}

static struct route find(const struct route_table *table, const char *dst)
{
    struct addr addr = addr_of(dst);
    struct route route;
    route_find(table, &addr, &route);
    return route;
}

static void assert_addr(const struct addr *addr, const char *text)
{
    char got[ADDR_TEXT_MAX];
    struct addr expected = addr_of(text);
    if (!addr_equal(addr, &expected))
        fail_msg("%s instead of %s", addr_format(addr, got), text);
}

static void assert_way(const struct route *route, enum route_kind kind, uint32_t link, const char *next_hop,
                       const char *source)
{
    assert_int_equal(route->kind, kind);
    assert_int_equal(route->link->index, link);
    assert_addr(&route->next_hop, next_hop);
    assert_addr(&route->source, source);
}

static void a_neighbour_is_reached_from_the_address_of_its_network(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route first = find(&table, "198.18.0.7"), second = find(&table, "198.18.1.7");
    struct route other = find(&table, "203.0.113.9"), v6 = find(&table, "2001:db8::7");
    assert_way(&first, ROUTE_LINK, ETH, "198.18.0.7", "198.18.0.1");
    assert_way(&second, ROUTE_LINK, ETH, "198.18.1.7", "198.18.1.1");
    assert_way(&other, ROUTE_LINK, WLAN, "203.0.113.9", "203.0.113.1");
    assert_way(&v6, ROUTE_LINK, ETH, "2001:db8::7", "2001:db8::1");
    route_table_done(&table);
}

static void the_rest_of_the_world_is_behind_the_gateway(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route route = find(&table, "8.8.8.8");
    assert_way(&route, ROUTE_GATEWAY, ETH, "198.18.1.254", "198.18.1.1");
    route_table_done(&table);
}

/* RFC 6724 section 5, rules 6 and 8: a global destination from the global address, a unique local one from
 * fd00::1. */
static void an_ipv6_source_matches_its_destination(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route global = find(&table, "2001:db8:9::9"), local = find(&table, "fd00:1::9");
    assert_way(&global, ROUTE_GATEWAY, ETH, "fe80::fe%2", "2001:db8::1");
    assert_way(&local, ROUTE_GATEWAY, ETH, "fe80::fe%2", "fd00::1");
    route_table_done(&table);
}

static void a_link_local_destination_needs_its_zone(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route zoned = find(&table, "fe80::9%2"), own = find(&table, "fe80::1%2"),
                 bare = find(&table, "fe80::9");
    assert_way(&zoned, ROUTE_LINK, ETH, "fe80::9%2", "fe80::1%2");
    assert_int_equal(own.kind, ROUTE_LOCAL);
    assert_int_equal(bare.kind, ROUTE_NONE);
    assert_int_equal(bare.error, EINVAL);
    route_table_done(&table);
}

static void over_the_loopback_a_link_local_address_keeps_its_zone(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct addr own = addr_of("fe80::1"), foreign = addr_of("fe80::9");
    assert_int_equal(route_zone(&table, &own, LO), ETH);
    assert_int_equal(route_zone(&table, &own, ETH), ETH);
    assert_int_equal(route_zone(&table, &foreign, ETH), ETH);
    assert_int_equal(route_zone(&table, &foreign, LO), LO);
    route_table_done(&table);
}

static void addresses_of_this_machine_go_over_the_loopback(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route eth = find(&table, "198.18.0.1"), loopback = find(&table, "127.1.2.3");
    struct route v6 = find(&table, "2001:db8::1");
    assert_way(&eth, ROUTE_LOCAL, LO, "198.18.0.1", "198.18.0.1");
    assert_way(&loopback, ROUTE_LOCAL, LO, "127.1.2.3", "127.1.2.3");
    assert_way(&v6, ROUTE_LOCAL, LO, "2001:db8::1", "2001:db8::1");
    struct addr own = addr_of("198.18.0.1"), foreign = addr_of("198.18.0.2");
    assert_true(route_is_local(&table, &own));
    assert_false(route_is_local(&table, &foreign));
    for (size_t i = 0; i < table.link_count; i++)
        if (table.links[i].index == LO)
            table.links[i].up = false;
    assert_true(route_is_local(&table, &own)); /* it is ours all the same */
    assert_false(route_is_local(&table, &foreign));
    route_table_done(&table);
}

static void a_tunnel_has_no_stations(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    struct route route = find(&table, "198.51.100.3");
    assert_way(&route, ROUTE_PLAIN, TUN, "198.51.100.3", "198.19.0.1");
    route_table_done(&table);
}

static void groups_and_broadcasts_are_no_stations(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    assert_int_equal(find(&table, "198.18.0.255").kind, ROUTE_GROUP);
    assert_int_equal(find(&table, "224.0.0.1").kind, ROUTE_GROUP);
    assert_int_equal(find(&table, "ff02::1%2").kind, ROUTE_GROUP);
    struct addr_set set = {0};
    uint64_t index;
    struct addr broadcast = addr_of("198.18.0.255");
    assert_int_equal(route_broadcasts(&table, &set), 0);
    assert_int_equal(addr_set_normalize(&set), 0);
    assert_int_equal(set.addr_count, 1);
    assert_true(addr_set_find(&set, &broadcast, &index));
    addr_set_done(&set);
    route_table_done(&table);
}

static void what_cannot_be_reached_says_why(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    assert_int_equal(find(&table, "10.1.0.1").error, EHOSTUNREACH);
    assert_int_equal(find(&table, "10.2.0.1").error, EACCES);
    assert_int_equal(find(&table, "10.3.0.1").error, EINVAL);
    assert_int_equal(find(&table, "192.0.2.1").error, ENETDOWN);
    assert_int_equal(find(&table, "192.0.2.1").kind, ROUTE_NONE);
    route_table_done(&table);
}

static void without_a_route_the_network_is_unreachable(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    route_table_init(&table, &(struct route_options){0});
    add_link(&table, ETH, "eth0", LINK_ETHERNET);
    add_address(&table, ETH, "198.18.0.1/24");
    add_route(&table, "198.18.0.0/24", ETH, NULL);
    assert_int_equal(route_table_finish(&table, &err), 0);
    assert_int_equal(find(&table, "8.8.8.8").error, ENETUNREACH);
    assert_int_equal(find(&table, "2001:db8::1").error, ENETUNREACH);
    route_table_done(&table);
}

static void the_lowest_metric_wins(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    fill(&table, &(struct route_options){0});
    struct kernel_route worse = route_to("198.18.77.0/24", ETH), better = route_to("198.18.77.0/24", WLAN);
    worse.metric = 600;
    better.metric = 100;
    assert_int_equal(route_table_add_route(&table, &worse), 0);
    assert_int_equal(route_table_add_route(&table, &better), 0);
    assert_int_equal(route_table_finish(&table, &err), 0);
    assert_int_equal(find(&table, "198.18.77.1").link->index, WLAN);
    route_table_done(&table);
}

static void a_preferred_source_is_taken(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    fill(&table, &(struct route_options){0});
    struct kernel_route route = route_to("198.18.77.0/24", ETH);
    route.source = addr_of("198.18.1.1");
    assert_int_equal(route_table_add_route(&table, &route), 0);
    assert_int_equal(route_table_finish(&table, &err), 0);
    struct route found = find(&table, "198.18.77.1");
    assert_addr(&found.source, "198.18.1.1");
    route_table_done(&table);
}

static void an_interface_that_was_named_is_used_for_all_but_ourselves(void **state)
{
    (void)state;
    struct route_options options = {.interface = "wlan0"};
    struct route_table table = finished(&options);
    struct route routed = find(&table, "203.0.113.7"), forced = find(&table, "8.8.8.8");
    assert_way(&routed, ROUTE_LINK, WLAN, "203.0.113.7", "203.0.113.1");
    assert_way(&forced, ROUTE_LINK, WLAN, "8.8.8.8", "203.0.113.1");
    assert_int_equal(find(&table, "198.18.0.1").kind, ROUTE_LOCAL);
    route_table_done(&table);
}

static void an_interface_that_is_not_there_is_named_in_the_error(void **state)
{
    (void)state;
    struct route_options options = {.interface = "eth9"};
    struct route_table table;
    struct error err = {0};
    fill(&table, &options);
    assert_int_equal(route_table_finish(&table, &err), -EX_UNAVAILABLE);
    assert_non_null(strstr(err.text, "eth9"));
    route_table_done(&table);
}

static void a_source_that_was_named_is_used_for_its_family(void **state)
{
    (void)state;
    struct route_options options = {.source = addr_of("198.18.0.200")};
    struct route_table table = finished(&options);
    struct route v4 = find(&table, "8.8.8.8"), v6 = find(&table, "2001:db8::9");
    assert_addr(&v4.source, "198.18.0.200");
    assert_addr(&v6.source, "2001:db8::1");
    route_table_done(&table);
}

static struct kernel_rule rule_to(uint32_t priority, uint32_t table)
{
    return (struct kernel_rule){.family = ADDR_V4,
                                .action = FR_ACT_TO_TBL,
                                .priority = priority,
                                .table = table,
                                .suppress_prefix_len = -1};
}

/* The rules that wg-quick sets: all but its own packets (mark) to table 51820, except what main knows better
 * than by its default route. */
static void rules_of_a_vpn_are_followed(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    struct kernel_rule rules[] = {rule_to(0, RT_TABLE_LOCAL), rule_to(100, RT_TABLE_MAIN),
                                  rule_to(101, 51820), rule_to(32766, RT_TABLE_MAIN)};
    rules[1].suppress_prefix_len = 0;
    rules[2].foreign = rules[2].invert = true;
    fill(&table, &(struct route_options){0});
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(route_table_add_rule(&table, &rules[i]), 0);
    struct kernel_route vpn = route_to("0.0.0.0/0", TUN);
    vpn.table = 51820;
    assert_int_equal(route_table_add_route(&table, &vpn), 0);
    assert_int_equal(route_table_finish(&table, &err), 0);
    assert_int_equal(find(&table, "8.8.8.8").link->index, TUN);
    assert_int_equal(find(&table, "198.18.0.7").link->index, ETH);
    route_table_done(&table);
}

static void rules_choose_by_destination_source_and_jump(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    struct kernel_rule rules[] = {rule_to(10, 7), rule_to(20, 7), rule_to(30, 0),
                                  rule_to(40, 7), rule_to(50, 0), rule_to(60, RT_TABLE_MAIN)};
    rules[0].src = addr_of("10.0.0.0"); /* nobody named such a source */
    rules[0].src_len = 8;
    rules[1].dst = addr_of("11.0.0.0");
    rules[1].dst_len = 8;
    rules[2].action = FR_ACT_GOTO; /* over the next one */
    rules[2].target = 50;
    rules[4].action = FR_ACT_PROHIBIT;
    rules[4].dst = addr_of("12.0.0.0");
    rules[4].dst_len = 8;
    fill(&table, &(struct route_options){0});
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(route_table_add_rule(&table, &rules[i]), 0);
    struct kernel_route other = route_to("0.0.0.0/0", WLAN);
    other.table = 7;
    assert_int_equal(route_table_add_route(&table, &other), 0);
    assert_int_equal(route_table_finish(&table, &err), 0);
    assert_int_equal(find(&table, "11.0.0.1").link->index, WLAN);
    assert_int_equal(find(&table, "13.0.0.1").link->index, ETH);
    assert_int_equal(find(&table, "12.0.0.1").error, EACCES);
    route_table_done(&table);
}

static void a_throw_route_sends_on_to_the_next_table(void **state)
{
    (void)state;
    struct route_table table;
    struct error err = {0};
    struct kernel_rule rules[] = {rule_to(10, 7), rule_to(20, RT_TABLE_MAIN)};
    fill(&table, &(struct route_options){0});
    struct kernel_route all = route_to("0.0.0.0/0", WLAN), except = route_to("11.0.0.0/8", 0);
    all.table = except.table = 7;
    except.type = RTN_THROW;
    assert_int_equal(route_table_add_rule(&table, &rules[0]), 0);
    assert_int_equal(route_table_add_rule(&table, &rules[1]), 0);
    assert_int_equal(route_table_add_route(&table, &all), 0);
    assert_int_equal(route_table_add_route(&table, &except), 0);
    assert_int_equal(route_table_finish(&table, &err), 0);
    assert_int_equal(find(&table, "10.9.0.1").link->index, WLAN);
    assert_int_equal(find(&table, "11.0.0.1").link->index, ETH);
    route_table_done(&table);
}

static void a_port_of_a_bridge_brings_nothing_of_its_own(void **state)
{
    (void)state;
    struct route_table table = finished(&(struct route_options){0});
    assert_true(route_link_in_use(&table, ETH));
    assert_true(route_link_in_use(&table, DOWN));
    assert_false(route_link_in_use(&table, PORT));
    assert_true(route_link_in_use(&table, 999));
    route_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_neighbour_is_reached_from_the_address_of_its_network),
        cmocka_unit_test(the_rest_of_the_world_is_behind_the_gateway),
        cmocka_unit_test(an_ipv6_source_matches_its_destination),
        cmocka_unit_test(a_link_local_destination_needs_its_zone),
        cmocka_unit_test(over_the_loopback_a_link_local_address_keeps_its_zone),
        cmocka_unit_test(addresses_of_this_machine_go_over_the_loopback),
        cmocka_unit_test(a_tunnel_has_no_stations),
        cmocka_unit_test(groups_and_broadcasts_are_no_stations),
        cmocka_unit_test(what_cannot_be_reached_says_why),
        cmocka_unit_test(without_a_route_the_network_is_unreachable),
        cmocka_unit_test(the_lowest_metric_wins),
        cmocka_unit_test(a_preferred_source_is_taken),
        cmocka_unit_test(an_interface_that_was_named_is_used_for_all_but_ourselves),
        cmocka_unit_test(an_interface_that_is_not_there_is_named_in_the_error),
        cmocka_unit_test(a_source_that_was_named_is_used_for_its_family),
        cmocka_unit_test(rules_of_a_vpn_are_followed),
        cmocka_unit_test(rules_choose_by_destination_source_and_jump),
        cmocka_unit_test(a_throw_route_sends_on_to_the_next_table),
        cmocka_unit_test(a_port_of_a_bridge_brings_nothing_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
