/* The xdp and kernel backends between two network namespaces: what only they can get wrong. The rest is in the contract
 * test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netio/netio_bench.h"
#include "netio/netns_lab.h"

#define HOST     "203.0.113.5"
#define LINE_LEN 256

/* An end of veth that polls has room for 256 packets, and a busy machine is late to take them. */
#define PART 100

/* The state, as a column of /proc/net/tcp. */
#define SYN_RECEIVED " 03 "

static const char *const backends[] = {"xdp", "kernel"};

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

/* Opens the best backend, which must be of this name, and work. */
static void best_is(const char *name, const char *host, const char *interface)
{
    struct route_options options = {0};
    struct bench *bench = bench_new(host, "syn");
    snprintf(options.interface, sizeof options.interface, "%s", interface);
    bench_open_live(bench, WIRE_BEST, &options);
    assert_string_equal(bench->io->ops->name, name);
    bench_expect_all(bench);
    bench_free(bench);
}

static void the_best_is_kernel_where_the_interface_takes_it(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_let_far_poll(lab, true);
    best_is("kernel", HOST, "");
    netns_lab_let_far_poll(lab, false); /* its frames do not leave then, and it sends others */
    best_is("kernel", HOST, "");
}

static void where_another_program_has_the_interface_the_best_is_packet(void **state)
{
    (void)state;
    struct bench *other = bench_new(HOST, "syn");
    bench_open_live(other, "xdp", &(struct route_options){0});
    best_is("packet", HOST, "");
    bench_free(other);
}

static void over_links_without_stations_the_best_is_raw(void **state)
{
    const struct netns_lab *lab = *state;
    best_is("raw", "127.0.0.1", "lo");
    netns_lab_run(lab->near, "ip link set near arp off");
    netns_lab_run(lab->far, "ip link set far arp off address 02:00:00:00:00:01");
    best_is("raw", "198.18.0.2", "near");
    netns_lab_run(lab->far, "ip link set far arp on address 02:00:00:00:00:02");
    netns_lab_run(lab->near, "ip link set near arp on");
}

static const char *best_of(bool with_wire, bool kernel_pays)
{
    struct bench *bench = bench_new(HOST, "syn");
    struct sockets sockets;
    struct error err = {0};
    struct netio *io = NULL;
    const struct netio_live_options live = {.backend = WIRE_BEST,
                                            .kernel_pays = kernel_pays,
                                            .ttl = 64,
                                            .source_port = BENCH_SOURCE_PORT,
                                            .source_port_count = BENCH_SOURCE_PORTS};
    assert_int_equal(sockets_open(&sockets, &err), 0);
    if (with_wire)
        assert_int_equal(wire_open(&sockets.wire, &err), 0);
    assert_int_equal(route_table_load(&bench->routes, &(struct route_options){0}, &err), 0);
    assert_int_equal(netio_live_open(&sockets, &bench->routes, &live, &io, &err), 0);
    bench_attach(bench, io);
    const char *name = bench->io->ops->name;
    bench_expect_all(bench);
    bench_free(bench);
    return name;
}

static void for_a_small_scan_or_without_privilege_the_best_is_packet(void **state)
{
    (void)state;
    assert_string_equal(best_of(true, false), "packet");
    assert_string_equal(best_of(false, true), "packet");
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
    if (!bench_can_open_wire()) {
        fprintf(stderr, "this needs root, and Linux 6.1\n");
        return LAB_NOT_POSSIBLE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(no_connection_is_left_half_open, &lab),
        cmocka_unit_test_prestate(the_best_is_kernel_where_the_interface_takes_it, &lab),
        cmocka_unit_test_prestate(where_another_program_has_the_interface_the_best_is_packet, &lab),
        cmocka_unit_test_prestate(over_links_without_stations_the_best_is_raw, &lab),
        cmocka_unit_test_prestate(for_a_small_scan_or_without_privilege_the_best_is_packet, &lab),
    };
    int failed = cmocka_run_group_tests_name("xdp and kernel backends", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
