#include "packet/icmp.h"

#include <string.h>

#include "packet/checksum.h"
#include "packet/ip.h"

#define ICMP_CHECKSUM_AT 2

/* RFC 4861 section 4.6.1: link-layer address options, in units of eight bytes */
enum nd_option { ND_SOURCE_LINK_LAYER = 1, ND_TARGET_LINK_LAYER = 2 };

/* One option off the front. False when truncated or of length 0, for which RFC 4861 section 7.1.2 wants the
 * whole message dropped. */
static bool read_nd_option(struct reader *in, struct icmp_header *icmp)
{
    uint8_t type = read_u8(in);
    size_t len = read_u8(in) * 8u;
    if (len == 0)
        return false;
    const uint8_t *value = read_span(in, len - 2);
    if (!value)
        return false;
    if (type == ND_TARGET_LINK_LAYER && len == 8) {
        memcpy(icmp->neighbor_mac, value, sizeof icmp->neighbor_mac);
        icmp->has_neighbor_mac = true;
    }
    return true;
}

static bool read_neighbor_advertisement(struct reader *in, struct icmp_header *icmp)
{
    icmp->is_neighbor = true;
    icmp->neighbor_target.family = ADDR_V6;
    read_bytes(in, icmp->neighbor_target.bytes, 16);
    while (in->ok && reader_left(in) > 0) {
        if (!read_nd_option(in, icmp))
            return false;
    }
    return in->ok && icmp->code == 0;
}

bool icmp_read(struct reader *in, uint8_t version, struct icmp_header *ret)
{
    struct icmp_header icmp = {0};
    icmp.type = read_u8(in);
    icmp.code = read_u8(in);
    read_be16(in); /* checksum: verified over the whole message by whoever has its length */
    icmp.rest = read_be32(in);
    icmp.id = (uint16_t)(icmp.rest >> 16);
    icmp.seq = (uint16_t)icmp.rest;
    if (!in->ok)
        return false;

    if (version == 6 && icmp.type == ICMP6_NEIGHBOR_ADVERTISEMENT) {
        struct reader body = *in;
        bool valid = read_neighbor_advertisement(&body, &icmp);
        in->ok = body.ok;
        if (!valid)
            return false;
    }
    *ret = icmp;
    return true;
}

bool icmp_is_error(uint8_t version, uint8_t type)
{
    if (version == 6)
        return type < 128; /* RFC 4443 section 2.1 */
    switch (type) {
    case ICMP4_UNREACHABLE:
    case ICMP4_SOURCE_QUENCH:
    case ICMP4_REDIRECT:
    case ICMP4_TIME_EXCEEDED:
    case ICMP4_PARAM_PROBLEM:
        return true;
    default:
        return false;
    }
}

/* Fill in the checksum of the message that begins at `start`. Only ICMPv6 has a pseudo-header. */
static void write_checksum(const struct writer *out, uint8_t *start, const struct addr *src,
                           const struct addr *dst)
{
    if (!out->ok)
        return;
    size_t len = (size_t)(out->at - start);
    uint16_t checksum = dst->family == ADDR_V6 ? checksum_transport(src, dst, IP_PROTO_ICMPV6, start, len)
                                               : checksum_finish(checksum_add(0, start, len));
    put_be16(start + ICMP_CHECKSUM_AT, checksum);
}

void icmp_write(struct writer *out, const struct addr *src, const struct addr *dst,
                const struct icmp_header *header, const uint8_t *payload, size_t payload_len)
{
    uint8_t *start = out->at;
    write_u8(out, header->type);
    write_u8(out, header->code);
    write_be16(out, 0); /* checksum, below */
    write_be32(out, header->rest);
    write_bytes(out, payload, payload_len);
    write_checksum(out, start, src, dst);
}

void icmp_write_neighbor_solicitation(struct writer *out, const struct addr *src, const struct addr *dst,
                                      const struct addr *target, const uint8_t mac[static 6])
{
    uint8_t *start = out->at;
    write_u8(out, ICMP6_NEIGHBOR_SOLICITATION);
    write_u8(out, 0);
    write_be16(out, 0); /* checksum, below */
    write_be32(out, 0); /* reserved */
    write_bytes(out, target->bytes, 16);
    write_u8(out, ND_SOURCE_LINK_LAYER);
    write_u8(out, 1);
    write_bytes(out, mac, 6);
    write_checksum(out, start, src, dst);
}

struct addr icmp_solicited_node(const struct addr *target)
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

    uint8_t group[16];
    memcpy(group, prefix, sizeof prefix);
    memcpy(group + sizeof prefix, target->bytes + sizeof prefix, sizeof group - sizeof prefix);
    return addr_v6(group, target->scope);
}
