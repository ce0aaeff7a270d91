#include "netio/connect/connect_test_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct net {
    int tun;
    struct player *player;
};

struct addr net_addr(const char *text)
{
    struct addr addr = {0};
    if (!addr_parse(text, &addr))
        abort();
    return addr;
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
    net->tun = open_tun();
    bool raised = net->tun >= 0 && system(raise_links) == 0 && system(raise_firewall) == 0 &&
                  write_file("/proc/sys/net/ipv4/icmp_ratelimit", "0\n") &&
                  write_file("/proc/sys/net/ipv6/icmp/ratelimit", "0\n");
    net->player = raised ? player_start(net->tun) : NULL;
    if (!net->player || !drop_capabilities()) {
        perror("network");
        free(net);
        return NULL;
    }
    return net;
}

void net_leave(struct net *net)
{
    player_stop(net->player);
    close(net->tun);
    free(net);
}

struct player_seen net_seen(struct net *net)
{
    return player_seen(net->player);
}
