/* Loading the program, with libbpf. It is part of the executable. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>

#include "netio/xdp/wire.h"

/* The program, compiled; made by embed.py */
#include <wire_object.h>

/* What libbpf would print is for its developers. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static int fail(int error, const char *what, struct error *err)
{
    if (error == EPERM)
        return error_set(err, EX_NOPERM,
                         "%s is not permitted: it needs the capabilities cap_net_raw, cap_net_admin, cap_bpf "
                         "and cap_perfmon, and a container or lockdown that lets them count",
                         what);
    return error_set(err, EX_UNAVAILABLE, "%s does not work on this kernel: %s", what, strerror(error));
}

/* Where the descriptors go. */
static const struct part {
    const char *name; /* of a map */
    enum wire_part part;
} maps[] = {
    {"config", WIRE_MAP_CONFIG},   {"answers", WIRE_MAP_ANSWERS}, {"order", WIRE_MAP_ORDER},
    {"pending", WIRE_MAP_PENDING}, {"hosts", WIRE_MAP_HOSTS},     {"ports", WIRE_MAP_PORTS},
};

/* Copies: the object closes its own. */
static int take_fds(const struct bpf_object *object, struct wire *wire)
{
    int fds[WIRE_PART_COUNT];
    memset(fds, -1, sizeof fds);
    fds[WIRE_PROGRAM] = bpf_program__fd(bpf_object__find_program_by_name(object, "wire"));
    for (unsigned i = 0; i < sizeof maps / sizeof *maps; i++)
        fds[maps[i].part] = bpf_object__find_map_fd_by_name(object, maps[i].name);
    for (unsigned i = 0; i < WIRE_SOCKET; i++) {
        wire->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        if (wire->fds[i] < 0)
            return -errno;
    }
    return 0;
}

static int load(struct wire *wire, struct error *err)
{
    libbpf_set_print(say_nothing);
    struct bpf_object *object = bpf_object__open_mem(wire_object, sizeof wire_object, NULL);
    int error = object ? -bpf_object__load(object) : errno;
    int result = error ? 0 : take_fds(object, wire);
    bpf_object__close(object);
    if (error)
        return fail(error, "loading the BPF program", err);
    if (result < 0)
        return error_set(err, EX_OSERR, "cannot keep the BPF program: %s", strerror(-result));
    wire->fds[WIRE_SOCKET] = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    return wire->fds[WIRE_SOCKET] < 0 ? fail(errno, "an AF_XDP socket", err) : 0;
}

/* Frames of AF_XDP are locked memory, of which a user may have so much for all processes together: two scans
 * at a time, as Linux is set up. With CAP_SYS_RESOURCE there is no limit; without, it stays. */
static void lift_memory_limit(void)
{
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY});
}

int wire_open(struct wire **ret, struct error *err)
{
    lift_memory_limit();
    struct wire *wire = malloc(sizeof *wire);
    if (!wire)
        return error_set(err, EX_OSERR, "no memory for the BPF program");
    for (unsigned i = 0; i < WIRE_PART_COUNT; i++)
        wire->fds[i] = -1;
    int result = load(wire, err);
    if (result < 0) {
        wire_close(wire);
        return result;
    }
    *ret = wire;
    return 0;
}

bool wire_link_is_taken(uint32_t link)
{
    uint32_t program = 0;
    return bpf_xdp_query_id((int)link, 0, &program) == 0 && program != 0;
}
