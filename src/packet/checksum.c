#include "packet/checksum.h"

#include "base/bytes.h"
#include "packet/crc32c.h"

#define SCTP_CHECKSUM_AT 8 /* RFC 9260 section 3.1: bytes 8 to 11 of the common header */

/* Modulo 2^16 - 1 a carry out of any multiple of 16 bits may be added back at the bottom (RFC 1071 section
 * 2), so four bytes at a time give the same sum as two. */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t len)
{
    uint64_t total = sum;
    for (; len >= 4; data += 4, len -= 4)
        total += get_be32(data);
    if (len >= 2) {
        total += get_be16(data);
        data += 2;
        len -= 2;
    }
    if (len)
        total += (uint64_t)data[0] << 8;

    total = (total & UINT32_MAX) + (total >> 32);
    total = (total & UINT32_MAX) + (total >> 32);
    return (uint32_t)total;
}

uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Both pseudo-headers hold the same numbers, IPv6's only in wider fields, and the width does not change the
 * sum. */
uint16_t checksum_transport(const struct addr *src, const struct addr *dst, uint8_t ip_proto,
                            const uint8_t *data, size_t len)
{
    uint32_t sum = ip_proto + (uint32_t)(len & UINT16_MAX) + (uint32_t)(len >> 16);
    sum = checksum_add(sum, src->bytes, addr_len(src));
    sum = checksum_add(sum, dst->bytes, addr_len(dst));
    return checksum_finish(checksum_add(sum, data, len));
}

uint32_t checksum_crc32c(const uint8_t *data, size_t len)
{
    static const uint8_t zero[4] = {0};

    uint32_t crc = CRC32C_START;
    if (len < SCTP_CHECKSUM_AT + sizeof zero) {
        crc = crc32c_add(crc, data, len);
    } else {
        crc = crc32c_add(crc, data, SCTP_CHECKSUM_AT);
        crc = crc32c_add(crc, zero, sizeof zero);
        crc = crc32c_add(crc, data + SCTP_CHECKSUM_AT + sizeof zero, len - SCTP_CHECKSUM_AT - sizeof zero);
    }

    /* RFC 9260 appendix A sends the remainder with its bytes in the reverse order of a number. */
    uint32_t value = crc32c_finish(crc);
    return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}
