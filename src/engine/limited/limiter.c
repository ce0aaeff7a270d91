#include "engine/limited/limiter.h"

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

/* A little longer than a token took on the whole; and where too few came, longer than any stock limiter
 * takes. */
#define SURELY             1.25
#define ANSWERS_MIN        4
#define TOKENS_UNNOTICED   2
#define SURE_WAIT_FIRST_NS (2500 * MSEC)

static void set_period(struct limiter *limiter, double period_ns)
{
    limiter->period_ns = period_ns < PERIOD_MIN_NS   ? PERIOD_MIN_NS
                         : period_ns > PERIOD_MAX_NS ? PERIOD_MAX_NS
                                                     : period_ns;
}

void limiter_init(struct limiter *limiter, int64_t now_ns)
{
    *limiter = (struct limiter){
        .period_ns = PERIOD_FIRST_NS, .at_ns = now_ns, .emptied_ns = now_ns, .last_answer_ns = now_ns};
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

/* Of the last gaps. Tokens that were saved up make some of them short, idleness makes some long. */
static double median_gap_ns(const struct limiter *limiter)
{
    int64_t sorted[LIMITER_GAPS] = {0};
    unsigned kept = limiter->gap_count < LIMITER_GAPS ? limiter->gap_count : LIMITER_GAPS;
    for (unsigned i = 0; i < kept; i++) {
        unsigned j = i;
        for (; j > 0 && sorted[j - 1] > limiter->gaps_ns[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = limiter->gaps_ns[i];
    }
    unsigned middle = kept ? (kept - 1) / 2 : 0;
    return (double)sorted[middle];
}

void limiter_answered(struct limiter *limiter, int64_t now_ns)
{
    limiter->answers++;
    if (!limiter->was_silent) {
        set_period(limiter, limiter->period_ns * SPEED_UP);
    } else if (now_ns > limiter->last_answer_ns) {
        limiter->gaps_ns[limiter->gap_count++ % LIMITER_GAPS] = now_ns - limiter->last_answer_ns;
        set_period(limiter, median_gap_ns(limiter));
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

void limiter_slow_down(struct limiter *limiter, int64_t now_ns)
{
    limiter->gap_count = 0;
    limiter->emptied_ns = now_ns;
    limiter->answers = 0;
    limiter->slowed_down++;
    set_period(limiter, limiter->period_ns * SLOW_DOWN);
}

int64_t limiter_sure_wait_ns(const struct limiter *limiter)
{
    if (limiter->answers < ANSWERS_MIN)
        return (int64_t)SURE_WAIT_FIRST_NS << (limiter->slowed_down < 3 ? limiter->slowed_down : 3);
    /* A token or two may have come unnoticed around the time the bucket was seen empty; all others came
     * since. */
    double mean_ns =
        (double)(limiter->last_answer_ns - limiter->emptied_ns) / (limiter->answers - TOKENS_UNNOTICED);
    return (int64_t)((mean_ns > limiter->period_ns ? mean_ns : limiter->period_ns) * SURELY);
}
