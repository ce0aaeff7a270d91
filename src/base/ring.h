/* A ring of fixed-size slots between one writer and one reader, in two processes that share the memory.
 *
 * Neither side trusts the other. Size and own position are private copies of each side; only the positions
 * that each announces and the slots themselves are shared. A position that cannot be true marks the ring as
 * broken for good: the reader then reads nothing more, and the writer writes nothing more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_memory;

/* One side's view. A fork gives each process its own copy of it over the same memory. */
struct ring {
    struct ring_memory *memory; /* shared */
    uint64_t capacity;          /* slots */
    uint64_t slot_len;          /* bytes */
    uint64_t position;          /* slots this side has written, or read, since the start */
    bool broken;                /* the other side announced a position that cannot be true */
};

/* Map a ring that a fork shares.
 *   capacity  a power of two
 *   slot_len  > 0
 * 0 or -ENOMEM. */
int ring_open(uint64_t capacity, uint64_t slot_len, struct ring *ret);
void ring_close(struct ring *ring); /* unmaps this side's view */

/* Writer's side. False: full, or broken. */
bool ring_push(struct ring *ring, const void *slot);

/* Reader's side. False: empty, or broken. Copies the slot out before it is looked at. */
bool ring_pop(struct ring *ring, void *ret);
