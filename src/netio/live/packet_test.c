/* What the packet backend does beyond the contract: neighbours and gateways, full queues, a flood, and all of
 * it without privilege once the sockets are open. In namespaces of its own (netns_lab.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bitset.h"
#include "base/own.h"
#include "netio/live/capture_queue.h"
#include "netio/netio_bench.h"
#include "netio/netns_lab.h"

#define FLOOD     200000
#define FRAME_LEN 54

static struct bench *packet_bench(const char *host)
{
    struct bench *bench = bench_new(host, "syn");
    bench_open_live(bench, "packet", &(struct route_options){0});
    return bench;
}

/* Ask for the station of the bench's host, and wait for the answer. */
static void ask_neighbor(struct bench *bench)
{
    struct probe_spec spec = {technique_find("neighbor"), 0};
    uint64_t pending = 1;
    struct block block = bench->block;
    block.specs = &spec;
    block.spec_count = 1;
    block.rest = permutation_identity(1);
    block.pending = &pending;
    struct order order = {.block = &block, .key = &bench->key, .end = 1, .limit = 1, .rate_pps = 1e5};
    bench_work_off(bench, &order);
    int64_t end_ns = bench->io->ops->now(bench->io) + 300 * MSEC;
    while (!bench->neighbor_answers && bench->io->ops->now(bench->io) < end_ns)
        bench->io->ops->work(bench->io, NULL, end_ns);
}

static void a_neighbour_that_was_asked_for_can_be_probed(void **state)
{
    (void)state;
    char zoned[64];
    snprintf(zoned, sizeof zoned, "fe80::ff:fe00:2%%%s", "near");
    const char *const hosts[] = {"198.18.0.2", "2001:db8::2", zoned};
    for (size_t i = 0; i < 3; i++) {
        struct bench *bench = packet_bench(hosts[i]);
        struct addr host = plan_host_at(&bench->plan, 0);
        assert_int_equal(bench->io->ops->reach(bench->io, &host), REACH_LINK);
        ask_neighbor(bench);
        assert_int_equal(bench->neighbor_answers, 1);
        bench_expect_all(bench);
        bench_free(bench);
    }
}

/* A scan that goes on does not ask again for hosts that it had found up, and the kernel may have forgotten
 * them. */
static void a_neighbour_that_nobody_asked_for_is_asked_for(void **state)
{
    const struct netns_lab *lab = *state;
    const char *const hosts[] = {"198.18.0.2", "2001:db8::2"};
    netns_lab_run(lab->near, "ip neigh flush all");
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = packet_bench(hosts[i]);
        bench_expect_all(bench);
        bench_free(bench);
    }
}

static void a_neighbour_that_does_not_answer_stays_out_of_reach(void **state)
{
    (void)state;
    const char *const hosts[] = {"198.18.0.77", "2001:db8::77"};
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = packet_bench(hosts[i]);
        ask_neighbor(bench);
        assert_int_equal(bench->neighbor_answers, 0);
        bench_expect_unsent(bench, EHOSTUNREACH);
        bench_free(bench);
    }
}

static void what_is_not_on_the_link_cannot_be_asked_for(void **state)
{
    (void)state;
    struct bench *bench = bench_new("203.0.113.5", "neighbor");
    bench_open_live(bench, "packet", &(struct route_options){0});
    bench_expect_unsent(bench, EHOSTUNREACH);
    bench_free(bench);
}

static void a_gateway_that_does_not_answer_is_given_up_after_twelve_questions(void **state)
{
    (void)state;
    struct bench *bench = packet_bench("198.51.100.5");
    struct netio *io = bench->io;
    struct order order = bench_order(bench);
    int64_t start_ns = io->ops->now(io);
    io->ops->work(io, &order, start_ns + 500 * MSEC);
    assert_true(io->ops->now(io) >= start_ns + 500 * MSEC);
    assert_int_equal(order.next, 0); /* it waits, and loses nothing */
    assert_int_equal(order.limit, BENCH_PROBES);
    assert_int_equal(bench->unsent_count, 0);
    assert_in_range(io->stats.packets_sent, 1, 6); /* a question each 100 ms */
    bench_work_off(bench, &order);
    assert_int_equal(bench->unsent_count, BENCH_PROBES);
    assert_int_equal(io->stats.packets_sent, 12);
    assert_true(io->ops->now(io) >= start_ns + 1190 * MSEC);
    bench_free(bench);
}

/* A packet socket in the far namespace: what a neighbour on the same wire can do. */
static int open_far(const struct netns_lab *lab, struct sockaddr_ll *ret_name, uint16_t ethertype)
{
    assert_int_equal(setns(lab->far, CLONE_NEWNET), 0);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    *ret_name = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ethertype),
        .sll_ifindex = (int)if_nametoindex("far"),
        .sll_halen = 6,
    };
    assert_int_equal(setns(lab->near, CLONE_NEWNET), 0);
    assert_true(fd >= 0);
    return fd;
}

