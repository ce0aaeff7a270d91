#include "engine/path/pacer.h"

#include "base/time.h"

/* So many leave together, at least. */
static double grain(const struct pacer *pacer)
{
    double packets = pacer->rate_pps * (double)PACER_GRAIN_NS / (double)SEC;
    return packets > 1 ? packets : 1;
}

void pacer_init(struct pacer *pacer, double rate_pps, int64_t now_ns)
{
    *pacer = (struct pacer){.rate_pps = rate_pps, .at_ns = now_ns};
    pacer->tokens = grain(pacer);
}

void pacer_set_rate(struct pacer *pacer, double rate_pps)
{
    pacer->rate_pps = rate_pps;
}

uint32_t pacer_allowance(struct pacer *pacer, int64_t now_ns)
{
    double burst = pacer->rate_pps * (double)PACER_BURST_NS / (double)SEC;
    if (burst < PACER_FEW)
        burst = 2 * burst < PACER_FEW ? 2 * burst : PACER_FEW;
    if (burst < 1)
        burst = 1;
    pacer->tokens += pacer->rate_pps * (double)(now_ns - pacer->at_ns) / (double)SEC;
    if (pacer->tokens > burst)
        pacer->tokens = burst;
    pacer->at_ns = now_ns;
    return pacer->tokens >= grain(pacer) ? (uint32_t)pacer->tokens : 0;
}

void pacer_wait(struct pacer *pacer, int64_t wait_ns)
{
    pacer->tokens -= pacer->rate_pps * (double)wait_ns / (double)SEC;
}

void pacer_spend(struct pacer *pacer, uint64_t packets)
{
    pacer->tokens -= (double)packets;
}

int64_t pacer_next_ns(const struct pacer *pacer)
{
    double missing = grain(pacer) - pacer->tokens;
    if (missing <= 0)
        return pacer->at_ns;
    return pacer->at_ns + (int64_t)(missing * (double)SEC / pacer->rate_pps) + 1;
}
