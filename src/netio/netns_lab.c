#include "netio/netns_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "practice network: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* Become root of a user namespace of our own, unless we are root. */
static bool gain_privilege(void)
{
    char map[64];
    unsigned user = geteuid(), group = getegid();
    if (user == 0)
        return true;
    if (unshare(CLONE_NEWUSER) < 0)
        return false;
    snprintf(map, sizeof map, "0 %u 1\n", user);
    if (!write_file("/proc/self/uid_map", map) || !write_file("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof map, "0 %u 1\n", group);
    return write_file("/proc/self/gid_map", map);
}

/* A new network namespace, with this thread in it. Addresses of its interfaces are usable at once. */
static int new_namespace(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0"))
        fail("new namespace");
    return fd;
}

static int listen_here(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int off = 0;
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(LAB_OPEN_PORT)};
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
        bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, 64) < 0)
        fail("listen");
    return fd;
}

void netns_lab_run(int namespace, const char *command)
{
    int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (back < 0 || setns(namespace, CLONE_NEWNET) < 0 || system(command) != 0)
        fail(command);
    if (setns(back, CLONE_NEWNET) < 0)
        fail("back to the namespace");
    close(back);
}

/* With GRO a veth end polls, and so takes frames that a BPF program sends
 * (Documentation/bpf/redirect.rst). */
static void switch_gro(int namespace, const char *name, bool on)
{
    int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (back < 0 || setns(namespace, CLONE_NEWNET) < 0)
        fail("enter the namespace");
    struct ethtool_value gro = {.cmd = ETHTOOL_SGRO, .data = on};
    struct ifreq request = {.ifr_data = (void *)&gro};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
        fail("generic receive offload");
    close(fd);
    if (setns(back, CLONE_NEWNET) < 0)
        fail("back to the namespace");
    close(back);
}

void netns_lab_let_far_poll(const struct netns_lab *lab, bool polls)
{
    switch_gro(lab->far, "far", polls);
}

void netns_lab_restore(const struct netns_lab *lab)
{
    netns_lab_run(
        lab->near,
        "ip link set near up && ip address replace 198.18.0.1/24 dev near && "
        "ip address replace 198.18.0.33/24 dev near && ip address replace 2001:db8::1/64 dev near && "
        "ip address replace 2001:db8::33/64 dev near preferred_lft 0 && "
        "ip route replace 203.0.113.0/24 via 198.18.0.2 && "
        "ip route replace 2001:db8:1::/64 via 2001:db8::2 && "
        "ip route replace 198.51.100.0/25 via 198.18.0.99 && "
        "ip route replace unreachable 198.51.100.128/25");
    /* A carrier shows a moment later. */
    netns_lab_run(lab->near, "for i in $(seq 100); do"
                             "  ip -o link show dev near | grep -q 'state UP' && exit 0; sleep 0.02; "
                             "done; exit 1");
}

void netns_lab_open(struct netns_lab *ret)
{
    struct netns_lab lab;
    char command[256];
    if (!gain_privilege() || (lab.far = new_namespace()) < 0) {
        fprintf(stderr, "this needs root or user namespaces\n");
        exit(LAB_NOT_POSSIBLE);
    }
    netns_lab_run(lab.far, "ip link set lo up");
    lab.listener = listen_here();
    lab.near = new_namespace();
    netns_lab_run(lab.near, "ip link set lo up");
    lab.near_listener = listen_here();

    snprintf(command, sizeof command,
             "ip link add near address 02:00:00:00:00:01 type veth "
             "peer name far address 02:00:00:00:00:02 netns /proc/%d/fd/%d",
             getpid(), lab.far);
    netns_lab_run(lab.near, command);
    netns_lab_run(lab.far, "ip address add 198.18.0.2/24 dev far && ip address add 2001:db8::2/64 dev far && "
                           "ip link set far up && ip route add local 203.0.113.0/24 dev lo && "
                           "ip route add local 2001:db8:1::/64 dev lo");
    netns_lab_let_far_poll(&lab, true);
    netns_lab_restore(&lab);
    *ret = lab;
}

void netns_lab_close(struct netns_lab *lab)
{
    close(lab->listener);
    close(lab->near_listener);
    close(lab->far);
    close(lab->near);
}
