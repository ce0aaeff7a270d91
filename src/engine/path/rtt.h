/* Round-trip time and time-out (RFC 6298). Every try has a token of its own, so every sample is unambiguous
 * and Karn's rule is not needed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rtt {
    int64_t srtt_ns; /* 0 until the first sample */
    int64_t rttvar_ns;
    int64_t rto_ns;
    bool has_sample;
};

struct rtt_limits {
    int64_t min_rto_ns, initial_rto_ns, max_rto_ns;
};

void rtt_init(struct rtt *rtt, const struct rtt_limits *limits);

/* Fold in one measurement; sample_ns >= 0. RFC 6298 sections 2.2 and 2.3: alpha = 1/8, beta = 1/4, K = 4,
 * with the floor of the limits instead of 1 s. */
void rtt_sample(struct rtt *rtt, const struct rtt_limits *limits, int64_t sample_ns);

/* How long to wait for what left before something that is answered already: only for what was overtaken.
 * least_ns: at least so long, and never longer than usual. */
int64_t rtt_prompt_rto_ns(const struct rtt *rtt, int64_t least_ns);
