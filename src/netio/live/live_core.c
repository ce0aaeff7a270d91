#include "netio/live/live_core.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "netio/clock.h"
#include "netio/live/frame.h"
#include "netio/live/softnet.h"
#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/tcp.h"

#define LOSS_CHECK_NS  (50 * MSEC)
#define NO_BUFFER_NS   (200 * USEC) /* what no event ends is tried again after this */
#define READ_MAX       65536        /* packets that one turn reads at most, so that a flood cannot hold it */
#define WATCH_NS       (1 * MSEC)   /* how often to ask whether routes changed */
#define CARRIER_LAG_NS (1 * SEC)    /* the kernel may tell of a lost carrier so late (its linkwatch) */
#define OUTAGE_MAX_NS  (60 * SEC)   /* a way that does not come back for so long is given up */
#define CLOCK_TRUST_NS (1 * SEC)    /* a packet's own time may differ from ours by so much */
#define STREAM_NS      (1 * MSEC)   /* answers less than this apart are a stream, */
#define STREAM_LOOK_NS (200 * USEC) /* at which we look so often */

static struct live *live_of(struct netio *io)
{
    return (struct live *)io;
}

int live_open(struct live *live, struct sockets *sockets, const struct route_table *routes,
              const struct netio_live_options *options, struct error *err)
{
    struct filter_options wanted = {
        .first_port = options->source_port,
        .port_count = options->source_port_count,
        .all_protocols = options->all_protocols,
    };
    struct filter filter;
    filter_make(&wanted, &filter);
    /* Answers from this machine come over the loopback link, so one interface alone cannot be listened to. */
    int result = capture_open(&live->capture, sockets->capture, &filter, options->probe_count, err);
    if (result < 0)
        return result;
    result = way_watch_open(&live->ways, routes, err);
    if (result < 0) {
        capture_close(&live->capture);
        return result;
    }
    live->routes = routes;
    live->pool = options->pool;
    live->ttl = options->ttl;
    live->sockets = *sockets;
    *sockets = (struct sockets)SOCKETS_CLOSED;
    if (!live->answers.ring)
        live->answers.fd = live->answers.link_fd = -1;
    live->softnet_dropped = softnet_dropped(live->sockets.softnet);
    live->loss_checked_ns = clock_monotonic_ns();
    batch_init(&live->batch, &live->sockets);
    return 0;
}

void live_close(struct live *live)
{
    answers_close(&live->answers);
    capture_close(&live->capture);
    way_watch_close(&live->ways);
    sockets_close(&live->sockets);
}

int64_t live_now(struct netio *io)
{
    (void)io;
    return clock_monotonic_ns();
}

struct addr live_source(struct netio *io, const struct addr *dst)
{
    struct route route;
    route_find(live_of(io)->routes, dst, &route);
    return route.source;
}

/* Tell the engine when our side lost packets, so that it does not take them for silence. */
static void check_losses(struct live *live, int64_t now_ns)
{
    if (now_ns - live->loss_checked_ns < LOSS_CHECK_NS)
        return;
    uint64_t softnet = softnet_dropped(live->sockets.softnet);
    uint64_t lost = capture_take_drops(&live->capture) + (softnet - live->softnet_dropped);
    live->io.stats.ring_drops += lost;
    if (lost)
        live->io.events->dropped(live->io.context, live->loss_checked_ns, now_ns, lost);
    live->softnet_dropped = softnet;
    live->loss_checked_ns = now_ns;
}

/* A link-local address means something together with its link only (RFC 4007). */
static void set_scope(const struct live *live, struct addr *addr, uint32_t link)
{
    if (addr_is_link_local(addr))
        addr->scope = route_zone(live->routes, addr, link);
}

static void set_scopes(const struct live *live, struct packet *packet, uint32_t link)
{
    set_scope(live, &packet->src, link);
    set_scope(live, &packet->dst, link);
    if (packet->has_quote) {
        set_scope(live, &packet->quote.src, link);
        set_scope(live, &packet->quote.dst, link);
    }
    if (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor)
        set_scope(live, &packet->icmp.neighbor_target, link);
}

/* Is the checksum of a TCP segment still to be filled in, as it is in what this machine sends itself? Then it
 * is the sum of the pseudo-header alone. */
