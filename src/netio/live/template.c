#include "netio/live/template.h"

#include <string.h>

#include "base/bytes.h"
#include "netio/live/frame.h"
#include "netio/probe_packet.h"
#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/tcp.h"
#include "technique/tcp_probe.h"

/* RFC 791 section 3.1, RFC 8200 section 3, RFC 9293 section 3.1 */
#define IPV4_ID_AT       4
#define IPV4_CHECKSUM_AT 10
#define IPV4_DST_AT      16
#define IPV6_DST_AT      24
#define TCP_PORT_AT      2
#define TCP_SEQ_AT       4
#define TCP_ACK_AT       8
#define TCP_CHECKSUM_AT  16

static size_t ip_header_len(const struct template *template)
{
    return template->source.family == ADDR_V4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
}

static void sum_up(struct template *template)
{
    uint8_t *ip = template->frame + ETHERNET_HEADER_LEN;
    uint8_t *tcp = ip + ip_header_len(template);
    size_t tcp_len = (size_t)(template->frame + template->len - tcp);
    put_be16(tcp + TCP_CHECKSUM_AT, 0);
    template->tcp_sum =
        checksum_add(IP_PROTO_TCP + (uint32_t)tcp_len, template->source.bytes, addr_len(&template->source));
    template->tcp_sum = checksum_add(template->tcp_sum, tcp, tcp_len);
    if (template->source.family != ADDR_V4)
        return;
    put_be16(ip + IPV4_ID_AT, 0);
    put_be16(ip + IPV4_CHECKSUM_AT, 0);
    template->ip_sum = checksum_add(0, ip, IPV4_HEADER_LEN);
}

bool template_make(const struct technique *technique, const struct addr *source, const struct link *link,
                   uint8_t ttl, struct template *ret)
{
    if (technique->build != tcp_probe_build)
        return false;
    struct template template = {.technique = technique,
                                .link = link,
                                .source = *source,
                                .acknowledges = technique->tcp_flags & TCP_ACK};
    const struct probe probe = {.technique = technique, .src = *source, .dst = {.family = source->family}};
    static const uint8_t no_mac[6] = {0};
    struct batch_slot slot;
    if (!frame_write_probe(&slot, link, no_mac, &probe, ttl) || slot.len > sizeof template.frame)
        return false;
    memcpy(template.frame, slot.data, slot.len);
    template.len = (uint16_t)slot.len;
    sum_up(&template);
    *ret = template;
    return true;
}

static uint32_t sum32(uint32_t value)
{
    return (value >> 16) + (value & UINT16_MAX);
}

/* The sums of a few 16-bit values more cannot overflow: checksum_add leaves at most 2^32 - 1 folded once. */
static uint16_t finish(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    return checksum_finish((uint32_t)sum);
}

static uint64_t write_ip(const struct template *template, const struct template_fields *fields, uint8_t *ip)
{
    if (template->source.family == ADDR_V6) {
        memcpy(ip + IPV6_DST_AT, fields->dst, 16);
        return checksum_add(0, fields->dst, 16);
    }
    uint16_t id = frame_ip_id(fields->number);
    uint64_t dst_sum = sum32(get_be32(fields->dst));
    memcpy(ip + IPV4_DST_AT, fields->dst, 4);
    put_be16(ip + IPV4_ID_AT, id);
    put_be16(ip + IPV4_CHECKSUM_AT, finish(template->ip_sum + dst_sum + id));
    return dst_sum;
}

void template_write(const struct template *template, const struct template_fields *fields,
                    uint8_t ret_frame[static TEMPLATE_LEN_MAX])
{
    memcpy(ret_frame, template->frame, template->len);
    memcpy(ret_frame, fields->mac, 6);
    uint8_t *ip = ret_frame + ETHERNET_HEADER_LEN;
    uint8_t *tcp = ip + ip_header_len(template);
    uint64_t sum = template->tcp_sum + write_ip(template, fields, ip);
    sum += (uint64_t)fields->source_port + fields->port;
    sum += (uint64_t)sum32(fields->number) * (template->acknowledges ? 2 : 1);
    put_be16(tcp, fields->source_port);
    put_be16(tcp + TCP_PORT_AT, fields->port);
    put_be32(tcp + TCP_SEQ_AT, fields->number);
    if (template->acknowledges)
        put_be32(tcp + TCP_ACK_AT, fields->number);
    put_be16(tcp + TCP_CHECKSUM_AT, finish(sum));
}
