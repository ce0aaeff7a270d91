/* What one test of a group of ports says: the zombie sent so many packets while it would have answered so
 * many SYN/ACKs. The result is the natural logarithm of how much likelier that is when a port of the group is
 * open than when none is. */
#pragma once

#include "engine/idle/background.h"

#define EVIDENCE_COUNT_MAX 511 /* a larger count is taken for this */

/* The share of our SYNs that show at the zombie, each by itself: Beta(shown, hidden). */
struct arrival {
    double shown, hidden;
};

/* Before anything is known, as if 17 of 20 had shown: 15 % loss on four ways, and not certain either. */
struct arrival arrival_unknown(void);

/* An open port was found: of so many SYNs to it, so many showed. */
void arrival_note(struct arrival *arrival, double shown, double sent);

double arrival_share(const struct arrival *arrival);

/* A test: `copies` SYNs to each of `ports` ports. */
struct evidence_test {
    unsigned ports, copies;
    struct arrival arrival;
    struct background_law background;
};

double evidence_of(const struct evidence_test *test, unsigned count);

/* The same in steps, the first of which serves many tests: how many answers so many SYNs bring if a port is
 * open, */
struct evidence_signal {
    double chance[EVIDENCE_COUNT_MAX + 1];
};

struct evidence_signal evidence_signal_of(unsigned ports, unsigned copies, const struct arrival *arrival);

/* how likely a count is with them, and without, */
struct evidence_chances {
    double some, none;
};

struct evidence_chances evidence_chances_of(const struct evidence_signal *signal,
                                            const struct background_law *background, unsigned count);

/* and what that says.
 *   others  chance that something else shows there which looks the same: other ports, which are open */
double evidence_beside(struct evidence_chances chances, double others);
