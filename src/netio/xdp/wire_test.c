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

#define SKIPPED  77
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

int main(void)
{
    struct netns_lab lab;
    if (!netns_lab_open(&lab) || !bench_can_open_wire()) {
        fprintf(stderr, "this needs root, and Linux 6.1\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(no_connection_is_left_half_open, &lab),
    };
    int failed = cmocka_run_group_tests_name("xdp and kernel backends", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
