/* What a store would hold of a scan without discovery, were it killed: what was told until the last state was
 * written, about so many seconds apart. */
#pragma once

#include <stddef.h>

#include "scenario.h"

struct keeper {
    int64_t period_ns;  /* between two states */
    struct record *log; /* owned; what the scan told */
    size_t count;
    size_t state_count; /* records until the last state */
    int64_t next_state_ns;
    struct engine_resume resume; /* its blocks are owned, with all they point to */
    uint64_t *again, *up;        /* owned; of `resume` */
};

/* To be the scenario's `keep`, with the keeper as its context. */
void keeper_take(void *context, const struct record *record);

/* Where the next scan goes on, until keeper_done. */
const struct engine_resume *keeper_resume(struct keeper *keeper, const struct plan *plan);

/* What was kept stands beside what the scan that went on has told. */
void keeper_merge(const struct keeper *keeper, struct scenario *scenario);

/* Had the scan met a host that limits its answers? */
bool keeper_limited(const struct keeper *keeper);

void keeper_done(struct keeper *keeper);
