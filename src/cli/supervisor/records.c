/* From records to results, and from results to reports. */
#include "cli/supervisor/internal.h"

#include <string.h>

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

static void take_port(void *context, const struct addr *host, const struct port_result *port)
{
    struct supervisor *supervisor = context;
    supervisor->progress.found += port->state == PORT_OPEN;
    talk_clear(supervisor->talk);
    outputs_port(&supervisor->outputs, host, port);
    recorder_port(&supervisor->recorder, host, port);
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

static void take_progress(struct supervisor *supervisor, const struct record *record)
{
    for (unsigned i = 0; i < PROGRESS_COUNT; i++)
        supervisor->progress.values[i] = record->value[i];
}

static bool wants_name(const struct supervisor *supervisor, const struct record *record)
{
    if (supervisor->stopping || supervisor->job->options->no_names)
        return false;
    return record->type == RECORD_HOST_UP ||
           (record->type == RECORD_HOST_DOWN && supervisor->job->options->all_names);
}

static void take_record(struct supervisor *supervisor, const struct record *record)
{
    if (!record_valid(record))
        return; /* results count it below, where records of hosts end */
    recorder_record(&supervisor->recorder, record);
    switch ((enum record_type)record->type) {
    case RECORD_NOTE:
        supervisor_note_record(supervisor, record);
        break;
    case RECORD_PROGRESS:
        take_progress(supervisor, record);
        break;
    case RECORD_END:
        supervisor->ended = true;
        memcpy(supervisor->end_values, record->value, sizeof supervisor->end_values);
        supervisor->cut_short = (record->flags & RECORD_UNFINISHED) != 0;
        break;
    case RECORD_EVIDENCE:
        if (evidence_take(&supervisor->evidence, record))
            recorder_evidence(&supervisor->recorder, &supervisor->evidence);
        break;
    case RECORD_INTAKE:
    case RECORD_BLOCK_HOSTS:
    case RECORD_BLOCK:
    case RECORD_BLOCK_VOID:
    case RECORD_BLOCK_END:
        break; /* only the recorder wants them */
    case RECORD_HOST_UP:
    case RECORD_HOST_DOWN:
    case RECORD_MAC:
    case RECORD_PORT:
    case RECORD_HOST_DONE:
    case RECORD_TYPE_COUNT:
        if (wants_name(supervisor, record))
            names_ask(supervisor->names, supervisor->results, &record->host);
        break;
    }
}

void supervisor_drain(struct supervisor *supervisor)
{
    struct record record;
    while (!supervisor->outputs.failed && !recorder_is_full(&supervisor->recorder) &&
           ring_pop(&supervisor->channel->ring, &record)) {
        take_record(supervisor, &record);
        results_record(supervisor->results, &record); /* refuses and counts what is not valid */
    }
}
