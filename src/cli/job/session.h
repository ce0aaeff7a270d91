/* An interrupted scan that goes on: what its store says of it, made ready for a job and for the engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "engine/engine.h"
#include "plan/targets.h"
#include "store/load.h"

struct job;

struct session {
    struct database *database; /* NULL once the engine's part is read: SQLite and fork do not mix */
    struct stored_scan scan;
    char **words; /* owned; of the command line, borrowed from scan.words */
    int word_count;
    struct addr_set excluded; /* by all --exclude since; normalized */
    uint64_t *again, *up;     /* owned; of `resume` */
    struct engine_resume resume;
};

/* EX_CANTCREAT when a scan uses the file, EX_DATAERR when it is damaged, no store, of a newer schema or
 * empty, EX_UNAVAILABLE when it asks on an interface that this machine does not have. */
int session_open(const char *path, struct session **ret, struct error *err);
/* Only to be read, also while a scan uses the file. */
int session_look_at(const char *path, struct session **ret, struct error *err);
void session_free(struct session *session); /* NULL is allowed */

/* The targets and names of the scan, in place of those that its words name. */
int session_targets(struct session *session, struct targets *targets, struct error *err);

/* Leave these out from now on; takes the set over. */
int session_exclude(struct session *session, struct addr_set *excluded, struct error *err);

/* Read how far the scan is, and close the file. EX_DATAERR, saying what differs, when the job is not the same
 * scan. */
int session_load(struct session *session, const struct job *job, struct error *err);
