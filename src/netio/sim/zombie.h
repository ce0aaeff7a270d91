/* Simulated third parties for idle scans: hosts whose packets carry an ID from a counter, with traffic of
 * their own, and what happens between them and the targets without us: spoofed packets, SYN/ACKs, resets,
 * repeats.
 *
 *      us ──SYN in the zombie's name──▶ target ──SYN/ACK──▶ zombie ──reset, an ID──▶ target
 *      us ──SYN/ACK──▶ zombie ──reset, an ID──▶ us
 *
 * All distances meet in one point, so that from host to host it is half of one's round trip and half of the
 * other's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "netio/sim/sim.h"

/* Where a zombie's IDs come from. */
enum sim_ipid {
    SIM_IPID_COUNTER,  /* one for all its packets, up by one */
    SIM_IPID_BY_TWO,   /* up by two */
    SIM_IPID_SWAPPED,  /* up by one, and written with its bytes the wrong way round */
    SIM_IPID_PER_HOST, /* a counter for each destination */
    SIM_IPID_RANDOM,
    SIM_IPID_ZERO,
    SIM_IPID_CONSTANT,
};

struct sim_zombie {
    struct addr addr;
    uint8_t ipid;            /* enum sim_ipid */
    uint32_t first_id;       /* of the counter; 16 bits of it over IPv4 */
    bool sends_fragment_ids; /* IPv6: after a Packet Too Big below 1280 its packets have a fragment header */
    int64_t rtt_ns, jitter_ns;
    double loss;           /* chance that a packet to it, or from it, is lost */
    double background_pps; /* packets to others, at random times */
    double bursts_per_s;   /* of as many packets to others as burst_len, burst_gap_ns apart */
    unsigned burst_len;
    int64_t burst_gap_ns;
    double jump_chance;     /* that an ID jumps somewhere else before a packet to us */
    int64_t silent_from_ns; /* answers nothing from then on; 0: always does */
    int64_t silent_to_ns;   /* and answers again from then on; 0: never */
    int64_t restarts_at_ns; /* its counters begin anew at 0 then; 0: never */
    unsigned forgeries; /* for each question, resets by somebody who knows all but the number, with any ID */
};

/* A packet for us that a zombie sent. */
struct sim_zombie_answer {
    int64_t time_ns; /* when it reaches us */
    size_t len;
    uint8_t bytes[96];
};

struct sim_zombies;

/* NULL without memory. *config must outlive it. */
struct sim_zombies *sim_zombies_new(const struct sim_config *config);
void sim_zombies_free(struct sim_zombies *zombies); /* NULL is allowed */

/* A packet of ours leaves now. True: it is to a zombie or in another's name, and all that follows happens
 * here. */
bool sim_zombies_take(struct sim_zombies *zombies, const uint8_t *bytes, size_t len, int64_t now_ns);

/* When something happens next; TIME_NEVER: nothing until we send. */
int64_t sim_zombies_due_ns(const struct sim_zombies *zombies);

/* Let the first thing that is due at this time happen. False: nothing is. *ret has len 0 unless it brings a
 * packet to us; forged ones come from further calls. */
bool sim_zombies_step(struct sim_zombies *zombies, int64_t now_ns, struct sim_zombie_answer *ret);
