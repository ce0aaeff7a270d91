/* Looking up routes: the policy rules in order, then what the route found means for a frame. */
#include "netio/route/route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const struct link *loopback_of(const struct route_table *table)
{
    for (size_t i = 0; i < table->link_count; i++) {
        if (table->links[i].kind == LINK_LOOPBACK)
            return &table->links[i];
    }
    return NULL;
}

static bool rule_matches(const struct route_table *table, const struct kernel_rule *rule,
                         const struct addr *dst)
{
    if (rule->family != dst->family || rule->unknowable)
        return false;
    bool matches = !rule->foreign;
    if (rule->dst_len && !prefix_holds(&rule->dst, rule->dst_len, dst))
        matches = false;
    if (rule->src_len && !prefix_holds(&rule->src, rule->src_len, &table->options.source))
        matches = false;
    if (rule->output[0] && strcmp(rule->output, table->options.interface) != 0)
        matches = false;
    return matches != rule->invert;
}

/* The route of one table; NULL when it has none, or says "throw". */
static const struct kernel_route *find_in_table(const struct route_table *table,
                                                const struct kernel_rule *rule, const struct addr *dst)
{
    for (size_t i = 0; i < table->group_count; i++) {
        const struct route_group *group = &table->groups[i];
        uint32_t index;
        if (group->family != dst->family || group->table != rule->table)
            continue;
        if (!prefix_map_find(&group->map, dst, &index))
            return NULL;
        const struct kernel_route *route = &table->routes[index];
        bool suppressed = rule->suppress_prefix_len >= 0 && route->prefix_len <= rule->suppress_prefix_len;
        return suppressed || route->type == RTN_THROW ? NULL : route;
    }
    return NULL;
}

/* Follow the rules. NULL: no route, *ret_error says why. */
static const struct kernel_route *find_route(const struct route_table *table, const struct addr *dst,
                                             int *ret_error)
{
    uint32_t from = 0; /* FR_ACT_GOTO leads forwards only */
    *ret_error = ENETUNREACH;
    for (size_t i = 0; i < table->rule_count; i++) {
        const struct kernel_rule *rule = &table->rules[i];
        if (rule->priority < from || !rule_matches(table, rule, dst))
            continue;
        if (rule->action == FR_ACT_GOTO) {
            from = rule->target;
        } else if (rule->action == FR_ACT_TO_TBL) {
            const struct kernel_route *route = find_in_table(table, rule, dst);
            if (route)
                return route;
        } else if (rule->action != FR_ACT_NOP) {
            *ret_error = rule->action == FR_ACT_PROHIBIT    ? EACCES
                         : rule->action == FR_ACT_BLACKHOLE ? EINVAL
                                                            : ENETUNREACH;
            return NULL;
        }
    }
    return NULL;
}

static bool is_group(const struct addr *addr)
{
    if (addr->family == ADDR_V6)
        return addr->bytes[0] == 0xff;
    return (addr->bytes[0] & 0xf0) == 0xe0 || addr_to_v4(addr) == UINT32_MAX;
}

static void refuse(struct route *ret, int error)
{
    *ret = (struct route){.kind = ROUTE_NONE, .error = error};
}

static struct addr source_for(const struct route_table *table, const struct kernel_route *route,
                              const struct link *link, const struct addr *dst)
{
    if (table->options.source.family == dst->family)
        return table->options.source;
    if (route->source.family == dst->family)
        return route->source;
    return route_choose_source(table, link, dst);
}

