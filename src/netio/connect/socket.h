/* Making the sockets of the connect backend: addresses, options, and what connect() itself says. */
#pragma once

#include <netinet/in.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "packet/packet.h"

/* How every socket is to be set. */
struct connect_setup {
    char interface[IFNAMSIZ]; /* "": as routed */
    struct addr source4, source6;
    uint8_t ttl; /* 0: the system's default */
};

union connect_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The address as the kernel wants it; returns its length. addr is IPv4 or IPv6. */
socklen_t connect_sockaddr(const struct addr *addr, uint16_t port, union connect_sockaddr *ret);

/* The reverse; ADDR_NONE for another family. A scope is kept for link-local addresses only. */
struct addr connect_addr(const union connect_sockaddr *from);

/* Interface, TTL and source address (any port) on a new socket. Returns 0 or errno. */
int connect_socket_set(int fd, const struct addr *towards, const struct connect_setup *setup);

enum connect_dialled {
    CONNECT_STARTED, /* *ret_fd is connecting */
    CONNECT_SHORT,   /* *ret_error: something of ours ran out (descriptors, ports, memory): later again */
    CONNECT_FAILED,  /* *ret_error: this host cannot be asked from here (no route, forbidden) */
};

struct connect_call {
    const struct addr *dst;
    uint16_t port;
    int syn_retries;    /* TCP_SYNCNT */
    bool may_meet_self; /* dst may be ours: see to it that the socket does not connect to itself */
};

/* Start one non-blocking connect(). EADDRNOTAVAIL is CONNECT_SHORT: no local port is free, unless there is no
 * source address for dst at all, which the caller must find out. */
enum connect_dialled connect_socket_dial(const struct connect_setup *setup, const struct connect_call *call,
                                         int *ret_fd, int *ret_error);

/* The same with a socket that an RST has refused before, and whose options stand. False: it cannot be used
 * again, and a new one will tell why.
 *   syn_retries_set  what it is set to */
bool connect_socket_redial(int fd, const struct connect_call *call, int syn_retries_set);

/* How many sockets to have at once: `most` (0: CONNECT_SOCKETS_MAX), or as many as there are descriptors,
 * less some for whatever else the process opens. When those do run out, socket() says so and the probe waits.
 * Raises the soft limit to the hard one. */
uint32_t connect_socket_room(uint32_t most);

/* Close a connection with an RST (SO_LINGER with time 0), so that nothing of it stays, no TIME_WAIT; a socket
 * that is still connecting, silently. */
void connect_socket_reset(int fd);

/* A received message: who sent it (an error: whom the probe was for), and its control data, which header
 * points to. */
struct connect_message {
    union connect_sockaddr from;
    _Alignas(struct cmsghdr) uint8_t control[512];
    struct msghdr header;
};

/* The next message, without waiting, into data. Its TTL or hop limit, and the address of ours it was sent to,
 * go into ret_packet, which is otherwise left alone. Returns its length, or -1 when there is none.
 *   flags  of recvmsg(2): MSG_ERRQUEUE for an error */
ssize_t connect_receive(int fd, int flags, uint8_t *data, size_t size, struct connect_message *ret,
                        struct packet *ret_packet);

/* Messages that the socket had no room for since it was opened; counts modulo 2^32. */
uint32_t connect_socket_lost(int fd);