static void send_far(int fd, const struct sockaddr_ll *name, const uint8_t *frame, size_t len)
{
    struct sockaddr_ll to = *name;
    assert_int_equal(sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof to), len);
}

/* The start of a frame from `source` to the near end. */
static struct writer frame_to_near(uint8_t *data, size_t capacity, const uint8_t source[static 6],
                                   uint16_t ethertype)
{
    struct ethernet_header header = {.destination = {2, 0, 0, 0, 0, 1}, .ethertype = ethertype};
    memcpy(header.source, source, 6);
    struct writer out = writer_over(data, capacity);
    ethernet_write(&out, &header);
    return out;
}

static void an_arp_reply_nobody_asked_for_does_not_move_the_gateway(void **state)
{
    static const uint8_t liar[6] = {2, 0, 0, 0, 0, 0x66};
    struct bench *bench = packet_bench("203.0.113.5");
    struct order order = bench_order(bench);
    order.limit = 1; /* finds the gateway */
    bench_work_off(bench, &order);
    bench_listen(bench, 1);

    struct sockaddr_ll name;
    struct arp_packet reply = {.operation = ARP_REPLY, .target_mac = {2, 0, 0, 0, 0, 1}};
    uint8_t data[64];
    memcpy(reply.sender_mac, liar, 6);
    assert_true(addr_parse("198.18.0.2", &reply.sender));
    assert_true(addr_parse("198.18.0.1", &reply.target));
    struct writer out = frame_to_near(data, sizeof data, liar, ETHERTYPE_ARP_PACKET);
    arp_write(&out, &reply);
    assert_true(out.ok);
    own(close_fd) int fd = open_far(*state, &name, ETHERTYPE_ARP_PACKET);
    uint64_t received = bench->io->stats.packets_received;
    assert_int_equal(bench->neighbor_answers, 1); /* the gateway's own */
    send_far(fd, &name, data, writer_len(&out));
    bench_listen(bench, 0);
    assert_int_equal(bench->io->stats.packets_received, received + 1);
    assert_int_equal(bench->neighbor_answers, 1);

    order = bench_order(bench);
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES + 1);
    assert_int_equal(bench->answer_count, BENCH_PROBES + 1);
    bench_free(bench);
}

static void a_full_queue_delays_probes_and_loses_none(void **state)
{
    const struct netns_lab *lab = *state;
    const char *const backends[] = {"packet", "raw"};
    netns_lab_run(lab->near, "tc qdisc add dev near root tbf rate 4mbit burst 3000 limit 6000");
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = bench_new("203.0.113.5", "syn");
        bench_open_live(bench, backends[i], &(struct route_options){0});
        bench_expect_all(bench);
        assert_int_equal(bench->io->stats.send_errors, 0);
        bench_free(bench);
    }
    netns_lab_run(lab->near, "tc qdisc del dev near root");
}

static void a_firewall_of_our_own_is_reported_for_every_probe(void **state)
{
    const struct netns_lab *lab = *state;
    struct bench *bench = bench_new("203.0.113.5", "syn");
    netns_lab_run(lab->near,
                  "nft 'add table inet t; add chain inet t o { type filter hook output priority 0; };"
                  " add rule inet t o tcp flags syn drop'");
    bench_open_live(bench, "raw", &(struct route_options){0});
    bench_expect_unsent(bench, EPERM);
    assert_int_equal(bench->io->stats.send_errors, BENCH_PROBES);
    bench_free(bench);
    netns_lab_run(lab->near, "nft delete table inet t");
}

/* More answers at once than the ring holds, while nobody reads. */
static bool has_ring(void)
{
    char line[512];
    bool found = false;
    own(close_file) FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, "socket:") != NULL;
    return found;
}

static struct bench *told_bench(uint64_t probe_count)
{
    struct bench *bench = bench_new("203.0.113.5", "syn");
    bench->told_count = probe_count;
    bench_open_live(bench, "packet", &(struct route_options){0});
    return bench;
}

