/* Which ports to scan, per protocol: up to 65,536 of tcp, udp and sctp, up to 256 IP protocol numbers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of enum protocol in verdict/verdict.h; a test holds the two together. */
enum port_protocol { PORTS_TCP, PORTS_UDP, PORTS_SCTP, PORTS_IP, PORTS_PROTOCOL_COUNT };

struct port_set {
    uint64_t bits[PORTS_PROTOCOL_COUNT][65536 / 64];
};

static inline bool port_set_has(const struct port_set *set, enum port_protocol protocol, uint16_t port)
{
    return set->bits[protocol][port >> 6] >> (port & 63) & 1;
}

static inline void port_set_add(struct port_set *set, enum port_protocol protocol, uint16_t port)
{
    set->bits[protocol][port >> 6] |= UINT64_C(1) << (port & 63);
}

static inline void port_set_remove(struct port_set *set, enum port_protocol protocol, uint16_t port)
{
    set->bits[protocol][port >> 6] &= ~(UINT64_C(1) << (port & 63));
}

size_t port_set_count(const struct port_set *set, enum port_protocol protocol);

/* The ports of one protocol, ascending; capacity >= port_set_count. Returns the number written. */
size_t port_set_list(const struct port_set *set, enum port_protocol protocol, uint16_t *ret, size_t capacity);
