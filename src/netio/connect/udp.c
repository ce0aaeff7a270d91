#include "netio/connect/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "netio/connect/outcome.h"

#define RECEIVE_BYTES (1 << 20) /* asked of SO_RCVBUF; the kernel cuts it to net.core.rmem_max */
#define PACKET_ROOM   1500

/* An ICMP error that waits for us is also told by the next sendto, which then sends nothing. */
#define SEND_TRIES_MAX 4

void connect_udp_init(struct connect_udp *ret, const struct connect_setup *setup, int epoll_fd,
                      uint64_t first_key)
{
    ret->setup = setup;
    ret->epoll_fd = epoll_fd;
    ret->first_key = first_key;
    ret->uses = 0;
    for (unsigned i = 0; i < CONNECT_UDP_SOCKETS; i++)
        ret->sockets[i] = (struct connect_udp_socket){.fd = -1};
}

void connect_udp_done(struct connect_udp *udp)
{
    for (unsigned i = 0; i < CONNECT_UDP_SOCKETS; i++) {
        if (udp->sockets[i].fd >= 0)
            close(udp->sockets[i].fd);
        udp->sockets[i].fd = -1;
    }
}

bool connect_udp_is_asked(const struct technique *technique)
{
    return technique->kind == REQUEST_PACKET && technique->ip_proto == IP_PROTO_UDP;
}

