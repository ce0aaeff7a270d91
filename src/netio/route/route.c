#include "netio/route/route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netio/route/netlink_watch.h"

#define LOAD_TRIES 5

void route_table_init(struct route_table *ret, const struct route_options *options)
{
    *ret = (struct route_table){.options = *options};
}

/* Room for one item more: arrays double when their count is a power of two. NULL without memory. */
static void *grow(void *array, size_t count, size_t item_len)
{
    if (count & (count - 1))
        return array;
    return reallocarray(array, count ? 2 * count : 1, item_len);
}

int route_table_add_link(struct route_table *table, const struct link *link)
{
    struct link *links = grow(table->links, table->link_count, sizeof *links);
    if (!links)
        return -ENOMEM;
    table->links = links;
    links[table->link_count++] = *link;
    return 0;
}

int route_table_add_address(struct route_table *table, const struct link_address *address)
{
    struct link_address *addresses = grow(table->addresses, table->address_count, sizeof *addresses);
    if (!addresses)
        return -ENOMEM;
    table->addresses = addresses;
    addresses[table->address_count++] = *address;
    return 0;
}

int route_table_add_route(struct route_table *table, const struct kernel_route *route)
{
    if (route->tos || route->prefix_len > 8 * addr_len(&route->dst))
        return 0;
    struct kernel_route *routes = grow(table->routes, table->route_count, sizeof *routes);
    if (!routes)
        return -ENOMEM;
    table->routes = routes;
    routes[table->route_count++] = *route;
    return 0;
}

int route_table_add_rule(struct route_table *table, const struct kernel_rule *rule)
{
    struct kernel_rule *rules = grow(table->rules, table->rule_count, sizeof *rules);
    if (!rules)
        return -ENOMEM;
    table->rules = rules;
    rules[table->rule_count++] = *rule;
    return 0;
}

static int compare_links(const void *left, const void *right)
{
    const struct link *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_routes(const void *left, const void *right)
{
    const struct kernel_route *a = left, *b = right;
    if (a->dst.family != b->dst.family)
        return a->dst.family < b->dst.family ? -1 : 1;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    struct prefix prefix_a = {.start = a->dst, .prefix_len = a->prefix_len, .value = a->metric};
    struct prefix prefix_b = {.start = b->dst, .prefix_len = b->prefix_len, .value = b->metric};
    return prefix_compare(&prefix_a, &prefix_b);
}

const struct link *route_link(const struct route_table *table, uint32_t index)
{
    struct link wanted = {.index = index};
    if (!table->link_count)
        return NULL;
    return bsearch(&wanted, table->links, table->link_count, sizeof *table->links, compare_links);
}

static int find_interface(struct route_table *table, struct error *err)
{
    const char *name = table->options.interface;
    if (!name[0])
        return 0;
    for (size_t i = 0; i < table->link_count; i++) {
        if (strcmp(table->links[i].name, name) == 0) {
            table->interface = table->links[i].index;
            return 0;
        }
    }
    return error_set(err, EX_UNAVAILABLE, "there is no interface '%s'", name);
}

/* Does the route count when all must go out of one interface? */
static bool route_fits(const struct route_table *table, const struct kernel_route *route)
{
    return !table->interface || route->index == table->interface || !route->index ||
           route->type == RTN_LOCAL || route->type == RTN_ANYCAST;
}

/* An IPv4 source depends on the route alone, so it is chosen here, once. */
static void choose_source4(const struct route_table *table, struct kernel_route *route)
{
    const struct link *link = route_link(table, route->index);
    if (route->dst.family != ADDR_V4 || route->source.family || !link || route->type == RTN_LOCAL)
        return;
    const struct addr *towards = route->gateway.family == ADDR_V4 ? &route->gateway : &route->dst;
    route->source = route_choose_source(table, link, towards);
}

/* One group from the routes [first, end), which are of one family and table. */
static int add_group(struct route_table *table, struct prefix *scratch, size_t first, size_t end)
{
    struct route_group *group = &table->groups[table->group_count];
    size_t count = 0;
    for (size_t i = first; i < end; i++) {
        if (!route_fits(table, &table->routes[i]))
            continue;
        choose_source4(table, &table->routes[i]);
        scratch[count++] = (struct prefix){
            .start = table->routes[i].dst, .prefix_len = table->routes[i].prefix_len, .value = (uint32_t)i};
    }
    *group =
        (struct route_group){.family = table->routes[first].dst.family, .table = table->routes[first].table};
    int result = prefix_map_init(&group->map, scratch, count);
    if (result == 0)
        table->group_count++;
    return result;
}

static bool same_group(const struct kernel_route *a, const struct kernel_route *b)
{
    return a->dst.family == b->dst.family && a->table == b->table;
}

static int make_groups(struct route_table *table)
{
    if (!table->route_count)
        return 0;
    struct prefix *scratch = calloc(table->route_count, sizeof *scratch);
    table->groups = calloc(table->route_count, sizeof *table->groups);
    int result = scratch && table->groups ? 0 : -ENOMEM;
    for (size_t first = 0, end; result == 0 && first < table->route_count; first = end) {
        for (end = first + 1; end < table->route_count; end++) {
            if (!same_group(&table->routes[first], &table->routes[end]))
                break;
        }
        result = add_group(table, scratch, first, end);
    }
    free(scratch);
    return result;
}

/* The three rules that the kernel starts with (ip-rule(8)). */
static int add_usual_rules(struct route_table *table, uint8_t family)
{
    static const struct {
        uint32_t priority, table;
    } usual[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}};

    for (size_t i = 0; i < table->rule_count; i++) {
        if (table->rules[i].family == family)
            return 0;
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        struct kernel_rule rule = {
            .family = family,
            .action = FR_ACT_TO_TBL,
            .priority = usual[i].priority,
            .table = usual[i].table,
            .suppress_prefix_len = -1,
        };
        int result = route_table_add_rule(table, &rule);
        if (result < 0)
            return result;
    }
    return 0;
}

