/* The receiving side of the packet backends: one AF_PACKET socket (packet(7)) for all interfaces. Packets
 * come from the network header on, with the link header's facts beside them, through a ring or, where few
 * answers are expected, through the socket's own queue (capture_ring.h, capture_queue.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/capture_queue.h"
#include "netio/live/capture_ring.h"
#include "netio/live/captured.h"
#include "netio/live/filter.h"

struct capture {
    int fd;                   /* borrowed; readable when there is something to read */
    struct capture_ring ring; /* one of the two is open */
    struct capture_queue queue;
};

/* Attach the filter for good, and begin to receive, from all interfaces. Needs no privilege.
 *   fd            from sockets_open; stays the caller's
 *   answer_count  that may come, so that a small scan does not wait for a large ring; 0: not known
 * -EX_OSERR. */
int capture_open(struct capture *ret, int fd, const struct filter *filter, uint64_t answer_count,
                 struct error *err);
void capture_close(struct capture *capture); /* does not close fd */

/* The next packet that can be read without waiting. False: there is none. */
bool capture_next(struct capture *capture, struct captured *ret);

/* Packets that there was no room for since the last call. */
uint64_t capture_take_drops(struct capture *capture);
