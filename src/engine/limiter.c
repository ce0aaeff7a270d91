#include "engine/limiter.h"

#include "base/time.h"

/* Before anything is known, this often. Stock limiters give 1 to 1,000 tokens a second. */
#define PERIOD_FIRST_NS (50.0 * MSEC)
#define PERIOD_MIN_NS   (20.0 * USEC)
#define PERIOD_MAX_NS   (10.0 * SEC)

/* Tokens believed to be saved up at most: stock bursts are 5 to 50, and too few only costs a little time. */
#define BURST 6.0

/* While every probe is answered the limiter may be faster than believed. */
#define SPEED_UP  0.8
#define SLOW_DOWN 1.5

static void set_period(struct limiter *limiter, double period_ns)
{
    limiter->period_ns = period_ns < PERIOD_MIN_NS   ? PERIOD_MIN_NS
                         : period_ns > PERIOD_MAX_NS ? PERIOD_MAX_NS
                                                     : period_ns;
}

void limiter_init(struct limiter *limiter, int64_t now_ns)
{
    *limiter = (struct limiter){.period_ns = PERIOD_FIRST_NS, .at_ns = now_ns, .last_answer_ns = now_ns};
    limiter->was_silent = true;
}

uint32_t limiter_allowance(struct limiter *limiter, int64_t now_ns)
{
    limiter->tokens += (double)(now_ns - limiter->at_ns) / limiter->period_ns;
    limiter->at_ns = now_ns;
    if (limiter->tokens > BURST)
        limiter->tokens = BURST;
    return limiter->tokens >= 1 ? (uint32_t)limiter->tokens : 0;
}

void limiter_promise(struct limiter *limiter, uint32_t probes)
{
    limiter->tokens -= (double)probes;
}

int64_t limiter_next_ns(const struct limiter *limiter)
{
    if (limiter->tokens >= 1)
        return limiter->at_ns;
    return limiter->at_ns + (int64_t)((1 - limiter->tokens) * limiter->period_ns) + 1;
}

static int64_t extreme_gap_ns(const struct limiter *limiter, bool longest)
{
    unsigned kept = limiter->gap_count < LIMITER_GAPS ? limiter->gap_count : LIMITER_GAPS;
    int64_t found_ns = 0;
    for (unsigned i = 0; i < kept; i++) {
        int64_t gap_ns = limiter->gaps_ns[i];
        if (i == 0 || (longest ? gap_ns > found_ns : gap_ns < found_ns))
            found_ns = gap_ns;
    }
    return found_ns;
}

void limiter_answered(struct limiter *limiter, int64_t now_ns)
{
    if (!limiter->was_silent) {
        set_period(limiter, limiter->period_ns * SPEED_UP);
    } else if (now_ns > limiter->last_answer_ns) {
        limiter->gaps_ns[limiter->gap_count++ % LIMITER_GAPS] = now_ns - limiter->last_answer_ns;
        /* The first gap begins at some time before the bucket ran empty. */
        if (limiter->gap_count > 1)
            set_period(limiter, (double)extreme_gap_ns(limiter, false));
    }
    limiter->last_answer_ns = now_ns;
    limiter->was_silent = false;
}

void limiter_silent(struct limiter *limiter)
{
    limiter->tokens += 1;
    limiter->was_silent = true;
}

void limiter_untouched(struct limiter *limiter)
{
    limiter->tokens += 1;
}

void limiter_slow_down(struct limiter *limiter)
{
    limiter->gap_count = 0;
    set_period(limiter, limiter->period_ns * SLOW_DOWN);
}

int64_t limiter_longest_wait_ns(const struct limiter *limiter)
{
    int64_t gap_ns = extreme_gap_ns(limiter, true);
    return gap_ns > (int64_t)limiter->period_ns ? gap_ns : (int64_t)limiter->period_ns;
}
