/* How much later than our own packet, sent at the same time, what follows from a SYN reaches the zombie: the
 * way through the target is longer. It is the same for all ports of a target, unknown at first, and found
 * with the first open port. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum lag_knowledge {
    LAG_UNKNOWN, /* anything up to the longest there is */
    LAG_GUESSED, /* from what may have been bursts of the zombie's own */
    LAG_KNOWN    /* from open ports */
};

#define LAG_SPANS_MAX 5 /* of open ports that are remembered: their hull is the lag */

struct lag_span {
    int64_t from_ns, to_ns;
};

struct lag {
    uint8_t knowledge; /* enum lag_knowledge */
    struct lag_span span;
    struct lag_span longest; /* while nothing is known */
    struct lag_span spans[LAG_SPANS_MAX];
    unsigned span_count;
};

void lag_init(struct lag *lag, int64_t jitter_ns, int64_t longest_ns);

/* Something showed this much later, that may be an open port. */
void lag_guess(struct lag *lag, struct lag_span span);

/* The guess was wrong. */
void lag_forget_guess(struct lag *lag);

/* An open port's answers showed this much later. */
void lag_learn(struct lag *lag, struct lag_span span);

/* Have enough open ports shown it, that one of them may be wrong? */
bool lag_is_settled(const struct lag *lag);

/* This much later all answers of an open port showed, in tests made for that: whatever was thought before is
 * forgotten. */
void lag_measured(struct lag *lag, struct lag_span span);

/* Too little of what open ports answer falls into the span: make it wider. */
void lag_widen(struct lag *lag);

/* A stretch of the zombie's time between two answers: how much more was sent in it than expected. */
struct lag_step {
    int64_t from_ns, to_ns;
    double excess;
};

/* The stretch of neighbouring steps, no longer than `longest_ns` unless it is one step, that holds most;
 * without steps at its ends that hold nothing. count > 0
 *   ret_holds  how much it holds */
struct lag_span lag_peak(const struct lag_step *steps, unsigned count, int64_t longest_ns, double *ret_holds);
