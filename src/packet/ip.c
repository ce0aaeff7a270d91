#include "packet/ip.h"

#include <assert.h>

#include "packet/checksum.h"

#define IPV4_CHECKSUM_AT 10

#define FLAG_DONT_FRAGMENT  0x4000
#define FLAG_MORE_FRAGMENTS 0x2000
#define OFFSET_MASK         0x1fff /* in units of eight bytes */

/* RFC 8200 section 4.1 foresees seven, one of them twice; more is somebody wasting our time. */
#define EXTENSION_HEADERS_MAX 10

/* A header of fixed length is bounded once, as a span: of a constant length the compiler sees that no field
 * can be outside, and leaves the test at each field out. */
static bool read_v4(struct reader *in, struct ip_header *ret)
{
    const uint8_t *span = read_span(in, IPV4_HEADER_LEN);
    if (!span)
        return false;
    size_t header_len = (span[0] & 0x0fu) * 4u;
    if (header_len < IPV4_HEADER_LEN || !read_span(in, header_len - IPV4_HEADER_LEN))
        return false;

    *ret = (struct ip_header){
        .version = 4, .header_len = header_len, .src.family = ADDR_V4, .dst.family = ADDR_V4};
    struct reader fixed = reader_over(span, IPV4_HEADER_LEN);
    read_be16(&fixed); /* version, header length, type of service */
    ret->total_len = read_be16(&fixed);
    ret->id = read_be16(&fixed);
    unsigned fragment = read_be16(&fixed);
    ret->dont_fragment = fragment & FLAG_DONT_FRAGMENT;
    ret->more_fragments = fragment & FLAG_MORE_FRAGMENTS;
    ret->fragment_offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
    ret->ttl = read_u8(&fixed);
    ret->proto = read_u8(&fixed);
    read_be16(&fixed); /* checksum: the caller has it to verify over all of the header */
    read_bytes(&fixed, ret->src.bytes, 4);
    read_bytes(&fixed, ret->dst.bytes, 4);
    return true;
}

static bool is_extension(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_HOP_BY_HOP:
    case IP_PROTO_ROUTING:
    case IP_PROTO_FRAGMENT:
    case IP_PROTO_AH:
    case IP_PROTO_DEST_OPTIONS:
    case IP_PROTO_MOBILITY:
    case IP_PROTO_HIP:
    case IP_PROTO_SHIM6:
        return true;
    default:
        return false;
    }
}

/* RFC 8200 section 4.5 */
static void read_fragment_header(struct reader *in, struct ip_header *ip)
{
    ip->proto = read_u8(in);
    read_u8(in); /* reserved */
    unsigned offset = read_be16(in);
    ip->fragment_id = read_be32(in);
    ip->fragment_offset = (uint16_t)(offset & ~7u);
    ip->more_fragments = ip->more_fragments || (offset & 1);
    ip->has_fragment_header = true;
}

/* RFC 8200 section 4.2; AH counts in other units (RFC 4302 section 2.2). False when the length cannot be. */
static bool read_extension(struct reader *in, struct ip_header *ip)
{
    if (ip->proto == IP_PROTO_FRAGMENT) {
        read_fragment_header(in, ip);
        return in->ok;
    }
    bool is_ah = ip->proto == IP_PROTO_AH;
    ip->proto = read_u8(in);
    size_t len = read_u8(in);
    if (is_ah && len == 0 && in->ok) /* not even its own fixed fields */
        return false;
    read_span(in, (is_ah ? (len + 2) * 4 : (len + 1) * 8) - 2);
    return in->ok;
}

static bool read_v6(struct reader *in, struct ip_header *ret)
{
    const uint8_t *span = read_span(in, IPV6_HEADER_LEN);
    if (!span)
        return false;
    struct ip_header ip = {.version = 6, .src.family = ADDR_V6, .dst.family = ADDR_V6};
    struct reader fixed = reader_over(span, IPV6_HEADER_LEN);
    read_be32(&fixed); /* version, traffic class, flow label */
    ip.total_len = IPV6_HEADER_LEN + (size_t)read_be16(&fixed);
    ip.proto = read_u8(&fixed);
    ip.ttl = read_u8(&fixed);
    read_bytes(&fixed, ip.src.bytes, 16);
    read_bytes(&fixed, ip.dst.bytes, 16);

    /* Behind the header of a later fragment there is data, not headers; in an empty packet there is neither,
     * whatever next header it names. */
    bool empty = ip.total_len == IPV6_HEADER_LEN;
    for (unsigned i = 0; !empty && is_extension(ip.proto) && ip.fragment_offset == 0; i++) {
        if (i == EXTENSION_HEADERS_MAX || !read_extension(in, &ip))
            return false;
    }
    ip.header_len = (size_t)(in->at - span);
    *ret = ip;
    return true;
}

bool ip_read(struct reader *in, struct ip_header *ret)
{
    struct reader peek = *in;
    uint8_t version = read_u8(&peek) >> 4;
    if (!peek.ok) {
        in->ok = false;
        return false;
    }
    return version == 4 ? read_v4(in, ret) : version == 6 && read_v6(in, ret);
}

static void write_v4(struct writer *out, const struct ip_header *header, size_t payload_len)
{
    assert(payload_len <= UINT16_MAX - IPV4_HEADER_LEN);
    uint8_t *span = write_span(out, IPV4_HEADER_LEN);
    if (!span)
        return;
    struct writer fixed = writer_over(span, IPV4_HEADER_LEN);
    write_u8(&fixed, 4 << 4 | IPV4_HEADER_LEN / 4);
    write_u8(&fixed, 0); /* type of service */
    write_be16(&fixed, (uint16_t)(IPV4_HEADER_LEN + payload_len));
    write_be16(&fixed, header->id);
    write_be16(&fixed, FLAG_DONT_FRAGMENT);
    write_u8(&fixed, header->ttl);
    write_u8(&fixed, header->proto);
    write_be16(&fixed, 0); /* checksum, below */
    write_bytes(&fixed, header->src.bytes, 4);
    write_bytes(&fixed, header->dst.bytes, 4);
    put_be16(span + IPV4_CHECKSUM_AT, checksum_finish(checksum_add(0, span, IPV4_HEADER_LEN)));
}

static void write_v6(struct writer *out, const struct ip_header *header, size_t payload_len)
{
    assert(payload_len <= UINT16_MAX);
    uint8_t *span = write_span(out, IPV6_HEADER_LEN);
    if (!span)
        return;
    struct writer fixed = writer_over(span, IPV6_HEADER_LEN);
    write_be32(&fixed, UINT32_C(6) << 28); /* version, traffic class, flow label */
    write_be16(&fixed, (uint16_t)payload_len);
    write_u8(&fixed, header->proto);
    write_u8(&fixed, header->ttl);
    write_bytes(&fixed, header->src.bytes, 16);
    write_bytes(&fixed, header->dst.bytes, 16);
}

void ip_write(struct writer *out, const struct ip_header *header, size_t payload_len)
{
    assert(header->dst.family != ADDR_NONE && header->src.family == header->dst.family);
    if (header->dst.family == ADDR_V4)
        write_v4(out, header, payload_len);
    else
        write_v6(out, header, payload_len);
}
