/* Idle scans on the simulated network: zombies with traffic of their own, loss, distance, wrap of the ID
 * within the scan, reordering. Counts wrong states, and sets the time beside that of an oracle that knows the
 * zombie's traffic.
 *
 *     idle_matrix [SEEDS [PORTS [CELL...]]]
 *
 * Cells are numbered from 0 to 71; without numbers all are played. In cells 72 to 74, played only when they
 * are named, the way through the target varies, and that to the zombie does not. */
#include <stdio.h>
#include <stdlib.h>

#include "idle_oracle.h"
#include "idle_scene.h"

#define CELLS (4 * 3 * 3 * 2)

struct totals {
    unsigned decided, opens, false_opens, missed_opens, unknown;
    double worst_ratio;
};

struct cell {
    double background_pps, loss;
    int rtt_ms;
    bool reorders;
    int target_jitter_ms; /* 0: as that of the zombie */
};

static struct idle_scene scene_of(const struct cell *cell, unsigned seed, unsigned ports)
{
    struct idle_scene scene = idle_scene_usual();
    scene.seed = seed;
    scene.port_count = ports;
    scene.zombie.background_pps = cell->background_pps;
    scene.zombie.loss = scene.target.loss_out = scene.target.loss_back = cell->loss / 2;
    scene.zombie.rtt_ns = scene.target.rtt_ns = cell->rtt_ms * MSEC;
    if (cell->reorders)
        scene.zombie.jitter_ns = scene.target.jitter_ns = cell->rtt_ms * MSEC / 10;
    if (cell->target_jitter_ms > 0)
        scene.target.jitter_ns = cell->target_jitter_ms * MSEC;
    scene.zombie.first_id = seed % 2 ? 65536 - 50 * seed : 1000 * seed; /* every other one wraps */
    return scene;
}

static void run_cell(const struct cell *cell, unsigned seeds, unsigned ports, struct totals *totals)
{
    struct totals here = {.decided = 0};
    double took_s = 0, oracle_s = 0;
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct idle_scene scene = scene_of(cell, seed, ports);
        idle_scene_run(&scene);
        here.decided += scene.decided;
        here.opens += scene.open_count;
        here.false_opens += scene.false_opens;
        here.missed_opens += scene.missed_opens;
        here.unknown += scene.unknown;
        took_s += (double)scene.took_ns / (double)SEC;
        oracle_s += idle_oracle_s(&scene);
    }
    double ratio = took_s / oracle_s;
    printf("%4.0f pps  loss %4.1f %%  rtt %3d ms%s  %3u wrongly open %3u missed %3u unknown  %6.2f s, oracle "
           "%5.2f s, "
           "ratio %.2f\n",
           cell->background_pps, 100 * cell->loss, cell->rtt_ms,
           cell->reorders ? ", reordering" : "            ", here.false_opens, here.missed_opens,
           here.unknown, took_s / seeds, oracle_s / seeds, ratio);
    fflush(stdout);
    totals->decided += here.decided;
    totals->opens += here.opens;
    totals->false_opens += here.false_opens;
    totals->missed_opens += here.missed_opens;
    totals->unknown += here.unknown;
    totals->worst_ratio = ratio > totals->worst_ratio ? ratio : totals->worst_ratio;
}

static struct cell cell_of(unsigned i)
{
    static const double backgrounds[] = {0, 1, 10, 50}, losses[] = {0, 0.01, 0.1};
    static const int rtts_ms[] = {1, 20, 200};
    static const struct cell varying[] = {{.rtt_ms = 200, .target_jitter_ms = 20},
                                          {.rtt_ms = 20, .target_jitter_ms = 10},
                                          {.rtt_ms = 20, .target_jitter_ms = 3}};
    if (i >= CELLS)
        return varying[(i - CELLS) % 3];
    return (struct cell){.background_pps = backgrounds[i % 4],
                         .loss = losses[i / 4 % 3],
                         .rtt_ms = rtts_ms[i / 12 % 3],
                         .reorders = i / 36 % 2 == 1};
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char *argv[])
{
    unsigned seeds = argc > 1 ? number(argv[1]) : 20, ports = argc > 2 ? number(argv[2]) : 1000;
    unsigned count = argc > 3 ? (unsigned)argc - 3 : CELLS;
    struct totals totals = {.decided = 0};
    for (unsigned i = 0; i < count; i++) {
        unsigned index = argc > 3 ? number(argv[3 + i]) : i;
        struct cell cell = cell_of(index);
        printf("%2u  ", index);
        run_cell(&cell, seeds, ports, &totals);
    }
    printf("\n%u ports decided: %u wrongly open, %u of %u open ones missed, %u unknown; at most %.2f times "
           "the oracle's time\n",
           totals.decided, totals.false_opens, totals.missed_opens, totals.opens, totals.unknown,
           totals.worst_ratio);
    return totals.false_opens > 0 || totals.missed_opens * 1000 > totals.opens;
}
