/* -oN and what the terminal shows: the shapes that scripts parse, "Nmap scan report for ..." and "PORT STATE
 * SERVICE", with words of our own around them. The two differ in their first and last lines, and only the
 * terminal has colours and live lines. */
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/own.h"
#include "base/time.h"
#include "report/phrase.h"
#include "report/port_table.h"
#include "report/ranges.h"
#include "report/remark.h"

struct report {
    FILE *file;
    const struct report_run *run;
    bool interactive;
};

static struct report *normal_new(FILE *file, const struct report_run *run, bool interactive)
{
    struct report *report = calloc(1, sizeof *report);
    if (report)
        *report = (struct report){.file = file, .run = run, .interactive = interactive};
    return report;
}

static struct report *interactive_open(FILE *file, const struct report_run *run)
{
    char time[PHRASE_TIME_MAX];
    fprintf(file, "Starting Portolan %s at %s\n", run->version, phrase_time_zone(run->start_ns, time));
    fflush(file);
    return normal_new(file, run, true);
}

static struct report *normal_open(FILE *file, const struct report_run *run)
{
    char time[PHRASE_TIME_MAX];
    fprintf(file, "# Portolan %s scan initiated %s as: ", run->version, phrase_time(run->start_ns, time));
    escape_write(ESCAPE_TEXT, run->command_line, file);
    fputc('\n', file);
    return normal_new(file, run, false);
}

static void write_address(const struct report *report, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    escape_write(ESCAPE_TEXT, addr_format(addr, text),
                 report->file); /* a zone is a name that somebody chose */
}

/* "NAME (IP)", or "IP" without a name */
static void write_name(const struct report *report, const struct host_result *host)
{
    const char *name = host->user_name ? host->user_name : host->ptr_name;
    if (name) {
        escape_write(ESCAPE_TEXT, name, report->file);
        fputs(" (", report->file);
    }
    write_address(report, &host->addr);
    fputs(name ? ")" : "", report->file);
}

static void write_received(const struct report *report, const struct host_result *host)
{
    fprintf(report->file, ", received %s", reason_name((enum reason)host->reason));
    if (host->source.family != ADDR_NONE) {
        fputs(" from ", report->file);
        write_address(report, &host->source);
    }
    if (host->ttl)
        fprintf(report->file, " ttl %u", host->ttl);
}

/* Seconds with two significant digits, never in scientific notation: "0.00042", "0.018", "1.2", "12". */
static void write_latency(const struct report *report, int64_t srtt_ns)
{
    int places = 0;
    for (int64_t below_ns = 10 * SEC; places < 9 && srtt_ns < below_ns; below_ns /= 10)
        places++;
    fprintf(report->file, " (%.*fs latency)", places, (double)srtt_ns / 1e9);
}

static void write_up(const struct report *report, const struct host_result *host)
{
    fputs("Host is up", report->file);
    if (report->run->show_reason)
        write_received(report, host);
    if (host->srtt_ns)
        write_latency(report, host->srtt_ns);
    fputs(".\n", report->file);

    if (host->user_name && host->ptr_name && strcasecmp(host->user_name, host->ptr_name) != 0) {
        fputs("rDNS record for ", report->file);
        write_address(report, &host->addr);
        fputs(": ", report->file);
        escape_write(ESCAPE_TEXT, host->ptr_name, report->file);
        fputc('\n', report->file);
    }
    if (report->run->fold.verbosity >= 2 || report->run->fold.debugging >= 1) {
        char time[PHRASE_TIME_MAX];
        fprintf(report->file, "Scanned at %s for %" PRId64 "s\n", phrase_time_zone(host->start_ns, time),
                (host->end_ns - host->start_ns) / SEC);
    }
}

static const char *thing(const struct report *report)
{
    return report->run->fold.ip_protocols ? "protocol" : "port";
}

/* A line that begins with this says what was folded; what does not fit in one begins another. */
#define NOT_SHOWN       "Not shown: "
#define NOT_SHOWN_WIDTH 100

/* "Not shown: 990 closed tcp ports (reset), 5 filtered tcp ports (no-response)" */
static void write_not_shown(const struct report *report, const struct fold *fold)
{
    size_t width = 0;
    for (unsigned i = 0; i < fold->group_count; i++) {
        const struct fold_group *group = &fold->groups[i];
        if (group->state == PORT_UNKNOWN)
            continue; /* said in a line of its own */
        for (unsigned j = 0; j < group->reason_count; j++) {
            const struct fold_reason *reason = &fold->reasons[group->first + j];
            char text[NOT_SHOWN_WIDTH];
            int len = snprintf(text, sizeof text, "%u %s %s %s%s (%s)", reason->count,
                               state_name((enum port_state)group->state),
                               protocol_name((enum protocol)reason->protocol), thing(report),
                               phrase_plural(group->count), reason_name((enum reason)reason->reason));
            bool fits = width > 0 && width + 2 + (size_t)len <= NOT_SHOWN_WIDTH;
            fprintf(report->file, "%s%s", fits ? ", " : width ? "\n" NOT_SHOWN : NOT_SHOWN, text);
            width = (fits ? width + 2 : strlen(NOT_SHOWN)) + (size_t)len;
        }
    }
    if (width)
        fputc('\n', report->file);
}

