/* What every backend promises (netio.h), in terms of orders: one set of tests, run for each backend and each kind of
 * way to a host. The other end is a real network stack in a namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "netio/live.h"
#include "netio/netns_lab.h"
#include "netio/route.h"

#define SKIPPED      77 /* Meson's word for a test that could not run */
#define PROBES       300
#define FIRST_PORT   7000
#define SOURCE_PORT  20000
#define SOURCE_PORTS 4096
#define PATIENCE_NS  (2 * SEC)

/* A backend and a host it is to reach. */
struct way {
    const char *backend;
    const char *host;    /* answers every probe */
    const char *nowhere; /* cannot be reached; NULL: no such host */
    int nowhere_error;
};

static const struct way ways[] = {
    {"packet", "203.0.113.5", "198.51.100.200", EHOSTUNREACH},
    {"packet", "203.0.113.5", "198.51.100.5", EHOSTUNREACH},
    {"packet", "203.0.113.5", "192.0.2.1", ENETUNREACH},
    {"packet", "2001:db8:1::5", "2001:db8:2::1", ENETUNREACH},
    {"packet", "127.0.0.1", "198.18.0.77", EHOSTUNREACH},
    {"packet", "::1", NULL, 0},
    {"packet", "198.18.0.1", NULL, 0},
    {"raw", "198.18.0.2", "192.0.2.1", ENETUNREACH},
    {"raw", "203.0.113.5", "198.51.100.200", EHOSTUNREACH},
    {"raw", "2001:db8::2", "2001:db8:2::1", ENETUNREACH},
    {"raw", "127.0.0.1", NULL, 0},
    {"raw", "::1", NULL, 0},
};

/* One host, PROBES ports, and what came back. */
struct bench {
    const struct way *way;
    struct route_table routes;
    struct netio *io;
    struct plan plan;
    struct probe_spec specs[PROBES];
    uint64_t pending[(PROBES + 63) / 64];
    struct block block;
    struct token_key key;
    unsigned answers[PROBES]; /* proved ones, by port */
    unsigned answer_count;
    unsigned unproved;
    unsigned unsent[PROBES]; /* by port */
    unsigned unsent_count;
    int unsent_error;
    int64_t last_rtt_ns;
};

static struct token_subject subject_of(const struct bench *bench, uint16_t port)
{
    struct addr host = plan_host_at(&bench->plan, 0);
    return token_subject_of(technique_find("syn"), &host, port);
}

/* A RST or SYN/ACK acknowledges our number plus one. */
static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct bench *bench = context;
    uint8_t try_number;
    int64_t sent_ns;
    if (packet->layer != LAYER_TCP || !(packet->tcp.flags & TCP_ACK))
        return;
    uint16_t index = (uint16_t)(packet->tcp.source_port - FIRST_PORT);
    struct token_subject subject = subject_of(bench, packet->tcp.source_port);
    if (index >= PROBES || !addr_equal(&packet->src, &subject.dst) ||
        !token_check(&bench->key, &subject, packet->tcp.port, packet->tcp.ack - 1, time_ns, &try_number,
                     &sent_ns)) {
        bench->unproved++;
        return;
    }
    bench->answers[index]++;
    bench->answer_count++;
    bench->last_rtt_ns = time_ns - sent_ns;
}

static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct bench *bench = context;
    assert_ptr_equal(order->block, &bench->block);
    assert_true(bitset_get(bench->pending, probe->bit));
    bench->unsent[probe->port - FIRST_PORT]++;
    bench->unsent_count++;
    bench->unsent_error = error;
}

static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context;
    assert_true(from_ns < to_ns);
    assert_true(count > 0);
}

static void on_connected(void *context, const struct connect_event *event)
{
    (void)context;
    (void)event;
    fail_msg("no backend here connects");
}

static const struct netio_events events = {
    .packet = on_packet, .connected = on_connected, .unsent = on_unsent, .dropped = on_dropped};

static void set_target(struct bench *bench, const char *host)
{
    struct addr addr;
    struct addr_set targets = {0};
    struct port_set *ports = calloc(1, sizeof *ports); /* some 32 KiB */
    assert_non_null(ports);
    struct plan_options options = {.seed = 1, .shard_count = 1};
    struct error err = {0};
    assert_true(addr_parse(host, &addr));
    assert_int_equal(addr_set_add(&targets, addr, addr), 0);
    plan_done(&bench->plan);
    int result = plan_init(&bench->plan, &targets, NULL, NULL, ports, &options, &err);
    free(ports);
    if (result < 0)
        fail_msg("%s", err.text);
}

