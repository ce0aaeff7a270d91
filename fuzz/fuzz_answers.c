/* A scanning engine, and packets of strangers who did not see its probes: whatever they send, no port and no
 * host gets a state by it, and the scan comes to its end. An input is packets, each after two bytes for its
 * length. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/time.h"
#include "engine/engine.h"
#include "fuzz.h"
#include "netio/sim/sim.h"
#include "packet/packet.h"
#include "technique/rows.h"

#define SPEC_COUNT  9
#define TURNS_MAX   400
#define PACKETS_MAX 64
#define LATE_NS     (100 * MSEC) /* between one packet and the next */

/* 198.18.0.2 to .5 and 2001:db8::2 to ::5, where nobody is. */
static struct plan *make_plan(void)
{
    static const uint8_t first[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2},
                         last[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 5};
    struct plan *plan = calloc(1, sizeof *plan);
    struct port_set *ports = calloc(1, sizeof *ports);
    struct addr_set targets = {0};
    assert(plan && ports);
    addr_set_add(&targets, addr_v4(0xc6120002), addr_v4(0xc6120005));
    addr_set_add(&targets, addr_v6(first, 0), addr_v6(last, 0));
    for (uint16_t port = 80; port < 80 + SPEC_COUNT; port++)
        port_set_add(ports, PORTS_TCP, port);
    const struct plan_options options = {.seed = 1, .shard_count = 1};
    int r = plan_init(plan, &targets, NULL, NULL, ports, &options, NULL);
    assert(r == 0);
    free(ports);
    return plan;
}

static void take_record(void *context, const struct record *record)
{
    (void)context;
    assert(record_valid(record));
    assert(record->type != RECORD_PORT);
    assert(record->type != RECORD_HOST_UP || record->reason == REASON_USER_SET);
}

static void throw_packet(struct netio *io, struct reader *in)
{
    struct packet_reading lax = {.checksums = false};
    struct packet packet;
    size_t len = read_be16(in);
    const uint8_t *bytes = read_span(in, len);
    if (packet_read_ip(bytes, len, lax, &packet) != PACKET_OK)
        return;
    /* A bare SYN is proved by its port alone, which can be guessed. */
    bool carries_number = packet.layer != LAYER_TCP || (packet.tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
    if (carries_number)
        io->events->packet(io->context, io->ops->now(io), &packet);
}

static void scan(struct scanner *scanner, struct netio *io, struct reader *in)
{
    bool more = true;
    for (unsigned i = 0; i < TURNS_MAX && more; i++) {
        if (i < PACKETS_MAX && reader_left(in) > 0)
            throw_packet(io, in);
        more = scanner->ops->turn(scanner, io->ops->now(io) + LATE_NS);
    }
    scanner->ops->stop(scanner);
    while (more)
        more = scanner->ops->turn(scanner, TIME_NEVER);
}

/* Is the last packet as long as it says? */
static bool is_whole(struct reader in)
{
    while (in.ok && reader_left(&in) > 0) {
        size_t len = read_be16(&in);
        read_span(&in, len);
    }
    return in.ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sim_config sim = {.seed = 1, .source4 = addr_v4(0xc6120001), .router4 = addr_v4(0xc61200fe)};
    struct reader in = reader_over(data, size);
    if (!is_whole(in))
        return 0;
    struct plan *plan = make_plan();
    struct netio *io = sim_new(&sim);
    struct probe_spec specs[SPEC_COUNT];
    for (uint16_t i = 0; i < SPEC_COUNT; i++)
        specs[i] = (struct probe_spec){&technique_syn, (uint16_t)(80 + i)};
    struct engine_config config = {
        .plan = plan,
        .specs = specs,
        .spec_count = SPEC_COUNT,
        .timing = {.min_rto_ns = 10 * MSEC,
                   .initial_rto_ns = SEC,
                   .max_rto_ns = 10 * SEC,
                   .max_retries = 2,
                   .default_rate_pps = 1000},
        .key = {.secret = {{1, 2}}, .first_port = 40000, .port_count = 64},
        .io = io,
        .emit = take_record,
    };
    struct scanner *scanner = NULL;
    assert(io);
    int r = engine_new(&config, &scanner, NULL);
    assert(r == 0);
    scan(scanner, io, &in);
    scanner->ops->free(scanner);
    io->ops->close(io);
    plan_done(plan);
    free(plan);
    return 0;
}
