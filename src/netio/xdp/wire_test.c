/* The xdp and kernel backends between two network namespaces: what only they can get wrong. The rest is in
 * the contract test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "netio/clock.h"
#include "netio/live/packet_io.h"
#include "netio/netio_bench.h"
#include "netio/netns_lab.h"

#define HOST     "203.0.113.5"
#define LINE_LEN 256

/* An end of veth that polls has room for 256 packets, and a busy machine is late to take them. */
#define PART 100

/* Of a probe that leaves as a live frame: the headers of a SYN over IPv4 take the rest of WIRE_FRAME_MAX. */
#define FRAME_DATA_MAX 126

/* The state, as a column of /proc/net/tcp. */
#define SYN_RECEIVED " 03 "

static const char *const backends[] = {"xdp", "kernel"};

static const char station_known[] =
    "ip neighbour replace 198.18.0.2 lladdr 02:00:00:00:00:02 nud permanent dev near";
static const char station_forgotten[] = "ip neighbour delete 198.18.0.2 dev near";

/* Every port that the bench asks is open. */
static void listen_at_the_far_end(const struct netns_lab *lab, int ret[static BENCH_PROBES])
{
    assert_return_code(setns(lab->far, CLONE_NEWNET), 0);
    for (unsigned i = 0; i < BENCH_PROBES; i++) {
        struct sockaddr_in name = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)(BENCH_FIRST_PORT + i))};
        ret[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(bind(ret[i], (struct sockaddr *)&name, sizeof name), 0);
        assert_return_code(listen(ret[i], 16), 0);
    }
    assert_return_code(setns(lab->near, CLONE_NEWNET), 0);
}

/* Connections that the far end waits for. */
static unsigned half_open(const struct netns_lab *lab)
{
    char line[LINE_LEN];
    unsigned count = 0;
    assert_return_code(setns(lab->far, CLONE_NEWNET), 0);
    FILE *file = fopen("/proc/thread-self/net/tcp", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, SYN_RECEIVED) != NULL;
    fclose(file);
    assert_return_code(setns(lab->near, CLONE_NEWNET), 0);
    return count;
}

static void resets_all(const struct netns_lab *lab, const char *backend)
{
    struct bench *bench = bench_new(HOST, "syn");
    bench_open_live(bench, backend, &(struct route_options){0});
    bench_expect_all_in_parts(bench, PART);
    assert_int_equal(half_open(lab), 0);
    bench_free(bench);
}

static void no_connection_is_left_half_open(void **state)
{
    const struct netns_lab *lab = *state;
    int listeners[BENCH_PROBES];
    listen_at_the_far_end(lab, listeners);
    for (unsigned i = 0; i < 2; i++) {
        netns_lab_let_far_poll(lab, true);
        resets_all(lab, backends[i]);
        netns_lab_let_far_poll(lab, false);
        resets_all(lab, backends[i]);
    }
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        close(listeners[i]);
}

/* All probes leave and none is answered; then they are asked again, and told of by the engine's own means. */
static void swallows(const struct netns_lab *lab, const char *backend)
{
    struct bench *bench = bench_new(HOST, "syn");
    bench_open_live(bench, backend, &(struct route_options){0});
    struct order order = bench_order(bench);
    netns_lab_run(lab->far, "ip route add blackhole " HOST " table local");
    bench_work_off(bench, &order);
    bench_listen(bench, 0);
    assert_int_equal(bench->answer_count, 0);
    netns_lab_run(lab->far, "ip route delete blackhole " HOST " table local");
    assert_int_equal(bench->disturbances[DISTURBANCE_SWALLOWED], 0);
    order = bench_order(bench);
    order.try_number = 1;
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    assert_int_equal(bench->answer_count, BENCH_PROBES);
    assert_int_equal(bench->disturbances[DISTURBANCE_SWALLOWED], 1);
    assert_true(bench->disturbed_from_ns < bench->disturbed_to_ns);
    bench_free(bench);
}

static void what_is_answered_only_through_the_packet_socket_was_swallowed(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_let_far_poll(lab, true);
    netns_lab_run(lab->near, station_known);
    for (unsigned i = 0; i < 2; i++)
        swallows(lab, backends[i]);
    netns_lab_run(lab->near, station_forgotten);
}

static void what_the_interface_does_not_count_was_swallowed(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    netns_lab_let_far_poll(lab, false);
    struct bench *bench = bench_new(HOST, "syn");
    bench_open_live(bench, "kernel", &(struct route_options){0});
    bench_expect_all(bench);
    assert_int_equal(bench->disturbances[DISTURBANCE_SWALLOWED], 1);
    bench_free(bench);
    netns_lab_let_far_poll(lab, true);
    netns_lab_run(lab->near, station_forgotten);
}

