/* Everything that is known before the first packet: what to ask, of whom, in which order. Made from the
 * options and the files they name, without privileges; read-only from then on, so the packet process and the
 * supervisor share it by fork. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "cli/job/scans.h"
#include "cli/job/session.h"
#include "cli/job/specs.h"
#include "cli/job/via.h"
#include "cli/options/options.h"
#include "cli/supervisor/names.h"
#include "engine/engine.h"
#include "netio/route/route.h"
#include "netio/route/source_pool.h"
#include "plan/plan.h"
#include "plan/services.h"
#include "plan/targets.h"
#include "report/report.h"
#include "results/results.h"
#include "store/digest.h"

struct job {
    const struct options *options; /* borrowed */
    struct session *session;       /* the scan that goes on; NULL: a new one; borrowed */
    struct scans scans;
    struct route_table routes;
    struct source_pool pool;
    struct service_table *own_services; /* of --servicedb, or NULL */
    const struct service_table *services;
    struct targets targets; /* only their names from here on */
    struct plan plan;
    struct specs specs;
    struct specs discovery; /* of a scan through another host: none unless -P options ask for it */
    struct via via;         /* of an idle or a bounce scan */
    struct timing timing;
    struct token_key key;
    unsigned worker_count; /* packet processes that share it: 1 .. WORKERS_MAX */
    char *command_line;    /* as it was given, words separated by blanks; owned */
    struct report_scan report_scans[SCANS_MAX];
    unsigned report_scan_count;
    unsigned dropped_ports; /* PORTS_BIT of protocols that -p names and no scan asks for */
};

/* Read files, names and numbers, and make the plan. The exit status follows what is wrong: EX_USAGE,
 * EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_OSERR. *ret is to be freed with job_free.
 *   session                  NULL, unless an interrupted scan goes on
 *   options, session, names  borrowed as long as the job lives */
int job_new(const struct options *options, struct session *session, const struct scan_privilege *privilege,
            struct names *names, struct job **ret, struct error *err);

/* Of a scan that was stored, for reports only: in stored.c. The plan's targets stay with *scan, the services
 * are borrowed. */
int job_of_store(const struct options *options, const struct service_table *services,
                 struct stored_scan *scan, struct job **ret, struct error *err);

void job_free(struct job *job); /* NULL is allowed */

/* Names of the techniques, separated by blanks. */
#define JOB_SCANS_MAX 128
void job_scan_names(const struct job *job, char text[static JOB_SCANS_MAX]);

/* What tells this scan from another one: in digest.c. */
void job_digest(const struct job *job, char text[static DIGEST_TEXT_MAX]);

/* What results and reports are to know of it. */
struct results_config job_results_config(const struct job *job);
struct report_run job_report_run(struct job *job, int64_t start_ns, bool color);
