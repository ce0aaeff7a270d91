/* Which way a destination lies: interface, next hop, source address. The kernel's links, addresses, routes
 * and policy rules are read once and become sorted arrays, so that a look-up is a few binary searches and no
 * system call.
 *
 * Policy rules are followed as fib_rules does, for packets that this machine sends with mark 0: by source
 * (only with a fixed one) and destination prefix, output interface, inversion, goto, suppressed prefix
 * lengths. Rules that ask for ports, protocol, user, tunnel or VRF are passed over. Of a multipath route the
 * first living next hop is taken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "netio/route/netlink.h"
#include "netio/route/prefix_map.h"
#include "plan/addr_set.h"

enum route_kind {
    ROUTE_NONE,    /* no way: see error */
    ROUTE_LOCAL,   /* an address of this machine */
    ROUTE_LINK,    /* on an attached network: ARP or ND finds the destination itself */
    ROUTE_GATEWAY, /* ARP or ND finds a gateway */
    ROUTE_GROUP,   /* broadcast or multicast: the link-layer address follows from the destination */
    ROUTE_PLAIN    /* over a link without addresses */
};

struct route {
    uint8_t kind;            /* enum route_kind */
    int error;               /* ROUTE_NONE: the errno that a socket would get; else 0 */
    const struct link *link; /* borrowed from the table; NULL for ROUTE_NONE */
    struct addr next_hop;    /* ROUTE_LINK: the destination, with its scope; ROUTE_GATEWAY: the gateway */
    struct addr source;      /* never ADDR_NONE, unless ROUTE_NONE */
};

/* What the user wants otherwise. */
struct route_options {
    char interface[IFNAMSIZ]; /* -e: all but this machine's own addresses is out there; "": as routes say */
    struct addr source;       /* -S: for its family; ADDR_NONE: choose */
};

/* The routes of one family and table. */
struct route_group {
    uint8_t family;
    uint32_t table;
    struct prefix_map map; /* values are indexes into route_table.routes */
};

struct route_table {
    struct route_options options;
    uint32_t interface; /* index of options.interface; 0: any */
    struct link *links; /* by index */
    size_t link_count;
    struct link_address *addresses;
    size_t address_count;
    struct kernel_route *routes; /* by family, table, prefix and metric */
    size_t route_count;
    struct kernel_rule *rules; /* of each family by priority, as the kernel lists them */
    size_t rule_count;
    struct route_group *groups;
    size_t group_count;
};

/* An empty table, to be filled with the route_table_add functions and closed with route_table_finish. */
void route_table_init(struct route_table *ret, const struct route_options *options);
int route_table_add_link(struct route_table *table, const struct link *link);               /* 0 or -ENOMEM */
int route_table_add_address(struct route_table *table, const struct link_address *address); /* 0 or -ENOMEM */
int route_table_add_route(struct route_table *table, const struct kernel_route *route);     /* 0 or -ENOMEM */
int route_table_add_rule(struct route_table *table, const struct kernel_rule *rule);        /* 0 or -ENOMEM */

/* Sort everything. Without a rule of a family, the kernel's three usual ones count.
 * -EX_UNAVAILABLE when options name an interface that is not there, -EX_OSERR without memory. */
int route_table_finish(struct route_table *table, struct error *err);

/* All of that from the kernel, in the network namespace of this thread. *ret is to be released with
 * route_table_done. */
int route_table_load(struct route_table *ret, const struct route_options *options, struct error *err);

/* The same later on, through the sockets of a watch. */
struct netlink_watch;
int route_table_load_again(struct route_table *ret, struct netlink_watch *watch,
                           const struct route_options *options, struct error *err);

void route_table_done(struct route_table *table); /* frees what it owns and empties it */

/* The way to dst. *ret is always filled in; its kind says whether there is one. In route_find.c. */
void route_find(const struct route_table *table, const struct addr *dst, struct route *ret);

const struct link *route_link(const struct route_table *table, uint32_t index); /* NULL: there is none */
bool route_is_local(const struct route_table *table,
                    const struct addr *addr); /* an address of this machine? */

/* The zone of a link-local address in a packet that came over this link (RFC 4007): the link itself. But over
 * the loopback link only this machine talks to itself, so there it is the link that has the address. */
uint32_t route_zone(const struct route_table *table, const struct addr *addr, uint32_t link);

/* Do packets for us arrive on this link? Not on a port of a bridge or bond without an address of its own:
 * what it carries shows up again on the bridge. True for links that are not in the table. */
bool route_link_in_use(const struct route_table *table, uint32_t index);

/* Broadcast addresses of attached networks, appended to `ret` (not normalized). 0 or -ENOMEM. */
int route_broadcasts(const struct route_table *table, struct addr_set *ret);

/* The source address that the kernel would choose: of `link` towards `towards` (RFC 6724 rules 1 to 3, 6 and
 * 8 for IPv6), else of any link. ADDR_NONE: there is none. In route_source.c. */
struct addr route_choose_source(const struct route_table *table, const struct link *link,
                                const struct addr *towards);
