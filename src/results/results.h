/* Folds records into hosts. A host is in memory from its first record until RECORD_HOST_DONE (or HOST_DOWN); it is then
 * complete, handed on, and freed. Records come from another process: what record_valid() or the plan refuses is counted
 * and ignored, and no record can make the table grow beyond the plan. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"
#include "verdict/record.h"

struct port_result {
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    uint8_t state;    /* enum port_state */
    uint8_t reason;   /* enum reason */
    uint8_t ttl;
    uint8_t tries;
    uint8_t flags;      /* enum record_flag: WEAK, LATE */
    struct addr source; /* ADDR_NONE: the host itself, or silence */
    int64_t time_ns;    /* CLOCK_REALTIME */
    int64_t rtt_ns;     /* 0: not known */
};

/* One host, complete. Everything is owned by results and valid only during the call that hands it over. */
struct host_result {
    struct addr addr;
    const char *user_name; /* the name the user gave, or NULL; raw bytes: escape at the sink */
    const char *ptr_name;  /* from reverse DNS, or NULL; raw bytes from the network: escape at the sink */
    bool up;
    uint8_t reason; /* enum reason of up or down */
    uint8_t ttl;
    struct addr source;
    bool has_mac;
    uint8_t mac[6];
    bool unfinished;  /* ports without an answer were not completely probed */
    bool timed_out;   /* because of --host-timeout */
    int64_t start_ns; /* CLOCK_REALTIME of the first and last record */
    int64_t end_ns;
    int64_t srtt_ns, rttvar_ns, rto_ns; /* 0: not known */
    const struct port_result *ports;    /* every port of the plan, by protocol and number */
    uint32_t port_count;
};

struct results_config {
    const struct plan *plan;
    bool scanned[PROTOCOL_COUNT];         /* which protocols' ports are scanned at all */
    uint8_t silent_state[PROTOCOL_COUNT]; /* enum port_state of a port that stayed silent */
    void (*host)(void *context, const struct host_result *host); /* a host is complete (up or down) */
    void (*port)(void *context, const struct addr *host,
                 const struct port_result *port); /* as soon as a port is known;
                                                                          may be NULL */
    void *context;
};

struct results;

int results_new(const struct results_config *config, struct results **ret, struct error *err);
void results_free(struct results *results);

/* Take in one record. False: refused (not valid, not of the plan). Notes and progress are not for results. */
bool results_record(struct results *results, const struct record *record);

/* Names to show with a host: given by the user before the scan, or found while it runs. Copied. */
bool results_set_user_name(struct results *results, const struct addr *host, const char *name);
bool results_set_ptr_name(struct results *results, const struct addr *host, const char *name);

/* Hand over every host still open, as unfinished: after an interrupted scan. */
void results_flush(struct results *results, int64_t now_ns);

struct results_totals {
    uint64_t hosts_up, hosts_down;
    uint64_t ports[PORT_STATE_COUNT]; /* of hosts handed over */
    uint64_t records_refused;
};
const struct results_totals *results_totals(const struct results *results);
