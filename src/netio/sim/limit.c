#include "netio/sim/limit.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/time.h"

#define TOTAL_BURST_PER_S 20 /* Linux: 50 at once, 1,000 a second */

bool sim_limits_init(struct sim_limits *limits, const struct sim_host *host, int64_t now_ns)
{
    struct sim_limit full = {(double)host->limiter_burst - host->limiter_spent, now_ns};
    *limits = (struct sim_limits){.rst = full, .icmp = full};
    if (host->icmp_total_pps <= 0)
        return true;
    limits->icmp.tokens = host->icmp_total_pps / TOTAL_BURST_PER_S;
    limits->of_source = calloc(SIM_LIMIT_SOURCES, sizeof *limits->of_source);
    for (unsigned i = 0; limits->of_source && i < SIM_LIMIT_SOURCES; i++)
        limits->of_source[i] = full;
    return limits->of_source;
}

void sim_limits_done(struct sim_limits *limits)
{
    free(limits->of_source);
    limits->of_source = NULL;
}

/* A second begins with as many tokens as it has in all. */
static void refill_by_the_second(struct sim_limit *limit, double rate_pps, int64_t now_ns)
{
    if (now_ns / SEC != limit->at_ns / SEC)
        limit->tokens = rate_pps;
    limit->at_ns = now_ns;
}

static void refill_evenly(struct sim_limit *limit, double burst, double rate_pps, int64_t now_ns)
{
    limit->tokens += rate_pps * (double)(now_ns - limit->at_ns) / (double)SEC;
    limit->at_ns = now_ns;
    if (limit->tokens > burst)
        limit->tokens = burst;
}

static bool take_token(struct sim_limit *limit)
{
    if (limit->tokens < 1)
        return false;
    limit->tokens -= 1;
    return true;
}

bool sim_limit_passes(struct sim_limit *limit, const struct sim_host *host, double rate_pps, int64_t now_ns)
{
    if (rate_pps <= 0)
        return true;
    if (host->limiter == SIM_LIMITER_SECOND)
        refill_by_the_second(limit, rate_pps, now_ns);
    else
        refill_evenly(limit, (double)host->limiter_burst, rate_pps, now_ns);
    return take_token(limit);
}

bool sim_icmp_passes(struct sim_limits *limits, const struct sim_host *host, const struct addr *source,
                     int64_t now_ns)
{
    if (!limits->of_source)
        return sim_limit_passes(&limits->icmp, host, host->icmp_rate_pps, now_ns);
    refill_evenly(&limits->icmp, host->icmp_total_pps / TOTAL_BURST_PER_S, host->icmp_total_pps, now_ns);
    uint32_t end = get_be32(source->bytes + addr_len(source) - 4);
    return take_token(&limits->icmp) &&
           sim_limit_passes(&limits->of_source[end % SIM_LIMIT_SOURCES], host, host->icmp_rate_pps, now_ns);
}
