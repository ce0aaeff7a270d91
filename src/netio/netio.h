/* The door to the network, and the only clock. A backend carries out orders and hands over what arrives; it
 * knows nothing of sweeps, states or reports. Every backend passes netio_contract_test.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "netio/order.h"
#include "netio/stream.h"
#include "packet/packet.h"

/* How an address is reached. */
enum reach {
    REACH_NONE,   /* no route, no source address, or its interface is down */
    REACH_LOCAL,  /* an address of this machine */
    REACH_LINK,   /* on an attached network where ARP or ND finds it: a REQUEST_NEIGHBOR probe works */
    REACH_ROUTED, /* through a gateway, or over a link without addresses (tun, ppp) */
};

/* What became of one connect(). */
struct connect_event {
    uint32_t block_id;
    uint64_t bit;
    uint8_t try_number;
    int64_t time_ns;
    int64_t rtt_ns;  /* 0: not known */
    int error;       /* 0: connected; else errno of the answer: ECONNREFUSED, EHOSTUNREACH, ... */
    bool reset_seen; /* refused by an RST (TCP_INFO counts a received segment), not by an ICMP error */
    bool has_icmp;   /* the error queue named the ICMP message: */
    uint8_t icmp_type, icmp_code;
    struct addr offender; /* who sent it */
};

/* What happened to the way to the targets while they are scanned. */
enum disturbance {
    DISTURBANCE_GONE,      /* a link is down, or there is no route or no address of ours any more */
    DISTURBANCE_BACK,      /* it is there again; from_ns is when it went */
    DISTURBANCE_SOURCE,    /* it begins at another address of ours */
    DISTURBANCE_REROUTED,  /* it leads through another link or gateway */
    DISTURBANCE_SWALLOWED, /* what left by a faster way got nowhere: the packet socket sends from now on */
};

/* What a backend tells the engine, from within work(). */
struct netio_events {
    void (*packet)(void *context, int64_t time_ns, const struct packet *packet);
    void (*connected)(void *context, const struct connect_event *event);

    /* This probe did not leave, and will not be tried again by itself. error: errno. */
    void (*unsent)(void *context, const struct order *order, const struct probe *probe, int error);

    /* Our own side lost up to `count` packets that arrived between these times. */
    void (*dropped)(void *context, int64_t from_ns, int64_t to_ns, uint64_t count);

    /* The way to the targets is another, or gone. Whatever left between these times may be lost, and so may
     * answers that were to come then. While it is gone orders wait. May be NULL. */
    void (*disturbed)(void *context, enum disturbance what, int64_t from_ns, int64_t to_ns);
    void (*stream)(void *context, const struct stream_event *event);
};

struct netio_stats {
    uint64_t packets_sent; /* everything that left: probes, ARP, ND */
    uint64_t bytes_sent;
    uint64_t packets_received; /* that passed the kernel filter */
    uint64_t bytes_received;
    uint64_t faults[PACKET_FAULT_COUNT]; /* received and not decoded, by enum packet_fault */
    uint64_t send_errors;
    uint64_t ring_drops;
    uint64_t local_waits; /* connect: times a socket or local port had to be waited for */
};

struct netio {
    const struct netio_ops *ops;
    const struct netio_events *events; /* set by the engine before the first work() */
    void *context;                     /* for the events */
    struct netio_stats stats;
};

struct netio_ops {
    const char *name;

    /* How much sending one order should hold: about this long at its rate. */
    int64_t slice_ns;

    /* It keeps the rate of an order itself, so it may be given slice_ns of it at once. */
    bool paces;

    /* Monotonic (sim: virtual) time in nanoseconds. */
    int64_t (*now)(struct netio *io);

    enum reach (*reach)(struct netio *io, const struct addr *dst);

    /* Our address towards dst; ADDR_NONE when there is none. */
    struct addr (*source)(struct netio *io, const struct addr *dst);

    /* Has the kernel, asked for the link-layer address of the next hop towards dst by what was sent, found
     * nobody? NULL where that is not left to the kernel: a probe whose next hop is missing is then reported
     * as unsent. */
    bool (*next_hop_missing)(struct netio *io, const struct addr *dst);

    /* Carry out the order (NULL: only listen) and hand over what arrives. Returns when the order is done and
     * nothing is left to read without waiting, or, without an order, at until_ns or at once when something
     * arrived. With an order that cannot go on now (no buffer, no local port) it listens until something
     * changes or until_ns. */
    void (*work)(struct netio *io, struct order *order, int64_t until_ns);

    /* May this kind of request be asked of this backend? */
    bool (*can)(const struct netio *io, enum request_kind kind);

    void (*close)(struct netio *io); /* frees io */

    const struct stream_ops *streams; /* NULL: this backend has none */
};
