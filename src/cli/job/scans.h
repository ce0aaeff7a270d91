/* Which techniques this scan uses: those that were asked for, or the usual ones, as far as the machine
 * allows. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "report/report.h"
#include "technique/technique.h"

#define SCAN_FLAGS_MAX (3 * 8 + 1)
#define SCANS_MAX      3 /* one of TCP, UDP and SCTP each */

/* What raw sockets this process may use. */
struct scan_privilege {
    bool raw;                /* raw and packet sockets are open */
    const char *why_not;     /* else one sentence */
    const char *why_no_wire; /* the backends xdp and kernel cannot be used, for this reason; NULL: they can */
    const char *program;     /* how it was started: argv[0]; for the advice */
};

struct scans {
    const struct technique *techniques[SCANS_MAX]; /* borrowed: static, or of `custom` */
    struct technique custom[SCANS_MAX]; /* techniques with the flags of --scanflags, or with data */
    struct probe_data data;             /* of --data; borrowed from the options */
    char flag_names[SCAN_FLAGS_MAX];    /* of --scanflags, for the report: "FINPSHURG" */
    unsigned count;                     /* 0: discovery only */
    bool raw;                           /* packets are built by us; else the kernel connects */
    bool bounces;                       /* an FTP server connects for us; no target hears of us */
    bool finds_zombie;                  /* --find-zombie: no scan, but a look for hosts that serve one */
    bool idle;                          /* packets go in another host\'s name; no target hears of us */
};

/* Fails with EX_USAGE for kinds of scan that cannot be combined, EX_NOPERM for those that are not allowed.
 * *ret points into itself: it must not be moved. */
int scans_choose(const struct options *options, const struct scan_privilege *allowed, struct scans *ret,
                 struct error *err);

/* The backend to open, NULL: what is usual. Hosts of attached networks whose stations are not asked for
 * (--disable-arp-ping) can only be reached through raw sockets: there the kernel asks. */
const char *scans_backend(const struct options *options);

/* What the reports say of them; room for SCANS_MAX. Returns how many. */
unsigned scans_report(const struct scans *scans, struct report_scan ret[static SCANS_MAX]);
