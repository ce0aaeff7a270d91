/* From records to results, and from results to reports. */
#include "cli/supervisor/internal.h"

#include <string.h>

#define DRAIN_AT_ONCE 4096 /* records, and it is the turn of the next packet process, and of all else */

static void take_host(void *context, const struct host_result *host)
{
    struct supervisor *supervisor = context;
    talk_clear(supervisor->talk);
    outputs_host(&supervisor->outputs, host);
    recorder_host(&supervisor->recorder, host);
    if (supervisor->job->options->discovery_only)
        supervisor->progress.found += host->up;
    if (host->up && !host->unfinished && !supervisor->impatient)
        then_host(&supervisor->then, host);
}

/* The packet behind what is said of a port comes with it, or before it. */
static const struct evidence_parts *packet_of(const struct supervisor *supervisor, const struct addr *host,
                                              const struct port_result *port)
{
    const struct evidence_parts *parts = supervisor->speaking ? &supervisor->speaking->evidence : NULL;
    return parts && evidence_is_of(parts, host, port) ? parts : NULL;
}

static void take_port(void *context, const struct addr *host, const struct port_result *port)
{
    struct supervisor *supervisor = context;
    supervisor->progress.found += port->state == PORT_OPEN;
    talk_clear(supervisor->talk);
    outputs_port(&supervisor->outputs, host, port);
    recorder_port(&supervisor->recorder, host, port, packet_of(supervisor, host, port));
}

int supervisor_open_results(struct supervisor *supervisor, struct error *err)
{
    struct results_config config = job_results_config(supervisor->job);
    config.context = supervisor;
    config.host = take_host;
    config.port = take_port;
    int r = results_new(&config, &supervisor->results, err);
    const struct targets *targets = &supervisor->job->targets;
    for (size_t i = 0; i < targets->name_count && r == 0; i++)
        results_set_user_name(supervisor->results, &targets->names[i].addr, targets->names[i].name);
    return r;
}

/* What is shown is the sum over all packet processes. */
static void take_progress(struct supervisor *supervisor, struct told *told, const struct record *record)
{
    for (unsigned i = 0; i < PROGRESS_COUNT; i++) {
        supervisor->progress.values[i] += record->value[i] - told->progress[i];
        told->progress[i] = record->value[i];
    }
}

static void take_end(struct told *told, const struct record *record)
{
    told->ended = true;
    memcpy(told->end_values, record->value, sizeof told->end_values);
    told->cut_short = (record->flags & RECORD_UNFINISHED) != 0;
}

static bool wants_name(const struct supervisor *supervisor, const struct record *record)
{
    if (supervisor->stopping || supervisor->job->options->no_names)
        return false;
    return record->type == RECORD_HOST_UP ||
           (record->type == RECORD_HOST_DOWN && supervisor->job->options->all_names);
}

static void take_record(struct supervisor *supervisor, struct told *told, const struct record *record)
{
    if (!record_valid(record))
        return; /* results count it below, where records of hosts end */
    recorder_record(&supervisor->recorder, record);
    switch ((enum record_type)record->type) {
    case RECORD_NOTE:
        supervisor_note_record(supervisor, record);
        break;
    case RECORD_PROGRESS:
        take_progress(supervisor, told, record);
        break;
    case RECORD_END:
        take_end(told, record);
        break;
    case RECORD_EVIDENCE:
        evidence_take(&supervisor->evidence, &told->evidence, record);
        break;
    case RECORD_INTAKE:
    case RECORD_BLOCK_HOSTS:
    case RECORD_BLOCK:
    case RECORD_BLOCK_VOID:
    case RECORD_BLOCK_END:
        break; /* only the recorder wants them */
    case RECORD_PORT:
        if (record->part.len > 0)
            evidence_take(&supervisor->evidence, &told->evidence, record);
        break;
    case RECORD_HOST_UP:
    case RECORD_HOST_DOWN:
    case RECORD_MAC:
    case RECORD_CONFIRMATION:
    case RECORD_HOST_DONE:
    case RECORD_TYPE_COUNT:
        if (wants_name(supervisor, record))
            names_ask(supervisor->names, supervisor->results, &record->host);
        break;
    }
}

/* Some of what one packet process has told. False: nothing is left. */
static bool drain_some(struct supervisor *supervisor, unsigned number)
{
    struct record record;
    for (unsigned i = 0; i < DRAIN_AT_ONCE; i++) {
        if (supervisor->outputs.failed || recorder_is_full(&supervisor->recorder) ||
            !ring_pop(&supervisor->crew->members[number].channel.ring, &record))
            return false;
        supervisor->speaking = &supervisor->told[number];
        take_record(supervisor, supervisor->speaking, &record);
        results_record(supervisor->results, &record); /* refuses and counts what is not valid */
    }
    return true;
}

void supervisor_drain(struct supervisor *supervisor)
{
    supervisor->behind = false;
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        supervisor->behind |= drain_some(supervisor, i);
}
