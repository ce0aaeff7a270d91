/* The practical limit of one core with connect(2): a loop that connects, without blocking, to every port of some hosts, and
 * sees in epoll what becomes of it. No scanner: hosts and ports in order, no pacing, no judging beyond connected or
 * refused; one that gets no answer is never asked again, and the loop then does not end.
 *
 *   bare_connect TARGET [HOSTS]      (HOSTS addresses from TARGET on; 1 when left out)
 *
 * Prints "connected N answered N", then the open ports: of the hosts together, so the same port may stand there twice.
 * Refuses to run where there is a default route: it is for network namespaces without a way out. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"

#define PORTS         65535u
#define IN_FLIGHT     1024u
#define EVENTS_MAX    256
#define BETWEEN_LOOKS 32u /* connects between two looks at what has been answered */

struct bare {
    int epoll_fd;
    unsigned in_flight, answered, open_count;
    unsigned open[PORTS];
};

/* Closed with a reset, so that no TIME_WAIT holds the local port. */
static void finish(struct bare *bare, int fd, unsigned port)
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
        bare->open[bare->open_count++] = port;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    bare->answered++;
    close(fd);
}

static void take(struct bare *bare, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(bare->epoll_fd, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        finish(bare, (int)(uint32_t)events[i].data.u64, (unsigned)(events[i].data.u64 >> 32));
        bare->in_flight--;
    }
}

static void start(struct bare *bare, struct in_addr target, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = target, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bare_fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != EINPROGRESS)
        bare_fail("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = (uint64_t)port << 32 | (uint32_t)fd};
    if (epoll_ctl(bare->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        bare_fail("epoll");
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
