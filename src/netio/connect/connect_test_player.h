/* The hosts behind the TUN device of connect_test_net.h: a thread that answers for all of them, where the
 * port says how. */
#pragma once

#include <stdint.h>

#include "base/addr.h"

#define NET_ROUTER_V4 "198.18.0.9" /* answers NET_ROUTER in the target's place */
#define NET_ROUTER_V6 "2001:db8::9"

#define NET_SLOW_NS (1300 * MSEC)

/* How the hosts behind the TUN device answer a SYN, by port; a datagram to NET_OPEN gets one, at NET_ROUTER
 * and from NET_ICMP_FIRST on it is answered alike, elsewhere not at all. */
enum net_port {
    NET_OPEN = 80,
    NET_RESET,
    NET_SILENT,
    NET_SLOW_OPEN,         /* after NET_SLOW_NS */
    NET_SLOW_RESET,        /* likewise */
    NET_SECOND_RESET,      /* only a SYN from another port than the first one */
    NET_FIRST_OPEN,        /* the first port that asks: SYN/ACK after 200 ms; others: host unreachable */
    NET_ROUTER,            /* administratively prohibited, says the router */
    NET_OPEN_RESET,        /* SYN/ACK, and an RST at once */
    NET_WRONG_ACK,         /* a SYN/ACK that acknowledges what was never sent */
    NET_WRONG_ACK_ICMP,    /* likewise, and then port unreachable */
    NET_SOON_RESET,        /* after 500 ms */
    NET_ICMP_FIRST = 1000, /* NET_ICMP_FIRST + 16 * type + code: this ICMP message */
    NET_ICMP_LAST = 1000 + 207,
    NET_MANY_FIRST = 10000, /* port % 16: 0 open, 1 port unreachable, 2 silent, else reset */
};

struct player_seen {
    uint32_t syns;
    uint8_t ttl;     /* of the last one */
    struct addr src; /* of the last one */
};

struct player;

/* Start it over the device, which stays the caller's. NULL: it cannot be. */
struct player *player_start(int tun);
void player_stop(struct player *player);

/* What it saw since the last call. */
struct player_seen player_seen(struct player *player);