static bool is_open(const struct captured *captured)
{
    struct packet packet;
    struct packet_reading how = {.checksums = false};
    if (packet_read_ip(captured->data, captured->len, how, &packet) != PACKET_OK || packet.layer != LAYER_TCP)
        return false;
    size_t header_len = captured->data[0] >> 4 == 4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    size_t total = captured->data[0] >> 4 == 4 ? get_be16(captured->data + 2)
                                               : get_be16(captured->data + 4) + (size_t)IPV6_HEADER_LEN;
    if (total < header_len + TCP_HEADER_LEN || captured->len < header_len + TCP_HEADER_LEN)
        return false;
    uint32_t sum = IP_PROTO_TCP + (uint32_t)(total - header_len);
    sum = checksum_add(sum, packet.src.bytes, addr_len(&packet.src));
    sum = checksum_add(sum, packet.dst.bytes, addr_len(&packet.dst));
    return (get_be16(captured->data + header_len + 16) ^ checksum_finish(sum)) == UINT16_MAX;
}

static enum packet_fault decode(const struct live *live, const struct captured *captured, struct packet *ret)
{
    if (captured->ethertype == ETHERTYPE_ARP_PACKET) {
        struct reader in = reader_over(captured->data, captured->len);
        *ret = (struct packet){.layer = LAYER_ARP};
        if (!arp_read(&in, &ret->arp))
            return PACKET_BAD_HEADER;
        ret->src = ret->arp.sender;
        ret->dst = ret->arp.target;
    } else {
        struct packet_reading how = {.checksums = !captured->checksums_open};
        enum packet_fault fault = packet_read_ip(captured->data, captured->len, how, ret);
        if (fault == PACKET_BAD_CHECKSUM && captured->checksums_unknown && is_open(captured))
            fault = packet_read_ip(captured->data, captured->len, (struct packet_reading){0}, ret);
        if (fault != PACKET_OK)
            return fault;
    }
    memcpy(ret->source_mac, captured->source_mac, sizeof ret->source_mac);
    set_scopes(live, ret, captured->link);
    return PACKET_OK;
}

/* Is it to an address of ours? On the loopback link everything is, and ARP replies are for who asked. */
static bool is_for_us(struct live *live, const struct packet *packet, uint32_t link_index)
{
    const struct link *link = route_link(live->routes, link_index);
    if (packet->layer == LAYER_ARP || (link && link->kind == LINK_LOOPBACK) ||
        addr_equal(&packet->dst, &live->last_own))
        return true;
    bool own = route_is_local(live->routes, &packet->dst) ||
               (live->pool && source_pool_find(live->pool, &packet->dst));
    if (own)
        live->last_own = packet->dst;
    return own;
}

void live_take(void *context, const struct captured *captured, int64_t time_ns)
{
    struct live *live = context;
    struct packet packet;
    struct netio *io = &live->io;
    io->stats.packets_received++;
    io->stats.bytes_received += captured->wire_len;
    enum packet_fault fault = decode(live, captured, &packet);
    if (fault != PACKET_OK) {
        io->stats.faults[fault]++;
        return;
    }
    if (!is_for_us(live, &packet, captured->link))
        return;
    live->heard_ns = time_ns;
    if (!live->ops->hear || live->ops->hear(live, &packet, captured->link, time_ns))
        io->events->packet(io->context, time_ns, &packet);
}

bool live_read(struct live *live)
{
    /* In this order a pause between the two makes packets look later, never earlier than their probes. */
    int64_t realtime_ns = clock_ns(CLOCK_REALTIME);
    int64_t now_ns = clock_monotonic_ns();
    bool heard = false;
    struct captured captured;
    for (unsigned i = 0; i < READ_MAX && capture_next(&live->capture, &captured); i++) {
        if (captured.other_vlan || !route_link_in_use(live->routes, captured.link))
            continue;
        int64_t time_ns = captured.realtime_ns - realtime_ns + now_ns;
        if (time_ns < now_ns - CLOCK_TRUST_NS || time_ns > now_ns + CLOCK_TRUST_NS)
            time_ns = now_ns; /* somebody set the clock */
        live_take(live, &captured, time_ns);
        heard = true;
    }
    heard |= answers_read(&live->answers) > 0;
    check_losses(live, now_ns);
    return heard;
}

