/* From results to rows: what doc/store.md says about each table, in code. */
#pragma once

#include <stdint.h>

#include "plan/plan.h"
#include "results/results.h"
#include "store/batch.h"
#include "store/index_set.h"
#include "verdict/record.h"

/* How far a host is; the texts of host.progress. */
enum host_progress { HOST_SCANNING, HOST_DONE, HOST_UNFINISHED, HOST_TIMED_OUT, HOST_PROGRESS_COUNT };

const char *host_progress_name(enum host_progress progress);

/* What a scan is. Everything is borrowed. */
struct store_scan {
    const char *portolan; /* version */
    const char *command;  /* as it was given, words separated by blanks; foreign */
    const char *words;    /* the same, each word ended by a zero byte, words_len in all */
    size_t words_len;
    const char *scans;  /* names of techniques, separated by blanks */
    const char *digest; /* of the plan */
    const struct plan *plan;
    const struct results_config *results; /* which ports are scanned, and what their silence means */
    int64_t started_ns;
};

void rows_scan(struct batch *batch, const struct store_scan *scan);
void rows_excluded(struct batch *batch, const struct addr_set *excluded);
void rows_name(struct batch *batch, const struct addr *address, const char *name);

/* How far it is. The numbers are those of all its runs. */
struct store_progress {
    int64_t saved_ns;
    const char *state; /* "running", "stopped", "complete" */
    uint64_t next_position;
    int64_t pid; /* of who writes; 0: nobody */
    uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
    uint64_t probes_sent, answers, rejected, drops;
};

void rows_progress(struct batch *batch, const struct store_progress *progress);

#define STORE_REJECT_PREFIX   "rejected: " /* of the kind, in coverage.what */
#define STORE_REJECTS_MAX     8            /* kinds */
#define STORE_REJECT_TEXT_MAX 32

/* Packets of one kind that came and proved nothing. */
void rows_reject(struct batch *batch, const char *kind, uint64_t count);

/* A host, with the ports of it that do not stand alone; what was stored of both before is replaced.
 *   again  something may have been */
void rows_host(struct batch *batch, const struct host_result *host, enum host_progress progress, bool again);

/* Does a port of which an answer was told stand in a row of its own? It is written when that answer comes,
 * and only then; ports of the other states, and those nobody answered for, are written with their host,
 * folded. An answer that replaces another one is a row in any case: of the rows of a port the last one
 * counts. */
bool rows_port_stands_alone(const struct port_result *port);

/* A packet that decided, as far as it is kept: at most EVIDENCE_MAX bytes, from the IP header on. */
struct store_packet {
    const uint8_t *bytes; /* borrowed */
    size_t len;
};

/* Rows of ports are kept in the order in which they are put. packet may be NULL. */
void rows_port(struct batch *batch, uint64_t position, const struct port_result *port,
               const struct store_packet *packet);

/* What --verify made of a port. */
void rows_confirmation(struct batch *batch, uint64_t position, const struct record *record);

/* Before a scan goes on: ports whose host is not known of are asked again. */
void rows_forget_ports_without_host(struct batch *batch);

/* Hosts that are down, and of which nothing else is known. */
void rows_down(struct batch *batch, uint64_t first, uint64_t last, enum reason reason, int64_t time_ns);

/* Does that hold for this host? */
bool rows_host_is_plainly_down(const struct host_result *host);

void rows_coverage(struct batch *batch, const char *what, uint64_t count);

/* What a scan knows of itself at its end, by enum end_value: rows of `coverage` with these names. */
const char *account_name(enum end_value value);
void rows_account(struct batch *batch, const uint64_t account[static END_VALUE_COUNT]);
void rows_event(struct batch *batch, int64_t time_ns, const char *what, const struct addr *host,
                uint64_t first, uint64_t second);

/* A block: what it asks (a number of the engine's), how often all of it was asked, and how much of its order
 * once more. */
struct store_block {
    uint64_t id, kind, tries, next;
};

void rows_block(struct batch *batch, const struct store_block *block); /* and none of it is void */
void rows_block_hosts(struct batch *batch, uint64_t block, uint64_t first, uint64_t last);
void rows_block_void(struct batch *batch, uint64_t block, uint64_t first, uint64_t last);
void rows_block_end(struct batch *batch, uint64_t block);
void rows_forget_blocks(struct batch *batch);
