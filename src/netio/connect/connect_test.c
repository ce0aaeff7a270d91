/* What the connect backend says of every kind of answer, without any capability, in a network of its own
 * (connect_test_net.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "netio/connect/connect.h"
#include "netio/connect/connect_test_net.h"
#include "netio/connect/connect_test_scan.h"
#include "technique/rows.h"

static struct connect_event only_event(const char *host, unsigned port, int64_t for_ns)
{
    struct scan *scan = scan_ports(host, port, port, for_ns);
    struct connect_event event = scan->events[0];
    if (scan->event_counts[0] != 1)
        fail_msg("%s port %u: %u events", host, port, scan->event_counts[0]);
    scan_free(scan);
    return event;
}

static bool is_silent(const char *host, unsigned port, int64_t for_ns)
{
    struct scan *scan = scan_ports(host, port, port, for_ns);
    bool silent = scan->answered == 0;
    scan_free(scan);
    return silent;
}

static void a_listening_port_is_connected_and_nothing_of_it_stays(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        uint16_t port = 0;
        int fd = listen_on(hosts[i], 0, &port);
        struct connect_event event = only_event(hosts[i], port, SEC);
        assert_int_equal(event.error, 0);
        assert_in_range(event.rtt_ns, 1, 100 * MSEC);
        close(fd);
    }
    assert_int_equal(net_time_wait_count(), 0);
}

static void a_closed_port_is_refused_by_a_reset(void **state)
{
    (void)state;
    struct connect_event local4 = only_event("127.0.0.1", 1, SEC);
    struct connect_event local6 = only_event("::1", 1, SEC);
    struct connect_event remote4 = only_event("198.18.0.1", NET_RESET, SEC);
    struct connect_event remote6 = only_event("2001:db8::1", NET_RESET, SEC);
    assert_refused_by_reset(&local4);
    assert_refused_by_reset(&local6);
    assert_refused_by_reset(&remote4);
    assert_refused_by_reset(&remote6);
    assert_in_range(remote4.rtt_ns, 1, 500 * MSEC);
}

/* What of IPv4 the kernel keeps to itself: fragmentation needed (type 3 code 4, for the path MTU), source
 * quench and redirects (types 4 and 5), reassembly time exceeded (type 11 code 1). Types 6 to 10 are no
 * errors. */
static bool kernel_tells_icmp4(unsigned type, unsigned code)
{
    return (type == 3 && code != 4) || (type == 11 && code == 0) || (type == 12 && code <= 2);
}

/* Connect to the ports that were added, at NET_ICMP_FIRST and above: each is refused by the error that its
 * number names. */
static void expect_icmp_by_number(struct scan *scan, const char *host)
{
    scan_sweep(scan, 0, 2 * SEC);
    assert_int_equal(scan->answered, scan->block.spec_count);
    for (uint32_t i = 0; i < scan->block.spec_count; i++) {
        unsigned number = scan->specs[i].port - NET_ICMP_FIRST;
        assert_refused_by_icmp(&scan->events[i], number / 16, number % 16, host);
    }
    scan_free(scan);
}

static void every_icmp_error_over_ipv4_is_told_by_type_and_code(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    for (unsigned type = 3; type <= 12; type++)
        for (unsigned code = 0; code < 16; code++)
            if (kernel_tells_icmp4(type, code))
                scan_add(scan, &technique_connect, NET_ICMP_FIRST + 16 * type + code);
    expect_icmp_by_number(scan, "198.18.0.1");
}

static void every_icmp_error_over_ipv6_is_told_by_type_and_code(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "2001:db8::1", "2001:db8::1");
    for (unsigned code = 0; code <= 7; code++)
        scan_add(scan, &technique_connect, NET_ICMP_FIRST + 16 * ICMP6_UNREACHABLE + code);
    for (unsigned code = 0; code <= 1; code++)
        scan_add(scan, &technique_connect, NET_ICMP_FIRST + 16 * ICMP6_TIME_EXCEEDED + code);
    for (unsigned code = 0; code <= 2; code++)
        scan_add(scan, &technique_connect, NET_ICMP_FIRST + 16 * ICMP6_PARAM_PROBLEM + code);
    expect_icmp_by_number(scan, "2001:db8::1");
}

