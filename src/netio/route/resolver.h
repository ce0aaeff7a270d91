/* Finds the link-layer addresses of gateways, and of hosts on the link that nobody has asked for: asks twelve
 * times within little more than a second, then gives up. (RFC 4861 asks three times; but where one packet in
 * ten is lost each way, that would call one gateway in 150 dead, and all behind it filtered.) A known gateway
 * is asked again now and then, while it goes on to be used, so that one that has moved is found. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/batch.h"
#include "netio/route/neighbor.h"
#include "netio/route/route.h"

#define RESOLVER_QUESTIONS_MAX 8 /* that are asked at the same time */

struct question {
    bool open;
    const struct link *link; /* borrowed from the routes */
    struct addr source;
    struct addr target;
    bool gateway;   /* others are reached through it */
    unsigned tries; /* questions sent */
    int64_t due_ns; /* of the next one, or of giving up */
};

struct resolver {
    const struct route_table *routes; /* borrowed */
    struct neighbor_table *neighbors; /* owned */
    struct question questions[RESOLVER_QUESTIONS_MAX];
};

/* Starts with what the kernel knows. -EX_OSERR. */
int resolver_init(struct resolver *ret, const struct route_table *routes, int64_t now_ns, struct error *err);
void resolver_done(struct resolver *resolver);

/* From now on these routes: questions that are open are forgotten, and asked again when they are needed. */
void resolver_follow(struct resolver *resolver, const struct route_table *routes);

/* The state of the next hop of a ROUTE_GATEWAY or ROUTE_LINK route, and with NEIGHBOR_KNOWN its MAC.
 * NEIGHBOR_ASKED: an answer is awaited, come back later. */
enum neighbor_state resolver_next_hop(struct resolver *resolver, const struct route *route, int64_t now_ns,
                                      uint8_t ret_mac[static 6]);

/* Puts the questions that are due into the batch. */
void resolver_tick(struct resolver *resolver, struct batch *batch, int64_t now_ns);
int64_t resolver_due_ns(const struct resolver *resolver); /* of the next; TIME_NEVER: none */

/* The address that questions about `target` are asked from: one of the link if it has any, else the
 * route's. */
struct addr resolver_source(const struct resolver *resolver, const struct route *route,
                            const struct addr *target);
