/* Whom and what an answer is about, seen through an ICMP quote where there is one. */
#pragma once

#include <stdint.h>

#include "packet/packet.h"

struct flow {
    struct addr host;
    uint8_t ip_proto;
    uint16_t port;             /* of the host */
    uint16_t source_port;      /* ours */
    struct addr local;         /* our address, from which the probe left */
    const struct addr *sender; /* of an answer from elsewhere, which only its content can prove; else NULL */
};

struct flow flow_of(const struct packet *packet);

/* From and to the same address, which is ours: we hear the probe itself, too, as everything on the loopback
 * link. */
bool flow_is_within_us(const struct flow *flow);
