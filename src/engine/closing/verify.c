#include "engine/closing/verify.h"

#include <errno.h>

#include "base/bitset.h"
#include "engine/internal.h"

#define GREETING     "\r\n"
#define GREETING_LEN (sizeof GREETING - 1)

/* Our kernel sends a SYN, or data, after 1 and 3 s again. */
#define PATIENCE_NS (5 * SEC)

/* Connections to one host at once; and how many of its ports may cost us our patience before the rest is left
 * out. */
#define HOST_STREAMS 16
#define HOST_SILENT  32

/* Packets of ours that a connection takes at least: SYN, ACK, data, and how it ends. */
#define STREAM_PACKETS 4

/* Acknowledgements are not told, but looked for so often. */
#define LOOK_EVERY_NS (5 * MSEC)

/* Raw printers print what they are sent. */
static bool prints(uint16_t port)
{
    return port >= 9100 && port <= 9107;
}

static bool is_to_be_verified(const struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    const struct technique *technique = scan_block->block.specs[spec].technique;
    return technique->protocol == PROTOCOL_TCP &&
           bitset_get(scan_block->served, scan_block_bit(scan_block, slot, spec));
}

static uint32_t next_spec(const struct scan_block *scan_block, uint32_t slot, uint32_t from)
{
    while (from < scan_block->block.spec_count && !is_to_be_verified(scan_block, slot, from))
        from++;
    return from;
}

struct verify_host verify_begin(const struct engine *engine, const struct scan_block *scan_block,
                                uint32_t slot)
{
    uint32_t none = scan_block->block.spec_count;
    return (struct verify_host){.next_spec = engine->config.verify ? next_spec(scan_block, slot, 0) : none};
}

bool verify_is_over(const struct closing_host *host)
{
    return host->verify.streams == 0 && host->verify.next_spec == host->scan_block->block.spec_count;
}

static void conclude(struct engine *engine, const struct scan_block *scan_block, uint32_t slot, uint32_t spec,
                     enum confirmation confirmation)
{
    struct addr host = block_host(&scan_block->block, slot);
    emit_confirmation(engine, &host, &scan_block->block.specs[spec], confirmation);
}

/* The host at this place among those that are closing; NULL: it is none of these. */
static struct closing_host *find_host(struct engine *engine, const struct scan_block *scan_block,
                                      uint32_t slot)
{
    struct closing *closing = &engine->closing;
    for (uint32_t i = 0; i < closing->count; i++)
        if (closing->hosts[i].scan_block == scan_block && closing->hosts[i].slot == slot)
            return &closing->hosts[i];
    return NULL;
}

/* The connection has shown what it can. */
static void end_stream(struct engine *engine, uint32_t number, enum confirmation confirmation)
{
    struct verify_stream *stream = &engine->verify.streams[number];
    struct closing_host *host = find_host(engine, stream->scan_block, stream->slot);
    conclude(engine, stream->scan_block, stream->slot, stream->spec, confirmation);
    if (host) {
        host->verify.streams--;
        if (confirmation == CONFIRMATION_SILENT || confirmation == CONFIRMATION_NO_HANDSHAKE)
            host->verify.silent++;
    }
    stream->scan_block = NULL;
    engine->verify.stream_count--;
}

static uint32_t free_stream(const struct engine *engine)
{
    uint32_t number = 0;
    while (number < STREAMS_MAX && engine->verify.streams[number].scan_block)
        number++;
    return number;
}

/* Connect to one port. */
static void begin_stream(struct engine *engine, struct closing_host *host, uint32_t spec)
{
    uint32_t number = free_stream(engine);
    uint16_t port = host->scan_block->block.specs[spec].port;
    struct addr addr = block_host(&host->scan_block->block, host->slot);
    if (engine->io->ops->streams->open(engine->io, number, &addr, port)) {
        conclude(engine, host->scan_block, host->slot, spec, CONFIRMATION_NO_HANDSHAKE);
        return;
    }
    engine->verify.streams[number] = (struct verify_stream){.scan_block = host->scan_block,
                                                            .slot = host->slot,
                                                            .spec = spec,
                                                            .until_ns = engine->now_ns + PATIENCE_NS};
    engine->verify.stream_count++;
    host->verify.streams++;
    pacer_spend(&engine->pacer, STREAM_PACKETS); /* netio counts no packets of streams */
    pacer_spend(&path_of(engine, host->scan_block)->pacer, STREAM_PACKETS);
}

