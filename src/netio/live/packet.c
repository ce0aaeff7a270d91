/* The packet backend: whole Ethernet frames through AF_PACKET, in batches. Gateways are found by ARP and ND
 * here; neighbours that are targets are asked for by REQUEST_NEIGHBOR probes. What has no Ethernet in its way
 * (this machine itself, tun, ppp) goes through the raw sockets in the same stream of batches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netio/clock.h"
#include "netio/live/frame.h"
#include "netio/live/packet_io.h"

static struct packet_io *packet_of(struct live *live)
{
    return (struct packet_io *)live;
}

enum reach packet_reach(struct netio *io, const struct addr *dst)
{
    struct route route;
    live_find_way((struct live *)io, dst, &route);
    switch ((enum route_kind)route.kind) {
    case ROUTE_NONE:
        return REACH_NONE;
    case ROUTE_LOCAL:
        return REACH_LOCAL;
    case ROUTE_LINK:
        return REACH_LINK;
    case ROUTE_GATEWAY:
    case ROUTE_GROUP:
    case ROUTE_PLAIN:
        break;
    }
    return REACH_ROUTED;
}

bool packet_can(const struct netio *io, enum request_kind kind)
{
    (void)io;
    return kind == REQUEST_PACKET || kind == REQUEST_NEIGHBOR;
}

static enum stage refuse(int error, int *ret_error)
{
    *ret_error = error;
    return STAGE_UNSENT;
}

/* A probe to this station. */
static enum stage keep_frame(struct live *live, const struct staging *at, struct probe *probe,
                             const struct route *route, const uint8_t mac[static 6], int *ret_error)
{
    struct batch_slot *slot = batch_slot(&live->batch, LANE_FRAMES, route->link->index);
    if (!slot)
        return STAGE_FULL;
    if (probe->src.family == ADDR_NONE)
        probe->src = route->source;
    if (!frame_write_probe(slot, route->link, mac, probe, live->ttl))
        return refuse(EMSGSIZE, ret_error);
    batch_keep_probe(&live->batch, slot, &at->place);
    if (order_is_plain(at->order))
        known_add(&packet_of(live)->known, at->order, probe, route, mac);
    return STAGE_KEPT;
}

/* A probe that is itself the question for its destination's station. */
static enum stage keep_question(struct live *live, const struct staging *at, struct probe *probe,
                                const struct route *route)
{
    struct resolver *resolver = &packet_of(live)->resolver;
    struct batch_slot *slot = batch_slot(&live->batch, LANE_FRAMES, route->link->index);
    if (!slot)
        return STAGE_FULL;
    probe->src = resolver_source(resolver, route, &route->next_hop);
    neighbor_ask(resolver->neighbors, route->link->index, &route->next_hop, at->now_ns);
    frame_write_question(slot, route->link, &probe->src, &route->next_hop);
    batch_keep_probe(&live->batch, slot, &at->place);
    return STAGE_KEPT;
}

enum neighbor_state packet_station(struct packet_io *packet, const struct route *route, int64_t now_ns,
                                   uint8_t ret_mac[static 6])
{
    if (route->kind == ROUTE_GROUP) {
        frame_group_mac(&route->next_hop, ret_mac);
        return NEIGHBOR_KNOWN;
    }
    return resolver_next_hop(&packet->resolver, route, now_ns, ret_mac);
}

static enum stage packet_stage(struct live *live, const struct staging *at, struct probe *probe,
                               int *ret_error)
{
    struct route route;
    uint8_t mac[6];
    live_find_way(live, &probe->dst, &route);
    if (route.kind == ROUTE_NONE)
        return live_refuse(live, route.error, at->now_ns, ret_error);
    if (probe->technique->kind == REQUEST_NEIGHBOR) {
        if (route.kind == ROUTE_LINK)
            return keep_question(live, at, probe, &route);
        return refuse(EHOSTUNREACH, ret_error);
    }
    if (route.kind == ROUTE_LOCAL || route.kind == ROUTE_PLAIN)
        return live_keep_raw(live, at, probe, &route, ret_error);

    enum neighbor_state state = packet_station(packet_of(live), &route, at->now_ns, mac);
    if (state == NEIGHBOR_KNOWN)
        return keep_frame(live, at, probe, &route, mac, ret_error);
    return state == NEIGHBOR_ASKED ? STAGE_WAIT : refuse(EHOSTUNREACH, ret_error);
}

