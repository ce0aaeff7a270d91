#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netio/connect/connect_test_scan.h"

#include "base/bitset.h"
#include "netio/connect/connect_test_net.h"
#include "netio/connect/socket.h"
#include "technique/rows.h"

static void on_connected(void *context, const struct connect_event *event)
{
    struct scan *scan = context;
    assert_int_equal(event->block_id, BLOCK_ID);
    assert_true(event->bit < block_probe_count(&scan->block));
    scan->events[event->bit] = *event;
    scan->event_counts[event->bit]++;
    scan->answered++;
    bitset_clear(scan->pending, event->bit);
}

static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct scan *scan = context;
    (void)time_ns;
    scan->packet = *packet;
    scan->packets++;
}

static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct scan *scan = context;
    assert_ptr_equal(order->block, &scan->block);
    scan->unsent[probe->bit] = error;
    scan->answered++;
    bitset_clear(scan->pending, probe->bit);
}

static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context;
    fail_msg("%llu replies lost in %lld ns", (unsigned long long)count, (long long)(to_ns - from_ns));
}

static const struct netio_events scan_events = {
    .packet = on_packet, .connected = on_connected, .unsent = on_unsent, .dropped = on_dropped};

struct scan *scan_new(const struct connect_options *options, const char *first, const char *last)
{
    static const struct connect_options defaults = {0};
    struct error err;
    struct scan *scan = calloc(1, sizeof *scan);
    assert_non_null(scan);
    if (connect_open(options ? options : &defaults, &scan->io, &err))
        fail_msg("%s", err.text);
    scan->io->events = &scan_events;
    scan->io->context = scan;

    struct addr_set targets = {0};
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(ports);
    assert_int_equal(addr_set_add(&targets, net_addr(first), net_addr(last)), 0);
    struct plan_options plan_options = {.seed = 1, .shard_count = 1};
    if (plan_init(&scan->plan, &targets, NULL, NULL, ports, &plan_options, &err))
        fail_msg("%s", err.text);
    free(ports);
    scan->key = (struct token_key){.secret = {{1, 2}}, .first_port = 20000, .port_count = 4096};
    scan->block = (struct block){
        .id = BLOCK_ID,
        .plan = &scan->plan,
        .host_count = (uint32_t)scan->plan.host_count,
        .specs = scan->specs,
        .pending = scan->pending,
    };
    return scan;
}

void scan_free(struct scan *scan)
{
    scan->io->ops->close(scan->io);
    plan_done(&scan->plan);
    free(scan);
}

void scan_add(struct scan *scan, const struct technique *technique, unsigned port)
{
    uint64_t probes = block_probe_count(&scan->block);
    assert_true(probes + scan->block.host_count <= PROBES_MAX);
    scan->specs[scan->block.spec_count++] =
        (struct probe_spec){.technique = technique, .port = (uint16_t)port};
    for (uint64_t bit = probes; bit < block_probe_count(&scan->block); bit++)
        bitset_set(scan->pending, bit);
    scan->block.rest = permutation_new(block_probe_count(&scan->block), 3);
}

void scan_add_ports(struct scan *scan, unsigned first, unsigned last)
{
    for (unsigned port = first; port <= last; port++)
        scan_add(scan, &technique_connect, port);
}

void scan_sweep(struct scan *scan, uint8_t try_number, int64_t for_ns)
{
    const struct netio_ops *ops = scan->io->ops;
    int64_t until_ns = ops->now(scan->io) + for_ns;
    struct order order = {
        .block = &scan->block,
        .key = &scan->key,
        .end = block_probe_count(&scan->block),
        .limit = UINT32_MAX,
        .try_number = try_number,
    };
    while (order.next < order.end && ops->now(scan->io) < until_ns)
        ops->work(scan->io, &order, until_ns);
    while (scan->answered + scan->silent < order.end && ops->now(scan->io) < until_ns)
        ops->work(scan->io, NULL, until_ns);
}

void scan_listen(struct scan *scan, int64_t for_ns)
{
    scan->io->ops->work(scan->io, NULL, scan->io->ops->now(scan->io) + for_ns);
}

struct scan *scan_ports(const char *host, unsigned first, unsigned last, int64_t for_ns)
{
    struct scan *scan = scan_new(NULL, host, host);
    scan_add_ports(scan, first, last);
    scan_sweep(scan, 0, for_ns);
    return scan;
}

int descriptors_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    int count = -1; /* not the directory itself */
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

int listen_on(const char *host, uint16_t port, uint16_t *ret_port)
{
    struct addr addr = net_addr(host);
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(&addr, port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &address.any, len), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, &address.any, &len), 0);
    const void *wire = addr.family == ADDR_V4 ? (const void *)&address.v4.sin_port : &address.v6.sin6_port;
    uint8_t bytes[2];
    memcpy(bytes, wire, sizeof bytes);
    *ret_port = get_be16(bytes);
    return fd;
}

void assert_refused_by_reset(const struct connect_event *event)
{
    assert_int_equal(event->error, ECONNREFUSED);
    assert_true(event->reset_seen);
    assert_false(event->has_icmp);
}

void assert_refused_by_icmp(const struct connect_event *event, unsigned type, unsigned code, const char *from)
{
    struct addr offender = net_addr(from);
    assert_int_not_equal(event->error, 0);
    assert_false(event->reset_seen);
    assert_true(event->has_icmp);
    assert_int_equal(event->icmp_type, type);
    assert_int_equal(event->icmp_code, code);
    assert_true(addr_equal(&event->offender, &offender));
}
