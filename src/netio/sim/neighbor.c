#include "netio/sim/neighbor.h"

#include <string.h>

#include "packet/arp.h"

static const uint8_t host_mac[6] = {0x02, 0, 0x5e, 0, 0x53, 1}, our_mac[6] = {0x02, 0, 0x5e, 0, 0x53, 2};

static void write_reply(struct writer *out, const struct addr *host, const struct addr *us)
{
    struct arp_packet arp = {.operation = ARP_REPLY, .sender = *host, .target = *us};
    memcpy(arp.sender_mac, host_mac, 6);
    memcpy(arp.target_mac, our_mac, 6);
    arp_write(out, &arp);
}

static void write_advertisement(struct writer *out, const struct addr *host, const struct addr *us)
{
    uint8_t body[24] = {0};
    memcpy(body, host->bytes, 16);
    body[16] = 2; /* target link-layer address, RFC 4861 section 4.6.1 */
    body[17] = 1;
    memcpy(body + 18, host_mac, 6);
    struct ip_header ip = {.src = *host, .dst = *us, .proto = IP_PROTO_ICMPV6, .ttl = 255};
    ip_write(out, &ip, ICMP_HEADER_LEN + sizeof body);
    struct icmp_header header = {.type = ICMP6_NEIGHBOR_ADVERTISEMENT, .rest = UINT32_C(0x60000000)};
    icmp_write(out, host, us, &header, body, sizeof body);
}

size_t sim_neighbor_answer(const struct sim_config *config, const struct addr *host,
                           uint8_t answer[static SIM_PACKET_MAX])
{
    bool v4 = host->family == ADDR_V4;
    struct writer out = writer_over(answer, SIM_PACKET_MAX);
    struct ethernet_header ethernet = {.ethertype = v4 ? ETHERTYPE_ARP_PACKET : ETHERTYPE_IPV6_PACKET};
    memcpy(ethernet.source, host_mac, 6);
    memcpy(ethernet.destination, our_mac, 6);
    ethernet_write(&out, &ethernet);
    if (v4)
        write_reply(&out, host, &config->source4);
    else
        write_advertisement(&out, host, &config->source6);
    return out.ok ? writer_len(&out) : 0;
}
