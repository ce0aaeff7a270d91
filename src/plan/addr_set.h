/* A set of addresses as sorted, disjoint ranges. Grows by appending in any order; addr_set_normalize() then sorts and
 * merges, and only a normalized set can be asked anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct addr_range {
    struct addr first; /* same family and scope as last, first <= last */
    struct addr last;
    uint64_t before; /* addresses of the set in all ranges before this one; set by addr_set_normalize */
};

struct addr_set {
    struct addr_range *ranges; /* owned; NULL when empty */
    size_t count;
    size_t capacity;
    uint64_t addr_count; /* set by addr_set_normalize */
};

/* 0, -ENOMEM, or -EINVAL when last < first or the families or scopes differ. */
int addr_set_add(struct addr_set *set, struct addr first, struct addr last);

/* Sort, merge, count. -EOVERFLOW when the set has 2^63 addresses or more (an IPv6 range too large to scan), -ENOMEM. */
int addr_set_normalize(struct addr_set *set);

/* set := set without `remove`; both normalized, and set stays so. Returns the number of addresses removed in *ret. */
int addr_set_subtract(struct addr_set *set, const struct addr_set *remove, uint64_t *ret_removed);

struct addr addr_set_at(const struct addr_set *set, uint64_t index); /* index < addr_count */
bool addr_set_find(const struct addr_set *set, const struct addr *addr, uint64_t *ret_index);
void addr_set_done(struct addr_set *set); /* frees what set owns and empties it; NULL is allowed */