int route_table_finish(struct route_table *table, struct error *err)
{
    if (table->link_count)
        qsort(table->links, table->link_count, sizeof *table->links, compare_links);
    int result = find_interface(table, err);
    if (result < 0)
        return result;
    if (table->route_count)
        qsort(table->routes, table->route_count, sizeof *table->routes, compare_routes);
    if (add_usual_rules(table, ADDR_V4) < 0 || add_usual_rules(table, ADDR_V6) < 0 || make_groups(table) < 0)
        return error_set(err, EX_OSERR, "no memory for the routing table");
    return 0;
}

void route_table_done(struct route_table *table)
{
    for (size_t i = 0; i < table->group_count; i++)
        prefix_map_done(&table->groups[i].map);
    free(table->groups);
    free(table->rules);
    free(table->routes);
    free(table->addresses);
    free(table->links);
    *table = (struct route_table){0};
}

static int visit_link(void *context, const struct link *link)
{
    return route_table_add_link(context, link);
}

static int visit_address(void *context, const struct link_address *address)
{
    return route_table_add_address(context, address);
}

static int visit_route(void *context, const struct kernel_route *route)
{
    return route_table_add_route(context, route);
}

static int visit_rule(void *context, const struct kernel_rule *rule)
{
    return route_table_add_rule(context, rule);
}

/* watch: NULL for a socket of its own */
static int load(struct route_table *ret, struct netlink_watch *watch, const struct route_options *options,
                struct error *err)
{
    struct route_table table = {0};
    struct netlink_visitor visitor = {
        .context = &table,
        .link = visit_link,
        .address = visit_address,
        .route = visit_route,
        .rule = visit_rule,
    };
    int result = -EX_TEMPFAIL;
    for (int i = 0; i < LOAD_TRIES && result == -EX_TEMPFAIL; i++) {
        route_table_done(&table);
        route_table_init(&table, options);
        result = watch ? netlink_watch_visit(watch, &visitor, err) : netlink_visit(&visitor, err);
    }
    if (result == 0)
        result = route_table_finish(&table, err);
    if (result < 0) {
        route_table_done(&table);
        return result;
    }
    *ret = table;
    return 0;
}

int route_table_load(struct route_table *ret, const struct route_options *options, struct error *err)
{
    return load(ret, NULL, options, err);
}

int route_table_load_again(struct route_table *ret, struct netlink_watch *watch,
                           const struct route_options *options, struct error *err)
{
    return load(ret, watch, options, err);
}

bool route_link_in_use(const struct route_table *table, uint32_t index)
{
    const struct link *link = route_link(table, index);
    if (!link || !link->enslaved || index == table->interface)
        return true;
    for (size_t i = 0; i < table->address_count; i++) {
        if (table->addresses[i].index == index && !table->addresses[i].addr.scope)
            return true;
    }
    return false;
}

int route_broadcasts(const struct route_table *table, struct addr_set *ret)
{
    for (size_t i = 0; i < table->route_count; i++) {
        const struct kernel_route *route = &table->routes[i];
        int result = route->type == RTN_BROADCAST ? addr_set_add(ret, route->dst, route->dst) : 0;
        if (result < 0)
            return result;
    }
    return 0;
}