/* "12 ports were not completely probed (unfinished)." */
static void write_unknown(const struct report *report, const struct fold *fold)
{
    for (unsigned i = 0; i < FOLD_REASONS_MAX; i++) {
        const struct fold_reason *reason = &fold->reasons[i];
        if (reason->count && reason->state == PORT_UNKNOWN)
            fprintf(report->file, "%u %s%s %s not completely probed (%s).\n", reason->count, thing(report),
                    phrase_plural(reason->count), reason->count == 1 ? "was" : "were",
                    reason_name((enum reason)reason->reason));
    }
}

static const struct port_result *first_silent(const struct host_result *host, enum protocol protocol)
{
    for (uint32_t i = 0; i < host->port_count; i++)
        if (host->ports[i].reason == REASON_NO_RESPONSE && host->ports[i].protocol == protocol)
            return &host->ports[i];
    return NULL;
}

/* Which ports were silent to as many tries as --max-retries allows, though that is not enough to be sure. */
static void write_capped(const struct report *report, const struct host_result *host)
{
    for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++) {
        const struct port_result *first = first_silent(host, (enum protocol)protocol);
        own(free_ptr) char *ports = first ? ranges_of_silent(host, (enum protocol)protocol) : NULL;
        if (ports)
            fprintf(report->file,
                    "Not certain, for want of tries (--max-retries; %u made): silent %s %ss %s\n",
                    first->tries, protocol_name((enum protocol)protocol), thing(report), ports);
    }
}

/* The ports behind the remark on resets and errors with another TTL. */
static void write_foreign(const struct report *report, const struct host_result *host)
{
    for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++) {
        own(free_ptr) char *ports = ranges_of_foreign(host, (enum protocol)protocol);
        if (ports && ports[0])
            fprintf(report->file, "Not with the host's own TTL: %s %ss %s\n",
                    protocol_name((enum protocol)protocol), thing(report), ports);
    }
}

static void write_ports(const struct report *report, const struct host_result *host)
{
    struct fold fold;
    fold_host(host, &report->run->fold, &fold);
    if (!fold.listed_count && !fold.counts[PORT_UNKNOWN]) {
        fprintf(report->file, "All %u scanned %ss on ", host->port_count, thing(report));
        write_name(report, host);
        fputs(" are in ignored states.\n", report->file);
    }
    write_not_shown(report, &fold);
    if (fold.listed_count)
        port_table_write(report->file, report->run, report->interactive && report->run->color, host, &fold);

    char remark[REMARK_MAX];
    if (remark_on(report->run, host, remark))
        fprintf(report->file, "%s\n", remark);
    write_foreign(report, host);
    if (host->capped)
        write_capped(report, host);
    if (host->timed_out)
        fputs("The host timeout ended the scan of this host; what is shown was found before.\n",
              report->file);
    write_unknown(report, &fold);
}

static void write_down(const struct report *report, const struct host_result *host)
{
    fputs("Nmap scan report for ", report->file);
    write_name(report, host);
    fputs(" [host down", report->file);
    if (report->run->show_reason)
        write_received(report, host);
    fputs("]\n", report->file);
}

static void normal_host(struct report *report, const struct host_result *host)
{
    if (!fold_host_shown(host, &report->run->fold) ||
        (report->run->finds_zombie && report->run->fold.verbosity == 0))
        return;
    if (!host->up) {
        write_down(report, host);
        fflush(report->file);
        return;
    }

    fputs("Nmap scan report for ", report->file);
    write_name(report, host);
    fputc('\n', report->file);
    write_up(report, host);
    if (host->port_count)
        write_ports(report, host);
    if (host->has_mac) /* scripts expect a vendor in parentheses; we have no list of them */
        fprintf(report->file, "MAC Address: %02X:%02X:%02X:%02X:%02X:%02X (Unknown)\n", host->mac[0],
                host->mac[1], host->mac[2], host->mac[3], host->mac[4], host->mac[5]);
    if (host->port_count)
        fputc('\n', report->file);
    fflush(report->file);
}

static void write_port_id(const struct report *report, const struct addr *host,
                          const struct port_result *port)
{
    fprintf(report->file, "%u/%s on ", port->port, protocol_name((enum protocol)port->protocol));
    write_address(report, host);
}

