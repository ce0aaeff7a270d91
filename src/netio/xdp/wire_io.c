/* The xdp and kernel backends: the packet backend, with its answers proved by a program at the interface, and
 * with a faster way out for frames: an AF_XDP socket, or a program that makes them inside the kernel. What
 * these cannot do (other links, other techniques than TCP's, hosts without a known station, slow scans) goes
 * through the packet socket as ever, so all that the engine sees is the same. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netio/clock.h"
#include "netio/live/packet_io.h"
#include "netio/xdp/link_count.h"
#include "packet/checksum.h"
#include "technique/tcp_probe.h"

#define SLICE_NS  (40 * MSEC)
#define AIM_NS    SEC          /* a block's stations are looked up again after this */
#define NO_AIM_NS (20 * MSEC)  /* and after this when one was not known yet */
#define LOOK_NS   (500 * USEC) /* at answers, while the transmitter sends */
#define GRACE_NS  (200 * MSEC) /* beyond what its rate says, and an order is taken back */
#define BURST_NS  (4 * MSEC)   /* of a rate may go through the packet socket at once */

/* The first frames that leave the faster way, how many of them say something, and how long they may take to
 * be counted. */
#define TRIAL_FRAMES     1024u
#define TRIAL_FRAMES_MIN 16u
#define TRIAL_WAIT_NS    (500 * MSEC) /* once a scan, and only where none is counted */

/* A second. What is slower goes through the packet socket in short bursts, after each of which the engine
 * decides anew; a whole order at once it hears of only later. */
#define RATE_MIN 150e3

static struct packet_io *packet_of(struct netio *io)
{
    return (struct packet_io *)io;
}

/* The one interface that programs are attached to. */
static const struct link *find_link(const struct route_table *routes, struct error *err)
{
    const struct link *found = NULL;
    for (size_t i = 0; i < routes->link_count; i++) {
        const struct link *link = &routes->links[i];
        if (link->kind != LINK_ETHERNET || !link->up || link->enslaved ||
            (routes->interface && link->index != routes->interface))
            continue;
        if (found) {
            error_set(err, EX_UNAVAILABLE, "there are several interfaces: say with -e which one");
            return NULL;
        }
        found = link;
    }
    if (!found)
        error_set(err, EX_UNAVAILABLE, "there is no Ethernet interface that is up");
    return found;
}

static void add_address(struct wire_config *config, const struct addr *addr)
{
    if (config->address_count == WIRE_ADDRESSES_MAX || addr->family == ADDR_NONE)
        return;
    struct wire_address *address = &config->addresses[config->address_count++];
    address->family = addr->family;
    memcpy(address->bytes, addr->bytes, sizeof address->bytes);
}

/* Answers to an address that has no room here pass, and come through the packet socket. Without a key none is
 * taken. */
static struct wire_config make_config(const struct route_table *routes)
{
    struct wire_config config = {.address_count = 0};
    add_address(&config, &routes->options.source);
    for (size_t i = 0; i < routes->address_count; i++)
        add_address(&config, &routes->addresses[i].addr);
    return config;
}

static void take_answer(void *context, const struct captured *captured, int64_t time_ns)
{
    struct packet_io *packet = context;
    trial_hear(&packet->trial, packet->live.answers.sent_ns, time_ns);
    live_take(&packet->live, captured, time_ns);
}

static int open_answers(struct live *live, const struct wire *wire, const struct route_table *routes,
                        const struct link *link, struct error *err)
{
    struct wire_config config = make_config(routes);
    int result = answers_open(&live->answers, wire, link, &config, err);
    if (result < 0)
        return result;
    live->answers.take = take_answer;
    live->answers.context = live;
    return 0;
}

/* What the program at the interface proves answers by. */
static void set_proof(struct packet_io *packet, const struct order *order)
{
    struct wire_config *config = packet->live.answers.config;
    if (order && order->key && config->key.port_count == 0)
        config->key = *order->key;
    if (order && !order->list)
        config->segment_len = tcp_probe_segment_len(order->block->specs[0].technique);
}

