#include "netio/netio_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bitset.h"
#include "netio/netns_lab.h"

#define PATIENCE_NS (20 * SEC) /* the machine may be slow; who waits for what does not come passes 0 */

static void count_answer(struct bench *bench, unsigned index)
{
    bench->answers[index]++;
    bench->answer_count++;
}

/* A RST or SYN/ACK acknowledges our number plus one. */
static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct bench *bench = context;
    uint8_t try_number;
    int64_t sent_ns;
    if (packet->layer == LAYER_ARP || (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor))
        bench->neighbor_answers++;
    if (packet->layer != LAYER_TCP || !(packet->tcp.flags & TCP_ACK))
        return;
    struct addr host = plan_host_at(&bench->plan, 0);
    struct token_subject subject =
        token_subject_of(bench->specs[0].technique, &host, packet->tcp.source_port);
    subject.source = bench->source;
    uint16_t index = (uint16_t)(packet->tcp.source_port - BENCH_FIRST_PORT);
    if (index >= BENCH_PROBES || !addr_equal(&packet->src, &host) ||
        !token_check(&bench->key, &subject, packet->tcp.port, packet->tcp.ack - 1, time_ns, &try_number,
                     &sent_ns)) {
        bench->unproved++;
        return;
    }
    count_answer(bench, index);
    bench->last_rtt_ns = time_ns - sent_ns;
    bench->answered_to = packet->dst;
}

static void on_connected(void *context, const struct connect_event *event)
{
    struct bench *bench = context;
    assert_int_equal(event->block_id, bench->block.id);
    assert_true(event->bit < BENCH_PROBES);
    assert_int_equal(event->error, ECONNREFUSED);
    count_answer(bench, (unsigned)event->bit);
    bench->last_rtt_ns = event->rtt_ns;
}

static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct bench *bench = context;
    assert_ptr_equal(order->block, &bench->block);
    assert_true(bitset_get(bench->pending, probe->bit));
    bench->unsent[probe->bit]++;
    bench->unsent_count++;
    bench->unsent_error = error;
}

static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    struct bench *bench = context;
    assert_true(from_ns < to_ns);
    assert_true(count > 0);
    bench->dropped_count += count;
}

void bench_set_host(struct bench *bench, const char *host)
{
    struct addr addr;
    struct addr_set targets = {0};
    struct plan_options options = {.seed = 1, .shard_count = 1};
    struct error err = {0};
    struct port_set *ports = calloc(1, sizeof *ports); /* some 32 KiB */
    assert_non_null(ports);
    assert_true(addr_parse(host, &addr));
    assert_int_equal(addr_set_add(&targets, addr, addr), 0);
    plan_done(&bench->plan);
    int result = plan_init(&bench->plan, &targets, NULL, NULL, ports, &options, &err);
    free(ports);
    if (result < 0)
        fail_msg("%s", err.text);
}

struct bench *bench_new(const char *host, const char *technique)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->told_count = BENCH_PROBES;
    bench->key = (struct token_key){
        .secret = {{1, 2}}, .first_port = BENCH_SOURCE_PORT, .port_count = BENCH_SOURCE_PORTS};
    for (uint16_t i = 0; i < BENCH_PROBES; i++) {
        bench->specs[i] = (struct probe_spec){technique_find(technique), (uint16_t)(BENCH_FIRST_PORT + i)};
        bitset_set(bench->pending, i);
    }
    bench_set_host(bench, host);
    bench->block = (struct block){
        .id = 1,
        .plan = &bench->plan,
        .host_count = 1,
        .specs = bench->specs,
        .spec_count = BENCH_PROBES,
        .rest = permutation_new(BENCH_PROBES, 99),
        .pending = bench->pending,
    };
    return bench;
}

void bench_free(struct bench *bench)
{
    if (bench->io)
        bench->io->ops->close(bench->io);
    route_table_done(&bench->routes);
    plan_done(&bench->plan);
    free(bench);
}

static void on_disturbed(void *context, enum disturbance what, int64_t from_ns, int64_t to_ns)
{
    struct bench *bench = context;
    bench->disturbances[what]++;
    bench->disturbed_from_ns = from_ns;
    bench->disturbed_to_ns = to_ns;
}

