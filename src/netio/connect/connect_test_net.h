/* The world of connect_test.c: a network namespace of its own with no way out, in a user namespace, so no
 * root is needed. Loopback is the real kernel, with a firewall that rejects; behind a TUN device a player
 * (connect_test_player.h) is all hosts of 198.18.0.0/16 and 2001:db8::/64. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "netio/connect/connect_test_player.h"

#define NET_SELF_V4   "198.18.255.1"
#define NET_SELF_V6   "2001:db8::ffff"
#define NET_OTHER_V4  "198.18.255.2" /* a second address of ours */
#define NET_FORBIDDEN "198.51.100.1" /* behind a prohibit route */
#define NET_NOWHERE   "203.0.113.1"  /* behind no route */
#define NET_INTERFACE "pt0"

/* Ports of loopback at which the firewall rejects: NET_REJECT_FIRST + code of ICMP type 3, or ICMPv6 type
 * 1. */
#define NET_REJECT_FIRST 2000

struct net;

/* Enter the namespaces, raise the network, start the thread and give up every capability. NULL when it cannot
 * be. Call before any other thread is started. */
struct net *net_enter(void);
void net_leave(struct net *net);

/* What the player saw since the last call. */
struct player_seen net_seen(struct net *net);

/* The range of local ports that the kernel gives out. False: it could not be set. */
bool net_set_local_ports(unsigned first, unsigned last);

/* Let us open ping sockets, which nobody may in a new namespace; for good, as the kernel takes no range of
 * groups there that is empty. */
bool net_allow_pings(void);

struct addr net_addr(const char *text);

/* Sockets in TIME_WAIT, by /proc/net/sockstat; -1 when it cannot be read. */
int net_time_wait_count(void);
