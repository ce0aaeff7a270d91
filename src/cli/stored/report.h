/* `portolan report FILE`: the reports of a scan from its store, also while it runs or after it was
 * interrupted. */
#pragma once

#include "cli/options/options.h"
#include "cli/talk.h"

/* Returns the exit status, after a line about what went wrong. */
int stored_report(const struct options *given, struct talk *talk);
