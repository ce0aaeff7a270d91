/* A job that asks nothing: what the reports of a stored scan are to know of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/job/job.h"
#include "cli/options/timing.h"

int job_of_store(const struct options *options, const struct service_table *services,
                 struct stored_scan *scan, struct job **ret, struct error *err)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return error_set(err, EX_OSERR, "out of memory");
    struct scan_privilege as_then = {.raw = strstr(scan->scans, "connect") == NULL, .program = "portolan"};
    as_then.why_not = "";
    job->options = options;
    job->timing = timing_from(options);
    job->services = services;
    job->command_line = strdup(scan->command);
    int r = job->command_line ? 0 : error_set(err, EX_OSERR, "out of memory");
    if (r == 0)
        r = scans_choose(options, &as_then, &job->scans, err);
    if (r < 0) {
        job_free(job);
        return r;
    }
    job->plan = *scan->plan;
    job->plan.targets =
        (struct addr_set){.v4 = NULL}; /* the store's; reports count hosts by the numbers below */
    scans_report(&job->scans, job->report_scans);
    *ret = job;
    return 0;
}
