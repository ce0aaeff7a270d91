#include "netio/live/frame.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "packet/arp.h"
#include "packet/icmp.h"
#include "packet/ip.h"

#define QUESTION_MAX 32 /* ARP over Ethernet, or a neighbour solicitation with one option */

static const uint8_t broadcast_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void write_header(struct batch_slot *slot, const struct link *link, const uint8_t mac[static 6],
                         uint16_t ethertype)
{
    struct ethernet_header header = {.ethertype = ethertype};
    memcpy(header.destination, mac, sizeof header.destination);
    memcpy(header.source, link->mac, sizeof header.source);
    struct writer out = writer_over(slot->data, ETHERNET_HEADER_LEN);
    ethernet_write(&out, &header);
}

bool frame_write_probe(struct batch_slot *slot, const struct link *link, const uint8_t mac[static 6],
                       const struct probe *probe, uint8_t ttl)
{
    bool v4 = probe->dst.family == ADDR_V4;
    write_header(slot, link, mac, v4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6_PACKET);
    size_t len = probe_packet_write(probe, ttl, frame_ip_id(probe->number), slot->data + ETHERNET_HEADER_LEN,
                                    sizeof slot->data - ETHERNET_HEADER_LEN);
    slot->len = (uint32_t)(ETHERNET_HEADER_LEN + len);
    return len > 0;
}

static void write_arp(struct batch_slot *slot, const struct link *link, const struct addr *source,
                      const struct addr *target)
{
    struct arp_packet arp = {.operation = ARP_REQUEST, .sender = *source, .target = *target};
    memcpy(arp.sender_mac, link->mac, sizeof arp.sender_mac);
    write_header(slot, link, broadcast_mac, ETHERTYPE_ARP_PACKET);
    struct writer out = writer_over(slot->data + ETHERNET_HEADER_LEN, QUESTION_MAX);
    arp_write(&out, &arp);
    assert(out.ok);
    slot->len = (uint32_t)(ETHERNET_HEADER_LEN + writer_len(&out));
}

static void write_solicitation(struct batch_slot *slot, const struct link *link, const struct addr *source,
                               const struct addr *target)
{
    uint8_t mac[6];
    struct addr group = icmp_solicited_node(target);
    frame_group_mac(&group, mac);
    write_header(slot, link, mac, ETHERTYPE_IPV6_PACKET);
    struct writer body = writer_over(slot->data + ETHERNET_HEADER_LEN + IPV6_HEADER_LEN, QUESTION_MAX);
    icmp_write_neighbor_solicitation(&body, source, &group, target, link->mac);
    struct writer header = writer_over(slot->data + ETHERNET_HEADER_LEN, IPV6_HEADER_LEN);
    struct ip_header ip = {.src = *source, .dst = group, .proto = IP_PROTO_ICMPV6, .ttl = FRAME_ND_HOP_LIMIT};
    ip_write(&header, &ip, writer_len(&body));
    assert(body.ok && header.ok);
    slot->len = (uint32_t)(ETHERNET_HEADER_LEN + IPV6_HEADER_LEN + writer_len(&body));
}

void frame_write_question(struct batch_slot *slot, const struct link *link, const struct addr *source,
                          const struct addr *target)
{
    if (target->family == ADDR_V4)
        write_arp(slot, link, source, target);
    else
        write_solicitation(slot, link, source, target);
}

void frame_group_mac(const struct addr *dst, uint8_t ret[static 6])
{
    if (dst->family == ADDR_V6) {
        ret[0] = ret[1] = 0x33;
        memcpy(ret + 2, dst->bytes + 12, 4);
    } else if ((dst->bytes[0] & 0xf0) == 0xe0) {
        const uint8_t mac[6] = {0x01, 0x00, 0x5e, dst->bytes[1] & 0x7f, dst->bytes[2], dst->bytes[3]};
        memcpy(ret, mac, sizeof mac);
    } else {
        memcpy(ret, broadcast_mac, sizeof broadcast_mac);
    }
}
