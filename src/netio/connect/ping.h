/* ICMP echo without privilege: ping sockets (SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6), which the
 * groups of net.ipv4.ping_group_range may open.
 *
 * Such a socket puts its own number into the identifier of what it sends, and gets only replies with it. The
 * identifier that the technique chose, half of the keyed number that proves the answer, travels as the last
 * two bytes of the payload instead, and is put back into the packet that the engine sees. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/connect/socket.h"
#include "packet/packet.h"
#include "technique/technique.h"

#define CONNECT_PING_MAX 2048 /* bytes of a message that are looked at */

struct connect_pings {
    int fd4, fd6; /* -1: not allowed here */
};

struct connect_ping_reply {
    struct packet packet; /* payload points into data */
    uint8_t data[CONNECT_PING_MAX];
};

/* Opens what is allowed. */
struct connect_pings connect_pings_open(const struct connect_setup *setup);
void connect_pings_close(struct connect_pings *pings);

bool connect_ping_is_echo(const struct technique *technique);

/* Send one probe of the technique "echo". Returns 0 or errno. */
int connect_ping_send(const struct connect_pings *pings, const struct probe *probe);

/* The next message on one of the sockets. PACKET_OK: ret->packet is an echo reply; another fault: a message
 * that was none, to be counted. False: nothing is left to read. */
bool connect_ping_receive(int fd, enum packet_fault *ret_fault, struct connect_ping_reply *ret);
