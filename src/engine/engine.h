/* The engine: decides what is sent when, what an answer proves, and what silence means. A pure state machine (design
 * decision 1): it has no clock, no socket and no thread; it is told the time, and says what to send and when to wake. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/netio.h"
#include "plan/plan.h"
#include "technique/token.h"
#include "verdict/record.h"

struct timing {
    int64_t min_rto_ns, initial_rto_ns, max_rto_ns; /* RFC 6298, with a floor of our own */
    unsigned max_retries;                           /* tries beyond the first, < TOKEN_TRIES_MAX */
    int64_t scan_delay_ns;                          /* least time between probes to one host; 0: none */
    int64_t host_timeout_ns;                        /* 0: none */
    double min_rate_pps;                            /* 0: none */
    double max_rate_pps;                            /* 0: none; a ceiling in every 100 ms */
    double default_rate_pps;                        /* where nothing else says */
};

struct engine_config {
    const struct plan *plan;

    /* What is asked of every host that is up; none with -sn. Those before early_count go first. */
    const struct probe_spec *specs;
    uint32_t spec_count;
    uint32_t early_count;

    /* How a host shows that it is up; none with -Pn. A REQUEST_NEIGHBOR spec is used for hosts on link (alone), the
     * others for the rest. */
    const struct probe_spec *discovery;
    uint32_t discovery_count;
    bool
        assume_up; /* -Pn: hosts that do not answer the neighbour request are scanned as down links, the rest as up */

    struct timing timing;
    struct token_key key;
    int64_t realtime_offset_ns; /* CLOCK_REALTIME minus netio's clock; for the times in records */

    struct netio *io; /* borrowed */

    /* Gets every record, at once. Must not call the engine. */
    void (*emit)(void *context, const struct record *record);
    void *context;
};

struct engine;

/* EX_OSERR without memory. *config is copied; what it points to must outlive the engine. */
int engine_new(const struct engine_config *config, struct engine **ret, struct error *err);

/* One turn: work out what to do at this time, let netio do it, take in what arrives. False: the scan is over, and
 * RECORD_END has been emitted. Blocks as long as netio waits, at most until_ns. */
bool engine_turn(struct engine *engine, int64_t until_ns);

/* End the scan at the next turn: everything found is reported, hosts in flight as unfinished. */
void engine_stop(struct engine *engine);

/* Stop sending and listen only, or go on. */
void engine_pause(struct engine *engine, bool pause);

void engine_free(struct engine *engine); /* NULL is allowed */
