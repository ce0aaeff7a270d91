/* Folds records into hosts. A host is in memory from its first record until RECORD_HOST_DONE (or HOST_DOWN);
 * it is then complete, handed on, and freed. Records come from another process: what record_valid() or the
 * plan refuses is counted and ignored, and no record can make the table grow beyond the plan.
 *
 * An open host costs about 80 bytes, each of its answers 16 (times are kept to the microsecond); ports that
 * stayed silent cost nothing. Of the foreign senders of a host's answers the first 255 are kept. */
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
    uint8_t flags;        /* enum record_flag: WEAK, LATE, REPLACES */
    uint8_t confirmation; /* enum confirmation */
    bool told;            /* results_config.port was called for it; else its state follows from its host's */
    bool foreign;         /* a reset or an error whose TTL is not the host's own: see results/whole_host.h */
    struct addr source;   /* ADDR_NONE: the host itself, or silence */
    int64_t time_ns;      /* CLOCK_REALTIME; of a silent port: when the host was complete */
    int64_t rtt_ns;       /* 0: not known */
};

/* One host, complete. Everything is owned by results and valid only during the call that hands it over. */
struct host_result {
    uint64_t position; /* in the plan */
    struct addr addr;
    const char *user_name; /* the name the user gave, or NULL; raw bytes: escape at the sink */
    const char *ptr_name;  /* from reverse DNS, or NULL; raw bytes from the network: escape at the sink */
    bool up;
    uint8_t reason; /* enum reason of up or down */
    uint8_t ttl;
    struct addr source;
    uint8_t own_ttl; /* of its own answers, so far as known; 0: not */
    bool has_mac;
    uint8_t mac[6];
    bool shown;      /* results_show_changed() has shown it before */
    bool unfinished; /* ports without an answer were not completely probed */
    bool timed_out;  /* because of --host-timeout */
    bool proxied;    /* its open ports answered as only somebody in between does: with a closed window */
    /* so many ports look open that a box in front of the host, or a trap, is more likely than services */
    bool answers_all;
    bool capped;      /* silent ports were not asked often enough to be sure, because of --max-retries */
    int64_t start_ns; /* CLOCK_REALTIME of the first and last record */
    int64_t end_ns;
    int64_t srtt_ns, rttvar_ns, rto_ns; /* 0: not known */
    const struct port_result *ports;    /* every port that was to be scanned, by protocol and number */
    uint32_t port_count;                /* 0 when down */
};

struct results_config {
    const struct plan *plan;              /* borrowed */
    bool scanned[PROTOCOL_COUNT];         /* which protocols' ports are scanned at all */
    uint8_t silent_state[PROTOCOL_COUNT]; /* enum port_state of a port that stayed silent */
    void *context;

    /* A host is complete, up or down. Called from within results_record(), results_set_ptr_name() and
     * results_flush(); must not call results itself. */
    void (*host)(void *context, const struct host_result *host);

    /* One port is known, before its host is complete; or, with the flag RECORD_LATE, was corrected after its
     * host had been handed over. A port may come more than once: the last one counts. May be NULL. */
    void (*port)(void *context, const struct addr *host, const struct port_result *port);
};

struct results;

/* EX_OSERR without memory. */
int results_new(const struct results_config *config, struct results **ret, struct error *err);
void results_free(
    struct results *results); /* NULL is allowed; hosts still open are dropped: see results_flush() */

/* Take in one record. False: refused (not valid, not of the plan) or no memory. Notes, progress and the end
 * of the scan are not for results: true, and nothing happens. The packet process ends a host once; records
 * that come after that, other than late ones, would begin it anew. */
bool results_record(struct results *results, const struct record *record);

/* Names to show with a host. Copied. False when the host is not of the plan, or no memory. A user's name is
 * set before the scan. A PTR name comes while it runs: results_await_ptr_name() says that one is asked for,
 * so the host is not handed over, even if complete, before results_set_ptr_name() gives it (NULL: there is
 * none). A name for a host that is not open is ignored. */
bool results_set_user_name(struct results *results, const struct addr *host, const char *name);
bool results_await_ptr_name(struct results *results, const struct addr *host);
bool results_set_ptr_name(struct results *results, const struct addr *host, const char *name);

/* So many hosts are open. */
uint64_t results_open_count(const struct results *results);

/* Show hosts that are open and have changed since they were last shown, as far as they are known now
 * (unfinished), until some `budget` of ports and hosts has been looked at; the next call goes on from there.
 * True: there is more to see. After false the next call begins anew.
 *   show  must not call results */
bool results_show_changed(struct results *results, uint64_t budget,
                          void (*show)(void *context, const struct host_result *host), void *context);

/* Hand over every host still open: complete ones that only wait for a name as they are, the others as
 * unfinished, which is right after an interrupted scan. */
void results_flush(struct results *results, int64_t now_ns);

struct results_totals {
    uint64_t hosts_up, hosts_down;
    uint64_t ports[PORT_STATE_COUNT]; /* of hosts handed over */
    uint64_t records_refused;
    uint64_t records_lost; /* for want of memory; their hosts are handed over as unfinished */
};
const struct results_totals *results_totals(const struct results *results);
