/* A worker's share of a job: of the hosts every N-th, of the source ports an equal part (so the filter of its
 * socket passes answers to it alone), and of what limits the rate an equal part, so that the limits hold for
 * all together. */
#pragma once

#include "base/error.h"
#include "cli/job/job.h"

/* How many workers there will be: as many as are asked for, but no more than hosts. Where none are, one; but
 * for a connect scan of many ports that nothing slows down one a core. EX_USAGE when the scan cannot be
 * shared.
 *   ret  1 .. WORKERS_MAX */
int share_count(const struct job *job, unsigned *ret, struct error *err);

/* Cut the job down to share `number` of job->worker_count. To be called in the worker's own process. */
void share_take(struct job *job, unsigned number);
