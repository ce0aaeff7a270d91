/* A host that limits its resets or ICMP errors is scanned in a lane of its own: a block of one host, sent at the pace of
 * the limiter. Its unanswered probes are asked in cycles.
 *
 * Silence while the bucket was empty means nothing, and whether it was empty is only believed, not known. So silence
 * counts only after quiet cycles, in which nothing was answered and nothing used a token up, when the canary, a port that
 * is known to draw a limited answer, draws one again right after them: then a token was there all the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/limiter.h"

#define LANE_WINDOW 64

enum lane_state {
    LANE_CYCLE,  /* asking everything that is pending, once */
    LANE_PAUSE,  /* a quiet cycle is over, or the bucket must fill before one: until lane.resume_ns */
    LANE_CANARY, /* asking the canary */
};

/* A probe that waits for its answer. */
struct lane_probe {
    uint64_t bit;
    int64_t sent_ns;
};

struct lane {
    struct limiter limiter;
    uint8_t state;  /* enum lane_state */
    uint64_t *bits; /* owned: what this cycle asks, in order */
    uint32_t bit_count, next_bit;
    uint32_t answers;       /* limited ones, in this cycle */
    uint32_t quiet_cycles;  /* in a row */
    uint32_t failed_rounds; /* in which no canary was answered, since the last answer */
    uint8_t try_number;     /* of this cycle; try numbers come round again */
    int64_t began_ns;       /* this cycle */
    struct lane_probe waiting[LANE_WINDOW];
    uint32_t waiting_count;
    int64_t resume_ns;
    uint64_t canary_bit;
    uint8_t canaries_sent; /* in this LANE_CANARY */
    bool canary_answered;
    int64_t canary_sent_ns;
};

/* bits_max: probes of the host. NULL without memory. */
struct lane *lane_new(uint32_t bits_max, uint64_t canary_bit, int64_t now_ns);
void lane_free(struct lane *lane); /* NULL is allowed */
