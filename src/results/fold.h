/* What a report shows of a host: the ports listed one by one, and the states folded into a "Not shown" line.
 *
 * A state is folded when more than the limit of the host's ports have it; open and unknown are never folded (nor, from
 * verbosity 3 on, open|filtered). With --open, closed, filtered and closed|filtered are always folded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/results.h"

struct fold_options {
    unsigned verbosity;
    unsigned debugging;
    bool open_only; /* --open */
};

/* Folded ports of one state, reason and protocol. */
struct fold_reason {
    uint8_t reason;
    uint8_t protocol;
    uint32_t count;
};

#define FOLD_REASONS_MAX (REASON_COUNT * PROTOCOL_COUNT)

struct fold_group {
    uint8_t state;
    uint32_t count;
    struct fold_reason *reasons; /* by decreasing count */
    size_t reason_count;
};

struct fold {
    struct fold_group groups[PORT_STATE_COUNT]; /* by decreasing count */
    size_t group_count;
    bool folded[PORT_STATE_COUNT]; /* by state: is it folded? */
    uint32_t listed_count;         /* ports that are listed one by one */
    struct fold_reason *storage;   /* owned */
};

/* 0 or -ENOMEM. */
int fold_host(const struct host_result *host, const struct fold_options *options, struct fold *ret);
void fold_done(struct fold *fold);
