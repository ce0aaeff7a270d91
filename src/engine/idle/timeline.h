/* How many packets a zombie has sent to others, over time, as the IDs of its answers to our questions show
 * it. */
#pragma once

#include "engine/idle/zombie.h"

#define TIMELINE_MAX 2048

/* The moment at which a question left, and what the zombie had sent by then, counted from some moment on. */
struct timeline_point {
    int64_t at_ns;
    int64_t packets;  /* to others than us */
    unsigned lost;    /* questions of ours that it may have answered, or not */
    unsigned stretch; /* only points of the same can be compared: between two of them the IDs jumped */
};

struct timeline {
    struct timeline_point points[TIMELINE_MAX]; /* the times grow */
    unsigned count;
    uint64_t jumped_at; /* one past the last question at which the IDs jumped; 0: at none */
    unsigned jumps;     /* at questions behind those that the last reading saw */
};

/* Read what the questions from this one on have shown, up to the first that is still open. *timeline is
 * zeroed memory, or the last reading. Packets overtake each other: the IDs are in the order in which
 * questions arrived, the times in that in which they left. */
void timeline_read(struct timeline *timeline, const struct zombie *zombie, uint64_t from_serial);

struct timeline_count {
    unsigned packets;
    int64_t span_ns; /* of the stretch between two points that holds what was asked for */
    unsigned lost;
};

/* What the zombie sent from one moment to another, and around, as far as points are apart. False: that is not
 * known, or the IDs jumped. */
bool timeline_count(const struct timeline *timeline, int64_t from_ns, int64_t to_ns,
                    struct timeline_count *ret);
