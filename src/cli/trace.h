/* --packet-trace: a backend in front of the real one that writes a line for each probe it passes on and each
 * packet that comes back. Probes then go out one by one, so a traced scan is slow. Off, it costs a function
 * call. */
#pragma once

#include <stdbool.h>

#include "netio/netio.h"

/* NULL without memory.
 *   inner  taken over: closed with the trace
 *   fd     where the lines go; blocks when nobody reads them. Borrowed */
struct netio *trace_new(struct netio *inner, int fd, bool on);

/* netio: what trace_new returned. */
void trace_set(struct netio *netio, bool on);
