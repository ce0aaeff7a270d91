#include "packet/sctp.h"

#include <assert.h>

#include "packet/checksum.h"

#define CHUNK_HEADER_LEN 4
#define CAUSE_HEADER_LEN 4
#define SCTP_CHECKSUM_AT 8

/* RFC 9260 sections 3.3.7 and 3.3.10: the causes follow the chunk header directly. */
static void read_error_cause(struct reader *chunk, struct sctp_header *sctp)
{
    bool carries_causes = sctp->chunk_type == SCTP_ERROR || sctp->chunk_type == SCTP_ABORT;
    if (carries_causes && sctp->chunk_len >= CHUNK_HEADER_LEN + CAUSE_HEADER_LEN)
        sctp->error_cause = read_be16(chunk);
}

bool sctp_read(struct reader *in, struct sctp_header *ret)
{
    struct sctp_header sctp = {0};
    sctp.source_port = read_be16(in);
    sctp.port = read_be16(in);
    sctp.verification_tag = read_be32(in);
    sctp.checksum = read_be32(in);
    if (!in->ok)
        return false;

    struct reader chunk = *in;
    uint8_t type = read_u8(&chunk);
    uint8_t flags = read_u8(&chunk);
    uint16_t len = read_be16(&chunk);
    if (chunk.ok && len >= CHUNK_HEADER_LEN) {
        struct reader value = chunk;
        if (!read_span(&value, len - CHUNK_HEADER_LEN)) {
            in->ok = false;
            return false;
        }
        sctp.has_chunk = true;
        sctp.chunk_type = type;
        sctp.chunk_flags = flags;
        sctp.chunk_len = len;
        read_error_cause(&chunk, &sctp);
    }
    *ret = sctp;
    return true;
}

void sctp_write(struct writer *out, const struct sctp_header *header, const uint8_t *chunk_value,
                size_t chunk_value_len)
{
    static const uint8_t padding[3] = {0};
    assert(chunk_value_len <= UINT16_MAX - CHUNK_HEADER_LEN);

    uint8_t *start = out->at;
    write_be16(out, header->source_port);
    write_be16(out, header->port);
    write_be32(out, header->verification_tag);
    write_be32(out, 0); /* checksum, below */
    write_u8(out, header->chunk_type);
    write_u8(out, header->chunk_flags);
    write_be16(out, (uint16_t)(CHUNK_HEADER_LEN + chunk_value_len));
    write_bytes(out, chunk_value, chunk_value_len);
    write_bytes(out, padding, -chunk_value_len % 4);
    if (out->ok)
        put_be32(start + SCTP_CHECKSUM_AT, checksum_crc32c(start, (size_t)(out->at - start)));
}