/* On loopback the error arrives while the socket is still inside connect(), and does not end it. */
static void a_reject_of_the_local_firewall_is_told_at_once(void **state)
{
    (void)state;
    static const unsigned codes4[] = {0, 1, 2, 3, 9, 10, 13};
    static const unsigned codes6[] = {0, 1, 3, 4, 5, 6};
    for (size_t i = 0; i < sizeof codes4 / sizeof codes4[0]; i++) {
        struct connect_event event = only_event("127.0.0.1", NET_REJECT_FIRST + codes4[i], 500 * MSEC);
        assert_refused_by_icmp(&event, ICMP4_UNREACHABLE, codes4[i], "127.0.0.1");
    }
    for (size_t i = 0; i < sizeof codes6 / sizeof codes6[0]; i++) {
        struct connect_event event = only_event("::1", NET_REJECT_FIRST + codes6[i], 500 * MSEC);
        assert_refused_by_icmp(&event, ICMP6_UNREACHABLE, codes6[i], "::1");
    }
}

static void an_icmp_error_names_the_router_that_sent_it(void **state)
{
    (void)state;
    struct connect_event event4 = only_event("198.18.0.1", NET_ROUTER, SEC);
    struct connect_event event6 = only_event("2001:db8::1", NET_ROUTER, SEC);
    assert_refused_by_icmp(&event4, ICMP4_UNREACHABLE, 13, NET_ROUTER_V4);
    assert_refused_by_icmp(&event6, ICMP6_UNREACHABLE, 1, NET_ROUTER_V6);
}

static void a_segment_that_proves_nothing_does_not_make_an_icmp_error_a_reset(void **state)
{
    (void)state;
    struct connect_event event = only_event("198.18.0.1", NET_WRONG_ACK_ICMP, SEC);
    assert_refused_by_icmp(&event, ICMP4_UNREACHABLE, 3, "198.18.0.1");
    assert_true(is_silent("198.18.0.1", NET_WRONG_ACK, 300 * MSEC));
}

static void a_port_that_resets_after_its_handshake_was_open(void **state)
{
    (void)state;
    struct connect_event event4 = only_event("198.18.0.1", NET_OPEN_RESET, SEC);
    struct connect_event event6 = only_event("2001:db8::1", NET_OPEN_RESET, SEC);
    assert_int_equal(event4.error, 0);
    assert_int_equal(event6.error, 0);
}

/* Also when the kernel gives up by itself, 3 s after the start. */
static void silence_is_no_answer(void **state)
{
    (void)state;
    assert_true(is_silent("198.18.0.1", NET_SILENT, 3500 * MSEC));
    assert_true(is_silent("2001:db8::1", NET_SILENT, 300 * MSEC));
}

static void an_answer_after_more_than_a_second_counts(void **state)
{
    (void)state;
    struct connect_event open = only_event("198.18.0.1", NET_SLOW_OPEN, 3 * SEC);
    struct connect_event closed = only_event("2001:db8::1", NET_SLOW_RESET, 3 * SEC);
    assert_int_equal(open.error, 0);
    assert_refused_by_reset(&closed);
    /* The kernel had repeated the SYN by then: whose answer it was is not known (Karn's algorithm). */
    assert_int_equal(closed.rtt_ns, 0);
}

static void the_answer_to_a_second_try_names_it_and_closes_the_first(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    int before = descriptors_open();
    scan_add(scan, &technique_connect, NET_SECOND_RESET);
    scan_sweep(scan, 0, 100 * MSEC);
    assert_int_equal(scan->answered, 0);
    assert_int_equal(descriptors_open(), before + 1);
    scan_sweep(scan, 1, SEC);
    assert_int_equal(scan->event_counts[0], 1);
    assert_int_equal(scan->events[0].try_number, 1);
    assert_refused_by_reset(&scan->events[0]);
    assert_int_equal(descriptors_open(), before + 1); /* the one that was refused is kept */
    scan_free(scan);
}

/* Each port is asked in a sweep of its own, with the socket that the one before was asked with. */
static void a_socket_that_was_refused_tells_the_truth_of_the_next_port(void **state)
{
    (void)state;
    static const unsigned ports[] = {NET_RESET, NET_RESET, NET_OPEN, NET_RESET, NET_ICMP_FIRST + 3 * 16 + 13};
    static const int kept[] = {1, 1, 0, 1, 0};
    const char *const hosts[] = {"198.18.0.1", "2001:db8::1"};
    for (size_t h = 0; h < 2; h++) {
        struct scan *scan = scan_new(NULL, hosts[h], hosts[h]);
        int before = descriptors_open();
        for (unsigned i = 0; i < 4 + (h == 0); i++) {
            scan_add(scan, &technique_connect, ports[i]);
            scan_sweep(scan, 0, SEC);
            assert_int_equal(scan->event_counts[i], 1);
            assert_int_equal(descriptors_open(), before + kept[i]);
        }
        assert_refused_by_reset(&scan->events[0]);
        assert_refused_by_reset(&scan->events[1]);
        assert_int_equal(scan->events[2].error, 0);
        assert_refused_by_reset(&scan->events[3]);
        if (h == 0)
            assert_refused_by_icmp(&scan->events[4], 3, 13, "198.18.0.1");
        scan_free(scan);
    }
}

