/* -oX: the format of nmap.dtd (xmloutputversion 1.05), which most programs that read scans expect. Some of
 * those read line by line or look at the order of attributes, so both are part of the format here;
 * doc/formats.md says what is promised. scanner="nmap" names the format: the DTD allows nothing else. */
#include "report/report.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/own.h"
#include "base/time.h"
#include "report/phrase.h"
#include "report/ranges.h"
#include "report/remark.h"
#include "report/xml_writer.h"

#define IMITATED_VERSION "7.94" /* of the format's maker: consumers branch on it */

struct report {
    const struct report_run *run;
    struct xml_writer *xml; /* owned */
    bool incomplete;        /* no memory: something is missing */
};

/* The command line in a comment: XML forbids two hyphens there, and some readers look for tags before the
 * first one. */
static void write_comment_text(struct xml_writer *xml, const char *text)
{
    char escaped[ESCAPE_MAX(1)];
    bool after_hyphen = false;
    for (; *text; text++) {
        bool hyphen = *text == '-';
        char one[2] = {*text, '\0'};
        escape_copy(ESCAPE_TEXT, one, escaped, sizeof escaped);
        if (hyphen && after_hyphen)
            xml_raw(xml, "&#45;");
        else if (*text == '<')
            xml_raw(xml, "&lt;");
        else
            xml_raw(xml, escaped);
        after_hyphen = hyphen && !after_hyphen;
    }
}

