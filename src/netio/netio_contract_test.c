/* What every backend promises (netio.h), in terms of orders: one set of tests, run for each backend and each
 * kind of way to a host. The other end is a real network stack in a namespace of its own (netns_lab.h), or
 * the simulator's. */
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
#include "netio/connect/connect.h"
#include "netio/netio_bench.h"
#include "netio/netns_lab.h"
#include "netio/sim/sim.h"

/* A backend and a host it is to reach. */
struct way {
    const char *backend;
    const char *host;    /* refuses every probe: all its ports are closed */
    const char *nowhere; /* cannot be reached; NULL: the backend has no such host */
    int nowhere_error;
    bool no_route;     /* the backend knows beforehand that there is no way there */
    const char *other; /* an address that is ours too but not the one used to this host; NULL: none */
};

static const struct way ways[] = {
    {"packet", "203.0.113.5", "198.51.100.200", EHOSTUNREACH, true, NULL}, /* an "unreachable" route */
    {"packet", "203.0.113.5", "198.51.100.5", EHOSTUNREACH, false,
     "198.18.0.33"}, /* a gateway that is not there */
    {"packet", "203.0.113.5", "198.18.0.77", EHOSTUNREACH, false,
     NULL}, /* a neighbour that nobody asked for */
    {"packet", "203.0.113.5", "192.0.2.1", ENETUNREACH, true, NULL},
    {"packet", "2001:db8:1::5", "2001:db8:2::1", ENETUNREACH, true, "2001:db8::33"},
    {"packet", "127.0.0.1", NULL, 0, false, NULL},
    {"packet", "::1", NULL, 0, false, NULL},
    {"packet", "198.18.0.1", NULL, 0, false, NULL},
    {"packet", "2001:db8::1", NULL, 0, false, NULL},
    {"raw", "198.18.0.2", "192.0.2.1", ENETUNREACH, true, "198.18.0.33"},
    {"raw", "203.0.113.5", "198.51.100.200", EHOSTUNREACH, true, NULL},
    {"raw", "2001:db8::2", "2001:db8:2::1", ENETUNREACH, true, "2001:db8::33"},
    {"raw", "127.0.0.1", NULL, 0, false, NULL},
    {"raw", "::1", NULL, 0, false, NULL},
    {"raw", "198.18.0.1", NULL, 0, false, NULL},
    {"connect", "203.0.113.5", NULL, 0, false, NULL},
    {"connect", "2001:db8:1::5", NULL, 0, false, NULL},
    {"connect", "127.0.0.1", NULL, 0, false, NULL},
    {"sim", "203.0.113.5", NULL, 0, false, NULL},
    {"sim", "2001:db8:1::5", NULL, 0, false, NULL},
    /* These last: they need privilege that a user namespace does not give. */
    {"xdp", "203.0.113.5", "198.51.100.200", EHOSTUNREACH, true, "198.18.0.33"},
    {"xdp", "203.0.113.5", "198.51.100.5", EHOSTUNREACH, false, NULL},
    {"xdp", "2001:db8:1::5", "2001:db8:2::1", ENETUNREACH, true, "2001:db8::33"},
    {"xdp", "127.0.0.1", NULL, 0, false, NULL},
    {"kernel", "203.0.113.5", "198.51.100.200", EHOSTUNREACH, true, "198.18.0.33"},
    {"kernel", "203.0.113.5", "198.51.100.5", EHOSTUNREACH, false, NULL},
    {"kernel", "2001:db8:1::5", "2001:db8:2::1", ENETUNREACH, true, "2001:db8::33"},
    {"kernel", "127.0.0.1", NULL, 0, false, NULL},
};
#define WIRE_WAYS 8

static const char gateways_known[] =
    "ip neighbour replace 198.18.0.2 lladdr 02:00:00:00:00:02 nud permanent dev near && "
    "ip neighbour replace 2001:db8::2 lladdr 02:00:00:00:00:02 nud permanent dev near";
static const char gateways_forgotten[] = "ip neighbour delete 198.18.0.2 dev near && "
                                         "ip neighbour delete 2001:db8::2 dev near";

static struct netio *open_connect(void)
{
    struct netio *io = NULL;
    struct error err = {0};
    if (connect_open(&(struct connect_options){0}, &io, &err) < 0)
        fail_msg("%s", err.text);
    return io;
}

/* Two hosts with every port closed. The configuration must outlive the simulator, so it comes from the test's
 * state. */
struct simulated {
    struct sim_host hosts[2];
    struct sim_config config;
};

