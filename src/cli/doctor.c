#include "cli/doctor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/ring.h"
#include "cli/job/source_ports.h"
#include "netio/route/route.h"
#include "sandbox/sandbox.h"
#include "verdict/record.h"

#define TEXT_MAX 256

static void say(FILE *out, bool works, const char *what, const char *text)
{
    fprintf(out, "%-4s %-22s ", works ? "ok" : "no", what);
    escape_write(ESCAPE_TEXT, text, out);
    fputc('\n', out);
}

static void look_at_kernel(FILE *out)
{
    struct utsname name;
    char text[TEXT_MAX] = "unknown";
    if (uname(&name) == 0)
        snprintf(text, sizeof text, "%s %s %s", name.sysname, name.release, name.machine);
    say(out, true, "kernel", text);
}

static void look_at_privilege(const struct scan_privilege *privilege, FILE *out)
{
    char text[2 * TEXT_MAX] = "SYN and the other raw scans work (backends packet and raw)";
    if (!privilege->raw)
        snprintf(text, sizeof text, "%.200s; allow them with: sudo setcap cap_net_raw=ep %.200s",
                 privilege->why_not, privilege->program);
    say(out, privilege->raw, "raw sockets", text);
}

static void look_at_wire(const struct scan_privilege *privilege, FILE *out)
{
    char text[2 * TEXT_MAX] =
        "the backends xdp, kernel and best work, where the interface's driver does its part";
    if (privilege->why_no_wire)
        snprintf(text, sizeof text,
                 "%.200s; for the backends xdp and kernel: sudo setcap "
                 "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon=ep %.100s",
                 privilege->why_no_wire, privilege->program);
    say(out, !privilege->why_no_wire, "BPF and AF_XDP", text);
}

static void look_at_sandbox(FILE *out)
{
    struct sandbox_state state = sandbox_possible();
    char text[SANDBOX_TEXT_MAX];
    sandbox_describe(&state, text);
    say(out, state.calls == SANDBOX_ON && state.files == SANDBOX_ON, "sandbox", text);
}

static void look_at_ping_sockets(int family, int protocol, const char *what, FILE *out)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
    if (fd >= 0) {
        say(out, true, what, "-PE works without raw sockets");
        close(fd);
    } else {
        char text[TEXT_MAX];
        snprintf(text, sizeof text, "%s; allow them with: sysctl net.ipv4.ping_group_range='0 2147483647'",
                 strerror(errno));
        say(out, false, what, text);
    }
}

static void look_at_family(int family, const char *what, FILE *out)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    say(out, fd >= 0, what, fd >= 0 ? "connect scans work (backend connect)" : strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void look_at_descriptors(FILE *out)
{
    struct rlimit limit;
    char text[TEXT_MAX];
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    snprintf(text, sizeof text, "up to %llu files, so about %llu connections at a time",
             (unsigned long long)limit.rlim_max,
             (unsigned long long)(limit.rlim_max > 64 ? limit.rlim_max - 64 : 1));
    say(out, limit.rlim_max >= 1024, "descriptors", text);
}

static void look_at_routes(bool wire, FILE *out)
{
    struct route_options options = {.interface = ""};
    struct route_table routes;
    struct error err = {.status = 0};
    if (route_table_load(&routes, &options, &err) < 0) {
        say(out, false, "routes", err.text);
        return;
    }
    for (size_t i = 0; i < routes.link_count; i++) {
        const struct link *link = &routes.links[i];
        static const char *const kinds[] = {"Ethernet", "loopback", "without link-layer addresses"};
        const char *backends = link->kind != LINK_ETHERNET ? "raw" : wire ? "packet, xdp, kernel" : "packet";
        char text[TEXT_MAX];
        snprintf(text, sizeof text, "%s, MTU %u, %s; backends: %s", kinds[link->kind], link->mtu,
                 link->up ? "up" : "down", backends);
        say(out, link->up, link->name, text);
    }
    route_table_done(&routes);
}

static void look_at_ring(FILE *out)
{
    struct ring ring;
    bool works = ring_open(1024, sizeof(struct record), &ring) == 0;
    say(out, works, "shared memory", works ? "the two processes can talk" : "there is not enough");
    if (works)
        ring_close(&ring);
}

static void look_at_source_ports(FILE *out)
{
    uint16_t first = 0;
    uint16_t count = 0;
    char text[TEXT_MAX];
    source_ports_choose(&first, &count);
    snprintf(text, sizeof text, "probes leave from %u to %u, which the kernel gives to nobody", first,
             (unsigned)(first + count - 1));
    say(out, true, "source ports", text);
}

int doctor(const struct scan_privilege *privilege, FILE *out)
{
    look_at_kernel(out);
    look_at_privilege(privilege, out);
    look_at_wire(privilege, out);
    look_at_sandbox(out);
    look_at_family(AF_INET, "IPv4", out);
    look_at_family(AF_INET6, "IPv6", out);
    look_at_ping_sockets(AF_INET, IPPROTO_ICMP, "IPv4 ping sockets", out);
    look_at_ping_sockets(AF_INET6, IPPROTO_ICMPV6, "IPv6 ping sockets", out);
    look_at_descriptors(out);
    look_at_ring(out);
    look_at_source_ports(out);
    look_at_routes(!privilege->why_no_wire, out);
    return fflush(out) == 0 ? EX_OK : EX_IOERR;
}
