/* Ethernet frames of the packet backend: a probe behind a link-layer header, and the questions that find a
 * neighbour (RFC 826, RFC 4861). Each writes a frame into a slot of the batch. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/batch.h"
#include "netio/route/netlink.h"
#include "technique/technique.h"

#define FRAME_ND_HOP_LIMIT 255 /* RFC 4861 section 7.1.1: less was forwarded, and is not believed */

/* The probe (REQUEST_PACKET, src set) to this station. False: it does not fit. */
bool frame_write_probe(struct batch_slot *slot, const struct link *link, const uint8_t mac[static 6],
                       const struct probe *probe, uint8_t ttl);

/* "Who has `target`?", to all (ARP) or to its solicited-node group (ND). source: of the same family. */
void frame_write_question(struct batch_slot *slot, const struct link *link, const struct addr *source,
                          const struct addr *target);

/* The station address of a multicast group (RFC 1112 section 6.4, RFC 2464 section 7), else that of
 * broadcast. */
void frame_group_mac(const struct addr *dst, uint8_t ret[static 6]);

/* A value for IP identification fields: varied, and nobody can tell from it how many packets we sent. Never
 * 0, which a raw socket would replace. */
static inline uint16_t frame_ip_id(uint32_t number)
{
    return (uint16_t)(1 + (number ^ (number >> 16)) % UINT16_MAX);
}
