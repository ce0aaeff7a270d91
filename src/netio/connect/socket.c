#include "netio/connect/socket.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "netio/connect/connect.h"

/* A port chosen anew each time; meeting ourselves so often in a row means that hardly another port is
 * left. */
#define SELF_CONNECTS_MAX 8

socklen_t connect_sockaddr(const struct addr *addr, uint16_t port, union connect_sockaddr *ret)
{
    uint8_t wire_port[2];
    put_be16(wire_port, port);
    memset(ret, 0, sizeof *ret);
    if (addr->family == ADDR_V4) {
        ret->v4.sin_family = AF_INET;
        memcpy(&ret->v4.sin_port, wire_port, sizeof wire_port);
        memcpy(&ret->v4.sin_addr, addr->bytes, sizeof ret->v4.sin_addr);
        return sizeof ret->v4;
    }
    ret->v6.sin6_family = AF_INET6;
    memcpy(&ret->v6.sin6_port, wire_port, sizeof wire_port);
    memcpy(&ret->v6.sin6_addr, addr->bytes, sizeof ret->v6.sin6_addr);
    ret->v6.sin6_scope_id = addr->scope;
    return sizeof ret->v6;
}

struct addr connect_addr(const union connect_sockaddr *from)
{
    uint8_t bytes[16] = {0};
    if (from->any.sa_family == AF_INET) {
        memcpy(bytes, &from->v4.sin_addr, sizeof from->v4.sin_addr);
        return addr_v4(get_be32(bytes));
    }
    if (from->any.sa_family != AF_INET6)
        return (struct addr){0};
    memcpy(bytes, &from->v6.sin6_addr, sizeof bytes);
    return addr_v6(bytes, IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr) ? from->v6.sin6_scope_id : 0);
}

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? errno : 0;
}

static int bind_source(int fd, const struct addr *source)
{
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(source, 0, &address);

    /* The port is chosen by connect(), where only the whole four-tuple must be free. */
    int error = set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (!error && bind(fd, &address.any, len) < 0)
        error = errno;
    return error;
}

int connect_socket_set(int fd, const struct addr *towards, const struct connect_setup *setup)
{
    bool v4 = towards->family == ADDR_V4;
    int error = 0;
    if (setup->ttl)
        error = v4 ? set_int(fd, IPPROTO_IP, IP_TTL, setup->ttl)
                   : set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, setup->ttl);
    if (!error && setup->interface[0] &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, setup->interface, (socklen_t)strlen(setup->interface)) <
            0)
        error = errno;
    const struct addr *source = v4 ? &setup->source4 : &setup->source6;
    if (!error && source->family != ADDR_NONE)
        error = bind_source(fd, source);
    return error;
}

/* Without RECVERR the kernel may keep an ICMP error to itself until the connection times out: always over
 * IPv6, when it arrives while the socket is still inside connect(), as on loopback. */
static int set_connecting(int fd, const struct connect_call *call)
{
    bool v4 = call->dst->family == ADDR_V4;
    int error = v4 ? set_int(fd, IPPROTO_IP, IP_RECVERR, 1) : set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    return error ? error : set_int(fd, IPPROTO_TCP, TCP_SYNCNT, call->syn_retries);
}

/* Errors that say something about us at this moment, nothing about the host. */
static bool is_shortage(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case EADDRNOTAVAIL:
        return true;
    default:
        return false;
    }
}

static bool met_itself(int fd, const struct connect_call *call)
{
    union connect_sockaddr self = {0}, peer;
    socklen_t self_len = sizeof self;
    socklen_t peer_len = connect_sockaddr(call->dst, call->port, &peer);
    if (getsockname(fd, &self.any, &self_len) < 0 || self_len != peer_len ||
        self.any.sa_family != peer.any.sa_family)
        return false;
    if (peer.any.sa_family == AF_INET)
        return self.v4.sin_port == peer.v4.sin_port && self.v4.sin_addr.s_addr == peer.v4.sin_addr.s_addr;
    return self.v6.sin6_port == peer.v6.sin6_port &&
           memcmp(&self.v6.sin6_addr, &peer.v6.sin6_addr, sizeof peer.v6.sin6_addr) == 0;
}

