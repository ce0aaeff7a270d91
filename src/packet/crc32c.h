/* CRC32c (Castagnoli), reflected, as iSCSI (RFC 3720 section 12.1) and SCTP (RFC 9260 appendix A) use it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CRC32C_START UINT32_MAX

/* A running CRC: begin with CRC32C_START, add parts of any length, then finish. */
uint32_t crc32c_add(uint32_t crc, const uint8_t *data, size_t len);

static inline uint32_t crc32c_finish(uint32_t crc)
{
    return ~crc;
}
