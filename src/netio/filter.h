/* The kernel filter of the capture socket, in classic BPF: what cannot be an answer is dropped before it costs
 * anything. It sees packets from the network header on (SOCK_DGRAM), so it is the same for every kind of link.
 *
 * It lets pass, unless the frame was for another station:
 *   TCP, UDP and SCTP to our source ports at our addresses (at any address on the loopback link)
 *   ICMP and ICMPv6: errors, echo and timestamp replies, neighbour advertisements, at our addresses
 *   ARP replies
 *   IPv6 with extension headers at our addresses, whatever is behind them
 *   all other IP protocols at our addresses, when asked for
 * IPv4 options are stepped over; of IPv4 fragments only the first passes. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define FILTER_CODE_MAX      255 /* so that every jump fits its 8 bits */
#define FILTER_ADDRESSES_MAX 16
#define FILTER_CAPTURE_LEN   65535

struct filter_options {
    uint16_t first_port;          /* our source ports: first_port .. first_port + port_count - 1 */
    uint16_t port_count;          /* >= 1 */
    bool all_protocols;           /* other IP protocols too */
    const struct addr *addresses; /* ours, of both families */
    size_t address_count;         /* <= FILTER_ADDRESSES_MAX; 0: packets to any address pass */
};

struct filter {
    struct sock_filter code[FILTER_CODE_MAX];
    uint16_t len;
};

void filter_make(const struct filter_options *options, struct filter *ret);
