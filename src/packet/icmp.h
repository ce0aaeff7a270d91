/* ICMP (RFC 792, RFC 4884) and ICMPv6 (RFC 4443) headers, and neighbour discovery (RFC 4861 sections 4.3,
 * 4.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum icmp4_type {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_SOURCE_QUENCH = 4,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAM_PROBLEM = 12,
    ICMP4_TIMESTAMP = 13,
    ICMP4_TIMESTAMP_REPLY = 14,
};

enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_PACKET_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAM_PROBLEM = 4,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_NEIGHBOR_SOLICITATION = 135,
    ICMP6_NEIGHBOR_ADVERTISEMENT = 136,
};

#define ICMP_HEADER_LEN 8

struct icmp_header {
    uint8_t type, code;
    uint16_t id, seq; /* the second word; for echo and timestamp */
    uint32_t rest;    /* the same word whole: MTU, pointer, ... */

    /* Neighbour advertisement only: */
    bool is_neighbor;
    struct addr neighbor_target;
    bool has_neighbor_mac; /* target (type 2) link-layer address option was there */
    uint8_t neighbor_mac[6];
};

/* Both versions: the header is 8 bytes; `version` is 4 or 6. For a neighbour advertisement the target and its
 * option are read too, and it is false when an option has length 0 or the code is not 0 (RFC 4861 section
 * 7.1.2). False when truncated (in->ok is then clear). `in` stands behind the 8 bytes afterwards. */
bool icmp_read(struct reader *in, uint8_t version, struct icmp_header *ret);

/* Is this type an error message that quotes a packet? (Of ICMPv6 all below 128, also types not yet
 * assigned.) */
bool icmp_is_error(uint8_t version, uint8_t type);

/* A message of either version with its checksum. Of *header type, code and rest are used (rest of an echo: id
 * in the upper half, seq in the lower); a timestamp request has 12 bytes of payload, an error quotes a packet
 * there. src and dst are used for ICMPv6 only, and choose the version. */
void icmp_write(struct writer *out, const struct addr *src, const struct addr *dst,
                const struct icmp_header *header, const uint8_t *payload, size_t payload_len);

/* Neighbour solicitation for `target` with our link-layer address: the ICMPv6 part. dst is the solicited-node
 * group. */
void icmp_write_neighbor_solicitation(struct writer *out, const struct addr *src, const struct addr *dst,
                                      const struct addr *target, const uint8_t mac[static 6]);

struct addr icmp_solicited_node(const struct addr *target); /* ff02::1:ffXX:XXXX, RFC 4291 section 2.7.1 */
