#include "netio/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "netio/clock.h"
#include "netio/connect/outcome.h"
#include "netio/connect/route.h"
#include "netio/connect/socket.h"
#include "netio/netio.h"
#include "netio/ready.h"

#define EVENTS_MAX  64
#define SLICE_NS    MSEC
#define SYN_RETRIES 4 /* a server that is asked to help is given 31 s; the engine may lose patience before */

struct stream {
    int fd;              /* -1: none */
    uint32_t generation; /* counts the uses of this number: an event of an earlier one is told by it */
    bool opened;
    int error; /* that sending ran into: the kernel tells it once, and then an end in order; 0: none */
    size_t out_len;
    uint8_t out[STREAM_OUT_MAX]; /* taken, and not yet by the kernel */
};

struct stream_io {
    struct netio io; /* first: the ops cast back */
    struct connect_setup setup;
    struct connect_routes routes;
    int epoll_fd;
    struct stream streams[STREAMS_MAX];
    uint8_t chunk[STREAM_CHUNK_MAX];
};

static struct stream_io *self_of(struct netio *io)
{
    return (struct stream_io *)io;
}

static int64_t stream_now(struct netio *io)
{
    (void)io;
    return clock_monotonic_ns();
}

static enum reach stream_reach(struct netio *io, const struct addr *dst)
{
    return (enum reach)connect_route_find(&self_of(io)->routes, dst, clock_monotonic_ns())->reach;
}

static struct addr stream_source(struct netio *io, const struct addr *dst)
{
    return connect_route_find(&self_of(io)->routes, dst, clock_monotonic_ns())->source;
}

static bool stream_can(const struct netio *io, enum request_kind kind)
{
    (void)io;
    return kind == REQUEST_STREAM;
}

static int watch(struct stream_io *self, uint32_t number, int operation)
{
    const struct stream *stream = &self->streams[number];
    bool writes = !stream->opened || stream->out_len > 0;
    struct epoll_event event = {.events = EPOLLIN | (writes ? (uint32_t)EPOLLOUT : 0),
                                .data.u64 = (uint64_t)stream->generation << 32 | number};
    return epoll_ctl(self->epoll_fd, operation, stream->fd, &event) < 0 ? errno : 0;
}

static void release(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    stream->generation++;
    stream->opened = false;
    stream->error = 0;
    stream->out_len = 0;
}

static int open_one(struct netio *io, uint32_t number, const struct addr *dst, uint16_t port)
{
    struct stream_io *self = self_of(io);
    assert(number < STREAMS_MAX && self->streams[number].fd < 0);
    struct stream *stream = &self->streams[number];
    struct connect_call call = {.dst = dst, .port = port, .syn_retries = SYN_RETRIES, .may_meet_self = true};
    int error = 0;
    if (connect_socket_dial(&self->setup, &call, &stream->fd, &error) != CONNECT_STARTED)
        return error;
    error = watch(self, number, EPOLL_CTL_ADD);
    if (error)
        release(stream);
    return error;
}

/* Give the kernel what it takes. An error is kept, and told when the socket is read. */
static void flush(struct stream_io *self, struct stream *stream)
{
    ssize_t sent = send(stream->fd, stream->out, stream->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR && stream->error == 0)
        stream->error = errno;
    if (sent < 0)
        return;
    self->io.stats.bytes_sent += (uint64_t)sent;
    stream->out_len -= (size_t)sent;
    memmove(stream->out, stream->out + sent, stream->out_len);
}

static int send_bytes(struct netio *io, uint32_t number, const void *bytes, size_t len)
{
    struct stream_io *self = self_of(io);
    struct stream *stream = &self->streams[number];
    assert(number < STREAMS_MAX && stream->opened);
    if (len > sizeof stream->out - stream->out_len)
        return ENOBUFS;
    memcpy(stream->out + stream->out_len, bytes, len);
    stream->out_len += len;
    flush(self, stream);
    watch(self, number, EPOLL_CTL_MOD);
    return 0;
}

static uint64_t acknowledged_of(struct netio *io, uint32_t number)
{
    const struct stream *stream = &self_of(io)->streams[number];
    assert(number < STREAMS_MAX && stream->fd >= 0);
    return connect_acknowledged(stream->fd);
}

static void close_one(struct netio *io, uint32_t number)
{
    assert(number < STREAMS_MAX);
    release(&self_of(io)->streams[number]);
}

static void tell(struct stream_io *self, const struct stream_event *event)
{
    self->io.events->stream(self->io.context, event);
}

