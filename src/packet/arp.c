#include "packet/arp.h"

/* RFC 826: the one combination of spaces and address lengths that there is on our links */
#define HARDWARE_ETHERNET 1
#define MAC_LEN           6
#define IPV4_LEN          4

#define VLAN_TAGS_MAX 2

bool ethernet_read(struct reader *in, struct ethernet_header *ret)
{
    struct ethernet_header header;
    read_bytes(in, header.destination, MAC_LEN);
    read_bytes(in, header.source, MAC_LEN);
    header.ethertype = read_be16(in);
    for (int i = 0; i < VLAN_TAGS_MAX; i++) {
        if (header.ethertype != ETHERTYPE_VLAN_TAG && header.ethertype != ETHERTYPE_QINQ_TAG)
            break;
        read_be16(in); /* priority and VLAN number */
        header.ethertype = read_be16(in);
    }
    if (!in->ok)
        return false;
    *ret = header;
    return true;
}

void ethernet_write(struct writer *out, const struct ethernet_header *header)
{
    write_bytes(out, header->destination, MAC_LEN);
    write_bytes(out, header->source, MAC_LEN);
    write_be16(out, header->ethertype);
}

bool arp_read(struct reader *in, struct arp_packet *ret)
{
    struct arp_packet arp = {.sender.family = ADDR_V4, .target.family = ADDR_V4};
    uint16_t hardware = read_be16(in);
    uint16_t protocol = read_be16(in);
    uint8_t hardware_len = read_u8(in);
    uint8_t protocol_len = read_u8(in);
    arp.operation = read_be16(in);
    read_bytes(in, arp.sender_mac, MAC_LEN);
    read_bytes(in, arp.sender.bytes, IPV4_LEN);
    read_bytes(in, arp.target_mac, MAC_LEN);
    read_bytes(in, arp.target.bytes, IPV4_LEN);
    if (!in->ok || hardware != HARDWARE_ETHERNET || protocol != ETHERTYPE_IPV4 || hardware_len != MAC_LEN ||
        protocol_len != IPV4_LEN)
        return false;
    *ret = arp;
    return true;
}

void arp_write(struct writer *out, const struct arp_packet *packet)
{
    write_be16(out, HARDWARE_ETHERNET);
    write_be16(out, ETHERTYPE_IPV4);
    write_u8(out, MAC_LEN);
    write_u8(out, IPV4_LEN);
    write_be16(out, packet->operation);
    write_bytes(out, packet->sender_mac, MAC_LEN);
    write_bytes(out, packet->sender.bytes, IPV4_LEN);
    write_bytes(out, packet->target_mac, MAC_LEN);
    write_bytes(out, packet->target.bytes, IPV4_LEN);
}
