/* What became of a connect(), read from its socket. No privilege needed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/netio.h"

enum connect_state {
    CONNECT_WAITING, /* nothing yet: a false alarm */
    CONNECT_ENDED,   /* the event says how */
    CONNECT_SILENT,  /* the kernel gave up waiting; that is no answer */
};

struct connect_measure {
    int64_t kernel_rtt_ns; /* of the handshake, as the kernel measured it; 0: not known */
    uint32_t syn_repeats;  /* SYNs sent again by the kernel */
};

/* Look at a socket that epoll reported.
 *   fd         of a non-blocking connect() with IP_RECVERR or IPV6_RECVERR
 *   ret_event  with CONNECT_ENDED error, reset_seen, has_icmp, icmp_type, icmp_code and offender are set, the rest is
 *              left alone
 *
 * A connection that was reset after the handshake was one: it is reported as connected. RST and ICMP are told apart by
 * the error queue, which holds an ICMP error only when the kernel matched it to the SYN's sequence number, and by
 * tcpi_segs_in, which counts a received RST. */
enum connect_state connect_outcome_read(int fd, struct connect_event *ret_event,
                                        struct connect_measure *ret_read);
