/* Which backend `best` is: over each kind of link and with each privilege it works, and is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netio/netio_bench.h"
#include "netio/netns_lab.h"

#define HOST        "203.0.113.5"
#define FAR_STATION "02:00:00:00:00:02"
#define PACKET_MAX  2048

static const char station_known[] =
    "ip neighbour replace 198.18.0.2 lladdr " FAR_STATION " nud permanent dev near";
static const char station_forgotten[] = "ip neighbour delete 198.18.0.2 dev near";

/* Opens the best backend, which must be of this name and say why it is no other, and work. */
static void best_is(const char *name, const char *why, const char *host, const char *interface)
{
    struct route_options options = {0};
    struct bench *bench = bench_new(host, "syn");
    snprintf(options.interface, sizeof options.interface, "%s", interface);
    bench_open_live(bench, WIRE_BEST, &options);
    assert_string_equal(bench->io->ops->name, name);
    if (!strstr(bench->why_not.text, why))
        fail_msg("'%s' does not say '%s'", bench->why_not.text, why);
    bench_expect_all(bench);
    bench_free(bench);
}

static void it_is_kernel_where_the_interface_takes_it(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    best_is("kernel", "", HOST, "");
    netns_lab_run(lab->near, station_forgotten);
}

/* A veth end whose other end does not poll drops such frames. */
static void it_is_kernel_where_the_driver_swallows_frames_and_others_are_sent(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, station_known);
    netns_lab_let_far_poll(lab, false);
    best_is("kernel", "", HOST, "");
    netns_lab_let_far_poll(lab, true);
    netns_lab_run(lab->near, station_forgotten);
}

static void where_another_program_has_the_interface_it_is_packet(void **state)
{
    (void)state;
    struct bench *other = bench_new(HOST, "syn");
    bench_open_live(other, "xdp", &(struct route_options){0});
    best_is("packet", "takes no XDP program", HOST, "");
    bench_free(other);
}

static void with_several_interfaces_it_is_packet_unless_one_is_named(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(
        lab->near,
        "ip link add other type veth peer name rehto && ip link set other up && ip link set rehto up");
    best_is("packet", "several interfaces", HOST, "");
    best_is("kernel", "", HOST, "near");
    netns_lab_run(lab->near, "ip link delete other");
}

static void over_loopback_it_is_raw(void **state)
{
    (void)state;
    best_is("raw", "no Ethernet interface", "127.0.0.1", "lo");
}

static void over_a_link_without_stations_it_is_raw(void **state)
{
    const struct netns_lab *lab = *state;
    netns_lab_run(lab->near, "ip link set near arp off");
    netns_lab_run(lab->far, "ip link set far arp off address 02:00:00:00:00:01");
    best_is("raw", "no Ethernet interface", "198.18.0.2", "near");
    netns_lab_run(lab->far, "ip link set far arp on address " FAR_STATION);
    netns_lab_run(lab->near, "ip link set near arp on");
}

/* A tun interface `tun` of that namespace. */
static int open_tun(const struct netns_lab *lab, int namespace)
{
    struct ifreq request = {.ifr_name = "tun", .ifr_flags = IFF_TUN | IFF_NO_PI};
    assert_return_code(setns(namespace, CLONE_NEWNET), 0);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    assert_return_code(fd, 0);
    assert_return_code(ioctl(fd, TUNSETIFF, &request), 0);
    assert_return_code(setns(lab->near, CLONE_NEWNET), 0);
    return fd;
}

static void copy_packet(int from, int to)
{
    uint8_t packet[PACKET_MAX];
    ssize_t len = read(from, packet, sizeof packet);
    if (len > 0 && write(to, packet, (size_t)len) < 0)
        _exit(1);
}

/* A tunnel between the two namespaces, as a VPN makes it: a process carries packets from one to the other. */
static pid_t carry(const int fds[static 2])
{
    pid_t parent = getpid();
    pid_t child = fork();
    assert_return_code(child, 0);
    if (child > 0)
        return child;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    struct pollfd polled[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    while (poll(polled, 2, -1) > 0) {
        for (unsigned i = 0; i < 2; i++) {
            if (polled[i].revents)
                copy_packet(fds[i], fds[!i]);
        }
    }
    _exit(1);
}

/* WireGuard and PPP are of this kind: packets without a link-layer header. The near end has no address of its
 * own. */
static void over_a_tunnel_it_is_raw(void **state)
{
    const struct netns_lab *lab = *state;
    const int fds[2] = {open_tun(lab, lab->near), open_tun(lab, lab->far)};
    netns_lab_run(lab->near, "ip link set tun up && ip route add 192.0.2.0/24 dev tun src 198.18.0.33");
    netns_lab_run(lab->far, "ip link set tun up && ip route add local 192.0.2.0/24 dev lo && "
                            "ip route add 198.18.0.33 dev tun");
    pid_t carrier = carry(fds);
    best_is("raw", "no Ethernet interface", "192.0.2.5", "tun");
    best_is("kernel", "", "192.0.2.5", ""); /* which leaves to the raw sockets what goes there */
    kill(carrier, SIGKILL);
    waitpid(carrier, NULL, 0);
    for (unsigned i = 0; i < 2; i++)
        close(fds[i]);
    netns_lab_run(lab->far, "ip route delete local 192.0.2.0/24 dev lo");
}

static void for_a_small_scan_it_is_packet(void **state)
{
    (void)state;
    struct bench *bench = bench_new(HOST, "syn");
    bench->why_not_kernel = "the scan is small";
    bench_open_live(bench, WIRE_BEST, &(struct route_options){0});
    assert_string_equal(bench->io->ops->name, "packet");
    assert_string_equal(bench->why_not.text, "the scan is small");
    bench_expect_all(bench);
    bench_free(bench);
}

static void without_privilege_it_is_packet(void **state)
{
    (void)state;
    struct bench *bench = bench_new(HOST, "syn");
    bench->unprivileged = true;
    bench_open_live(bench, WIRE_BEST, &(struct route_options){0});
    assert_string_equal(bench->io->ops->name, "packet");
    bench_expect_all(bench);
    bench_free(bench);
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
    bench_require_wire();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(it_is_kernel_where_the_interface_takes_it, &lab),
        cmocka_unit_test_prestate(it_is_kernel_where_the_driver_swallows_frames_and_others_are_sent, &lab),
        cmocka_unit_test_prestate(where_another_program_has_the_interface_it_is_packet, &lab),
        cmocka_unit_test_prestate(with_several_interfaces_it_is_packet_unless_one_is_named, &lab),
        cmocka_unit_test_prestate(over_loopback_it_is_raw, &lab),
        cmocka_unit_test_prestate(over_a_link_without_stations_it_is_raw, &lab),
        cmocka_unit_test_prestate(over_a_tunnel_it_is_raw, &lab),
        cmocka_unit_test_prestate(for_a_small_scan_it_is_packet, &lab),
        cmocka_unit_test_prestate(without_privilege_it_is_packet, &lab),
    };
    int failed = cmocka_run_group_tests_name("choice of backend", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
