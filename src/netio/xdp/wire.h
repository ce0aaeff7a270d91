/* What the xdp and kernel backends need beyond sockets: the program of wire.bpf.c with its maps, loaded, and
 * an AF_XDP socket. They are opened while there is privilege, and attached to nothing; who has the
 * descriptors may attach and run it later without (design decision 11). What is attached goes with its
 * descriptor: nothing stays after a kill. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

enum wire_part {
    WIRE_PROGRAM,
    WIRE_MAP_CONFIG,
    WIRE_MAP_ANSWERS,
    WIRE_MAP_ORDER,
    WIRE_MAP_PENDING,
    WIRE_MAP_HOSTS,
    WIRE_MAP_PORTS,
    WIRE_SOCKET, /* AF_XDP */
    WIRE_PART_COUNT
};

struct wire {
    int fds[WIRE_PART_COUNT]; /* by enum wire_part; -1: not open */
};

/* The name of a choice of which the kernel backend is one. */
#define WIRE_BEST "best"

/* Is this the name of one of them, which takes an interface for itself? */
static inline bool wire_is_backend(const char *name)
{
    return strcmp(name, "xdp") == 0 || strcmp(name, "kernel") == 0;
}

/* Load all. Needs CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW. -EX_NOPERM without them,
 * -EX_UNAVAILABLE where the kernel or this build has no such thing, -EX_OSERR; the text says what is
 * missing. */
int wire_open(struct wire **ret, struct error *err);
void wire_close(struct wire *wire); /* NULL is allowed */

/* Does the interface have an XDP program? False, too, when that cannot be known. Needs no privilege. */
bool wire_link_is_taken(uint32_t link);

/* Map the values of an array of the programs' (enum wire_part), `len` bytes, shared with them. NULL and
 * errno. */
void *wire_map(const struct wire *wire, unsigned part, size_t len);
void wire_unmap(void *map, size_t len); /* NULL is allowed */
