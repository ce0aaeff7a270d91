/* A ring of fixed-size slots between one writer and one reader, in two threads or two processes that share the memory.
 * Neither side trusts the other's counters further than they can be true: a reader never reads more than the capacity,
 * and a writer never writes over what was not read. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    _Atomic uint64_t written; /* slots written since the start */
    char apart[56];           /* the two counters on cache lines of their own */
    _Atomic uint64_t read;
    char apart2[56];
    uint64_t capacity; /* slots; constant */
    uint64_t slot_len; /* bytes; constant */
    _Alignas(64) uint8_t slots[];
};

/* Map a ring that a fork shares. capacity: a power of two. NULL without memory. */
struct ring *ring_new_shared(uint64_t capacity, uint64_t slot_len);
void ring_free_shared(struct ring *ring);

/* False: full (or the reader's counter cannot be true). */
bool ring_push(struct ring *ring, const void *slot);

/* False: empty. Copies the slot out before it is looked at. */
bool ring_pop(struct ring *ring, void *ret);
