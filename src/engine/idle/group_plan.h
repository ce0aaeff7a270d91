/* How many ports to test at once, and with how many SYNs each, so that a scan takes least time: large groups
 * save time where nothing is open, many SYNs stand out of the zombie's own traffic, and both take time to
 * send. */
#pragma once

#include <stdint.h>

#include "engine/idle/evidence.h"

struct group_plan {
    const struct background *background; /* borrowed */
    struct arrival arrival;
    double rate_pps; /* of the SYNs */
    int64_t wait_ns; /* that a test takes beside sending */
    int64_t show_ns; /* within which what it moves shows, beside sending */
    double density;  /* share of ports that are open */
    double none_at;  /* ln of the likelihood ratio that silence must come to */
};

/* How many SYNs to each of so many ports: after fewer silence would not settle a test; more, where they take
 * no time. */
unsigned group_plan_copies(const struct group_plan *plan, uint32_t ports);

/* How many ports to begin with, at most `most`. */
uint32_t group_plan_size(const struct group_plan *plan, uint32_t most);