/* The next port of this host. False: none can be begun now. */
static bool begin_port(struct engine *engine, struct closing_host *host)
{
    struct verify_host *verify = &host->verify;
    if (verify->next_spec == host->scan_block->block.spec_count || verify->streams == HOST_STREAMS)
        return false;
    uint32_t spec = verify->next_spec;
    verify->next_spec = next_spec(host->scan_block, host->slot, spec + 1);
    if (verify->silent >= HOST_SILENT || prints(host->scan_block->block.specs[spec].port))
        conclude(engine, host->scan_block, host->slot, spec, CONFIRMATION_UNTRIED);
    else
        begin_stream(engine, host, spec);
    return true;
}

/* One port of each host in turn, so that none waits for another. */
static void begin_ports(struct engine *engine)
{
    struct closing *closing = &engine->closing;
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < closing->count; i++) {
            if (engine->verify.stream_count == STREAMS_MAX)
                return;
            if (allowance_of(engine, closing->hosts[i].scan_block) > 0)
                more |= begin_port(engine, &closing->hosts[i]);
        }
    }
}

static void look_at(struct engine *engine, uint32_t number)
{
    const struct stream_ops *ops = engine->io->ops->streams;
    const struct verify_stream *stream = &engine->verify.streams[number];
    if (stream->opened && ops->acknowledged(engine->io, number) >= GREETING_LEN) {
        ops->close(engine->io, number);
        end_stream(engine, number, CONFIRMATION_ACKNOWLEDGED);
    } else if (stream->until_ns <= engine->now_ns) {
        ops->close(engine->io, number);
        end_stream(engine, number, stream->opened ? CONFIRMATION_SILENT : CONFIRMATION_NO_HANDSHAKE);
    }
}

void verify_run(struct engine *engine)
{
    if (!engine->config.verify)
        return;
    for (uint32_t i = 0; i < STREAMS_MAX && engine->verify.stream_count > 0; i++)
        if (engine->verify.streams[i].scan_block)
            look_at(engine, i);
    begin_ports(engine);
}

void verify_end(struct engine *engine)
{
    for (uint32_t i = 0; i < STREAMS_MAX; i++) {
        if (!engine->verify.streams[i].scan_block)
            continue;
        engine->io->ops->streams->close(engine->io, i);
        end_stream(engine, i, CONFIRMATION_UNTRIED);
    }
}

void verify_on_stream(void *context, const struct stream_event *event)
{
    struct engine *engine = context;
    const struct verify_stream *stream = &engine->verify.streams[event->stream];
    engine->now_ns = event->time_ns > engine->now_ns ? event->time_ns : engine->now_ns;
    switch ((enum stream_change)event->change) {
    case STREAM_OPENED:
        engine->verify.streams[event->stream].opened = true;
        engine->io->ops->streams->send(engine->io, event->stream, GREETING, GREETING_LEN);
        break;
    case STREAM_BYTES:
        engine->io->ops->streams->close(engine->io, event->stream);
        end_stream(engine, event->stream, CONFIRMATION_ACKNOWLEDGED);
        break;
    case STREAM_CLOSED: /* in order, which only who has the connection can */
        end_stream(engine, event->stream, CONFIRMATION_ACKNOWLEDGED);
        break;
    case STREAM_FAILED:
        end_stream(engine, event->stream,
                   !stream->opened                                                ? CONFIRMATION_NO_HANDSHAKE
                   : event->acknowledged >= GREETING_LEN || event->error == EPIPE ? CONFIRMATION_ACKNOWLEDGED
                                                                                  : CONFIRMATION_RESET);
        break;
    }
}

int64_t verify_next_ns(const struct engine *engine)
{
    if (engine->verify.stream_count > 0)
        return engine->now_ns + LOOK_EVERY_NS;
    int64_t next_ns = TIME_NEVER;
    for (uint32_t i = 0; engine->config.verify && i < engine->closing.count; i++) {
        const struct closing_host *host = &engine->closing.hosts[i];
        int64_t may_ns = verify_is_over(host) ? TIME_NEVER : may_send_ns(engine, host->scan_block);
        next_ns = may_ns < next_ns ? may_ns : next_ns;
    }
    return next_ns;
}
