/* What user space and the BPF programs (*.bpf.c) share: the values of their maps. Host byte order unless said
 * otherwise. Only plain types, so that both compilers lay them out alike. */
#pragma once

#include <stdint.h>

#include "base/siphash_core.h"
#include "plan/permutation.h"
#include "technique/token_core.h"

#define WIRE_FRAME_MAX     192 /* a multiple of 8 */
#define WIRE_TAIL_WORDS    4
#define WIRE_ADDRESSES_MAX 16
#define WIRE_HOSTS_MAX     (UINT32_C(1) << 15)
#define WIRE_SPECS_MAX     (UINT32_C(1) << 17)
#define WIRE_PROBES_MAX    (UINT64_C(1) << 22)
#define WIRE_LINES_MAX     ((uint32_t)(WIRE_PROBES_MAX / 64 / WIRE_LINE_WORDS) + 1)
#define WIRE_SEEN_MAX      (UINT32_C(1) << 19)
#define WIRE_ANSWERS_LEN   (UINT32_C(1) << 23) /* of the ring, in bytes: some 50,000 answers */
#define WIRE_DATA_MAX      96                  /* headers of an answer: IPv6 and TCP with all its options */

/* Whose answers are taken. */
struct wire_config {
    struct token_key key;
    uint32_t address_count;
    struct wire_address {
        uint8_t family; /* enum addr_family */
        uint8_t bytes[16];
    } addresses[WIRE_ADDRESSES_MAX];
    uint32_t segment_len; /* of a probe, in sequence numbers: what its reset acknowledges */
    uint32_t waits;    /* user space waits for the next answer; else it looks by itself, and is not woken */
    uint64_t taken;    /* written by the program: answers put into the ring */
    uint64_t repeated; /* and exact repeats that were passed over */
};

/* One answer in the ring: a TCP segment that carries one of our numbers. */
struct wire_answer {
    int64_t time_ns;   /* CLOCK_MONOTONIC */
    uint32_t wire_len; /* of the whole frame */
    uint32_t sent;     /* token_time of the probe */
    uint16_t len;      /* of data that are valid */
    uint8_t source_mac[6];
    uint8_t data[WIRE_DATA_MAX]; /* from the IP header on */
};

/* A host of the block that is being sent, with all of its part in a probe that is the same for every port.
 * Fills a cache line. */
struct wire_host {
    uint8_t dst[16];
    struct sip_state hashed; /* of a probe's token, after the address */
    uint32_t dst_sum;        /* of the address, for checksums */
    uint8_t mac[6];
    uint16_t usable;  /* 0: its probes are not for us to send */
    uint32_t touched; /* nothing: see touch_place() */
};

/* A cache line of the block's bitmap. */
#define WIRE_LINE_WORDS 7
struct wire_line {
    uint64_t words[WIRE_LINE_WORDS];
    uint64_t touched; /* nothing: see touch_place() */
};

/* Ports of specs that follow each other: the kernel gives each value of an array at least eight bytes. */
#define WIRE_PORTS 4
struct wire_ports {
    uint16_t ports[WIRE_PORTS];
};

/* A probe that comes soon. */
struct wire_place {
    uint32_t line, word; /* of the bitmap, and in the line */
    uint32_t bit;        /* in the word */
    uint32_t slot;
    uint32_t spec;
};

#define WIRE_AHEAD 8 /* a power of two */

/* The order that is being carried out. User space fills it in and sets `active` last; then the program writes
 * what is below, until it clears `active`: user space only reads, and may clear `active` to stop it. */
struct wire_order {
    struct permutation early, rest; /* as in struct block */
    struct token_key key;
    uint64_t end;
    uint32_t limit;
    uint32_t host_count;
    uint32_t interface; /* index */
    uint8_t try_number;
    uint8_t v6;
    uint8_t acknowledges; /* the number is also the acknowledgement number */
    uint8_t ip_proto;
    uint32_t ip_sum, tcp_sum; /* as in struct template */
    uint32_t len;             /* of a frame */
    uint64_t frame[WIRE_FRAME_MAX / 8];
    uint64_t tail[WIRE_TAIL_WORDS]; /* its last bytes */

    uint32_t active;
    uint32_t walking; /* `value` is on its way through the permutation */
    uint64_t next;    /* as in struct order */
    uint64_t walked;  /* positions from `next` to before this one are in `ahead` */
    uint64_t value;
    uint64_t now_ns; /* CLOCK_MONOTONIC; also set by user space before each run */
    uint32_t sent;
    struct wire_place ahead[WIRE_AHEAD]; /* by the low bits of the position */
};
