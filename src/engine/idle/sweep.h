/* What the search for the lag has in work: see sweep.c. */
#pragma once

#include "engine/idle/evidence.h"
#include "engine/idle/search.h"
#include "engine/idle/timeline.h"

#define SWEEP_SHOTS_MAX 1024

/* SYNs to all ports of a block, some to each. */
struct sweep_shot {
    unsigned place;         /* of the block among those of the search */
    uint64_t serial;        /* of the block */
    uint64_t question;      /* one that left before anything could show */
    int64_t from_ns, to_ns; /* while it was sent */
    unsigned copies;        /* SYNs to each port */
    unsigned next_span;     /* of the search, to be counted in */
};

struct sweep {
    bool active;
    struct search search;
    struct timeline timeline;
    struct evidence_signal signal; /* of so many SYNs: */
    unsigned signal_ports, signal_copies;

    unsigned order[SEARCH_BLOCKS_MAX]; /* places of the blocks that this sweep goes to */
    unsigned order_at, order_count;
    struct sweep_shot sending;                /* unless all its SYNs have left: */
    uint32_t unsent, port;                    /* and which is next */
    struct sweep_shot shots[SWEEP_SHOTS_MAX]; /* a ring of those that still count: see drop_shots */
    unsigned shot_first, shot_count;

    int64_t ask_every_ns, next_ask_ns, next_shot_ns, next_weigh_ns;
    int64_t looked_ns;    /* up to here stretches were looked at for the zombie's own traffic, */
    double looked, shown; /* so many, of which so many had something that looked like answers */
};
