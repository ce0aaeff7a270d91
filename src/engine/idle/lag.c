#include "engine/idle/lag.h"

#define ENOUGH_SPANS 3   /* that one of them can be left out */
#define EXCESS_LEAST 0.5 /* packets: a step with fewer holds nothing */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void lag_init(struct lag *lag, int64_t jitter_ns, int64_t longest_ns)
{
    *lag = (struct lag){.longest = {.from_ns = -jitter_ns, .to_ns = longest_ns}};
    lag->span = lag->longest;
}

void lag_guess(struct lag *lag, struct lag_span span)
{
    lag->span = span;
    lag->knowledge = LAG_GUESSED;
}

void lag_forget_guess(struct lag *lag)
{
    if (lag->knowledge != LAG_GUESSED)
        return;
    lag->knowledge = LAG_UNKNOWN;
    lag->span = lag->longest;
}

static unsigned widest(const struct lag_span *spans, unsigned count)
{
    unsigned widest = 0;
    for (unsigned i = 1; i < count; i++)
        if (spans[i].to_ns - spans[i].from_ns > spans[widest].to_ns - spans[widest].from_ns)
            widest = i;
    return widest;
}

/* The hull of all spans but the widest, which may have been measured while a packet was held up. */
static struct lag_span hull_of(const struct lag_span *spans, unsigned count)
{
    unsigned without = count >= ENOUGH_SPANS ? widest(spans, count) : count;
    struct lag_span hull = {.from_ns = INT64_MAX, .to_ns = INT64_MIN};
    for (unsigned i = 0; i < count; i++) {
        if (i == without)
            continue;
        hull.from_ns = smaller(hull.from_ns, spans[i].from_ns);
        hull.to_ns = larger(hull.to_ns, spans[i].to_ns);
    }
    return hull;
}

void lag_learn(struct lag *lag, struct lag_span span)
{
    lag->spans[lag->span_count % LAG_SPANS_MAX] = span;
    lag->span_count++;
    lag->span = hull_of(lag->spans, lag->span_count < LAG_SPANS_MAX ? lag->span_count : LAG_SPANS_MAX);
    lag->knowledge = LAG_KNOWN;
}

bool lag_is_settled(const struct lag *lag)
{
    return lag->knowledge == LAG_KNOWN && lag->span_count >= ENOUGH_SPANS;
}

void lag_measured(struct lag *lag, struct lag_span span)
{
    for (unsigned i = 0; i < LAG_SPANS_MAX; i++)
        lag->spans[i] = span;
    lag->span_count += LAG_SPANS_MAX;
    lag->span = span;
    lag->knowledge = LAG_KNOWN;
}

void lag_widen(struct lag *lag)
{
    int64_t more_ns = (lag->span.to_ns - lag->span.from_ns) / 2;
    struct lag_span wider = {.from_ns = larger(lag->span.from_ns - more_ns, lag->longest.from_ns),
                             .to_ns = smaller(lag->span.to_ns + more_ns, lag->longest.to_ns)};
    lag_measured(lag, wider);
}

/* How much lies in the stretch of this length that begins with a step, and which step is its last. */
static double sum_from(const struct lag_step *steps, unsigned count, unsigned first, int64_t longest_ns,
                       unsigned *ret_last)
{
    double sum = steps[first].excess;
    unsigned last = first;
    while (last + 1 < count && steps[last + 1].to_ns - steps[first].from_ns <= longest_ns)
        sum += steps[++last].excess;
    *ret_last = last;
    return sum;
}

struct lag_span lag_peak(const struct lag_step *steps, unsigned count, int64_t longest_ns, double *ret_holds)
{
    unsigned best_first = 0, best_last = 0;
    double best = sum_from(steps, count, 0, longest_ns, &best_last);
    for (unsigned first = 1; first < count; first++) {
        unsigned last;
        double sum = sum_from(steps, count, first, longest_ns, &last);
        if (sum > best) {
            best = sum;
            best_first = first;
            best_last = last;
        }
    }
    while (best_first < best_last && steps[best_first].excess <= EXCESS_LEAST)
        best_first++;
    while (best_last > best_first && steps[best_last].excess <= EXCESS_LEAST)
        best_last--;
    *ret_holds = best;
    return (struct lag_span){.from_ns = steps[best_first].from_ns, .to_ns = steps[best_last].to_ns};
}
