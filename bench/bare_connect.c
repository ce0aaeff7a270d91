/* The practical limit of one core with connect(2): a loop that connects, without blocking, to every port of
 * some hosts, and sees in epoll what becomes of it. No scanner: hosts and ports in order, no pacing, no
 * judging beyond connected or refused; one that gets no answer is never asked again, and the loop then does
 * not end. A socket that was refused connects again, whatever the host, which saves nearly half of what a new
 * one costs.
 *
 *   bare_connect TARGET [HOSTS]      (HOSTS addresses from TARGET on; 1 when left out)
 *
 * Prints "connected N answered N", then the open ports: of the hosts together, so the same port may stand
 * there twice. Refuses to run where there is a default route: it is for network namespaces without a way
 * out. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"

#define PORTS         65535u
#define FDS_MAX       (IN_FLIGHT + 64)
#define IN_FLIGHT     1024u
#define EVENTS_MAX    256
#define BETWEEN_LOOKS 32u /* connects between two looks at what has been answered */

struct bare {
    int epoll_fd;
    unsigned in_flight, answered, open_count, idle_count;
    unsigned open[PORTS];
    int idle[IN_FLIGHT];    /* sockets that were refused */
    unsigned port[FDS_MAX]; /* that each descriptor is connecting to; 0: none */
};

/* A connection is closed with a reset, so that no TIME_WAIT holds the local port. */
static void finish(struct bare *bare, int fd)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0 && error != ECONNREFUSED) {
        errno = error;
        bare_fail("connect");
    }
    if (error == 0) {
        if (bare->open_count == PORTS)
            bare_fail("too many open ports");
        bare->open[bare->open_count++] = bare->port[fd];
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    } else {
        bare->idle[bare->idle_count++] = fd;
    }
    bare->port[fd] = 0;
    bare->answered++;
    bare->in_flight--;
}

/* What epoll noticed before the socket connected again is over. */
static bool has_ended(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info.tcpi_state != TCP_SYN_SENT;
}

static void take(struct bare *bare, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(bare->epoll_fd, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        if (bare->port[fd] && has_ended(fd))
            finish(bare, fd);
    }
}

/* A new socket, or one that was refused. */
static int take_socket(struct bare *bare)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (bare->idle_count > 0) {
        int fd = bare->idle[--bare->idle_count];
        if (connect(fd, &nobody, sizeof nobody) < 0)
            bare_fail("disconnect");
        return fd;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.fd = fd};
    if (fd < 0 || fd >= (int)FDS_MAX || epoll_ctl(bare->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        bare_fail("socket");
    return fd;
}

static void start(struct bare *bare, struct in_addr target, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = target, .sin_port = htons((uint16_t)port)};
    int fd = take_socket(bare);
    bare->port[fd] = port;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != EINPROGRESS)
        bare_fail("connect");
    bare->in_flight++;
}

static void run(struct bare *bare, struct in_addr first, unsigned host_count)
{
    for (unsigned port = 1; port <= PORTS; port++) {
        for (unsigned host = 0; host < host_count; host++) {
            struct in_addr target = {.s_addr = htonl(ntohl(first.s_addr) + host)};
            while (bare->in_flight >= IN_FLIGHT)
                take(bare, -1);
            start(bare, target, port);
            if ((port * host_count + host) % BETWEEN_LOOKS == 0)
                take(bare, 0);
        }
    }
    while (bare->in_flight > 0)
        take(bare, -1);
}

int main(int argc, char **argv)
{
    struct in_addr first;
    unsigned host_count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    if (argc < 2 || argc > 3 || inet_pton(AF_INET, argv[1], &first) != 1 || host_count == 0) {
        fprintf(stderr, "usage: bare_connect TARGET [HOSTS]\n");
        return EXIT_FAILURE;
    }
    bare_refuse_way_out();
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    struct bare *bare = calloc(1, sizeof *bare);
    if (!bare)
        bare_fail("memory");
    bare->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (bare->epoll_fd < 0)
        bare_fail("epoll");
    run(bare, first, host_count);
    printf("connected %u answered %u\n", bare->answered, bare->answered);
    for (unsigned i = 0; i < bare->open_count; i++)
        printf("%u ", bare->open[i]);
    printf("\n");
    close(bare->epoll_fd);
    free(bare);
    return EXIT_SUCCESS;
}
