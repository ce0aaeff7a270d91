/* A store that a stranger has written, as report, diff and resume read it. What is taken can be reported
 * without a control character, is no different from itself, and says which hosts are still to be asked. */
#include "cli/job/session.h"
#include "cli/job/session_blocks.h"
#include "report/report.h"
#include "store/compare.h"
#include "store_input.h"

#define HOSTS_MAX (UINT64_C(1) << 20) /* more take long, and show nothing new */
#define PORTS_MAX 2048

/* The reports of all formats. */
struct reports {
    const struct report_ops *ops;
    struct report *report;
    uint64_t hosts;
};

static int take_host(void *context, const struct host_result *host, enum host_progress progress)
{
    struct reports *reports = context;
    assert(progress < HOST_PROGRESS_COUNT && (host->port_count == 0 || host->up));
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        assert(port->state < PORT_STATE_COUNT && port->reason < REASON_COUNT &&
               port->protocol < PROTOCOL_COUNT);
        if (port->state == PORT_OPEN && reports->ops->port)
            reports->ops->port(reports->report, &host->addr, port);
    }
    reports->ops->host(reports->report, host);
    reports->hosts++;
    return 0;
}

static void check_report(struct session *session, const struct report_ops *ops)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    assert(file);
    const struct report_run run = {.version = session->scan.portolan,
                                   .command_line = session->scan.command,
                                   .start_ns = session->scan.started_ns,
                                   .plan = session->scan.plan,
                                   .show_reason = true};
    struct reports reports = {.ops = ops, .report = ops->open(file, &run)};
    assert(reports.report);
    struct load_host_sink sink = {take_host, &reports};
    struct error err = {.status = 0};
    int r = load_hosts(session->database, &session->scan, LOAD_ALL, &sink, &err);
    assert(r == 0 || (err.status > 0 && err.text[0]));
    const struct report_end end = {.end_ns = session->scan.progress.saved_ns, .hosts_up = reports.hosts};
    ops->end(reports.report, &end);
    ops->close(reports.report);
    fclose(file);
    for (size_t i = 0; i < len; i++)
        assert((text[i] >= 0x20 && text[i] <= 0x7e) || text[i] == '\n' || text[i] == '\t');
    free(text);
}

static int count_change(void *context, const struct compare_run *run)
{
    unsigned *changes = context;
    (void)run;
    (*changes)++;
    return 0;
}

static void look_at(const char *path)
{
    struct error err = {.status = 0};
    struct session *session = NULL;
    unsigned changes = 0;
    const struct compare_sink sink = {count_change, &changes};
    if (session_look_at(path, &session, &err) < 0) {
        assert(err.status > 0 && err.text[0]);
        return;
    }
    const struct stored_scan *scan = &session->scan;
    if (scan->asked_count <= PORTS_MAX) {
        for (unsigned i = 0; i < report_table_len; i++)
            check_report(session, report_table[i]);
        int r = compare_stores(session->database, scan, session->database, scan, &sink, &err);
        assert(r == 0 || (err.status > 0 && err.text[0]));
        assert(changes == 0);
    }
    if (scan->asked_count <= PORTS_MAX && scan->plan->host_count <= HOSTS_MAX) {
        int r = session_blocks_load(session, &err);
        assert(r == 0 || (err.status > 0 && err.text[0]));
    }
    session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    with_store(data, size, look_at);
    return 0;
}