static void open_io(struct bench *bench)
{
    struct sockets sockets;
    struct error err = {0};
    struct route_options route_options = {0};
    struct netio_live_options options = {
        .backend = bench->way->backend,
        .ttl = 64,
        .source_port = SOURCE_PORT,
        .source_port_count = SOURCE_PORTS,
    };
    if (sockets_open(&sockets, &err) < 0 || route_table_load(&bench->routes, &route_options, &err) < 0 ||
        netio_live_open(&sockets, &bench->routes, &options, &bench->io, &err) < 0)
        fail_msg("%s", err.text);
    bench->io->events = &events;
    bench->io->context = bench;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->way = *state;
    bench->key =
        (struct token_key){.secret = {{1, 2}}, .first_port = SOURCE_PORT, .port_count = SOURCE_PORTS};
    for (uint16_t i = 0; i < PROBES; i++) {
        bench->specs[i] =
            (struct probe_spec){.technique = technique_find("syn"), .port = (uint16_t)(FIRST_PORT + i)};
        bitset_set(bench->pending, i);
    }
    set_target(bench, bench->way->host);
    open_io(bench);
    bench->block = (struct block){
        .id = 1,
        .plan = &bench->plan,
        .host_count = 1,
        .specs = bench->specs,
        .spec_count = PROBES,
        .rest = permutation_new(PROBES, 99),
        .pending = bench->pending,
    };
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    bench->io->ops->close(bench->io);
    route_table_done(&bench->routes);
    plan_done(&bench->plan);
    free(bench);
    return 0;
}

static struct order order_of_all(const struct bench *bench)
{
    return (struct order){
        .block = &bench->block, .key = &bench->key, .end = PROBES, .limit = PROBES, .rate_pps = 1e5};
}

/* Carry an order out, however many turns it takes. */
static void work_off(struct bench *bench, struct order *order)
{
    struct netio *io = bench->io;
    int64_t end_ns = io->ops->now(io) + PATIENCE_NS;
    while (order->next < order->end && order->limit) {
        assert_true(io->ops->now(io) < end_ns);
        io->ops->work(io, order, io->ops->now(io) + 20 * MSEC);
    }
}

/* Listen until so many answers are there, or patience is over; then a little longer for those that must not come. */
static void listen_for(struct bench *bench, unsigned answers)
{
    struct netio *io = bench->io;
    int64_t end_ns = io->ops->now(io) + PATIENCE_NS;
    while (bench->answer_count < answers && io->ops->now(io) < end_ns)
        io->ops->work(io, NULL, end_ns);
    end_ns = io->ops->now(io) + 50 * MSEC;
    while (io->ops->now(io) < end_ns)
        io->ops->work(io, NULL, end_ns);
}

static void every_pending_probe_is_sent_once_and_its_answer_is_proved(void **state)
{
    struct bench *bench = *state;
    struct order order = order_of_all(bench);
    work_off(bench, &order);
    listen_for(bench, PROBES);
    assert_int_equal(bench->answer_count, PROBES);
    for (unsigned i = 0; i < PROBES; i++)
        assert_int_equal(bench->answers[i], 1);
    assert_int_equal(bench->unproved, 0);
    assert_int_equal(bench->unsent_count, 0);
    assert_int_equal(order.next, PROBES);
    assert_int_equal(order.limit, 0);
    assert_in_range(bench->last_rtt_ns, 0, SEC);
}

static void what_is_not_pending_is_not_sent(void **state)
{
    struct bench *bench = *state;
    struct order order = order_of_all(bench);
    unsigned wanted = 0;
    for (unsigned i = 0; i < PROBES; i++) {
        if (i % 3 == 0)
            wanted++;
        else
            bitset_clear(bench->pending, i);
    }
    work_off(bench, &order);
    listen_for(bench, wanted);
    for (unsigned i = 0; i < PROBES; i++)
        assert_int_equal(bench->answers[i], i % 3 == 0);
    assert_int_equal(order.next, PROBES);
    assert_int_equal(order.limit, PROBES - wanted);
}

static void the_limit_of_an_order_holds_and_the_next_goes_on_behind_it(void **state)
{
    struct bench *bench = *state;
    struct order order = order_of_all(bench);
    order.limit = 70;
    work_off(bench, &order);
    listen_for(bench, 70);
    assert_int_equal(bench->answer_count, 70);
    assert_int_equal(order.next, 70);
    assert_int_equal(order.limit, 0);
    order.limit = PROBES;
    work_off(bench, &order);
    listen_for(bench, PROBES);
    for (unsigned i = 0; i < PROBES; i++)
        assert_int_equal(bench->answers[i], 1);
    assert_int_equal(order.next, PROBES);
}

static void only_the_range_of_the_order_is_sent(void **state)
{
    struct bench *bench = *state;
    struct order order = order_of_all(bench);
    order.next = 100;
    order.end = 150;
    work_off(bench, &order);
    listen_for(bench, 50);
    assert_int_equal(bench->answer_count, 50);
    for (uint64_t position = 0; position < PROBES; position++) {
        bool inside = position >= 100 && position < 150;
        assert_int_equal(bench->answers[block_bit_at(&bench->block, position)], inside);
    }
}

