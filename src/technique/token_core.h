/* The arithmetic of tokens (token.h), inline: for token.c, and for BPF programs, which cannot call it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash_core.h"
#include "base/time.h"

#define TOKEN_TIME_BITS    17
#define TOKEN_TIME_STEP_NS (32 * USEC)
#define TOKEN_TIME_SPAN_NS (TOKEN_TIME_STEP_NS << TOKEN_TIME_BITS) /* 4.19 s */
#define TOKEN_TRIES_MAX    16 /* tries that a port or a number can name */

/* The last try is kept for canaries: probes whose answer is known, sent several times in a row to learn
 * whether it comes. */
#define TOKEN_TRY_CANARY (TOKEN_TRIES_MAX - 1)

struct token_key {
    struct siphash_key secret; /* from getrandom; new for each scan */
    uint16_t first_port; /* source ports: first_port .. first_port + port_count - 1, outside the range */
    uint16_t port_count; /* that the kernel gives; 1 with a fixed source port, else >= 2 * TOKEN_TRIES_MAX */
};

#define TOKEN_TIME_MASK ((UINT32_C(1) << TOKEN_TIME_BITS) - 1)

/* The lower half of the third word of a subject's hash; the first two are its address. The upper half is 0
 * for addresses without a scope that are asked from our first address. */
static inline uint64_t token_word(uint8_t family, uint8_t ip_proto, uint16_t port, bool pings)
{
    return (uint64_t)port | (uint64_t)ip_proto << 16 | (uint64_t)family << 24 | (uint64_t)pings << 31;
}

static inline uint32_t token_time(int64_t now_ns)
{
    return (uint32_t)((uint64_t)now_ns / TOKEN_TIME_STEP_NS) & TOKEN_TIME_MASK;
}

/* The latest time <= now_ns that token_time makes this of, rounded down to a step. */
static inline int64_t token_sent_ns(uint32_t time, int64_t now_ns)
{
    int64_t now_steps = now_ns / TOKEN_TIME_STEP_NS;
    uint32_t age = ((uint32_t)now_steps - time) & TOKEN_TIME_MASK;
    return (now_steps - age) * TOKEN_TIME_STEP_NS;
}

/* The multiplication (by 2^32 divided by the golden ratio, odd) gives every try a mask of its own. */
static inline uint32_t token_mask(uint64_t hash, uint8_t try_number)
{
    return (uint32_t)(hash >> 32) ^ (uint32_t)try_number * UINT32_C(0x9e3779b9);
}

/* In 32 bits: dividing 64-bit numbers takes processors of a few years ago as long as all else about a
 * token. */
static inline uint16_t token_port(const struct token_key *key, uint64_t hash, uint8_t try_number)
{
    uint32_t offset = (uint32_t)(hash & UINT32_MAX) % key->port_count + try_number;
    if (offset >= key->port_count)
        offset %= key->port_count;
    return (uint16_t)(key->first_port + offset);
}
