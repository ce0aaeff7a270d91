#include "cli/job/scans.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/options/option_table.h"
#include "technique/tcp_probe.h"

#define PATH_TEXT_MAX 384

/* How to allow what is missing; the program by the path it was started with. */
static int refuse_raw(const char *what, const struct scan_privilege *privilege, struct error *err)
{
    char path[PATH_TEXT_MAX];
    if (strchr(privilege->program, '/')) {
        return error_set(err, EX_NOPERM,
                         "%s needs raw sockets, and %s; allow them with: sudo setcap cap_net_raw=ep %s", what,
                         privilege->why_not, privilege->program);
    }
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return error_set(err, EX_NOPERM,
                     "%s needs raw sockets, and %s; allow them with: sudo setcap cap_net_raw=ep %s", what,
                     privilege->why_not, path);
}

static bool is_idle(const struct technique *technique)
{
    return strcmp(technique->name, "idle") == 0;
}

static const char *stands_alone(const struct technique *one, const struct technique *other)
{
    if (one->kind == REQUEST_STREAM || other->kind == REQUEST_STREAM)
        return "a bounce scan";
    if (is_idle(one) || is_idle(other))
        return "an idle scan";
    return one->protocol == PROTOCOL_IP || other->protocol == PROTOCOL_IP ? "an IP protocol scan" : NULL;
}

/* At most one technique of each protocol, and a scan of IP protocols or through another host alone. */
static int check_together(const struct options *options, const struct scans *scans, struct error *err)
{
    for (unsigned i = 0; i < scans->count; i++) {
        for (unsigned j = 0; j < i; j++) {
            uint8_t one = scans->techniques[i]->protocol;
            uint8_t other = scans->techniques[j]->protocol;
            const char *alone = stands_alone(scans->techniques[i], scans->techniques[j]);
            if (alone)
                return error_set(err, EX_USAGE, "-%s and -%s cannot be given together: %s stands alone",
                                 options->scan_letters[j], options->scan_letters[i], alone);
            if (one == other)
                return error_set(err, EX_USAGE, "-%s and -%s cannot be given together: both are %s scans",
                                 options->scan_letters[j], options->scan_letters[i],
                                 protocol_name((enum protocol)one));
            if (one != PROTOCOL_UDP && other != PROTOCOL_UDP &&
                scans->techniques[i]->kind != scans->techniques[j]->kind)
                return error_set(err, EX_USAGE,
                                 "-%s and -%s cannot be given together: only one of them builds its packets",
                                 options->scan_letters[j], options->scan_letters[i]);
        }
    }
    return 0;
}

