/* SCTP common header and first chunk (RFC 9260 sections 3.1 to 3.3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum sctp_chunk {
    SCTP_DATA = 0,
    SCTP_INIT = 1,
    SCTP_INIT_ACK = 2,
    SCTP_ABORT = 6,
    SCTP_ERROR = 9,
    SCTP_COOKIE_ECHO = 10,
    SCTP_COOKIE_ACK = 11,
};

#define SCTP_HEADER_LEN 12

struct sctp_header {
    uint16_t source_port, port;
    uint32_t verification_tag;
    uint32_t checksum;
    bool has_chunk; /* a first chunk header was there, with a length that can be */
    uint8_t chunk_type;
    uint8_t chunk_flags;
    uint16_t chunk_len;   /* as it says, with its 4-byte header */
    uint16_t error_cause; /* first cause code of an ERROR or ABORT; 0 when none */
};

/* False when the common header, or the first chunk by its length, is truncated. `in` stands at the first
 * chunk afterwards. */
bool sctp_read(struct reader *in, struct sctp_header *ret);

/* Write common header and one chunk, CRC32c filled in; of *header the ports, tag, chunk type and flags are
 * used.
 *   chunk_value_len  without the chunk header; zeros pad it to a multiple of 4 */
void sctp_write(struct writer *out, const struct sctp_header *header, const uint8_t *chunk_value,
                size_t chunk_value_len);
