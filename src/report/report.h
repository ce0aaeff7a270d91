/* A report: host by host, as they are complete, into a file it was given. All reports are functions of
 * results; none knows of packets or of time. Foreign text is escaped here, at the sink, and nowhere else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "plan/plan.h"
#include "results/fold.h"
#include "results/results.h"

/* One requested scan, as scaninfo in XML names it. Only these types are valid there: syn, ack, bounce,
 * connect, null, xmas, window, maimon, fin, udp, sctpinit, sctpcookieecho, ipproto. */
struct report_scan {
    const char *type;
    const char *flags; /* --scanflags, such as "FINPSHURG"; else NULL */
    uint8_t protocol;  /* enum protocol */
};

/* What is known before the first packet. */
struct report_run {
    const char *version;      /* of Portolan */
    const char *command_line; /* as given, unescaped */
    int64_t start_ns;         /* CLOCK_REALTIME */
    const struct plan *plan;
    const struct report_scan *scans; /* the main one first; none for a technique without such a type (idle) */
    size_t scan_count;
    bool finds_zombie;        /* --find-zombie */
    bool idle;                /* an idle scan: open or closed|filtered is all it tells */
    double risk;              /* --confidence: the chance of a wrong state that was accepted */
    bool show_reason;         /* --reason, or implied by -vv or -d */
    bool color;               /* report_interactive only */
    bool discovery_only;      /* -sn */
    struct fold_options fold; /* with ip_protocols the table says PROTOCOL, not PORT */
    /* The service table's name for a port, or NULL. */
    const char *(*service)(void *context, enum protocol protocol, uint16_t port);
    void *service_context;
};

/* Packets of one kind that came and were not taken for answers. */
struct report_reject {
    const char *name; /* "bad checksum" */
    uint64_t count;   /* > 0 */
};

#define REPORT_REJECTS_MAX 8

/* A host that is fit as the zombie of an idle scan. */
struct report_zombie {
    struct addr addr;
    const char *ids; /* how it numbers its packets: "incremental" */
    double pps;      /* packets a second that it sends by itself */
    double loss;     /* share of the questions that went unanswered */
    int64_t rtt_ns;
};

/* Hosts that answered and are not fit. */
struct report_unfit {
    const char *why; /* half a sentence: "gives all its packets the ID 0" */
    uint64_t count;  /* 0: none */
};

/* How it ended. */
struct report_end {
    int64_t end_ns;
    uint64_t hosts_up, hosts_down, hosts_total;
    uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
    uint64_t probes_sent, answers, rejected, drops;
    struct report_reject rejects[REPORT_REJECTS_MAX]; /* of what kinds the rejected were, if that is known */
    unsigned reject_count;
    bool account_unknown;       /* of a stored scan that was killed: nobody told the rest of these numbers */
    uint64_t tries, tries_lost; /* whose fate is known, and how many of them were lost on the way */
    uint64_t hosts_limited;     /* that limit their resets or ICMP errors */
    uint64_t ports_capped;      /* silent, and not asked often enough to be sure, because of --max-retries */
    uint64_t conflicts;         /* answers that contradict an earlier one */
    double doubt;               /* expected number of ports that are called silent by mistake */
    const struct report_zombie *zombies; /* of --find-zombie, the best first */
    size_t zombie_count;
    const struct report_unfit *unfit;
    size_t unfit_count;
    const char *interrupted; /* NULL: complete; else why not, e.g. "interrupted by SIGINT" */
    int exit_status;
};

/* What the scan knew of itself when it was over.
 *   values  by enum end_value */
void report_end_account(struct report_end *end, const uint64_t values[static END_VALUE_COUNT]);

struct report;

struct report_ops {
    const char *name;   /* "xml" */
    const char *option; /* "-oX" */
    const char *suffix; /* of -oA: ".xml"; NULL: not one of them */

    /* Begin the document. NULL without memory. File and run stay the caller's and must outlive the report. */
    struct report *(*open)(FILE *file, const struct report_run *run);

    /* What results hands over. port is NULL where it is not wanted. */
    void (*port)(struct report *report, const struct addr *host, const struct port_result *port);
    void (*host)(struct report *report, const struct host_result *host);

    /* Complete the document. False when something is missing in it for want of memory. */
    bool (*end)(struct report *report, const struct report_end *end);

    void (*close)(struct report *report); /* frees; NULL is allowed */
};

/* Every function only writes to the FILE; who owns it flushes it and looks at ferror(). What people read is
 * flushed after each host, so that it stands in order with what else they are told. Times in text are local
 * times: tzset() must have read the time zone before a sandbox closes. */

extern const struct report_ops report_interactive; /* for the terminal; no option */
extern const struct report_ops report_normal;      /* -oN */
extern const struct report_ops report_xml;         /* -oX */
extern const struct report_ops report_json;        /* -oJ, JSON lines */
extern const struct report_ops report_grepable;    /* -oG */
extern const struct report_ops report_list;        /* -oL, ip:port of open ports as they are found */

/* Those with an option. */
extern const struct report_ops *const report_table[];
extern const unsigned report_table_len;
