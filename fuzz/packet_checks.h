/* What must hold of every packet that packet_read_ip or packet_read_ethernet takes. */
#pragma once

#include "fuzz.h"
#include "packet/packet.h"

static inline void check_packet(const struct packet *packet, const uint8_t *data, size_t size)
{
    assert_within(packet->payload, packet->payload_len, data, size);
    assert(packet->src.family == packet->dst.family && addr_len(&packet->src) > 0);
    switch ((enum packet_layer)packet->layer) {
    case LAYER_OTHER:
        break;
    case LAYER_TCP:
        assert(packet->ip_proto == IP_PROTO_TCP);
        assert_within(packet->tcp.options, packet->tcp.options_len, data, size);
        break;
    case LAYER_UDP:
        assert(packet->ip_proto == IP_PROTO_UDP && packet->payload_len + UDP_HEADER_LEN <= packet->udp.len);
        break;
    case LAYER_SCTP:
        assert(packet->ip_proto == IP_PROTO_SCTP);
        break;
    case LAYER_ICMP4:
        assert(packet->ip_proto == IP_PROTO_ICMP && packet->src.family == ADDR_V4);
        break;
    case LAYER_ICMP6:
        assert(packet->ip_proto == IP_PROTO_ICMPV6 && packet->src.family == ADDR_V6);
        assert(!packet->icmp.is_neighbor || packet->ttl == 255);
        break;
    case LAYER_ARP:
        assert(packet->src.family == ADDR_V4 && packet->payload_len == 0);
        break;
    }
    if (packet->has_quote) {
        bool icmp4 = packet->layer == LAYER_ICMP4;
        assert(icmp4 || packet->layer == LAYER_ICMP6);
        assert(icmp_is_error(icmp4 ? 4 : 6, packet->icmp.type));
        assert(packet->quote.src.family == packet->src.family);
        assert(packet->quote.len >= 8 || (packet->quote.number == 0 && packet->quote.port == 0));
        assert_within(packet->quote.bytes, packet->quote.len, packet->payload, packet->payload_len);
    }
}

/* Verifying checksums only takes packets away: what passes is what passes without. */
static inline void check_verified(enum packet_fault verified, enum packet_fault trusted)
{
    assert(verified < PACKET_FAULT_COUNT && trusted < PACKET_FAULT_COUNT);
    assert(trusted != PACKET_BAD_CHECKSUM);
    assert(verified == trusted || verified == PACKET_BAD_CHECKSUM);
}
