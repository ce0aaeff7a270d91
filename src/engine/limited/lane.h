/* A host that limits its resets or ICMP errors is scanned in a lane of its own: a block of one host, sent at
 * the pace of the limiter. Its unanswered probes are asked in cycles.
 *
 * With a pool of sources, the host is asked from all of them, each at the pace of its own bucket, as long as
 * answers come; what no answer came to any more is weighed from the usual address alone.
 *
 * Silence while the bucket was empty means nothing, and whether it was empty is only believed, not known. So
 * silence counts only after quiet cycles, in which nothing was answered and before each of which a token came
 * for sure, when the canary, a port that is known to draw a limited answer, draws one again right after them:
 * then a token was there all the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/limited/lane_pool.h"
#include "engine/limited/limiter.h"

#define LANE_WINDOW      64  /* probes that wait for their answers at the same time, */
#define LANE_WINDOW_POOL 512 /* with a pool */

enum lane_state {
    LANE_CYCLE,  /* asking everything that is pending, once */
    LANE_PAUSE,  /* a quiet cycle is over, or the bucket must fill before one: until lane.resume_ns */
    LANE_CANARY, /* asking the canary */
};

/* A probe that waits for its answer. */
struct lane_probe {
    uint64_t bit;
    int64_t sent_ns;
    uint16_t source; /* number in the pool; 0: the usual address */
};

struct lane {
    struct limiter limiter; /* as the usual address meets it */
    struct limiter errors;  /* of ICMP errors alone, where resets are asked for, too: answers: 0 else */
    struct lane_pool pool;
    bool alone;     /* the last cycle drew nothing: only the usual address asks */
    uint8_t state;  /* enum lane_state */
    uint64_t *bits; /* owned: what this cycle asks, in order */
    uint32_t bit_count, next_bit;
    uint32_t answers;           /* limited ones, in this cycle */
    bool is_void;               /* something of this cycle was lost by ourselves */
    uint32_t quiet_cycles;      /* in a row */
    uint32_t failed_rounds;     /* in which no canary was answered, since the last answer */
    uint8_t try_number;         /* of this cycle; try numbers come round again */
    int64_t began_ns;           /* this cycle */
    struct lane_probe *waiting; /* owned */
    uint32_t waiting_count, waiting_max;
    int64_t resume_ns;
    uint64_t canary_bit;
    uint8_t canaries_sent; /* in this LANE_CANARY */
    bool canary_answered;
    int64_t canary_sent_ns;
};

/* bits_max: probes of the host; first_source, source_count: of the pool, 0 without. NULL without memory. */
struct lane *lane_new(uint32_t bits_max, uint16_t first_source, uint32_t source_count, int64_t now_ns);
void lane_free(struct lane *lane); /* NULL is allowed */
