/* A whole idle scan on the simulated network, and what came of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/idle/idle.h"
#include "netio/sim/sim.h"
#include "netio/sim/zombie.h"

#define IDLE_SCENE_TARGETS_MAX 4

struct idle_scene {
    /* In: */
    struct sim_zombie zombie;  /* its address is set here */
    struct sim_host target;    /* the first of `targets`, which are alike; addresses and ports are set here */
    unsigned targets;          /* 0: one */
    uint64_t filtered_targets; /* bit i: spoofed packets to the i-th, and in its name, do not arrive */
    uint64_t down_targets;     /* bit i: the i-th is down */
    bool asks_first;           /* discovery with our own packets; false: all are taken as up */
    unsigned port_count;       /* ports 1 .. port_count, in an order of chance */
    unsigned open_count;       /* of them, chosen at random */
    bool ipv6;
    uint64_t seed;
    int64_t stop_at_ns; /* 0: never */
    struct timing timing;

    /* Out: */
    unsigned decided, false_opens, missed_opens, unknown; /* ports of all targets */
    unsigned true_opens[IDLE_SCENE_TARGETS_MAX];          /* open ports called so, by target */
    unsigned unfinished_hosts, done_hosts, up_hosts, down_hosts;
    bool unfinished;
    bool has_zombie_note, has_trouble;
    uint64_t ipid_class; /* of NOTE_ZOMBIE */
    uint64_t trouble;    /* of the last NOTE_IDLE_STOPPED */
    int64_t took_ns;     /* virtual */
    uint64_t probes;
};

/* A quiet zombie and a target one millisecond away, 1,000 ports with 10 open. */
struct idle_scene idle_scene_usual(void);

/* Run it to the end. Asserts that it ends, in bounded virtual time. */
void idle_scene_run(struct idle_scene *scene);
