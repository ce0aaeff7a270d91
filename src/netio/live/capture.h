/* The receiving side of the packet backends: one AF_PACKET socket with a TPACKET_V3 ring (packet(7),
 * Documentation/networking/packet_mmap.rst), for all interfaces. Packets come from the network header on,
 * with the link header's facts beside them. The ring is read in place; nothing is copied. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/filter.h"

struct capture {
    int fd;       /* borrowed; readable when a block is full or its time is over */
    uint8_t *map; /* owned */
    uint32_t block_count;
    uint32_t block; /* the one that is read, or awaited */
    uint32_t left;  /* packets in it that were not read; only while `next` is set */
    uint8_t *next;  /* header of the next packet; NULL: the block is the kernel's */
};

/* One packet; data are valid until the next call of capture_next. */
struct captured {
    const uint8_t *data; /* from the network header on */
    size_t len;          /* captured; less than wire_len only when a block does not hold it all */
    size_t wire_len;     /* as it was */
    int64_t realtime_ns; /* CLOCK_REALTIME at which the kernel took it */
    uint32_t link;       /* interface index */
    uint16_t ethertype;
    bool
        checksums_open; /* the checksum is not filled in yet, or the hardware has vouched for it: do not verify */
    bool checksums_unknown; /* or one of the two, and nobody has said so */
    bool other_vlan;        /* it belongs to a VLAN device above this link, and shows up again there */
    uint8_t source_mac[6];  /* zero on links without addresses */
};

/* Attach the filter for good, map the ring, and begin to receive, from all interfaces. Needs no privilege.
 *   fd            from sockets_open; stays the caller's
 *   answer_count  that may come, so that a small scan does not wait for a large ring; 0: not known
 * -EX_OSERR. */
int capture_open(struct capture *ret, int fd, const struct filter *filter, uint64_t answer_count,
                 struct error *err);
void capture_close(struct capture *capture); /* unmaps; does not close fd */

/* The next packet that can be read without waiting. False: there is none. */
bool capture_next(struct capture *capture, struct captured *ret);

/* Packets that the ring had no room for since the last call. */
uint64_t capture_take_drops(struct capture *capture);
