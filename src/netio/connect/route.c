#include "netio/connect/route.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/time.h"

#define CACHE_LIFE_NS SEC

/* Any port would do, nothing is sent; that of the discard service (RFC 863). */
#define DISCARD_PORT 9

static int family_of(const struct addr *addr)
{
    return addr->family == ADDR_V4 ? AF_INET : AF_INET6;
}

static int report_setup(const struct connect_setup *setup, const struct addr *source, int error,
                        struct error *err)
{
    char text[ADDR_TEXT_MAX];
    if (setup->interface[0] && (error == ENODEV || error == EPERM))
        return error_set(err, EX_UNAVAILABLE, "cannot use interface '%s': %s", setup->interface,
                         strerror(error));
    return error_set(err, EX_UNAVAILABLE, "cannot connect from source address %s: %s",
                     addr_format(source, text), strerror(error));
}

/* *ret_fd is -1 where the machine does not know the family. */
static int open_family(const struct addr *any, const struct addr *source, const struct connect_setup *setup,
                       int *ret_fd, struct error *err)
{
    own(close_fd) int fd = socket(family_of(any), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && errno != EAFNOSUPPORT)
        return error_set(err, EX_OSERR, "cannot open a UDP socket to look up routes: %s", strerror(errno));
    int error = fd < 0 ? 0 : connect_socket_set(fd, any, setup);
    if (error)
        return report_setup(setup, source, error, err);
    *ret_fd = take_fd(&fd);
    return 0;
}

int connect_routes_init(struct connect_routes *ret, const struct connect_setup *setup, struct error *err)
{
    const struct addr any4 = {.family = ADDR_V4}, any6 = {.family = ADDR_V6};
    own(close_fd) int fd4 = -1;
    own(close_fd) int fd6 = -1;
    int status = open_family(&any4, &setup->source4, setup, &fd4, err);
    if (!status)
        status = open_family(&any6, &setup->source6, setup, &fd6, err);
    if (status)
        return status;
    memset(ret, 0, sizeof *ret);
    ret->fd4 = take_fd(&fd4);
    ret->fd6 = take_fd(&fd6);
    return 0;
}

void connect_routes_done(struct connect_routes *routes)
{
    if (routes->fd4 >= 0)
        close(routes->fd4);
    if (routes->fd6 >= 0)
        close(routes->fd6);
}

static bool is_loopback(const struct addr *addr)
{
    if (addr->family == ADDR_V4)
        return addr->bytes[0] == 127;
    static const uint8_t one[16] = {[15] = 1};
    return memcmp(addr->bytes, one, sizeof one) == 0;
}

static unsigned cache_index(const struct addr *dst)
{
    uint32_t mixed = dst->family;
    for (size_t i = 0; i < sizeof dst->bytes; i += 4)
        mixed = (mixed ^ get_be32(dst->bytes + i)) * UINT32_C(0x9e3779b1);
    return mixed >> 16 & (CONNECT_ROUTES_CACHED - 1);
}

/* Connect the UDP socket to dst and see from where. Returns 0 or errno. */
static int ask_kernel(int fd, const struct addr *dst, struct addr *ret_source)
{
    union connect_sockaddr address, self = {0};
    socklen_t len = connect_sockaddr(dst, DISCARD_PORT, &address);
    socklen_t self_len = sizeof self;
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    /* A connected socket would keep its source address. */
    if (connect(fd, &nobody, sizeof nobody) < 0 || connect(fd, &address.any, len) < 0 ||
        getsockname(fd, &self.any, &self_len) < 0)
        return errno;
    *ret_source = connect_addr(&self);
    return 0;
}

static struct connect_route look_up(const struct connect_routes *routes, const struct addr *dst)
{
    struct connect_route route = {.dst = *dst, .reach = REACH_NONE};
    int fd = dst->family == ADDR_V4 ? routes->fd4 : routes->fd6;
    int error = fd < 0 ? EAFNOSUPPORT : ask_kernel(fd, dst, &route.source);
    if (error == EAGAIN || error == ENOBUFS || error == ENOMEM)
        route.reach = REACH_ROUTED;
    else if (!error)
        route.reach = is_loopback(dst) || addr_equal(&route.source, dst) ? REACH_LOCAL : REACH_ROUTED;
    return route;
}

const struct connect_route *connect_route_find(struct connect_routes *routes, const struct addr *dst,
                                               int64_t now_ns)
{
    struct connect_route *cached = &routes->cache[cache_index(dst)];
    bool fresh = addr_equal(&cached->dst, dst) && now_ns - cached->found_ns < CACHE_LIFE_NS;
    if (!fresh) {
        *cached = look_up(routes, dst);
        cached->found_ns = now_ns;
    }
    return cached;
}

bool connect_route_may_be_local(const struct connect_routes *routes, const struct addr *dst)
{
    const struct connect_route *cached = &routes->cache[cache_index(dst)];
    return !addr_equal(&cached->dst, dst) || cached->reach == REACH_LOCAL;
}
