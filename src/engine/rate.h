/* The rate: starts at a default that is safe on a LAN, doubles while the share of first probes that is answered stays
 * what it was, and goes back when that share falls. Silent hosts give no signal: there the default stays. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate_limits {
    double default_pps; /* start, and the least that loss leads to */
    double min_pps;     /* --min-rate; 0: none */
    double max_pps;     /* --max-rate; 0: RATE_CEILING_PPS */
};

#define RATE_CEILING_PPS 1e6

struct rate {
    struct rate_limits limits;
    double pps;
    int64_t window_started_ns;
    uint64_t sent;      /* first tries in this window */
    uint64_t answered;  /* first tries answered in this window */
    double usual_share; /* answered / sent as it used to be; 0: not known */
};

void rate_init(struct rate *rate, const struct rate_limits *limits, int64_t now_ns);
void rate_sent(struct rate *rate, uint64_t first_tries);
void rate_answered(struct rate *rate);

/* Look at the window when it is over; rtt_ns: a typical round trip, 0 when not known. A window lasts two of them, so that
 * after a change half of its answers are to the new rate. True: pps has changed. */
bool rate_update(struct rate *rate, int64_t now_ns, int64_t rtt_ns);