static void tell(struct live *live, enum way_news news, int64_t now_ns)
{
    static const enum disturbance kinds[] = {
        [WAY_GONE] = DISTURBANCE_GONE,
        [WAY_BACK] = DISTURBANCE_BACK,
        [WAY_SOURCE] = DISTURBANCE_SOURCE,
        [WAY_REROUTED] = DISTURBANCE_REROUTED,
    };
    int64_t from_ns = news == WAY_BACK ? live->gone_ns : now_ns;
    if (news == WAY_GONE) {
        from_ns -= CARRIER_LAG_NS;
        from_ns = live->heard_ns > from_ns ? live->heard_ns : from_ns;
    }
    live->gone_ns = news == WAY_GONE ? from_ns : news == WAY_BACK ? 0 : live->gone_ns;
    if (live->io.events->disturbed)
        live->io.events->disturbed(live->io.context, kinds[news], from_ns, now_ns);
}

/* Follow changes of the routes. Packets that wait to leave were made for the ways before. */
static void watch_ways(struct live *live, struct order *order, int64_t now_ns)
{
    if (now_ns - live->watched_ns < WATCH_NS)
        return;
    live->watched_ns = now_ns;
    enum way_news news = way_watch_look(&live->ways, now_ns);
    if (live->routes == live->ways.routes)
        return;
    live->routes = live->ways.routes;
    live->last_own = (struct addr){.family = ADDR_NONE};
    if (live->ops->rerouted)
        live->ops->rerouted(live);
    if (news == WAY_SAME)
        return;
    if (order)
        batch_take_back(&live->batch, order);
    tell(live, news, now_ns);
}

void live_find_way(struct live *live, const struct addr *dst, struct route *ret)
{
    route_find(live->routes, dst, ret);
    if (ret->kind != ROUTE_NONE)
        way_watch_note(&live->ways, dst);
}

enum stage live_refuse(const struct live *live, int error, int64_t now_ns, int *ret_error)
{
    if (live->gone_ns && now_ns - live->gone_ns < OUTAGE_MAX_NS)
        return STAGE_WAIT;
    *ret_error = error;
    return STAGE_UNSENT;
}

enum progress {
    PROGRESS_IDLE, /* no order */
    PROGRESS_DONE,
    PROGRESS_MORE,
    PROGRESS_BLOCKED /* no room at the socket, or waiting for a neighbour */
};

static enum stage stage_one(struct live *live, const struct staging *at)
{
    int error = 0;
    if (live->ops->quick && order_is_plain(at->order) && live->ops->quick(live, at))
        return STAGE_KEPT;
    struct probe probe = order_probe(at->order, &at->place, at->now_ns);
    enum stage stage = live->ops->stage(live, at, &probe, &error);
    if (stage == STAGE_UNSENT)
        live->io.events->unsent(live->io.context, at->order, &probe, error);
    return stage;
}

/* Fill the batch from the order. */
static enum stage stage_some(struct live *live, struct order *order, int64_t now_ns)
{
    struct order_place places[BATCH_MAX];
    struct staging at = {.order = order, .now_ns = now_ns};
    unsigned count = order_take(order, places, BATCH_MAX - live->batch.used);
    if (live->ops->begin && order_is_plain(order))
        live->ops->begin(live, order, places, count, now_ns);
    for (unsigned i = 0; i < count; i++) {
        at.place = places[i];
        enum stage stage = stage_one(live, &at);
        if (stage > STAGE_UNSENT) {
            order_put_back(order, places[i].position, count - i);
            return stage;
        }
    }
    return STAGE_KEPT;
}

/* Fill the batch from the order and send it. */
static enum progress send_some(struct live *live, struct order *order, int64_t now_ns)
{
    struct batch *batch = &live->batch;
    if (!batch_flush(batch, &live->io, order, now_ns))
        return PROGRESS_BLOCKED;
    if (!order)
        return PROGRESS_IDLE;
    enum stage stage = stage_some(live, order, now_ns);
    if (!batch_flush(batch, &live->io, order, now_ns) || stage == STAGE_WAIT)
        return PROGRESS_BLOCKED;
    return order->limit && order->next < order->end ? PROGRESS_MORE : PROGRESS_DONE;
}

