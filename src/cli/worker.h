/* The packet process: the only one that touches what comes from the network. It has its sockets, its share of
 * the job it inherited, and the channel to the supervisor; nothing else. */
#pragma once

#include "base/error.h"
#include "cli/crew.h"

/* Fork it. It opens its backend, says over the channel whether that went well, and waits for COMMAND_START
 * before the first packet. Afterwards the channel is the supervisor's side of it. EX_OSERR.
 *   number   of the member of the crew that it is to be, whose channel is open; gets its pid
 *   sockets  of main, a set for each worker; not opened when raw packets are not used */
int worker_start(struct job *job, unsigned number, struct sockets *sockets, struct crew *crew,
                 struct error *err);
