/* Packets received through a ring that kernel and user share (TPACKET_V3,
 * Documentation/networking/packet_mmap.rst): read in place, nothing is copied, nothing is called. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/captured.h"

struct capture_ring {
    uint8_t *map; /* owned; NULL: there is no ring */
    uint32_t block_count;
    uint32_t block; /* the one that is read, or awaited */
    uint32_t left;  /* packets in it that were not read; only while `next` is set */
    uint8_t *next;  /* header of the next packet; NULL: the block is the kernel's */
};

/* Give the socket, which is not bound yet, a ring with room for so many answers; 0: as many as there is room
 * for at most. The kernel waits here until no processor can still be using what was there before: some 10 ms.
 * -EX_OSERR. */
int capture_ring_open(struct capture_ring *ret, int fd, uint64_t answer_count, struct error *err);
void capture_ring_close(struct capture_ring *ring); /* a closed one too */

/* The next packet that can be read. False: there is none. */
bool capture_ring_next(struct capture_ring *ring, struct captured *ret);
