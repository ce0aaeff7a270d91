#include "packet/packet.h"

#include <string.h>

#include "packet/checksum.h"

#define QUOTE_LEN_MIN 8 /* of the transport header: RFC 792 promises no more */

/* DF alone with its two bytes swapped, as some stacks put it into a quote; read in order it is this
 * offset. */
#define SWAPPED_DONT_FRAGMENT_OFFSET (0x0040 * 8)

/* RFC 4861 section 7.1.2: from nobody behind a router */
#define NEIGHBOR_HOP_LIMIT 255

/* Why a header was refused, where the reader tells the two reasons apart. */
static enum packet_fault refused(const struct reader *in)
{
    return in->ok ? PACKET_BAD_HEADER : PACKET_TRUNCATED;
}

/* The upper-layer part of an IP packet. */
struct segment {
    const uint8_t *data; /* borrowed */
    size_t len;          /* as the IP header says, all of it there */
    bool verify;         /* whole, so that its checksum can be verified, and that is wanted */
};

static bool has_ports(uint8_t ip_proto)
{
    return ip_proto == IP_PROTO_TCP || ip_proto == IP_PROTO_UDP || ip_proto == IP_PROTO_SCTP;
}

static bool is_icmp(const struct ip_header *ip)
{
    return ip->proto == (ip->version == 6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP);
}

/* How much of what follows the IP header a quote must hold: of a probe that is an IP header alone there is
 * nothing. */
static size_t quote_len_min(const struct ip_header *inner)
{
    return has_ports(inner->proto) || is_icmp(inner) ? QUOTE_LEN_MIN : 0;
}

/* Errors about errors are never sent (RFC 1122 section 3.2.2, RFC 4443 section 2.4), and probes are no
 * errors. */
static bool is_probe(const struct ip_header *inner, const uint8_t *transport)
{
    return !is_icmp(inner) || !icmp_is_error(inner->version, transport[0]);
}

static bool is_start_of_packet(const struct ip_header *inner)
{
    return inner->fragment_offset == 0 ||
           (inner->version == 4 && inner->fragment_offset == SWAPPED_DONT_FRAGMENT_OFFSET);
}

/* What an ICMP error quotes. It is not verified, and less is asked of it than of a packet: routers decrement
 * its TTL and NATs rewrite it without care for checksums, and what it names must be proved by its number
 * anyway. */
static bool read_quote(struct reader in, uint8_t version, struct quote *ret)
{
    struct ip_header inner;
    if (!ip_read(&in, &inner) || inner.version != version || !is_start_of_packet(&inner) ||
        reader_left(&in) < quote_len_min(&inner) || !is_probe(&inner, in.at))
        return false;

    struct quote quote = {
        .src = inner.src, .dst = inner.dst, .ip_proto = inner.proto, .bytes = in.at, .len = reader_left(&in)};
    if (has_ports(inner.proto)) {
        quote.source_port = get_be16(in.at);
        quote.port = get_be16(in.at + 2);
    }
    if (quote.len >= QUOTE_LEN_MIN)
        quote.number = get_be32(in.at + 4);
    *ret = quote;
    return true;
}

static bool transport_checksum_is_right(const struct packet *packet, const struct segment *segment)
{
    return checksum_transport(&packet->src, &packet->dst, packet->ip_proto, segment->data, segment->len) == 0;
}

static enum packet_fault read_tcp(struct reader *in, const struct segment *segment, struct packet *packet)
{
    packet->layer = LAYER_TCP;
    if (!tcp_read(in, &packet->tcp))
        return refused(in);
    if (segment->verify && !transport_checksum_is_right(packet, segment))
        return PACKET_BAD_CHECKSUM;
    return PACKET_OK;
}

/* Bytes behind the UDP length are no part of the datagram. */
static enum packet_fault read_udp(struct reader *in, const struct segment *segment, bool is_fragment,
                                  struct packet *packet)
{
    packet->layer = LAYER_UDP;
    if (!udp_read(in, &packet->udp))
        return refused(in);
    struct segment datagram = *segment;
    if (packet->udp.len < datagram.len) {
        datagram.len = packet->udp.len;
        in->end = datagram.data + datagram.len;
    } else if (packet->udp.len > datagram.len && !is_fragment) {
        return PACKET_TRUNCATED;
    }

    if (!segment->verify || (packet->udp.checksum == 0 && packet->src.family == ADDR_V4))
        return PACKET_OK;
    if (packet->udp.checksum == 0 ||
        !transport_checksum_is_right(packet, &datagram)) /* RFC 8200 section 8.1 */
        return PACKET_BAD_CHECKSUM;
    return PACKET_OK;
}

static enum packet_fault read_sctp(struct reader *in, const struct segment *segment, struct packet *packet)
{
    packet->layer = LAYER_SCTP;
    if (!sctp_read(in, &packet->sctp))
        return refused(in);
    if (segment->verify && checksum_crc32c(segment->data, segment->len) != packet->sctp.checksum)
        return PACKET_BAD_CHECKSUM;
    return PACKET_OK;
}

