/* UDP scans through unconnected sockets, without any capability: each answer and each ICMP error becomes a
 * packet from which the technique concludes the same as with raw sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bitset.h"
#include "base/time.h"
#include "netio/connect/connect_test_net.h"
#include "netio/connect/connect_test_scan.h"
#include "netio/connect/socket.h"
#include "netio/connect/udp.h"
#include "technique/rows.h"

#define PORTS_MAX   256
#define CLOSED_PORT 7 /* of loopback */

/* A scan, and what the technique concluded of each port. */
struct udp_scan {
    struct scan *scan;
    struct addr host;
    struct verdict verdicts[PORTS_MAX];
    uint32_t answers[PORTS_MAX];
    uint8_t tries[PORTS_MAX]; /* that the source port named */
};

static void take(void *context, int64_t time_ns, const struct packet *packet)
{
    struct udp_scan *udp = context;
    (void)time_ns;
    const struct addr *from = packet->has_quote ? &packet->quote.dst : &packet->src;
    uint16_t port = packet->has_quote ? packet->quote.port : packet->udp.source_port;
    uint16_t source_port = packet->has_quote ? packet->quote.source_port : packet->udp.port;
    assert_true(addr_equal(from, &udp->host));
    for (uint32_t i = 0; i < udp->scan->block.spec_count; i++) {
        struct answer answer;
        if (udp->scan->specs[i].port != port)
            continue;
        assert_true(technique_udp.judge(&technique_udp, packet, &answer));
        struct token_subject subject = token_subject_of(&technique_udp, &udp->host, port);
        assert_true(token_try_of_port(&udp->scan->key, &subject, source_port, &udp->tries[i]));
        udp->verdicts[i] = answer.verdict;
        udp->answers[i]++;
        bitset_clear(udp->scan->pending, i);
        udp->scan->answered++;
        return;
    }
    fail_msg("an answer from port %u, which was not asked", port);
}

static void no_connection(void *context, const struct connect_event *event)
{
    (void)context;
    fail_msg("a connection, bit %llu", (unsigned long long)event->bit);
}

static void not_sent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct udp_scan *udp = context;
    (void)order;
    udp->scan->unsent[probe->bit] = error;
    udp->scan->answered++;
}

static void no_drops(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context;
    fail_msg("%llu lost in %lld ns", (unsigned long long)count, (long long)(to_ns - from_ns));
}

static const struct netio_events udp_events = {
    .packet = take, .connected = no_connection, .unsent = not_sent, .dropped = no_drops};

static void udp_begin(struct udp_scan *udp, const char *host)
{
    memset(udp, 0, sizeof *udp);
    udp->scan = scan_new(NULL, host, host);
    udp->host = net_addr(host);
    udp->scan->key.port_count = 2 * TOKEN_TRIES_MAX;
    udp->scan->io->events = &udp_events;
    udp->scan->io->context = udp;
}

static void udp_ask(struct udp_scan *udp, unsigned first, unsigned last)
{
    for (unsigned port = first; port <= last; port++)
        scan_add(udp->scan, &technique_udp, port);
}

/* The scan of one port after one sweep. */
static struct verdict verdict_of(const char *host, unsigned port)
{
    struct udp_scan udp;
    udp_begin(&udp, host);
    udp_ask(&udp, port, port);
    scan_sweep(udp.scan, 0, SEC);
    struct verdict verdict = udp.verdicts[0];
    assert_int_equal(udp.answers[0], 1);
    scan_free(udp.scan);
    return verdict;
}

static void a_datagram_shows_an_open_port_and_its_ttl(void **state)
{
    (void)state;
    static const char *const hosts[] = {"198.18.0.1", "2001:db8::1"};
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = verdict_of(hosts[i], NET_OPEN);
        assert_int_equal(verdict.state, PORT_OPEN);
        assert_int_equal(verdict.reason, REASON_UDP_RESPONSE);
        assert_int_equal(verdict.ttl, 64);
    }
}

