/* UDP header (RFC 768). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

#define UDP_HEADER_LEN 8

struct udp_header {
    uint16_t source_port, port; /* port: destination */
    uint16_t len;               /* header and payload */
    uint16_t checksum;          /* 0 over IPv4: none was made */
};

bool udp_read(struct reader *in, struct udp_header *ret); /* false when truncated or len < 8 */

/* Write header and payload, checksum filled in (0 is sent as 0xffff). Of *header the ports are used. */
void udp_write(struct writer *out, const struct addr *src, const struct addr *dst,
               const struct udp_header *header, const uint8_t *payload, size_t payload_len);
