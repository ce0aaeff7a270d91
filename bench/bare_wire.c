/* What the practical limit of one core is beyond packet sockets: frames leave through an AF_XDP socket, or
 * are made in the kernel and leave as live frames; a program at the interface takes note of the answers and
 * resets half-open connections. No pacing, no judging; what has not answered is asked again.
 *
 *   bare_wire xdp|kernel OBJECT INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]
 *
 * OBJECT is bare_wire.bpf.o. Asks and prints as bare_packet does, 2^20 probes at most. */
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "bare_probes.h"
#include "bare_wire_shared.h"
#include "base/bitset.h"
#include "base/bytes.h"
#include "netio/xdp/xsk.h"

static_assert(BARE_WIRE_FRAME_LEN == BARE_FRAME_LEN, "frames of both");

#define BATCH   64
#define LOOK_NS 200000L

struct loop {
    struct bare_probes probes;
    struct bare_wire *state; /* mapped */
    int blast_fd;
    struct xsk xsk;
    bool kernel;
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

/* Load the programs, attach the one that listens, and map what they share. The attachment goes with the
 * process. */
static void load(struct loop *loop, const char *path)
{
    const struct bpf_link_create_opts options = {.sz = sizeof options, .flags = XDP_FLAGS_SKB_MODE};
    libbpf_set_print(say_nothing);
    struct bpf_object *object = bpf_object__open_file(path, NULL);
    if (!object || bpf_object__load(object))
        bare_fail(path);
    int hear_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "hear"));
    int state_fd = bpf_object__find_map_fd_by_name(object, "state");
    loop->blast_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "blast"));
    loop->state = mmap(NULL, sizeof *loop->state, PROT_READ | PROT_WRITE, MAP_SHARED, state_fd, 0);
    if (loop->state == MAP_FAILED)
        bare_fail("cannot map the state");
    if (bpf_link_create(hear_fd, (int)loop->probes.interface_index, BPF_XDP, &options) < 0)
        bare_fail("cannot attach to the interface");
}

/* The sum that a checksum is the complement of, without these bytes. */
static uint32_t sum_without(const uint8_t *checksum, const uint8_t *bytes, unsigned len)
{
    uint32_t sum = (uint16_t)~get_be16(checksum);
    for (unsigned i = 0; i < len; i += 2)
        sum += (uint16_t)~get_be16(bytes + i);
    return sum;
}

static void fill_state(struct loop *loop)
{
    struct bare_probes *probes = &loop->probes;
    struct bare_wire *state = loop->state;
    const uint8_t *ip = probes->frame + BARE_ETHERNET_LEN, *tcp = ip + IPV4_HEADER_LEN;
    if (bare_probes_count(probes) > BARE_WIRE_PROBES_MAX) {
        errno = ERANGE;
        bare_fail("so many probes");
    }
    state->first_host = probes->first_host;
    state->host_count = probes->host_count;
    state->first_port = probes->first_port;
    state->port_count = probes->port_count;
    state->interface = probes->interface_index;
    state->ip_sum = sum_without(ip + 10, ip + 16, 4);
    state->tcp_sum = sum_without(tcp + 16, ip + 16, 4);
    memcpy(state->frame, probes->frame, BARE_FRAME_LEN);
    probes->answered = state->answered;
    probes->open = state->open;
}

static uint32_t answered(const struct loop *loop)
{
    return __atomic_load_n(&loop->state->answered_count, __ATOMIC_ACQUIRE);
}

static void send_from_kernel(struct loop *loop)
{
    struct bpf_test_run_opts options = {
        .sz = sizeof options,
        .data_in = loop->probes.frame,
        .data_size_in = BARE_FRAME_LEN,
        .repeat = (int)(bare_probes_count(&loop->probes) - answered(loop)),
        .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
    };
    loop->state->next = 0;
    if (bpf_prog_test_run_opts(loop->blast_fd, &options) < 0)
        bare_fail("live frames");
    loop->probes.sent_count = loop->state->sent;
}

static void put(struct loop *loop, const uint8_t *frame)
{
    while (!xsk_put(&loop->xsk, frame, BARE_FRAME_LEN))
        xsk_kick(&loop->xsk);
    if (++loop->probes.sent_count % BATCH == 0)
        xsk_kick(&loop->xsk);
}

static void send_through_socket(struct loop *loop)
{
    struct bare_probes *probes = &loop->probes;
    for (uint32_t probe = 0; probe < bare_probes_count(probes); probe++) {
        if (bitset_get(probes->answered, probe))
            continue;
        bare_frame_aim(probes, probe, probes->frame);
        put(loop, probes->frame);
    }
    xsk_kick(&loop->xsk);
}

/* Until all have answered or it is quiet. */
static void listen_on(const struct loop *loop)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    uint32_t before = 0;
    for (long quiet_ns = 0; quiet_ns < BARE_QUIET_MS * 1000000L; quiet_ns += LOOK_NS) {
        uint32_t now = answered(loop);
        if (now == bare_probes_count(&loop->probes))
            return;
        if (now != before)
            quiet_ns = 0;
        before = now;
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    struct error err;
    if (argc < 3 || (strcmp(argv[1], "xdp") != 0 && strcmp(argv[1], "kernel") != 0)) {
        fprintf(stderr, "usage: bare_wire xdp|kernel OBJECT INTERFACE ...\n");
        return EXIT_FAILURE;
    }
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        bare_fail("no memory");
    loop->kernel = strcmp(argv[1], "kernel") == 0;
    bare_probes_read(&loop->probes, argc - 3, argv + 3);
    load(loop, argv[2]);
    fill_state(loop);
    if (!loop->kernel && xsk_open(&loop->xsk, socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0),
                                  loop->probes.interface_index, &err) < 0) {
        fprintf(stderr, "bare_wire: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < BARE_SWEEPS_MAX && answered(loop) < bare_probes_count(&loop->probes); i++) {
        if (loop->kernel)
            send_from_kernel(loop);
        else
            send_through_socket(loop);
        listen_on(loop);
    }
    loop->probes.answered_count = answered(loop);
    bare_probes_print(&loop->probes);
    free(loop);
    return EXIT_SUCCESS;
}
