/* UDP scans without privilege: a few unconnected sockets, bound to the source ports that prove the answers.
 * Their error queues (IP_RECVERR) tell for each ICMP error whom it is about, what it says and who sent it,
 * and answers from anywhere are seen; so both become the same packets that a raw socket would have got. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/connect/socket.h"
#include "netio/netio.h"
#include "packet/packet.h"

#define CONNECT_UDP_SOCKETS 64   /* at the same time; the one that was used least recently makes room */
#define CONNECT_UDP_MAX     2048 /* bytes of a datagram that are looked at */

struct connect_udp_socket {
    int fd; /* -1: none */
    uint8_t family;
    uint16_t port;
    uint64_t used; /* number of the last use */
    uint32_t lost; /* datagrams without room, as last seen */
};

struct connect_udp {
    const struct connect_setup *setup;
    int epoll_fd;
    uint64_t first_key; /* epoll data of the first socket; the others follow */
    uint64_t uses;
    struct connect_udp_socket sockets[CONNECT_UDP_SOCKETS];
    uint8_t data[CONNECT_UDP_MAX];
};

/* No socket is opened yet. setup and epoll_fd must outlive it. */
void connect_udp_init(struct connect_udp *ret, const struct connect_setup *setup, int epoll_fd,
                      uint64_t first_key);
void connect_udp_done(struct connect_udp *udp);

bool connect_udp_is_asked(const struct technique *technique);

/* Send one probe from its source port. Returns 0 or errno; *ret_len: bytes of the IP packet. */
int connect_udp_send(struct connect_udp *udp, const struct probe *probe, unsigned *ret_len);

/* Hand over what the socket with this number has received, errors and answers. since_ns: when it was last
 * looked at. Returns whether there was anything. */
bool connect_udp_receive(struct connect_udp *udp, unsigned index, struct netio *io, int64_t since_ns,
                         int64_t now_ns);
