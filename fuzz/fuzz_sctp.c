/* sctp_read: the first chunk is read with the limits that it names, and written back. */
#include "fuzz.h"
#include "packet/checksum.h"
#include "packet/sctp.h"

static void check_rewritten(const struct sctp_header *sctp, const uint8_t *value, size_t value_len)
{
    uint8_t bytes[1500];
    struct writer out = writer_over(bytes, sizeof bytes);
    sctp_write(&out, sctp, value, value_len);
    if (!out.ok) {
        assert(SCTP_HEADER_LEN + 4 + value_len + 3 > sizeof bytes);
        return;
    }

    size_t len = writer_len(&out);
    struct reader in = reader_over(bytes, len);
    struct sctp_header again;
    bool valid = sctp_read(&in, &again);
    assert(valid && again.has_chunk && len % 4 == 0 && again.checksum == checksum_crc32c(bytes, len));
    assert(again.source_port == sctp->source_port && again.port == sctp->port);
    assert(again.verification_tag == sctp->verification_tag && again.chunk_type == sctp->chunk_type);
    assert(again.chunk_flags == sctp->chunk_flags && again.chunk_len == sctp->chunk_len);
    assert(again.error_cause == sctp->error_cause);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct sctp_header sctp;
    if (!sctp_read(&in, &sctp))
        return 0;

    assert(in.ok && in.at == data + SCTP_HEADER_LEN);
    assert(sctp.has_chunk ? sctp.chunk_len >= 4 && reader_left(&in) >= sctp.chunk_len
                          : !sctp.chunk_len && !sctp.error_cause);
    if (sctp.has_chunk)
        check_rewritten(&sctp, in.at + 4, sctp.chunk_len - 4u);
    return 0;
}
