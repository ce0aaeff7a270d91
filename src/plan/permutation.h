/* A keyed permutation of 0 .. size-1, computed, not stored: a Feistel network over the smallest square that holds the
 * size, walked until the value falls inside (Black, Rogaway 2002, "Ciphers with arbitrary finite domains"). It spreads
 * load; it keeps no secret. Both directions cost a few tens of nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct permutation {
    uint64_t size;      /* >= 1 */
    uint64_t key;       /* 0 with identity */
    unsigned half_bits; /* of each Feistel half */
    bool identity;      /* every position stays where it is */
};

/* size 1 .. 2^62 */
struct permutation permutation_new(uint64_t size, uint64_t key);
struct permutation permutation_identity(uint64_t size);

uint64_t permutation_at(const struct permutation *permutation, uint64_t position); /* position < size */
uint64_t permutation_find(const struct permutation *permutation,
                          uint64_t value); /* the inverse; value < size */
