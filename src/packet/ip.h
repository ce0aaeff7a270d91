/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum ip_proto {
    IP_PROTO_HOP_BY_HOP = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_NO_NEXT = 59,
    IP_PROTO_DEST_OPTIONS = 60,
    IP_PROTO_SCTP = 132,
    IP_PROTO_MOBILITY = 135,
    IP_PROTO_HIP = 139,
    IP_PROTO_SHIM6 = 140,
};

#define IPV4_HEADER_LEN 20
#define IPV6_HEADER_LEN 40

/* Either version, after reading; `payload` starts at the upper-layer header. */
struct ip_header {
    uint8_t version;
    uint8_t proto; /* upper layer, behind extension headers */
    uint8_t ttl;   /* or hop limit */
    struct addr src, dst;
    uint16_t id;              /* IPv4 */
    bool dont_fragment;       /* IPv4 */
    uint16_t fragment_offset; /* in bytes; 0 for the first fragment or an unfragmented packet */
    bool more_fragments;
    bool has_fragment_header; /* IPv6 */
    uint32_t fragment_id;     /* IPv6 */
    size_t total_len;         /* header and payload, as the header says; may exceed what was captured */
    size_t header_len;        /* IPv4: with options; IPv6: with extension headers */
};

/* Read an IP header with options or extension headers (0, 43, 44, 51, 60, 135, 139, 140); `in` stands at the
 * upper layer afterwards. False when truncated (in->ok is then clear too), when a header length cannot be or
 * when there are too many extension headers. Behind the header of a later fragment no further header is
 * looked for, nor in an IPv6 packet whose length is that of its fixed header. total_len is not looked at
 * otherwise: a quote is cut by design, and some stacks change the length in it. */
bool ip_read(struct reader *in, struct ip_header *ret);

/* Write a header without options for `payload_len` bytes of payload: TOS and flow label 0, IPv4 DF set and
 * its checksum filled in. Of *header src, dst (whose family is the version), proto, ttl and id are used. */
void ip_write(struct writer *out, const struct ip_header *header, size_t payload_len);
