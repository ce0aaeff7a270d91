/* `portolan diff A B`: what changed between two stored scans, and how sure that is. */
#pragma once

#include "cli/options/options.h"
#include "cli/talk.h"

/* Returns 0 when nothing differs, 1 when something does, 2 after a line about what went wrong. */
int stored_diff(const struct options *options, struct talk *talk);