static struct netio *open_sim(struct simulated *simulated)
{
    static const char *const hosts[] = {"203.0.113.5", "2001:db8:1::5"};
    for (size_t i = 0; i < 2; i++) {
        struct sim_host *host = &simulated->hosts[i];
        assert_true(addr_parse(hosts[i], &host->first));
        host->last = host->first;
        host->rtt_ns = 5 * MSEC;
    }
    simulated->config = (struct sim_config){.seed = 1, .hosts = simulated->hosts, .host_count = 2};
    assert_true(addr_parse("198.18.0.1", &simulated->config.source4));
    assert_true(addr_parse("2001:db8::1", &simulated->config.source6));
    return sim_new(&simulated->config);
}

struct state {
    const struct way *way;
    struct bench *bench;
    struct simulated simulated;
};

static int set_up(void **test_state)
{
    struct state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    state->way = *test_state;
    const char *backend = state->way->backend;
    bool connects = strcmp(backend, "connect") == 0;
    /* The transmitter begins when the gateway is known: let it be known from the start. */
    if (bench_needs_wire(backend) && system(gateways_known) != 0)
        fail_msg("cannot set the gateways' addresses");
    state->bench = bench_new(state->way->host, connects ? "connect" : "syn");
    if (strchr(state->way->host, ':')) /* not told how few probes there are, it receives through a ring */
        state->bench->told_count = 0;
    if (connects)
        bench_attach(state->bench, open_connect());
    else if (strcmp(backend, "sim") == 0)
        bench_attach(state->bench, open_sim(&state->simulated));
    else
        bench_open_live(state->bench, backend, &(struct route_options){0});
    *test_state = state;
    return 0;
}

static int tear_down(void **test_state)
{
    struct state *state = *test_state;
    if (bench_needs_wire(state->way->backend) && system(gateways_forgotten) != 0)
        fail_msg("cannot forget the gateways' addresses");
    bench_free(state->bench);
    free(state);
    return 0;
}

static struct bench *bench_of(void **test_state)
{
    return ((struct state *)*test_state)->bench;
}

static void every_pending_probe_is_sent_once_and_its_answer_is_proved(void **state)
{
    struct bench *bench = bench_of(state);
    bench_expect_all(bench);
    assert_in_range(bench->last_rtt_ns, 0, SEC);
}

static void what_is_not_pending_is_not_sent(void **state)
{
    struct bench *bench = bench_of(state);
    struct order order = bench_order(bench);
    unsigned wanted = 0;
    for (unsigned i = 0; i < BENCH_PROBES; i++) {
        if (i % 3 == 0)
            wanted++;
        else
            bitset_clear(bench->pending, i);
    }
    bench_work_off(bench, &order);
    bench_listen(bench, wanted);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_int_equal(bench->answers[i], i % 3 == 0);
    assert_int_equal(order.next, BENCH_PROBES);
    assert_int_equal(order.limit, BENCH_PROBES - wanted);
}

static void the_limit_of_an_order_holds_and_the_next_goes_on_behind_it(void **state)
{
    struct bench *bench = bench_of(state);
    struct order order = bench_order(bench);
    order.limit = 70;
    bench_work_off(bench, &order);
    bench_listen(bench, 70);
    assert_int_equal(bench->answer_count, 70);
    assert_int_equal(order.next, 70);
    assert_int_equal(order.limit, 0);
    order.limit = BENCH_PROBES;
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_int_equal(bench->answers[i], 1);
    assert_int_equal(order.next, BENCH_PROBES);
}

static void only_the_range_of_the_order_is_sent(void **state)
{
    struct bench *bench = bench_of(state);
    struct order order = bench_order(bench);
    order.next = 100;
    order.end = 150;
    bench_work_off(bench, &order);
    bench_listen(bench, 50);
    assert_int_equal(bench->answer_count, 50);
    for (uint64_t position = 0; position < BENCH_PROBES; position++) {
        bool inside = position >= 100 && position < 150;
        assert_int_equal(bench->answers[block_bit_at(&bench->block, position)], inside);
    }
}

/* The bench's probes one by one, with numbers of this moment, as an order's list. */
static struct order list_of(struct bench *bench)
{
    struct order all = bench_order(bench);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_true(order_next(&all, bench->io->ops->now(bench->io), &bench->list[i]));
    return (struct order){.list = bench->list, .end = BENCH_PROBES, .limit = BENCH_PROBES};
}

static void listed_probes_leave_as_they_are_pending_or_not(void **test_state)
{
    const struct state *state = *test_state;
    struct bench *bench = state->bench;
    if (!bench->io->ops->can(bench->io, REQUEST_PACKET))
        return;
    struct order order = list_of(bench);
    memset(bench->pending, 0, sizeof bench->pending);
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        assert_int_equal(bench->answers[i], 1);
    assert_int_equal(order.next, BENCH_PROBES);
    assert_int_equal(order.limit, 0);
}

