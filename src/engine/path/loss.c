#include "engine/path/loss.h"

#define PRIOR_TRIES 20.0
#define PRIOR_SHARE 0.01

void loss_count(struct loss *loss, double tries, double lost)
{
    loss->tries += tries;
    loss->lost += lost;
}

void loss_forget(struct loss *loss, double tries_kept)
{
    if (loss->tries <= tries_kept)
        return;
    loss->lost *= tries_kept / loss->tries;
    loss->tries = tries_kept;
}

static double share(const struct loss *loss, double prior)
{
    return (PRIOR_TRIES * prior + loss->lost) / (PRIOR_TRIES + loss->tries);
}

double loss_of_path(const struct loss *path)
{
    return share(path, PRIOR_SHARE);
}

double loss_of_host(double path_loss, const struct loss *host)
{
    return share(host, path_loss);
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
