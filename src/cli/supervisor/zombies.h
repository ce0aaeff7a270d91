/* What --find-zombie found: the hosts that are fit as zombies, and why the others are not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/idle/ipid.h"
#include "report/report.h"
#include "verdict/record.h"

/* All zeros: nothing was found yet. */
struct zombies {
    struct report_zombie *fit; /* owned */
    size_t count, capacity;
    struct report_unfit unfit[IPID_CLASS_COUNT]; /* by class of their IDs */
};

/* Take in a NOTE_ZOMBIE. False without memory. */
bool zombies_take(struct zombies *zombies, const struct record *record);

/* Hand them to the reports: the fit ones best first, which is by the time that an idle scan through them
 * takes. Borrowed. */
void zombies_describe(struct zombies *zombies, struct report_end *end);

void zombies_done(struct zombies *zombies);
