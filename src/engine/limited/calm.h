/* A host behind a policer (a firewall that lets so many SYNs a second through, a provider) is asked calmly:
 * in a block of its own, in windows, at a pace that the policer lets through.
 *
 * Among the probes of a window, at random places, are canaries: probes of ports that are known to answer.
 * Their share that comes back is that of the probes that got through. If it falls short of what the path
 * loses anyway, the window is void, and is asked again at a slower pace. What still gets lost is loss, and
 * silence is weighed with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rand.h"
#include "engine/departure.h"
#include "engine/path/loss.h"
#include "engine/path/pacer.h"

#define CALM_CANARIES 16 /* in a window */
#define CALM_BANDS    12 /* of paces */

struct engine;
struct scan_block;

struct calm_canary {
    uint32_t spec;
    struct departure sent;
    bool is_back;
};

struct calm {
    struct pacer pacer;
    struct rand rand;
    uint32_t bit_count;
    uint32_t first, next, end; /* the window: bits, and how far it is */
    uint8_t passes;            /* that count */
    uint8_t try_number;        /* of this one; try numbers come round again */
    struct calm_canary canaries[CALM_CANARIES];
    unsigned canary_count;         /* sent in this window */
    uint32_t next_canary;          /* which port is next */
    uint8_t good_windows;          /* in a row, since the pace is known */
    bool was_overrun;              /* the pace was once too fast, and something came back all the same; */
    bool is_searching;             /* and none was good since */
    bool was_void;                 /* the window before, for want of canaries, at the same pace */
    bool is_void;                  /* something of this window was lost by ourselves */
    double share_most;             /* of the canaries that come back at any pace; 1: not known */
    struct loss bands[CALM_BANDS]; /* canaries, by pace */
    uint64_t bits[];               /* what this pass asks, in an order of its own */
};

/* May hosts of this scan be asked calmly? */
bool calm_is_possible(const struct engine *engine);

/* Ask a host of a block calmly from now on. False: no room; it stays where it is. */
bool calm_open(struct engine *engine, struct scan_block *from, uint32_t slot);

/* Ask the only host of this block calmly from now on, which was in a lane. False: no memory, or nothing to
 * ask it. */
bool calm_begin(struct engine *engine, struct scan_block *scan_block);

/* A lane is over. Could the silence of what is left be that of a policer? */
bool calm_doubts_lane(struct engine *engine, const struct scan_block *scan_block);

void calm_run(struct engine *engine, struct scan_block *scan_block);

/* A pending probe was answered. */
void calm_answered(struct engine *engine, struct scan_block *scan_block);

/* An answer of a port that was settled before, to a probe that left at sent_ns. Was it that to a canary? */
bool calm_canary_answered(struct engine *engine, struct scan_block *scan_block, uint32_t spec,
                          int64_t sent_ns);

/* What it asks now may be lost by us. */
void calm_void(struct scan_block *scan_block);
