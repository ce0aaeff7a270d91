/* What became of a connect(), read from its socket. No privilege needed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "netio/netio.h"

/* An ICMP error as an error queue names it (ip(7), IP_RECVERR). */
struct connect_icmp {
    int error; /* errno; 0: there was none */
    uint8_t type, code;
    struct addr offender; /* who sent it */
};

/* The ICMP error in the control data of a message from an error queue. */
struct connect_icmp connect_icmp_read(struct msghdr *message);

enum connect_state {
    CONNECT_WAITING, /* nothing yet: a false alarm */
    CONNECT_ENDED,   /* the event says how */
    CONNECT_SILENT,  /* the kernel gave up waiting; that is no answer */
};

struct connect_measure {
    int64_t kernel_rtt_ns; /* of the handshake, as the kernel measured it; 0: not known */
    uint32_t syn_repeats;  /* SYNs sent again by the kernel */
    bool refused;          /* by an RST and nothing else: the socket is as new, and may connect again */
};

/* Look at a socket that epoll reported.
 *   fd         of a non-blocking connect() with IP_RECVERR or IPV6_RECVERR
 *   host, port where to
 *   ret_event  with CONNECT_ENDED error, reset_seen, has_icmp, icmp_type, icmp_code and offender are set, the
 *              rest is left alone
 *
 * A connection that was reset after the handshake was one: it is reported as connected. RST and ICMP are told
 * apart by the error queue, which holds an ICMP error only when the kernel matched it to the SYN's sequence
 * number, and by tcpi_segs_in, which counts a received RST. */
enum connect_state connect_outcome_read(int fd, const struct addr *host, uint16_t port,
                                        struct connect_event *ret_event, struct connect_measure *ret_read);

/* How many bytes that were sent through a connected TCP socket has the peer acknowledged? 0 where the kernel
 * does not say. */
uint64_t connect_acknowledged(int fd);
