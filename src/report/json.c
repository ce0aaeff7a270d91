/* -oJ: JSON lines, one object each: every listed port, every host, every correction, and a summary at the
 * end. The fields are described in doc/formats.md; the only place that knows jansson. Output is ASCII. */
#include "report/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/escape.h"
#include "base/time.h"
#include "report/phrase.h"
#include "report/ranges.h"
#include "report/remark.h"

struct report {
    FILE *file;
    const struct report_run *run;
    bool incomplete; /* no memory: something is missing */
};

/* jansson leaves < > & and DEL as they are. Outside of strings JSON has none of them, so they can be replaced
 * here. */
static int write_chunk(const char *chunk, size_t len, void *context)
{
    static const char replaced[] = {'<', '>', '&', '\x7f'};
    FILE *file = context;
    for (size_t i = 0; i < len; i++) {
        if (memchr(replaced, chunk[i], sizeof replaced))
            fprintf(file, "\\u%04x", (unsigned)chunk[i]);
        else
            fputc(chunk[i], file);
    }
    return 0;
}

/* Every value passes here: a member that cannot be made (no memory) makes the report incomplete. Takes over
 * the value. */
static void add(struct report *report, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value))
        report->incomplete = true;
}

static void add_text(struct report *report, json_t *object, const char *key, const char *text)
{
    char *escaped = escape_new(ESCAPE_JSON, text);
    add(report, object, key, escaped ? json_string(escaped) : NULL);
    free(escaped);
}

static void add_number(struct report *report, json_t *object, const char *key, uint64_t number)
{
    add(report, object, key, json_integer(number < LLONG_MAX ? (json_int_t)number : LLONG_MAX));
}

static void add_bool(struct report *report, json_t *object, const char *key, bool value)
{
    add(report, object, key, json_boolean(value));
}

static void add_time(struct report *report, json_t *object, const char *key, int64_t time_ns)
{
    char text[PHRASE_TIME_MAX];
    add_text(report, object, key, phrase_time_utc_us(time_ns, text));
}

static void add_addr(struct report *report, json_t *object, const char *key, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    if (addr->family != ADDR_NONE)
        add_text(report, object, key, addr_format(addr, text));
}

static void add_mac(struct report *report, json_t *object, const struct host_result *host)
{
    const uint8_t *mac = host->mac;
    char text[32];
    if (!host->has_mac)
        return;
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    add_text(report, object, "mac_address", text);
}

/* Writes the object as a line, and releases it. */
static void write_line(struct report *report, json_t *object)
{
    if (!object || json_dump_callback(object, write_chunk, report->file, JSON_COMPACT | JSON_ENSURE_ASCII))
        report->incomplete = true;
    fputc('\n', report->file);
    json_decref(object);
}

static struct report *json_open(FILE *file, const struct report_run *run)
{
    struct report *report = calloc(1, sizeof *report);
    if (!report)
        return NULL;
    json_object_seed(
        0); /* reads random bytes from a file: now, before a sandbox closes, not at the first host */
    *report = (struct report){.file = file, .run = run};
    return report;
}

/* What ports, hosts and corrections have in common. */
static json_t *begin_object(struct report *report, const char *type, const struct addr *addr,
                            const char *name)
{
    char text[ADDR_TEXT_MAX];
    json_t *object = json_object();
    add_text(report, object, "type", type);
    add_text(report, object, "host", name ? name : addr_format(addr, text));
    add_addr(report, object, "ip", addr);
    return object;
}

static void add_port(struct report *report, json_t *object, const struct port_result *port)
{
    const char *service = phrase_service(report->run, port);
    add_time(report, object, "timestamp", port->time_ns);
    add_number(report, object, "port", port->port);
    add_text(report, object, "protocol", protocol_name((enum protocol)port->protocol));
    add_bool(report, object, "tls", false);
    add_text(report, object, "state", state_name((enum port_state)port->state));
    add_text(report, object, "reason", reason_name((enum reason)port->reason));
    add_number(report, object, "ttl", port->ttl);
    add_addr(report, object, "reason_ip", &port->source);
    if (port->rtt_ns)
        add_number(report, object, "rtt_us", (uint64_t)(port->rtt_ns / USEC));
    add_number(report, object, "tries", port->tries);
    if (service)
        add_text(report, object, "service", service);
    if (port->confirmation != CONFIRMATION_NONE) {
        add_bool(report, object, "confirmed", port->confirmation == CONFIRMATION_ACKNOWLEDGED);
        add_text(report, object, "confirmation", confirmation_name((enum confirmation)port->confirmation));
    }
    if (port->foreign)
        add_bool(report, object, "foreign_ttl", true);
    if (port->flags & RECORD_WEAK)
        add_bool(report, object, "weak", true);
    if (port->flags & RECORD_LATE)
        add_bool(report, object, "late", true);
}

