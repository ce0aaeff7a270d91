#include "engine/idle/background.h"

#include <math.h>

#include "base/time.h"

/* Before anything is known: half a packet in half a second. */
#define PRIOR_PACKETS 0.5
#define PRIOR_SECONDS 0.5

/* What is older than a few of these counts no more: a zombie may begin to talk at any time. */
#define MEMORY_S 3.0

#define DOUBTFUL_S 0.25 /* what may be wrong counts no more than a quarter of a second */

/* One span in fifty may be a burst, before anything is known; and never fewer than one in a hundred. */
#define PRIOR_SPANS  50.0
#define PRIOR_BURSTS 1.0
#define BURST_LEAST  0.01
#define BURST_MOST   0.5

void background_init(struct background *background)
{
    *background = (struct background){.spans = 0};
}

void background_note(struct background *background, int64_t now_ns, double packets, int64_t span_ns)
{
    double age_s = (double)(now_ns - background->at_ns) / (double)SEC;
    double fade = background->at_ns && age_s > 0 ? exp(-age_s / MEMORY_S) : 1;
    background->packets = background->packets * fade + packets;
    background->seconds = background->seconds * fade + (double)span_ns / (double)SEC;
    background->at_ns = now_ns;
    background->spans += 1;
}

void background_doubt(struct background *background)
{
    double share = DOUBTFUL_S / fmax(background->seconds, DOUBTFUL_S);
    background->packets *= share;
    background->seconds *= share;
}

void background_note_burst(struct background *background)
{
    background->bursts += 1;
}

double background_pps(const struct background *background)
{
    return (background->packets + PRIOR_PACKETS) / (background->seconds + PRIOR_SECONDS);
}

struct background_law background_law(const struct background *background, int64_t span_ns, double more)
{
    double shape = background->packets + PRIOR_PACKETS;
    double mean = background_pps(background) * (double)span_ns / (double)SEC;
    double spread = mean * mean / shape + more * more; /* of the variance, what exceeds the mean */
    double burst = (background->bursts + PRIOR_BURSTS) / (background->spans + PRIOR_SPANS);
    struct background_law law = {
        .mean = mean + more,
        .shape = spread > 0 ? (mean + more) * (mean + more) / spread : shape,
        .burst = fmin(fmax(burst, BURST_LEAST), BURST_MOST),
    };
    return law;
}

void background_chances(const struct background_law *law, double *ret, unsigned count)
{
    double odds = law->mean / (law->shape + law->mean);
    double chance = exp(law->shape * log(law->shape / (law->shape + law->mean)));
    for (unsigned n = 0; n < count; n++) {
        ret[n] = (1 - law->burst) * chance + law->burst / ((n + 1.0) * (n + 2.0));
        chance *= odds * (n + law->shape) / (n + 1.0);
    }
}