static void a_ring_is_made_only_for_many_probes(void **state)
{
    (void)state;
    static const struct {
        uint64_t probe_count;
        bool ring;
    } cases[] = {{1, false}, {CAPTURE_QUEUE_ANSWERS, false}, {CAPTURE_QUEUE_ANSWERS + 1, true}, {0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench *bench = told_bench(cases[i].probe_count);
        assert_int_equal(has_ring(), cases[i].ring);
        bench_expect_all(bench);
        bench_free(bench);
    }
}

/* Send more than there is room for. */
static void flood(const struct netns_lab *lab, uint64_t told_count)
{
    static const uint8_t source[6] = {2, 0, 0, 0, 0, 2};
    struct bench *bench = told_bench(told_count);
    struct sockaddr_ll name;
    uint8_t data[FRAME_LEN];
    struct writer out = frame_to_near(data, sizeof data, source, ETHERTYPE_IPV4);
    struct tcp_build tcp = {
        .header = {.source_port = BENCH_FIRST_PORT, .port = BENCH_SOURCE_PORT, .flags = TCP_RST | TCP_ACK}};
    struct ip_header ip = {.proto = IP_PROTO_TCP, .ttl = 64};
    assert_true(addr_parse("203.0.113.5", &ip.src));
    assert_true(addr_parse("198.18.0.1", &ip.dst));
    ip_write(&out, &ip, TCP_HEADER_LEN);
    tcp_write(&out, &ip.src, &ip.dst, &tcp);
    assert_true(out.ok);

    own(close_fd) int fd = open_far(lab, &name, ETHERTYPE_IPV4);
    for (int i = 0; i < FLOOD; i++)
        send_far(fd, &name, data, writer_len(&out));
    bench_listen(bench, 0);
    assert_true(bench->dropped_count > 0);
    assert_int_equal(bench->dropped_count, bench->io->stats.ring_drops);
    assert_in_range(bench->unproved + bench->dropped_count, FLOOD, 2 * FLOOD);
    bench_free(bench);
}

static void packets_that_the_ring_lost_are_reported_with_their_time(void **state)
{
    flood(*state, 0);
}

static void packets_that_the_queue_lost_are_reported_with_their_time(void **state)
{
    flood(*state, BENCH_PROBES);
}

/* Put the near addresses on `device`, which was made above the near end, and its routes with them. */
static void move_up(const struct netns_lab *lab, const char *device)
{
    char command[512];
    snprintf(command, sizeof command,
             "ip address flush dev near && ip link set near up && ip link set %s up && "
             "ip address add 198.18.0.1/24 dev %s && ip route replace 203.0.113.0/24 via 198.18.0.2 && "
             "for i in $(seq 100); do ip -o link show dev %s | grep -q 'state UP' && exit 0; sleep 0.02; "
             "done; exit 1",
             device, device, device);
    netns_lab_run(lab->near, command);
}

static void answers_over_a_bridge_or_a_macvlan_are_seen_once(void **state)
{
    const struct netns_lab *lab = *state;
    static const char *const makings[] = {
        "ip link add name upper type bridge forward_delay 0 && ip link set near master upper",
        "ip link add name upper link near type macvlan mode private",
    };
    for (size_t i = 0; i < 2; i++) {
        netns_lab_run(lab->near, makings[i]);
        move_up(lab, "upper");
        struct bench *bench = packet_bench("203.0.113.5");
        bench_expect_all(bench);
        bench_free(bench);
        netns_lab_run(lab->near, "ip link del upper");
        netns_lab_restore(lab);
    }
}

/* Without ARP the kernel puts its own station address into the frames, so the far end gets the same one. */
static void over_a_link_without_stations_the_kernel_finds_the_way(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, "ip link set near arp off");
    netns_lab_run(lab->far, "ip link set far arp off address 02:00:00:00:00:01");
    const char *const backends[] = {"packet", "raw"};
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = bench_new("198.18.0.2", "syn");
        struct addr host = plan_host_at(&bench->plan, 0);
        bench_open_live(bench, backends[i], &(struct route_options){.interface = "near"});
        assert_int_equal(bench->io->ops->reach(bench->io, &host), REACH_ROUTED);
        bench_expect_all(bench);
        bench_free(bench);
    }
    netns_lab_run(lab->far, "ip link set far arp on address 02:00:00:00:00:02");
    netns_lab_run(lab->near, "ip link set near arp on");
}

static void the_interface_and_source_that_were_named_are_used(void **state)
{
    (void)state;
    const char *const backends[] = {"packet", "raw"};
    for (size_t i = 0; i < 2; i++) {
        struct route_options options = {.interface = "near"};
        struct bench *bench = bench_new("203.0.113.5", "syn");
        struct addr host = plan_host_at(&bench->plan, 0), source;
        assert_true(addr_parse("198.18.0.33", &options.source));
        bench_open_live(bench, backends[i], &options);
        source = bench->io->ops->source(bench->io, &host);
        assert_true(addr_equal(&source, &options.source));
        bench_expect_all(bench);
        bench_free(bench);
    }
}

static void drop_all_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capset, &header, none) < 0)
        _exit(2);
}

/* Run in a process of its own, which can throw its privileges away. Its exit status is 0 when `work` says
 * so. */
