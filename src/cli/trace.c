#include "cli/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

#define TRACE_LINE_MAX 256

struct trace {
    struct netio io; /* what the engine sees */
    struct netio_ops ops;
    struct netio *inner; /* owned */
    int fd;
    bool on;
    int64_t start_ns;
};

static struct trace *trace_of(struct netio *io)
{
    return (struct trace *)(void *)io;
}

static const struct trace *trace_of_const(const struct netio *io)
{
    return (const struct trace *)(const void *)io;
}

static void put_line(const struct trace *trace, const char *line, int len)
{
    if (len <= 0)
        return;
    size_t capped = (size_t)len < TRACE_LINE_MAX ? (size_t)len : TRACE_LINE_MAX - 1;
    ssize_t written = write(trace->fd, line, capped);
    (void)written; /* without a reader the supervisor is gone, and so are we soon */
}

static void put_probe(const struct trace *trace, const struct probe *probe, int64_t now_ns)
{
    char line[TRACE_LINE_MAX];
    char dst[ADDR_TEXT_MAX];
    int len =
        snprintf(line, sizeof line, "SENT (%.4fs) %s to %s port %u from port %u, try %u\n",
                 (double)(now_ns - trace->start_ns) / (double)SEC, probe->technique->title,
                 addr_format(&probe->dst, dst), probe->port, probe->source_port, probe->try_number + 1U);
    put_line(trace, line, len);
}

/* What is in a packet, from its transport header on. */
static void describe(const struct packet *packet, char text[static TRACE_LINE_MAX / 2])
{
    static const char *const names[] = {"IP", "TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "ARP"};
    const size_t max = TRACE_LINE_MAX / 2;
    const char *name = names[packet->layer];
    switch ((enum packet_layer)packet->layer) {
    case LAYER_TCP:
        snprintf(text, max,
                 "%s port %u to port %u, flags 0x%02x, seq %" PRIu32 ", ack %" PRIu32 ", window %u", name,
                 packet->tcp.source_port, packet->tcp.port, packet->tcp.flags, packet->tcp.seq,
                 packet->tcp.ack, packet->tcp.window);
        break;
    case LAYER_UDP:
        snprintf(text, max, "%s port %u to port %u, %zu bytes", name, packet->udp.source_port,
                 packet->udp.port, packet->payload_len);
        break;
    case LAYER_SCTP:
        snprintf(text, max, "%s port %u to port %u", name, packet->sctp.source_port, packet->sctp.port);
        break;
    case LAYER_ICMP4:
    case LAYER_ICMP6:
        snprintf(text, max, "%s type %u code %u", name, packet->icmp.type, packet->icmp.code);
        break;
    case LAYER_ARP:
        snprintf(text, max, "%s", name);
        break;
    case LAYER_OTHER:
        snprintf(text, max, "%s protocol %u, %zu bytes", name, packet->ip_proto, packet->payload_len);
        break;
    }
}

static void trace_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct trace *trace = context;
    if (trace->on) {
        char line[TRACE_LINE_MAX];
        char text[TRACE_LINE_MAX / 2];
        char src[ADDR_TEXT_MAX];
        describe(packet, text);
        int len = snprintf(line, sizeof line, "RCVD (%.4fs) from %s ttl %u: %s\n",
                           (double)(time_ns - trace->start_ns) / (double)SEC, addr_format(&packet->src, src),
                           packet->ttl, text);
        put_line(trace, line, len);
    }
    trace->io.events->packet(trace->io.context, time_ns, packet);
}

static void trace_connected(void *context, const struct connect_event *event)
{
    struct trace *trace = context;
    if (trace->on) {
        char line[TRACE_LINE_MAX];
        int len = snprintf(line, sizeof line, "CONN (%.4fs) probe %" PRIu64 " of block %u: %s\n",
                           (double)(event->time_ns - trace->start_ns) / (double)SEC, event->bit,
                           event->block_id, event->error ? strerror(event->error) : "connected");
        put_line(trace, line, len);
    }
    trace->io.events->connected(trace->io.context, event);
}

static void trace_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct trace *trace = context;
    if (trace->on) {
        char line[TRACE_LINE_MAX];
        char dst[ADDR_TEXT_MAX];
        int len = snprintf(line, sizeof line, "FAIL to %s port %u: %s\n", addr_format(&probe->dst, dst),
                           probe->port, strerror(error));
        put_line(trace, line, len);
    }
    trace->io.events->unsent(trace->io.context, order, probe, error);
}

static void trace_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    struct trace *trace = context;
    trace->io.events->dropped(trace->io.context, from_ns, to_ns, count);
}

static int64_t trace_now(struct netio *io)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->now(inner);
}

/* What was said on a stream: the start of it, in one line. */
static void put_talk(const struct trace *trace, const char *direction, uint32_t stream, int64_t now_ns,
                     const uint8_t *bytes, size_t text_len)
{
    char line[TRACE_LINE_MAX];
    char text[TRACE_LINE_MAX / 2];
    size_t len = 0;
    for (; len < text_len && len < sizeof text - 1; len++)
        text[len] = (char)(bytes[len] >= ' ' && bytes[len] <= '~' ? bytes[len] : ' ');
    text[len] = '\0';
    int line_len = snprintf(line, sizeof line, "%s (%.4fs) stream %u: %s\n", direction,
                            (double)(now_ns - trace->start_ns) / (double)SEC, stream, text);
    put_line(trace, line, line_len);
}

