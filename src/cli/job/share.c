#include "cli/job/share.h"

#include <sched.h>

#include "netio/xdp/wire.h"

/* Connecting to so many ports takes a third of a second, beside which one more process costs little. */
#define CONNECTS_A_WORKER 32768u

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

/* Does the scan do nothing but connect, as fast as it can? */
static bool connects_at_full_speed(const struct job *job)
{
    for (unsigned i = 0; i < job->scans.count; i++)
        if (job->scans.techniques[i]->kind != REQUEST_CONNECT)
            return false;
    return job->specs.count > 0 && job->timing.max_rate_pps <= 0 && job->timing.scan_delay_ns == 0;
}

/* Where nothing else is asked for: a connect scan is the kernel's work, nine parts of ten, which each core
 * does by itself. */
static unsigned usual_count(const struct job *job)
{
    cpu_set_t cores;
    if (alone(job) || !connects_at_full_speed(job) || sched_getaffinity(0, sizeof cores, &cores) < 0)
        return 1;
    uint64_t worth = job->plan.host_count / ((CONNECTS_A_WORKER - 1) / job->specs.count + 1);
    unsigned most = (unsigned)CPU_COUNT(&cores);
    most = most < WORKERS_MAX ? most : WORKERS_MAX;
    return worth < most ? (unsigned)worth : most;
}

int share_count(const struct job *job, unsigned *ret, struct error *err)
{
    unsigned wanted = job->options->workers > 0 ? job->options->workers : usual_count(job);
    const char *why = job->options->workers > 1 ? alone(job) : NULL;
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