static void what_is_answered_was_not_swallowed(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    for (unsigned i = 0; i < 2; i++) {
        struct bench *bench = bench_new(HOST, "syn");
        bench_open_live(bench, backends[i], &(struct route_options){0});
        bench_expect_all_in_parts(bench, PART);
        assert_int_equal(bench->disturbances[DISTURBANCE_SWALLOWED], 0);
        bench_free(bench);
    }
    netns_lab_run(lab->near, station_forgotten);
}

/* The far end answers only if every byte is right, which the checksum says. What it acknowledges the bench
 * does not take for an answer where it is more than a SYN. */
static void asks_with_data(const char *name, size_t len)
{
    static const uint8_t bytes[FRAME_DATA_MAX] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
    const struct probe_data data = {bytes, len};
    const struct technique technique = technique_with_data(technique_find(name), &data);
    struct bench *bench = bench_new(HOST, name);
    for (unsigned i = 0; i < BENCH_PROBES; i++)
        bench->specs[i].technique = &technique;
    bench_open_live(bench, "kernel", &(struct route_options){0});
    struct order order = bench_order(bench);
    for (unsigned asked = 0; asked < BENCH_PROBES; asked += PART) {
        order.limit = PART;
        bench_work_off(bench, &order);
        bench_listen(bench, 0);
    }
    assert_int_equal(bench->answer_count + bench->unproved, BENCH_PROBES);
    assert_true(((struct packet_io *)bench->io)->trial.counted);
    bench_free(bench);
}

static void frames_of_every_length_are_whole(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    for (size_t len = 0; len <= FRAME_DATA_MAX; len += 9) {
        asks_with_data("syn", len);
        asks_with_data("null", len);
    }
    netns_lab_run(lab->near, station_forgotten);
}

/* Processor time. */
static int64_t used_ns(const struct transmitter *transmitter)
{
    clockid_t clock;
    assert_int_equal(pthread_getcpuclockid(transmitter->thread, &clock), 0);
    return clock_ns(clock);
}

/* While its program runs it takes a core for itself. */
static void the_transmitter_rests_when_there_is_nothing_to_send(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    struct bench *bench = bench_new(HOST, "syn");
    bench_open_live(bench, "kernel", &(struct route_options){0});
    const struct transmitter *transmitter = &((struct packet_io *)bench->io)->transmitter;
    struct order order = bench_order(bench);
    bench_work_off(bench, &order);
    assert_true(transmitter->has_thread);
    int64_t before_ns = used_ns(transmitter);
    bench->io->ops->work(bench->io, NULL, bench->io->ops->now(bench->io) + 100 * MSEC);
    assert_true(used_ns(transmitter) - before_ns < 10 * MSEC);
    bench_free(bench);
    netns_lab_run(lab->near, station_forgotten);
}

/* The time that it takes to work off an order for all, so many probes at a time. */
static int64_t time_of_parts_ns(struct bench *bench, uint32_t part, double rate_pps)
{
    struct order order = bench_order(bench);
    order.rate_pps = rate_pps;
    int64_t start_ns = clock_monotonic_ns();
    while (order.next < order.end) {
        order.limit = part;
        bench_work_off(bench, &order);
    }
    return clock_monotonic_ns() - start_ns;
}

static void the_transmitter_keeps_the_rate_and_begins_at_once(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    struct bench *bench = bench_new(HOST, "syn");
    bench_open_live(bench, "kernel", &(struct route_options){0});
    bench_expect_all_in_parts(bench, PART);
    const double rate_pps = 200e3;
    assert_true(time_of_parts_ns(bench, BENCH_PROBES, rate_pps) >=
                (int64_t)((BENCH_PROBES - 1) / rate_pps * (double)SEC));
    /* A run that does not find its program at an interface takes 24 ms. */
    assert_true(time_of_parts_ns(bench, 10, rate_pps) < BENCH_PROBES / 10 * 20 * MSEC);
    assert_true(((struct packet_io *)bench->io)->trial.counted);
    bench_free(bench);
    netns_lab_run(lab->near, station_forgotten);
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
    bench_require_wire();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(no_connection_is_left_half_open, &lab),
        cmocka_unit_test_prestate(what_is_answered_only_through_the_packet_socket_was_swallowed, &lab),
        cmocka_unit_test_prestate(what_the_interface_does_not_count_was_swallowed, &lab),
        cmocka_unit_test_prestate(what_is_answered_was_not_swallowed, &lab),
        cmocka_unit_test_prestate(frames_of_every_length_are_whole, &lab),
        cmocka_unit_test_prestate(the_transmitter_rests_when_there_is_nothing_to_send, &lab),
        cmocka_unit_test_prestate(the_transmitter_keeps_the_rate_and_begins_at_once, &lab),
    };
    int failed = cmocka_run_group_tests_name("xdp and kernel backends", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