static void write_prologue(struct xml_writer *xml, const struct report_run *run)
{
    char time[PHRASE_TIME_MAX];
    xml_raw(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE nmaprun>\n<!-- Portolan ");
    write_comment_text(xml, run->version);
    xml_raw(xml, " scan initiated ");
    xml_raw(xml, phrase_time_utc(run->start_ns, time));
    xml_raw(xml, " as: ");
    write_comment_text(xml, run->command_line);
    xml_raw(xml, " -->\n");
}

static void write_scaninfo(struct report *report, const struct report_scan *scan)
{
    const struct port_set *ports = &report->run->plan->ports;
    enum port_protocol protocol = (enum port_protocol)scan->protocol;
    char *services = ranges_of_set(ports, protocol);
    if (!services)
        report->incomplete = true;
    xml_open(report->xml, "scaninfo");
    xml_attribute(report->xml, "type", scan->type);
    if (scan->flags)
        xml_attribute(report->xml, "scanflags", scan->flags);
    xml_attribute(report->xml, "protocol", protocol_name((enum protocol)scan->protocol));
    xml_attribute_number(report->xml, "numservices", (int64_t)port_set_count(ports, protocol));
    xml_attribute(report->xml, "services", services ? services : "");
    xml_close(report->xml);
    xml_raw(report->xml, "\n");
    free(services);
}

static void write_level(struct xml_writer *xml, const char *name, unsigned level)
{
    xml_open(xml, name);
    xml_attribute_number(xml, "level", level);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static struct report *xml_report_open(FILE *file, const struct report_run *run)
{
    struct report *report = calloc(1, sizeof *report);
    struct xml_writer *xml = report ? xml_writer_new(file) : NULL;
    if (!xml) {
        free(report);
        return NULL;
    }
    *report = (struct report){.run = run, .xml = xml};

    char time[PHRASE_TIME_MAX];
    write_prologue(xml, run);
    xml_open(xml, "nmaprun");
    xml_attribute(xml, "scanner", "nmap");
    xml_attribute(xml, "args", run->command_line);
    xml_attribute_number(xml, "start", run->start_ns / SEC);
    xml_attribute(xml, "startstr", phrase_time(run->start_ns, time));
    xml_attribute(xml, "version", IMITATED_VERSION);
    xml_attribute(xml, "xmloutputversion", "1.05");
    xml_raw(xml, "\n");
    for (size_t i = run->scan_count; i-- > 0;) /* two widespread readers keep the last: the main one */
        write_scaninfo(report, &run->scans[i]);
    write_level(xml, "verbose", run->fold.verbosity);
    write_level(xml, "debugging", run->fold.debugging);
    xml_writer_flush(xml);
    return report;
}

static void write_status(struct xml_writer *xml, const struct host_result *host)
{
    xml_open(xml, "status");
    xml_attribute(xml, "state", host->up ? "up" : "down");
    xml_attribute(xml, "reason", reason_name((enum reason)host->reason));
    xml_attribute_number(xml, "reason_ttl", host->ttl);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_address(struct xml_writer *xml, const char *text, const char *type)
{
    xml_open(xml, "address");
    xml_attribute(xml, "addr", text);
    xml_attribute(xml, "addrtype", type);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_addresses(struct xml_writer *xml, const struct host_result *host)
{
    char text[ADDR_TEXT_MAX];
    write_address(xml, addr_format(&host->addr, text), host->addr.family == ADDR_V6 ? "ipv6" : "ipv4");
    if (!host->has_mac)
        return;
    snprintf(text, sizeof text, "%02X:%02X:%02X:%02X:%02X:%02X", host->mac[0], host->mac[1], host->mac[2],
             host->mac[3], host->mac[4], host->mac[5]);
    write_address(xml, text, "mac");
}

static void write_hostname(struct xml_writer *xml, const char *name, const char *type)
{
    if (!name)
        return;
    xml_open(xml, "hostname");
    xml_attribute(xml, "name", name);
    xml_attribute(xml, "type", type);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_hostnames(struct xml_writer *xml, const struct host_result *host)
{
    xml_open(xml, "hostnames");
    xml_raw(xml, "\n");
    write_hostname(xml, host->user_name, "user");
    write_hostname(xml, host->ptr_name, "PTR");
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_extrareasons(struct report *report, const struct host_result *host,
                               const struct fold_reason *reason)
{
    char *ports = ranges_of_reason(host, reason);
    if (!ports)
        report->incomplete = true;
    xml_open(report->xml, "extrareasons");
    xml_attribute(report->xml, "reason", reason_name((enum reason)reason->reason));
    xml_attribute_number(report->xml, "count", reason->count);
    xml_attribute(report->xml, "proto", protocol_name((enum protocol)reason->protocol));
    xml_attribute(report->xml, "ports", ports ? ports : "");
    xml_close(report->xml);
    xml_raw(report->xml, "\n");
    free(ports);
}

static void write_extraports(struct report *report, const struct host_result *host, const struct fold *fold,
                             const struct fold_group *group)
{
    xml_open(report->xml, "extraports");
    xml_attribute(report->xml, "state", state_name((enum port_state)group->state));
    xml_attribute_number(report->xml, "count", group->count);
    xml_raw(report->xml, "\n");
    for (unsigned i = 0; i < group->reason_count; i++)
        write_extrareasons(report, host, &fold->reasons[group->first + i]);
    xml_close(report->xml);
    xml_raw(report->xml, "\n");
}

static void write_script(struct xml_writer *xml, const char *id, const char *output)
{
    xml_open(xml, "script");
    xml_attribute(xml, "id", id);
    xml_attribute(xml, "output", output);
    xml_close(xml);
}

/* What the format has no attribute for is said as if a script had found it. */
static void write_foreign_ttl(struct xml_writer *xml, const struct host_result *host,
                              const struct port_result *port)
{
    char text[96];
    if (!port->foreign)
        return;
    snprintf(text, sizeof text, "TTL %u is not that of the host's own answers, %u: a box on the way?",
             port->ttl, host->own_ttl);
    write_script(xml, "portolan-foreign-ttl", text);
}

/* What the service table says is 3 of 10, as those who made the format have it. Somebody who speaks for the
 * host may have no service at all. */
static int confidence_in(const struct host_result *host, const struct port_result *port)
{
    bool confirmed = port->confirmation == CONFIRMATION_ACKNOWLEDGED;
    if (port->state == PORT_OPEN && (host->answers_all || host->proxied) && !confirmed)
        return 0;
    return port->protocol == PROTOCOL_IP ? 8 : 3;
}

static void write_port(struct report *report, const struct host_result *host, const struct port_result *port)
{
    struct xml_writer *xml = report->xml;
    xml_open(xml, "port");
    xml_attribute(xml, "protocol", protocol_name((enum protocol)port->protocol));
    xml_attribute_number(xml, "portid", port->port);
    xml_open(xml, "state");
    xml_attribute(xml, "state", state_name((enum port_state)port->state));
    xml_attribute(xml, "reason", reason_name((enum reason)port->reason));
    xml_attribute_number(xml, "reason_ttl", port->ttl);
    if (port->source.family != ADDR_NONE) {
        char text[ADDR_TEXT_MAX];
        xml_attribute(xml, "reason_ip", addr_format(&port->source, text));
    }
    xml_close(xml);

    const char *service = phrase_service(report->run, port);
    if (service) {
        xml_open(xml, "service");
        xml_attribute(xml, "name", service);
        xml_attribute(xml, "method", "table");
        xml_attribute_number(xml, "conf", confidence_in(host, port));
        xml_close(xml);
    }
    write_foreign_ttl(xml, host, port);
    if (port->confirmation != CONFIRMATION_NONE)
        write_script(xml, "portolan-verify", confirmation_name((enum confirmation)port->confirmation));
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_ports(struct report *report, const struct host_result *host)
{
    struct fold fold;
    fold_host(host, &report->run->fold, &fold);
    xml_open(report->xml, "ports");
    for (unsigned i = 0; i < fold.group_count; i++)
        write_extraports(report, host, &fold, &fold.groups[i]);
    for (uint32_t i = 0; i < host->port_count; i++)
        if (!fold_hides(&fold, &host->ports[i]))
            write_port(report, host, &host->ports[i]);
    xml_close(report->xml);
    xml_raw(report->xml, "\n");
}

/* Some ports of the host, folded ones too, as ranges: a script for each protocol that has any. */
static void write_ranges(struct report *report, const char *name, const struct host_result *host,
                         char *(*ranges_of)(const struct host_result *host, enum protocol protocol))
{
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
        own(free_ptr) char *ports = ranges_of(host, (enum protocol)i);
        char id[48];
        snprintf(id, sizeof id, "%s-%s", name, protocol_name((enum protocol)i));
        if (ports && ports[0])
            write_script(report->xml, id, ports);
        report->incomplete |= !ports;
    }
}

/* The remark, and which ports it is about; and the ports that --max-retries left uncertain. */
static void write_hostscript(struct report *report, const struct host_result *host)
{
    struct xml_writer *xml = report->xml;
    char remark[REMARK_MAX];
    bool has_remark = remark_on(report->run, host, remark);
    if (!has_remark && !host->capped)
        return;
    xml_open(xml, "hostscript");
    if (has_remark)
        write_script(xml, "portolan-remark", remark);
    write_ranges(report, "portolan-foreign-ttl", host, ranges_of_foreign);
    if (host->capped)
        write_ranges(report, "portolan-not-certain", host, ranges_of_silent);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void write_times(struct xml_writer *xml, const struct host_result *host)
{
    if (!host->rto_ns)
        return;
    xml_open(xml, "times");
    xml_attribute_number(xml, "srtt", host->srtt_ns / USEC);
    xml_attribute_number(xml, "rttvar", host->rttvar_ns / USEC);
    xml_attribute_number(xml, "to", host->rto_ns / USEC);
    xml_close(xml);
    xml_raw(xml, "\n");
}

static void xml_report_host(struct report *report, const struct host_result *host)
{
    struct xml_writer *xml = report->xml;
    if (!fold_host_shown(host, &report->run->fold))
        return;
    xml_open(xml, "host");
    xml_attribute_number(xml, "starttime", host->start_ns / SEC);
    xml_attribute_number(xml, "endtime", host->end_ns / SEC);
    if (host->timed_out)
        xml_attribute(xml, "timedout", "true");
    if (host->unfinished)
        xml_attribute(xml, "comment", "unfinished");
    write_status(xml, host);
    write_addresses(xml, host);
    write_hostnames(xml, host);
    if (host->port_count)
        write_ports(report, host);
    if (host->port_count)
        write_hostscript(report, host);
    write_times(xml, host);
    xml_close(xml);
    xml_raw(xml, "\n");
    xml_writer_flush(xml);
}

static void write_finished(struct report *report, const struct report_end *end)
{
    struct xml_writer *xml = report->xml;
    char time[PHRASE_TIME_MAX];
    char elapsed[PHRASE_TIME_MAX];
    char summary[PHRASE_SUMMARY_MAX];
    char trust[PHRASE_TRUST_MAX];
    char done[PHRASE_TIME_MAX + PHRASE_SUMMARY_MAX + PHRASE_TRUST_MAX + sizeof "Portolan done at ; ; "];
    phrase_time(end->end_ns, time);
    snprintf(done, sizeof done, "Portolan done at %s; %s; %s", time,
             phrase_summary(report->run, end, summary), phrase_trust(report->run, end, trust));

    xml_open(xml, "finished");
    xml_attribute_number(xml, "time", end->end_ns / SEC);
    xml_attribute(xml, "timestr", time);
    xml_attribute(xml, "summary", done);
    xml_attribute(xml, "elapsed", phrase_elapsed(report->run, end, elapsed));
    xml_attribute(xml, "exit", end->interrupted ? "error" : "success");
    if (end->interrupted)
        xml_attribute(xml, "errormsg", end->interrupted);
    xml_close(xml);
}

static bool xml_report_end(struct report *report, const struct report_end *end)
{
    struct xml_writer *xml = report->xml;
    xml_open(xml, "runstats");
    write_finished(report, end);
    xml_open(xml, "hosts");
    xml_attribute_number(xml, "up", (int64_t)end->hosts_up);
    xml_attribute_number(xml, "down", (int64_t)end->hosts_down);
    xml_attribute_number(xml, "total", (int64_t)end->hosts_total);
    xml_close(xml);
    xml_raw(xml, "\n");
    xml_close(xml);
    xml_raw(xml, "\n");
    xml_close(xml);
    xml_raw(xml, "\n");
    return xml_writer_flush(xml) && !report->incomplete;
}

static void xml_report_close(struct report *report)
{
    if (!report)
        return;
    xml_writer_free(report->xml);
    free(report);
}

const struct report_ops report_xml = {
    .name = "xml",
    .option = "-oX",
    .suffix = ".xml",
    .open = xml_report_open,
    .host = xml_report_host,
    .end = xml_report_end,
    .close = xml_report_close,
};
