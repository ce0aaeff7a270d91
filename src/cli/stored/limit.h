/* Who looks at a store looks at what a stranger may have written: in a process that can open nothing else. */
#pragma once

#include "cli/job/session.h"
#include "cli/options/options.h"
#include "cli/talk.h"

/* Give up everything but reading the first `count` of the targets, which are stores, and writing to what is
 * open. EX_NOINPUT names a file that cannot be read, EX_OSERR what the kernel refuses. */
int stored_limit(const struct options *options, size_t count, struct talk *talk, struct error *err);

/* session_look_at, and a note about each interface that is not here, whose addresses are shown with a number
 * in place of its name. */
int stored_look_at(const char *path, struct talk *talk, struct session **ret, struct error *err);
