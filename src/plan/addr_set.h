/* A set of addresses as sorted, disjoint ranges. Grows by appending in any order; addr_set_normalize() then
 * sorts and merges, and only a normalized set can be asked anything. Order: IPv4, then IPv6 by zone, then by
 * address.
 *
 * Memory is 12 bytes for each IPv4 range and 48 for each IPv6 range, however many addresses they hold. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct addr_range_v4 {
    uint32_t first;
    uint32_t last;
    uint32_t before; /* addresses of the set in all ranges before this one; set by addr_set_normalize */
};

struct addr_range_v6 {
    uint8_t first[16];
    uint8_t last[16];
    uint64_t before; /* likewise, IPv4 addresses included */
    uint32_t scope;
};

/* All zeros is the empty set, and normalized. */
struct addr_set {
    struct addr_range_v4 *v4; /* owned; NULL when empty */
    struct addr_range_v6 *v6; /* owned; NULL when empty */
    size_t v4_count;
    size_t v4_capacity;
    size_t v6_count;
    size_t v6_capacity;
    uint64_t addr_count; /* set by addr_set_normalize; UINT64_MAX after it returned -EOVERFLOW */
    bool dirty;          /* changed since the last addr_set_normalize */
};

/* 0, -ENOMEM, or -EINVAL when last < first or the families or scopes differ. */
int addr_set_add(struct addr_set *set, struct addr first, struct addr last);

/* Sort, merge, count. -EOVERFLOW when the set has 2^63 addresses or more (IPv6 ranges too large to scan): it
 * is then sorted and merged all the same and may be subtracted from another, but not asked for positions. */
int addr_set_normalize(struct addr_set *set);

/* set := set without `remove`; both normalized, and set stays so. Ranges in `remove` without a zone also take
 * away what has one. *ret_removed: how many addresses were taken away. 0 or -ENOMEM, which leaves set as it
 * was. */
int addr_set_subtract(struct addr_set *set, const struct addr_set *remove, uint64_t *ret_removed);

struct addr addr_set_at(const struct addr_set *set, uint64_t index); /* index < addr_count */
bool addr_set_find(const struct addr_set *set, const struct addr *addr, uint64_t *ret_index);
void addr_set_done(struct addr_set *set); /* frees what set owns and empties it; NULL is allowed */
