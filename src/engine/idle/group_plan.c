#include "engine/idle/group_plan.h"

#include <math.h>

#include "base/time.h"

#define COPIES_MAX   64
#define COPIES_CHEAP 16
#define CHEAP_SHARE  0.125 /* of the waiting */
#define CAUTION                                                                                              \
    1.0 /* standard deviations of the zombie's own traffic: five tests of six are decided by silence */

static int64_t sending_ns(const struct group_plan *plan, uint32_t ports, unsigned copies)
{
    return (int64_t)((double)ports * copies / plan->rate_pps * (double)SEC);
}

/* What silence would say, with more of the zombie's own traffic than is expected. */
static double evidence_of_silence(const struct group_plan *plan, uint32_t ports, unsigned copies)
{
    struct evidence_test test = {
        .ports = ports,
        .copies = copies,
        .arrival = plan->arrival,
        .background = background_law(plan->background, plan->show_ns + sending_ns(plan, ports, copies), 0),
    };
    double variance = test.background.mean * (1 + test.background.mean / test.background.shape);
    return evidence_of(&test, (unsigned)(test.background.mean + CAUTION * sqrt(variance)));
}

/* So many SYNs cost little beside the waiting: a test that must be repeated costs more. */
static unsigned cheap_copies(const struct group_plan *plan, uint32_t ports)
{
    double copies = plan->rate_pps * (double)plan->wait_ns / (double)SEC * CHEAP_SHARE / ports;
    return copies < COPIES_CHEAP ? (unsigned)copies : COPIES_CHEAP;
}

unsigned group_plan_copies(const struct group_plan *plan, uint32_t ports)
{
    unsigned low = 1, high = COPIES_MAX;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (evidence_of_silence(plan, ports, middle) <= plan->none_at)
            high = middle;
        else
            low = middle + 1;
    }
    unsigned cheap = cheap_copies(plan, ports);
    return low > cheap ? low : cheap;
}

/* Time for each port: its share of the test, and of the search when the test shows something. */
static double cost_s(const struct group_plan *plan, uint32_t ports)
{
    unsigned copies = group_plan_copies(plan, ports);
    double test_s = (double)(plan->wait_ns + sending_ns(plan, ports, copies)) / (double)SEC;
    double half_s = (double)(plan->wait_ns + sending_ns(plan, ports / 2, copies)) / (double)SEC;
    return test_s / ports + plan->density * log2(ports) * half_s;
}

uint32_t group_plan_size(const struct group_plan *plan, uint32_t most)
{
    uint32_t best = 1;
    double best_s = cost_s(plan, 1);
    for (uint32_t ports = 2; ports <= most; ports *= 2) {
        double s = cost_s(plan, ports);
        if (s < best_s) {
            best = ports;
            best_s = s;
        }
    }
    return best;
}
