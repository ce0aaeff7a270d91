/* The hosts of a plan that discovery found up, for a scan through a third party that comes after it. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

#define FOUND_HOSTS_MAX (UINT64_C(1) << 26) /* hosts of a plan: a bit each */

struct found_hosts {
    uint64_t *up;   /* owned; a bit for each position in the plan */
    uint64_t count; /* of the bits that are set */
};

/* None yet. EX_USAGE for a plan of too many hosts, EX_OSERR without memory. */
int found_hosts_init(struct found_hosts *found, const struct plan *plan, struct error *err);
void found_hosts_done(struct found_hosts *found); /* a zeroed one is allowed */

/* The host at this position of the plan is up. */
void found_hosts_add(struct found_hosts *found, uint64_t position);

/* The first position from this one on whose host is up; the plan's host_count: there is none.
 *   found  NULL: nobody asked, and all hosts are taken as up */
uint64_t found_hosts_next(const struct found_hosts *found, const struct plan *plan, uint64_t from);

/* How many are up, in the same sense. */
uint64_t found_hosts_count(const struct found_hosts *found, const struct plan *plan);
