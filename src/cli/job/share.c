#include "cli/job/share.h"

#include "netio/xdp/wire.h"

/* What can be done by one process only. */
static const char *alone(const struct job *job)
{
    const struct options *options = job->options;
    if (options->store)
        return "--store, which notes how far one process has come";
    if (job->scans.idle)
        return "-sI, whose zombie counts for one only";
    if (job->scans.bounces)
        return "-b";
    if (options->source_port > 0)
        return "-g, since answers are told apart by the port they come to";
    if (options->backend && wire_is_backend(options->backend))
        return "--backend xdp or kernel, of which an interface takes one";
    return NULL;
}

int share_count(const struct job *job, unsigned *ret, struct error *err)
{
    unsigned wanted = job->options->workers > 0 ? job->options->workers : 1;
    const char *why = wanted > 1 ? alone(job) : NULL;
    if (why)
        return error_set(err, EX_USAGE, "--workers cannot be given with %s", why);
    *ret = job->plan.host_count < wanted ? (unsigned)job->plan.host_count : wanted;
    if (*ret == 0)
        *ret = 1;
    return 0;
}

void share_take(struct job *job, unsigned number)
{
    unsigned count = job->worker_count;
    plan_take_share(&job->plan, number, count);
    if (count == 1)
        return;
    job->key.port_count = (uint16_t)(job->key.port_count / count);
    job->key.first_port = (uint16_t)(job->key.first_port + number * job->key.port_count);
    job->timing.min_rate_pps /= count;
    job->timing.max_rate_pps /= count;
    job->timing.default_rate_pps /= count;
}
