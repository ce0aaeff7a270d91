#include "netio/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "netio/probe_packet.h"
#include "netio/sim/answer.h"
#include "netio/sim/link.h"
#include "netio/sim/neighbor.h"
#include "netio/sim/queue.h"
#include "netio/sim/stream.h"
#include "netio/sim/zombie.h"

#define SEND_COST_NS (1 * USEC)
#define PROBE_TTL    64
#define SLICE_NS     (1 * MSEC)

struct sim {
    struct netio io;
    const struct sim_config *config;
    struct sim_limits **limits;   /* owned, and what it points to: of each host entry */
    struct sim_link_state *links; /* owned */
    struct sim_zombies *zombies;  /* owned */
    struct rand rand;
    int64_t now_ns;
    struct sim_queue queue;
    struct sim_streams streams;
    uint64_t refused; /* probes that did not leave, so far */
    uint64_t deaf_count;
    bool away; /* told that our own link is down */
};

static struct sim *sim_of(struct netio *io)
{
    return (struct sim *)io; /* io is the first member */
}

static bool chance(struct sim *sim, double probability)
{
    return probability > 0 && rand_unit(&sim->rand) < probability;
}

static int64_t round_trip_ns(struct sim *sim, const struct sim_host *host)
{
    int64_t jitter_ns = host->jitter_ns ? (int64_t)rand_below(&sim->rand, (uint64_t)host->jitter_ns + 1) : 0;
    int64_t into_ns = host->stalls_every_ns ? (sim->now_ns + host->rtt_ns / 2) % host->stalls_every_ns : 0;
    int64_t stall_ns = into_ns < host->stalls_ns ? host->stalls_ns - into_ns : 0;
    return host->rtt_ns + jitter_ns + stall_ns;
}

/* The way there: every link on it. False: lost; else *late_ns is how long it waited in queues. */
static bool probe_arrives(struct sim *sim, const struct sim_host *host, const struct probe *probe,
                          int64_t *late_ns)
{
    int64_t time_ns = sim->now_ns;
    uint8_t ip_proto = technique_ip_proto(probe->technique, &probe->dst, probe->port);
    for (size_t i = 0; i < sim->config->link_count; i++)
        if (sim_link_leads_to(&sim->config->links[i], &probe->dst) &&
            !sim_link_probe(&sim->links[i], ip_proto, &time_ns))
            return false;
    *late_ns = time_ns - sim->now_ns;
    return !chance(sim, host->loss_out);
}

/* An answer on its way back: may be lost, late, or double. late_ns: what its probe had to wait. Does it
 * arrive? */
static bool answer_returns(struct sim *sim, const struct sim_host *host, const struct addr *from,
                           const struct sim_arrival *answer, int64_t late_ns)
{
    int64_t arrives_ns = sim->now_ns + late_ns + round_trip_ns(sim, host);
    for (size_t i = 0; i < sim->config->link_count; i++)
        if (sim_link_leads_to(&sim->config->links[i], from) && !sim_link_answer(&sim->links[i], arrives_ns))
            return false;
    if (chance(sim, host->loss_back))
        return false;
    sim_queue_add(&sim->queue, answer, arrives_ns);
    if (chance(sim, host->duplicate))
        sim_queue_add(&sim->queue, answer,
                      sim->now_ns + late_ns + round_trip_ns(sim, host) + host->duplicate_ns);
    return true;
}

/* Likewise; what a stack sends again until it is acknowledged or reset has some more chances. */
static bool answer_returns_in_the_end(struct sim *sim, const struct sim_host *host, const struct addr *from,
                                      const struct sim_arrival *answer, int64_t late_ns)
{
    static const int64_t waits_ns[] = {0, 1 * SEC, 3 * SEC, 7 * SEC};
    unsigned sent = host->repeats_syn_ack && sim_is_syn_ack(answer->bytes, answer->len) ? 4 : 1;
    for (unsigned i = 0; i < sent; i++)
        if (answer_returns(sim, host, from, answer, late_ns + waits_ns[i]))
            return true;
    return false;
}

/* Entries whose hosts have something each differ in the last four bytes only. */
static uint32_t place_in_entry(const struct sim_host *host, const struct addr *addr)
{
    size_t at = host->first.family == ADDR_V4 ? 0 : 12;
    return get_be32(addr->bytes + at) - get_be32(host->first.bytes + at);
}

static uint64_t limits_count(const struct sim_host *host)
{
    return host->limits_each ? (uint64_t)place_in_entry(host, &host->last) + 1 : 1;
}

static struct sim_limits *limits_of(struct sim *sim, const struct sim_host *host, const struct addr *dst)
{
    struct sim_limits *of_entry = sim->limits[host - sim->config->hosts];
    return host->limits_each ? &of_entry[place_in_entry(host, dst)] : of_entry;
}