static enum connect_dialled dial_once(const struct connect_setup *setup, const struct connect_call *call,
                                      int *ret_fd, int *ret_error)
{
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(call->dst, call->port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *ret_error = errno;
        return is_shortage(errno) ? CONNECT_SHORT : CONNECT_FAILED;
    }

    int error = set_connecting(fd, call);
    if (!error)
        error = connect_socket_set(fd, call->dst, setup);
    if (error) {
        close(fd);
        *ret_error = error;
        return CONNECT_FAILED;
    }
    if (connect(fd, &address.any, len) < 0 && errno != EINPROGRESS) {
        *ret_error = errno;
        close(fd);
        return is_shortage(*ret_error) ? CONNECT_SHORT : CONNECT_FAILED;
    }
    *ret_fd = fd;
    return CONNECT_STARTED;
}

enum connect_dialled connect_socket_dial(const struct connect_setup *setup, const struct connect_call *call,
                                         int *ret_fd, int *ret_error)
{
    for (int i = 0; i < SELF_CONNECTS_MAX; i++) {
        int fd = -1;
        enum connect_dialled dialled = dial_once(setup, call, &fd, ret_error);
        if (dialled != CONNECT_STARTED)
            return dialled;
        if (!call->may_meet_self || !met_itself(fd, call)) {
            *ret_fd = fd;
            return CONNECT_STARTED;
        }
        connect_socket_reset(fd);
    }
    *ret_error = EADDRNOTAVAIL;
    return CONNECT_SHORT;
}

bool connect_socket_redial(int fd, const struct connect_call *call, int syn_retries_set)
{
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(call->dst, call->port, &address);
    if (call->syn_retries != syn_retries_set && set_int(fd, IPPROTO_TCP, TCP_SYNCNT, call->syn_retries) != 0)
        return false;
    if (connect(fd, &address.any, len) < 0 && errno != EINPROGRESS)
        return false;
    return !call->may_meet_self || !met_itself(fd, call);
}

uint32_t connect_socket_room(uint32_t most)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);

    uint64_t count = most ? most : CONNECT_SOCKETS_MAX;
    uint64_t available = limit.rlim_cur - limit.rlim_cur / 8;
    if (count > available)
        count = available;
    return count ? (uint32_t)count : 1;
}

void connect_socket_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static bool is_control(const struct cmsghdr *control, int level, int type)
{
    return control->cmsg_level == level && control->cmsg_type == type;
}

/* The control message holds TTL or hop limit, or the address that the reply was sent to. */
static void take_control(const struct cmsghdr *control, struct packet *packet)
{
    union connect_sockaddr self = {0};
    if (is_control(control, IPPROTO_IP, IP_TTL) || is_control(control, IPPROTO_IPV6, IPV6_HOPLIMIT)) {
        int ttl;
        memcpy(&ttl, CMSG_DATA(control), sizeof ttl);
        packet->ttl = (uint8_t)ttl;
    } else if (is_control(control, IPPROTO_IP, IP_PKTINFO)) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        self.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = info.ipi_addr};
        packet->dst = connect_addr(&self);
    } else if (is_control(control, IPPROTO_IPV6, IPV6_PKTINFO)) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        self.v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr, .sin6_scope_id = info.ipi6_ifindex};
        packet->dst = connect_addr(&self);
    }
}

ssize_t connect_receive(int fd, int flags, uint8_t *data, size_t size, struct connect_message *ret,
                        struct packet *ret_packet)
{
    struct iovec piece = {.iov_base = data, .iov_len = size};
    ret->from = (union connect_sockaddr){0};
    ret->header = (struct msghdr){
        .msg_name = &ret->from,
        .msg_namelen = sizeof ret->from,
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = ret->control,
        .msg_controllen = sizeof ret->control,
    };
    ssize_t len = recvmsg(fd, &ret->header, flags | MSG_DONTWAIT);
    ret->header.msg_iov = NULL; /* it is gone with this function */
    for (struct cmsghdr *c = len < 0 ? NULL : CMSG_FIRSTHDR(&ret->header); c;
         c = CMSG_NXTHDR(&ret->header, c))
        take_control(c, ret_packet);
    return len;
}

uint32_t connect_socket_lost(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) < 0)
        return 0;
    return memory[SK_MEMINFO_DROPS];
}
