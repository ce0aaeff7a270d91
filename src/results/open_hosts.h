/* The hosts that are open, found by their position in the plan, which stands for an address at a third of the
 * size.
 *
 * Every record looks for its host, in no order, so what counts is how much memory that touches. A host has a
 * place, which is its own until it is removed; what is searched is a small table with open addressing, of
 * places and half of the position. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "results/answers.h"

/* What most hosts do not have. */
struct host_extra {
    char *user_name; /* owned, or NULL */
    char *ptr_name;  /* owned, or NULL */
    bool awaits_name;
    bool ended;         /* complete, and waits only for the name */
    struct record last; /* if ended: the record that ended it */
    unsigned source_count;
    struct addr sources[]; /* foreign senders; their numbers are 1 .. source_count */
};

struct open_host {
    uint64_t position; /* in the plan; of a place that is free: which is the next such */
    struct answers answers;
    struct host_extra *extra; /* owned, or NULL */
    int64_t start_ns;         /* of the first and last record */
    int64_t end_ns;
    uint32_t rtt_us; /* of the answer that showed it up; 0: not known */
    uint8_t mac[6];
    bool open : 1;    /* else the place is free */
    bool touched : 1; /* a record named it; else only the user did */
    bool up : 1;
    bool has_mac : 1;
    bool lost : 1;    /* a record was lost for want of memory */
    bool changed : 1; /* since it was last shown */
    bool shown : 1;   /* at least once */
    uint8_t reason;   /* enum reason of up or down */
    uint8_t ttl;
    uint8_t source; /* number of who sent it, as in struct answer */
};

/* Where a host may be found. */
struct open_slot {
    uint32_t place; /* OPEN_PLACE_NONE: the slot is empty */
    uint32_t mark;  /* the low half of the position: the host itself is looked at only if this is right */
};

#define OPEN_PLACE_NONE UINT32_MAX

struct open_hosts {
    struct open_slot *slots; /* owned; NULL while empty */
    uint64_t slot_count;     /* a power of two, or 0; at least half of them are empty */
    uint64_t count;
    struct open_host **chunks; /* owned; the places, in pieces that never move */
    uint32_t place_count;      /* that were ever used; so many hosts were once open together */
    uint32_t free_place; /* the first that is free again; OPEN_PLACE_NONE: none. For nothing without places */
};

struct open_host *open_hosts_find(const struct open_hosts *table, uint64_t position); /* NULL: not open */

/* The host at a place below place_count; NULL: it is free. */
struct open_host *open_hosts_at(const struct open_hosts *table, uint32_t place);

/* A new host, which must not be in the table. Others stay where they are. NULL without memory. */
struct open_host *open_hosts_add(struct open_hosts *table, uint64_t position);

/* Takes it out and frees it. */
void open_hosts_remove(struct open_hosts *table, struct open_host *host);
void open_hosts_done(struct open_hosts *table);

/* The host's extra part, made at need. NULL without memory. */
struct host_extra *open_host_extra(struct open_host *host);

/* The number of a sender. 0 when it is the host itself (ADDR_NONE) or there is no place left for it. */
uint8_t open_host_add_source(struct open_host *host, const struct addr *source);
struct addr open_host_source(const struct open_host *host, uint8_t number); /* the reverse */
