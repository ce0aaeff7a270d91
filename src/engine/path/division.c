#include "engine/path/division.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/time.h"

/* A delay comes and goes: only what was late in this time is compared. */
#define SPAN_NS (1 * SEC)

/* In so short a time it is the same for all. */
#define SLICE_NS (100 * MSEC)

/* So much must be bad before it is looked at for the first time. */
#define FIRST_LOOK 2.0

/* Being late, or lost, twice as often is a difference. */
#define MATTERS_FACTOR 2.0

/* Losses matter if they cost so many more tries for a silence that is this certain; less than one in a
 * hundred is as good as none (see loss.h). */
#define TRIES_RISK   1e-6
#define TRIES_DIFFER 2.0
#define LOSS_IGNORED 0.01

static uint64_t mask_of(uint8_t prefix_len)
{
    return prefix_len < 64 ? ~(UINT64_MAX >> prefix_len) : UINT64_MAX;
}

struct network network_of(const struct addr *host, uint8_t prefix_len)
{
    return (struct network){.bits = get_be64(host->bytes) & mask_of(prefix_len),
                            .family = host->family,
                            .prefix_len = prefix_len};
}

bool network_contains(const struct network *network, const struct addr *host)
{
    return network->family == host->family &&
           (get_be64(host->bytes) & mask_of(network->prefix_len)) == network->bits;
}

struct addr network_first(const struct network *network)
{
    struct addr first = {.family = network->family};
    put_be64(first.bytes, network->bits);
    return first;
}

static uint8_t prefix_len_of(const struct addr *host, unsigned level)
{
    static const uint8_t v4[DIVISION_LEVELS] = {16, 24}, v6[DIVISION_LEVELS] = {48, 64};
    return host->family == ADDR_V4 ? v4[level] : v6[level];
}

void division_reset(struct division *division, int64_t now_ns)
{
    uint64_t looks = division->looks;
    memset(division, 0, sizeof *division);
    division->looks = looks;
    division->slice_from_ns = division->span_from_ns = now_ns;
    for (unsigned what = 0; what < PATH_DIFFERENCE_COUNT; what++)
        division->next_look[what] = FIRST_LOOK;
}

/* The place of a network: its own, or a free one for it. NULL: there are too many. */
static struct tally *place_of(struct division *division, unsigned level, const struct network *network)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 over the golden ratio: spreads neighbours */
    unsigned place = (unsigned)((network->bits * odd) >> 56);
    struct tally *tally = &division->tallies[level][place];
    while (tally->network.family != ADDR_NONE && tally->network.bits != network->bits) {
        place = (place + 1) % DIVISION_PLACES;
        tally = &division->tallies[level][place];
    }
    if (tally->network.family != ADDR_NONE)
        return tally;
    if (division->counts[level] == DIVISION_NETWORKS_MAX) {
        division->is_crowded = true;
        return NULL;
    }
    division->counts[level]++;
    tally->network = *network;
    return tally;
}

static void add(struct outcomes *outcomes, const struct outcomes *more)
{
    outcomes->all += more->all;
    outcomes->bad += more->bad;
}

void division_count(struct division *division, const struct addr *host, enum path_difference what,
                    struct outcomes more)
{
    bool by_slices = what == PATH_LATE;
    for (unsigned level = 0; level < DIVISION_LEVELS; level++) {
        struct network network = network_of(host, prefix_len_of(host, level));
        struct tally *tally = place_of(division, level, &network);
        if (tally)
            add(by_slices ? &tally->slice : &tally->of[what], &more);
    }
    add(by_slices ? &division->slice : &division->total[what], &more);
}

static void end_slice(struct division *division, int64_t now_ns)
{
    const struct outcomes *all = &division->slice;
    for (unsigned i = 0; i < DIVISION_LEVELS * DIVISION_PLACES && all->all > 0; i++) {
        struct tally *tally = &division->tallies[i / DIVISION_PLACES][i % DIVISION_PLACES];
        tally->late_expected += all->bad * tally->slice.all / all->all;
        add(&tally->of[PATH_LATE], &tally->slice);
        tally->slice = (struct outcomes){0};
    }
    add(&division->total[PATH_LATE], all);
    division->slice = (struct outcomes){0};
    division->slice_from_ns = now_ns;
}

static void forget_late(struct division *division, int64_t now_ns)
{
    for (unsigned i = 0; i < DIVISION_LEVELS * DIVISION_PLACES; i++) {
        struct tally *tally = &division->tallies[i / DIVISION_PLACES][i % DIVISION_PLACES];
        tally->of[PATH_LATE] = (struct outcomes){0};
        tally->late_expected = 0;
    }
    division->total[PATH_LATE] = (struct outcomes){0};
    division->next_look[PATH_LATE] = FIRST_LOOK;
    division->span_from_ns = now_ns;
}

