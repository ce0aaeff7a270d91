/* What of a running scan goes into its store, and when: everything that was found, and about once a second,
 * in one transaction with it, how far the scan is. The supervisor never waits for it, unless the disk cannot
 * keep up at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/channel.h"
#include "cli/job/job.h"
#include "cli/rejects.h"
#include "cli/supervisor/evidence.h"
#include "results/results.h"
#include "store/rows.h"
#include "store/writer.h"

/* Hosts that are down, one behind the other. */
struct down_range {
    uint64_t first, last;
    uint8_t reason;
    bool any;
    int64_t time_ns;
};

/* All zeros: there is no store, and nothing happens. */
struct recorder {
    const struct job *job;
    struct writer *writer; /* NULL: no store */
    struct batch found;    /* of hosts and ports: what is written next */
    struct batch state; /* how far the scan is; written when `found` holds what was known then. Else empty */
    struct batch next;  /* what comes in of the next state */
    struct down_range down;
    struct store_progress before; /* what earlier runs of this scan counted */
    struct rejects rejects_before;
    struct store_progress progress;
    uint64_t account[END_VALUE_COUNT]; /* of all runs that came to an end, */
    bool has_account;                  /* if one did */
    int64_t rest_ns;                   /* since when no state is being made */
    int64_t found_ns;                  /* when what was found is due, without one */
    int64_t walk_ns;                   /* what looking through the hosts took, this time or the last */
    bool walking;                      /* ... and it is not done */
    bool again;                        /* hosts may have rows already */
    bool stopping;                     /* what is unfinished now stays so until the scan is resumed */
    bool failed;
    struct error error; /* what it failed with */
};

/* Create the file and say what is scanned, or go on with that of the job's session. Fails as database_open
 * does.
 *   ret_database  to be read, and then given to recorder_start */
int recorder_open(struct recorder *recorder, const struct job *job, int64_t start_ns,
                  struct database **ret_database, struct error *err);

/* Begin to write in the background. Takes the database over, whatever the outcome. */
int recorder_start(struct recorder *recorder, struct database *database, struct error *err);

/* From results.
 *   packet  the one that decided; NULL: none is known */
void recorder_host(struct recorder *recorder, const struct host_result *host);
void recorder_port(struct recorder *recorder, const struct addr *host, const struct port_result *port,
                   const struct evidence_parts *packet);

/* From the ring: notes, what became of open ports, and the state of the engine. */
void recorder_record(struct recorder *recorder, const struct record *record);

/* Is there so much to be written that nothing more should be taken in? */
bool recorder_is_full(const struct recorder *recorder);

/* What all packet processes of this run have counted until now. Borrowed. */
struct recorder_counts {
    const struct packet_totals *packets;
    const uint64_t *progress; /* by enum progress_value */
};

/* Do what is due, for some milliseconds at most. */
void recorder_turn(struct recorder *recorder, struct results *results, const struct recorder_counts *counts);

/* Write the rest, when results have handed over every host, and how the scan ended. What fails is seen in
 * `failed`.
 *   complete  nothing is left to be done */
void recorder_end(struct recorder *recorder, const struct recorder_counts *counts, bool complete);
void recorder_done(struct recorder *recorder);
