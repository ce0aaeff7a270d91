/* An IPv4 target as a set of values for each of its four octets: 198.18.0-3.1,5-9, and with a prefix length
 * also any network, for cutting off host bits and filling them up again works on each octet by itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/addr_set.h"

struct octets {
    bool has[4][256];
};

/* Read "a.b.c.d", each octet a comma-separated list of n, a-b, a-, -b, "-" and "*".
 *   target  what the user wrote, for the error; text and len are the part of it without the prefix length
 * Returns 0 or EX_USAGE. */
int octets_parse(const char *target, const char *text, size_t len, struct octets *ret, struct error *err);

/* Let the bits behind the first prefix_len (0 to 32) take every value. */
void octets_widen(struct octets *octets, unsigned prefix_len);

/* Add every address to the set, as the fewest ranges. 0, -ENOMEM, or, before any is added, -E2BIG when they
 * are so scattered that they would take more than ranges_max ranges. */
int octets_add(const struct octets *octets, uint32_t ranges_max, struct addr_set *set);
