/* Bits in 64-bit words. The caller owns the words and knows how many bits there are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t bitset_words(uint64_t bits)
{
    return (size_t)((bits + 63) / 64);
}

static inline bool bitset_get(const uint64_t *words, uint64_t bit)
{
    return words[bit >> 6] >> (bit & 63) & 1;
}

static inline void bitset_set(uint64_t *words, uint64_t bit)
{
    words[bit >> 6] |= UINT64_C(1) << (bit & 63);
}

static inline void bitset_clear(uint64_t *words, uint64_t bit)
{
    words[bit >> 6] &= ~(UINT64_C(1) << (bit & 63));
}