/* What is better evidence is for the engine to say: all it needs is to hear of both. */
static void after_an_icmp_error_an_earlier_try_is_still_heard(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    scan_add(scan, &technique_connect, NET_FIRST_OPEN);
    scan_sweep(scan, 0, 50 * MSEC);
    assert_int_equal(scan->answered, 0);
    scan_sweep(scan, 1, SEC);
    assert_int_equal(scan->event_counts[0], 1);
    assert_int_equal(scan->events[0].try_number, 1);
    assert_refused_by_icmp(&scan->events[0], ICMP4_UNREACHABLE, 1, "198.18.0.1");
    scan_listen(scan, SEC);
    assert_int_equal(scan->event_counts[0], 2);
    assert_int_equal(scan->events[0].try_number, 0);
    assert_int_equal(scan->events[0].error, 0);
    scan_free(scan);
}

static void what_cannot_leave_is_unsent_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int error;
    } rows[] = {{NET_NOWHERE, ENETUNREACH}, {NET_FORBIDDEN, EACCES}, {"2001:db8:1::1", ENETUNREACH}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scan *scan = scan_ports(rows[i].host, 80, 80, SEC);
        assert_int_equal(scan->unsent[0], rows[i].error);
        assert_int_equal(scan->io->stats.send_errors, 1);
        assert_int_equal(scan->event_counts[0], 0);
        scan_free(scan);
    }
}

static void a_technique_of_packets_is_unsent_as_not_supported(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    scan_add(scan, &technique_syn, 80);
    scan_sweep(scan, 0, SEC);
    assert_int_equal(scan->unsent[0], EOPNOTSUPP);
    scan_free(scan);
}

static void reach_and_source_are_known_without_a_packet(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum reach reach;
        const char *source;
    } rows[] = {
        {"127.0.0.1", REACH_LOCAL, "127.0.0.1"},
        {"127.1.2.3", REACH_LOCAL, "127.0.0.1"},
        {"::1", REACH_LOCAL, "::1"},
        {NET_SELF_V4, REACH_LOCAL, NET_SELF_V4},
        {NET_SELF_V6, REACH_LOCAL, NET_SELF_V6},
        {"198.18.7.7", REACH_ROUTED, NET_SELF_V4},
        {"2001:db8::7", REACH_ROUTED, NET_SELF_V6},
        {NET_NOWHERE, REACH_NONE, NULL},
        {NET_FORBIDDEN, REACH_NONE, NULL},
    };
    struct net *net = *state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    net_seen(net);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) { /* the second time from the cache */
        size_t row = i % (sizeof rows / sizeof rows[0]);
        struct addr host = net_addr(rows[row].host);
        struct addr expected = rows[row].source ? net_addr(rows[row].source) : (struct addr){0};
        assert_int_equal(scan->io->ops->reach(scan->io, &host), rows[row].reach);
        struct addr source = scan->io->ops->source(scan->io, &host);
        assert_true(addr_equal(&source, &expected));
    }
    assert_int_equal(net_seen(net).syns, 0);
    scan_free(scan);
}

static void source_address_interface_and_ttl_are_as_asked(void **state)
{
    struct net *net = *state;
    struct connect_options options = {
        .interface = NET_INTERFACE, .source4 = net_addr(NET_OTHER_V4), .ttl = 77};
    struct scan *scan = scan_new(&options, "198.18.0.1", "198.18.0.1");
    scan_add(scan, &technique_connect, NET_OPEN);
    net_seen(net);
    scan_sweep(scan, 0, SEC);
    assert_int_equal(scan->event_counts[0], 1);
    struct player_seen seen = net_seen(net);
    assert_int_equal(seen.syns, 1);
    assert_int_equal(seen.ttl, 77);
    assert_true(addr_equal(&seen.src, &options.source4));
    struct addr source = scan->io->ops->source(scan->io, &seen.src);
    assert_true(addr_equal(&source, &options.source4));
    scan_free(scan);
}

static void an_interface_or_address_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct netio *io = NULL;
    struct error err;
    struct connect_options interface = {.interface = "nonesuch0"};
    struct connect_options source = {.source4 = net_addr("203.0.113.77")};
    assert_int_equal(connect_open(&interface, &io, &err), -EX_UNAVAILABLE);
    assert_non_null(strstr(err.text, "nonesuch0"));
    assert_int_equal(connect_open(&source, &io, &err), -EX_UNAVAILABLE);
    assert_non_null(strstr(err.text, "203.0.113.77"));
    assert_null(io);
}