void live_wait(struct live *live, int64_t now_ns, int64_t until_ns)
{
    const struct batch *batch = &live->batch;
    /* While answers come one after the other, being woken by each would cost more than they do. */
    bool stream = live->answers.fd >= 0 && now_ns - live->heard_ns < STREAM_NS;
    struct pollfd fds[4] = {
        {.fd = live->capture.fd, .events = POLLIN},
        {.fd = stream ? -1 : live->answers.fd, .events = POLLIN},
        {.fd = batch->blocked == EAGAIN ? batch->fds[batch->lane] : -1, .events = POLLOUT},
        {.fd = netlink_watch_fd(live->ways.netlink), .events = POLLIN},
    };
    if (batch->blocked && batch->blocked != EAGAIN && until_ns > now_ns + NO_BUFFER_NS)
        until_ns = now_ns + NO_BUFFER_NS;
    if (live->ways.stale && until_ns > live->ways.next_look_ns)
        until_ns = live->ways.next_look_ns > now_ns ? live->ways.next_look_ns : now_ns + WATCH_NS;
    if (stream && until_ns > now_ns + STREAM_LOOK_NS)
        until_ns = now_ns + STREAM_LOOK_NS;
    int64_t wait_ns = until_ns - now_ns;
    struct timespec timeout = {.tv_sec = wait_ns / SEC, .tv_nsec = wait_ns % SEC};
    answers_wait(&live->answers, !stream);
    ppoll(fds, 4, until_ns == TIME_NEVER ? NULL : &timeout, NULL);
    answers_wait(&live->answers, false);
}

void live_attend(struct live *live, struct order *order, int64_t now_ns)
{
    watch_ways(live, order, now_ns);
    if (live->ops->tick)
        live->ops->tick(live, now_ns);
}

void live_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct live *live = live_of(io);
    for (;;) {
        int64_t now_ns = clock_monotonic_ns();
        live_attend(live, order, now_ns);
        enum progress progress = send_some(live, order, now_ns);
        bool heard = live_read(live);
        if (progress == PROGRESS_MORE)
            continue;
        if (progress == PROGRESS_DONE || (!order && heard))
            return;
        now_ns = clock_monotonic_ns();
        if (now_ns >= until_ns) {
            if (order)
                batch_take_back(&live->batch, order);
            return;
        }
        int64_t due_ns = live->ops->due ? live->ops->due(live) : TIME_NEVER;
        if (!heard && due_ns > now_ns)
            live_wait(live, now_ns, due_ns < until_ns ? due_ns : until_ns);
    }
}

static bool write_raw4(struct live *live, const struct probe *probe, struct batch_slot *slot)
{
    slot->name.in = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&slot->name.in.sin_addr, probe->dst.bytes, 4);
    slot->len = (uint32_t)probe_packet_write(probe, live->ttl, frame_ip_id(probe->number), slot->data,
                                             sizeof slot->data);
    return slot->len > 0;
}

static bool write_raw6(struct live *live, const struct probe *probe, struct batch_slot *slot)
{
    slot->name.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = probe->dst.scope};
    memcpy(&slot->name.in6.sin6_addr, probe->dst.bytes, 16);
    slot->len = (uint32_t)probe_packet_write(probe, live->ttl, 0, slot->data, sizeof slot->data);
    return slot->len > 0;
}

enum stage live_keep_raw(struct live *live, const struct staging *at, struct probe *probe,
                         const struct route *route, int *ret_error)
{
    bool v4 = probe->dst.family == ADDR_V4;
    struct batch_slot *slot = batch_slot(&live->batch, v4 ? LANE_RAW4 : LANE_RAW6, 0);
    if (!slot)
        return STAGE_FULL;
    if (probe->src.family == ADDR_NONE)
        probe->src = route->source;
    if (!(v4 ? write_raw4(live, probe, slot) : write_raw6(live, probe, slot))) {
        *ret_error = EMSGSIZE;
        return STAGE_UNSENT;
    }
    batch_keep_probe(&live->batch, slot, &at->place);
    return STAGE_KEPT;
}

int live_bind_raw(const struct sockets *sockets, const char *interface, struct error *err)
{
    const int fds[] = {sockets->raw4, sockets->raw6};
    for (size_t i = 0; interface[0] && i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0 &&
            setsockopt(fds[i], SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0)
            return error_set(err, EX_OSERR, "cannot send through interface '%s': %s", interface,
                             strerror(errno));
    }
    return 0;
}
