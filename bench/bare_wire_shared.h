/* What bare_wire.c and its programs in the kernel (bare_wire.bpf.c) share. Host byte order. */
#pragma once

#include <stdint.h>

#define BARE_WIRE_PROBES_MAX (1u << 20)
#define BARE_WIRE_WORDS      (BARE_WIRE_PROBES_MAX / 64)
#define BARE_WIRE_FRAME_LEN  54

struct bare_wire {
    uint32_t first_host, host_count;
    uint32_t first_port, port_count;
    uint32_t interface; /* index */
    uint32_t next;      /* probe to be sent */
    uint32_t sent;
    uint32_t answered_count;                /* by the program that listens */
    uint32_t ip_sum, tcp_sum;               /* of the frame, without its destination and port */
    uint8_t frame[BARE_WIRE_FRAME_LEN + 2]; /* whose destination, port and checksums are 0 */
    uint64_t answered[BARE_WIRE_WORDS];     /* by probe */
    uint64_t open[BARE_WIRE_WORDS];
};
