/* Soundings: probes that are known to be answered, sent now and then where answers are rare. They tell how
 * long a path takes, what it loses, and whether it is there at all. Echo requests are best, since they leave
 * nothing behind at the host; a port that a service answered on will do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/departure.h"

#define SOUNDINGS_MAX 256

struct sounding {
    struct departure sent;
    uint32_t block_id, slot;
    bool sure;   /* the host has answered such a probe before */
    bool judges; /* ... and its fate is evidence of its own about the rate */
};

struct soundings {
    struct sounding waiting[SOUNDINGS_MAX]; /* in the order they were sent; those answered are gone */
    unsigned count;
    int64_t next_ns;                /* when the next may be sent */
    uint64_t answers;               /* of the path, when the last was sent */
    unsigned turns, turns_answered; /* of TURNS; and in so many of them something was answered */
    bool rarely;                    /* as it was most times in the TURNS before */
    double step_pps;                /* the rate, when the last was sent, */
    unsigned step_count;            /* and how many were since it is that */
    int64_t judged_ns;              /* when the last left that judges the rate */
};
