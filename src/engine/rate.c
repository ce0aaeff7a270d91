#include "engine/rate.h"

#include "base/time.h"

#define WINDOW_MIN_NS (5 * MSEC)

/* Too few probes say nothing. */
#define WINDOW_PROBES_MIN 32

#define GROWTH     2.0
#define REDUCTION  0.7
#define SHARE_KEPT 0.85 /* of the usual share: the path carries it */
#define SHARE_LOST 0.70 /* below this much of it: something is overrun */
#define USED_ENOUGH                                                                                          \
    0.5 /* of what the rate allowed was sent: otherwise the window says nothing about the rate */
#define SHARE_MEMORY 0.9

static double clamp_rate(const struct rate *rate, double pps)
{
    double ceiling = rate->limits.max_pps > 0 ? rate->limits.max_pps : RATE_CEILING_PPS;
    double floor = rate->limits.default_pps;
    if (rate->limits.min_pps > floor)
        floor = rate->limits.min_pps;
    if (pps < floor)
        pps = floor;
    return pps > ceiling ? ceiling : pps;
}

void rate_init(struct rate *rate, const struct rate_limits *limits, int64_t now_ns)
{
    *rate = (struct rate){.limits = *limits, .window_started_ns = now_ns};
    rate->pps = clamp_rate(rate, limits->default_pps);
}

void rate_sent(struct rate *rate, uint64_t first_tries)
{
    rate->sent += first_tries;
}

void rate_answered(struct rate *rate)
{
    rate->answered++;
}

static double judged(struct rate *rate, double share, double used)
{
    double usual = rate->usual_share;
    rate->usual_share = share > usual ? share : SHARE_MEMORY * usual + (1 - SHARE_MEMORY) * share;
    if (usual > 0 && share < SHARE_LOST * usual)
        return clamp_rate(rate, rate->pps * REDUCTION);
    if (share > 0 && share >= SHARE_KEPT * usual && used >= USED_ENOUGH)
        return clamp_rate(rate, rate->pps * GROWTH);
    return rate->pps;
}

bool rate_update(struct rate *rate, int64_t now_ns, int64_t rtt_ns)
{
    int64_t window_ns = 2 * rtt_ns > WINDOW_MIN_NS ? 2 * rtt_ns : WINDOW_MIN_NS;
    int64_t elapsed_ns = now_ns - rate->window_started_ns;
    if (elapsed_ns < window_ns)
        return false;

    double before = rate->pps;
    if (rate->sent >= WINDOW_PROBES_MIN) {
        double share = (double)rate->answered / (double)rate->sent;
        double used = (double)rate->sent / (rate->pps * (double)elapsed_ns / (double)SEC);
        rate->pps = judged(rate, share > 1 ? 1 : share, used);
    }
    rate->sent = rate->answered = 0;
    rate->window_started_ns = now_ns;
    return rate->pps < before || rate->pps > before;
}
