/* What follows from the answers of a host taken together:
 *
 * - That something answers for all of its ports: SYN proxies and tarpits do. Of a real host's so many ports,
 * most are closed. - Which resets and ICMP errors in its name a box on the way may have sent: those whose TTL
 * is not that of its own answers. Only
 *   what a box has little reason to forge says which that is: echo and timestamp replies, and the answers of
 *   services, as
 *   long as all of these agree. */
#pragma once

#include "results/results.h"

/* Sets host->answers_all (unless it is set already) and host->own_ttl, and `foreign` of each of the host's
 * ports.
 *   ports  those of the host, host->port_count of them */
void whole_host_derive(struct host_result *host, struct port_result *ports);
