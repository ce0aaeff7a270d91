#include "netio/connect/connect_test_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "packet/packet.h"

#define DELAYED_MAX 8192
#define PACKET_MAX  256

/* A packet to be sent later. */
struct delayed {
    int64_t due_ns;
    size_t len; /* 0: free */
    uint8_t data[PACKET_MAX];
};

struct net {
    int tun;
    int stop; /* eventfd */
    pthread_t thread;
    pthread_mutex_t lock; /* over seen */
    struct net_seen seen;
    uint16_t second_reset_first; /* source port that NET_SECOND_RESET was first asked from */
    uint16_t first_open_first;   /* and NET_FIRST_OPEN */
    struct delayed delayed[DELAYED_MAX];
};

struct addr net_addr(const char *text)
{
    struct addr addr = {0};
    if (!addr_parse(text, &addr))
        abort();
    return addr;
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static bool write_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool write_file(const char *path, const char *format, ...)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    va_list arguments;
    va_start(arguments, format);
    bool ok = vdprintf(fd, format, arguments) > 0;
    va_end(arguments);
    return close(fd) == 0 && ok;
}

bool net_set_local_ports(unsigned first, unsigned last)
{
    return write_file("/proc/sys/net/ipv4/ip_local_port_range", "%u %u\n", first, last);
}

bool net_allow_pings(void)
{
    return write_file("/proc/sys/net/ipv4/ping_group_range", "0 0\n");
}

int net_time_wait_count(void)
{
    FILE *file = fopen("/proc/net/sockstat", "re");
    if (!file)
        return -1;
    char line[256];
    int count = -1;
    while (count < 0 && fgets(line, sizeof line, file)) {
        const char *at = strncmp(line, "TCP:", 4) == 0 ? strstr(line, " tw ") : NULL;
        if (at)
            count = (int)strtol(at + 4, NULL, 10);
    }
    fclose(file);
    return count;
}

/* The player */

static void emit(struct net *net, struct ip_header ip, const uint8_t *payload, size_t payload_len,
                 int64_t delay_ns)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    ip.ttl = 64;
    ip_write(&out, &ip, payload_len);
    write_bytes(&out, payload, payload_len);
    if (!out.ok)
        abort();
    if (delay_ns == 0) {
        if (write(net->tun, data, writer_len(&out)) < 0)
            abort();
        return;
    }
    for (size_t i = 0; i < DELAYED_MAX; i++) {
        struct delayed *delayed = &net->delayed[i];
        if (delayed->len)
            continue;
        delayed->due_ns = clock_ns() + delay_ns;
        delayed->len = writer_len(&out);
        memcpy(delayed->data, data, delayed->len);
        return;
    }
    abort();
}

struct answer_tcp {
    uint8_t flags;
    uint32_t ack_offset; /* added to the right acknowledgement */
    uint32_t seq;
    int64_t delay_ns;
};

static void answer_tcp(struct net *net, const struct packet *syn, struct answer_tcp how)
{
    uint8_t data[64];
    struct writer out = writer_over(data, sizeof data);
    struct tcp_build build = {
        .header =
            {
                .source_port = syn->tcp.port,
                .port = syn->tcp.source_port,
                .seq = how.seq,
                .ack = syn->tcp.seq + 1 + how.ack_offset,
                .flags = how.flags,
                .window = 1024,
            },
    };
    tcp_write(&out, &syn->dst, &syn->src, &build);
    struct ip_header ip = {.src = syn->dst, .dst = syn->src, .proto = IP_PROTO_TCP};
    emit(net, ip, data, writer_len(&out), how.delay_ns);
}

struct answer_icmp {
    uint8_t type, code;
    const uint8_t *quoted;
    size_t quoted_len;
};

static void answer_icmp(struct net *net, const struct packet *syn, const struct addr *from,
                        struct answer_icmp how)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    struct icmp_header header = {.type = how.type, .code = how.code};
    size_t quoted_len = how.quoted_len < 100 ? how.quoted_len : 100;
    icmp_write(&out, from, &syn->src, &header, how.quoted, quoted_len);
    bool v4 = from->family == ADDR_V4;
    struct ip_header ip = {.src = *from, .dst = syn->src, .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6};
    emit(net, ip, data, writer_len(&out), 0);
}

