/* The table of connections in flight: fixed capacity, allocated once. Found by probe, by index, and oldest first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CONNECT_SLOT_NONE UINT32_MAX

/* The oldest that no newer try replaces wait in one list, those that one does in the other. */
enum connect_list { CONNECT_LIST_LAST_TRY, CONNECT_LIST_SUPERSEDED, CONNECT_LIST_COUNT };

struct connect_slot {
    uint64_t bit;
    int64_t start_ns;
    uint32_t block_id;
    uint32_t generation; /* counts the uses of this slot: an event of an earlier one is told by it */
    int fd;              /* -1: free */
    uint8_t try_number;
    uint8_t syn_len;      /* bytes of the SYN on the wire */
    uint8_t list;         /* enum connect_list */
    uint32_t older;       /* neighbours in that list */
    uint32_t newer;       /* in a free slot: the next free one */
    uint32_t next_hashed; /* in the bucket of its probe */
};

struct connect_slots {
    struct connect_slot *slots; /* owned */
    uint32_t *buckets;          /* owned; of block and bit */
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

bool connect_slots_full(const struct connect_slots *slots);

/* Enter a connection that starts now, the table not being full; takes over fd. Older ones of the same probe become
 * superseded. Returns its index. Starts must be entered in order of time. */
uint32_t connect_slots_add(struct connect_slots *slots, const struct connect_slot *what);

/* Close one connection: with an RST, or silently where it is not yet one. */
void connect_slots_remove(struct connect_slots *slots, uint32_t index);

/* Close all connections of this probe. */
void connect_slots_remove_probe(struct connect_slots *slots, uint32_t block_id, uint64_t bit);

/* Close the one that has outlived `patience` and can best be spared. False: there is none. */
bool connect_slots_spare(struct connect_slots *slots, int64_t now_ns, struct connect_patience patience);

/* From when on connect_slots_spare() will find one; TIME_NEVER when nothing is in flight. */
int64_t connect_slots_spare_at(const struct connect_slots *slots, struct connect_patience patience);