static int choose_named(const struct options *options, struct scans *scans, struct error *err)
{
    for (unsigned i = 0; i < options->scan_count; i++) {
        if (scans->count == SCANS_MAX)
            return error_set(err, EX_USAGE, "-%s: more than %d kinds of scan at once",
                             options->scan_letters[i], SCANS_MAX);
        scans->techniques[scans->count++] = technique_find(options->scans[i]);
        int r = check_together(options, scans, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void name_flags(unsigned flags, char ret[static SCAN_FLAGS_MAX])
{
    static const char names[] = "FINSYNRSTPSHACKURGECECWR";
    size_t len = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (flags >> i & 1) {
            memcpy(ret + len, names + 3 * i, 3);
            len += 3;
        }
    }
    ret[len] = '\0';
    if (len == 0)
        memcpy(ret, "NONE", sizeof "NONE");
}

/* --scanflags: the TCP technique chosen, or SYN, asks with these flags. */
static int choose_flags(const struct options *options, struct scans *scans, struct error *err)
{
    for (unsigned i = 0; i < scans->count; i++) {
        const struct technique *technique = scans->techniques[i];
        if (technique->protocol != PROTOCOL_TCP)
            continue;
        if (technique->kind != REQUEST_PACKET)
            return error_set(err, EX_USAGE,
                             "--scanflags cannot be given with -%s, which does not build its packets",
                             options->scan_letters[i]);
        scans->custom[i] = tcp_probe_with_flags(technique, (uint8_t)options->scan_flags);
        scans->techniques[i] = &scans->custom[i];
        name_flags((unsigned)options->scan_flags, scans->flag_names);
        return 0;
    }
    return error_set(err, EX_USAGE, "--scanflags is for TCP scans, and none is asked for");
}

/* --data: probes carry these bytes. */
static void choose_data(const struct options *options, struct scans *scans)
{
    scans->data = (struct probe_data){.bytes = options->data, .len = options->data_len};
    for (unsigned i = 0; i < scans->count; i++) {
        scans->custom[i] = technique_with_data(scans->techniques[i], &scans->data);
        scans->techniques[i] = &scans->custom[i];
    }
}

static const char *named_scan(const struct options *options, unsigned index, char text[static 8])
{
    if (index >= options->scan_count)
        return options->scan_flags >= 0 ? "--scanflags" : "this scan";
    snprintf(text, 8, "-%s", options->scan_letters[index]);
    return text;
}

/* A scan that connects asks with connections, ping sockets and datagrams whether hosts are up, and has
 * nothing else. */
static int check_pings(const struct options *options, const struct scan_privilege *privilege,
                       struct error *err)
{
    for (unsigned i = 0; i < options->ping_count; i++) {
        const struct option_ping *ping = &options->pings[i];
        char text[8];
        if (strcmp(ping->technique, "ping-syn") == 0 || strcmp(ping->technique, "echo") == 0 ||
            strcmp(ping->technique, "ping-udp") == 0)
            continue;
        snprintf(text, sizeof text, "-%s", ping->option->letters);
        if (!privilege->raw)
            return refuse_raw(text, privilege, err);
        return error_set(err, EX_USAGE, "%s cannot be given with a scan that connects; -PS, -PU and -PE can",
                         text);
    }
    return 0;
}

static bool asks_udp(const struct scans *scans)
{
    for (unsigned i = 0; i < scans->count; i++) {
        if (scans->techniques[i]->protocol == PROTOCOL_UDP)
            return true;
    }
    return false;
}

/* What only packets of our own can carry; data, datagrams can too. */
static int check_connecting(const struct options *options, const struct scans *scans, struct error *err)
{
    const struct {
        bool given;
        const char *spelled;
    } refused[] = {{options->source_port > 0, "-g"},
                   {options->data != NULL && !asks_udp(scans), "--data"},
                   {options->no_neighbor, "--disable-arp-ping"}};
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].given)
            return error_set(err, EX_USAGE, "%s cannot be given with a scan that connects",
                             refused[i].spelled);
    }
    return 0;
}

/* The kernel's connections are all it takes. */
static bool needs_no_packets(const struct technique *technique)
{
    return technique->kind == REQUEST_CONNECT || technique->kind == REQUEST_STREAM;
}

/* An idle scan sends to its targets in another's name, and only what moves that one's IDs. */
static int check_idle(const struct options *options, struct error *err)
{
    const struct {
        bool given;
        const char *spelled;
    } refused[] = {{options->scan_flags >= 0, "--scanflags"},
                   {options->min_rate_pps > 0, "--min-rate"},
                   {options->source_pool != NULL, "--source-pool"},
                   {options->store != NULL, "--store"}};
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].given)
            return error_set(err, EX_USAGE, "%s cannot be given with -sI", refused[i].spelled);
    }
    return 0;
}

/* The server of a bounce scan sets its pace. */
static int check_bouncing(const struct options *options, struct error *err)
{
    if (options->min_rate_pps > 0)
        return error_set(err, EX_USAGE, "--min-rate cannot be given with -b: the FTP server sets the pace");
    return 0;
}

static int check_privilege(const struct options *options, const struct scan_privilege *privilege,
                           const struct scans *scans, struct error *err)
{
    if (privilege->raw)
        return 0;
    if (options->privileged)
        return refuse_raw("--privileged", privilege, err);
    if (options->find_zombie)
        return refuse_raw("--find-zombie", privilege, err);
    for (unsigned i = 0; i < scans->count; i++) {
        char text[8];
        if (!needs_no_packets(scans->techniques[i]) && scans->techniques[i]->protocol != PROTOCOL_UDP)
            return refuse_raw(named_scan(options, i, text), privilege, err);
    }
    return 0;
}

static bool connects(const struct scans *scans)
{
    for (unsigned i = 0; i < scans->count; i++) {
        if (needs_no_packets(scans->techniques[i]))
            return true;
    }
    return false;
}