static void answer_echo(struct net *net, const struct packet *echo)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    bool v4 = echo->layer == LAYER_ICMP4;
    struct icmp_header header = {.type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY, .rest = echo->icmp.rest};
    icmp_write(&out, &echo->dst, &echo->src, &header, echo->payload, echo->payload_len);
    struct ip_header ip = {.src = echo->dst, .dst = echo->src, .proto = echo->ip_proto};
    emit(net, ip, data, writer_len(&out), 0);
}

static const struct answer_tcp syn_ack = {.flags = TCP_SYN | TCP_ACK, .seq = 4711};
static const struct answer_tcp reset = {.flags = TCP_RST | TCP_ACK};

static void answer_late(struct net *net, const struct packet *syn, struct answer_tcp how, int64_t delay_ns)
{
    how.delay_ns = delay_ns;
    answer_tcp(net, syn, how);
}

static void answer_port_unreachable(struct net *net, const struct packet *syn, struct answer_icmp icmp)
{
    bool v4 = syn->dst.family == ADDR_V4;
    icmp.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
    icmp.code = v4 ? 3 : 4;
    answer_icmp(net, syn, &syn->dst, icmp);
}

static void answer_as_router(struct net *net, const struct packet *syn, struct answer_icmp icmp)
{
    bool v4 = syn->dst.family == ADDR_V4;
    struct addr router = net_addr(v4 ? NET_ROUTER_V4 : NET_ROUTER_V6);
    icmp.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
    icmp.code = v4 ? 13 : 1;
    answer_icmp(net, syn, &router, icmp);
}

static void answer_one_of_many(struct net *net, const struct packet *syn, struct answer_icmp icmp)
{
    switch (syn->tcp.port % 16) {
    case 0:
        answer_tcp(net, syn, syn_ack);
        break;
    case 1:
        answer_port_unreachable(net, syn, icmp);
        break;
    case 2:
        break;
    default:
        answer_tcp(net, syn, reset);
        break;
    }
}

static void answer_by_number(struct net *net, const struct packet *syn, struct answer_icmp icmp)
{
    uint16_t port = syn->tcp.port;
    if (port >= NET_ICMP_FIRST && port <= NET_ICMP_LAST) {
        icmp.type = (uint8_t)((port - NET_ICMP_FIRST) / 16);
        icmp.code = (uint8_t)((port - NET_ICMP_FIRST) % 16);
        answer_icmp(net, syn, &syn->dst, icmp);
    } else if (port >= NET_MANY_FIRST) {
        answer_one_of_many(net, syn, icmp);
    }
}

static void answer_wrong_ack(struct net *net, const struct packet *syn)
{
    struct answer_tcp wrong = syn_ack;
    wrong.ack_offset = 1000;
    answer_tcp(net, syn, wrong);
}

/* Is this the port that asked first? */
static bool is_first(uint16_t *first, const struct packet *syn)
{
    if (!*first)
        *first = syn->tcp.source_port;
    return *first == syn->tcp.source_port;
}

static void answer_second(struct net *net, const struct packet *syn)
{
    if (!is_first(&net->second_reset_first, syn))
        answer_tcp(net, syn, reset);
}

static void answer_first(struct net *net, const struct packet *syn, struct answer_icmp icmp)
{
    icmp.type = ICMP4_UNREACHABLE;
    icmp.code = 1;
    if (is_first(&net->first_open_first, syn))
        answer_late(net, syn, syn_ack, 200 * MSEC);
    else
        answer_icmp(net, syn, &syn->dst, icmp);
}

static void answer_open_reset(struct net *net, const struct packet *syn)
{
    struct answer_tcp then = {.flags = TCP_RST | TCP_ACK, .seq = syn_ack.seq + 1};
    answer_tcp(net, syn, syn_ack);
    answer_tcp(net, syn, then);
}

