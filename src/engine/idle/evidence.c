#include "engine/idle/evidence.h"

#include <math.h>

#define OPEN_MAX     6   /* more open ports in one group are not told apart */
#define MANY         0.1 /* the chance that a group has more, given that it has one */
#define STRENGTH_MAX 200 /* SYNs that the share is learned from at most: it may change */
#define HIDDEN_LEAST 1.0 /* never certain that none gets lost */

struct arrival arrival_unknown(void)
{
    return (struct arrival){.shown = 17, .hidden = 3};
}

void arrival_note(struct arrival *arrival, double shown, double sent)
{
    arrival->shown += shown;
    arrival->hidden += sent - shown;
    double strength = arrival->shown + arrival->hidden;
    if (strength > STRENGTH_MAX) {
        arrival->shown *= STRENGTH_MAX / strength;
        arrival->hidden *= STRENGTH_MAX / strength;
    }
    arrival->hidden = fmax(arrival->hidden, HIDDEN_LEAST);
}

double arrival_share(const struct arrival *arrival)
{
    return arrival->shown / (arrival->shown + arrival->hidden);
}

/* Add weight * P(s of n SYNs show), which is beta-binomial, to ret[s]. */
static void add_arrivals(const struct arrival *arrival, unsigned n, double weight, double *ret)
{
    double chance = 1;
    for (unsigned i = 0; i < n; i++)
        chance *= (arrival->hidden + i) / (arrival->shown + arrival->hidden + i);
    for (unsigned s = 0; s <= n && s <= EVIDENCE_COUNT_MAX; s++) {
        ret[s] += weight * chance;
        if (s < n)
            chance *= (double)(n - s) / (s + 1.0) * (arrival->shown + s) / (arrival->hidden + n - s - 1.0);
    }
}

/* Each further open port is half as likely as the one before. */
struct evidence_signal evidence_signal_of(unsigned ports, unsigned copies, const struct arrival *arrival)
{
    unsigned most = ports < OPEN_MAX ? ports : OPEN_MAX;
    double many = ports > OPEN_MAX ? MANY : 0;
    double total = 1 - ldexp(1, -(int)most);
    struct evidence_signal ret = {.chance = {0}};
    for (unsigned m = 1; m <= most; m++)
        add_arrivals(arrival, m * copies, (1 - many) * ldexp(1, -(int)m) / total, ret.chance);

    unsigned first = OPEN_MAX * copies / 2;
    for (unsigned s = first; many > 0 && s <= EVIDENCE_COUNT_MAX; s++)
        ret.chance[s] += many / (EVIDENCE_COUNT_MAX + 1.0 - first);
    return ret;
}

struct evidence_chances evidence_chances_of(const struct evidence_signal *signal,
                                            const struct background_law *background, unsigned count)
{
    double none[EVIDENCE_COUNT_MAX + 1];
    double some = 0;
    if (count > EVIDENCE_COUNT_MAX)
        count = EVIDENCE_COUNT_MAX;
    background_chances(background, none, count + 1);
    for (unsigned s = 0; s <= count; s++)
        some += signal->chance[s] * none[count - s];
    return (struct evidence_chances){.some = some, .none = none[count]};
}

double evidence_beside(struct evidence_chances chances, double others)
{
    return log(chances.some / ((1 - others) * chances.none + others * chances.some));
}

double evidence_of(const struct evidence_test *test, unsigned count)
{
    struct evidence_signal signal = evidence_signal_of(test->ports, test->copies, &test->arrival);
    return evidence_beside(evidence_chances_of(&signal, &test->background, count), 0);
}
