/* One received packet, decoded once, as values in host order. Only options and payload are borrowed bytes,
 * valid as long as the buffer they were read from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "packet/arp.h"
#include "packet/icmp.h"
#include "packet/ip.h"
#include "packet/sctp.h"
#include "packet/tcp.h"
#include "packet/udp.h"

/* The start of the packet that an ICMP error quotes (RFC 792, RFC 1812 section 4.3.2.3, RFC 4443 section 3):
 * our probe, or what somebody wants us to take for it. */
struct quote {
    struct addr src, dst;
    uint8_t ip_proto;     /* after extension headers, as far as they are in the quote */
    const uint8_t *bytes; /* behind the IP header: borrowed, len of them; >= 8 of TCP, UDP, SCTP and ICMP */
    size_t len;           /* all that follows in the ICMP message: padding and extensions (RFC 4884) too */
    uint16_t source_port; /* first four bytes, for TCP, UDP and SCTP; else 0 */
    uint16_t port;
    uint32_t number; /* bytes 4..7: TCP sequence number, SCTP verification tag, ICMP id and sequence number */
};

enum packet_layer { LAYER_OTHER, LAYER_TCP, LAYER_UDP, LAYER_SCTP, LAYER_ICMP4, LAYER_ICMP6, LAYER_ARP };

/* Why a packet was not taken: each is a counter that the user can see. */
enum packet_fault {
    PACKET_OK,
    PACKET_TRUNCATED,  /* shorter than its headers say */
    PACKET_BAD_HEADER, /* a length or version that cannot be */
    PACKET_BAD_CHECKSUM,
    PACKET_FRAGMENT, /* not the first fragment */
    PACKET_NOT_IP,   /* an EtherType or version that is not ours */
    PACKET_FAULT_COUNT
};

struct packet {
    uint8_t layer;    /* enum packet_layer: which member of the union is valid */
    uint8_t ip_proto; /* upper-layer protocol, after IPv6 extension headers */
    uint8_t ttl;      /* TTL or hop limit */
    struct addr src, dst;
    uint16_t ip_id;       /* IPv4 identification; 0 for IPv6 */
    bool has_fragment_id; /* an IPv6 fragment header was present */
    uint32_t fragment_id;
    union {
        struct tcp_header tcp;
        struct udp_header udp;
        struct sctp_header sctp;
        struct icmp_header icmp; /* ICMP and ICMPv6 alike */
        struct arp_packet arp;
    };
    bool has_quote; /* an ICMP error with a usable quote */
    struct quote quote;
    const uint8_t *payload; /* after the transport header (for LAYER_OTHER: after the IP headers); borrowed */
    size_t payload_len;     /* as the headers say, cut to what is there */
    const uint8_t *bytes;   /* all of it, from the IP header on; borrowed; NULL for ARP */
    size_t bytes_len;       /* without padding */
    uint8_t source_mac[6];  /* zero when not read from an Ethernet frame */
};

struct packet_reading {
    bool checksums; /* verify them; off where the kernel has not filled them in yet (offload, loopback) */
};

/* Decode an IP packet (from the version nibble on). Trailing bytes beyond the IP length are padding and
 * ignored. *ret is meaningful only with PACKET_OK. */
enum packet_fault packet_read_ip(const uint8_t *data, size_t len, struct packet_reading how,
                                 struct packet *ret);

/* Decode an Ethernet frame: IPv4, IPv6 or ARP, behind up to two VLAN tags (IEEE 802.1Q). */
enum packet_fault packet_read_ethernet(const uint8_t *data, size_t len, struct packet_reading how,
                                       struct packet *ret);

const char *packet_fault_name(enum packet_fault fault);