static void end(struct stream_io *self, struct stream_event *event, int error)
{
    event->acknowledged = connect_acknowledged(self->streams[event->stream].fd);
    release(&self->streams[event->stream]);
    event->change = error ? STREAM_FAILED : STREAM_CLOSED;
    event->error = error;
    tell(self, event);
}

/* Connected, or not. Errors that ICMP tells of an open connection may pass: its own retransmissions see to
 * them. */
static void finish_opening(struct stream_io *self, struct stream_event *event)
{
    struct stream *stream = &self->streams[event->stream];
    int error = 0;
    const int off = 0;
    socklen_t len = sizeof error;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error) {
        end(self, event, error);
        return;
    }
    setsockopt(stream->fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off);
    setsockopt(stream->fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
    stream->opened = true;
    watch(self, event->stream, EPOLL_CTL_MOD);
    event->change = STREAM_OPENED;
    tell(self, event);
}

static void receive(struct stream_io *self, struct stream_event *event)
{
    struct stream *stream = &self->streams[event->stream];
    ssize_t len = recv(stream->fd, self->chunk, sizeof self->chunk, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        int error = len < 0 ? errno : 0;
        end(self, event, stream->error ? stream->error : error);
        return;
    }
    self->io.stats.bytes_received += (uint64_t)len;
    event->change = STREAM_BYTES;
    event->bytes = self->chunk;
    event->len = (size_t)len;
    tell(self, event);
}

static void handle(struct stream_io *self, const struct epoll_event *ready, int64_t now_ns)
{
    uint32_t number = (uint32_t)ready->data.u64;
    struct stream *stream = &self->streams[number];
    struct stream_event event = {.stream = number, .time_ns = now_ns};
    /* An event before it may have closed this stream, or used its number again. */
    if (stream->fd < 0 || stream->generation != ready->data.u64 >> 32)
        return;
    if (!stream->opened) {
        finish_opening(self, &event);
        return;
    }
    if (stream->out_len > 0 && (ready->events & EPOLLOUT)) {
        flush(self, stream);
        if (stream->out_len == 0)
            watch(self, number, EPOLL_CTL_MOD);
    }
    if (ready->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        receive(self, &event);
}

static void stream_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct stream_io *self = self_of(io);
    struct epoll_event ready[EVENTS_MAX];
    assert(!order);
    int64_t wait_ns = until_ns - clock_monotonic_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    int count = ready_wait(self->epoll_fd, ready, EVENTS_MAX, wait_ns);
    int64_t now_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        handle(self, &ready[i], now_ns);
}

static void stream_close(struct netio *io)
{
    struct stream_io *self = self_of(io);
    for (uint32_t i = 0; i < STREAMS_MAX; i++)
        release(&self->streams[i]);
    connect_routes_done(&self->routes);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    free(self);
}

static const struct stream_ops streams = {
    .open = open_one,
    .send = send_bytes,
    .acknowledged = acknowledged_of,
    .close = close_one,
};

static const struct netio_ops stream_netio = {
    .name = "stream",
    .slice_ns = SLICE_NS,
    .now = stream_now,
    .reach = stream_reach,
    .source = stream_source,
    .work = stream_work,
    .can = stream_can,
    .close = stream_close,
    .streams = &streams,
};

int stream_open(const struct stream_options *options, struct netio **ret, struct error *err)
{
    const char *interface = options->interface ? options->interface : "";
    if (strlen(interface) >= IFNAMSIZ)
        return error_set(err, EX_UNAVAILABLE, "no interface has so long a name as '%s'", interface);
    struct stream_io *self = calloc(1, sizeof *self);
    if (!self)
        return error_set(err, EX_OSERR, "no memory for streams");
    self->io.ops = &stream_netio;
    self->setup =
        (struct connect_setup){.source4 = options->source4, .source6 = options->source6, .ttl = options->ttl};
    memcpy(self->setup.interface, interface, strlen(interface) + 1);
    for (uint32_t i = 0; i < STREAMS_MAX; i++)
        self->streams[i].fd = -1;
    self->routes.fd4 = self->routes.fd6 = -1;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int r = self->epoll_fd < 0
                ? error_set(err, EX_OSERR, "cannot open an epoll descriptor: %s", strerror(errno))
                : connect_routes_init(&self->routes, &self->setup, err);
    if (r < 0) {
        stream_close(&self->io);
        return r;
    }
    *ret = &self->io;
    return 0;
}
