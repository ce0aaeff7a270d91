#include "netio/live/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netio/live/late_close.h"

static int failed(const char *what, struct error *err)
{
    int cause = errno;
    if (cause != EPERM && cause != EACCES)
        return error_set(err, EX_OSERR, "cannot open a %s socket: %s", what, strerror(cause));

    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = '\0';
    return error_set(err, EX_NOPERM,
                     "no privilege to send raw packets: CAP_NET_RAW is missing; grant it with "
                     "'setcap cap_net_raw=ep %s', or run as root",
                     len > 0 ? program : "PROGRAM");
}

/* A raw socket takes whole IP packets, and (RECVERR) says when a queue had no room for one instead of losing
 * it. */
static bool set_raw(int fd, int level, int include_header, int receive_errors)
{
    int on = 1;
    return setsockopt(fd, level, include_header, &on, sizeof on) == 0 &&
           setsockopt(fd, level, receive_errors, &on, sizeof on) == 0;
}

static int open_all(struct sockets *ret, struct error *err)
{
    int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    ret->frames = socket(AF_PACKET, SOCK_RAW | flags, 0);
    if (ret->frames < 0)
        return failed("packet", err);
    ret->capture = socket(AF_PACKET, SOCK_DGRAM | flags, 0);
    if (ret->capture < 0)
        return failed("packet", err);
    ret->raw4 = socket(AF_INET, SOCK_RAW | flags, IPPROTO_RAW);
    if (ret->raw4 < 0 || !set_raw(ret->raw4, IPPROTO_IP, IP_HDRINCL, IP_RECVERR))
        return failed("raw IPv4", err);
    ret->raw6 = socket(AF_INET6, SOCK_RAW | flags, IPPROTO_RAW);
    if (ret->raw6 < 0 && errno == EAFNOSUPPORT)
        return 0;
    if (ret->raw6 < 0 || !set_raw(ret->raw6, IPPROTO_IPV6, IPV6_HDRINCL, IPV6_RECVERR))
        return failed("raw IPv6", err);
    return 0;
}

int sockets_open(struct sockets *ret, struct error *err)
{
    struct sockets sockets = SOCKETS_CLOSED;
    int result = open_all(&sockets, err);
    if (result < 0) {
        sockets_close(&sockets);
        return result;
    }
    sockets.late = late_close_hold((int[]){sockets.frames, sockets.capture}, 2);
    sockets.softnet = open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
    *ret = sockets;
    return 0;
}

void sockets_close(struct sockets *sockets)
{
    int *all[] = {&sockets->frames, &sockets->capture, &sockets->raw4,
                  &sockets->raw6,   &sockets->softnet, &sockets->late};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
    wire_close(sockets->wire);
    sockets->wire = NULL;
}