void division_forget(struct division *division, double all_kept)
{
    struct outcomes *total = &division->total[PATH_LOST];
    if (total->all <= all_kept)
        return;
    double share = all_kept / total->all;
    for (unsigned i = 0; i < DIVISION_LEVELS * DIVISION_PLACES; i++) {
        struct outcomes *lost = &division->tallies[i / DIVISION_PLACES][i % DIVISION_PLACES].of[PATH_LOST];
        *lost = (struct outcomes){lost->all * share, lost->bad * share};
    }
    *total = (struct outcomes){total->all * share, total->bad * share};
    division->next_look[PATH_LOST] = fmax(FIRST_LOOK, 2 * total->bad);
}

double outcomes_share(const struct outcomes *outcomes)
{
    return outcomes->all > 0 ? outcomes->bad / outcomes->all : 0;
}

/* D(x, f), see the header; 0 < f < 1. */
static double divergence(double x, double f)
{
    double sum = 0;
    if (x > 0)
        sum += x * log(x / f);
    if (x < 1)
        sum += (1 - x) * log((1 - x) / (1 - f));
    return sum;
}

bool outcomes_are_below(const struct outcomes *outcomes, double limit, double error)
{
    double share = outcomes_share(outcomes);
    return share < limit && limit < 1 && exp(-outcomes->all * divergence(share, limit)) < error;
}

static double tries_needed(double loss)
{
    return ceil(log(TRIES_RISK) / log(fmax(loss, LOSS_IGNORED)));
}

static double chance_late(const struct tally *tally, const struct outcomes *rest)
{
    double late = tally->of[PATH_LATE].bad, expected = tally->late_expected;
    double others = rest->bad, others_expected = late + others - expected;
    bool matters = late * others_expected >= MATTERS_FACTOR * others * expected ||
                   others * expected >= MATTERS_FACTOR * late * others_expected;
    if (!matters || expected <= 0)
        return 1;
    return exp(-((late > 0 ? late * log(late / expected) : 0) - late + expected));
}

static double chance_lost_or_far(enum path_difference what, const struct outcomes *part,
                                 const struct outcomes *rest)
{
    double a = outcomes_share(part), b = outcomes_share(rest), bad = part->bad + rest->bad;
    double worse = fmax(a, b), better = fmin(a, b);
    bool matters = what == PATH_LOST ? worse >= MATTERS_FACTOR * better &&
                                           tries_needed(worse) >= tries_needed(better) + TRIES_DIFFER
                                     : worse > 0.5 && better < 0.5; /* as most of its hosts are */
    if (!matters)
        return 1;
    return exp(-bad * divergence(part->bad / bad, part->all / (part->all + rest->all)));
}

/* The chance that this network differs so much from the rest by chance; 1: it does not, or that does not
 * matter. */
static double chance_of(enum path_difference what, const struct tally *tally, const struct outcomes *rest)
{
    if (tally->of[what].all <= 0 || rest->all <= 0)
        return 1;
    return what == PATH_LATE ? chance_late(tally, rest) : chance_lost_or_far(what, &tally->of[what], rest);
}

static struct outcomes rest_of(const struct division *division, const struct tally *tally,
                               enum path_difference what)
{
    const struct outcomes *part = &tally->of[what], *total = &division->total[what];
    return (struct outcomes){total->all - part->all, total->bad - part->bad};
}

static bool look_at(const struct division *division, unsigned level, enum path_difference what,
                    struct divided *ret)
{
    /* The sum of 1/k^2 over all looks is pi^2/6. */
    double looks = (double)division->looks;
    double error = DIVISION_ERROR * 6 / (M_PI * M_PI * looks * looks) / DIVISION_LEVELS;
    double least = error / (division->counts[level] + 1);
    bool found = false;
    for (unsigned i = 0; i < DIVISION_PLACES; i++) {
        const struct tally *tally = &division->tallies[level][i];
        struct outcomes rest = rest_of(division, tally, what);
        double chance = tally->network.family == ADDR_NONE ? 1 : chance_of(what, tally, &rest);
        if (chance >= least)
            continue;
        least = chance;
        *ret = (struct divided){.network = tally->network, .what = what};
        for (unsigned k = 0; k < PATH_DIFFERENCE_COUNT; k++) {
            ret->part[k] = tally->of[k];
            ret->rest[k] = rest_of(division, tally, (enum path_difference)k);
        }
        found = true;
    }
    return found;
}

static bool look_for(struct division *division, enum path_difference what, struct divided *ret)
{
    if (division->total[what].bad < division->next_look[what])
        return false;
    division->next_look[what] = 2 * division->total[what].bad;
    division->looks++;
    for (unsigned level = 0; level < DIVISION_LEVELS; level++)
        if (look_at(division, level, what, ret))
            return true;
    return false;
}

bool division_look(struct division *division, int64_t now_ns, struct divided *ret)
{
    if (now_ns - division->slice_from_ns >= SLICE_NS)
        end_slice(division, now_ns);
    for (unsigned what = 0; what < PATH_DIFFERENCE_COUNT; what++)
        if (look_for(division, (enum path_difference)what, ret))
            return true;
    if (now_ns - division->span_from_ns >= SPAN_NS)
        forget_late(division, now_ns);
    return false;
}