/* What is the same in all probes to a host without a scope. */
static struct wire_host make_host(const struct token_key *key, const struct addr *dst,
                                  const uint8_t mac[static 6])
{
    uint64_t words[2];
    memcpy(words, dst->bytes, sizeof words);
    uint32_t sum = checksum_add(0, dst->bytes, addr_len(dst));
    struct wire_host host = {.usable = 1,
                             .hashed = sip_two_of_three(&key->secret, words[0], words[1]),
                             .dst_sum = (sum >> 16) + (sum & UINT16_MAX)};
    memcpy(host.dst, dst->bytes, sizeof host.dst);
    memcpy(host.mac, mac, sizeof host.mac);
    return host;
}

/* One host of the block into the map. False: it cannot be sent to in the same way as the first. */
static bool aim_at(struct packet_io *packet, const struct order *order, uint32_t slot, int64_t now_ns,
                   struct route *first)
{
    struct addr dst = block_host(order->block, slot);
    struct route route;
    uint8_t mac[6];
    live_find_way(&packet->live, &dst, &route);
    if ((route.kind != ROUTE_GATEWAY && route.kind != ROUTE_LINK) || dst.scope ||
        packet_station(packet, &route, now_ns, mac) != NEIGHBOR_KNOWN)
        return false;
    if (slot == 0)
        *first = route;
    if (route.link != first->link || !addr_equal(&route.source, &first->source))
        return false;
    packet->transmitter.hosts[slot] = make_host(order->key, &dst, mac);
    return true;
}

static bool aim_at_all(struct packet_io *packet, const struct order *order, int64_t now_ns)
{
    const struct block *block = order->block;
    struct route first = {.kind = ROUTE_NONE};
    if (block->host_count > WIRE_HOSTS_MAX || block->spec_count > WIRE_SPECS_MAX ||
        block_probe_count(block) > WIRE_PROBES_MAX)
        return false;
    for (uint32_t i = 1; i < block->spec_count; i++) {
        if (block->specs[i].technique != block->specs[0].technique)
            return false;
    }
    for (uint32_t slot = 0; slot < block->host_count; slot++) {
        if (!aim_at(packet, order, slot, now_ns, &first))
            return false;
    }
    const struct technique *technique = block->specs[0].technique;
    assert(first.link); /* a block has a host */
    return first.link->index == packet->live.answers.link && !technique->pings &&
           template_make(technique, &first.source, first.link, packet->live.ttl, &packet->aim.template);
}

/* Is this order one for the transmitter? */
static bool fits(struct packet_io *packet, const struct order *order, int64_t now_ns)
{
    struct aim *aim = &packet->aim;
    if (!order_is_plain(order) || order->bits || order->rate_pps < RATE_MIN ||
        packet->trial.verdict == TRIAL_FAILED || atomic_load(&packet->transmitter.error))
        return false;
    int64_t age_ns = now_ns - aim->since_ns;
    if (aim->since_ns && order->block->id == aim->block_id && age_ns < (aim->fits ? AIM_NS : NO_AIM_NS))
        return aim->fits;
    aim->fits = aim_at_all(packet, order, now_ns);
    aim->block_id = order->block->id;
    aim->since_ns = now_ns;
    return aim->fits;
}

static uint32_t transmit(struct packet_io *packet, struct order *order, int64_t until_ns)
{
    struct live *live = &packet->live;
    int64_t now_ns = clock_monotonic_ns();
    int64_t end_ns = now_ns + (int64_t)((double)order->limit / order->rate_pps * (double)SEC) + GRACE_NS;
    (void)until_ns; /* the order says how long it takes */
    transmitter_begin(&packet->transmitter, order, &packet->aim.template, now_ns);
    while (transmitter_is_busy(&packet->transmitter) && now_ns < end_ns) {
        live_wait(live, now_ns, now_ns + LOOK_NS);
        live_read(live);
        now_ns = clock_monotonic_ns();
    }
    uint32_t sent = transmitter_end(&packet->transmitter, order);
    live->io.stats.packets_sent += sent;
    live->io.stats.bytes_sent += (uint64_t)sent * packet->aim.template.len;
    return sent;
}

