/* SplitMix64 (Steele, Lea, Flood 2014): a small generator for simulations and tests, where the same seed must
 * give the same run. Never for anything an enemy must not guess: that is siphash.h with a key from
 * getrandom. */
#pragma once

#include <stdint.h>

struct rand {
    uint64_t state;
};

static inline uint64_t rand_next(struct rand *rand)
{
    uint64_t z = rand->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= result < bound; bound > 0. The bias, below bound / 2^64, does not matter here. */
static inline uint64_t rand_below(struct rand *rand, uint64_t bound)
{
    return rand_next(rand) % bound;
}

/* 0 <= result < 1 */
static inline double rand_unit(struct rand *rand)
{
    return (double)(rand_next(rand) >> 11) * 0x1.0p-53;
}
