#include "engine/loss.h"

#define PRIOR_TRIES 20.0
#define PRIOR_SHARE 0.01

/* With more than this the older half counts for half: a path changes. */
#define TRIES_REMEMBERED 16384.0

void loss_count(struct loss *loss, unsigned tries, unsigned lost)
{
    if (loss->tries >= TRIES_REMEMBERED) {
        loss->tries /= 2;
        loss->lost /= 2;
    }
    loss->tries += tries;
    loss->lost += lost;
}

static double share(const struct loss *loss, double prior)
{
    return (PRIOR_TRIES * prior + loss->lost) / (PRIOR_TRIES + loss->tries);
}

double loss_of_path(const struct loss *path)
{
    return share(path, PRIOR_SHARE);
}

double loss_of_host(const struct loss *path, const struct loss *host)
{
    return share(host, loss_of_path(path));
}

double loss_silence_risk(double p, uint64_t answered, uint64_t asked, unsigned tries)
{
    /* Half a port more than was counted, of one more: neither 0 nor 1 is ever certain. */
    double a = ((double)answered + 0.5) / ((double)asked + 1);
    double all_lost = a;
    for (unsigned i = 0; i < tries; i++)
        all_lost *= p;
    return all_lost / (all_lost + 1 - a);
}

bool loss_silence_is_certain(double p, uint64_t answered, uint64_t asked, unsigned tries, double risk)
{
    return loss_silence_risk(p, answered, asked, tries) <= risk;
}
