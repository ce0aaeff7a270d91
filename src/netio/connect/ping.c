#include "netio/connect/ping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"

#define ID_OFFSET     4 /* of the identifier in an echo message, RFC 792 and RFC 4443 section 4.1 */
#define ID_LEN        2
#define RECEIVE_BYTES (4 << 20) /* asked of SO_RCVBUF; the kernel cuts it to net.core.rmem_max */

static void enable(int fd, int level, int option)
{
    const int on = 1;
    setsockopt(fd, level, option, &on, sizeof on);
}

static int open_family(uint8_t family, const struct connect_setup *setup)
{
    bool v4 = family == ADDR_V4;
    const struct addr any = {.family = family};
    const int bytes = RECEIVE_BYTES;
    own(close_fd) int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                  v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (fd < 0 || connect_socket_set(fd, &any, setup))
        return -1;
    enable(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT);
    enable(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return take_fd(&fd);
}

struct connect_pings connect_pings_open(const struct connect_setup *setup)
{
    return (struct connect_pings){.fd4 = open_family(ADDR_V4, setup), .fd6 = open_family(ADDR_V6, setup)};
}

void connect_pings_close(struct connect_pings *pings)
{
    if (pings->fd4 >= 0)
        close(pings->fd4);
    if (pings->fd6 >= 0)
        close(pings->fd6);
}

bool connect_ping_is_echo(const struct technique *technique)
{
    return technique->kind == REQUEST_PACKET && strcmp(technique->name, "echo") == 0;
}

int connect_ping_send(const struct connect_pings *pings, const struct probe *probe)
{
    int fd = probe->dst.family == ADDR_V4 ? pings->fd4 : pings->fd6;
    if (fd < 0)
        return EPROTONOSUPPORT;

    uint8_t data[CONNECT_PING_MAX];
    struct writer out = writer_over(data, sizeof data);
    probe->technique->build(probe, &out);
    if (!out.ok || writer_len(&out) < ICMP_HEADER_LEN)
        return EMSGSIZE;
    write_bytes(&out, data + ID_OFFSET, ID_LEN);
    if (!out.ok)
        return EMSGSIZE;

    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(&probe->dst, 0, &address);
    return sendto(fd, data, writer_len(&out), 0, &address.any, len) < 0 ? errno : 0;
}

/* The kernel has verified the checksum and seen that the identifier is that of our socket. */
static enum packet_fault decode(struct connect_ping_reply *reply, size_t len)
{
    struct packet *packet = &reply->packet;
    bool v4 = packet->src.family == ADDR_V4;
    struct reader in = reader_over(reply->data, len);
    if (len < ICMP_HEADER_LEN + ID_LEN || !icmp_read(&in, packet->src.family, &packet->icmp))
        return PACKET_TRUNCATED;

    packet->layer = v4 ? LAYER_ICMP4 : LAYER_ICMP6;
    packet->ip_proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6;
    packet->icmp.id = get_be16(reply->data + len - ID_LEN);
    packet->icmp.rest = (uint32_t)packet->icmp.id << 16 | packet->icmp.seq;
    packet->payload = reply->data + ICMP_HEADER_LEN;
    packet->payload_len = len - ICMP_HEADER_LEN - ID_LEN;
    return PACKET_OK;
}

bool connect_ping_receive(int fd, enum packet_fault *ret_fault, struct connect_ping_reply *ret)
{
    struct connect_message message;
    struct packet packet = {0};
    ssize_t len = connect_receive(fd, 0, ret->data, sizeof ret->data, &message, &packet);
    if (len < 0)
        return false;

    packet.src = connect_addr(&message.from);
    ret->packet = packet;
    *ret_fault = decode(ret, (size_t)len);
    return true;
}
