/* What the programs that run in the kernel share: headers' lengths, byte order, checksums, and how their maps
 * are declared. */
#pragma once

#include <linux/bpf.h>

#include "netio/xdp/wire_shared.h"

#undef SEC /* a second in base/time.h, a section from here on */
#include <bpf/bpf_helpers.h>

#define ETHERNET_LEN 14
#define IPV4_LEN     20
#define IPV6_LEN     40
#define TCP_LEN      20
#define TCP_PROTO    6

/* An array that user space may map. */
#define ARRAY(name_, type_, count_)                                                                          \
    struct {                                                                                                 \
        __uint(type, BPF_MAP_TYPE_ARRAY);                                                                    \
        __uint(map_flags, BPF_F_MMAPABLE);                                                                   \
        __uint(max_entries, count_);                                                                         \
        uint32_t *key;                                                                                       \
        type_ *value;                                                                                        \
    } name_ SEC(".maps")

static inline uint16_t swap16(uint16_t value)
{
    return __builtin_bswap16(value);
}

static inline uint16_t from_be16(const void *at)
{
    return swap16(*(const uint16_t *)at);
}

static inline uint32_t from_be32(const void *at)
{
    return __builtin_bswap32(*(const uint32_t *)at);
}

static inline uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline uint32_t sum32(uint32_t value)
{
    return (value >> 16) + (value & UINT16_MAX);
}
