/* Limiters of resets and ICMP errors of simulated hosts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/sim/sim.h"

struct sim_limit {
    double tokens;
    int64_t at_ns; /* when tokens was right */
};

#define SIM_LIMIT_SOURCES 1024 /* of these the last 10 bits differ */

struct sim_limits {
    struct sim_limit rst, icmp;
    struct sim_limit *of_source; /* owned; NULL: one for all */
};

bool sim_limits_init(struct sim_limits *limits, const struct sim_host *host,
                     int64_t now_ns); /* false without memory */
void sim_limits_done(struct sim_limits *limits);

/* May the host send one more ICMP error, to this address? */
bool sim_icmp_passes(struct sim_limits *limits, const struct sim_host *host, const struct addr *source,
                     int64_t now_ns);

/* May the host send one more? Takes a token if there is one. rate_pps: of this limiter; 0: it has none. */
bool sim_limit_passes(struct sim_limit *limit, const struct sim_host *host, double rate_pps, int64_t now_ns);
