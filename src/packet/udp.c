#include "packet/udp.h"

#include <assert.h>

#include "packet/checksum.h"
#include "packet/ip.h"

#define UDP_CHECKSUM_AT 6

bool udp_read(struct reader *in, struct udp_header *ret)
{
    struct udp_header udp;
    udp.source_port = read_be16(in);
    udp.port = read_be16(in);
    udp.len = read_be16(in);
    udp.checksum = read_be16(in);
    if (!in->ok || udp.len < UDP_HEADER_LEN)
        return false;
    *ret = udp;
    return true;
}

void udp_write(struct writer *out, const struct addr *src, const struct addr *dst,
               const struct udp_header *header, const uint8_t *payload, size_t payload_len)
{
    assert(payload_len <= UINT16_MAX - UDP_HEADER_LEN);

    uint8_t *start = out->at;
    write_be16(out, header->source_port);
    write_be16(out, header->port);
    write_be16(out, (uint16_t)(UDP_HEADER_LEN + payload_len));
    write_be16(out, 0); /* checksum, below */
    write_bytes(out, payload, payload_len);
    if (!out->ok)
        return;
    uint16_t checksum = checksum_transport(src, dst, IP_PROTO_UDP, start, (size_t)(out->at - start));
    put_be16(start + UDP_CHECKSUM_AT, checksum ? checksum : 0xffff); /* 0 would say that there is none */
}