/* --backend connect is a way to do without raw sockets; the others are only for packets. */
static struct scan_privilege as_backend_wants(const struct options *options,
                                              const struct scan_privilege *privilege)
{
    struct scan_privilege wanted = *privilege;
    if (options->backend && strcmp(options->backend, "connect") == 0 && privilege->raw) {
        wanted.raw = false;
        wanted.why_not = "--backend connect is given";
    }
    return wanted;
}

static bool is_open_to_choice(const char *backend)
{
    return !backend || strcmp(backend, "best") == 0;
}

const char *scans_backend(const struct options *options)
{
    return options->no_neighbor && is_open_to_choice(options->backend) ? "raw" : options->backend;
}

static int check_backend(const struct options *options, const struct scans *scans, struct error *err)
{
    if (options->no_neighbor && !is_open_to_choice(options->backend) && strcmp(options->backend, "raw") != 0)
        return error_set(
            err, EX_USAGE,
            "--disable-arp-ping cannot be given with --backend %s: only with raw does the kernel find "
            "the stations of hosts",
            options->backend);
    if (!options->backend || scans->raw || strcmp(options->backend, "connect") == 0)
        return 0;
    return error_set(err, EX_USAGE, "--backend %s cannot be given with a scan that connects",
                     options->backend);
}

/* --verify completes what a SYN scan has begun. */
static int check_verify(const struct options *options, const struct scans *scans, struct error *err)
{
    for (unsigned i = 0; i < scans->count; i++) {
        const struct technique *technique = scans->techniques[i];
        if (technique->protocol == PROTOCOL_TCP && technique->kind == REQUEST_PACKET &&
            technique->tcp_flags == TCP_SYN)
            return options->backend && strcmp(options->backend, "kernel") == 0
                       ? error_set(err, EX_USAGE, "--verify cannot be given with --backend kernel")
                       : 0;
    }
    return error_set(err, EX_USAGE, "--verify needs -sS: it looks at the ports that a SYN scan finds open");
}

int scans_choose(const struct options *options, const struct scan_privilege *allowed, struct scans *ret,
                 struct error *err)
{
    struct scan_privilege wanted = as_backend_wants(options, allowed);
    const struct scan_privilege *privilege = &wanted;
    *ret = (struct scans){.count = 0};
    int r = choose_named(options, ret, err);
    if (r < 0)
        return r;
    if (ret->count == 0 && !options->discovery_only && !options->find_zombie)
        ret->techniques[ret->count++] =
            technique_find(privilege->raw || options->scan_flags >= 0 ? "syn" : "connect");
    if (options->scan_flags >= 0)
        r = choose_flags(options, ret, err);
    if (options->data)
        choose_data(options, ret);
    if (r == 0)
        r = check_privilege(options, privilege, ret, err);
    ret->raw = privilege->raw && !connects(ret);
    ret->bounces = ret->count > 0 && ret->techniques[0]->kind == REQUEST_STREAM;
    ret->finds_zombie = options->find_zombie != NULL;
    ret->idle = ret->count > 0 && is_idle(ret->techniques[0]);
    if (r == 0 && ret->idle)
        r = check_idle(options, err);
    if (r == 0 && ret->bounces)
        r = check_bouncing(options, err);
    if (r == 0 && !ret->raw)
        r = check_pings(options, privilege, err);
    if (r == 0 && !ret->raw)
        r = check_connecting(options, ret, err);
    if (r == 0 && options->verify)
        r = check_verify(options, ret, err);
    if (r == 0)
        r = check_backend(options, ret, err);
    return r;
}

unsigned scans_report(const struct scans *scans, struct report_scan ret[static SCANS_MAX])
{
    if (scans->idle)
        return 0; /* readers of our XML know no such type of scan */
    for (unsigned i = 0; i < scans->count; i++) {
        const struct technique *technique = scans->techniques[i];
        ret[i] = (struct report_scan){
            .type = technique->name,
            .protocol = technique->protocol,
            .flags = technique->protocol == PROTOCOL_TCP && scans->flag_names[0] ? scans->flag_names : NULL,
        };
    }
    return scans->count;
}
