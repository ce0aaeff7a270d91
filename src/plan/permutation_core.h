/* One pass of the permutation's Feistel network, inline: for permutation.c, and for BPF programs, which
 * cannot call it. */
#pragma once

#include "plan/permutation.h"

/* The two halves of a value, each in the low bits of its word. */
struct permutation_halves {
    uint64_t left;
    uint64_t right;
};

static inline uint64_t permutation_mask(unsigned bits)
{
    return (UINT64_C(1) << bits) - 1;
}

/* The round function: two multiplications by odd constants with a shift between carry every bit of the half
 * and of the key into the top 32 bits, which are all that the other half (at most 32 bits) takes. */
static inline uint64_t permutation_scramble(uint64_t half, uint64_t key, unsigned round)
{
    uint64_t z = (half ^ (key + round * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 32)) * UINT64_C(0x94d049bb133111eb);
    return z >> 32;
}

static inline struct permutation_halves permutation_split(const struct permutation *permutation,
                                                          uint64_t value)
{
    return (struct permutation_halves){value >> permutation->right_bits,
                                       value & permutation_mask(permutation->right_bits)};
}

static inline uint64_t permutation_join(const struct permutation *permutation,
                                        struct permutation_halves halves)
{
    return halves.left << permutation->right_bits | halves.right;
}

static inline uint64_t permutation_forth(const struct permutation *permutation, uint64_t value)
{
    struct permutation_halves h = permutation_split(permutation, value);
    for (unsigned round = 0; round < PERMUTATION_ROUNDS; round += 2) {
        h.left ^=
            permutation_scramble(h.right, permutation->key, round) & permutation_mask(permutation->left_bits);
        h.right ^= permutation_scramble(h.left, permutation->key, round + 1) &
                   permutation_mask(permutation->right_bits);
    }
    return permutation_join(permutation, h);
}
