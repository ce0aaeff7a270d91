/* A probe as an IP packet: shared by all backends that send packets. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "technique/technique.h"

#define PROBE_PACKET_MAX 1500

/* Write the whole IP packet of a REQUEST_PACKET probe; probe->src must be set.
 *   ttl    of the probe (hop limit over IPv6)
 *   ip_id  IPv4 identification
 * Returns its length, or 0 when it does not fit. */
size_t probe_packet_write(const struct probe *probe, uint8_t ttl, uint16_t ip_id, uint8_t *data,
                          size_t capacity);
