#include "netio/connect/connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "base/time.h"
#include "netio/connect/outcome.h"
#include "netio/connect/ping.h"
#include "netio/connect/route.h"
#include "netio/connect/slots.h"
#include "netio/connect/socket.h"
#include "netio/connect/udp.h"
#include "netio/ready.h"
#include "netio/route/netlink_ask.h"

#define EVENTS_MAX 256
#define SEND_AT_ONCE                                                                                         \
    32 /* probes between two looks at what has arrived, so that answers do not wait for a slice */

/* How long a connection is held: KEEP at most; when others want its place, while an answer may still come
 * (four times the slowest seen, within limits), or only this long once a newer try has taken over. */
#define KEEP_NS             (10 * SEC)
#define KEEP_LEAST_NS       (3 * SEC)
#define KEEP_SUPERSEDED_NS  SEC
#define KEEP_SLOWEST_FACTOR 4

#define SLOW_ANSWER_NS SEC         /* from here on connections wait longer by themselves */
#define SHORT_RETRY_NS (10 * MSEC) /* a local port may come free without our hearing of it */

/* Length of the kernel's SYN: IP header, TCP header, 20 bytes of options. */
#define SYN_LEN_V4  60
#define SYN_LEN_V6  80
#define ECHO_LEN_V4 30 /* IP header, ICMP header, two bytes of payload */
#define ECHO_LEN_V6 50

/* epoll data of the ping and UDP sockets; those of connections have the index of their slot, which is
 * less. */
#define EVENT_PING4 UINT64_C(0xffffffff)
#define EVENT_PING6 UINT64_C(0xfffffffe)
#define EVENT_UDP   UINT64_C(0xffffff00) /* and the ones after it, one a socket */

struct connect_io {
    struct netio io; /* first: the ops cast back */
    struct connect_setup setup;
    struct mnl_socket *kernel; /* owned */
    struct connect_routes routes;
    struct connect_pings pings;
    struct connect_udp udp;
    struct connect_slots slots;
    struct connect_ping_reply reply; /* room for the one being read */
    uint32_t ping_lost[2];           /* of the IPv4 and the IPv6 socket, as last seen */
    int64_t heard_ns;                /* when they were last read */
    int64_t slowest_ns;              /* slowest answer so far */
    int epoll_fd;
    unsigned interface_index; /* of setup.interface, looked up while that is allowed; 0: as routed */
};

enum send_result { SEND_ON, SEND_DONE, SEND_SHORT };

