#include "engine/idle/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/idle/port_groups.h"

#define GUESS_WRONG   1e-2 /* the chance of a wrong guess that is accepted: it costs time */
#define BEST_MARGIN   5.0 /* a span whose evidence is so little below the best may be the right one as well */
#define COUNTED_TWICE 0.5 /* blocks are sent to so fast that each stretch belongs to two of them, about */
#define EVIDENCE_MOST 600.0 /* whose exponential is a number */

static const int64_t unrest_ns[SEARCH_WIDTHS] = {0, 15 * MSEC, 60 * MSEC};

/* Half of each span belongs to the next one; the last ends with the longest lag. */
static struct lag_span next_span(struct lag_span span, struct lag_span longest)
{
    int64_t width_ns = span.to_ns - span.from_ns, to_ns = span.to_ns + width_ns / 2;
    if (span.to_ns == longest.to_ns)
        to_ns = TIME_NEVER;
    else if (to_ns > longest.to_ns)
        to_ns = longest.to_ns;
    return (struct lag_span){.from_ns = to_ns - width_ns, .to_ns = to_ns};
}

/* Those of each width in turn, so that all stand in the order of their ends. */
void search_init(struct search *search, struct lag_span longest, int64_t least_ns)
{
    struct lag_span next[SEARCH_WIDTHS];
    memset(search, 0, sizeof *search);
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++)
        search->blocks[i].group = GROUP_NIL;
    for (unsigned i = 0; i < SEARCH_WIDTHS; i++)
        next[i] = (struct lag_span){longest.from_ns, longest.from_ns + least_ns + unrest_ns[i]};
    while (search->span_count < SEARCH_SPANS_MAX) {
        unsigned first = 0;
        for (unsigned i = 1; i < SEARCH_WIDTHS; i++)
            if (next[i].to_ns < next[first].to_ns)
                first = i;
        if (next[first].to_ns == TIME_NEVER)
            break;
        search->spans[search->span_count++] = (struct search_span){next[first], (uint8_t)first};
        search->of_width[first]++;
        next[first] = next_span(next[first], longest);
    }
}

int64_t search_width_ns(const struct search *search, unsigned width)
{
    const struct lag_span *narrowest = &search->spans[0].lag;
    return narrowest->to_ns - narrowest->from_ns + unrest_ns[width];
}

unsigned search_add(struct search *search, uint32_t group, uint32_t ports)
{
    unsigned place = 0;
    while (search->blocks[place].group != GROUP_NIL)
        place++;
    assert(place < SEARCH_BLOCKS_MAX);
    search->blocks[place] =
        (struct search_block){.group = group, .ports = ports, .serial = search->next_serial++};
    return place;
}

unsigned search_block_count(const struct search *search)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++)
        count += search->blocks[i].group != GROUP_NIL;
    return count;
}

void search_count(struct search *search, struct search_block *block, unsigned span,
                  struct evidence_chances chances, double others, double foretold)
{
    double by_chance = evidence_beside(chances, others), among = evidence_beside(chances, foretold);
    block->by_chance[span] += (float)by_chance;
    block->foretold[span] += (float)among;
    search->explained[span] += COUNTED_TWICE * (by_chance - among);
}

double search_open(const struct search_block *block, unsigned span, double density)
{
    double none = pow(1 - density, block->ports);
    double some = (1 - none) * exp(fmin((double)block->foretold[span], EVIDENCE_MOST));
    return some / (none + some);
}

/* Each width is as likely as the others, and so is each span of a width. */
static double prior_of(const struct search *search, unsigned span)
{
    return 1.0 / SEARCH_WIDTHS / search->of_width[search->spans[span].width];
}

double search_anywhere(const struct search *search, const struct search_block *block)
{
    double ratio = 0;
    for (unsigned i = 0; i < search->span_count; i++)
        ratio += prior_of(search, i) * exp((double)block->by_chance[i]);
    return log(ratio);
}

static bool overlap(const struct lag_span *one, const struct lag_span *other)
{
    return one->from_ns < other->to_ns && other->from_ns < one->to_ns;
}