/* The reply must prove itself by the same number as one that a raw socket would have got. */
static void check_echo(const char *host)
{
    struct scan *scan = scan_new(NULL, host, host);
    assert_true(scan->io->ops->can(scan->io, REQUEST_PACKET));
    scan_add(scan, &technique_ping_echo, 0);
    scan_sweep(scan, 2, 300 * MSEC);
    assert_int_equal(scan->packets, 1);

    struct addr dst = net_addr(host);
    assert_true(addr_equal(&scan->packet.src, &dst));
    struct addr self = net_addr(dst.family == ADDR_V4 ? NET_SELF_V4 : NET_SELF_V6);
    assert_true(addr_equal(&scan->packet.dst, &self));
    assert_int_equal(scan->packet.ttl, 64);
    assert_int_equal(scan->packet.payload_len, 0);
    struct answer answer;
    assert_true(technique_ping_echo.judge(&technique_ping_echo, &scan->packet, &answer));
    assert_int_equal(answer.number_count, 1);
    struct token_subject subject = token_subject_of(&technique_ping_echo, &dst, 0);
    uint8_t try_number = 0;
    int64_t sent_ns = 0;
    int64_t now_ns = scan->io->ops->now(scan->io);
    assert_true(token_check(&scan->key, &subject, 0, answer.numbers[0], now_ns, &try_number, &sent_ns));
    assert_int_equal(try_number, 2);
    assert_in_range(now_ns - sent_ns, 0, SEC);
    scan_free(scan);
}

static void an_echo_through_a_ping_socket_proves_itself(void **state)
{
    (void)state;
    assert_true(net_allow_pings());
    check_echo("198.18.0.1");
    check_echo("2001:db8::1");
}

static void without_permission_for_ping_sockets_packets_cannot_be_asked(void **state)
{
    (void)state;
    struct scan *scan = scan_new(NULL, "198.18.0.1", "198.18.0.1");
    assert_true(scan->io->ops->can(scan->io, REQUEST_CONNECT));
    assert_false(scan->io->ops->can(scan->io, REQUEST_PACKET));
    assert_false(scan->io->ops->can(scan->io, REQUEST_NEIGHBOR));
    scan_add(scan, &technique_ping_echo, 0);
    scan_sweep(scan, 0, SEC);
    assert_int_equal(scan->unsent[0], EPROTONOSUPPORT);
    scan_free(scan);
}

int main(void)
{
    struct net *net = net_enter();
    if (!net)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_listening_port_is_connected_and_nothing_of_it_stays, net),
        cmocka_unit_test_prestate(a_closed_port_is_refused_by_a_reset, net),
        cmocka_unit_test_prestate(every_icmp_error_over_ipv4_is_told_by_type_and_code, net),
        cmocka_unit_test_prestate(every_icmp_error_over_ipv6_is_told_by_type_and_code, net),
        cmocka_unit_test_prestate(a_reject_of_the_local_firewall_is_told_at_once, net),
        cmocka_unit_test_prestate(an_icmp_error_names_the_router_that_sent_it, net),
        cmocka_unit_test_prestate(a_segment_that_proves_nothing_does_not_make_an_icmp_error_a_reset, net),
        cmocka_unit_test_prestate(a_port_that_resets_after_its_handshake_was_open, net),
        cmocka_unit_test_prestate(silence_is_no_answer, net),
        cmocka_unit_test_prestate(an_answer_after_more_than_a_second_counts, net),
        cmocka_unit_test(a_socket_that_was_refused_tells_the_truth_of_the_next_port),
        cmocka_unit_test_prestate(the_answer_to_a_second_try_names_it_and_closes_the_first, net),
        cmocka_unit_test_prestate(after_an_icmp_error_an_earlier_try_is_still_heard, net),
        cmocka_unit_test_prestate(what_cannot_leave_is_unsent_with_the_reason, net),
        cmocka_unit_test_prestate(a_technique_of_packets_is_unsent_as_not_supported, net),
        cmocka_unit_test_prestate(reach_and_source_are_known_without_a_packet, net),
        cmocka_unit_test_prestate(source_address_interface_and_ttl_are_as_asked, net),
        cmocka_unit_test_prestate(an_interface_or_address_that_is_not_there_is_refused, net),
        cmocka_unit_test_prestate(without_permission_for_ping_sockets_packets_cannot_be_asked, net),
        /* From here on ping sockets are allowed. */
        cmocka_unit_test_prestate(an_echo_through_a_ping_socket_proves_itself, net),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_leave(net);
    return failed != 0;
}
