/* The packet process: the only one that touches what comes from the network. It has the sockets, the job it inherited, and the
 * channel to the supervisor; nothing else. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "cli/channel.h"
#include "cli/job/job.h"
#include "netio/live/sockets.h"

/* Fork it. It opens its backend, says over the channel whether that went well, and waits for COMMAND_START before the first
 * packet. Afterwards the channel is the supervisor's side of it, and the sockets are closed here. EX_OSERR, or what opening
 * the backend failed with.
 *   sockets  of main; not opened when raw packets are not used */
int worker_start(const struct job *job, struct sockets *sockets, struct channel *channel, pid_t *ret_pid,
                 struct error *err);
