#include "cli/stored/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/job/job.h"
#include "cli/rejects.h"
#include "cli/stored/limit.h"
#include "cli/supervisor/outputs.h"
#include "store/load.h"

struct telling {
    struct outputs outputs;
    const struct stored_scan *scan;
    uint64_t up, down;
};

static int tell_host(void *context, const struct host_result *host, enum host_progress progress)
{
    struct telling *telling = context;
    (void)progress;
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].state == PORT_OPEN)
            outputs_port(&telling->outputs, &host->addr, &host->ports[i]);
    }
    outputs_host(&telling->outputs, host);
    telling->up += host->up;
    telling->down += !host->up;
    return telling->outputs.failed ? -EX_IOERR : 0;
}

static int tell_down(void *context, uint64_t reason, uint64_t first, uint64_t last)
{
    const struct telling *telling = context;
    int r = 0;
    for (uint64_t position = first; position <= last && r == 0; position++) {
        struct host_result host = {.position = position,
                                   .addr = plan_host_at(telling->scan->plan, position),
                                   .reason = (uint8_t)reason};
        r = tell_host(context, &host, HOST_DONE);
    }
    return r;
}

static void end_reports(struct telling *telling, const struct stored_scan *scan)
{
    const struct store_progress *progress = &scan->progress;
    bool complete = strcmp(progress->state, "complete") == 0;
    struct report_end end = {
        .end_ns = progress->saved_ns,
        .hosts_up = telling->up,
        .hosts_down = telling->down,
        .hosts_total = scan->plan->host_count,
        .packets_sent = progress->packets_sent,
        .bytes_sent = progress->bytes_sent,
        .packets_received = progress->packets_received,
        .bytes_received = progress->bytes_received,
        .probes_sent = progress->probes_sent,
        .answers = progress->answers,
        .rejected = progress->rejected,
        .drops = progress->drops,
        .account_unknown = !scan->has_account,
        .interrupted = complete ? NULL : "the scan is not complete",
        .exit_status = complete ? EX_OK : EX_TEMPFAIL,
    };
    const struct rejects rejects = rejects_stored(scan);
    report_end_account(&end, scan->account);
    rejects_report(&rejects, &end);
    outputs_end(&telling->outputs, &end);
}

static int write_reports(struct database *database, struct telling *telling, const struct report_run *run,
                         struct error *err)
{
    const struct stored_scan *scan = telling->scan;
    struct load_host_sink hosts = {tell_host, telling};
    struct load_range_sink down = {tell_down, telling};
    int r = outputs_begin(&telling->outputs, run, err);
    if (r == 0)
        r = load_hosts(database, scan, LOAD_ALL, &hosts, err);
    if (r == 0)
        r = load_down(database, scan, &down, err);
    if (r == 0)
        end_reports(telling, scan);
    if (telling->outputs.failed)
        r = telling->outputs.reader_left
                ? -EX_IOERR
                : error_set(err, telling->outputs.error.status, "%s", telling->outputs.error.text);
    return r;
}

/* With what the scan's own command line says, as far as it concerns reports. */
static int report_session(struct session *session, const struct options *given,
                          const struct service_table *services, struct telling *telling, struct talk *talk,
                          struct error *err)
{
    struct options options;
    struct job *job = NULL;
    int r = options_resume(session->word_count, session->words, given, &options, err);
    if (r < 0)
        return r;
    if (options.service_file && !given->service_file)
        talk_note(talk, "the scan named services after '%s': --servicedb does so here", options.service_file);
    telling->scan = &session->scan;
    r = job_of_store(&options, services, &session->scan, &job, err);
    if (r == 0) {
        bool color = options.color == COLOR_ALWAYS ||
                     (options.color == COLOR_AUTO && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
        struct report_run run = job_report_run(job, session->scan.started_ns, color);
        run.plan = session->scan.plan;
        run.version = session->scan.portolan;
        r = write_reports(session->database, telling, &run, err);
    }
    outputs_done(&telling->outputs);
    job_free(job);
    options_done(&options);
    return r;
}

/* Everything is opened before the store, of whose writer nothing is known, is looked at. */
static int report(const struct options *given, struct talk *talk, struct error *err)
{
    struct session *session = NULL;
    struct service_table *services = NULL;
    struct telling telling = {.outputs = {.count = 0}};
    int r = given->service_file ? services_read(given->service_file, &services, err) : 0;
    if (r == 0)
        r = outputs_open(given, &telling.outputs, err);
    if (r == 0)
        r = stored_limit(given, 1, talk, err);
    if (r == 0)
        r = stored_look_at(given->targets[0], talk, &session, err);
    if (r == 0)
        r = report_session(session, given, services ? services : services_builtin(), &telling, talk, err);
    outputs_done(&telling.outputs);
    services_free(services);
    session_free(session);
    return r;
}

int stored_report(const struct options *given, struct talk *talk)
{
    struct error err = {.status = 0};
    int r = report(given, talk, &err);
    if (r < 0 && err.status)
        talk_error(talk, &err);
    return -r;
}
