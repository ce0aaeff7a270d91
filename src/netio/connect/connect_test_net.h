/* The world of connect_test.c: a network namespace of its own with no way out, in a user namespace, so no root is
 * needed. Loopback is the real kernel, with a firewall that rejects; behind a TUN device a thread plays all hosts of
 * 198.18.0.0/16 and 2001:db8::/64, where the port says how it answers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define NET_SELF_V4   "198.18.255.1"
#define NET_SELF_V6   "2001:db8::ffff"
#define NET_OTHER_V4  "198.18.255.2" /* a second address of ours */
#define NET_ROUTER_V4 "198.18.0.9"   /* answers NET_ROUTER in the target's place */
#define NET_ROUTER_V6 "2001:db8::9"
#define NET_FORBIDDEN "198.51.100.1" /* behind a prohibit route */
#define NET_NOWHERE   "203.0.113.1"  /* behind no route */
#define NET_INTERFACE "pt0"

#define NET_SLOW_NS (1300 * MSEC)

/* How the hosts behind the TUN device answer a SYN, by port; a datagram to NET_OPEN gets one, at NET_ROUTER and from
 * NET_ICMP_FIRST on it is answered alike, elsewhere not at all. */
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
    NET_SOON_RESET,        /* after 30 ms */
    NET_ICMP_FIRST = 1000, /* NET_ICMP_FIRST + 16 * type + code: this ICMP message */
    NET_ICMP_LAST = 1000 + 207,
    NET_MANY_FIRST = 10000, /* port % 16: 0 open, 1 port unreachable, 2 silent, else reset */
};

/* Ports of loopback at which the firewall rejects: NET_REJECT_FIRST + code of ICMP type 3, or ICMPv6 type 1. */
#define NET_REJECT_FIRST 2000

struct net_seen {
    uint32_t syns;
    uint8_t ttl;     /* of the last one */
    struct addr src; /* of the last one */
};

struct net;

/* Enter the namespaces, raise the network, start the thread and give up every capability. NULL when it cannot be. Call
 * before any other thread is started. */
struct net *net_enter(void);
void net_leave(struct net *net);

/* What the player saw since the last call. */
struct net_seen net_seen(struct net *net);

/* The range of local ports that the kernel gives out. False: it could not be set. */
bool net_set_local_ports(unsigned first, unsigned last);

/* Let us open ping sockets, which nobody may in a new namespace; for good, as the kernel takes no range of groups there
 * that is empty. */
bool net_allow_pings(void);

struct addr net_addr(const char *text);

/* Sockets in TIME_WAIT, by /proc/net/sockstat; -1 when it cannot be read. */
int net_time_wait_count(void);
