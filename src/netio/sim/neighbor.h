/* What a simulated host on our link says when it is asked for its hardware address. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "netio/sim/answer.h"

/* An ARP reply (RFC 826) or a neighbour advertisement (RFC 4861 section 4.4) from this address, as an
 * Ethernet frame to us. 0: there is none. */
size_t sim_neighbor_answer(const struct sim_config *config, const struct addr *host,
                           uint8_t answer[static SIM_PACKET_MAX]);