static uint32_t put(struct packet_io *packet, struct order *order, int64_t until_ns)
{
    struct batch *batch = &packet->live.batch;
    uint64_t before = packet->xsk.put_count;
    batch->xsk = &packet->xsk;
    live_work(&packet->live.io, order, until_ns);
    batch->xsk = NULL;
    return (uint32_t)(packet->xsk.put_count - before);
}

/* Has the interface counted half of these frames, or has somebody answered one? Waits a while for that. */
static bool wait_until_left(struct packet_io *packet, const char *link, uint64_t before, uint32_t sent)
{
    struct live *live = &packet->live;
    int64_t now_ns = clock_monotonic_ns();
    int64_t end_ns = now_ns + TRIAL_WAIT_NS;
    while (link_count_sent(packet->counters_fd, link) - before < sent / 2) {
        if (packet->trial.verdict == TRIAL_PASSED)
            return true;
        if (now_ns >= end_ns)
            return false;
        live_wait(live, now_ns, now_ns + LOOK_NS);
        live_read(live);
        now_ns = clock_monotonic_ns();
    }
    return true;
}

/* The first frames are watched: if the interface does not count them, the order stays as it was. */
static void try_out(struct packet_io *packet, struct order *order, int64_t until_ns)
{
    const struct link *link = route_link(packet->live.routes, packet->live.answers.link);
    char name[IFNAMSIZ] = ""; /* a copy: while we wait the routes may be read anew */
    if (link)
        snprintf(name, sizeof name, "%s", link->name);
    struct order few = *order;
    few.limit = few.limit < TRIAL_FRAMES ? few.limit : TRIAL_FRAMES;
    uint32_t limit = few.limit;
    uint64_t before = link_count_sent(packet->counters_fd, name);
    uint32_t sent = packet->send(packet, &few, until_ns);
    if (!wait_until_left(packet, name, before, sent)) {
        trial_fail(&packet->trial);
        return;
    }
    packet->trial.counted = sent >= TRIAL_FRAMES_MIN;
    order->next = few.next;
    order->limit -= limit - few.limit;
}

static void go_fast(struct packet_io *packet, struct order *order, int64_t until_ns)
{
    struct trial *trial = &packet->trial;
    trial_begin(trial, true, clock_monotonic_ns());
    if (trial->counted || trial->verdict == TRIAL_PASSED)
        packet->send(packet, order, until_ns);
    else
        try_out(packet, order, until_ns);
    trial_end(trial, clock_monotonic_ns());
}

/* Through the packet socket, so many at most. */
static void go_slowly(struct packet_io *packet, struct order *order, int64_t until_ns, double most)
{
    struct order some = *order;
    if (most < some.limit)
        some.limit = most < 1 ? 1 : (uint32_t)most;
    uint32_t before = some.limit;
    trial_begin(&packet->trial, false, clock_monotonic_ns());
    live_work(&packet->live.io, &some, until_ns);
    trial_end(&packet->trial, clock_monotonic_ns());
    order->next = some.next;
    order->limit -= before - some.limit;
}

/* What left since the trial began is to be asked again. */
static void tell_of_failure(struct packet_io *packet)
{
    struct live *live = &packet->live;
    if (packet->told || packet->trial.verdict != TRIAL_FAILED)
        return;
    packet->told = true;
    if (live->io.events->disturbed)
        live->io.events->disturbed(live->io.context, DISTURBANCE_SWALLOWED, packet->trial.begun_ns,
                                   clock_monotonic_ns());
}

/* What the program at the interface proves tells when it was asked; other answers do not. */
static bool is_told_from_answers(const struct order *order)
{
    return !order->list && order->block->specs[0].technique->protocol == PROTOCOL_TCP;
}

static void xdp_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct packet_io *packet = packet_of(io);
    set_proof(packet, order);
    if (!order)
        live_work(io, NULL, until_ns);
    else if (is_told_from_answers(order) ? trial_allows(&packet->trial, order->try_number)
                                         : packet->trial.verdict != TRIAL_FAILED)
        go_fast(packet, order, until_ns);
    else
        go_slowly(packet, order, until_ns, order->limit);
    tell_of_failure(packet);
}