static void assert_in_child(bool (*work)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool scan_without_privilege(const char *backend, const char *interface)
{
    struct sockets sockets;
    struct error err = {0};
    struct netio *io = NULL;
    struct route_options options = {0};
    struct netio_live_options live = {.backend = backend,
                                      .ttl = 64,
                                      .source_port = BENCH_SOURCE_PORT,
                                      .source_port_count = BENCH_SOURCE_PORTS};
    snprintf(options.interface, sizeof options.interface, "%s", interface);
    struct bench *bench = bench_new("203.0.113.5", "syn");
    if (sockets_open(&sockets, &err) < 0)
        return false;
    drop_all_capabilities();
    if (route_table_load(&bench->routes, &options, &err) < 0 ||
        netio_live_open(&sockets, &bench->routes, &live, &io, &bench->why_not, &err) < 0)
        return false;
    bench_attach(bench, io);
    struct order order = bench_order(bench);
    bench_work_off(bench, &order);
    bench_listen(bench, BENCH_PROBES);
    return bench->answer_count == BENCH_PROBES;
}

static bool packet_works(void)
{
    return scan_without_privilege("packet", "near");
}

static bool raw_works(void)
{
    return scan_without_privilege("raw", "near");
}

static void after_the_sockets_are_open_no_privilege_is_needed(void **state)
{
    (void)state;
    assert_in_child(packet_works);
    assert_in_child(raw_works);
}

static bool is_told_what_is_missing(void)
{
    struct sockets sockets;
    struct error err = {0};
    drop_all_capabilities();
    return sockets_open(&sockets, &err) == -EX_NOPERM && err.status == EX_NOPERM &&
           strstr(err.text, "CAP_NET_RAW") && strstr(err.text, "setcap cap_net_raw=ep /");
}

static void without_privilege_the_error_says_what_is_missing_and_how_to_grant_it(void **state)
{
    (void)state;
    assert_in_child(is_told_what_is_missing);
}

static const char *chosen_backend(const struct route_options *options)
{
    struct bench *bench = bench_new("203.0.113.5", "syn");
    bench_open_live(bench, NULL, options);
    const char *name = bench->io->ops->name;
    bench_free(bench);
    return name;
}

static void packet_is_chosen_where_there_are_stations_and_raw_elsewhere(void **state)
{
    (void)state;
    assert_string_equal(chosen_backend(&(struct route_options){0}), "packet");
    assert_string_equal(chosen_backend(&(struct route_options){.interface = "lo"}), "raw");
}

static void a_backend_that_does_not_exist_is_named(void **state)
{
    (void)state;
    struct sockets sockets;
    struct route_table routes;
    struct netio *io;
    struct error err = {0};
    struct netio_live_options live = {.backend = "pigeon", .ttl = 64, .source_port_count = 1};
    assert_int_equal(sockets_open(&sockets, &err), 0);
    assert_int_equal(route_table_load(&routes, &(struct route_options){0}, &err), 0);
    assert_int_equal(netio_live_open(&sockets, &routes, &live, &io, &(struct error){0}, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "pigeon"));
    sockets_close(&sockets);
    route_table_done(&routes);
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
#define TEST(function) cmocka_unit_test_prestate(function, &lab)
    const struct CMUnitTest tests[] = {
        TEST(a_neighbour_that_was_asked_for_can_be_probed),
        TEST(a_neighbour_that_nobody_asked_for_is_asked_for),
        TEST(a_neighbour_that_does_not_answer_stays_out_of_reach),
        TEST(what_is_not_on_the_link_cannot_be_asked_for),
        TEST(a_gateway_that_does_not_answer_is_given_up_after_twelve_questions),
        TEST(an_arp_reply_nobody_asked_for_does_not_move_the_gateway),
        TEST(a_full_queue_delays_probes_and_loses_none),
        TEST(a_firewall_of_our_own_is_reported_for_every_probe),
        TEST(a_ring_is_made_only_for_many_probes),
        TEST(packets_that_the_ring_lost_are_reported_with_their_time),
        TEST(packets_that_the_queue_lost_are_reported_with_their_time),
        TEST(answers_over_a_bridge_or_a_macvlan_are_seen_once),
        TEST(over_a_link_without_stations_the_kernel_finds_the_way),
        TEST(the_interface_and_source_that_were_named_are_used),
        TEST(after_the_sockets_are_open_no_privilege_is_needed),
        TEST(without_privilege_the_error_says_what_is_missing_and_how_to_grant_it),
        TEST(packet_is_chosen_where_there_are_stations_and_raw_elsewhere),
        TEST(a_backend_that_does_not_exist_is_named),
    };
    int failed = cmocka_run_group_tests_name("packet backend", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
