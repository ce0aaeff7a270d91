#include "netio/sim_limit.h"

#include "base/time.h"

void sim_limits_init(struct sim_limits *limits, const struct sim_host *host, int64_t now_ns)
{
    struct sim_limit full = {(double)host->limiter_burst - host->limiter_spent, now_ns};
    *limits = (struct sim_limits){.rst = full, .icmp = full};
}

/* A second begins with as many tokens as it has in all. */
static void refill_by_the_second(struct sim_limit *limit, double rate_pps, int64_t now_ns)
{
    if (now_ns / SEC != limit->at_ns / SEC)
        limit->tokens = rate_pps;
    limit->at_ns = now_ns;
}

static void refill_evenly(struct sim_limit *limit, const struct sim_host *host, double rate_pps,
                          int64_t now_ns)
{
    limit->tokens += rate_pps * (double)(now_ns - limit->at_ns) / (double)SEC;
    limit->at_ns = now_ns;
    if (limit->tokens > (double)host->limiter_burst)
        limit->tokens = (double)host->limiter_burst;
}

bool sim_limit_passes(struct sim_limit *limit, const struct sim_host *host, double rate_pps, int64_t now_ns)
{
    if (rate_pps <= 0)
        return true;
    if (host->limiter == SIM_LIMITER_SECOND)
        refill_by_the_second(limit, rate_pps, now_ns);
    else
        refill_evenly(limit, host, rate_pps, now_ns);
    if (limit->tokens < 1)
        return false;
    limit->tokens -= 1;
    return true;
}