static void trace_stream(void *context, const struct stream_event *event)
{
    static const char *const changes[] = {
        [STREAM_OPENED] = "connected", [STREAM_CLOSED] = "closed by the server"};
    struct trace *trace = context;
    if (trace->on) {
        const char *text = event->change == STREAM_FAILED ? strerror(event->error) : changes[event->change];
        bool talk = event->change == STREAM_BYTES;
        put_talk(trace, talk ? "RCVD" : "CONN", event->stream, event->time_ns,
                 talk ? event->bytes : (const uint8_t *)text, talk ? event->len : strlen(text));
    }
    trace->io.events->stream(trace->io.context, event);
}

static int trace_stream_open(struct netio *io, uint32_t stream, const struct addr *dst, uint16_t port)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->streams->open(inner, stream, dst, port);
}

static int trace_stream_send(struct netio *io, uint32_t stream, const void *bytes, size_t len)
{
    struct trace *trace = trace_of(io);
    if (trace->on)
        put_talk(trace, "SENT", stream, trace_now(io), bytes, len);
    return trace->inner->ops->streams->send(trace->inner, stream, bytes, len);
}

static uint64_t trace_stream_acknowledged(struct netio *io, uint32_t stream)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->streams->acknowledged(inner, stream);
}

static void trace_stream_close(struct netio *io, uint32_t stream)
{
    struct netio *inner = trace_of(io)->inner;
    inner->ops->streams->close(inner, stream);
}

static const struct stream_ops trace_streams = {
    .open = trace_stream_open,
    .send = trace_stream_send,
    .acknowledged = trace_stream_acknowledged,
    .close = trace_stream_close,
};

static void trace_disturbed(void *context, enum disturbance what, int64_t from_ns, int64_t to_ns)
{
    struct trace *trace = context;
    if (trace->io.events->disturbed)
        trace->io.events->disturbed(trace->io.context, what, from_ns, to_ns);
}

static const struct netio_events trace_events = {
    .packet = trace_packet,
    .connected = trace_connected,
    .unsent = trace_unsent,
    .dropped = trace_dropped,
    .disturbed = trace_disturbed,
    .stream = trace_stream,
};

static enum reach trace_reach(struct netio *io, const struct addr *dst)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->reach(inner, dst);
}

static struct addr trace_source(struct netio *io, const struct addr *dst)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->source(inner, dst);
}

static bool trace_next_hop_missing(struct netio *io, const struct addr *dst)
{
    struct netio *inner = trace_of(io)->inner;
    return inner->ops->next_hop_missing && inner->ops->next_hop_missing(inner, dst);
}

static bool trace_can(const struct netio *io, enum request_kind kind)
{
    const struct netio *inner = trace_of_const(io)->inner;
    return inner->ops->can(inner, kind);
}

/* Pass on one probe after the other, so that each line stands where it belongs in time. */
static void work_slowly(struct trace *trace, struct order *order, int64_t until_ns)
{
    struct netio *inner = trace->inner;
    while (order->limit > 0) {
        struct order look = *order;
        struct order one = *order;
        struct probe probe;
        look.limit = 1;
        one.limit = 1;
        bool more = order_next(&look, trace_now(&trace->io), &probe);
        inner->ops->work(inner, &one, until_ns);
        order->next = one.next;
        if (!more || one.limit > 0)
            return; /* the end of the order, or it cannot go on now */
        put_probe(trace, &probe, trace_now(&trace->io));
        order->limit--;
    }
}

static void trace_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct trace *trace = trace_of(io);
    if (trace->on && order)
        work_slowly(trace, order, until_ns);
    else
        trace->inner->ops->work(trace->inner, order, until_ns);
    io->stats = trace->inner->stats;
}

static void trace_close(struct netio *io)
{
    struct trace *trace = trace_of(io);
    trace->inner->ops->close(trace->inner);
    free(trace);
}

struct netio *trace_new(struct netio *inner, int fd, bool on)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    *trace = (struct trace){
        .ops = {.name = inner->ops->name,
                .slice_ns = inner->ops->slice_ns,
                .paces = inner->ops->paces,
                .now = trace_now,
                .reach = trace_reach,
                .source = trace_source,
                .next_hop_missing = trace_next_hop_missing,
                .work = trace_work,
                .can = trace_can,
                .close = trace_close,
                .streams = inner->ops->streams ? &trace_streams : NULL},
        .inner = inner,
        .fd = fd,
        .on = on,
        .start_ns = inner->ops->now(inner),
    };
    trace->io.ops = &trace->ops;
    inner->events = &trace_events;
    inner->context = trace;
    return &trace->io;
}

void trace_set(struct netio *netio, bool on)
{
    trace_of(netio)->on = on;
}
