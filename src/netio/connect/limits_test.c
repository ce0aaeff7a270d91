/* The connect backend when sockets, descriptors or local ports run short: probes wait, and no state is ever
 * false. In a network of its own (connect_test_net.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <unistd.h>

#include "base/time.h"
#include "netio/connect/connect_test_net.h"
#include "netio/connect/connect_test_scan.h"
#include "technique/rows.h"

static void thousands_of_ports_are_all_right(void **state)
{
    (void)state;
    enum { FIRST = 3001, COUNT = 8000, LISTENERS = 20 };
    int listeners[LISTENERS];
    for (unsigned i = 0; i < LISTENERS; i++) {
        uint16_t port;
        listeners[i] = listen_on("127.0.0.1", (uint16_t)(FIRST + i * 400), &port);
    }
    struct scan *scan = scan_ports("127.0.0.1", FIRST, FIRST + COUNT - 1, 10 * SEC);
    assert_int_equal(scan->answered, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(scan->event_counts[i], 1);
        if (i % 400 == 0)
            assert_int_equal(scan->events[i].error, 0);
        else
            assert_refused_by_reset(&scan->events[i]);
    }
    assert_int_equal(scan->io->stats.packets_sent, COUNT);
    assert_int_equal(net_time_wait_count(), 0);
    scan_free(scan);
    for (unsigned i = 0; i < LISTENERS; i++)
        close(listeners[i]);
}

/* 150 probes of the same port of the same host need 150 local ports; there are 50, and answers come when they
 * are long gone. */
static void few_local_ports_make_probes_wait_and_no_state_false(void **state)
{
    (void)state;
    assert_true(net_set_local_ports(40000, 40049));
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    for (int i = 0; i < 150; i++)
        scan_add(scan, &technique_connect, NET_SOON_RESET);
    scan_sweep(scan, 0, 10 * SEC);
    assert_true(net_set_local_ports(32768, 60999));

    assert_int_equal(scan->answered, 150);
    for (int i = 0; i < 150; i++)
        assert_refused_by_reset(&scan->events[i]);
    assert_true(scan->io->stats.local_waits > 0);
    scan_free(scan);
}

static void a_connection_to_itself_is_never_an_open_port(void **state)
{
    (void)state;
    assert_true(net_set_local_ports(40000, 40003));
    for (int round = 0; round < 50; round++) {
        struct scan *scan = scan_ports("127.0.0.1", 40000, 40003, 2 * SEC);
        assert_int_equal(scan->answered, 4);
        for (int i = 0; i < 4; i++)
            assert_refused_by_reset(&scan->events[i]);
        scan_free(scan);
    }
    assert_true(net_set_local_ports(32768, 60999));
}

static void where_only_the_port_itself_is_left_the_probe_waits(void **state)
{
    (void)state;
    assert_true(net_set_local_ports(40000, 40000));
    struct scan *scan = scan_ports("127.0.0.1", 40000, 40000, 300 * MSEC);
    assert_int_equal(scan->answered, 0);
    assert_true(scan->io->stats.local_waits > 0);
    assert_true(net_set_local_ports(32768, 60999));
    scan_sweep(scan, 0, 2 * SEC);
    assert_refused_by_reset(&scan->events[0]);
    scan_free(scan);
}

static void assert_one_of_many(const struct scan *scan, unsigned index)
{
    const struct connect_event *event = &scan->events[index];
    unsigned port = scan->specs[index].port;
    assert_int_equal(scan->unsent[index], 0);
    assert_int_equal(scan->event_counts[index], port % 16 != 2);
    if (port % 16 == 0)
        assert_int_equal(event->error, 0);
    else if (port % 16 == 1)
        assert_refused_by_icmp(event, ICMP4_UNREACHABLE, 3, "198.18.0.1");
    else if (port % 16 != 2)
        assert_refused_by_reset(event);
}

/* One port in 16 is silent and holds its socket for seconds: what is left is for the others. */
static void sixty_four_descriptors_make_probes_wait_and_no_state_false(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_max, 64);
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    scan_add_ports(scan, NET_MANY_FIRST, NET_MANY_FIRST + 1999);
    scan->silent = 2000 / 16;
    scan_sweep(scan, 0, 30 * SEC);
    for (unsigned i = 0; i < 2000; i++)
        assert_one_of_many(scan, i);
    assert_int_equal(scan->answered, 2000 - 2000 / 16);
    assert_true(scan->io->stats.local_waits > 0);
    scan_free(scan);
}

static void superseded_tries_make_room_first(void **state)
{
    (void)state;
    struct connect_options options = {.max_sockets = 20};
    struct scan *scan = scan_new(&options, "198.18.0.1", "198.18.0.1");
    for (int i = 0; i < 10; i++)
        scan_add(scan, &technique_connect, NET_SILENT);
    int before = descriptors_open();
    scan_sweep(scan, 0, 100 * MSEC);
    scan_sweep(scan, 1, SEC);
    assert_int_equal(descriptors_open(), before + 20);
    assert_int_equal(scan->io->stats.local_waits, 0);

    /* The first tries are over a second old now, and the table is full: ten more still go out at once. */
    int64_t start_ns = scan->io->ops->now(scan->io);
    scan_sweep(scan, 2, 50 * MSEC);
    assert_int_equal(descriptors_open(), before + 20);
    assert_int_equal(scan->io->stats.local_waits, 0);
    assert_in_range(scan->io->ops->now(scan->io) - start_ns, 0, 500 * MSEC);
    scan_free(scan);
}

int main(void)
{
    struct net *net = net_enter();
    if (!net)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_ports_are_all_right),
        cmocka_unit_test(few_local_ports_make_probes_wait_and_no_state_false),
        cmocka_unit_test(a_connection_to_itself_is_never_an_open_port),
        cmocka_unit_test(where_only_the_port_itself_is_left_the_probe_waits),
        cmocka_unit_test(superseded_tries_make_room_first),
    };
    const struct CMUnitTest with_few_descriptors[] = {
        cmocka_unit_test(sixty_four_descriptors_make_probes_wait_and_no_state_false),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64}; /* for good, without a capability */
    if (setrlimit(RLIMIT_NOFILE, &few))
        return 1;
    failed += cmocka_run_group_tests(with_few_descriptors, NULL, NULL);
    net_leave(net);
    return failed != 0;
}