/* The answer for a destination that `route` sends out of a link. */
static void go_out(const struct route_table *table, const struct kernel_route *route, const struct addr *dst,
                   struct route *ret)
{
    const struct link *link = route_link(table, route->index);
    if (!link || !link->up) {
        refuse(ret, link ? ENETDOWN : ENODEV);
        return;
    }
    struct route way = {.link = link, .source = source_for(table, route, link, dst), .next_hop = *dst};
    if (!way.source.family) {
        refuse(ret, EADDRNOTAVAIL);
        return;
    }
    if (link->kind != LINK_ETHERNET) {
        way.kind = ROUTE_PLAIN;
    } else if (is_group(dst) || route->type == RTN_BROADCAST || route->type == RTN_MULTICAST) {
        way.kind = ROUTE_GROUP;
    } else if (route->gateway.family) {
        way.kind = ROUTE_GATEWAY;
        way.next_hop = route->gateway;
    } else {
        way.kind = ROUTE_LINK;
        if (addr_is_link_local(dst))
            way.next_hop.scope = link->index;
    }
    *ret = way;
}

/* What is sent to an address of this machine goes through the loopback link, wherever the address stands. */
static void stay_in(const struct route_table *table, const struct kernel_route *route, const struct addr *dst,
                    struct route *ret)
{
    const struct link *link = loopback_of(table);
    if (!link || !link->up) {
        refuse(ret, ENETDOWN);
        return;
    }
    *ret = (struct route){.kind = ROUTE_LOCAL, .link = link, .next_hop = *dst, .source = *dst};
    if (table->options.source.family == dst->family)
        ret->source = table->options.source;
    else if (route->source.family == dst->family)
        ret->source = route->source;
}

static bool has_address(const struct route_table *table, const struct addr *addr)
{
    for (size_t i = 0; i < table->address_count; i++)
        if (addr_equal(&table->addresses[i].addr, addr))
            return true;
    return false;
}

/* Addresses that mean something on one link only: the zone (or the interface the user named) is the route. */
static void find_scoped(const struct route_table *table, const struct addr *dst, struct route *ret)
{
    struct addr scoped = *dst;
    scoped.scope = dst->scope ? dst->scope : table->interface;
    struct kernel_route route = {.type = RTN_UNICAST, .index = scoped.scope};
    if (!scoped.scope) {
        refuse(ret, EINVAL);
        return;
    }
    if (has_address(table, &scoped))
        stay_in(table, &route, &scoped, ret);
    else
        go_out(table, &route, &scoped, ret);
}

void route_find(const struct route_table *table, const struct addr *dst, struct route *ret)
{
    if (addr_is_link_local(dst) || dst->scope) {
        find_scoped(table, dst, ret);
        return;
    }
    int error;
    const struct kernel_route *route = find_route(table, dst, &error);
    if (!route && table->interface && error == ENETUNREACH) {
        /* As the kernel does for a socket bound to an interface: what no route explains is on its link. */
        go_out(table, &(struct kernel_route){.type = RTN_UNICAST, .index = table->interface}, dst, ret);
        return;
    }
    if (!route) {
        refuse(ret, error);
        return;
    }
    switch (route->type) {
    case RTN_LOCAL:
    case RTN_ANYCAST:
        stay_in(table, route, dst, ret);
        break;
    case RTN_UNREACHABLE:
        refuse(ret, EHOSTUNREACH);
        break;
    case RTN_PROHIBIT:
        refuse(ret, EACCES);
        break;
    case RTN_BLACKHOLE:
        refuse(ret, EINVAL);
        break;
    default:
        go_out(table, route, dst, ret);
        break;
    }
}

uint32_t route_zone(const struct route_table *table, const struct addr *addr, uint32_t link)
{
    const struct link *loopback = loopback_of(table);
    struct addr scoped = *addr;
    for (size_t i = 0; loopback && loopback->index == link && i < table->address_count; i++) {
        scoped.scope = table->addresses[i].addr.scope;
        if (addr_equal(&table->addresses[i].addr, &scoped))
            return scoped.scope;
    }
    return link;
}

bool route_is_local(const struct route_table *table, const struct addr *addr)
{
    if (addr_is_link_local(addr) || addr->scope)
        return has_address(table, addr);
    /* Whether the loopback link is up does not matter: what comes to us comes over other links. */
    int error;
    const struct kernel_route *route = find_route(table, addr, &error);
    return route && (route->type == RTN_LOCAL || route->type == RTN_ANYCAST);
}
