/* The plan: what is to be probed, in which order. Immutable once made, and a pure function of what it was
 * made from.
 *
 * Hosts are held as address ranges, never one by one; a position in the plan's order becomes an address, and
 * an address its position, by arithmetic alone. The order is a keyed permutation, so load spreads over
 * networks; shard i of N is every position p with p % N == i. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/error.h"
#include "plan/addr_set.h"
#include "plan/permutation.h"
#include "plan/port_set.h"

struct plan_options {
    uint64_t seed;        /* of the order of hosts and ports */
    bool in_order;        /* -r: ports ascending instead of permuted */
    bool allow_special;   /* --allow-special: scan 0/8, 224/4, 240/4, ff00::/8 and attached broadcast too */
    uint64_t shard_index; /* 0-based, < shard_count */
    uint64_t shard_count; /* >= 1 */
};

/* Addresses left out as special, by kind; for the note to the user. */
enum special_kind {
    SPECIAL_THIS_NETWORK, /* 0.0.0.0/8 and :: */
    SPECIAL_MULTICAST,    /* 224.0.0.0/4, ff00::/8 */
    SPECIAL_RESERVED,     /* 240.0.0.0/4 with 255.255.255.255 */
    SPECIAL_BROADCAST,    /* broadcast address of an attached network */
    SPECIAL_COUNT
};

/* For the note: "multicast (224.0.0.0/4 and ff00::/8)", ... */
const char *special_kind_name(enum special_kind kind);

/* Over 32 KiB because of the ports: not for the stack. */
struct plan {
    struct addr_set targets; /* what is scanned: without excluded and special addresses */
    struct port_set ports;   /* per protocol, ascending */
    struct plan_options options;
    uint64_t host_count;                   /* of this shard */
    uint64_t excluded_count;               /* addresses named as targets and excluded */
    uint64_t special_count[SPECIAL_COUNT]; /* of what is not excluded: left out as special */
    struct permutation host_order;         /* over all targets, before sharding */
};

/* Make a plan; takes over *targets and *ports (they are empty afterwards, whatever the outcome). The sets
 * need not be normalized; this does it.
 *   excluded    removed from targets; may be NULL
 *   broadcasts  of attached networks, left out unless allow_special; may be NULL
 * Fails with EX_DATAERR when nothing is left to scan or there are 2^63 targets or more, EX_OSERR without
 * memory. */
int plan_init(struct plan *ret, struct addr_set *targets, struct addr_set *excluded,
              struct addr_set *broadcasts, struct port_set *ports, const struct plan_options *options,
              struct error *err);
void plan_done(struct plan *plan);

/* Keep only share `index` of `count` equal parts of this shard's hosts: a shard of the shard. */
void plan_take_share(struct plan *plan, uint64_t index, uint64_t count);

/* Is it a target of the plan before it was sharded, though of another shard? */
bool plan_is_anothers(const struct plan *plan, const struct addr *addr);

/* The host at a position of this shard's order; position < plan->host_count. */
struct addr plan_host_at(const struct plan *plan, uint64_t position);

/* Where an address stands in this shard's order. False when it is not a target of this shard. */
bool plan_host_find(const struct plan *plan, const struct addr *addr, uint64_t *ret_position);