static void packet_begin(struct live *live, const struct order *order, const struct order_place *places,
                         unsigned count, int64_t now_ns)
{
    known_begin(&packet_of(live)->known, order, places, count, now_ns);
}

static bool packet_quick(struct live *live, const struct staging *at)
{
    struct batch *batch = &live->batch;
    struct batch_slot *slot = batch_slot(batch, LANE_FRAMES, batch->link);
    if (!slot)
        return false;
    const struct template *template =
        known_write(&packet_of(live)->known, at->order, at->place.bit, at->now_ns, slot->data);
    if (!template || template->link->index != batch->link)
        return false;
    slot->len = template->len;
    batch_keep_probe(batch, slot, &at->place);
    return true;
}

static void packet_tick(struct live *live, int64_t now_ns)
{
    resolver_tick(&packet_of(live)->resolver, &live->batch, now_ns);
}

static int64_t packet_due(const struct live *live)
{
    return resolver_due_ns(&((const struct packet_io *)live)->resolver);
}

/* Who answers for an address is stored when we asked, and is news for the engine only then. */
static bool packet_hear(struct live *live, struct packet *packet, uint32_t link, int64_t time_ns)
{
    struct neighbor_table *neighbors = packet_of(live)->resolver.neighbors;
    if (packet->layer == LAYER_ARP)
        return packet->arp.operation == ARP_REPLY &&
               neighbor_answer(neighbors, link, &packet->arp.sender, packet->arp.sender_mac, time_ns);
    if (packet->layer != LAYER_ICMP6 || packet->icmp.type != ICMP6_NEIGHBOR_ADVERTISEMENT)
        return true;
    if (!packet->icmp.is_neighbor || !packet->icmp.has_neighbor_mac || packet->ttl != FRAME_ND_HOP_LIMIT)
        return false;
    /* An advertisement may come from another address of the host: it speaks for the target. */
    packet->src = packet->icmp.neighbor_target;
    return neighbor_answer(neighbors, link, &packet->src, packet->icmp.neighbor_mac, time_ns);
}

static void packet_rerouted(struct live *live)
{
    resolver_follow(&packet_of(live)->resolver, live->routes);
    known_forget(&packet_of(live)->known);
    packet_of(live)->aim.since_ns = 0;
}

void packet_close(struct netio *io)
{
    struct packet_io *packet = (struct packet_io *)io;
    known_done(&packet->known);
    resolver_done(&packet->resolver);
    live_close(&packet->live);
    free(packet);
}

/* With an interface given whose packets the kernel routes, the raw sockets must keep to it. */
static int bind_raw(const struct sockets *sockets, const struct route_table *routes, struct error *err)
{
    const struct link *link = route_link(routes, routes->interface);
    bool plain = link && link->kind == LINK_PLAIN;
    return live_bind_raw(sockets, plain ? link->name : "", err);
}

int packet_init(struct packet_io *packet, struct sockets *sockets, const struct route_table *routes,
                const struct netio_live_options *options, struct error *err)
{
    static const struct live_ops live_ops = {
        .stage = packet_stage,
        .begin = packet_begin,
        .quick = packet_quick,
        .tick = packet_tick,
        .due = packet_due,
        .hear = packet_hear,
        .rerouted = packet_rerouted,
    };
    packet->live.ops = &live_ops;
    int result = bind_raw(sockets, routes, err);
    if (result == 0)
        result = resolver_init(&packet->resolver, routes, clock_monotonic_ns(), err);
    if (result == 0)
        result = known_init(&packet->known, options->ttl, err);
    if (result == 0)
        result = live_open(&packet->live, sockets, routes, options, err);
    if (result < 0) {
        known_done(&packet->known);
        resolver_done(&packet->resolver);
    }
    return result;
}

int packet_open(struct sockets *sockets, const struct route_table *routes,
                const struct netio_live_options *options, struct netio **ret, struct error *err)
{
    static const struct netio_ops ops = {
        .name = "packet",
        .slice_ns = MSEC,
        .now = live_now,
        .reach = packet_reach,
        .source = live_source,
        .work = live_work,
        .can = packet_can,
        .close = packet_close,
    };
    struct packet_io *packet = calloc(1, sizeof *packet);
    if (!packet)
        return error_set(err, EX_OSERR, "no memory for the packet backend");
    int result = packet_init(packet, sockets, routes, options, err);
    if (result < 0) {
        free(packet);
        return result;
    }
    packet->live.io.ops = &ops;
    *ret = &packet->live.io;
    return 0;
}
