/* What the user asked for, as far as the command line alone can tell. Texts point into argv and are not yet
 * understood: targets, ports and files are read later, without privileges. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

#define OPTIONS_SCANS_MAX   8
#define OPTIONS_PINGS_MAX   12
#define OPTIONS_OUTPUTS_MAX 8
#define WORKERS_MAX         16
#define OPTIONS_DATA_MAX    1400 /* bytes of payload that fit every link with the longest headers */

struct option;

/* One -P*: which technique asks whether a host is up, and of which ports (NULL: its usual one). */
struct option_ping {
    const char *technique;
    const char *ports;
    const struct option *option;
};

/* One -o*: which report goes to which file ("-": standard output). */
struct option_output {
    const char *letters; /* "oX" */
    const char *path;
};

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
    int argc; /* the whole command line; borrowed */
    char *const *argv;

    /* Targets. */
    const char **targets; /* owned array of borrowed words */
    size_t target_count;
    const char *input_file;
    const char *exclude;
    const char *exclude_file;
    uint64_t seed;
    uint64_t shard_index; /* 0-based */
    uint64_t shard_count; /* >= 1 */

    /* What is asked of them. */
    struct option_ping pings[OPTIONS_PINGS_MAX];
    const char *scans[OPTIONS_SCANS_MAX];        /* names of techniques */
    const char *scan_letters[OPTIONS_SCANS_MAX]; /* how each is spelled: "sS" */
    const char *via;                             /* the host through which -sI or -b scans */
    const char *find_zombie;                     /* targets that may be fit for -sI */
    unsigned ping_count;
    unsigned scan_count;
    const char *ports;
    const char *exclude_ports;
    const char *service_file;
    unsigned top_ports; /* 0: not given */
    int scan_flags;     /* -1: not given */

    /* Timing. */
    unsigned template_number;       /* -T; 0 .. 5 */
    unsigned workers;               /* 0: not given */
    unsigned max_retries;           /* OPTION_UNSET: not given */
    int64_t min_rtt_timeout_ns;     /* 0: not given */
    int64_t max_rtt_timeout_ns;     /* 0: not given */
    int64_t initial_rtt_timeout_ns; /* 0: not given */
    int64_t scan_delay_ns;          /* -1: not given */
    int64_t host_timeout_ns;        /* -1: not given */
    double min_rate_pps;            /* 0: not given */
    double max_rate_pps;            /* 0: not given */
    double risk;                    /* --confidence: of a wrong state; 0: not given */

    /* Packets. */
    const char *interface;
    const char *source;      /* an address */
    const char *source_pool; /* addresses and networks */
    const char *backend;
    uint8_t *data; /* owned; payload of the probes */
    size_t data_len;
    unsigned source_port; /* 0: not given */
    unsigned ttl;         /* 0: not given */

    /* Output and names. */
    struct option_output outputs[OPTIONS_OUTPUTS_MAX];
    unsigned output_count;
    unsigned verbosity;
    unsigned debugging;
    unsigned color;         /* enum color_choice */
    int64_t stats_every_ns; /* 0: not given */
    const char *then;
    const char *store;
    const char *pcap;
    const char *dns_servers;

    /* What is asked for by a word alone. */
    bool resolve_all, ipv6, allow_special, seed_given;
    bool discovery_only, assume_up, no_neighbor; /* -sn, -Pn, --disable-arp-ping */
    bool fast, in_order;                         /* -F, -r */
    bool privileged, unprivileged;
    bool verify;
    bool source_pool_foreign;
    bool reason, open_only, packet_trace;
    bool no_names, all_names; /* -n, -R */
    bool no_sandbox;
    bool help, version;
    bool json;    /* of portolan diff */
    uint8_t verb; /* enum options_verb */
};

#define OPTION_UNSET UINT32_MAX

/* What the first word asks for. All but a scan find their own words in `targets`. */
enum options_verb {
    VERB_SCAN,    /* no such word */
    VERB_DOCTOR,  /* alone */
    VERB_RESUME,  /* FILE */
    VERB_REPORT,  /* FILE */
    VERB_DIFF,    /* FILE FILE */
    VERB_EXPLAIN, /* FILE HOST:PORT */
    VERB_COUNT
};

/* Read the command line. argv[0] is not looked at. EX_USAGE with a line that names the argument. On success
 * the caller ends with options_done. */
int options_parse(int argc, char *const argv[], struct options *ret, struct error *err);

/* The options of a scan that goes on: those it was begun with, and over them what was given with `portolan
 * resume`.
 *   begun_argc, begun_argv  its command line, from its store; borrowed
 *   given                   as options_parse has read it, with VERB_RESUME */
int options_resume(int begun_argc, char *const begun_argv[], const struct options *given, struct options *ret,
                   struct error *err);

void options_done(struct options *options);

/* Do the options fit each other? EX_USAGE. Knows nothing of privileges. */
int options_check(const struct options *options, struct error *err);
