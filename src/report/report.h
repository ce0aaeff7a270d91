/* A report: host by host, as they are complete, into a file it was given. All reports are functions of results; none
 * knows of packets or of time. Foreign text is escaped here, at the sink, and nowhere else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "plan/plan.h"
#include "results/fold.h"
#include "results/results.h"

/* One requested scan, as scaninfo in XML names it. */
struct report_scan {
    const char *type; /* "syn", "connect", "udp", ... */
    uint8_t protocol; /* enum protocol */
};

/* What is known before the first packet. */
struct report_run {
    const char *version;      /* of Portolan */
    const char *command_line; /* as given, unescaped */
    int64_t start_ns;         /* CLOCK_REALTIME */
    const struct plan *plan;
    const struct report_scan *scans;
    size_t scan_count;
    bool ip_protocols;   /* -sO: the table says PROTOCOL, not PORT */
    bool show_reason;    /* --reason, or implied by -vv or -d */
    bool color;          /* terminal only */
    bool discovery_only; /* -sn */
    struct fold_options fold;
    /* The service table's name for a port, or NULL. */
    const char *(*service)(void *context, enum protocol protocol, uint16_t port);
    void *service_context;
};

/* How it ended. */
struct report_end {
    int64_t end_ns;
    uint64_t hosts_up, hosts_down, hosts_total;
    uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
    uint64_t probes_sent, answers, rejected, drops;
    const char *interrupted; /* NULL: complete; else why not, e.g. "interrupted by SIGINT" */
    int exit_status;
};

struct report;

struct report_ops {
    const char *name;   /* "xml" */
    const char *option; /* "-oX" */
    const char *suffix; /* of -oA: ".xml"; NULL: not one of them */
    struct report *(*open)(FILE *file,
                           const struct report_run *run); /* NULL without memory; file stays the caller's */
    void (*port)(struct report *report, const struct addr *host,
                 const struct port_result *port); /* NULL: not wanted */
    void (*host)(struct report *report, const struct host_result *host);
    void (*end)(struct report *report, const struct report_end *end); /* completes the document */
    void (*close)(struct report *report);                             /* frees; NULL is allowed */
};

/* Every function only writes to the FILE; who owns it looks at ferror() and fflush(). */

extern const struct report_ops report_normal;   /* -oN, and the interactive output */
extern const struct report_ops report_xml;      /* -oX */
extern const struct report_ops report_json;     /* -oJ, JSON lines */
extern const struct report_ops report_grepable; /* -oG */
extern const struct report_ops report_list;     /* -oL, ip:port of open ports as they are found */

extern const struct report_ops *const report_table[];
extern const unsigned report_table_len;
