/* Does what leaves by a faster way than the packet socket arrive? Drivers take programs and rings and drop
 * their frames in silence, which would make every port look silent. So until somebody has answered what left
 * that way, the packet socket asks, too: a part of the probes, and every one that is repeated, so that no
 * silence is believed which only an unproved way has heard. Answers are told apart by the time at which their
 * probes left (token_check). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TRIAL_SPANS     16
#define TRIAL_PERIOD    8u   /* one order of so many goes through the packet socket, */
#define TRIAL_CONTROL   256u /* with so many probes at most */
#define TRIAL_ANSWERS   2u   /* to those alone: chance would have more come by the faster way */
#define TRIAL_MEMORY_NS (2 * SEC)

enum trial_verdict {
    TRIAL_OPEN,
    TRIAL_PASSED, /* what left the faster way is answered */
    TRIAL_FAILED  /* only what left through the packet socket is, or it was not counted as sent */
};

/* Probes that left by the same way, one after the other. */
struct trial_span {
    int64_t from_ns, to_ns;
    bool fast;
};

/* Zeroed: it has not begun. */
struct trial {
    enum trial_verdict verdict;
    bool counted;     /* the interface has counted what left the faster way */
    int64_t begun_ns; /* when the first probe did; 0: none has */
    uint32_t turns;
    uint32_t answered; /* probes that the packet socket sent since then */
    uint32_t span_count;
    struct trial_span spans[TRIAL_SPANS]; /* the last ones; newest: spans[(span_count - 1) % TRIAL_SPANS] */
};

/* May the next order take the faster way?
 *   try_number  of the order, 0 for the first */
bool trial_allows(struct trial *trial, uint8_t try_number);

/* From now on probes leave this way; and they did until now. */
void trial_begin(struct trial *trial, bool fast, int64_t now_ns);
void trial_end(struct trial *trial, int64_t now_ns);

/* A probe is answered that left at this time, rounded down to TOKEN_TIME_STEP_NS. */
void trial_hear(struct trial *trial, int64_t sent_ns, int64_t now_ns);

/* The interface has not counted what left the faster way. */
void trial_fail(struct trial *trial);