static void a_port_unreachable_of_the_target_shows_a_closed_port(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = verdict_of(hosts[i], CLOSED_PORT);
        assert_int_equal(verdict.state, PORT_CLOSED);
        assert_int_equal(verdict.reason, REASON_PORT_UNREACH);
        assert_int_equal(verdict.rank, RANK_ICMP_TARGET);
        assert_int_equal(verdict.source.family, ADDR_NONE);
    }
    assert_int_equal(verdict_of("198.18.0.1", NET_ICMP_FIRST + 16 * ICMP4_UNREACHABLE + 3).state,
                     PORT_CLOSED);
    assert_int_equal(verdict_of("198.18.0.1", NET_ICMP_FIRST + 16 * ICMP4_UNREACHABLE + 3).ttl, 64);
    assert_int_equal(verdict_of("2001:db8::1", NET_ICMP_FIRST + 16 * ICMP6_UNREACHABLE + 4).state,
                     PORT_CLOSED);
}

/* The same as unreachable.c says of a packet, for every error that the kernel tells of. */
static void check_errors(const char *host, uint8_t type, unsigned first_code, unsigned last_code)
{
    struct udp_scan udp;
    udp_begin(&udp, host);
    udp_ask(&udp, NET_ICMP_FIRST + 16u * type + first_code, NET_ICMP_FIRST + 16u * type + last_code);
    scan_sweep(udp.scan, 0, SEC);
    for (unsigned i = 0; i < udp.scan->block.spec_count; i++) {
        struct packet packet = {
            .layer = udp.host.family == ADDR_V4 ? LAYER_ICMP4 : LAYER_ICMP6,
            .src = udp.host,
            .icmp = {.type = type, .code = (uint8_t)(first_code + i)},
            .has_quote = true,
            .quote = {.dst = udp.host},
        };
        struct answer expected;
        assert_true(technique_udp.judge(&technique_udp, &packet, &expected));
        if (udp.answers[i] != 1)
            fail_msg("type %u code %u: %u answers", type, first_code + i, udp.answers[i]);
        assert_string_equal(state_name((enum port_state)udp.verdicts[i].state),
                            state_name((enum port_state)expected.verdict.state));
        assert_string_equal(reason_name((enum reason)udp.verdicts[i].reason),
                            reason_name((enum reason)expected.verdict.reason));
        assert_int_equal(udp.verdicts[i].rank, expected.verdict.rank);
    }
    scan_free(udp.scan);
}

static void every_icmp_error_means_what_it_does_with_privilege(void **state)
{
    (void)state;
    check_errors("198.18.0.1", ICMP4_UNREACHABLE, 0, 3);
    check_errors("198.18.0.1", ICMP4_UNREACHABLE, 5, 15); /* 4, fragmentation needed, the kernel keeps */
    check_errors("198.18.0.1", ICMP4_TIME_EXCEEDED, 0, 0);
    check_errors("2001:db8::1", ICMP6_UNREACHABLE, 0, 7);
    check_errors("2001:db8::1", ICMP6_TIME_EXCEEDED, 0, 0);
}

static void an_error_names_the_router_that_sent_it(void **state)
{
    (void)state;
    static const char *const hosts[] = {"198.18.0.1", "2001:db8::1"};
    static const char *const routers[] = {NET_ROUTER_V4, NET_ROUTER_V6};
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = verdict_of(hosts[i], NET_ROUTER);
        struct addr router = net_addr(routers[i]);
        assert_int_equal(verdict.state, PORT_FILTERED);
        assert_int_equal(verdict.reason, REASON_ADMIN_PROHIBITED);
        assert_true(addr_equal(&verdict.source, &router));
    }
}

static void a_reject_of_the_local_firewall_is_told(void **state)
{
    (void)state;
    static const enum reason reasons[] = {REASON_NET_UNREACH, REASON_HOST_UNREACH, REASON_PROTO_UNREACH};
    for (unsigned code = 0; code < 3; code++) {
        struct verdict verdict = verdict_of("127.0.0.1", NET_REJECT_FIRST + code);
        assert_int_equal(verdict.state, PORT_FILTERED);
        assert_int_equal(verdict.reason, reasons[code]);
    }
}

