/* The packet backend's state, and what the backends built on it (xdp, kernel: wire_io.c) use of it. */
#pragma once

#include "netio/known.h"
#include "netio/live/live_core.h"
#include "netio/route/resolver.h"
#include "netio/xdp/transmitter.h"
#include "netio/xdp/trial.h"
#include "netio/xdp/xsk.h"

/* What the transmitter has been told of the block at hand. */
struct aim {
    uint32_t block_id;
    int64_t since_ns; /* when this was found out; 0: never */
    bool fits;        /* the transmitter can send the block, with: */
    struct template template;
};

struct packet_io {
    struct live live; /* first: a pointer to one is a pointer to the other */
    struct resolver resolver;
    struct known known;
    struct xsk xsk;                 /* the xdp backend */
    struct transmitter transmitter; /* the kernel backend */
    struct aim aim;

    /* The faster way of either: sends what it can of the order, and returns how many frames that is. */
    uint32_t (*send)(struct packet_io *packet, struct order *order, int64_t until_ns);
    int counters_fd;    /* of /proc/net/dev; -1: not there */
    struct trial trial; /* of it */
    bool told;          /* the engine knows that it failed */
};

/* Set up what is the packet backend's own, as live_open does. On failure nothing of it is to be released. */
int packet_init(struct packet_io *packet, struct sockets *sockets, const struct route_table *routes,
                const struct netio_live_options *options, struct error *err);

/* The station that a probe over Ethernet goes to: of a ROUTE_GROUP, ROUTE_GATEWAY or ROUTE_LINK route. */
enum neighbor_state packet_station(struct packet_io *packet, const struct route *route, int64_t now_ns,
                                   uint8_t ret_mac[static 6]);

/* For netio_ops. */
enum reach packet_reach(struct netio *io, const struct addr *dst);
bool packet_can(const struct netio *io, enum request_kind kind);
void packet_close(struct netio *io);
