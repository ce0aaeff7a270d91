/* What each ICMP and ICMPv6 error means to a scan: one table for both versions and all techniques. */
#pragma once

#include <stdbool.h>

#include "packet/packet.h"
#include "technique/technique.h"

/* The meaning of an ICMP error by its numbers.
 *   version      4 or 6
 *   from_target  the scanned host itself sent it
 * Gives PORT_FILTERED with the reason; rank RANK_ICMP_SOFT for errors that may pass, else by sender; ttl and
 * source are left zero. False: not an error that says anything about a port. */
bool unreachable_verdict(uint8_t version, uint8_t type, uint8_t code, bool from_target, struct verdict *ret);

/* The same for a received ICMP error with a quote: fills the whole answer, proof number and sender
 * included. */
bool unreachable_judge(const struct packet *packet, struct answer *ret);

/* Is this a port unreachable (IPv4 3/3, IPv6 1/4), or a protocol unreachable (3/2, 4/1), that the target
 * itself sent? */
bool unreachable_is_port(const struct packet *packet);
bool unreachable_is_protocol(const struct packet *packet);
