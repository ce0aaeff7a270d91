/* The supervisor: takes the records of the packet process, folds them into results, writes the reports and
 * talks to the user. It trusts no record, and whatever ends the scan, what was found is reported. */
#pragma once

#include "base/error.h"
#include "cli/crew.h"
#include "cli/job/job.h"
#include "cli/supervisor/names.h"
#include "cli/talk.h"

/* Run the scan to its end and say how it ended: 0, 128 + the signal that stopped it, or a status of
 * sysexits.h after a line about it. Signals must be blocked with supervisor_block_signals.
 *   crew  ready and waiting for COMMAND_START; it has ended when this returns */
int supervisor_run(struct job *job, struct names *names, struct crew *crew, struct talk *talk);

/* Block what the supervisor reads from a descriptor; before the fork, so that Ctrl-C does not end the packet
 * processes. */
void supervisor_block_signals(void);
