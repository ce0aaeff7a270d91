/* The backend for everybody: connections made by the kernel's own connect(), no privilege needed. One
 * non-blocking socket for each try in flight, thousands of them, the outcome read from the socket: errno,
 * TCP_INFO, and the error queue, which names the ICMP message and who sent it. Echo requests (technique
 * "echo") go through ping sockets where net.ipv4.ping_group_range allows them; other packets are refused with
 * EOPNOTSUPP.
 *
 * What connect() hides: ICMP fragmentation needed (IPv4 type 3 code 4, IPv6 type 2), redirects, source quench
 * and type 11 code 1 never end a connect; a SYN that a local output filter drops is silence, as the kernel
 * tells nobody. TTLs are not known, except those of echo replies.
 *
 * The kernel repeats a SYN by itself, 1 and 2 s after the first (before Linux 6.5: after 1 s), and gives up
 * after 3 s; from the third try on, and once an answer took over 1 s, after 7 s. Until then a late answer
 * counts. rtt_ns is the kernel's own measure of a handshake; for refusals it is the time from connect() until
 * the event was read, some tens of microseconds more than the path took, and 0 (not known) when the SYN had
 * been repeated. */
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "netio/netio.h"

#define CONNECT_SOCKETS_MAX 16384 /* of all workers: about 6 KB of kernel memory each */

struct connect_options {
    const char *interface; /* send through this one; NULL: as routed. Borrowed for the call */
    struct addr source4;   /* connect from these; ADDR_NONE: the kernel chooses */
    struct addr source6;
    uint8_t ttl;          /* TTL and hop limit; 0: the system's default */
    uint32_t max_sockets; /* in flight; 0: as descriptors allow, up to CONNECT_SOCKETS_MAX */
};

/* Raises the soft limit of descriptors of the process to the hard one. Fails with EX_UNAVAILABLE when the
 * interface or a source address is not there, EX_OSERR without memory or descriptors. */
int connect_open(const struct connect_options *options, struct netio **ret, struct error *err);