static void json_port(struct report *report, const struct addr *host, const struct port_result *port)
{
    if (!(port->flags & RECORD_LATE))
        return;
    json_t *object = begin_object(report, "correction", host, NULL);
    add_port(report, object, port);
    write_line(report, object);
}

static void append(struct report *report, json_t *array, json_t *object)
{
    if (json_array_append_new(array, object))
        report->incomplete = true;
}

static json_t *not_shown(struct report *report, const struct host_result *host, const struct fold *fold)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < fold->group_count; i++) {
        for (unsigned j = 0; j < fold->groups[i].reason_count; j++) {
            const struct fold_reason *reason = &fold->reasons[fold->groups[i].first + j];
            char *ports = ranges_of_reason(host, reason);
            json_t *object = json_object();
            add_text(report, object, "state", state_name((enum port_state)reason->state));
            add_text(report, object, "reason", reason_name((enum reason)reason->reason));
            add_text(report, object, "protocol", protocol_name((enum protocol)reason->protocol));
            add_number(report, object, "count", reason->count);
            add(report, object, "ports", ports ? json_string(ports) : NULL);
            append(report, array, object);
            free(ports);
        }
    }
    return array;
}

static void write_ports(struct report *report, const struct host_result *host, const struct fold *fold)
{
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (fold_hides(fold, &host->ports[i]))
            continue;
        json_t *object = begin_object(report, "port", &host->addr, host->user_name);
        add_port(report, object, &host->ports[i]);
        add_mac(report, object, host);
        write_line(report, object);
    }
}

/* Some ports of the host, as ranges for each protocol; nothing if there are none. */
static void add_ranges(struct report *report, json_t *object, const char *name,
                       const struct host_result *host,
                       char *(*ranges_of)(const struct host_result *host, enum protocol protocol))
{
    json_t *array = json_array();
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
        char *ports = ranges_of(host, (enum protocol)i);
        if (!ports || ports[0]) {
            json_t *entry = json_object();
            add_text(report, entry, "protocol", protocol_name((enum protocol)i));
            add(report, entry, "ports", ports ? json_string(ports) : NULL);
            if (json_array_append_new(array, entry))
                report->incomplete = true;
        }
        free(ports);
    }
    if (json_array_size(array) > 0)
        add(report, object, name, array);
    else
        json_decref(array);
}

static void add_host(struct report *report, json_t *object, const struct host_result *host)
{
    add_time(report, object, "timestamp", host->end_ns);
    add_time(report, object, "start", host->start_ns);
    add_text(report, object, "state", host->up ? "up" : "down");
    add_text(report, object, "reason", reason_name((enum reason)host->reason));
    add_number(report, object, "ttl", host->ttl);
    add_addr(report, object, "reason_ip", &host->source);
    if (host->user_name)
        add_text(report, object, "user_name", host->user_name);
    if (host->ptr_name)
        add_text(report, object, "ptr_name", host->ptr_name);
    add_mac(report, object, host);
    if (host->srtt_ns)
        add_number(report, object, "srtt_us", (uint64_t)(host->srtt_ns / USEC));
    if (host->rto_ns) {
        add_number(report, object, "rttvar_us", (uint64_t)(host->rttvar_ns / USEC));
        add_number(report, object, "rto_us", (uint64_t)(host->rto_ns / USEC));
    }
    add_number(report, object, "port_count", host->port_count);
    add_bool(report, object, "unfinished", host->unfinished);
    add_bool(report, object, "timed_out", host->timed_out);
    if (host->capped) {
        add_bool(report, object, "capped", true);
        add_ranges(report, object, "capped_ports", host, ranges_of_silent);
    }
    if (host->own_ttl)
        add_number(report, object, "own_ttl", host->own_ttl);
    add_ranges(report, object, "foreign_ttl", host, ranges_of_foreign);
    if (host->answers_all || host->proxied)
        add_text(report, object, "confidence", "low");
    char remark[REMARK_MAX];
    if (remark_on(report->run, host, remark))
        add_text(report, object, "remark", remark);
}

