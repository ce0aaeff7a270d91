#include "netio/paired.h"

#include <stdlib.h>

struct paired {
    struct netio io; /* first: the ops cast back */
    struct netio_ops ops;
    struct netio *packets, *streams; /* owned */
};

static struct netio *packets_of(struct netio *io)
{
    return ((struct paired *)io)->packets;
}

static struct netio *streams_of(struct netio *io)
{
    return ((struct paired *)io)->streams;
}

static int64_t paired_now(struct netio *io)
{
    struct netio *packets = packets_of(io);
    return packets->ops->now(packets);
}

static enum reach paired_reach(struct netio *io, const struct addr *dst)
{
    struct netio *packets = packets_of(io);
    return packets->ops->reach(packets, dst);
}

static struct addr paired_source(struct netio *io, const struct addr *dst)
{
    struct netio *packets = packets_of(io);
    return packets->ops->source(packets, dst);
}

static bool paired_next_hop_missing(struct netio *io, const struct addr *dst)
{
    struct netio *packets = packets_of(io);
    return packets->ops->next_hop_missing && packets->ops->next_hop_missing(packets, dst);
}

static bool paired_can(const struct netio *io, enum request_kind kind)
{
    const struct netio *packets = ((const struct paired *)io)->packets;
    return kind == REQUEST_STREAM || packets->ops->can(packets, kind);
}

static void paired_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct netio *packets = packets_of(io), *streams = streams_of(io);
    packets->events = streams->events = io->events;
    packets->context = streams->context = io->context;
    packets->ops->work(packets, order, until_ns);
    streams->ops->work(streams, NULL, streams->ops->now(streams));
    io->stats = packets->stats;
}

static void paired_close(struct netio *io)
{
    packets_of(io)->ops->close(packets_of(io));
    streams_of(io)->ops->close(streams_of(io));
    free(io);
}

static int paired_stream_open(struct netio *io, uint32_t stream, const struct addr *dst, uint16_t port)
{
    struct netio *streams = streams_of(io);
    return streams->ops->streams->open(streams, stream, dst, port);
}

static int paired_stream_send(struct netio *io, uint32_t stream, const void *bytes, size_t len)
{
    struct netio *streams = streams_of(io);
    return streams->ops->streams->send(streams, stream, bytes, len);
}

static uint64_t paired_stream_acknowledged(struct netio *io, uint32_t stream)
{
    struct netio *streams = streams_of(io);
    return streams->ops->streams->acknowledged(streams, stream);
}

static void paired_stream_close(struct netio *io, uint32_t stream)
{
    struct netio *streams = streams_of(io);
    streams->ops->streams->close(streams, stream);
}

static const struct stream_ops paired_streams = {
    .open = paired_stream_open,
    .send = paired_stream_send,
    .acknowledged = paired_stream_acknowledged,
    .close = paired_stream_close,
};

struct netio *paired_new(struct netio *packets, struct netio *streams)
{
    struct paired *paired = calloc(1, sizeof *paired);
    if (!paired) {
        packets->ops->close(packets);
        streams->ops->close(streams);
        return NULL;
    }
    *paired = (struct paired){
        .ops = {.name = packets->ops->name,
                .slice_ns = packets->ops->slice_ns,
                .paces = packets->ops->paces,
                .now = paired_now,
                .reach = paired_reach,
                .source = paired_source,
                .next_hop_missing = paired_next_hop_missing,
                .work = paired_work,
                .can = paired_can,
                .close = paired_close,
                .streams = &paired_streams},
        .packets = packets,
        .streams = streams,
    };
    paired->io.ops = &paired->ops;
    return &paired->io;
}
