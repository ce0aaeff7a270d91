/* Packets in a file of the format pcapng (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3), which Wireshark and
 * its like read: one section, one interface without link-layer headers, and a packet a block, each with a
 * comment. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* One packet, cut. */
struct pcapng_packet {
    int64_t time_ns;
    const uint8_t *bytes; /* from the IP header on */
    uint32_t kept_len;    /* so many of them, <= PCAPNG_PACKET_MAX */
    uint32_t packet_len;  /* the packet had so many */
    const char *comment;  /* ASCII, < PCAPNG_COMMENT_MAX bytes */
};

#define PCAPNG_PACKET_MAX  256
#define PCAPNG_COMMENT_MAX 256

/* Both only write to the file; who owns it looks at ferror(). */
void pcapng_begin(FILE *file, const char *program);
void pcapng_packet(FILE *file, const struct pcapng_packet *packet);
