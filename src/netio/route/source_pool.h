/* Addresses of our own that probes may leave from besides the usual one (--source-pool). A host that limits
 * its ICMP errors for each address that they go to has a bucket for every one of these. Members have numbers
 * from 1 on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "plan/addr_set.h"

struct route_table;

#define SOURCE_POOL_MAX 1024 /* of each family: more buckets than hosts let all others together have */

struct source_pool {
    struct addr *addrs; /* owned: IPv4, then IPv6, each ascending; number n is addrs[n - 1] */
    uint32_t v4_count, v6_count;
};

/* The first SOURCE_POOL_MAX addresses of each family; a range of IPv6 addresses does not begin with the one
 * that belongs to its network's routers (RFC 4291 section 2.6.1).
 *   set      sorted by addr_set_normalize, which may have found it too large to count
 *   routes   must have a way to each: an address of this machine, or of a prefix that is routed to it
 *   foreign  take addresses that are not of this machine, too
 * -EX_UNAVAILABLE with a line that says which are not, -EX_USAGE for link-local addresses, -EX_OSERR. *ret is
 * to be released with source_pool_done. */
int source_pool_make(const struct addr_set *set, const struct route_table *routes, bool foreign,
                     struct source_pool *ret, struct error *err);
void source_pool_done(struct source_pool *pool);

/* The number of an address; 0: not a member. */
uint16_t source_pool_find(const struct source_pool *pool, const struct addr *addr);

/* The members for probes to hosts of this family have the numbers *ret_first .. *ret_first + the count
 * returned - 1. */
uint32_t source_pool_of(const struct source_pool *pool, uint8_t family, uint16_t *ret_first);

/* The address of a number from 1 on. */
struct addr source_pool_at(const struct source_pool *pool, uint16_t number);
