#include "engine/path/rtt.h"

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void rtt_init(struct rtt *rtt, const struct rtt_limits *limits)
{
    *rtt = (struct rtt){.rto_ns = clamp(limits->initial_rto_ns, limits->min_rto_ns, limits->max_rto_ns)};
}

void rtt_sample(struct rtt *rtt, const struct rtt_limits *limits, int64_t sample_ns)
{
    if (!rtt->has_sample) {
        rtt->has_sample = true;
        rtt->srtt_ns = sample_ns;
        rtt->rttvar_ns = sample_ns / 2;
    } else {
        int64_t error_ns = sample_ns - rtt->srtt_ns;
        rtt->rttvar_ns += ((error_ns < 0 ? -error_ns : error_ns) - rtt->rttvar_ns) / 4;
        rtt->srtt_ns += error_ns / 8;
    }
    rtt->rto_ns = clamp(rtt->srtt_ns + 4 * rtt->rttvar_ns, limits->min_rto_ns, limits->max_rto_ns);
}

/* A round trip, and twice the spread that RFC 6298 allows for; half a round trip, where all took the same
 * time so far. */
int64_t rtt_prompt_rto_ns(const struct rtt *rtt, int64_t least_ns)
{
    int64_t spread_ns = 8 * rtt->rttvar_ns > rtt->srtt_ns / 2 ? 8 * rtt->rttvar_ns : rtt->srtt_ns / 2;
    int64_t prompt_ns = rtt->srtt_ns + spread_ns;
    prompt_ns = prompt_ns > least_ns ? prompt_ns : least_ns;
    return prompt_ns < rtt->rto_ns ? prompt_ns : rtt->rto_ns;
}