static bool enable(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

static int bind_to(int fd, const struct addr *source, uint16_t port)
{
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(source, port, &address);
    return bind(fd, &address.any, len) < 0 ? errno : 0;
}

/* Returns 0 or errno. */
static int open_bound(const struct connect_udp *udp, uint8_t family, uint16_t port, int *ret_fd)
{
    bool v4 = family == ADDR_V4;
    const int bytes = RECEIVE_BYTES;
    struct connect_setup unbound = *udp->setup;
    unbound.source4 = unbound.source6 = (struct addr){0};
    struct addr source = v4 ? udp->setup->source4 : udp->setup->source6;
    source.family = family;

    own(close_fd) int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    bool errors = v4 ? enable(fd, IPPROTO_IP, IP_RECVERR) : enable(fd, IPPROTO_IPV6, IPV6_RECVERR);
    if (!errors || (!v4 && !enable(fd, IPPROTO_IPV6, IPV6_V6ONLY)))
        return errno;
    int error = connect_socket_set(fd, &source, &unbound);
    if (!error)
        error = bind_to(fd, &source, port);
    if (error)
        return error;
    enable(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT);
    enable(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    *ret_fd = take_fd(&fd);
    return 0;
}

static struct connect_udp_socket *find(struct connect_udp *udp, uint8_t family, uint16_t port)
{
    for (unsigned i = 0; i < CONNECT_UDP_SOCKETS; i++) {
        struct connect_udp_socket *socket = &udp->sockets[i];
        if (socket->fd >= 0 && socket->family == family && socket->port == port)
            return socket;
    }
    return NULL;
}

/* A free place, or that of the socket which has been idle longest. */
static struct connect_udp_socket *make_room(struct connect_udp *udp)
{
    struct connect_udp_socket *oldest = &udp->sockets[0];
    for (unsigned i = 0; i < CONNECT_UDP_SOCKETS; i++) {
        struct connect_udp_socket *socket = &udp->sockets[i];
        if (socket->fd < 0)
            return socket;
        if (socket->used < oldest->used)
            oldest = socket;
    }
    close(oldest->fd);
    oldest->fd = -1;
    return oldest;
}

/* A new socket in its place. NULL: *ret_error is errno. */
static struct connect_udp_socket *open_place(struct connect_udp *udp, const struct probe *probe,
                                             int *ret_error)
{
    int fd = -1;
    *ret_error = open_bound(udp, probe->dst.family, probe->source_port, &fd);
    if (*ret_error)
        return NULL;
    struct connect_udp_socket *socket = make_room(udp);
    struct epoll_event event = {.events = EPOLLIN,
                                .data.u64 = udp->first_key + (uint64_t)(socket - udp->sockets)};
    if (epoll_ctl(udp->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        *ret_error = errno;
        close(fd);
        return NULL;
    }
    *socket = (struct connect_udp_socket){
        .fd = fd,
        .family = probe->dst.family,
        .port = probe->source_port,
    };
    return socket;
}

static int send_datagram(int fd, const struct probe *probe, const uint8_t *data, size_t len)
{
    union connect_sockaddr address;
    socklen_t address_len = connect_sockaddr(&probe->dst, probe->port, &address);
    for (int i = 0; i < SEND_TRIES_MAX; i++) {
        int waiting = 0;
        socklen_t waiting_len = sizeof waiting;
        if (sendto(fd, data, len, 0, &address.any, address_len) >= 0)
            return 0;
        int error = errno;
        if (error == EAGAIN || error == ENOBUFS)
            return error;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &waiting, &waiting_len); /* forgets it; the queue keeps it */
        if (i + 1 == SEND_TRIES_MAX)
            return error;
    }
    return 0;
}

int connect_udp_send(struct connect_udp *udp, const struct probe *probe, unsigned *ret_len)
{
    uint8_t bytes[PACKET_ROOM];
    struct writer out = writer_over(bytes, sizeof bytes);
    probe->technique->build(probe, &out);
    if (!out.ok || writer_len(&out) < UDP_HEADER_LEN)
        return EMSGSIZE;

    int error = 0;
    struct connect_udp_socket *socket = find(udp, probe->dst.family, probe->source_port);
    if (!socket)
        socket = open_place(udp, probe, &error);
    if (!socket)
        return error;
    socket->used = ++udp->uses;
    error = send_datagram(socket->fd, probe, bytes + UDP_HEADER_LEN, writer_len(&out) - UDP_HEADER_LEN);
    if (error)
        return error;
    size_t header_len = probe->dst.family == ADDR_V4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    *ret_len = (unsigned)(header_len + writer_len(&out));
    return 0;
}

static uint16_t port_of(const union connect_sockaddr *from)
{
    bool v4 = from->any.sa_family == AF_INET;
    uint8_t bytes[2];
    memcpy(bytes, v4 ? (const void *)&from->v4.sin_port : (const void *)&from->v6.sin6_port, sizeof bytes);
    return get_be16(bytes);
}

static void fill_answer(const struct connect_udp_socket *socket, const union connect_sockaddr *from,
                        struct packet *packet)
{
    packet->layer = LAYER_UDP;
    packet->ip_proto = IP_PROTO_UDP;
    packet->src = connect_addr(from);
    packet->udp = (struct udp_header){
        .source_port = port_of(from),
        .port = socket->port,
        .len = (uint16_t)(UDP_HEADER_LEN + packet->payload_len),
    };
}

/* `from` is whom the probe was sent to. */
static void fill_error(const struct connect_udp_socket *socket, const union connect_sockaddr *from,
                       const struct connect_icmp *icmp, struct packet *packet)
{
    bool v4 = socket->family == ADDR_V4;
    packet->layer = v4 ? LAYER_ICMP4 : LAYER_ICMP6;
    packet->ip_proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6;
    packet->src = icmp->offender;
    packet->icmp = (struct icmp_header){.type = icmp->type, .code = icmp->code};
    packet->has_quote = true;
    packet->quote = (struct quote){
        .src = packet->dst,
        .dst = connect_addr(from),
        .ip_proto = IP_PROTO_UDP,
        .source_port = socket->port,
        .port = port_of(from),
    };
}

/* On loopback a probe may reach one of these sockets, and is no answer. */
static bool is_our_own(struct connect_udp *udp, const struct packet *packet)
{
    return addr_equal(&packet->src, &packet->dst) && find(udp, packet->src.family, packet->udp.source_port);
}

/* The next message: an answer, or with MSG_ERRQUEUE an error. False: none is left. *ret_useful: it says
 * something. */
static bool receive_one(struct connect_udp *udp, const struct connect_udp_socket *socket, int flags,
                        struct packet *ret, bool *ret_useful)
{
    struct connect_message message;
    struct packet packet = {0};
    ssize_t len = connect_receive(socket->fd, flags, udp->data, sizeof udp->data, &message, &packet);
    if (len < 0)
        return false;

    packet.payload = udp->data;
    packet.payload_len = (size_t)len;
    *ret_useful = true;
    if (flags & MSG_ERRQUEUE) {
        struct connect_icmp icmp = connect_icmp_read(&message.header);
        *ret_useful = icmp.error != 0;
        fill_error(socket, &message.from, &icmp, &packet);
    } else {
        fill_answer(socket, &message.from, &packet);
        *ret_useful = !is_our_own(udp, &packet);
    }
    *ret = packet;
    return true;
}

static bool receive_all(struct connect_udp *udp, const struct connect_udp_socket *socket, int flags,
                        struct netio *io, int64_t now_ns)
{
    struct packet packet;
    bool useful;
    bool told = false;
    while (receive_one(udp, socket, flags, &packet, &useful)) {
        if (!useful)
            continue;
        io->stats.packets_received++;
        io->stats.bytes_received += packet.payload_len;
        io->events->packet(io->context, now_ns, &packet);
        told = true;
    }
    return told;
}

bool connect_udp_receive(struct connect_udp *udp, unsigned index, struct netio *io, int64_t since_ns,
                         int64_t now_ns)
{
    struct connect_udp_socket *socket = &udp->sockets[index];
    if (socket->fd < 0)
        return false; /* closed since ready_wait took note of it */

    bool told = receive_all(udp, socket, MSG_ERRQUEUE, io, now_ns);
    told |= receive_all(udp, socket, 0, io, now_ns);
    uint32_t lost = connect_socket_lost(socket->fd);
    uint32_t newly_lost = lost - socket->lost;
    socket->lost = lost;
    if (newly_lost) {
        io->stats.ring_drops += newly_lost;
        io->events->dropped(io->context, since_ns, now_ns, newly_lost);
    }
    return told;
}
