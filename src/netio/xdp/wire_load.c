/* Loading the programs, with libbpf. They are part of the executable. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>

#include "netio/xdp/wire.h"

/* The programs, compiled; made by embed.py */
#include <answer_object.h>
#include <transmit_object.h>

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

/* What comes out of an object file, by its name there. */
struct part {
    const char *name;
    enum wire_part part;
    bool is_program;
};

/* Copies of the descriptors: the object closes its own. */
static int take_fds(const struct bpf_object *object, const struct part *parts, struct wire *wire)
{
    for (; parts->name; parts++) {
        int fd = parts->is_program ? bpf_program__fd(bpf_object__find_program_by_name(object, parts->name))
                                   : bpf_object__find_map_fd_by_name(object, parts->name);
        wire->fds[parts->part] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (wire->fds[parts->part] < 0)
            return -errno;
    }
    return 0;
}

static int load_object(const void *bytes, size_t len, const struct part *parts, struct wire *wire,
                       struct error *err)
{
    struct bpf_object *object = bpf_object__open_mem(bytes, len, NULL);
    int error = object ? -bpf_object__load(object) : errno;
    if (error) {
        bpf_object__close(object);
        return fail(error, "loading BPF programs", err);
    }
    int result = take_fds(object, parts, wire);
    bpf_object__close(object);
    return result < 0 ? error_set(err, EX_OSERR, "cannot keep the BPF programs: %s", strerror(-result)) : 0;
}

static int load(struct wire *wire, struct error *err)
{
    static const struct part of_answer[] = {
        {"answer", WIRE_PROGRAM_ANSWER, true},
        {"config", WIRE_MAP_CONFIG, false},
        {"answers", WIRE_MAP_ANSWERS, false},
        {0},
    };
    static const struct part of_transmit[] = {
        {"transmit", WIRE_PROGRAM_TRANSMIT, true}, {"order", WIRE_MAP_ORDER, false},
        {"pending", WIRE_MAP_PENDING, false},      {"hosts", WIRE_MAP_HOSTS, false},
        {"ports", WIRE_MAP_PORTS, false},          {0},
    };
    libbpf_set_print(say_nothing);
    int result = load_object(answer_object, sizeof answer_object, of_answer, wire, err);
    if (result == 0)
        result = load_object(transmit_object, sizeof transmit_object, of_transmit, wire, err);
    if (result < 0)
        return result;
    wire->fds[WIRE_SOCKET] = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    return wire->fds[WIRE_SOCKET] < 0 ? fail(errno, "an AF_XDP socket", err) : 0;
}

/* Frames of AF_XDP are locked memory, of which a user may have so much for all processes together: two scans at a time, as Linux
 * is set up. With CAP_SYS_RESOURCE there is no limit; without, it stays. */
static void lift_memory_limit(void)
{
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY});
}

int wire_open(struct wire **ret, struct error *err)
{
    lift_memory_limit();
    struct wire *wire = malloc(sizeof *wire);
    if (!wire)
        return error_set(err, EX_OSERR, "no memory for the BPF programs");
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
