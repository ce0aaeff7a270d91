#include "netio/live/captured.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <string.h>

void captured_note_sender(struct captured *captured, const struct sockaddr_ll *name)
{
    captured->link = (uint32_t)name->sll_ifindex;
    captured->ethertype = ntohs(name->sll_protocol);
    if (name->sll_halen == sizeof captured->source_mac)
        memcpy(captured->source_mac, name->sll_addr, sizeof captured->source_mac);
}

void captured_note_status(struct captured *captured, uint32_t status, uint32_t vlan_tci)
{
    captured->checksums_open = status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID);
    captured->other_vlan = (status & TP_STATUS_VLAN_VALID) && (vlan_tci & 0x0fff);
}
