/* How an address is reached, found out without privilege: a connected UDP socket has a route and a source
 * address, and no packet has left. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "netio/connect/socket.h"
#include "netio/netio.h"

#define CONNECT_ROUTES_CACHED 256 /* a power of two */

struct connect_route {
    struct addr dst; /* ADDR_NONE: empty */
    struct addr source;
    int64_t found_ns;
    uint8_t reach; /* enum reach; never REACH_LINK, as nothing below IP is ours to use */
};

struct connect_routes {
    int fd4, fd6; /* -1: the family does not exist here */
    struct connect_route cache[CONNECT_ROUTES_CACHED];
};

/* Fails with EX_UNAVAILABLE when the interface or a source address of the setup is not there, EX_OSERR
 * without descriptors. */
int connect_routes_init(struct connect_routes *ret, const struct connect_setup *setup, struct error *err);
void connect_routes_done(struct connect_routes *routes);

/* Answers from the cache for a second. The result is valid until the next call. When the look-up itself runs
 * short of something, the host counts as routed, with no source address. */
const struct connect_route *connect_route_find(struct connect_routes *routes, const struct addr *dst,
                                               int64_t now_ns);

/* Can dst be ours, as far as the cache knows? Costs no look-up: true when it does not know. */
bool connect_route_may_be_local(const struct connect_routes *routes, const struct addr *dst);