static int64_t connect_now(struct netio *io)
{
    (void)io;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static enum reach connect_reach(struct netio *io, const struct addr *dst)
{
    struct connect_io *self = (struct connect_io *)io;
    return (enum reach)connect_route_find(&self->routes, dst, connect_now(io))->reach;
}

static struct addr connect_source(struct netio *io, const struct addr *dst)
{
    struct connect_io *self = (struct connect_io *)io;
    return connect_route_find(&self->routes, dst, connect_now(io))->source;
}

static bool connect_next_hop_missing(struct netio *io, const struct addr *dst)
{
    struct connect_io *self = (struct connect_io *)io;
    return netlink_next_hop_is_missing(self->kernel, dst, self->interface_index);
}

static bool connect_can(const struct netio *io, enum request_kind kind)
{
    const struct connect_io *self = (const struct connect_io *)io;
    return kind == REQUEST_CONNECT ||
           (kind == REQUEST_PACKET && (self->pings.fd4 >= 0 || self->pings.fd6 >= 0));
}

static struct connect_patience patience(const struct connect_io *self)
{
    int64_t wait_ns = KEEP_SLOWEST_FACTOR * self->slowest_ns;
    if (wait_ns < KEEP_LEAST_NS)
        wait_ns = KEEP_LEAST_NS;
    if (wait_ns > KEEP_NS)
        wait_ns = KEEP_NS;
    return (struct connect_patience){.superseded_ns = KEEP_SUPERSEDED_NS, .last_try_ns = wait_ns};
}

static void expire(struct connect_io *self, int64_t now_ns)
{
    const struct connect_patience most = {.superseded_ns = KEEP_NS, .last_try_ns = KEEP_NS};
    while (connect_slots_spare(&self->slots, now_ns, most))
        ;
}

static bool watch(int epoll_fd, int fd, uint32_t events, uint64_t key)
{
    struct epoll_event event = {.events = events, .data.u64 = key};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void count_sent(struct connect_io *self, unsigned len)
{
    self->io.stats.packets_sent++;
    self->io.stats.bytes_sent += len;
}

/* Connect in this slot: with the socket that is there if it can be used again. It stays with epoll under the
 * slot's index, told of changes only, for a socket that waits to be used again would be ready all the
 * time. */
static enum connect_dialled dial_slot(struct connect_io *self, uint32_t index,
                                      const struct connect_call *call, int *ret_error)
{
    struct connect_slot *slot = &self->slots.slots[index];
    if (slot->fd >= 0 && connect_socket_redial(slot->fd, call, slot->syn_retries))
        return CONNECT_STARTED;
    if (slot->fd >= 0)
        connect_socket_reset(slot->fd);
    slot->fd = -1;
    enum connect_dialled dialled = connect_socket_dial(&self->setup, call, &slot->fd, ret_error);
    if (dialled != CONNECT_STARTED || watch(self->epoll_fd, slot->fd, EPOLLOUT | EPOLLET, index))
        return dialled;
    *ret_error = errno;
    return CONNECT_SHORT;
}

static enum connect_dialled dial(struct connect_io *self, const struct order *order,
                                 const struct probe *probe, int *ret_error)
{
    int64_t now_ns = connect_now(&self->io);
    if (connect_slots_full(&self->slots) && !connect_slots_spare(&self->slots, now_ns, patience(self))) {
        *ret_error = EMFILE;
        return CONNECT_SHORT;
    }

    uint32_t index = connect_slots_reserve(&self->slots, &probe->dst);
    bool long_wait = probe->try_number >= 2 || self->slowest_ns > SLOW_ANSWER_NS;
    struct connect_call call = {
        .dst = &probe->dst,
        .port = probe->port,
        .syn_retries = long_wait ? 2 : 1,
        .may_meet_self = connect_route_may_be_local(&self->routes, &probe->dst),
    };
    enum connect_dialled dialled = dial_slot(self, index, &call, ret_error);
    if (dialled != CONNECT_STARTED)
        connect_slots_give_back(&self->slots, index);
    if (dialled == CONNECT_SHORT && *ret_error == EADDRNOTAVAIL &&
        connect_route_find(&self->routes, &probe->dst, now_ns)->reach == REACH_NONE)
        return CONNECT_FAILED;
    if (dialled != CONNECT_STARTED)
        return dialled;

    struct connect_slot slot = {
        .block_id = order->block->id,
        .bit = probe->bit,
        .try_number = probe->try_number,
        .start_ns = now_ns,
        .host = probe->dst,
        .fd = self->slots.slots[index].fd,
        .port = probe->port,
        .syn_len = probe->dst.family == ADDR_V4 ? SYN_LEN_V4 : SYN_LEN_V6,
        .syn_retries = (uint8_t)call.syn_retries,
    };
    connect_slots_enter(&self->slots, index, &slot);
    count_sent(self, slot.syn_len);
    return CONNECT_STARTED;
}

/* Something of ours ran out, and comes free again. */
static bool is_short(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EMFILE || error == ENFILE;
}

static enum connect_dialled ping(struct connect_io *self, struct probe *probe, int *ret_error)
{
    probe->src = connect_source(&self->io, &probe->dst);
    *ret_error = connect_ping_send(&self->pings, probe);
    if (*ret_error)
        return is_short(*ret_error) ? CONNECT_SHORT : CONNECT_FAILED;
    count_sent(self, probe->dst.family == ADDR_V4 ? ECHO_LEN_V4 : ECHO_LEN_V6);
    return CONNECT_STARTED;
}

static enum connect_dialled ask_udp(struct connect_io *self, struct probe *probe, int *ret_error)
{
    unsigned len;
    probe->src = connect_source(&self->io, &probe->dst);
    *ret_error = connect_udp_send(&self->udp, probe, &len);
    if (*ret_error)
        return is_short(*ret_error) ? CONNECT_SHORT : CONNECT_FAILED;
    count_sent(self, len);
    return CONNECT_STARTED;
}

static enum connect_dialled ask(struct connect_io *self, const struct order *order, struct probe *probe,
                                int *ret_error)
{
    if (probe->technique->kind == REQUEST_CONNECT)
        return dial(self, order, probe, ret_error);
    if (connect_ping_is_echo(probe->technique))
        return ping(self, probe, ret_error);
    if (connect_udp_is_asked(probe->technique))
        return ask_udp(self, probe, ret_error);
    *ret_error = EOPNOTSUPP;
    return CONNECT_FAILED;
}

static enum send_result send_one(struct connect_io *self, struct order *order)
{
    struct probe probe;
    if (!order_next(order, connect_now(&self->io), &probe))
        return SEND_DONE;

    int error = 0;
    switch (ask(self, order, &probe, &error)) {
    case CONNECT_STARTED:
        return SEND_ON;
    case CONNECT_SHORT:
        order_put_back(order, order->next - 1, 1);
        return SEND_SHORT;
    case CONNECT_FAILED:
        break;
    }
    self->io.stats.send_errors++;
    self->io.events->unsent(self->io.context, order, &probe, error);
    return SEND_ON;
}

static enum send_result send_some(struct connect_io *self, struct order *order)
{
    enum send_result result = SEND_ON;
    for (int i = 0; i < SEND_AT_ONCE && result == SEND_ON; i++)
        result = send_one(self, order);

    /* What has outlived its use makes room before anything is waited for. */
    if (result == SEND_SHORT && (connect_slots_drop_idle(&self->slots) ||
                                 connect_slots_spare(&self->slots, connect_now(&self->io), patience(self))))
        return SEND_ON;
    return result;
}

static int64_t measured_rtt(const struct connect_measure *measure, int64_t since_start_ns)
{
    if (measure->kernel_rtt_ns)
        return measure->kernel_rtt_ns;
    return measure->syn_repeats ? 0 : since_start_ns; /* Karn's algorithm, RFC 6298 section 3 */
}

/* Returns whether the engine was told something. */
static bool settle(struct connect_io *self, uint32_t index, int64_t now_ns)
{
    const struct connect_slot *slot = &self->slots.slots[index];
    struct connect_event event = {
        .block_id = slot->block_id,
        .bit = slot->bit,
        .try_number = slot->try_number,
        .time_ns = now_ns,
    };
    struct connect_measure measure;
    enum connect_state state = connect_outcome_read(slot->fd, &slot->host, slot->port, &event, &measure);
    if (state == CONNECT_WAITING)
        return false;

    self->io.stats.packets_sent += measure.syn_repeats;
    self->io.stats.bytes_sent += (uint64_t)measure.syn_repeats * slot->syn_len;
    if (state == CONNECT_SILENT) {
        connect_slots_remove(&self->slots, index);
        return false;
    }
    int64_t since_start_ns = now_ns - slot->start_ns;
    if (since_start_ns > self->slowest_ns)
        self->slowest_ns = since_start_ns;
    event.rtt_ns = measured_rtt(&measure, since_start_ns);
    self->io.stats.packets_received++;
    if (measure.refused)
        connect_slots_keep(&self->slots, index);
    else
        connect_slots_remove(&self->slots, index);
    /* After an ICMP error another try of the probe may still bring something better. */
    if (!event.has_icmp)
        connect_slots_remove_probe(&self->slots, event.block_id, event.bit);
    self->io.events->connected(self->io.context, &event);
    return true;
}

static bool receive_pings(struct connect_io *self, bool v6, int64_t now_ns)
{
    int fd = v6 ? self->pings.fd6 : self->pings.fd4;
    bool told = false;
    enum packet_fault fault;
    while (connect_ping_receive(fd, &fault, &self->reply)) {
        if (fault != PACKET_OK) {
            self->io.stats.faults[fault]++;
            continue;
        }
        self->io.stats.packets_received++;
        self->io.events->packet(self->io.context, now_ns, &self->reply.packet);
        told = true;
    }
    uint32_t lost = connect_socket_lost(fd);
    uint32_t newly_lost = lost - self->ping_lost[v6];
    self->ping_lost[v6] = lost;
    if (newly_lost) {
        self->io.stats.ring_drops += newly_lost;
        self->io.events->dropped(self->io.context, self->heard_ns, now_ns, newly_lost);
    }
    return told;
}

static bool handle(struct connect_io *self, const struct epoll_event *event, int64_t now_ns)
{
    uint64_t key = event->data.u64;
    if (key == EVENT_PING4 || key == EVENT_PING6)
        return receive_pings(self, key == EVENT_PING6, now_ns);
    if (key >= EVENT_UDP && key < EVENT_UDP + CONNECT_UDP_SOCKETS)
        return connect_udp_receive(&self->udp, (unsigned)(key - EVENT_UDP), &self->io, self->heard_ns,
                                   now_ns);

    /* The slot may have been emptied, or used again, since ready_wait took note of it: what counts is the
     * socket's state. */
    uint32_t index = (uint32_t)key;
    return connect_slots_in_flight(&self->slots, index) && settle(self, index, now_ns);
}

enum listened { LISTENED_NOTHING, LISTENED_SILENTLY, LISTENED_TOLD };

/* Wait until something arrives, a signal does, or until_ns; at most one batch. */
static enum listened listen_once(struct connect_io *self, int64_t until_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t wait_ns = until_ns - connect_now(&self->io);
    if (wait_ns < 0)
        wait_ns = 0;
    int count = ready_wait(self->epoll_fd, events, EVENTS_MAX, wait_ns);
    if (count < 0)
        return LISTENED_TOLD; /* a signal: whoever called should have a look */

    int64_t now_ns = connect_now(&self->io);
    bool told = false;
    for (int i = 0; i < count; i++)
        told |= handle(self, &events[i], now_ns);
    self->heard_ns = now_ns;
    if (told)
        return LISTENED_TOLD;
    return count ? LISTENED_SILENTLY : LISTENED_NOTHING;
}

static void listen_only(struct connect_io *self, int64_t until_ns)
{
    enum listened listened;
    do {
        listened = listen_once(self, until_ns);
        expire(self, connect_now(&self->io));
    } while (listened != LISTENED_TOLD && connect_now(&self->io) < until_ns);
}

/* Something of ours ran out: listen until a connection ends, the oldest may be given up, or until_ns. */
static void wait_for_room(struct connect_io *self, int64_t until_ns)
{
    int64_t wake_ns = connect_now(&self->io) + SHORT_RETRY_NS;
    int64_t spare_ns = connect_slots_spare_at(&self->slots, patience(self));
    if (spare_ns < wake_ns)
        wake_ns = spare_ns;
    if (until_ns < wake_ns)
        wake_ns = until_ns;
    listen_once(self, wake_ns);
}

static void connect_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct connect_io *self = (struct connect_io *)io;
    expire(self, connect_now(io));
    if (!order) {
        listen_only(self, until_ns);
        return;
    }
    enum send_result before = SEND_ON, sent;
    while ((sent = send_some(self, order)) != SEND_DONE) {
        if (sent == SEND_ON) {
            listen_once(self, 0);
        } else {
            self->io.stats.local_waits += before != SEND_SHORT;
            wait_for_room(self, until_ns);
            if (connect_now(io) >= until_ns)
                break;
        }
        before = sent;
    }
    while (listen_once(self, 0) != LISTENED_NOTHING)
        ;
}

static void connect_close(struct netio *io)
{
    struct connect_io *self = (struct connect_io *)io;
    connect_slots_done(&self->slots);
    connect_pings_close(&self->pings);
    connect_udp_done(&self->udp);
    connect_routes_done(&self->routes);
    netlink_ask_close(self->kernel);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    free(self);
}

static const struct netio_ops connect_ops = {
    .name = "connect",
    .slice_ns = MSEC,
    .now = connect_now,
    .reach = connect_reach,
    .source = connect_source,
    .next_hop_missing = connect_next_hop_missing,
    .work = connect_work,
    .can = connect_can,
    .close = connect_close,
};

static void watch_pings(struct connect_io *self)
{
    if (self->pings.fd4 >= 0)
        watch(self->epoll_fd, self->pings.fd4, EPOLLIN, EVENT_PING4);
    if (self->pings.fd6 >= 0)
        watch(self->epoll_fd, self->pings.fd6, EPOLLIN, EVENT_PING6);
}

static int open_all(struct connect_io *self, const struct connect_options *options, struct error *err)
{
    uint32_t count = connect_socket_room(options->max_sockets);
    if (connect_slots_init(&self->slots, count))
        return error_set(err, EX_OSERR, "no memory for %u connections", count);
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll_fd < 0)
        return error_set(err, EX_OSERR, "cannot open an epoll descriptor: %s", strerror(errno));
    self->udp.epoll_fd = self->epoll_fd;
    int status = netlink_ask_open(&self->kernel, err);
    if (!status)
        status = connect_routes_init(&self->routes, &self->setup, err);
    if (status)
        return status;
    self->pings = connect_pings_open(&self->setup);
    watch_pings(self);
    self->heard_ns = connect_now(&self->io);
    return 0;
}

int connect_open(const struct connect_options *options, struct netio **ret, struct error *err)
{
    const char *interface = options->interface ? options->interface : "";
    if (strlen(interface) >= IFNAMSIZ)
        return error_set(err, EX_UNAVAILABLE, "no interface has so long a name as '%s'", interface);
    struct connect_io *self = calloc(1, sizeof *self);
    if (!self)
        return error_set(err, EX_OSERR, "no memory for the connect backend");

    self->io.ops = &connect_ops;
    self->setup = (struct connect_setup){
        .source4 = options->source4,
        .source6 = options->source6,
        .ttl = options->ttl,
    };
    memcpy(self->setup.interface, interface, strlen(interface) + 1);
    self->interface_index = interface[0] ? if_nametoindex(interface) : 0;
    connect_udp_init(&self->udp, &self->setup, -1, EVENT_UDP);
    self->epoll_fd = self->routes.fd4 = self->routes.fd6 = self->pings.fd4 = self->pings.fd6 = -1;

    int status = open_all(self, options, err);
    if (status) {
        connect_close(&self->io);
        return status;
    }
    *ret = &self->io;
    return 0;
}
