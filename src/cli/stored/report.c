#include "cli/stored/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/job/job.h"
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
        .interrupted = complete ? NULL : "the scan is not complete",
        .exit_status = complete ? EX_OK : EX_TEMPFAIL,
    };
    outputs_end(&telling->outputs, &end);
}

static int write_reports(struct database *database, struct job *job, const struct stored_scan *scan,
                         struct error *err)
{
    const struct options *options = job->options;
    bool color = options->color == COLOR_ALWAYS ||
                 (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
    struct report_run run = job_report_run(job, scan->started_ns, color);
    struct telling telling = {.scan = scan};
    struct load_host_sink hosts = {tell_host, &telling};
    struct load_range_sink down = {tell_down, &telling};
    run.plan = scan->plan;
    run.version = scan->portolan;
    int r = outputs_open(options, &run, &telling.outputs, err);
    if (r < 0)
        return r;
    r = load_hosts(database, scan, LOAD_ALL, &hosts, err);
    if (r == 0)
        r = load_down(database, scan, &down, err);
    if (r == 0)
        end_reports(&telling, scan);
    if (telling.outputs.failed)
        r = telling.outputs.reader_left
                ? -EX_IOERR
                : error_set(err, telling.outputs.error.status, "%s", telling.outputs.error.text);
    outputs_done(&telling.outputs);
    return r;
}

static int report(const struct options *given, struct error *err)
{
    struct session *session = NULL;
    struct options options;
    struct job *job = NULL;
    int r = session_look_at(given->targets[0], &session, err);
    if (r < 0)
        return r;
    r = options_resume(session->word_count, session->words, given, &options, err);
    if (r == 0) {
        if (given->output_count == 0)
            options.output_count = 0; /* those of the scan are not written again */
        r = job_of_store(&options, &session->scan, &job, err);
        if (r == 0)
            r = write_reports(session->database, job, &session->scan, err);
        job_free(job);
        options_done(&options);
    }
    session_free(session);
    return r;
}

int stored_report(const struct options *given, struct talk *talk)
{
    struct error err = {.status = 0};
    int r = report(given, &err);
    if (r < 0 && err.status)
        talk_error(talk, &err);
    return -r;
}
