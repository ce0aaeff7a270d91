/* The store of a scan, and what an interrupted scan had found: its reports are to hold everything. */
#include "cli/supervisor/internal.h"

#include <string.h>

#include "store/load.h"

/* A host that was finished then. */
static int repeat_host(void *context, const struct host_result *host, enum host_progress progress)
{
    struct supervisor *supervisor = context;
    (void)progress;
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].state == PORT_OPEN)
            outputs_port(&supervisor->outputs, &host->addr, &host->ports[i]);
    }
    outputs_host(&supervisor->outputs, host);
    if (host->up)
        supervisor->earlier_up++;
    else
        supervisor->earlier_down++;
    return 0;
}

static int repeat_down(void *context, uint64_t reason, uint64_t first, uint64_t last)
{
    struct supervisor *supervisor = context;
    for (uint64_t position = first; position <= last; position++) {
        struct host_result host = {.position = position,
                                   .addr = plan_host_at(&supervisor->job->plan, position),
                                   .reason = (uint8_t)reason};
        repeat_host(supervisor, &host, HOST_DONE);
    }
    return 0;
}

static struct record record_of(const struct host_result *host, enum record_type type, int64_t time_ns)
{
    struct record record = {.type = (uint8_t)type, .host = host->addr, .time_ns = time_ns};
    return record;
}

/* A host in flight: its records come once more, and the rest follows from the packet process. */
static void repeat_confirmation(struct supervisor *supervisor, const struct host_result *host,
                                const struct port_result *port)
{
    struct record record = record_of(host, RECORD_CONFIRMATION, port->time_ns);
    record.port = port->port;
    record.protocol = port->protocol;
    record.confirmation = port->confirmation;
    if (port->confirmation != CONFIRMATION_NONE)
        results_record(supervisor->results, &record);
}

static int repeat_records(void *context, const struct host_result *host, enum host_progress progress)
{
    struct supervisor *supervisor = context;
    struct record up = record_of(host, RECORD_HOST_UP, host->start_ns);
    (void)progress;
    up.reason = host->reason;
    up.ttl = host->ttl;
    up.source = host->source;
    up.rtt_ns = host->srtt_ns;
    if (host->up)
        results_record(supervisor->results, &up);
    if (host->has_mac) {
        struct record mac = record_of(host, RECORD_MAC, host->start_ns);
        memcpy(mac.mac, host->mac, sizeof mac.mac);
        results_record(supervisor->results, &mac);
    }
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        struct record record = record_of(host, RECORD_PORT, port->time_ns);
        record.port = port->port;
        record.protocol = port->protocol;
        record.state = port->state;
        record.reason = port->reason;
        record.ttl = port->ttl;
        record.tries = port->tries;
        record.flags = port->flags & RECORD_WEAK;
        record.source = port->source;
        record.rtt_ns = port->rtt_ns;
        if (port->state != PORT_UNKNOWN)
            results_record(supervisor->results, &record);
        repeat_confirmation(supervisor, host, port);
    }
    return 0;
}

static int repeat_all(struct supervisor *supervisor, struct database *database, struct error *err)
{
    const struct stored_scan *scan = &supervisor->job->session->scan;
    struct load_host_sink finished = {repeat_host, supervisor};
    struct load_host_sink scanning = {repeat_records, supervisor};
    struct load_range_sink down = {repeat_down, supervisor};
    int r = load_hosts(database, scan, LOAD_FINISHED, &finished, err);
    if (r == 0)
        r = load_down(database, scan, &down, err);
    if (r == 0)
        r = load_hosts(database, scan, LOAD_SCANNING, &scanning, err);
    return r;
}

int supervisor_start_store(struct supervisor *supervisor, struct database *database, struct error *err)
{
    int r = supervisor->job->session ? repeat_all(supervisor, database, err) : 0;
    if (r == 0)
        return recorder_start(&supervisor->recorder, database, err);
    database_close(database);
    return r;
}
