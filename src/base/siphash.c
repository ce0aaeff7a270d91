#include "base/siphash.h"

#include "base/siphash_core.h"

static inline uint64_t little_endian(const uint8_t *data, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)data[i] << (8 * i);
    return word;
}

uint64_t siphash(const struct siphash_key *key, const uint8_t *data, size_t len)
{
    struct sip_state s = sip_start(key);
    size_t whole = len / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(&s, little_endian(data + i, 8));
    sip_word(&s, little_endian(data + whole, len - whole) | (uint64_t)(len & 0xff) << 56);
    return sip_finish(&s);
}

uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    return sip_words(key, words, count);
}
