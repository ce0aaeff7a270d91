/* A block at work: which probes are unanswered, how far the sweep is, and which of its tries count.
 *
 * A sweep sends what is unanswered; the next comes a time-out later and sends only what stayed silent. Ranges
 * of the order whose answers we may have lost ourselves are void: they are sent again in a repair sweep of
 * their own, which does not count as a further try. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/limited/calm.h"
#include "engine/limited/lane.h"
#include "engine/path/pacer.h"
#include "netio/order.h"
#include "verdict/record.h"

enum block_phase {
    PHASE_SWEEP,    /* sending */
    PHASE_CANARY,   /* a sweep is over: sending canaries */
    PHASE_LANE,     /* a limited or policed host: sending at its pace; nothing to do before wake_ns */
    PHASE_WAIT,     /* a sweep (or, with a scan delay, a round of it) is over: nothing to do before wake_ns */
    PHASE_FINISHED, /* every host is reported; late answers are still told from repeated ones until wake_ns */
};

struct host_slot {
    uint32_t open;      /* probes unanswered */
    uint32_t record;    /* in the host table */
    uint8_t unsent_try; /* 1 + the last try that did not leave; 0: none */
    bool certain;       /* the silence of its ports is, but something is left to ask some of them */
    uint8_t echoes;     /* sent as soundings before it answered anything */
    bool done;          /* reported */
};

struct order_range {
    uint64_t first, end;
};

#define VOID_RANGES_MAX 128
#define SLICE_LOG_LEN   256

/* When a part of the order was sent. */
struct slice {
    int64_t from_ns, to_ns;
    struct order_range range;
};

/* How far a sweep was at a time. */
struct checkpoint_mark {
    int64_t time_ns;
    uint64_t cursor;
};

struct scan_block {
    struct block block;     /* what netio sees */
    unsigned path;          /* of the engine's paths */
    uint8_t kind;           /* enum block_kind */
    uint8_t phase;          /* enum block_phase */
    uint32_t open_hosts;    /* not done */
    uint32_t closing_hosts; /* done, and not reported yet: see closing.h */

    uint64_t *hosts;         /* owned: positions in the plan, ascending */
    struct host_slot *slots; /* owned: one a host */
    uint32_t *up_slots;      /* owned, discovery only: hosts found up, in the order they answered, */
    uint32_t up_count;       /* so many of them, */
    uint32_t up_moved;       /* of which so many have moved on */
    uint64_t *silent; /* owned, by bit: reported as silent; an answer to one of these is a correction */
    uint64_t *served; /* owned, by bit: a service answered, which nothing outweighs */

    unsigned sweep;          /* in progress, or the last one; from 0 */
    uint8_t try_number;      /* of its probes; these come round again */
    uint8_t valid_tries;     /* sweeps that count as a try of every probe, */
    bool tries_counted;      /* the last one among them */
    bool timed_anew;         /* a host's first round trip is known: what is waited for may come sooner */
    bool told_end;           /* by the last checkpoint */
    bool is_late;            /* its hosts were found while others were asked: it goes along with those */
    uint64_t cursor;         /* next position of the sweep */
    struct order_range part; /* of the order that this sweep covers */

    /* By try number: valid tries before that sweep. One that repairs another has as many as that one. */
    uint8_t valid_before[TOKEN_TRIES_MAX];

    struct order_range voids[VOID_RANGES_MAX];   /* ranges to be repaired, apart and ascending */
    struct order_range repairs[VOID_RANGES_MAX]; /* what this sweep repairs; none: it covers everything */
    unsigned void_count, repair_count;
    unsigned repair_index; /* which of them `part` is */
    unsigned repairs_in_a_row;

    struct slice slices[SLICE_LOG_LEN]; /* what this sweep sent when; the longer ago, the coarser */
    unsigned slice_count;

    uint32_t canary_slot;   /* next host to send canaries to, */
    uint32_t canary_bit;    /* and which of its own is next */
    int64_t swept_ns;       /* when the sweep was over; 0: it is not */
    uint32_t kept_up_slots; /* so many of the first are done, or have answered what left later */
    uint32_t sounding_slot; /* next host to look at for a sounding */
    struct lane *lane;      /* freed by blocks.c; NULL: not a lane */
    struct calm *calm;      /* likewise; NULL: not asked calmly */
    int64_t held_ns;        /* nothing leaves before, but for sweeps under way: something could not */
    bool is_paced;          /* this sweep has a pace of its own: */
    struct pacer pacer;

    struct checkpoint_mark marks[2]; /* where the sweep was lately, the older first */
    struct checkpoint_mark told;     /* what the last checkpoint said of it: tries, in place of a time */

    int64_t started_ns;
    int64_t last_sent_ns;
    int64_t wake_ns;
    int64_t first_sent_ns[TOKEN_TRIES_MAX]; /* when each try began; TIME_NEVER: not yet */
};

/* A host on its way into a block. */
struct waiting_host {
    uint64_t position; /* in the plan */
    uint32_t record;   /* in the host table */
    unsigned path;     /* of the engine's */
};

struct scan_block_config {
    uint32_t id;
    enum block_kind kind;
    const struct plan *plan;
    const struct waiting_host *hosts; /* of one path, by ascending position */
    uint32_t host_count;
    const struct probe_spec *specs;
    uint32_t spec_count;
    uint32_t early_count;
    uint64_t seed;
    bool in_order; /* no permutation: rounds over all hosts, spec by spec */
    int64_t now_ns;
};

/* Every probe pending. NULL without memory. */
struct scan_block *scan_block_new(const struct scan_block_config *config);
void scan_block_free(struct scan_block *scan_block); /* NULL is allowed */

uint64_t scan_block_bit(const struct scan_block *scan_block, uint32_t slot, uint32_t spec);

/* Begin the next sweep: over everything pending, or over the void ranges only. */
void scan_block_start_sweep(struct scan_block *scan_block, bool repair, int64_t now_ns);

/* Go on with the sweep that an interrupted scan was in: every probe was asked `tries` times, the first `next`
 * of the order once more. */
void scan_block_resume_sweep(struct scan_block *scan_block, uint8_t tries, uint64_t next, int64_t now_ns);

/* The part of the order to send next: from the cursor to the end of the sweep or of the void range. Empty: it
 * is over. */
struct order_range scan_block_todo(const struct scan_block *scan_block);

/* Positions [first, end) went out at now_ns. Moves on to the next void range when one is done. */
void scan_block_sent(struct scan_block *scan_block, uint64_t end, int64_t now_ns);

/* When this probe left in the sweep in progress, to a millisecond, rather too early than too late.
 * TIME_NEVER: it is not known any more, or it has not left. */
int64_t scan_block_sent_ns(const struct scan_block *scan_block, uint64_t bit);

/* What was sent in this span of time says nothing (our own side lost the answers, or the path was overrun):
 * void it. Returns the positions concerned. */
uint64_t scan_block_void_time(struct scan_block *scan_block, int64_t from_ns, int64_t to_ns);

/* This range of the order did not leave. */
void scan_block_void_range(struct scan_block *scan_block, struct order_range range);

/* Stop asking this probe, which is pending: it is silent. */
void scan_block_drop_probe(struct scan_block *scan_block, uint32_t slot, uint32_t spec);

/* Stop asking this host: what is still pending becomes silent (when silent is set) or just unwanted. */
void scan_block_drop_host(struct scan_block *scan_block, uint32_t slot, bool silent);
