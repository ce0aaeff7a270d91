/* What the tests of the connect backend share: one block of probes, carried out as the engine would. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/connect/connect.h"
#include "netio/netio.h"

#define PROBES_MAX 8192
#define BLOCK_ID   7

/* One block over hosts x ports, and what became of each probe. */
struct scan {
    struct netio *io;
    struct plan plan;
    struct block block;
    struct token_key key;
    struct probe_spec specs[PROBES_MAX];
    uint64_t pending[PROBES_MAX / 64];
    struct connect_event events[PROBES_MAX];
    uint32_t event_counts[PROBES_MAX];
    int unsent[PROBES_MAX]; /* errno; 0: not reported */
    uint32_t answered;      /* probes with an event, or unsent */
    uint32_t silent;        /* probes that no answer is expected to */
    uint32_t packets;
    struct packet packet; /* the last */
    uint8_t payload[64];  /* of it */
};

/* options: NULL for the defaults. One or more hosts, first to last. */
struct scan *scan_new(const struct connect_options *options, const char *first, const char *last);
void scan_free(struct scan *scan);

/* Ask this of all hosts. */
void scan_add(struct scan *scan, const struct technique *technique, unsigned port);
void scan_add_ports(struct scan *scan, unsigned first, unsigned last); /* by connect() */

/* One sweep: the order until it is carried out, then listening; at most for this long, or until all but the
 * silent have answered. */
void scan_sweep(struct scan *scan, uint8_t try_number, int64_t for_ns);

/* Listen until something arrives, at most for this long. */
void scan_listen(struct scan *scan, int64_t for_ns);

/* A scan of one host after one sweep. */
struct scan *scan_ports(const char *host, unsigned first, unsigned last, int64_t for_ns);

void assert_refused_by_reset(const struct connect_event *event);
void assert_refused_by_icmp(const struct connect_event *event, unsigned type, unsigned code,
                            const char *from);

/* A listening socket, on any port when it is 0. */
int listen_on(const char *host, uint16_t port, uint16_t *ret_port);

int descriptors_open(void); /* of this process */