static void normal_port(struct report *report, const struct addr *host, const struct port_result *port)
{
    if (port->flags & RECORD_LATE) {
        fputs("Late answer: ", report->file);
        write_port_id(report, host, port);
        fprintf(report->file, " is %s (%s); its host had been reported by then.\n",
                state_name((enum port_state)port->state), reason_name((enum reason)port->reason));
    } else if (report->interactive && report->run->fold.verbosity >= 1 && port->state == PORT_OPEN) {
        fputs("Discovered open port ", report->file);
        write_port_id(report, host, port);
        fputc('\n', report->file);
    }
    fflush(report->file);
}

/* "44.176KB" */
static void write_bytes(const struct report *report, uint64_t bytes)
{
    if (bytes < 1000)
        fprintf(report->file, "%" PRIu64 "B", bytes);
    else if (bytes < 1000000)
        fprintf(report->file, "%.3fKB", (double)bytes / 1e3);
    else
        fprintf(report->file, "%.3fMB", (double)bytes / 1e6);
}

static void write_counters(const struct report *report, const struct report_end *end, const char *prefix)
{
    if (end->packets_sent) {
        fprintf(report->file, "%s           Raw packets sent: %" PRIu64 " (", prefix, end->packets_sent);
        write_bytes(report, end->bytes_sent);
        fprintf(report->file, ") | Rcvd: %" PRIu64 " (", end->packets_received);
        write_bytes(report, end->bytes_received);
        fputs(")\n", report->file);
    }
    for (unsigned i = 0; i < end->reject_count; i++) {
        if (i == 0)
            fprintf(report->file, "%s           Ignored:", prefix);
        fprintf(report->file, "%s %" PRIu64 " %s", i > 0 ? "," : "", end->rejects[i].count,
                end->rejects[i].name);
    }
    if (end->reject_count > 0)
        fputc('\n', report->file);
}

static void write_zombies(const struct report *report, const struct report_end *end, const char *prefix)
{
    const char *separator = "Not fit as zombies: ";
    fprintf(report->file, "%s%s\n", prefix,
            end->zombie_count ? "Fit as zombies, the best first:"
                              : "No host that answered is fit as a zombie.");
    for (size_t i = 0; i < end->zombie_count; i++) {
        const struct report_zombie *zombie = &end->zombies[i];
        fprintf(report->file, "%s", prefix);
        write_address(report, &zombie->addr);
        fprintf(report->file, "  IDs %s, %.1f packets a second of its own, %.0f%% lost, round trip %.2f ms\n",
                zombie->ids, zombie->pps, 100 * zombie->loss, (double)zombie->rtt_ns / 1e6);
    }
    for (size_t i = 0; i < end->unfit_count; i++) {
        if (end->unfit[i].count == 0)
            continue;
        fprintf(report->file, "%s%s%" PRIu64 " (%s)", separator[0] == ',' ? "" : prefix, separator,
                end->unfit[i].count, end->unfit[i].why);
        separator = ", ";
    }
    if (separator[0] == ',')
        fputc('\n', report->file);
}

static bool normal_end(struct report *report, const struct report_end *end)
{
    const struct report_run *run = report->run;
    const char *prefix = report->interactive ? "" : "# ";
    char time[PHRASE_TIME_MAX];
    char summary[PHRASE_SUMMARY_MAX];
    char trust[PHRASE_TRUST_MAX];
    if (end->interrupted) {
        fprintf(report->file, "%sPortolan stopped: ", prefix);
        escape_write(ESCAPE_TEXT, end->interrupted, report->file);
        fputs("; the results are incomplete\n", report->file);
    } else if (end->hosts_total == 1 && !end->hosts_up && !run->discovery_only) {
        fprintf(report->file, "%sNote: the host seems down. If it is up but does not answer pings, try -Pn\n",
                prefix);
    }
    if (run->finds_zombie)
        write_zombies(report, end, prefix);
    if (report->interactive)
        fprintf(report->file, "Portolan done: %s\n", phrase_summary(run, end, summary));
    else
        fprintf(report->file, "# Portolan done at %s -- %s\n", phrase_time(end->end_ns, time),
                phrase_summary(run, end, summary));
    if (run->fold.verbosity >= 1)
        write_counters(report, end, prefix);
    fprintf(report->file, "%s           %s\n", prefix, phrase_trust(run, end, trust));
    fflush(report->file);
    return true;
}

static void normal_close(struct report *report)
{
    free(report);
}

const struct report_ops report_interactive = {
    .name = "interactive",
    .open = interactive_open,
    .port = normal_port,
    .host = normal_host,
    .end = normal_end,
    .close = normal_close,
};

const struct report_ops report_normal = {
    .name = "normal",
    .option = "-oN",
    .suffix = ".nmap",
    .open = normal_open,
    .port = normal_port,
    .host = normal_host,
    .end = normal_end,
    .close = normal_close,
};
