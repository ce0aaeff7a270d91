/* -oG: one line per host, fields separated by tabs, as scripts around grep, cut and awk expect it. Foreign
 * text in a field keeps none of the characters that separate fields. Last fields of ours are "Unfinished", of
 * a host that is not finished, and "Confidence", of one for whom somebody else may speak. */
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "report/phrase.h"
#include "report/ranges.h"

struct report {
    FILE *file;
    const struct report_run *run;
    bool incomplete; /* no memory: something is missing */
};

static void write_scanned(struct report *report, const char *label, enum protocol protocol, const char *end)
{
    bool scanned = false;
    for (size_t i = 0; i < report->run->scan_count; i++)
        scanned = scanned || report->run->scans[i].protocol == protocol;
    if (!scanned) {
        fprintf(report->file, "%s(0;)%s", label, end);
        return;
    }
    const struct port_set *ports = &report->run->plan->ports;
    char *ranges = ranges_of_set(ports, (enum port_protocol)protocol);
    if (!ranges)
        report->incomplete = true;
    fprintf(report->file, "%s(%zu;%s)%s", label, port_set_count(ports, (enum port_protocol)protocol),
            ranges ? ranges : "", end);
    free(ranges);
}

static struct report *grepable_open(FILE *file, const struct report_run *run)
{
    struct report *report = calloc(1, sizeof *report);
    if (!report)
        return NULL;
    *report = (struct report){.file = file, .run = run};

    char time[PHRASE_TIME_MAX];
    fprintf(file, "# Portolan %s scan initiated %s as: ", run->version, phrase_time(run->start_ns, time));
    escape_write(ESCAPE_TEXT, run->command_line, file);
    fputc('\n', file);
    if (run->fold.verbosity >= 1) {
        fputs("# Ports scanned: ", file);
        write_scanned(report, "TCP", PROTOCOL_TCP, " ");
        write_scanned(report, "UDP", PROTOCOL_UDP, " ");
        write_scanned(report, "SCTP", PROTOCOL_SCTP, " ");
        write_scanned(report, "PROTOCOLS", PROTOCOL_IP, "\n");
    }
    return report;
}

static void begin_line(const struct report *report, const struct host_result *host)
{
    char text[ADDR_TEXT_MAX];
    fputs("Host: ", report->file);
    escape_write(ESCAPE_TEXT, addr_format(&host->addr, text), report->file);
    fputs(" (", report->file);
    escape_write(ESCAPE_GREPABLE, host->ptr_name ? host->ptr_name : "", report->file);
    fputc(')', report->file);
}

static void write_port(const struct report *report, const struct port_result *port)
{
    const char *service = phrase_service(report->run, port);
    if (!service)
        service = "";
    if (port->protocol == PROTOCOL_IP) {
        fprintf(report->file, "%u/%s/", port->port, state_name((enum port_state)port->state));
        escape_write(ESCAPE_GREPABLE, service, report->file);
        fputc('/', report->file);
        return;
    }
    fprintf(report->file, "%u/%s/%s//", port->port, state_name((enum port_state)port->state),
            protocol_name((enum protocol)port->protocol));
    escape_write(ESCAPE_GREPABLE, service, report->file);
    fputs("///", report->file);
}

/* One state that is folded can be named; with two the format has no room for it. */
static void write_ignored(const struct report *report, const struct fold *fold)
{
    const struct fold_group *only = NULL;
    unsigned ignored_count = 0;
    for (unsigned i = 0; i < fold->group_count; i++) {
        if (fold->groups[i].state == PORT_UNKNOWN)
            continue;
        only = &fold->groups[i];
        ignored_count++;
    }
    if (ignored_count == 1)
        fprintf(report->file, "\tIgnored State: %s (%u)", state_name((enum port_state)only->state),
                only->count);
}

static void write_ports(const struct report *report, const struct host_result *host)
{
    struct fold fold;
    fold_host(host, &report->run->fold, &fold);
    fputs(report->run->fold.ip_protocols ? "\tProtocols: " : "\tPorts: ", report->file);
    const char *separator = "";
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (fold_hides(&fold, &host->ports[i]))
            continue;
        fputs(separator, report->file);
        write_port(report, &host->ports[i]);
        separator = ", ";
    }
    write_ignored(report, &fold);
    if (fold.counts[PORT_UNKNOWN])
        fprintf(report->file, "\tUnfinished: %u", fold.counts[PORT_UNKNOWN]);
    if (host->answers_all || host->proxied)
        fputs("\tConfidence: low", report->file);
}

static void grepable_host(struct report *report, const struct host_result *host)
{
    if (!fold_host_shown(host, &report->run->fold))
        return;
    begin_line(report, host);
    const char *status = !host->up ? "Down" : host->timed_out ? "Timeout" : "Up";
    fprintf(report->file, "\tStatus: %s\n", status);
    if (host->port_count) {
        begin_line(report, host);
        write_ports(report, host);
        fputc('\n', report->file);
    }
}

static bool grepable_end(struct report *report, const struct report_end *end)
{
    char time[PHRASE_TIME_MAX];
    char summary[PHRASE_SUMMARY_MAX];
    if (end->interrupted) {
        fputs("# Portolan stopped: ", report->file);
        escape_write(ESCAPE_TEXT, end->interrupted, report->file);
        fputs("; the results are incomplete\n", report->file);
    }
    fprintf(report->file, "# Portolan done at %s -- %s\n", phrase_time(end->end_ns, time),
            phrase_summary(report->run, end, summary));
    fflush(report->file);
    return !report->incomplete;
}

static void grepable_close(struct report *report)
{
    free(report);
}

const struct report_ops report_grepable = {
    .name = "grepable",
    .option = "-oG",
    .suffix = ".gnmap",
    .open = grepable_open,
    .host = grepable_host,
    .end = grepable_end,
    .close = grepable_close,
};
