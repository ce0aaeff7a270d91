#include "netio/sim/stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/time.h"
#include "netio/netio.h"
#include "netio/sim/answer.h"

void sim_streams_init(struct sim_streams *streams, const struct sim_config *config, uint64_t seed)
{
    streams->config = config;
    streams->rand.state = seed;
}

static const struct sim_relay *relay_at(const struct sim_config *config, const struct addr *dst,
                                        uint16_t port)
{
    for (size_t i = 0; i < config->relay_count; i++)
        if (config->relays[i].port == port && addr_equal(&config->relays[i].addr, dst))
            return &config->relays[i];
    return NULL;
}

static unsigned sessions_with(const struct sim_streams *streams, const struct sim_relay *relay)
{
    unsigned count = 0;
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        count += streams->list[i].used && streams->list[i].session.relay == relay;
    return count;
}

/* What a connection to a port of a host comes to. Nobody at all refuses. */
static void open_port(const struct sim_config *config, const struct addr *dst, uint16_t port, int64_t now_ns,
                      struct sim_stream *stream)
{
    const struct sim_host *host = sim_host_of(config, dst);
    struct sim_port behind = {.behaviour = SIM_CLOSED};
    if (host)
        behind = sim_port_of(host, IP_PROTO_TCP, port);
    bool front = host && host->front;
    int64_t rtt_ns = host ? host->rtt_ns : MSEC;
    bool silent = behind.behaviour == SIM_DROP || (front && host->front == SIM_FRONT_TARPIT);
    stream->opened_ns = silent && !front ? TIME_NEVER : now_ns + rtt_ns;
    stream->error = front || behind.behaviour != SIM_CLOSED ? 0 : ECONNREFUSED;
    stream->silence_ns = silent ? TIME_NEVER : rtt_ns;
    stream->resets = front && behind.behaviour == SIM_CLOSED;
}

int sim_streams_open(struct sim_streams *streams, uint32_t number, const struct addr *dst, uint16_t port,
                     int64_t now_ns)
{
    assert(number < STREAMS_MAX && !streams->list[number].used);
    const struct sim_relay *relay = relay_at(streams->config, dst, port);
    struct sim_stream *stream = &streams->list[number];
    unsigned others = relay ? sessions_with(streams, relay) : 0;
    *stream = (struct sim_stream){.used = true, .use = stream->use + 1, .acknowledged_ns = TIME_NEVER};
    if (!relay) {
        open_port(streams->config, dst, port, now_ns, stream);
        return 0;
    }
    stream->opened_ns = now_ns + relay->rtt_ns;
    sim_session_open(&stream->session, relay, others, now_ns, &streams->rand);
    return 0;
}

int sim_streams_send(struct sim_streams *streams, uint32_t number, const void *bytes, size_t len,
                     int64_t now_ns)
{
    struct sim_stream *stream = &streams->list[number];
    assert(number < STREAMS_MAX && stream->opened);
    if (len > STREAM_OUT_MAX)
        return ENOBUFS;
    if (!stream->session.relay) {
        stream->sent_len += len;
        stream->acknowledged_ns = stream->silence_ns == TIME_NEVER ? TIME_NEVER : now_ns + stream->silence_ns;
        return 0;
    }
    sim_session_take(&stream->session, streams->config, bytes, len, now_ns, &streams->rand);
    return 0;
}

uint64_t sim_streams_acknowledged(const struct sim_streams *streams, uint32_t number, int64_t now_ns)
{
    const struct sim_stream *stream = &streams->list[number];
    assert(number < STREAMS_MAX && stream->opened);
    return !stream->resets && stream->acknowledged_ns <= now_ns ? stream->sent_len : 0;
}

void sim_streams_close(struct sim_streams *streams, uint32_t number)
{
    assert(number < STREAMS_MAX);
    streams->list[number].used = false;
    streams->list[number].opened = false;
}

static int64_t due_ns(const struct sim_stream *stream)
{
    if (!stream->used)
        return TIME_NEVER;
    if (!stream->opened)
        return stream->opened_ns;
    if (stream->resets)
        return stream->acknowledged_ns;
    return stream->session.saying_count ? stream->session.sayings[0].time_ns : TIME_NEVER;
}

int64_t sim_streams_next_ns(const struct sim_streams *streams)
{
    int64_t next_ns = TIME_NEVER;
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        if (due_ns(&streams->list[i]) < next_ns)
            next_ns = due_ns(&streams->list[i]);
    return next_ns;
}

static void drop_saying(struct sim_stream *stream)
{
    struct sim_session *session = &stream->session;
    session->saying_count--;
    memmove(&session->sayings[0], &session->sayings[1], session->saying_count * sizeof session->sayings[0]);
    stream->dripped = 0;
}

/* How many bytes of the first saying come now; it is gone with the last of them. */
static size_t take_bytes(struct sim_stream *stream, uint8_t bytes[static STREAM_CHUNK_MAX])
{
    struct sim_saying *saying = &stream->session.sayings[0];
    int64_t drip_ns = stream->session.relay->drip_ns;
    size_t len = strlen(saying->text);
    if (saying->kind == SIM_REPEATS) {
        for (size_t i = 0; i < saying->len; i++)
            bytes[i] = (uint8_t)saying->text[(stream->dripped + i) % len];
        stream->dripped = (unsigned)((stream->dripped + saying->len) % len);
        saying->time_ns += saying->gap_ns;
        return saying->len;
    }
    memcpy(bytes, saying->text + stream->dripped, len - stream->dripped);
    if (drip_ns > 0 && stream->dripped + 1 < len) {
        stream->dripped++;
        saying->time_ns += drip_ns;
        return 1;
    }
    len -= stream->dripped;
    drop_saying(stream);
    return len;
}

static void deliver_one(struct sim_streams *streams, uint32_t number, struct netio *io)
{
    struct sim_stream *stream = &streams->list[number];
    struct sim_session *session = &stream->session;
    struct stream_event event = {.stream = number, .time_ns = due_ns(stream)};
    uint8_t bytes[STREAM_CHUNK_MAX];
    if (!stream->opened && !stream->error) {
        event.change = STREAM_OPENED;
        stream->opened = true;
    } else if (stream->error || stream->resets || session->sayings[0].kind == SIM_RESETS) {
        event.change = STREAM_FAILED;
        event.error = stream->error ? stream->error : ECONNRESET;
    } else if (session->sayings[0].kind == SIM_HANGS_UP) {
        event.change = STREAM_CLOSED;
    } else {
        event.change = STREAM_BYTES;
        event.bytes = bytes;
        event.len = take_bytes(stream, bytes);
        io->stats.bytes_received += event.len;
    }
    if (event.change == STREAM_CLOSED || event.change == STREAM_FAILED)
        sim_streams_close(streams, number);
    io->events->stream(io->context, &event);
}

void sim_streams_deliver(struct sim_streams *streams, struct netio *io, int64_t now_ns)
{
    for (uint32_t i = 0; i < STREAMS_MAX; i++) {
        uint32_t use = streams->list[i].use;
        while (streams->list[i].use == use && due_ns(&streams->list[i]) <= now_ns)
            deliver_one(streams, i, io);
    }
}
