/* Do the networks behind one path differ? Hosts that are reached alike share a path, until the answers of one
 * network (IPv4 /16, then /24; IPv6 /48, then /64) show that another way leads to it.
 *
 * Hosts and ports are asked in an order that is drawn by lot. So what befalls all of them alike befalls a
 * network as often as its hosts are asked: if a share f of all that is known is about it, the chance that it
 * has a share of x or more of what was bad, `bad` times in all, is at most exp(-bad D(x, f)), with D(x, f) =
 * x ln(x/f) + (1 - x) ln((1 - x)/(1 - f)): Chernoff's bound, of which Hoeffding (1963, section 6) shows that
 * it holds for draws without replacement. A delay comes and goes, and not all networks are asked at all
 * times. So it is counted by short slices of time, each of which adds `bad` f to what is expected of the
 * network; if that is e in all, the chance of k or more is at most exp(-(k ln(k/e) - k + e)).
 *
 * Networks are looked at when what is bad has doubled, and each look has a part of DIVISION_ERROR, so that
 * all looks at a path together are wrong no more often than that. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "verdict/record.h"

/* The chance that a path is ever split for nothing. */
#define DIVISION_ERROR 1e-6

#define DIVISION_LEVELS 2 /* /16 and /24; /48 and /64 */

/* So many networks of each level are watched; others stay with the path. */
#define DIVISION_NETWORKS_MAX 192

/* Addresses that begin alike. */
struct network {
    uint64_t bits;  /* the first 64 of its addresses, those behind the prefix 0; IPv4 fills the upper half */
    uint8_t family; /* enum addr_family */
    uint8_t prefix_len; /* 0: all addresses */
};

struct network network_of(const struct addr *host, uint8_t prefix_len); /* prefix_len <= 64; 32 for IPv4 */
bool network_contains(const struct network *network, const struct addr *host);
struct addr network_first(const struct network *network); /* its first address */

/* How often something is known, and was bad. */
struct outcomes {
    double all, bad;
};

struct tally {
    struct network network; /* of family ADDR_NONE: a free place */
    struct outcomes of[PATH_DIFFERENCE_COUNT];
    struct outcomes slice; /* what was late in this slice of time, and is not among those yet */
    double late_expected;  /* of those of before, if all networks are alike */
};

#define DIVISION_PLACES 256

struct division {
    struct tally tallies[DIVISION_LEVELS][DIVISION_PLACES]; /* by a hash of the network */
    unsigned counts[DIVISION_LEVELS];
    bool is_crowded; /* there are more networks than are watched */
    struct outcomes total[PATH_DIFFERENCE_COUNT];
    double next_look[PATH_DIFFERENCE_COUNT]; /* when so much is bad */
    uint64_t looks;
    struct outcomes slice;
    int64_t slice_from_ns, span_from_ns; /* what was late is counted since then */
};

/* Nothing is known, but how often was looked before: the chance of an error is not given out twice. */
void division_reset(struct division *division, int64_t now_ns);

/* Of what is known of this host's network, `all` more, and of these `bad`. */
void division_count(struct division *division, const struct addr *host, enum path_difference what,
                    struct outcomes more);

/* What is known of losses is to count for so many tries at most from now on. */
#define DIVISION_TRIES_REMEMBERED 16384.0
void division_forget(struct division *division, double all_kept);

struct divided {
    struct network network;
    enum path_difference what;
    struct outcomes part[PATH_DIFFERENCE_COUNT], rest[PATH_DIFFERENCE_COUNT];
};

/* Does a network differ from the rest, so that it matters? Of several the wider ones first, and then the one
 * that is least likely to do so by chance. */
bool division_look(struct division *division, int64_t now_ns, struct divided *ret);

double outcomes_share(const struct outcomes *outcomes); /* that was bad; 0, if nothing is known */

/* Is a share of what is known less than `limit`, but for a chance of `error`? */
bool outcomes_are_below(const struct outcomes *outcomes, double limit, double error);
