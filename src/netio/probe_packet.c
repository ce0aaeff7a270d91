#include "netio/probe_packet.h"

#include "base/bytes.h"
#include "packet/ip.h"

size_t probe_packet_write(const struct probe *probe, uint8_t ttl, uint16_t ip_id, uint8_t *data,
                          size_t capacity)
{
    const struct technique *technique = probe->technique;
    bool v4 = probe->dst.family == ADDR_V4;
    size_t header_len = v4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    if (capacity < header_len)
        return 0;

    struct writer body = writer_over(data + header_len, capacity - header_len);
    technique->build(probe, &body);
    struct writer head = writer_over(data, header_len);
    struct ip_header header = {
        .src = probe->src,
        .dst = probe->dst,
        .proto = technique_ip_proto(technique, &probe->dst, probe->port),
        .ttl = ttl,
        .id = ip_id,
    };
    ip_write(&head, &header, writer_len(&body));
    return body.ok && head.ok ? header_len + writer_len(&body) : 0;
}