/* Over the loopback link a probe is heard on its way, as everything is that passes there. */
static void hear_ourselves(struct sim *sim, const uint8_t *probe, size_t len)
{
    struct sim_arrival heard = {.len = len};
    if (len > sizeof heard.bytes)
        return;
    memcpy(heard.bytes, probe, len);
    sim_queue_add(&sim->queue, &heard, sim->now_ns);
}

static void send_packet(struct sim *sim, const struct sim_host *host, const struct probe *probe)
{
    uint8_t bytes[PROBE_PACKET_MAX];
    size_t len = probe_packet_write(probe, PROBE_TTL, (uint16_t)probe->number, bytes, sizeof bytes);
    sim->io.stats.bytes_sent += len;
    if (sim_zombies_take(sim->zombies, bytes, len, sim->now_ns) || !host)
        return;
    struct sim_question question = {
        .config = sim->config,
        .host = host,
        .limits = limits_of(sim, host, &probe->dst),
        .probe = bytes,
        .probe_len = len,
        .try_number = probe->try_number,
        .now_ns = sim->now_ns + host->rtt_ns / 2,
    };
    if (addr_equal(&probe->src, &probe->dst))
        hear_ourselves(sim, bytes, len);
    struct sim_arrival answer = {0};
    for (unsigned i = 0; i < sim->config->forgeries_per_probe; i++) {
        answer.len = sim_forgery(&question, rand_next(&sim->rand), answer.bytes);
        if (answer.len)
            sim_queue_add(&sim->queue, &answer, sim->now_ns + round_trip_ns(sim, host) / 2);
    }
    int64_t late_ns;
    if (!probe_arrives(sim, host, probe, &late_ns))
        return;
    question.now_ns += late_ns;
    answer.len = sim_answer(&question, answer.bytes);
    if (!answer.len || !answer_returns_in_the_end(sim, host, &probe->dst, &answer, late_ns) || !host->mirrors)
        return;
    /* Our kernel answers what came back, and that comes back, too. */
    answer.len = sim_answer_returned(&question, answer.bytes);
    if (answer.len)
        answer_returns(sim, host, &probe->dst, &answer, late_ns + host->rtt_ns);
}

/* The host says who it is. */
static void send_neighbor(struct sim *sim, const struct sim_host *host, const struct probe *probe)
{
    int64_t late_ns;
    if (!host || !host->on_link || host->down || !probe_arrives(sim, host, probe, &late_ns))
        return;
    struct sim_arrival answer = {.is_frame = true};
    answer.len = sim_neighbor_answer(sim->config, &probe->dst, answer.bytes);
    if (answer.len)
        answer_returns(sim, host, &probe->dst, &answer, late_ns);
}

/* How a connect() to this port ends. False: not at all. */
static bool connect_ends(const struct sim *sim, const struct sim_host *host, const struct probe *probe,
                         struct connect_event *event)
{
    struct sim_port port = sim_port_of(host, IP_PROTO_TCP, probe->port);
    switch ((enum sim_behaviour)port.behaviour) {
    case SIM_OPEN:
    case SIM_BROKEN_OPTIONS:
    case SIM_BARE_SYN:
        return true;
    case SIM_CLOSED:
        event->error = ECONNREFUSED;
        event->reset_seen = true;
        return true;
    case SIM_ICMP:
    case SIM_SHORT_QUOTE:
        event->error = EHOSTUNREACH;
        event->has_icmp = true;
        event->icmp_type = port.icmp_type;
        event->icmp_code = port.icmp_code;
        event->offender = probe->dst;
        if (port.from_router)
            event->offender = probe->dst.family == ADDR_V4 ? sim->config->router4 : sim->config->router6;
        return true;
    case SIM_DROP:
    case SIM_WRONG_ACK:
    case SIM_WRONG_RESET:
    case SIM_STRANGE_QUOTE:
    case SIM_TRUNCATED:
    case SIM_SOFT_ONCE:
    case SIM_FICKLE:
    case SIM_SERVICE:
    case SIM_LAST_PAYLOAD:
    case SIM_NEW_PORT:
    case SIM_OTHER_ADDRESS:
        break;
    }
    return false;
}

static void send_connect(struct sim *sim, const struct sim_host *host, const struct probe *probe,
                         uint32_t block_id)
{
    struct sim_arrival answer = {.is_connect = true};
    answer.connect =
        (struct connect_event){.block_id = block_id, .bit = probe->bit, .try_number = probe->try_number};
    int64_t late_ns;
    if (!host || host->down || !probe_arrives(sim, host, probe, &late_ns) ||
        !connect_ends(sim, host, probe, &answer.connect))
        return;
    answer.connect.rtt_ns = host->rtt_ns + late_ns;
    answer_returns(sim, host, &probe->dst, &answer, late_ns);
}

