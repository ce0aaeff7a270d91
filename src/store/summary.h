/* All hosts of a store at one look: which there are, and a number for each that tells whether its ports are
 * as those of another scan's host. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/load.h"

struct host_summary {
    struct addr addr;
    uint64_t position;
    /* the same for two hosts, of scans that asked the same ports, whose ports have the same states */
    uint64_t digest;
};

struct host_summaries {
    struct host_summary *list; /* owned; in the order of addr_compare */
    size_t count;
};

/* Reads every table once, in its own order. EX_DATAERR, EX_IOERR, EX_OSERR. */
int host_summaries_load(struct database *database, const struct stored_scan *scan, struct host_summaries *ret,
                        struct error *err);
void host_summaries_done(struct host_summaries *summaries);
