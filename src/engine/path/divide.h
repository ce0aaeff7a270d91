/* Paths that are shared by prefix: a path is a way out (paths.c), and of all that is reached by it at first.
 * A network that turns out to differ (division.h) gets a path of its own; it joins the one it was split from
 * when it does so no longer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/path/division.h"

struct engine;
struct scan_block;

/* So many of the engine's paths may be parts of others. */
#define DIVIDE_PARTS_MAX 48

/* What a path is for. */
struct path_part {
    struct network network; /* whose hosts are on it; without a prefix: all that are on no other */
    bool is_part;           /* it was split from another path: */
    bool is_gone;           /* and has joined that again: the place may be used for the next */
    bool is_worse;          /* than that was; else that was worse */
    unsigned parent;        /* of the engine's paths */
    enum path_difference what;
    /* of the shares of the two, half way: if that of the worse one is below, they differ no longer */
    double limit;

    double best_pps;       /* of late: a network may have slowed the others before it was split from them */
    int64_t best_since_ns; /*   */
    int64_t join_look_ns;  /* when it was last asked whether it joins again */
    struct outcomes of_late[PATH_DIFFERENCE_COUNT]; /* since then */
    bool told_crowded;
    struct division division;
};

/* A new path: of everything that is reached so. */
void divide_begin(struct engine *engine, unsigned path, const struct addr *source);

/* The part of this path that the host is on; the path itself, if there is none. */
unsigned divide_find(const struct engine *engine, unsigned path, const struct addr *host);

/* A probe to this host was answered, with this round trip. base_ns: the host's shortest so far, 0: it is the
 * first */
void divide_answered(struct engine *engine, const struct scan_block *scan_block, const struct addr *host,
                     int64_t rtt_ns, int64_t base_ns);

/* So many tries to this host were answered or lost. sounded: by soundings, which tell at once */
void divide_tried(struct engine *engine, const struct scan_block *scan_block, const struct addr *host,
                  struct outcomes more, bool sounded);

/* Split and join what is to be. */
void divide_run(struct engine *engine);
