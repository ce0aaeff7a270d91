/* A zombie's own traffic, as far as its IDs have shown it: how many packets it sends by itself in a span of
 * time, as a law of chance that is honest about what is not known.
 *
 * The rate has a gamma distribution, from what was counted lately and forgets as it ages; so the count in a
 * span is negative binomial. Beside it stands a chance of bursts, of any size: P(n) = 1 / ((n + 1)(n + 2)),
 * whose share grows with those that were met. No count is ever impossible, and so none alone proves anything
 * beyond that share. */
#pragma once

#include <stdint.h>

struct background {
    double packets, seconds; /* counted in, both fading */
    int64_t at_ns;           /* as of this time */
    double spans, bursts;    /* spans looked at, and those whose packets nothing of ours explains */
};

/* How many packets of its own a span holds. */
struct background_law {
    double mean, shape; /* of the negative binomial */
    double burst;       /* share of the bursts */
};

void background_init(struct background *background);

/* A span of the zombie's time in which it sent so many packets that nothing of ours explains. */
void background_note(struct background *background, int64_t now_ns, double packets, int64_t span_ns);

/* What was counted may have been ours in part: it weighs little from now on. */
void background_doubt(struct background *background);

/* Something that looked like ours was a burst after all. */
void background_note_burst(struct background *background);

/* The law for a span from now on; `more` packets are expected on top of it, more or less. */
struct background_law background_law(const struct background *background, int64_t span_ns, double more);

/* P(n) for n = 0 .. count - 1. */
void background_chances(const struct background_law *law, double *ret, unsigned count);

double background_pps(const struct background *background);
