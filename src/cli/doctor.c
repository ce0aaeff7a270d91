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
#include "netio/xdp/wire.h"
#include "sandbox/sandbox.h"
#include "verdict/record.h"

#define TEXT_MAX 256

struct backend {
    const char *name, *what;
    bool loads; /* programs into the kernel, which needs more privilege */
};

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
    say(out, privilege->raw, "raw sockets",
        privilege->raw ? "SYN and the other raw scans work" : privilege->why_not);
    say(out, !privilege->why_no_wire, "BPF and AF_XDP",
        privilege->why_no_wire ? privilege->why_no_wire : "programs can be loaded");
}

/* What a backend is for, or the command that allows it. */
static void look_at_backend(const struct scan_privilege *privilege, const struct backend *backend, FILE *out)
{
    char text[2 * TEXT_MAX];
    bool works = privilege->raw && !(backend->loads && privilege->why_no_wire);
    snprintf(text, sizeof text, "%s", backend->what);
    if (!works)
        snprintf(text, sizeof text, "%s; allow it with: sudo setcap %s=ep %.200s", backend->what,
                 backend->loads ? "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon" : "cap_net_raw",
                 privilege->program);
    say(out, works, backend->name, text);
}

static void look_at_backends(const struct scan_privilege *privilege, FILE *out)
{
    static const struct backend backends[] = {
        {"backend packet", "frames, over links with ARP or ND", false},
        {"backend raw", "IP packets, over every kind of link", false},
        {"backend xdp", "AF_XDP, over one Ethernet interface without an XDP program", true},
        {"backend kernel",
         "TCP probes made in the kernel, over one such interface whose driver sends frames of programs",
         true},
    };
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        look_at_backend(privilege, &backends[i], out);
    look_at_backend(
        privilege,
        &(struct backend){.name = "backend best",
                          .what = privilege->why_no_wire
                                      ? "packet or raw, since kernel does not work"
                                      : "kernel for 2^20 TCP probes and more, else packet or raw"},
        out);
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

/* Which backends can send over it. No program is attached to find out: that would disturb cards whose driver
 * resets for it. */
static const char *backends_of(const struct link *link, bool wire)
{
    if (link->kind != LINK_ETHERNET)
        return "raw";
    if (!wire)
        return "packet";
    if (wire_link_is_taken(link->index))
        return "packet (not xdp and kernel: it has an XDP program)";
    return link->software ? "packet, xdp, kernel (these two without the driver's part)"
                          : "packet, xdp, kernel";
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
        char text[TEXT_MAX];
        snprintf(text, sizeof text, "%s, MTU %u, %s; backends: %s", kinds[link->kind], link->mtu,
                 link->up ? "up" : "down", backends_of(link, wire));
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
    look_at_backends(privilege, out);
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
