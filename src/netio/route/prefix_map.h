/* Longest-prefix match: prefixes, flattened once into disjoint spans of addresses, so that a look-up is one
 * binary search however they lie inside one another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct prefix {
    struct addr start; /* first address; the bits behind prefix_len are 0 */
    uint8_t prefix_len;
    uint32_t value; /* what a look-up gives; < UINT32_MAX */
};

struct prefix_span;

/* Prefixes of one family. */
struct prefix_map {
    struct prefix_span *spans; /* owned; NULL when empty */
    size_t count;
};

/* By first address, then by length, then by value: the order prefix_map_init wants (all of one family). */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* prefixes: sorted; of two with the same start and length the first counts. 0 or -ENOMEM. */
int prefix_map_init(struct prefix_map *ret, const struct prefix *prefixes, size_t count);
void prefix_map_done(struct prefix_map *map);

/* The value of the longest prefix that holds addr, which is of the map's family. False: none does. */
bool prefix_map_find(const struct prefix_map *map, const struct addr *addr, uint32_t *ret_value);

/* Does the prefix hold the address? Families must be the same for it to. */
bool prefix_holds(const struct addr *start, uint8_t prefix_len, const struct addr *addr);