/* Canaries: the same probe at the same moment, so that its answers are the same to the last bit. */
static void what_is_asked_several_times_in_a_row_is_answered_as_often(void **state)
{
    enum { TIMES = 5 };
    struct bench *bench = bench_of(state);
    if (!bench->io->ops->can(bench->io, REQUEST_PACKET))
        return;
    const uint64_t bits[TIMES] = {3, 3, 3, 3, 3};
    struct order order = bench_order(bench);
    order.bits = bits;
    order.next = 0;
    order.end = order.limit = TIMES;
    order.try_number = TOKEN_TRY_CANARY;
    bench_work_off(bench, &order);
    bench_listen(bench, TIMES);
    assert_int_equal(bench->answers[3], TIMES);
    assert_int_equal(bench->answer_count, TIMES);
}

static void a_listed_probe_leaves_from_the_address_it_names(void **test_state)
{
    const struct state *state = *test_state;
    struct bench *bench = state->bench;
    if (!state->way->other)
        return;
    struct order order = list_of(bench);
    struct addr other;
    assert_true(addr_parse(state->way->other, &other));
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        bench->list[i].src = other;
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    assert_int_equal(bench->answer_count, BENCH_PROBES);
    assert_true(addr_equal(&bench->answered_to, &other));
}

static void an_order_from_another_address_of_ours_leaves_from_it(void **test_state)
{
    const struct state *state = *test_state;
    struct bench *bench = state->bench;
    if (!state->way->other)
        return;
    struct order order = bench_order(bench);
    assert_true(addr_parse(state->way->other, &order.src));
    order.source = bench->source = 7;
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    assert_int_equal(bench->answer_count, BENCH_PROBES);
    assert_int_equal(bench->unproved, 0);
    assert_true(addr_equal(&bench->answered_to, &order.src));
}

static void without_an_order_it_listens_until_the_time_is_over(void **state)
{
    struct bench *bench = bench_of(state);
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
    struct bench *bench = bench_of(state);
    struct netio *io = bench->io;
    struct order order = bench_order(bench);
    order.limit = 1;
    bench_work_off(bench, &order);
    int64_t start_ns = io->ops->now(io);
    while (bench->answer_count == 0)
        io->ops->work(io, NULL, start_ns + 10 * SEC);
    assert_true(io->ops->now(io) - start_ns < SEC);
}

static void what_has_no_way_is_reported_as_unsent_once(void **test_state)
{
    const struct state *state = *test_state;
    if (!state->way->nowhere)
        return;
    bench_set_host(state->bench, state->way->nowhere);
    bench_expect_unsent(state->bench, state->way->nowhere_error);
}

static void what_is_sent_and_received_is_counted(void **test_state)
{
    const struct state *state = *test_state;
    bench_expect_all(state->bench);
    const struct netio_stats *stats = &state->bench->io->stats;
    assert_in_range(stats->packets_sent, BENCH_PROBES, BENCH_PROBES + 3); /* and a question for the gateway */
    assert_int_equal(stats->send_errors, 0);
    for (unsigned fault = PACKET_OK + 1; fault < PACKET_FAULT_COUNT; fault++)
        assert_int_equal(stats->faults[fault], 0);
    if (!state->bench->io->ops->can(state->bench->io, REQUEST_PACKET))
        return; /* the kernel sends and receives, and does not say how much */
    assert_true(stats->bytes_sent >= 40 * BENCH_PROBES);
    assert_true(stats->packets_received >= BENCH_PROBES);
    assert_true(stats->bytes_received >= 40 * BENCH_PROBES);
}

static void an_address_is_reached_from_an_address_of_its_family(void **test_state)
{
    const struct state *state = *test_state;
    struct netio *io = state->bench->io;
    struct addr host = plan_host_at(&state->bench->plan, 0);
    assert_int_not_equal(io->ops->reach(io, &host), REACH_NONE);
    assert_int_equal(io->ops->source(io, &host).family, host.family);
    if (!state->way->no_route)
        return;
    assert_true(addr_parse(state->way->nowhere, &host));
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
    PROMISE(listed_probes_leave_as_they_are_pending_or_not),
    PROMISE(what_is_asked_several_times_in_a_row_is_answered_as_often),
    PROMISE(a_listed_probe_leaves_from_the_address_it_names),
    PROMISE(an_order_from_another_address_of_ours_leaves_from_it),
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
    if (!all)
        return EXIT_FAILURE;
    netns_lab_open(&lab);
    size_t count = bench_can_open_wire() ? WAYS : WAYS - WIRE_WAYS;
    int failed = _cmocka_run_group_tests("netio contract", all->tests, count * PROMISES, NULL, NULL);
    free(all);
    netns_lab_close(&lab);
    return failed;
}
