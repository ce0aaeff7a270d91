/* connect_bench [ROUNDS]: what the connect backend costs beside a bare loop of non-blocking connects, over
 * the 65,535 ports of loopback in a network namespace of its own, where all are closed. In processor time,
 * the kernel's included: that is what bounds both, and other programs do not disturb it. Both learn errno of
 * each connect; the backend also tells RST from ICMP, names tries and keeps to its order. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bitset.h"
#include "base/time.h"
#include "netio/connect/connect.h"
#include "technique/rows.h"

#define PORTS      65535u
#define EVENTS_MAX 256

static int64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void enter_namespace(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) && unshare(CLONE_NEWNET))
        die("unshare");
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        die("loopback");
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        die("loopback");
    close(fd);
}

static unsigned bare_take(int epoll_fd, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll_fd, events, EVENTS_MAX, wait_ms);
    unsigned refused = 0;
    for (int i = 0; i < count; i++) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &len);
        refused += error == ECONNREFUSED;
        close(events[i].data.fd);
    }
    return refused;
}

static void bare_start(int epoll_fd, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const uint8_t wire_port[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    const uint8_t loopback[4] = {127, 0, 0, 2};
    memcpy(&address.sin_port, wire_port, sizeof wire_port);
    memcpy(&address.sin_addr, loopback, sizeof loopback);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
    if (fd < 0 || (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        die("connect");
}

static double bare_seconds(void)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int64_t start_ns = processor_ns();
    unsigned refused = 0;
    for (unsigned port = 1; port <= PORTS; port++) {
        bare_start(epoll_fd, port);
        if (port % 32 == 0)
            refused += bare_take(epoll_fd, 0);
    }
    while (refused < PORTS)
        refused += bare_take(epoll_fd, 1000);
    close(epoll_fd);
    return (double)(processor_ns() - start_ns) / (double)SEC;
}

struct run {
    struct block block;
    struct probe_spec specs[PORTS];
    uint64_t pending[(PORTS + 63) / 64];
    unsigned refused;
};

static void on_connected(void *context, const struct connect_event *event)
{
    struct run *run = context;
    run->refused += event->error == ECONNREFUSED && event->reset_seen;
    bitset_clear(run->pending, event->bit);
}

static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    (void)context, (void)time_ns, (void)packet;
}

static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    (void)context, (void)order, (void)probe;
    errno = error;
    die("unsent");
}

static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context, (void)from_ns, (void)to_ns, (void)count;
}

static double backend_seconds(const struct plan *plan, struct run *run)
{
    const struct netio_events events = {
        .packet = on_packet, .connected = on_connected, .unsent = on_unsent, .dropped = on_dropped};
    const struct connect_options options = {0};
    const struct token_key key = {.secret = {{1, 2}}, .first_port = 20000, .port_count = 4096};
    struct netio *io = NULL;
    struct error err;
    if (connect_open(&options, &io, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    io->events = &events;
    io->context = run;
    run->refused = 0;
    run->block = (struct block){.plan = plan, .host_count = 1, .specs = run->specs, .spec_count = PORTS};
    run->block.rest = permutation_new(PORTS, 1);
    run->block.pending = run->pending;
    for (unsigned i = 0; i < PORTS; i++) {
        run->specs[i] = (struct probe_spec){.technique = &technique_connect, .port = (uint16_t)(i + 1)};
        bitset_set(run->pending, i);
    }

    int64_t start_ns = processor_ns();
    struct order order = {.block = &run->block, .key = &key, .end = PORTS, .limit = UINT32_MAX};
    while (order.next < order.end)
        io->ops->work(io, &order, io->ops->now(io));
    while (run->refused < PORTS)
        io->ops->work(io, NULL, io->ops->now(io) + SEC);
    double seconds = (double)(processor_ns() - start_ns) / (double)SEC;
    io->ops->close(io);
    return seconds;
}

static int make_plan(struct plan *plan)
{
    struct addr host = addr_v4(0x7f000002);
    struct addr_set targets = {0};
    struct plan_options options = {.seed = 1, .shard_count = 1};
    struct port_set *ports = calloc(1, sizeof *ports);
    if (!ports || addr_set_add(&targets, host, host))
        die("plan");
    int status = plan_init(plan, &targets, NULL, NULL, ports, &options, NULL);
    free(ports);
    return status;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
    struct plan *plan = calloc(1, sizeof *plan);
    struct run *run = calloc(1, sizeof *run);
    enter_namespace();
    if (!run || !plan || make_plan(plan))
        die("plan");
    for (long i = 0; i < rounds; i++) {
        double bare = bare_seconds(), backend = backend_seconds(plan, run);
        printf("bare %.3f s (%.0f/s)  backend %.3f s (%.0f/s)  ratio %.2f\n", bare, PORTS / bare, backend,
               PORTS / backend, backend / bare);
    }
    plan_done(plan);
    free(plan);
    free(run);
    return 0;
}
