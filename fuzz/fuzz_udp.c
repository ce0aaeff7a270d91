/* udp_read: a datagram is written back with the fields it was read with, and never with a checksum of 0. */
#include <string.h>

#include "fuzz.h"
#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/udp.h"

static void check_rewritten(const struct udp_header *udp, const uint8_t *payload, size_t payload_len)
{
    struct addr src = addr_v4(0xc6120002), dst = addr_v4(0xc6120001);
    uint8_t bytes[1500];
    struct writer out = writer_over(bytes, sizeof bytes);
    udp_write(&out, &src, &dst, udp, payload, payload_len);
    assert(out.ok == (UDP_HEADER_LEN + payload_len <= sizeof bytes));
    if (!out.ok)
        return;

    size_t len = writer_len(&out);
    struct reader in = reader_over(bytes, len);
    struct udp_header again;
    bool valid = udp_read(&in, &again);
    assert(valid && again.len == len && again.checksum != 0);
    assert(again.source_port == udp->source_port && again.port == udp->port);
    assert(checksum_transport(&src, &dst, IP_PROTO_UDP, bytes, len) == 0);
    assert(reader_left(&in) == payload_len && memcmp(in.at, payload, payload_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct udp_header udp;
    if (!udp_read(&in, &udp))
        return 0;
    assert(in.ok && udp.len >= UDP_HEADER_LEN && in.at == data + UDP_HEADER_LEN);
    check_rewritten(&udp, in.at, reader_left(&in));
    return 0;
}
