/* Sending through an AF_XDP socket (Documentation/networking/af_xdp.rst): frames are put into a ring that the
 * kernel shares, and leave without socket buffers of their own where the driver can, else at a lower cost
 * than through AF_PACKET. Only the sending half: answers come through `answers`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define XSK_FRAMES    2048u /* a power of two */
#define XSK_FRAME_LEN 2048u

/* One of the rings: positions grow without end, entries are found by their low bits. */
struct xsk_ring {
    _Atomic uint32_t *producer, *consumer;
    void *entries;
    void *map; /* owned */
    size_t map_len;
};

struct xsk {
    int fd;        /* borrowed */
    uint32_t link; /* that it is bound to; 0: to none any more */
    uint8_t *area; /* owned: XSK_FRAMES frames */
    struct xsk_ring fill, sent, to_send;
    uint32_t free[XSK_FRAMES]; /* frames that are ours */
    uint32_t free_count;
    uint64_t put_count; /* frames that went into its ring */
};

/* Set the socket up and bind it to queue 0 of the interface. *ret must stay where it is.
 * -EX_UNAVAILABLE where the interface has no such thing, -EX_OSERR. */
int xsk_open(struct xsk *ret, int fd, uint32_t link, struct error *err);
void xsk_close(struct xsk *xsk); /* zeroed is fine */

/* Put a frame into the ring. False: there is no room. */
bool xsk_put(struct xsk *xsk, const uint8_t *frame, uint32_t len);

/* Have the kernel send what is in the ring. 0, or an errno when some of it could not leave yet. */
int xsk_kick(struct xsk *xsk);
