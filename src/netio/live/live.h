/* The front of the backends that send real packets: opens the one that fits the routes, or the one named. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/sockets.h"
#include "netio/netio.h"
#include "netio/route/route.h"
#include "netio/route/source_pool.h"

struct netio_live_options {
    /* "packet", "xdp", "kernel", "raw"; NULL: packet where a link has ARP or ND, else raw; "best": kernel if
     * it pays and the interface takes it, else as NULL. */
    const char *backend;
    const char *why_not_kernel;     /* what makes the scan none for it; NULL: it is one */
    uint8_t ttl;                    /* of probes, or hop limit; > 0 */
    bool all_protocols;             /* answers in any IP protocol are wanted (-sO) */
    uint64_t probe_count;           /* of the scan: room for so many answers is enough; 0: not known */
    uint16_t source_port;           /* answers come to source_port .. source_port + source_port_count - 1: */
    uint16_t source_port_count;     /* those of the token_key */
    const struct source_pool *pool; /* more addresses that answers come to; borrowed; NULL: none */
};

/* Open a backend. Needs no privilege beyond the sockets.
 *   ret_why_not  of "best": why kernel was not taken; else it stays as it is
 *   sockets  taken over with success: closed with the backend
 *   routes   borrowed, must outlive the backend
 * -EX_USAGE for a backend of another name, -EX_OSERR, -EX_UNAVAILABLE. */
int netio_live_open(struct sockets *sockets, const struct route_table *routes,
                    const struct netio_live_options *options, struct netio **ret, struct error *ret_why_not,
                    struct error *err);
