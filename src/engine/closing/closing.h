/* Hosts whose ports are all settled, and which are not reported before something more is known of them:
 * whether their dead ports answer, and, with --verify, what becomes of connections to their open ports. What
 * comes here does not delay anybody else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/closing/verify.h"

#define CLOSING_MAX 1024 /* more hosts are reported as they are */

struct engine;
struct scan_block;

struct closing_host {
    struct scan_block *scan_block; /* stays as long as this host needs it */
    uint32_t slot;                 /* whose record stays, too */
    uint8_t tries, flags;          /* of its RECORD_HOST_DONE */
    struct verify_host verify;
};

struct closing {
    struct closing_host hosts[CLOSING_MAX];
    uint32_t count;
};

/* A host is settled: it is reported, now if nothing is left to be known, or there is no room to wait. */
void closing_take(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint8_t flags);

/* Report those of whom nothing is left to be known. */
void closing_run(struct engine *engine);

/* Report all of them now. */
void closing_end(struct engine *engine);

/* When something is to be done; TIME_NEVER: nothing by itself. */
int64_t closing_next_ns(struct engine *engine);
