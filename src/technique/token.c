#include "technique/token.h"

#include <assert.h>
#include <string.h>

#include "technique/token_core.h"

struct token_subject token_subject_of(const struct technique *technique, const struct addr *dst,
                                      uint16_t port)
{
    return (struct token_subject){
        .dst = *dst,
        .ip_proto = technique_ip_proto(technique, dst, port),
        .port = port,
        .has_ports = technique->has_ports,
        .pings = technique->pings,
    };
}

static uint64_t subject_hash(const struct token_key *key, const struct token_subject *subject)
{
    uint64_t words[3];
    memcpy(words, subject->dst.bytes, 16);
    uint64_t upper = (uint64_t)subject->dst.scope << 32 ^ (uint64_t)subject->source << 48;
    words[2] = token_word(subject->dst.family, subject->ip_proto, subject->port, subject->pings) | upper;
    return sip_three_words(&key->secret, words[0], words[1], words[2]);
}

struct token token_make(const struct token_key *key, const struct token_subject *subject, uint8_t try_number,
                        int64_t now_ns)
{
    assert(try_number < TOKEN_TRIES_MAX);
    uint64_t hash = subject_hash(key, subject);
    return (struct token){
        .source_port = token_port(key, hash, try_number),
        .number = token_mask(hash, try_number) ^ token_time(now_ns),
    };
}

/* A port names the try only where every try has one of its own. */
bool token_port_names_try(const struct token_key *key, const struct token_subject *subject)
{
    return subject->has_ports && key->port_count >= TOKEN_TRIES_MAX;
}

bool token_port_is_ours(const struct token_key *key, uint16_t source_port)
{
    return source_port >= key->first_port && source_port - key->first_port < key->port_count;
}

static bool try_of_port(const struct token_key *key, uint64_t hash, uint16_t source_port, uint8_t *ret_try)
{
    if (!token_port_is_ours(key, source_port))
        return false;
    uint32_t offset = (uint32_t)(source_port - key->first_port);
    uint32_t first = (uint32_t)((hash & UINT32_MAX) % key->port_count);
    uint32_t steps = (offset + key->port_count - first) % key->port_count;
    if (steps >= TOKEN_TRIES_MAX)
        return false;
    *ret_try = (uint8_t)steps;
    return true;
}

bool token_try_of_port(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                       uint8_t *ret_try)
{
    return token_port_names_try(key, subject) &&
           try_of_port(key, subject_hash(key, subject), source_port, ret_try);
}

/* Which try sent this number from this port? The bits of the time are not looked at. */
static bool find_try(const struct token_key *key, const struct token_subject *subject, uint64_t hash,
                     uint16_t source_port, uint32_t number, uint8_t *ret_try)
{
    uint8_t try_number;
    if (token_port_names_try(key, subject)) {
        if (!try_of_port(key, hash, source_port, &try_number) ||
            (token_mask(hash, try_number) ^ number) > TOKEN_TIME_MASK)
            return false;
        *ret_try = try_number;
        return true;
    }
    if (subject->has_ports && !token_port_is_ours(key, source_port))
        return false;
    for (try_number = 0; try_number < TOKEN_TRIES_MAX; try_number++) {
        if ((token_mask(hash, try_number) ^ number) <= TOKEN_TIME_MASK) {
            *ret_try = try_number;
            return true;
        }
    }
    return false;
}

bool token_check(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                 uint32_t number, int64_t now_ns, uint8_t *ret_try, int64_t *ret_sent_ns)
{
    uint64_t hash = subject_hash(key, subject);
    uint8_t try_number;
    if (!find_try(key, subject, hash, source_port, number, &try_number))
        return false;
    *ret_try = try_number;
    *ret_sent_ns = token_sent_ns(token_mask(hash, try_number) ^ number, now_ns);
    return true;
}

bool token_check_half(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                      uint16_t upper_half, uint8_t *ret_try)
{
    return find_try(key, subject, subject_hash(key, subject), source_port, (uint32_t)upper_half << 16,
                    ret_try);
}
