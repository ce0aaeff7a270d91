/* A keyed permutation of 0 .. size-1, computed, not stored: a Feistel network over the smallest power of two
 * that holds the size, walked until the value falls inside (Black, Rogaway 2002, "Ciphers with arbitrary
 * finite domains", sections 3 and 4). It spreads load; it keeps no secret. Either direction costs a few tens
 * of nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PERMUTATION_ROUNDS 4

/* The two Feistel halves together have the fewest bits that hold size, so a walk takes fewer than two steps
 * on average; left_bits - right_bits is 0 or 1. */
struct permutation {
    uint64_t size; /* >= 1; 0 in an all-zero struct, which permutes nothing */
    uint64_t key;  /* 0 with identity */
    unsigned left_bits;
    unsigned right_bits;
    bool identity; /* every position stays where it is */
};

/* size 1 .. 2^63 */
struct permutation permutation_new(uint64_t size, uint64_t key);
struct permutation permutation_identity(uint64_t size);

uint64_t permutation_at(const struct permutation *permutation, uint64_t position); /* position < size */
uint64_t permutation_find(const struct permutation *permutation,
                          uint64_t value); /* its inverse; value < size */