static struct addr sim_source(struct netio *io, const struct addr *dst)
{
    const struct sim_config *config = sim_of(io)->config;
    return dst->family == ADDR_V4 ? config->source4 : config->source6;
}

static void send_probe(struct sim *sim, const struct order *order, struct probe *probe)
{
    const struct sim_host *host = sim_host_of(sim->config, &probe->dst);
    if (probe->src.family == ADDR_NONE)
        probe->src = sim_source(&sim->io, &probe->dst);
    sim->now_ns += sim->config->send_cost_ns ? sim->config->send_cost_ns : SEND_COST_NS;
    if (sim->refused < sim->config->unsendable) {
        sim->refused++;
        sim->io.stats.send_errors++;
        sim->io.events->unsent(sim->io.context, order, probe, EPERM);
        return;
    }
    sim->io.stats.packets_sent++;
    switch ((enum request_kind)probe->technique->kind) {
    case REQUEST_PACKET:
        send_packet(sim, host, probe);
        break;
    case REQUEST_NEIGHBOR:
        send_neighbor(sim, host, probe);
        break;
    case REQUEST_CONNECT:
        send_connect(sim, host, probe, order->block->id);
        break;
    case REQUEST_STREAM:
        break; /* nobody puts it into an order */
    }
}

static bool is_deaf(struct sim *sim, int64_t time_ns)
{
    if (time_ns < sim->config->deaf_from_ns || time_ns >= sim->config->deaf_to_ns)
        return false;
    sim->deaf_count++;
    sim->io.stats.ring_drops++;
    return true;
}

static void deliver(struct sim *sim, const struct sim_arrival *arrival)
{
    struct packet_reading strict = {.checksums = true};
    struct packet packet;
    if (sim->away || is_deaf(sim, arrival->time_ns))
        return;
    if (sim->deaf_count) {
        sim->io.events->dropped(sim->io.context, sim->config->deaf_from_ns, sim->config->deaf_to_ns,
                                sim->deaf_count);
        sim->deaf_count = 0;
    }
    if (arrival->is_connect) {
        struct connect_event event = arrival->connect;
        event.time_ns = arrival->time_ns;
        sim->io.events->connected(sim->io.context, &event);
        return;
    }
    sim->io.stats.packets_received++;
    sim->io.stats.bytes_received += arrival->len;
    enum packet_fault fault = arrival->is_frame
                                  ? packet_read_ethernet(arrival->bytes, arrival->len, strict, &packet)
                                  : packet_read_ip(arrival->bytes, arrival->len, strict, &packet);
    sim->io.stats.faults[fault]++;
    if (fault == PACKET_OK)
        sim->io.events->packet(sim->io.context, arrival->time_ns, &packet);
}

/* What happens at the zombies up to now. */
static void run_zombies(struct sim *sim)
{
    struct sim_zombie_answer answer;
    while (sim_zombies_step(sim->zombies, sim->now_ns, &answer)) {
        struct sim_arrival arrival = {.len = answer.len};
        if (answer.len == 0)
            continue;
        memcpy(arrival.bytes, answer.bytes, answer.len);
        sim_queue_add(&sim->queue, &arrival, answer.time_ns);
    }
}

static void deliver_due(struct sim *sim)
{
    run_zombies(sim);
    while (sim_queue_next_ns(&sim->queue) <= sim->now_ns) {
        struct sim_arrival *arrival = sim_queue_take(&sim->queue);
        deliver(sim, arrival);
        free(arrival);
    }
    sim_streams_deliver(&sim->streams, &sim->io, sim->now_ns);
}

/* Our own link goes down, or comes back. */
static void follow_link(struct sim *sim)
{
    const struct sim_config *config = sim->config;
    bool away = sim->now_ns >= config->away_from_ns && sim->now_ns < config->away_to_ns;
    if (away == sim->away)
        return;
    sim->away = away;
    sim->io.events->disturbed(sim->io.context, away ? DISTURBANCE_GONE : DISTURBANCE_BACK,
                              config->away_from_ns, sim->now_ns);
}

/* When something happens by itself, or until_ns. */
static int64_t next_event_ns(struct sim *sim, int64_t until_ns)
{
    const int64_t times_ns[] = {
        sim_queue_next_ns(&sim->queue),
        sim_zombies_due_ns(sim->zombies),
        sim_streams_next_ns(&sim->streams),
        sim->now_ns < sim->config->away_from_ns ? sim->config->away_from_ns : TIME_NEVER,
        sim->away ? sim->config->away_to_ns : TIME_NEVER,
    };
    for (size_t i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++)
        until_ns = times_ns[i] < until_ns ? times_ns[i] : until_ns;
    return until_ns;
}

