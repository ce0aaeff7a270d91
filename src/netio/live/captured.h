/* A packet as the receiving side of the packet backends hands it over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One packet; data are valid until the next call of capture_next. */
struct captured {
    const uint8_t *data; /* from the network header on */
    size_t len;          /* captured; less than wire_len only when a block does not hold it all */
    size_t wire_len;     /* as it was */
    int64_t realtime_ns; /* CLOCK_REALTIME at which the kernel took it */
    uint32_t link;       /* interface index */
    uint16_t ethertype;
    /* the checksum is not filled in yet, or the hardware has vouched for it: do not verify */
    bool checksums_open;
    bool checksums_unknown; /* or one of the two, and nobody has said so */
    bool other_vlan;        /* it belongs to a VLAN device above this link, and shows up again there */
    uint8_t source_mac[6];  /* zero on links without addresses */
};

struct sockaddr_ll; /* linux/if_packet.h */

/* What a packet socket says of a packet: who sent it, and with which TP_STATUS_* (packet(7)) it came. */
void captured_note_sender(struct captured *captured, const struct sockaddr_ll *name);
void captured_note_status(struct captured *captured, uint32_t status, uint32_t vlan_tci);
