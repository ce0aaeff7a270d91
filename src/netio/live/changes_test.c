/* Ways that change under a scan: links that go down, routes that are taken away, new addresses, drivers that
 * take no frames any more. Every live backend in turn, in namespaces of its own (netns_lab.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "netio/netio_bench.h"
#include "netio/netns_lab.h"

/* The gateway is known, and the first probe was answered. */
static struct bench *bench_under_way(const char *backend)
{
    struct bench *bench = bench_new("203.0.113.5", "syn");
    bench_open_live(bench, backend, &(struct route_options){0});
    struct order order = bench_order(bench);
    order.limit = 1;
    bench_work_off(bench, &order);
    bench_listen(bench, 1);
    assert_int_equal(bench->answer_count, 1);
    return bench;
}

/* All but the first probe. */
static struct order order_of_the_rest(struct bench *bench)
{
    struct order order = bench_order(bench);
    order.next = 1;
    order.limit = BENCH_PROBES - 1;
    return order;
}

static void work_off_the_rest(struct bench *bench, struct order *order)
{
    bench_work_off(bench, order);
    bench_listen(bench, BENCH_PROBES);
    assert_int_equal(bench->answer_count, BENCH_PROBES);
}

/* All of the order wait while there is no way. */
static void wait_without_a_way(struct bench *bench, struct order *order)
{
    struct netio *io = bench->io;
    uint64_t next = order->next;
    int64_t end_ns = io->ops->now(io) + 100 * MSEC;
    while (io->ops->now(io) < end_ns)
        io->ops->work(io, order, end_ns);
    assert_int_equal(order->next, next);
    assert_int_equal(bench->unsent_count, 0);
    assert_int_equal(bench->disturbances[DISTURBANCE_GONE], 1);
}

static void probes_wait_while_the_link_is_down(const struct netns_lab *lab, const char *backend,
                                               const char *down)
{
    struct bench *bench = bench_under_way(backend);
    netns_lab_run(lab->near, down);
    struct order order = order_of_the_rest(bench);
    wait_without_a_way(bench, &order);
    netns_lab_restore(lab);
    work_off_the_rest(bench, &order);
    assert_int_equal(bench->unsent_count, 0);
    assert_int_equal(bench->disturbances[DISTURBANCE_BACK], 1);
    assert_true(bench->disturbed_to_ns - bench->disturbed_from_ns >= 90 * MSEC);
    bench_free(bench);
}

/* Those that need the most privilege come last. */
static const char *const all_backends[] = {"packet", "raw", "xdp", "kernel"};

static size_t backends_count(void)
{
    size_t count = sizeof all_backends / sizeof all_backends[0];
    return bench_can_open_wire() ? count : count - 2;
}

static void probes_wait_for_a_link_that_is_taken_down(void **state)
{
    for (size_t i = 0; i < backends_count(); i++)
        probes_wait_while_the_link_is_down(*state, all_backends[i], "ip link set near down");
}

static void probes_wait_for_a_route_that_is_taken_away(void **state)
{
    for (size_t i = 0; i < backends_count(); i++)
        probes_wait_while_the_link_is_down(*state, all_backends[i], "ip route del 203.0.113.0/24");
}

/* The engine knows that there was one. */
static void probes_wait_for_a_route_that_is_taken_away_before_the_first(void **state)
{
    const struct netns_lab *lab = *state;
    for (size_t i = 0; i < backends_count(); i++) {
        struct bench *bench = bench_new("203.0.113.5", "syn");
        bench_open_live(bench, all_backends[i], &(struct route_options){0});
        struct order order = bench_order(bench);
        struct addr host = block_host(order.block, 0);
        assert_int_equal(bench->io->ops->reach(bench->io, &host), REACH_ROUTED);
        netns_lab_run(lab->near, "ip route del 203.0.113.0/24");
        wait_without_a_way(bench, &order);
        netns_lab_restore(lab);
        work_off_the_rest(bench, &order);
        bench_free(bench);
    }
}

static void a_new_address_is_used_and_told(const struct netns_lab *lab, const char *backend)
{
    struct bench *bench = bench_under_way(backend);
    struct addr renewed = addr_v4(UINT32_C(0xc612004d));
    netns_lab_run(lab->near,
                  "ip address add 198.18.0.77/24 dev near && ip address del 198.18.0.1/24 dev near && "
                  "ip address del 198.18.0.33/24 dev near 2>/dev/null; "
                  "ip address replace 198.18.0.77/24 dev near && "
                  "ip route replace 203.0.113.0/24 via 198.18.0.2");
    bench->io->ops->work(bench->io, NULL, bench->io->ops->now(bench->io) + 50 * MSEC);
    bench_listen(bench, 0);
    assert_true(bench->disturbances[DISTURBANCE_SOURCE] + bench->disturbances[DISTURBANCE_BACK] >= 1);
    struct order order = order_of_the_rest(bench);
    work_off_the_rest(bench, &order);
    assert_true(addr_equal(&bench->answered_to, &renewed));
    bench_free(bench);
    netns_lab_run(lab->near, "ip address del 198.18.0.77/24 dev near");
    netns_lab_restore(lab);
}

static void a_new_address_of_ours_is_used_and_told(void **state)
{
    for (size_t i = 0; i < backends_count(); i++)
        a_new_address_is_used_and_told(*state, all_backends[i]);
}

/* A driver that cannot take frames from a BPF program drops them without a word. */
static void frames_that_the_driver_does_not_take_go_through_the_socket(void **state)
{
    const struct netns_lab *lab = *state;
    if (!bench_can_open_wire())
        skip();
    netns_lab_let_far_poll(lab, false);
    struct bench *bench = bench_under_way("kernel");
    struct order order = order_of_the_rest(bench);
    work_off_the_rest(bench, &order);
    bench_free(bench);
    netns_lab_let_far_poll(lab, true);
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
#define TEST(function) cmocka_unit_test_prestate(function, &lab)
    const struct CMUnitTest tests[] = {
        TEST(probes_wait_for_a_link_that_is_taken_down),
        TEST(probes_wait_for_a_route_that_is_taken_away),
        TEST(probes_wait_for_a_route_that_is_taken_away_before_the_first),
        TEST(a_new_address_of_ours_is_used_and_told),
        TEST(frames_that_the_driver_does_not_take_go_through_the_socket),
    };
    int failed = cmocka_run_group_tests_name("ways that change", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