static enum packet_fault read_icmp(struct reader *in, const struct segment *segment, uint8_t version,
                                   struct packet *packet)
{
    packet->layer = version == 6 ? LAYER_ICMP6 : LAYER_ICMP4;
    if (!icmp_read(in, version, &packet->icmp))
        return refused(in);
    if (packet->icmp.is_neighbor && packet->ttl != NEIGHBOR_HOP_LIMIT)
        return PACKET_BAD_HEADER;
    if (segment->verify &&
        (version == 6 ? !transport_checksum_is_right(packet, segment)
                      : checksum_finish(checksum_add(0, segment->data, segment->len)) != 0))
        return PACKET_BAD_CHECKSUM;
    if (icmp_is_error(version, packet->icmp.type))
        packet->has_quote = read_quote(*in, version, &packet->quote);
    return PACKET_OK;
}

static enum packet_fault read_upper_layer(struct reader *in, const struct segment *segment,
                                          const struct ip_header *ip, struct packet *packet)
{
    switch (ip->proto) {
    case IP_PROTO_TCP:
        return read_tcp(in, segment, packet);
    case IP_PROTO_UDP:
        return read_udp(in, segment, ip->more_fragments, packet);
    case IP_PROTO_SCTP:
        return read_sctp(in, segment, packet);
    case IP_PROTO_ICMP:
        if (ip->version == 4)
            return read_icmp(in, segment, 4, packet);
        break;
    case IP_PROTO_ICMPV6:
        if (ip->version == 6)
            return read_icmp(in, segment, 6, packet);
        break;
    default:
        break;
    }
    packet->layer = LAYER_OTHER;
    return PACKET_OK;
}

/* The IP header, and `in` cut to the length that it gives. */
static enum packet_fault read_ip_header(struct reader *in, struct packet_reading how, struct ip_header *ret)
{
    const uint8_t *data = in->at;
    size_t len = reader_left(in);
    if (len > 0 && data[0] >> 4 != 4 && data[0] >> 4 != 6)
        return PACKET_NOT_IP;
    if (!ip_read(in, ret))
        return refused(in);
    if (ret->total_len < ret->header_len)
        return PACKET_BAD_HEADER;
    if (how.checksums && ret->version == 4 && checksum_finish(checksum_add(0, data, ret->header_len)) != 0)
        return PACKET_BAD_CHECKSUM;
    if (ret->total_len > len)
        return PACKET_TRUNCATED;
    if (ret->fragment_offset != 0)
        return PACKET_FRAGMENT;
    in->end = data + ret->total_len;
    return PACKET_OK;
}

enum packet_fault packet_read_ip(const uint8_t *data, size_t len, struct packet_reading how,
                                 struct packet *ret)
{
    struct reader in = reader_over(data, len);
    struct ip_header ip;
    enum packet_fault fault = read_ip_header(&in, how, &ip);
    if (fault != PACKET_OK)
        return fault;

    memset(ret, 0, sizeof *ret);
    ret->bytes = data;
    ret->bytes_len = ip.total_len;
    ret->ip_proto = ip.proto;
    ret->ttl = ip.ttl;
    ret->src = ip.src;
    ret->dst = ip.dst;
    ret->ip_id = ip.id;
    ret->has_fragment_id = ip.has_fragment_header;
    ret->fragment_id = ip.fragment_id;

    struct segment segment = {
        .data = in.at, .len = reader_left(&in), .verify = how.checksums && !ip.more_fragments};
    fault = read_upper_layer(&in, &segment, &ip, ret);
    ret->payload = in.at;
    ret->payload_len = reader_left(&in);
    return fault;
}

static enum packet_fault read_arp(struct reader *in, struct packet *ret)
{
    struct arp_packet arp;
    if (!arp_read(in, &arp))
        return refused(in);
    memset(ret, 0, sizeof *ret);
    ret->layer = LAYER_ARP;
    ret->src = arp.sender;
    ret->dst = arp.target;
    ret->arp = arp;
    ret->payload = in->at;
    return PACKET_OK;
}

enum packet_fault packet_read_ethernet(const uint8_t *data, size_t len, struct packet_reading how,
                                       struct packet *ret)
{
    struct reader in = reader_over(data, len);
    struct ethernet_header ethernet;
    if (!ethernet_read(&in, &ethernet))
        return refused(&in);

    enum packet_fault fault;
    switch (ethernet.ethertype) {
    case ETHERTYPE_ARP_PACKET:
        fault = read_arp(&in, ret);
        break;
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6_PACKET:
        if (reader_left(&in) > 0 && in.at[0] >> 4 != (ethernet.ethertype == ETHERTYPE_IPV4 ? 4 : 6))
            return PACKET_BAD_HEADER;
        fault = packet_read_ip(in.at, reader_left(&in), how, ret);
        break;
    default:
        return PACKET_NOT_IP;
    }
    if (fault == PACKET_OK)
        memcpy(ret->source_mac, ethernet.source, sizeof ret->source_mac);
    return fault;
}

const char *packet_fault_name(enum packet_fault fault)
{
    switch (fault) {
    case PACKET_OK:
        return "ok";
    case PACKET_TRUNCATED:
        return "truncated";
    case PACKET_BAD_HEADER:
        return "bad header";
    case PACKET_BAD_CHECKSUM:
        return "bad checksum";
    case PACKET_FRAGMENT:
        return "fragment";
    case PACKET_NOT_IP:
        return "not IP";
    case PACKET_FAULT_COUNT:
        break;
    }
    return "unknown";
}