static void answer_syn(struct net *net, const struct packet *syn, const uint8_t *data, size_t len)
{
    struct answer_icmp icmp = {.quoted = data, .quoted_len = len};
    switch (syn->tcp.port) {
    case NET_OPEN:
        answer_tcp(net, syn, syn_ack);
        break;
    case NET_RESET:
        answer_tcp(net, syn, reset);
        break;
    case NET_SLOW_OPEN:
        answer_late(net, syn, syn_ack, NET_SLOW_NS);
        break;
    case NET_SLOW_RESET:
        answer_late(net, syn, reset, NET_SLOW_NS);
        break;
    case NET_SOON_RESET:
        answer_late(net, syn, reset, 30 * MSEC);
        break;
    case NET_SECOND_RESET:
        answer_second(net, syn);
        break;
    case NET_FIRST_OPEN:
        answer_first(net, syn, icmp);
        break;
    case NET_ROUTER:
        answer_as_router(net, syn, icmp);
        break;
    case NET_OPEN_RESET:
        answer_open_reset(net, syn);
        break;
    case NET_WRONG_ACK:
        answer_wrong_ack(net, syn);
        break;
    case NET_WRONG_ACK_ICMP:
        answer_wrong_ack(net, syn);
        answer_port_unreachable(net, syn, icmp);
        break;
    default:
        answer_by_number(net, syn, icmp);
        break;
    }
}

/* A datagram is answered by another, or by an ICMP error. */
static void answer_udp(struct net *net, const struct packet *datagram, const uint8_t *data, size_t len)
{
    struct answer_icmp icmp = {.quoted = data, .quoted_len = len};
    if (datagram->udp.port == NET_OPEN) {
        uint8_t answer[PACKET_MAX];
        struct writer out = writer_over(answer, sizeof answer);
        struct udp_header header = {.source_port = NET_OPEN, .port = datagram->udp.source_port};
        udp_write(&out, &datagram->dst, &datagram->src, &header, (const uint8_t *)"hi", 2);
        struct ip_header ip = {.src = datagram->dst, .dst = datagram->src, .proto = IP_PROTO_UDP};
        emit(net, ip, answer, writer_len(&out), 0);
    } else if (datagram->udp.port == NET_ROUTER) {
        answer_as_router(net, datagram, icmp);
    } else if (datagram->udp.port >= NET_ICMP_FIRST && datagram->udp.port <= NET_ICMP_LAST) {
        icmp.type = (uint8_t)((datagram->udp.port - NET_ICMP_FIRST) / 16);
        icmp.code = (uint8_t)((datagram->udp.port - NET_ICMP_FIRST) % 16);
        answer_icmp(net, datagram, &datagram->dst, icmp);
    }
}

static void note_syn(struct net *net, const struct packet *packet)
{
    pthread_mutex_lock(&net->lock);
    net->seen.syns++;
    net->seen.ttl = packet->ttl;
    net->seen.src = packet->src;
    pthread_mutex_unlock(&net->lock);
}

struct net_seen net_seen(struct net *net)
{
    pthread_mutex_lock(&net->lock);
    struct net_seen seen = net->seen;
    net->seen = (struct net_seen){0};
    pthread_mutex_unlock(&net->lock);
    return seen;
}

static void play_packet(struct net *net, const uint8_t *data, size_t len)
{
    struct packet packet;
    struct packet_reading how = {.checksums = true};
    if (packet_read_ip(data, len, how, &packet) != PACKET_OK)
        return;
    bool echo4 = packet.layer == LAYER_ICMP4 && packet.icmp.type == ICMP4_ECHO;
    bool echo6 = packet.layer == LAYER_ICMP6 && packet.icmp.type == ICMP6_ECHO;
    if (echo4 || echo6) {
        answer_echo(net, &packet);
    } else if (packet.layer == LAYER_TCP && packet.tcp.flags == TCP_SYN) {
        note_syn(net, &packet);
        answer_syn(net, &packet, data, len);
    } else if (packet.layer == LAYER_UDP) {
        answer_udp(net, &packet, data, len);
    }
}