/* On loopback a probe may meet a socket of ours: that is no service. */
static void our_own_sockets_are_not_open_ports(void **state)
{
    (void)state;
    struct udp_scan udp;
    udp_begin(&udp, "127.0.0.1");
    udp_ask(&udp, udp.scan->key.first_port, udp.scan->key.first_port + udp.scan->key.port_count - 1u);
    for (uint8_t try_number = 0; try_number < 3; try_number++)
        scan_sweep(udp.scan, try_number, 100 * MSEC);
    for (uint32_t i = 0; i < udp.scan->block.spec_count; i++)
        assert_int_not_equal(udp.verdicts[i].state, PORT_OPEN);
    scan_free(udp.scan);
}

static void silence_is_no_answer(void **state)
{
    (void)state;
    struct udp_scan udp;
    udp_begin(&udp, "198.18.0.1");
    udp_ask(&udp, NET_SILENT, NET_SILENT);
    scan_sweep(udp.scan, 0, 200 * MSEC);
    assert_int_equal(udp.scan->answered, 0);
    scan_free(udp.scan);
}

/* An error that waits in the queue is also told by the next sendto of the same socket: no probe may be lost
 * by it. */
static void every_probe_leaves_while_errors_come_back(void **state)
{
    (void)state;
    struct udp_scan udp;
    udp_begin(&udp, "127.0.0.1");
    udp_ask(&udp, 30001, 30000 + PORTS_MAX);
    for (uint8_t try_number = 0; try_number < 3; try_number++) {
        udp.scan->answered = 0;
        for (uint32_t i = 0; i < PORTS_MAX; i++)
            bitset_set(udp.scan->pending, i);
        scan_sweep(udp.scan, try_number, 3 * SEC);
        assert_int_equal(udp.scan->io->stats.send_errors, 0);
        for (uint32_t i = 0; i < PORTS_MAX; i++) {
            assert_int_equal(udp.answers[i], try_number + 1);
            assert_int_equal(udp.tries[i], try_number);
            assert_int_equal(udp.verdicts[i].state, PORT_CLOSED);
        }
    }
    scan_free(udp.scan);
}

/* Even where the key has many more source ports than there may be sockets. */
static void the_number_of_sockets_is_bounded(void **state)
{
    (void)state;
    int before = descriptors_open();
    struct udp_scan udp;
    udp_begin(&udp, "198.18.0.1");
    int opened = descriptors_open();
    udp.scan->key.port_count = 4096;
    udp_ask(&udp, NET_MANY_FIRST, NET_MANY_FIRST + PORTS_MAX - 1);
    scan_sweep(udp.scan, 0, 200 * MSEC);
    assert_int_equal(descriptors_open(), opened + CONNECT_UDP_SOCKETS);
    assert_int_equal(udp.scan->io->stats.packets_sent, PORTS_MAX);
    scan_free(udp.scan);
    assert_int_equal(descriptors_open(), before);
}

static void a_source_port_that_is_taken_is_said(void **state)
{
    (void)state;
    struct udp_scan udp;
    udp_begin(&udp, "127.0.0.1");
    struct token_subject subject = token_subject_of(&technique_udp, &udp.host, CLOSED_PORT);
    struct token token = token_make(&udp.scan->key, &subject, 0, 0);
    struct addr any = {.family = ADDR_V4};
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(&any, token.source_port, &address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, &address.any, len), 0);
    udp_ask(&udp, CLOSED_PORT, CLOSED_PORT);
    scan_sweep(udp.scan, 0, SEC);
    assert_int_equal(udp.scan->unsent[0], EADDRINUSE);
    close(fd);
    scan_free(udp.scan);
}

int main(void)
{
    struct net *net = net_enter();
    if (!net)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_shows_an_open_port_and_its_ttl),
        cmocka_unit_test(a_port_unreachable_of_the_target_shows_a_closed_port),
        cmocka_unit_test(every_icmp_error_means_what_it_does_with_privilege),
        cmocka_unit_test(an_error_names_the_router_that_sent_it),
        cmocka_unit_test(a_reject_of_the_local_firewall_is_told),
        cmocka_unit_test(our_own_sockets_are_not_open_ports),
        cmocka_unit_test(silence_is_no_answer),
        cmocka_unit_test(every_probe_leaves_while_errors_come_back),
        cmocka_unit_test(the_number_of_sockets_is_bounded),
        cmocka_unit_test(a_source_port_that_is_taken_is_said),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_leave(net);
    return failed != 0;
}