static void without_an_order_it_listens_until_the_time_is_over(void **state)
{
    struct bench *bench = *state;
    struct netio *io = bench->io;
    int64_t until_ns = io->ops->now(io) + 30 * MSEC;
    /* Packets that are none of ours may wake it. */
    for (int i = 0; i < 100 && io->ops->now(io) < until_ns; i++)
        io->ops->work(io, NULL, until_ns);
    assert_true(io->ops->now(io) >= until_ns);
    assert_true(io->ops->now(io) < until_ns + SEC);
    assert_int_equal(io->stats.packets_sent, 0);
}

static void listening_ends_at_once_when_something_arrives(void **state)
{
    struct bench *bench = *state;
    struct netio *io = bench->io;
    struct order order = order_of_all(bench);
    order.limit = 1;
    work_off(bench, &order);
    int64_t start_ns = io->ops->now(io);
    while (bench->answer_count == 0)
        io->ops->work(io, NULL, start_ns + 10 * SEC);
    assert_true(io->ops->now(io) - start_ns < SEC);
}

static void what_has_no_way_is_reported_as_unsent_once(void **state)
{
    struct bench *bench = *state;
    if (!bench->way->nowhere)
        return;
    set_target(bench, bench->way->nowhere);
    struct order order = order_of_all(bench);
    work_off(bench, &order);
    assert_int_equal(bench->unsent_count, PROBES);
    for (unsigned i = 0; i < PROBES; i++)
        assert_int_equal(bench->unsent[i], 1);
    assert_int_equal(bench->unsent_error, bench->way->nowhere_error);
    assert_int_equal(order.next, PROBES);
}

static void what_is_sent_and_received_is_counted(void **state)
{
    struct bench *bench = *state;
    struct order order = order_of_all(bench);
    work_off(bench, &order);
    listen_for(bench, PROBES);
    const struct netio_stats *stats = &bench->io->stats;
    assert_in_range(stats->packets_sent, PROBES, PROBES + 3); /* and a question for the gateway */
    assert_true(stats->bytes_sent >= 40 * PROBES);
    assert_true(stats->packets_received >= PROBES);
    assert_true(stats->bytes_received >= 40 * PROBES);
    assert_int_equal(stats->send_errors, 0);
    for (unsigned fault = 0; fault < PACKET_FAULT_COUNT; fault++)
        assert_int_equal(stats->faults[fault], 0);
}

static void an_address_is_reached_from_an_address_of_its_family(void **state)
{
    struct bench *bench = *state;
    struct netio *io = bench->io;
    struct addr host = plan_host_at(&bench->plan, 0);
    assert_int_not_equal(io->ops->reach(io, &host), REACH_NONE);
    assert_int_equal(io->ops->source(io, &host).family, host.family);
    if (!bench->way->nowhere || bench->way->nowhere_error != ENETUNREACH)
        return;
    assert_true(addr_parse(bench->way->nowhere, &host));
    assert_int_equal(io->ops->reach(io, &host), REACH_NONE);
    assert_int_equal(io->ops->source(io, &host).family, ADDR_NONE);
}

static const struct {
    const char *name;
    CMUnitTestFunction run;
} promises[] = {
#define PROMISE(function)                                                                                    \
    {                                                                                                        \
#function, function                                                                                  \
    }
    PROMISE(every_pending_probe_is_sent_once_and_its_answer_is_proved),
    PROMISE(what_is_not_pending_is_not_sent),
    PROMISE(the_limit_of_an_order_holds_and_the_next_goes_on_behind_it),
    PROMISE(only_the_range_of_the_order_is_sent),
    PROMISE(without_an_order_it_listens_until_the_time_is_over),
    PROMISE(listening_ends_at_once_when_something_arrives),
    PROMISE(what_has_no_way_is_reported_as_unsent_once),
    PROMISE(what_is_sent_and_received_is_counted),
    PROMISE(an_address_is_reached_from_an_address_of_its_family),
};

#define WAYS     (sizeof ways / sizeof ways[0])
#define PROMISES (sizeof promises / sizeof promises[0])

/* Every promise for every way. */
struct tests {
    struct CMUnitTest tests[WAYS * PROMISES];
    struct way ways[WAYS];
    char names[WAYS * PROMISES][128];
};

static struct tests *make_tests(void)
{
    struct tests *ret = calloc(1, sizeof *ret);
    if (!ret)
        return NULL;
    memcpy(ret->ways, ways, sizeof ways);
    for (size_t i = 0; i < WAYS * PROMISES; i++) {
        struct way *way = &ret->ways[i / PROMISES];
        snprintf(ret->names[i], sizeof ret->names[i], "%s to %s: %s", way->backend, way->host,
                 promises[i % PROMISES].name);
        ret->tests[i] =
            (struct CMUnitTest){ret->names[i], promises[i % PROMISES].run, set_up, tear_down, way};
    }
    return ret;
}

int main(void)
{
    struct netns_lab lab;
    struct tests *all = make_tests();
    if (!all || !netns_lab_open(&lab)) {
        fprintf(stderr, "this needs root or user namespaces\n");
        free(all);
        return SKIPPED;
    }
    int failed = cmocka_run_group_tests_name("netio contract", all->tests, NULL, NULL);
    free(all);
    netns_lab_close(&lab);
    return failed;
}