static void json_host(struct report *report, const struct host_result *host)
{
    struct fold fold;
    fold_host(host, &report->run->fold, &fold);
    write_ports(report, host, &fold);

    json_t *object = begin_object(report, "host", &host->addr, host->user_name);
    add_host(report, object, host);
    add(report, object, "not_shown", not_shown(report, host, &fold));
    write_line(report, object);
}

static json_t *describe_rejects(struct report *report, const struct report_end *end)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < end->reject_count; i++)
        add_number(report, object, end->rejects[i].name, end->rejects[i].count);
    return object;
}

static json_t *describe_zombies(struct report *report, const struct report_end *end)
{
    json_t *array = json_array();
    for (size_t i = 0; i < end->zombie_count; i++) {
        const struct report_zombie *zombie = &end->zombies[i];
        json_t *object = json_object();
        add_addr(report, object, "ip", &zombie->addr);
        add_text(report, object, "ids", zombie->ids);
        add(report, object, "pps", json_real(zombie->pps));
        add(report, object, "loss", json_real(zombie->loss));
        add_number(report, object, "rtt_us", (uint64_t)(zombie->rtt_ns / USEC));
        append(report, array, object);
    }
    return array;
}

static json_t *describe_unfit(struct report *report, const struct report_end *end)
{
    json_t *array = json_array();
    for (size_t i = 0; i < end->unfit_count; i++) {
        if (end->unfit[i].count == 0)
            continue;
        json_t *object = json_object();
        add_text(report, object, "why", end->unfit[i].why);
        add_number(report, object, "count", end->unfit[i].count);
        append(report, array, object);
    }
    return array;
}

/* What the scan knows of itself. */
static void add_account(struct report *report, json_t *object, const struct report_end *end)
{
    add_number(report, object, "hosts_limited", end->hosts_limited);
    add_number(report, object, "ports_capped", end->ports_capped);
    add_number(report, object, "conflicts", end->conflicts);
    add(report, object, "ports_in_doubt", json_real(end->doubt));
}

static bool json_end(struct report *report, const struct report_end *end)
{
    int64_t elapsed_ns = end->end_ns > report->run->start_ns ? end->end_ns - report->run->start_ns : 0;
    json_t *object = json_object();
    add_text(report, object, "type", "summary");
    add_time(report, object, "timestamp", end->end_ns);
    add_time(report, object, "start", report->run->start_ns);
    add_number(report, object, "elapsed_us", (uint64_t)(elapsed_ns / USEC));
    add_text(report, object, "scanner", "portolan");
    add_text(report, object, "version", report->run->version);
    add_text(report, object, "args", report->run->command_line);
    add_number(report, object, "hosts_up", end->hosts_up);
    add_number(report, object, "hosts_down", end->hosts_down);
    add_number(report, object, "hosts_total", end->hosts_total);
    add_number(report, object, "packets_sent", end->packets_sent);
    add_number(report, object, "bytes_sent", end->bytes_sent);
    add_number(report, object, "packets_received", end->packets_received);
    add_number(report, object, "bytes_received", end->bytes_received);
    add_number(report, object, "probes_sent", end->probes_sent);
    add_number(report, object, "answers", end->answers);
    add_number(report, object, "rejected", end->rejected);
    if (end->reject_count > 0)
        add(report, object, "rejected_by", describe_rejects(report, end));
    add_number(report, object, "drops", end->drops);
    if (end->tries)
        add(report, object, "loss", json_real((double)end->tries_lost / (double)end->tries));
    if (!end->account_unknown)
        add_account(report, object, end);
    add(report, object, "risk_accepted", json_real(report->run->risk));
    if (report->run->finds_zombie) {
        add(report, object, "zombies", describe_zombies(report, end));
        add(report, object, "unfit", describe_unfit(report, end));
    }
    add_text(report, object, "exit", end->interrupted ? "error" : "success");
    if (end->interrupted)
        add_text(report, object, "error", end->interrupted);
    add(report, object, "exit_status", json_integer(end->exit_status));
    write_line(report, object);
    fflush(report->file);
    return !report->incomplete;
}

static void json_close(struct report *report)
{
    free(report);
}

const struct report_ops report_json = {
    .name = "json",
    .option = "-oJ",
    .suffix = ".jsonl",
    .open = json_open,
    .port = json_port,
    .host = json_host,
    .end = json_end,
    .close = json_close,
};
