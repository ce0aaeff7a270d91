/* The sending side of the packet backends: packets are written into slots that were made before the first
 * one, and leave in one sendmmsg(2). A batch has one lane: all its packets go through the same socket, and
 * all its frames out of the same link, to which the socket is bound: so the kernel need not be told with
 * each. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "netio/live/sockets.h"
#include "netio/netio.h"
#include "netio/order.h"
#include "netio/probe_packet.h"
#include "netio/xdp/xsk.h"
#include "packet/arp.h"

#define BATCH_MAX       64
#define BATCH_FRAME_MAX (ETHERNET_HEADER_LEN + PROBE_PACKET_MAX)

enum lane {
    LANE_FRAMES, /* frames, through AF_PACKET */
    LANE_RAW4,   /* IP packets that the kernel routes */
    LANE_RAW6
};

struct batch_slot {
    bool has_probe;           /* else it is a question of the backend's own (ARP, ND) */
    struct order_place place; /* of the probe */
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } name; /* where an IP packet goes */
    uint32_t len;
    uint8_t data[BATCH_FRAME_MAX];
};

struct batch {
    int fds[3];          /* by enum lane; borrowed */
    struct xsk *xsk;     /* borrowed: frames of its link go through it; NULL: none */
    uint8_t lane;        /* of the slots in use */
    uint32_t link;       /* interface index that their frames go out of */
    uint32_t bound_link; /* that the socket for frames is bound to; 0: none */
    uint32_t used;
    uint32_t sent; /* of them */
    int blocked;   /* errno that stopped the last flush: EAGAIN, ENOBUFS, ENETDOWN, ...; 0: none */
    int64_t blocked_since_ns;
    struct mmsghdr messages[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
    struct batch_slot slots[BATCH_MAX];
};

/* Only the sockets are borrowed. */
void batch_init(struct batch *batch, const struct sockets *sockets);

/* A slot for one more packet: fill in len and data, and name for an IP packet, then keep it as a probe or as
 * a question of the backend's own. NULL: the batch is full, or of another lane; flush it first.
 *   link  interface index, for LANE_FRAMES; else 0 */
struct batch_slot *batch_slot(struct batch *batch, enum lane lane, uint32_t link);
void batch_keep_probe(struct batch *batch, struct batch_slot *slot, const struct order_place *place);
void batch_keep_question(struct batch *batch, struct batch_slot *slot);

/* Send what is kept. True: the batch is empty. False: there was no room (batch->blocked says why); the rest
 * is kept and goes first next time. A packet that the kernel refuses for another reason (or for want of room
 * for longer than BATCH_PATIENCE_NS) is reported as unsent and passed over. Counts into io->stats. So is one
 * that the kernel has no way for: its way may just be changing, which the routes show in less than
 * BATCH_WAY_PATIENCE_NS.
 *   order  that the probes are of; NULL when there are none */
#define BATCH_PATIENCE_NS     (1 * SEC)
#define BATCH_WAY_PATIENCE_NS (50 * MSEC)
bool batch_flush(struct batch *batch, struct netio *io, const struct order *order, int64_t now_ns);

/* Empty the batch and put its probes back into the order they came from. */
void batch_take_back(struct batch *batch, struct order *order);
