/* Limiters of resets and ICMP errors of simulated hosts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/sim.h"

struct sim_limit {
    double tokens;
    int64_t at_ns; /* when tokens was right */
};

struct sim_limits {
    struct sim_limit rst, icmp;
};

void sim_limits_init(struct sim_limits *limits, const struct sim_host *host, int64_t now_ns);

/* May the host send one more? Takes a token if there is one. rate_pps: of this limiter; 0: it has none. */
bool sim_limit_passes(struct sim_limit *limit, const struct sim_host *host, double rate_pps, int64_t now_ns);
