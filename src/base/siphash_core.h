/* The rounds of SipHash-2-4, inline: for siphash.c, and for BPF programs, which cannot call it. */
#pragma once

#include "base/siphash.h"

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip_state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

static inline struct sip_state sip_start(const struct siphash_key *key)
{
    return (struct sip_state){
        .v0 = key->half[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->half[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->half[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->half[1] ^ UINT64_C(0x7465646279746573),
    };
}

static inline void sip_word(struct sip_state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_finish(struct sip_state *s)
{
    s->v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t sip_words(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    struct sip_state s = sip_start(key);
    for (size_t i = 0; i < count; i++)
        sip_word(&s, words[i]);
    sip_word(&s, (uint64_t)(count * 8 & 0xff) << 56);
    return sip_finish(&s);
}

/* The same for three words in two steps, without a loop: what comes of the first two serves for every
 * third. */
static inline struct sip_state sip_two_of_three(const struct siphash_key *key, uint64_t first,
                                                uint64_t second)
{
    struct sip_state s = sip_start(key);
    sip_word(&s, first);
    sip_word(&s, second);
    return s;
}

static inline uint64_t sip_last_of_three(const struct sip_state *two, uint64_t third)
{
    struct sip_state s = *two;
    sip_word(&s, third);
    sip_word(&s, UINT64_C(24) << 56);
    return sip_finish(&s);
}

static inline uint64_t sip_three_words(const struct siphash_key *key, uint64_t first, uint64_t second,
                                       uint64_t third)
{
    struct sip_state two = sip_two_of_three(key, first, second);
    return sip_last_of_three(&two, third);
}
