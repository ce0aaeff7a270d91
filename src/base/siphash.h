/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash that nobody without the key can predict. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t half[2];
};

uint64_t siphash(const struct siphash_key *key, const uint8_t *data, size_t len);

/* The same function over whole 64-bit words, little-endian as bytes, without touching memory byte by byte. */
uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t count);
