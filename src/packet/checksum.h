/* The Internet checksum (RFC 1071) and its pseudo-headers (RFC 9293 section 3.1, RFC 8200 section 8.1). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* A running one's complement sum; start with 0, add parts of even length (only the last may be odd). */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t len);

/* The value for the header field; 0 over data that includes a right one. */
uint16_t checksum_finish(uint32_t sum);

/* Checksum of a transport header and payload with its pseudo-header.
 *   ip_proto  the upper-layer protocol
 *   data      from the transport header on, its checksum field zero to make one; result 0 verifies one */
uint16_t checksum_transport(const struct addr *src, const struct addr *dst, uint8_t ip_proto,
                            const uint8_t *data, size_t len);

/* CRC32c of an SCTP packet (RFC 9260 section 6.8, appendix A) over `len` bytes whose checksum field (bytes
 * 8..11) counts as zero. The result is the value as stored: put it with put_be32(). */
uint32_t checksum_crc32c(const uint8_t *data, size_t len);
