/* The time that a scan of a scenario takes at best, from the scenario's parameters alone. */
#pragma once

#include <stdint.h>

/* What decides it. Times are in seconds. */
struct ideal_case {
    double rtt_s;
    double loss;            /* each way, 0 .. 1 */
    double burst_s;         /* mean burst in which packets are lost; 0: each is lost by itself */
    double bottleneck_pps;  /* 0: none */
    double answering;       /* ports that answer, of all hosts */
    double silent;          /* ports that do not */
    double answering_share; /* of a host's ports, 0 .. 1 */
    double limited;         /* ports of one host whose answers it limits, */
    double limiter_pps;     /* to so many a second */
};

/* Tries of each port that somebody needs who knows how much is lost: until at most one port in a million has
 * a wrong state. Silence is never believed at once: two at least where ports are silent. */
unsigned ideal_tries(const struct ideal_case *ideal_case);

/* T = (ramp + 1) RTT + max(S/B, C/(L(1-loss)), (K-1) D), with ramp = max(0, log2(B RTT/16)), S =
 * answering/(1-loss)^2 + silent K, B = the bottleneck or 1 M/s, C = limited ports, L = the limiter's rate, K
 * = ideal_tries, D = max(RTT, burst). */
double ideal_seconds(const struct ideal_case *ideal_case);
