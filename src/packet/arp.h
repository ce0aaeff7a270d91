/* ARP for IPv4 over Ethernet (RFC 826), and the Ethernet header (IEEE 802.3, 802.1Q). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

#define ETHERNET_HEADER_LEN 14

enum ethertype {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP_PACKET = 0x0806,
    ETHERTYPE_VLAN_TAG = 0x8100,
    ETHERTYPE_QINQ_TAG = 0x88a8,
    ETHERTYPE_IPV6_PACKET = 0x86dd,
};

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    uint16_t operation; /* enum arp_operation */
    uint8_t sender_mac[6];
    struct addr sender;
    uint8_t target_mac[6];
    struct addr target;
};

struct ethernet_header {
    uint8_t destination[6];
    uint8_t source[6];
    uint16_t ethertype; /* behind VLAN tags */
};

bool ethernet_read(struct reader *in, struct ethernet_header *ret); /* skips up to two VLAN tags */
void ethernet_write(struct writer *out, const struct ethernet_header *header);

bool arp_read(struct reader *in, struct arp_packet *ret); /* false unless Ethernet and IPv4 */

/* The ARP part, without the Ethernet header. */
void arp_write(struct writer *out, const struct arp_packet *packet);