void bench_attach(struct bench *bench, struct netio *io)
{
    static const struct netio_events events = {
        .packet = on_packet,
        .connected = on_connected,
        .unsent = on_unsent,
        .dropped = on_dropped,
        .disturbed = on_disturbed,
    };
    if (!io) {
        fail_msg("the backend could not be made");
        return;
    }
    io->events = &events;
    io->context = bench;
    bench->io = io;
}

bool bench_needs_wire(const char *backend)
{
    return backend && (wire_is_backend(backend) || strcmp(backend, WIRE_BEST) == 0);
}

bool bench_can_open_wire(void)
{
    struct wire *wire = NULL;
    struct error err = {0};
    if (wire_open(&wire, &err) < 0)
        return false;
    wire_close(wire);
    return true;
}

void bench_require_wire(void)
{
    if (!bench_can_open_wire()) {
        fprintf(stderr, "this needs root, and Linux 6.1\n");
        exit(LAB_NOT_POSSIBLE);
    }
}

void bench_open_live(struct bench *bench, const char *backend, const struct route_options *options)
{
    struct sockets sockets;
    struct error err = {0};
    struct netio *io = NULL;
    struct netio_live_options live = {
        .backend = backend,
        .ttl = 64,
        .source_port = BENCH_SOURCE_PORT,
        .source_port_count = BENCH_SOURCE_PORTS,
        .probe_count = bench->told_count,
        .why_not_kernel = bench->why_not_kernel,
    };
    if (sockets_open(&sockets, &err) < 0 ||
        (bench_needs_wire(backend) && !bench->unprivileged && wire_open(&sockets.wire, &err) < 0) ||
        route_table_load(&bench->routes, options, &err) < 0 ||
        netio_live_open(&sockets, &bench->routes, &live, &io, &bench->why_not, &err) < 0)
        fail_msg("%s", err.text);
    bench_attach(bench, io);
}

struct order bench_order(const struct bench *bench)
{
    return (struct order){.block = &bench->block,
                          .key = &bench->key,
                          .end = BENCH_PROBES,
                          .limit = BENCH_PROBES,
                          .rate_pps = 1e6};
}

void bench_work_off(struct bench *bench, struct order *order)
{
    struct netio *io = bench->io;
    int64_t end_ns = io->ops->now(io) + PATIENCE_NS;
    while (order->next < order->end && order->limit) {
        assert_true(io->ops->now(io) < end_ns);
        io->ops->work(io, order, io->ops->now(io) + 20 * MSEC);
    }
}

void bench_listen(struct bench *bench, unsigned answers)
{
    struct netio *io = bench->io;
    int64_t end_ns = io->ops->now(io) + PATIENCE_NS;
    while (bench->answer_count < answers && io->ops->now(io) < end_ns)
        io->ops->work(io, NULL, end_ns);
    end_ns = io->ops->now(io) + 50 * MSEC;
    while (io->ops->now(io) < end_ns)
        io->ops->work(io, NULL, end_ns);
}

void bench_expect_all(struct bench *bench)
{
    bench_expect_all_in_parts(bench, BENCH_PROBES);
}

void bench_expect_all_in_parts(struct bench *bench, unsigned part)
{
    struct order order = bench_order(bench);
    for (unsigned asked = part; asked <= BENCH_PROBES; asked += part) {
        order.limit = part;
        bench_work_off(bench, &order);
        bench_listen(bench, asked);
    }
    assert_int_equal(bench->answer_count, BENCH_PROBES);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_int_equal(bench->answers[i], 1);
    assert_int_equal(bench->unproved, 0);
    assert_int_equal(bench->unsent_count, 0);
    assert_int_equal(order.next, BENCH_PROBES);
    assert_int_equal(order.limit, 0);
}

void bench_expect_unsent(struct bench *bench, int error)
{
    struct order order = bench_order(bench);
    bench_work_off(bench, &order);
    assert_int_equal(bench->unsent_count, BENCH_PROBES);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_int_equal(bench->unsent[i], 1);
    assert_int_equal(bench->unsent_error, error);
    assert_int_equal(order.next, BENCH_PROBES);
}
