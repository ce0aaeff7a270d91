#include "netio/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "netio/probe_packet.h"
#include "netio/sim_answer.h"

#define SEND_COST_NS (1 * USEC)
#define PROBE_TTL    64
#define SLICE_NS     (1 * MSEC)

/* Something that reaches us: a packet, or the end of a connect(). */
struct arrival {
    int64_t time_ns;
    uint64_t serial; /* of equal times the first scheduled comes first */
    bool is_connect;
    bool is_frame; /* an Ethernet frame (ARP, ND), not an IP packet */
    size_t len;
    uint8_t bytes[SIM_PACKET_MAX];
    struct connect_event connect;
};

struct sim {
    struct netio io;
    const struct sim_config *config;
    struct sim_limits *limits; /* owned: of each host entry */
    struct rand rand;
    int64_t now_ns;
    struct arrival **heap; /* owned, and what it points to; earliest on top */
    size_t heap_len, heap_capacity;
    uint64_t serial;
    uint64_t refused; /* probes that did not leave, so far */
    uint64_t deaf_count;
};

static struct sim *sim_of(struct netio *io)
{
    return (struct sim *)io; /* io is the first member */
}

static bool earlier(const struct arrival *a, const struct arrival *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->serial < b->serial;
}

static void heap_push(struct sim *sim, struct arrival *arrival)
{
    if (sim->heap_len == sim->heap_capacity) {
        size_t capacity = sim->heap_capacity ? 2 * sim->heap_capacity : 1024;
        struct arrival **heap = reallocarray(sim->heap, capacity, sizeof *heap);
        if (!heap) {
            free(arrival);
            return; /* lost, as packets may be */
        }
        sim->heap = heap;
        sim->heap_capacity = capacity;
    }
    size_t i = sim->heap_len++;
    for (; i > 0 && earlier(arrival, sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
        sim->heap[i] = sim->heap[(i - 1) / 2];
    sim->heap[i] = arrival;
}

static struct arrival *heap_pop(struct sim *sim)
{
    struct arrival *top = sim->heap[0];
    struct arrival *last = sim->heap[--sim->heap_len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < sim->heap_len; i = child) {
        if (child + 1 < sim->heap_len && earlier(sim->heap[child + 1], sim->heap[child]))
            child++;
        if (!earlier(sim->heap[child], last))
            break;
        sim->heap[i] = sim->heap[child];
    }
    if (sim->heap_len)
        sim->heap[i] = last;
    return top;
}

static bool chance(struct sim *sim, double probability)
{
    return probability > 0 && rand_unit(&sim->rand) < probability;
}

static void schedule(struct sim *sim, const struct arrival *what, int64_t time_ns)
{
    struct arrival *arrival = malloc(sizeof *arrival);
    if (!arrival)
        return;
    *arrival = *what;
    arrival->time_ns = time_ns;
    arrival->serial = sim->serial++;
    heap_push(sim, arrival);
}

static const struct sim_host *host_of(const struct sim *sim, const struct addr *addr)
{
    for (size_t i = 0; i < sim->config->host_count; i++) {
        const struct sim_host *host = &sim->config->hosts[i];
        if (addr_compare(addr, &host->first) >= 0 && addr_compare(addr, &host->last) <= 0)
            return host;
    }
    return NULL;
}

static int64_t round_trip_ns(struct sim *sim, const struct sim_host *host)
{
    int64_t jitter_ns = host->jitter_ns ? (int64_t)rand_below(&sim->rand, (uint64_t)host->jitter_ns + 1) : 0;
    return host->rtt_ns + jitter_ns;
}

/* An answer on its way back: may be lost, late, or double. */
static void answer_returns(struct sim *sim, const struct sim_host *host, const struct arrival *answer)
{
    if (chance(sim, host->loss_back))
        return;
    schedule(sim, answer, sim->now_ns + round_trip_ns(sim, host));
    if (chance(sim, host->duplicate))
        schedule(sim, answer, sim->now_ns + round_trip_ns(sim, host));
}

static void send_packet(struct sim *sim, const struct sim_host *host, const struct probe *probe)
{
    uint8_t bytes[PROBE_PACKET_MAX];
    size_t len = probe_packet_write(probe, PROBE_TTL, (uint16_t)probe->number, bytes, sizeof bytes);
    sim->io.stats.bytes_sent += len;
    if (!host)
        return;
    struct sim_question question = {
        .config = sim->config,
        .host = host,
        .limits = &sim->limits[host - sim->config->hosts],
        .probe = bytes,
        .probe_len = len,
        .try_number = probe->try_number,
        .now_ns = sim->now_ns + host->rtt_ns / 2,
    };
    struct arrival answer = {0};
    for (unsigned i = 0; i < sim->config->forgeries_per_probe; i++) {
        answer.len = sim_forgery(&question, rand_next(&sim->rand), answer.bytes);
        if (answer.len)
            schedule(sim, &answer, sim->now_ns + round_trip_ns(sim, host) / 2);
    }
    if (chance(sim, host->loss_out))
        return;
    answer.len = sim_answer(&question, answer.bytes);
    if (answer.len)
        answer_returns(sim, host, &answer);
}

/* ARP, or neighbour advertisement: the host says who it is. */
static void send_neighbor(struct sim *sim, const struct sim_host *host, const struct probe *probe)
{
    static const uint8_t host_mac[6] = {0x02, 0, 0x5e, 0, 0x53, 1}, our_mac[6] = {0x02, 0, 0x5e, 0, 0x53, 2};
    if (!host || !host->on_link || host->down || chance(sim, host->loss_out))
        return;
    struct arrival answer = {.is_frame = true};
    struct writer out = writer_over(answer.bytes, sizeof answer.bytes);
    struct ethernet_header ethernet = {.ethertype = ETHERTYPE_ARP_PACKET};
    memcpy(ethernet.source, host_mac, 6);
    memcpy(ethernet.destination, our_mac, 6);
    if (probe->dst.family == ADDR_V4) {
        struct arp_packet arp = {
            .operation = ARP_REPLY, .sender = probe->dst, .target = sim->config->source4};
        memcpy(arp.sender_mac, host_mac, 6);
        memcpy(arp.target_mac, our_mac, 6);
        ethernet_write(&out, &ethernet);
        arp_write(&out, &arp);
    } else {
        uint8_t advertisement[24] = {0};
        memcpy(advertisement, probe->dst.bytes, 16);
        advertisement[16] = 2; /* target link-layer address, RFC 4861 section 4.6.1 */
        advertisement[17] = 1;
        memcpy(advertisement + 18, host_mac, 6);
        ethernet.ethertype = ETHERTYPE_IPV6_PACKET;
        ethernet_write(&out, &ethernet);
        struct ip_header ip = {
            .src = probe->dst, .dst = sim->config->source6, .proto = IP_PROTO_ICMPV6, .ttl = 255};
        ip_write(&out, &ip, ICMP_HEADER_LEN + sizeof advertisement);
        struct icmp_header header = {.type = ICMP6_NEIGHBOR_ADVERTISEMENT, .rest = UINT32_C(0x60000000)};
        icmp_write(&out, &probe->dst, &sim->config->source6, &header, advertisement, sizeof advertisement);
    }
    answer.len = writer_len(&out);
    if (out.ok)
        answer_returns(sim, host, &answer);
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
    case SIM_SERVICE:
    case SIM_NEW_PORT:
    case SIM_OTHER_ADDRESS:
        break;
    }
    return false;
}

static void send_connect(struct sim *sim, const struct sim_host *host, const struct probe *probe,
                         uint32_t block_id)
{
    struct arrival answer = {.is_connect = true};
    answer.connect =
        (struct connect_event){.block_id = block_id, .bit = probe->bit, .try_number = probe->try_number};
    if (!host || host->down || chance(sim, host->loss_out) ||
        !connect_ends(sim, host, probe, &answer.connect))
        return;
    answer.connect.rtt_ns = host->rtt_ns;
    answer_returns(sim, host, &answer);
}

static struct addr sim_source(struct netio *io, const struct addr *dst)
{
    const struct sim_config *config = sim_of(io)->config;
    return dst->family == ADDR_V4 ? config->source4 : config->source6;
}

static void send_probe(struct sim *sim, const struct order *order, struct probe *probe)
{
    const struct sim_host *host = host_of(sim, &probe->dst);
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

static void deliver(struct sim *sim, const struct arrival *arrival)
{
    struct packet_reading strict = {.checksums = true};
    struct packet packet;
    if (is_deaf(sim, arrival->time_ns))
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

static void deliver_due(struct sim *sim)
{
    while (sim->heap_len && sim->heap[0]->time_ns <= sim->now_ns) {
        struct arrival *arrival = heap_pop(sim);
        deliver(sim, arrival);
        free(arrival);
    }
}

static void sim_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct sim *sim = sim_of(io);
    struct probe probe;
    if (!order) {
        int64_t next_ns = sim->heap_len ? sim->heap[0]->time_ns : until_ns;
        if (next_ns > until_ns)
            next_ns = until_ns;
        if (next_ns > sim->now_ns)
            sim->now_ns = next_ns;
    }
    while (order && order_next(order, sim->now_ns, &probe)) {
        send_probe(sim, order, &probe);
        deliver_due(sim);
    }
    deliver_due(sim);
}

static int64_t sim_now(struct netio *io)
{
    return sim_of(io)->now_ns;
}

static enum reach sim_reach(struct netio *io, const struct addr *dst)
{
    const struct sim_host *host = host_of(sim_of(io), dst);
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
    while (sim->heap_len)
        free(heap_pop(sim));
    free(sim->heap);
    free(sim->limits);
    free(sim);
}

static const struct netio_ops sim_ops = {
    .name = "sim",
    .slice_ns = SLICE_NS,
    .now = sim_now,
    .reach = sim_reach,
    .source = sim_source,
    .work = sim_work,
    .can = sim_can,
    .close = sim_close,
};

struct netio *sim_new(const struct sim_config *config)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return NULL;
    sim->io.ops = &sim_ops;
    sim->config = config;
    sim->rand.state = config->seed;
    sim->now_ns = SEC; /* not 0, so that a forgotten time is noticed */
    sim->limits = calloc(config->host_count ? config->host_count : 1, sizeof *sim->limits);
    if (!sim->limits) {
        free(sim);
        return NULL;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        sim->limits[i].at_ns = sim->now_ns;
        sim->limits[i].rst_tokens = sim->limits[i].icmp_tokens =
            (double)config->hosts[i].limiter_burst - config->hosts[i].limiter_spent;
    }
    return &sim->io;
}
