/* `portolan explain FILE HOST:PORT`: the story of one port of a stored scan: what was asked, what came back,
 * and why that makes its state. */
#pragma once

#include "cli/options/options.h"
#include "cli/talk.h"

/* Returns the exit status, after a line about what went wrong. HOST:PORT may end in /udp, /sctp or /ip. */
int stored_explain(const struct options *options, struct talk *talk);
