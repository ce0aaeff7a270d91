/* ip_read: lengths hold, and a header is written back with the fields it was read with. */
#include "fuzz.h"
#include "packet/ip.h"

static void check_rewritten(const struct ip_header *ip, size_t payload_len)
{
    uint8_t bytes[IPV6_HEADER_LEN];
    struct writer out = writer_over(bytes, sizeof bytes);
    ip_write(&out, ip, payload_len);
    assert(out.ok);

    struct reader in = reader_over(bytes, writer_len(&out));
    struct ip_header again;
    bool valid = ip_read(&in, &again);
    /* Extension headers are not written, so a protocol that announces one has nothing behind it. */
    if (!valid) {
        assert(ip->version == 6 && !in.ok);
        return;
    }
    assert(again.version == ip->version && again.proto == ip->proto && again.ttl == ip->ttl);
    assert(again.id == ip->id && addr_equal(&again.src, &ip->src) && addr_equal(&again.dst, &ip->dst));
    assert(again.total_len == again.header_len + payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct ip_header ip;
    if (!ip_read(&in, &ip))
        return 0;

    assert(in.ok && ip.version == data[0] >> 4);
    assert(ip.header_len >= (ip.version == 4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN));
    assert(ip.header_len <= size && in.at == data + ip.header_len);
    assert(ip.fragment_offset % 8 == 0);
    assert(ip.src.family == ip.version && ip.dst.family == ip.version);
    if (ip.total_len >= ip.header_len)
        check_rewritten(&ip, ip.total_len - ip.header_len);
    return 0;
}
