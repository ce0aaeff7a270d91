/* A whole scan on the simulated network, and what came of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/bounce/bounce.h"
#include "netio/sim/sim.h"

/* What was reported of one port. */
struct seen_port {
    uint8_t state; /* enum port_state; PORT_UNKNOWN until the host is done */
    uint8_t reason;
    uint8_t flags;
    uint8_t tries;
    uint8_t confirmation; /* enum confirmation */
    struct addr source;
    uint32_t reports; /* RECORD_PORT records */
};

struct seen_host {
    bool up, down, done;
    uint8_t up_reason;
    uint8_t done_flags;
    uint32_t done_count;
    int64_t done_ns;
    struct seen_port *ports; /* by port - first_port */
};

/* Source ports of the tokens. */
#define SCENARIO_FIRST_PORT 61000
#define SCENARIO_PORT_COUNT 4096

struct scenario {
    /* In: */
    struct sim_config sim;
    const char *targets_first, *targets_last; /* one range of addresses */
    uint16_t first_port, last_port;           /* or IP protocols, as the technique says */
    const struct technique *technique;
    const struct technique *also; /* asks the ports from also_from on, in the same scan; NULL: none does */
    uint16_t also_from;
    bool discovery;                   /* the usual probes; false: -Pn, with neighbour discovery on link */
    const struct technique *ping;     /* with discovery: this probe alone, to port 80; NULL: the usual ones */
    bool verify;                      /* --verify */
    bool no_ports;                    /* -sn */
    const struct bounce_relay *relay; /* of a bounce scan, through sim.relays[0]; NULL: none */
    struct timing timing;
    uint64_t seed;      /* of the simulation, the order and the tokens */
    uint32_t pool_size; /* of sources: 203.0.113.0 and on, with the usual one among them; 0: none */
    int64_t stop_at_ns; /* virtual time after the start; 0: never */
    int64_t kill_at_ns; /* likewise: not another word */
    void (*keep)(void *context, const struct record *record); /* gets every record; NULL: nobody does */
    void *keep_context;
    bool one_source_port;               /* as with -g */
    const struct engine_resume *resume; /* where a scan goes on that was killed; NULL: from the start */
    bool watch_rate;

    /* Out: */
    struct plan *plan;       /* owned */
    struct seen_host *hosts; /* by position in the plan */
    uint64_t records[RECORD_TYPE_COUNT];
    uint64_t notes[NOTE_COUNT];
    uint64_t slower[RATE_CAUSE_COUNT]; /* times that the rate was told to go down, by cause */
    uint64_t progress[PROGRESS_COUNT]; /* the last */
    uint64_t end[END_VALUE_COUNT];
    uint64_t troubles[RELAY_TROUBLE_COUNT]; /* notes on the relay */
    unsigned trouble_number;                /* of the last */
    struct netio_stats stats;
    bool unfinished;
    int64_t took_ns;       /* virtual */
    uint64_t worst_window; /* most packets sent in any 100 ms, with watch_rate */
};

/* Timing that scenarios start from. */
struct timing scenario_timing(void);

/* Run it to the end. Asserts that it ends, in bounded virtual time. */
void scenario_run(struct scenario *scenario);
void scenario_done(struct scenario *scenario);

const struct seen_host *scenario_host(const struct scenario *scenario, const char *address);
const struct seen_port *scenario_port(const struct scenario *scenario, const char *address, uint16_t port);

/* Compare every port of every host with the truth of the simulation, for a TCP technique or UDP. Prints the
 * first few that are wrong, with the seed. Returns how many are. */
uint64_t scenario_count_wrong(const struct scenario *scenario);
