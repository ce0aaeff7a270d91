/* The kernel filter of the capture socket, in classic BPF: what cannot be an answer is dropped before it
 * costs anything. It sees packets from the network header on (SOCK_DGRAM), so it is the same for every kind
 * of link.
 *
 * It lets pass, unless the frame was for another station:
 *   TCP, UDP and SCTP to our source ports
 *   ICMP and ICMPv6: errors, echo and timestamp replies, neighbour advertisements
 *   ARP replies
 *   IPv6 with extension headers, whatever is behind them
 *   all other IP protocols, when asked for
 * Whether a packet is to an address of ours is for the reader to say: our addresses may change, and the
 * filter is locked. IPv4 options are stepped over; of IPv4 fragments only the first passes. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_CODE_MAX    255 /* so that every jump fits its 8 bits */
#define FILTER_CAPTURE_LEN 65535

struct filter_options {
    uint16_t first_port; /* our source ports: first_port .. first_port + port_count - 1 */
    uint16_t port_count; /* >= 1 */
    bool all_protocols;  /* other IP protocols too */
};

struct filter {
    struct sock_filter code[FILTER_CODE_MAX];
    uint16_t len;
};

void filter_make(const struct filter_options *options, struct filter *ret);