static void sim_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct sim *sim = sim_of(io);
    struct probe probe;
    follow_link(sim);
    if (sim->away && order && until_ns < sim->now_ns + SLICE_NS)
        until_ns = sim->now_ns + SLICE_NS; /* an order that waits takes time */
    if (!order || sim->away) {
        int64_t next_ns = next_event_ns(sim, until_ns);
        sim->now_ns = next_ns > sim->now_ns ? next_ns : sim->now_ns;
    }
    if (order && sim->config->lag_ns)
        sim->now_ns += (int64_t)rand_below(&sim->rand, (uint64_t)sim->config->lag_ns);
    while (order && !sim->away && !chance(sim, sim->config->no_room) &&
           order_next(order, sim->now_ns, &probe)) {
        send_probe(sim, order, &probe);
        deliver_due(sim);
        follow_link(sim);
    }
    deliver_due(sim);
}

static int64_t sim_now(struct netio *io)
{
    return sim_of(io)->now_ns;
}

static enum reach sim_reach(struct netio *io, const struct addr *dst)
{
    const struct sim_host *host = sim_host_of(sim_of(io)->config, dst);
    struct addr source = sim_source(io, dst);
    if (source.family == ADDR_NONE)
        return REACH_NONE;
    return host && host->on_link ? REACH_LINK : REACH_ROUTED;
}

static bool sim_can(const struct netio *io, enum request_kind kind)
{
    (void)io;
    (void)kind;
    return true;
}

static void sim_close(struct netio *io)
{
    struct sim *sim = sim_of(io);
    sim_queue_done(&sim->queue);
    for (size_t i = 0; sim->limits && i < sim->config->host_count; i++) {
        for (uint64_t k = 0; sim->limits[i] && k < limits_count(&sim->config->hosts[i]); k++)
            sim_limits_done(&sim->limits[i][k]);
        free(sim->limits[i]);
    }
    free(sim->limits);
    free(sim->links);
    sim_zombies_free(sim->zombies);
    free(sim);
}

static int sim_stream_open(struct netio *io, uint32_t stream, const struct addr *dst, uint16_t port)
{
    return sim_streams_open(&sim_of(io)->streams, stream, dst, port, sim_of(io)->now_ns);
}

static int sim_stream_send(struct netio *io, uint32_t stream, const void *bytes, size_t len)
{
    io->stats.bytes_sent += len;
    return sim_streams_send(&sim_of(io)->streams, stream, bytes, len, sim_of(io)->now_ns);
}

static uint64_t sim_stream_acknowledged(struct netio *io, uint32_t stream)
{
    return sim_streams_acknowledged(&sim_of(io)->streams, stream, sim_of(io)->now_ns);
}

static void sim_stream_close(struct netio *io, uint32_t stream)
{
    sim_streams_close(&sim_of(io)->streams, stream);
}

static const struct stream_ops sim_stream_ops = {
    .open = sim_stream_open,
    .send = sim_stream_send,
    .acknowledged = sim_stream_acknowledged,
    .close = sim_stream_close,
};

static const struct netio_ops sim_ops = {
    .name = "sim",
    .slice_ns = SLICE_NS,
    .now = sim_now,
    .reach = sim_reach,
    .source = sim_source,
    .work = sim_work,
    .can = sim_can,
    .close = sim_close,
    .streams = &sim_stream_ops,
};

static bool init_limits(struct sim *sim)
{
    const struct sim_config *config = sim->config;
    sim->limits = calloc(config->host_count + 1, sizeof *sim->limits);
    for (size_t i = 0; sim->limits && i < config->host_count; i++) {
        const struct sim_host *host = &config->hosts[i];
        uint64_t count = limits_count(host);
        sim->limits[i] = calloc(count, sizeof *sim->limits[i]);
        if (!sim->limits[i])
            return false;
        for (uint64_t k = 0; k < count; k++)
            if (!sim_limits_init(&sim->limits[i][k], host, sim->now_ns))
                return false;
    }
    return sim->limits;
}

static bool init_links(struct sim *sim)
{
    sim->links = calloc(sim->config->link_count + 1, sizeof *sim->links);
    for (size_t i = 0; sim->links && i < sim->config->link_count; i++)
        sim_link_init(&sim->links[i], &sim->config->links[i], rand_next(&sim->rand));
    return sim->links;
}

struct netio *sim_new(const struct sim_config *config)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return NULL;
    sim->io.ops = &sim_ops;
    sim->config = config;
    sim->rand.state = config->seed;
    sim->now_ns = SEC; /* not 0, so that a forgotten time is noticed */
    sim_streams_init(&sim->streams, config, config->seed);
    sim->zombies = sim_zombies_new(config);
    if (!sim->zombies || !init_limits(sim) || !init_links(sim)) {
        sim_close(&sim->io);
        return NULL;
    }
    return &sim->io;
}