static void kernel_work(struct netio *io, struct order *order, int64_t until_ns)
{
    struct packet_io *packet = packet_of(io);
    struct live *live = &packet->live;
    int64_t now_ns = clock_monotonic_ns();
    set_proof(packet, order);
    live_attend(live, NULL, now_ns);
    bool can = order && fits(packet, order, now_ns);
    if (can && trial_allows(&packet->trial, order->try_number)) {
        batch_flush(&live->batch, io, NULL, now_ns); /* questions: probes never wait there between orders */
        go_fast(packet, order, until_ns);
    } else if (can) {
        go_slowly(packet, order, until_ns, TRIAL_CONTROL);
    } else if (order) { /* no more at once than a short burst: the rate is for us to keep */
        go_slowly(packet, order, until_ns, order->rate_pps * (double)BURST_NS / (double)SEC);
    } else {
        live_work(io, NULL, until_ns);
    }
    tell_of_failure(packet);
}

/* What is not the packet backend's. */
static void close_wire(struct packet_io *packet)
{
    transmitter_close(&packet->transmitter);
    if (packet->counters_fd >= 0)
        close(packet->counters_fd);
    xsk_close(&packet->xsk);
}

static void wire_io_close(struct netio *io)
{
    close_wire(packet_of(io));
    packet_close(io);
}

static int open_way_out(struct packet_io *packet, const struct wire *wire, const struct link *link,
                        bool kernel, struct error *err)
{
    packet->counters_fd = open("/proc/net/dev", O_RDONLY | O_CLOEXEC);
    if (!kernel)
        return xsk_open(&packet->xsk, wire->fds[WIRE_SOCKET], link->index, err);
    return transmitter_open(&packet->transmitter, wire, err);
}

/* In zeroed memory. */
static int open_wire(struct packet_io *packet, const struct wire *wire, const struct route_table *routes,
                     bool kernel, struct error *err)
{
    packet->counters_fd = -1;
    const struct link *link = find_link(routes, err);
    if (!link)
        return -EX_UNAVAILABLE;
    int result = open_answers(&packet->live, wire, routes, link, err);
    return result < 0 ? result : open_way_out(packet, wire, link, kernel, err);
}

/* The interface comes first: whoever cannot have it can still open another backend with the same sockets. */
static int open_both(struct packet_io *packet, struct sockets *sockets, const struct route_table *routes,
                     const struct netio_live_options *options, bool kernel, struct error *err)
{
    int result = open_wire(packet, sockets->wire, routes, kernel, err);
    if (result == 0)
        result = packet_init(packet, sockets, routes, options, err);
    if (result < 0) {
        close_wire(packet);
        answers_close(&packet->live.answers);
    }
    return result;
}

int wire_io_open(struct sockets *sockets, const struct route_table *routes,
                 const struct netio_live_options *options, bool kernel, struct netio **ret, struct error *err)
{
    static const struct netio_ops ops[] = {
        {.name = "xdp",
         .slice_ns = MSEC,
         .now = live_now,
         .reach = packet_reach,
         .source = live_source,
         .work = xdp_work,
         .can = packet_can,
         .close = wire_io_close},
        {.name = "kernel",
         .slice_ns = SLICE_NS,
         .paces = true,
         .now = live_now,
         .reach = packet_reach,
         .source = live_source,
         .work = kernel_work,
         .can = packet_can,
         .close = wire_io_close},
    };
    if (!sockets->wire)
        return error_set(err, EX_NOPERM, "the backend '%s' cannot be used: %s", ops[kernel].name,
                         sockets->why_no_wire.text[0] ? sockets->why_no_wire.text : "it was not set up");
    struct packet_io *packet = calloc(1, sizeof *packet);
    if (!packet)
        return error_set(err, EX_OSERR, "no memory for the backend '%s'", ops[kernel].name);
    int result = open_both(packet, sockets, routes, options, kernel, err);
    if (result < 0) {
        free(packet);
        return result;
    }
    packet->live.io.ops = &ops[kernel];
    packet->send = kernel ? transmit : put;
    *ret = &packet->live.io;
    return 0;
}