/* Sends what is due. Returns milliseconds until the next is, -1: none waits. */
static int play_delayed(struct net *net)
{
    int64_t now_ns = clock_ns(), next_ns = TIME_NEVER;
    for (size_t i = 0; i < DELAYED_MAX; i++) {
        struct delayed *delayed = &net->delayed[i];
        if (delayed->len && delayed->due_ns <= now_ns) {
            if (write(net->tun, delayed->data, delayed->len) < 0)
                abort();
            delayed->len = 0;
        } else if (delayed->len && delayed->due_ns < next_ns) {
            next_ns = delayed->due_ns;
        }
    }
    return next_ns == TIME_NEVER ? -1 : (int)((next_ns - now_ns) / MSEC) + 1;
}

static void *play(void *context)
{
    struct net *net = context;
    struct pollfd watched[2] = {{.fd = net->tun, .events = POLLIN}, {.fd = net->stop, .events = POLLIN}};
    uint8_t data[2048];
    for (;;) {
        poll(watched, 2, play_delayed(net));
        if (watched[1].revents)
            return NULL;
        ssize_t len = watched[0].revents ? read(net->tun, data, sizeof data) : -1;
        if (len > 0)
            play_packet(net, data, (size_t)len);
    }
}

/* The namespaces */

static bool enter_namespaces(void)
{
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return write_file("/proc/self/setgroups", "deny") &&
               write_file("/proc/self/uid_map", "0 %u 1\n", uid) &&
               write_file("/proc/self/gid_map", "0 %u 1\n", gid);
    return unshare(CLONE_NEWNET) == 0;
}

static int open_tun(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    memcpy(request.ifr_name, NET_INTERFACE, sizeof NET_INTERFACE);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
        perror("tun");
        return -1;
    }
    return fd;
}

static const char raise_links[] = "set -e\n"
                                  "ip link set lo up\n"
                                  "ip addr add " NET_SELF_V4 "/16 dev " NET_INTERFACE "\n"
                                  "ip addr add " NET_OTHER_V4 "/32 dev " NET_INTERFACE "\n"
                                  "ip addr add " NET_SELF_V6 "/64 dev " NET_INTERFACE " nodad\n"
                                  "ip link set " NET_INTERFACE " up txqueuelen 10000\n"
                                  "ip route add prohibit 198.51.100.0/24\n";

static const char raise_firewall[] =
    "nft -f - <<'END'\n"
    "table inet portolan {\n"
    "  chain in {\n"
    "    type filter hook input priority 0;\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2000 reject with icmp net-unreachable\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2001 reject with icmp host-unreachable\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2002 reject with icmp prot-unreachable\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2003 reject with icmp port-unreachable\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2009 reject with icmp net-prohibited\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2010 reject with icmp host-prohibited\n"
    "    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 2013 reject with icmp admin-prohibited\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2000 reject with icmpv6 no-route\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2001 reject with icmpv6 admin-prohibited\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2003 reject with icmpv6 addr-unreachable\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2004 reject with icmpv6 port-unreachable\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2005 reject with icmpv6 policy-fail\n"
    "    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 2006 reject with icmpv6 reject-route\n"
    "  }\n"
    "}\n"
    "END\n";

/* The backend must do with no capability at all. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capset, &header, none) == 0;
}

struct net *net_enter(void)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net || !enter_namespaces()) {
        perror("namespaces");
        free(net);
        return NULL;
    }
    pthread_mutex_init(&net->lock, NULL);
    net->stop = eventfd(0, EFD_CLOEXEC);
    net->tun = open_tun();
    bool raised = net->tun >= 0 && net->stop >= 0 && system(raise_links) == 0 &&
                  system(raise_firewall) == 0 && write_file("/proc/sys/net/ipv4/icmp_ratelimit", "0\n") &&
                  write_file("/proc/sys/net/ipv6/icmp/ratelimit", "0\n");
    if (!raised || pthread_create(&net->thread, NULL, play, net) || !drop_capabilities()) {
        perror("network");
        free(net);
        return NULL;
    }
    return net;
}

void net_leave(struct net *net)
{
    eventfd_write(net->stop, 1);
    pthread_join(net->thread, NULL);
    pthread_mutex_destroy(&net->lock);
    close(net->tun);
    close(net->stop);
    free(net);
}
