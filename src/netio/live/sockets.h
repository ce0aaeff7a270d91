/* The sockets that need CAP_NET_RAW. They are opened before anything else is done, unbound (protocol 0:
 * nothing arrives yet), so that every privilege can be dropped at once; filter, ring and bind work later
 * without it (design decision 11). One set belongs to one worker. */
#pragma once

#include "base/error.h"
#include "netio/xdp/wire.h"

struct sockets {
    int frames;  /* AF_PACKET, SOCK_RAW: whole frames go out; never receives */
    int capture; /* AF_PACKET, SOCK_DGRAM: packets come in from the network header on */
    int raw4;    /* IPPROTO_RAW with IP_HDRINCL: IPv4 packets that the kernel routes */
    int raw6;    /* the same for IPv6; -1 where the kernel has no IPv6 */
    int softnet; /* /proc/net/softnet_stat: what the kernel drops before any socket sees it; -1: not there */
    int late;    /* holds the packet sockets, so that closing them does not wait; -1: it does */
    struct wire *wire; /* what the xdp and kernel backends need; NULL: not opened. Closed with the sockets */
    struct error why_no_wire; /* text "": it was not tried */
};

#define SOCKETS_CLOSED                                                                                       \
    {                                                                                                        \
        .frames = -1, .capture = -1, .raw4 = -1, .raw6 = -1, .softnet = -1, .late = -1                       \
    }

/* Open all. -EX_NOPERM without CAP_NET_RAW, and the text says how to grant it; -EX_OSERR otherwise. */
int sockets_open(struct sockets *ret, struct error *err);

/* Closes what is open, wire too, and forgets it. */
void sockets_close(struct sockets *sockets);