double search_at(const struct search *search, const struct search_block *block, struct lag_span lag)
{
    int64_t middle_ns = lag.from_ns + (lag.to_ns - lag.from_ns) / 2;
    double best = -HUGE_VAL;
    for (unsigned i = 0; i < search->span_count; i++) {
        const struct search_span *span = &search->spans[i];
        if (span->width <= search->width + 1 && span->lag.from_ns <= middle_ns &&
            middle_ns <= span->lag.to_ns)
            best = fmax(best, (double)block->foretold[i]);
    }
    return best;
}

/* ln of how likely all that was counted is if the lag lies in this span, than if all came by chance. */
static double all_evidence(const struct search *search, unsigned span, double density)
{
    double evidence = search->explained[span];
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++) {
        const struct search_block *block = &search->blocks[i];
        if (block->group == GROUP_NIL || block->shots == 0)
            continue;
        double none = pow(1 - density, block->ports);
        evidence += log(none + (1 - none) * exp((double)block->foretold[span]));
    }
    return evidence;
}

/* What lies at the edge of a span shows in the next ones as well: questions are further apart than packets,
 * and packets overtake each other. */
static bool is_near(const struct search *search, unsigned span, unsigned best)
{
    const struct lag_span *lag = &search->spans[span].lag, *of_best = &search->spans[best].lag;
    int64_t width_ns = of_best->to_ns - of_best->from_ns;
    return search->spans[span].width == search->width && llabs(lag->from_ns - of_best->from_ns) <= width_ns;
}

static struct lag_span hull_of_best(const struct search *search, const double *evidence, unsigned best)
{
    struct lag_span hull = search->spans[best].lag;
    for (unsigned i = 0; i < search->span_count; i++) {
        const struct search_span *span = &search->spans[i];
        if (!is_near(search, i, best) || evidence[i] < evidence[best] - BEST_MARGIN)
            continue;
        if (span->lag.from_ns < hull.from_ns)
            hull.from_ns = span->lag.from_ns;
        if (span->lag.to_ns > hull.to_ns)
            hull.to_ns = span->lag.to_ns;
    }
    return hull;
}

/* The spans of the width that is searched for, and the best of them. */
static unsigned find_best(const struct search *search, double density, double *ret_evidence)
{
    unsigned best = SEARCH_SPANS_MAX;
    for (unsigned i = 0; i < search->span_count; i++) {
        if (search->spans[i].width != search->width)
            continue;
        ret_evidence[i] = all_evidence(search, i, density);
        if (best == SEARCH_SPANS_MAX || ret_evidence[i] > ret_evidence[best])
            best = i;
    }
    return best;
}

/* Where a wider span says clearly more, the way varies more than we thought. */
static struct lag_span wider_if_better(const struct search *search, double density, struct lag_span hull,
                                       double evidence)
{
    struct lag_span ret = hull;
    for (unsigned i = 0; i < search->span_count; i++) {
        const struct search_span *span = &search->spans[i];
        if (span->width <= search->width || !overlap(&span->lag, &hull))
            continue;
        double wider = all_evidence(search, i, density);
        if (wider < evidence + BEST_MARGIN)
            continue;
        evidence = wider;
        ret = span->lag;
    }
    return ret;
}

bool search_guess(const struct search *search, double density, struct lag_span *ret)
{
    double evidence[SEARCH_SPANS_MAX] = {0}, all = 1, near = 0;
    unsigned best = find_best(search, density, evidence);
    for (unsigned i = 0; i < search->span_count; i++) {
        if (search->spans[i].width != search->width)
            continue;
        double ratio = exp(fmin(evidence[i], EVIDENCE_MOST)) / search->of_width[search->width];
        all += ratio;
        if (is_near(search, i, best))
            near += ratio;
    }
    if (near < (1 - GUESS_WRONG) * all)
        return false;
    *ret = wider_if_better(search, density, hull_of_best(search, evidence, best), evidence[best]);
    return true;
}
