/* The engine: the scanner that decides what is sent when, what an answer proves, and what silence means. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/scanner.h"
#include "netio/netio.h"
#include "netio/route/source_pool.h"
#include "plan/plan.h"
#include "technique/token.h"
#include "verdict/record.h"

struct found_hosts;

/* The chance of a wrong state of a silent port that is accepted, if nothing else is asked for (design
 * decision 7). */
#define TIMING_RISK_USUAL 1e-6

struct timing {
    int64_t min_rto_ns, initial_rto_ns, max_rto_ns; /* RFC 6298, with a floor of our own, */
    int64_t prompt_rto_ns; /* and a lower one for hosts that have answered what left later; 0: none */
    double risk; /* of a wrong state that is accepted; silence is asked again until it is smaller; > 0 */
    unsigned max_retries;    /* tries beyond the first, < TOKEN_TRIES_MAX */
    int64_t scan_delay_ns;   /* least time between probes to one host; 0: none */
    int64_t host_timeout_ns; /* 0: none */
    double min_rate_pps;     /* 0: none */
    double max_rate_pps;     /* 0: none; a ceiling in every 100 ms */
    double default_rate_pps; /* where a path begins once it has answered */
    double share_left;       /* of what a path carries, left to others; 0 .. 1 */
};

/* Which packets are handed over with what they prove. */
enum engine_evidence { EVIDENCE_NONE, EVIDENCE_BUT_CLOSED, EVIDENCE_ALL };

/* A probe that was answered before the scan was interrupted. */
struct resumed_answer {
    uint32_t slot; /* of the block */
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    uint8_t tries;    /* the answer came to this one, from 1 */
    uint8_t limited;  /* RANK_RESET or RANK_ICMP_TARGET, if it is of a kind that hosts limit */
    bool open;        /* a service answered */
};

/* A block that was at work then. */
struct resumed_block {
    uint32_t id;
    uint8_t kind;  /* enum block_kind */
    uint8_t tries; /* of every probe, that count; */
    uint64_t next; /* then so many of the order were asked once more */
    uint32_t host_count;
    uint64_t *hosts;                /* positions in the plan, ascending */
    bool *open;                     /* is this one still to be asked? */
    struct resumed_answer *answers; /* in any order */
    size_t answer_count;
    struct order_range *voids;
    size_t void_count;
    bool lost; /* set by the engine: there was no room for it, and its hosts are taken in again */
};

/* Where an interrupted scan goes on. Everything is borrowed until the scanner is freed. */
struct engine_resume {
    uint64_t next_host;           /* hosts from here on were not taken in; */
    const uint64_t *again;        /* of those before, these are to be taken in again */
    size_t again_count;           /*   */
    const uint64_t *up;           /* these are up, and their ports come next */
    size_t up_count;              /*   */
    struct resumed_block *blocks; /* by ascending id */
    size_t block_count;
    const struct addr_set *excluded; /* these are not asked any more; normalized */
};

/* What to scan and how; the same for every scanner, which leaves alone what does not concern it. */
struct engine_config {
    const struct plan *plan;
    const struct found_hosts *found; /* scans through a third party scan only these; NULL: all, taken as up */

    /* What is asked of every host that is up; none with -sn. Those before early_count go first. */
    const struct probe_spec *specs;
    uint32_t spec_count;
    uint32_t early_count;

    /* How a host shows that it is up; none with -Pn. A REQUEST_NEIGHBOR spec is used for hosts on link
     * (alone), the others for the rest. */
    const struct probe_spec *discovery;
    uint32_t discovery_count;
    /* -Pn: hosts that do not answer the neighbour request are scanned as down links, the rest as up */
    bool assume_up;

    struct timing timing;
    bool verify; /* talk to the TCP ports that answer SYNs: needs io->ops->streams */
    struct token_key key;
    const struct source_pool *pool; /* more addresses to ask limited hosts from; borrowed; NULL: none */
    int64_t realtime_offset_ns;     /* CLOCK_REALTIME minus netio's clock; for the times in records */

    struct netio *io; /* borrowed */

    bool is_one_of_many; /* others hear the same: packets of strangers are for one of them to count */
    uint8_t evidence;    /* enum engine_evidence */
    bool checkpoints;    /* say about once a second how far the scan is */
    const struct engine_resume *resume; /* NULL: from the start */

    /* Gets every record, at once. Must not call the scanner. */
    void (*emit)(void *context, const struct record *record);
    void *context;
};

/* EX_OSERR without memory. *config is copied; what it points to must outlive the scanner. */
int engine_new(const struct engine_config *config, struct scanner **ret, struct error *err);
