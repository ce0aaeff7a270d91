/* The table of connections in flight: fixed capacity, allocated once. Found by probe, by index, and oldest
 * first.
 *
 * A slot may keep its socket when its connection has ended, for the next one to the same host: connecting it
 * again costs little more than half of a new socket. Never for another host: the kernel goes on from the
 * sequence number that the host has seen, so another's answers could be forged with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define CONNECT_SLOT_NONE UINT32_MAX

/* Each list has its oldest first. */
enum connect_list {
    CONNECT_LIST_LAST_TRY,   /* in flight, and no newer try replaces it */
    CONNECT_LIST_SUPERSEDED, /* in flight, and one does */
    CONNECT_LIST_IDLE,       /* kept sockets */
    CONNECT_LIST_COUNT
};

struct connect_slot {
    uint64_t bit;
    int64_t start_ns;
    struct addr host;
    uint32_t block_id;
    int fd; /* -1: none */
    uint16_t port;
    uint8_t try_number;
    uint8_t syn_len;      /* bytes of the SYN on the wire */
    uint8_t syn_retries;  /* that the socket is set to */
    uint8_t list;         /* enum connect_list */
    uint32_t older;       /* neighbours in that list */
    uint32_t newer;       /* in a free slot: the next free one */
    uint32_t next_hashed; /* in the bucket of its probe, or, idle, of its host */
};

struct connect_slots {
    struct connect_slot *slots; /* owned */
    uint32_t *buckets;          /* owned; of block and bit */
    uint32_t *host_buckets;     /* owned; of the idle ones */
    uint32_t idle_count;
    uint32_t capacity;
    uint32_t bucket_mask;
    uint32_t free_first;
    uint32_t oldest[CONNECT_LIST_COUNT];
    uint32_t newest[CONNECT_LIST_COUNT];
};

/* How long a connection stays, when others want its place: as long as an answer to it may come. */
struct connect_patience {
    int64_t superseded_ns; /* a newer try of the same probe is in flight */
    int64_t last_try_ns;   /* none is */
};

/* 0 or -ENOMEM. capacity >= 1 */
int connect_slots_init(struct connect_slots *ret, uint32_t capacity);
void connect_slots_done(struct connect_slots *slots); /* resets what is in flight; a zeroed one is allowed */

bool connect_slots_full(const struct connect_slots *slots); /* of connections in flight */
bool connect_slots_in_flight(const struct connect_slots *slots, uint32_t index);

/* Take a slot for a connection to this host out of the table, which is not full. Its socket is one that was
 * kept for the host, or none. It goes back by one of the next two. */
uint32_t connect_slots_reserve(struct connect_slots *slots, const struct addr *host);
void connect_slots_give_back(struct connect_slots *slots, uint32_t index); /* closes its socket, if any */

/* Enter the connection that starts now in a reserved slot; the table takes over its fd. Older ones of the
 * same probe become superseded. Starts must be entered in order of time. */
void connect_slots_enter(struct connect_slots *slots, uint32_t index, const struct connect_slot *what);

/* This connection has ended by itself: keep its socket for the host, in the place of another host's that is
 * idle for longest if there are many. */
void connect_slots_keep(struct connect_slots *slots, uint32_t index);

/* Close the socket that is idle for longest. False: there is none. */
bool connect_slots_drop_idle(struct connect_slots *slots);

/* Close one connection: with an RST, or silently where it is not yet one. */
void connect_slots_remove(struct connect_slots *slots, uint32_t index);

/* Close all connections of this probe. */
void connect_slots_remove_probe(struct connect_slots *slots, uint32_t block_id, uint64_t bit);

/* Close the one that has outlived `patience` and can best be spared. False: there is none. */
bool connect_slots_spare(struct connect_slots *slots, int64_t now_ns, struct connect_patience patience);

/* From when on connect_slots_spare() will find one; TIME_NEVER when nothing is in flight. */
int64_t connect_slots_spare_at(const struct connect_slots *slots, struct connect_patience patience);
