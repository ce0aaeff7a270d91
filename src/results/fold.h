/* What a report shows of a host: the ports listed one by one, and the states folded into a "Not shown" line.
 *
 * A state is folded when more than the limit of the host's ports have it. The limit is 25, and 25 * (v + 1 +
 * 20 d) at verbosity v and debugging level d (25 * (v + 1 + 3 d) in an IP protocol scan). Open is never
 * folded, but of a host that answers everything, beyond 25 ports; nor is open|filtered from verbosity 3 on,
 * nor any state from debugging level 3 on. With --open, closed, filtered and closed|filtered are always
 * folded. Unknown (unfinished) always is: it says nothing of a single port. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/results.h"

struct fold_options {
    unsigned verbosity;
    unsigned debugging;
    bool open_only;    /* --open */
    bool ip_protocols; /* -sO */
};

/* Folded ports of one state, reason and protocol. */
struct fold_reason {
    uint8_t state;
    uint8_t reason;
    uint8_t protocol;
    uint32_t count;
};

#define FOLD_REASONS_MAX (PORT_STATE_COUNT * REASON_COUNT * PROTOCOL_COUNT)

struct fold_group {
    uint8_t state;
    uint32_t count;
    uint16_t first; /* its reasons are fold.reasons[first .. first + reason_count - 1], by decreasing count */
    uint16_t reason_count;
};

struct fold {
    struct fold_group groups[PORT_STATE_COUNT]; /* the folded states, by decreasing count */
    unsigned group_count;
    bool folded[PORT_STATE_COUNT];     /* by state */
    uint32_t counts[PORT_STATE_COUNT]; /* ports of the host by state, folded or not */
    uint32_t confirmed_count;          /* open ports that were confirmed */
    uint32_t listed_count;             /* ports that are listed one by one */
    struct fold_reason reasons[FOLD_REASONS_MAX];
};

/* Cannot fail. */
void fold_host(const struct host_result *host, const struct fold_options *options, struct fold *ret);

/* Is this port of the host folded? One that was confirmed (--verify) never is. */
bool fold_hides(const struct fold *fold, const struct port_result *port);

/* Whether a report for people shows the host at all: hosts that are down only from verbosity 1 on; with
 * --open only hosts with a port that is open, open|filtered or unfiltered (or without ports: discovery
 * only). */
bool fold_host_shown(const struct host_result *host, const struct fold_options *options);
