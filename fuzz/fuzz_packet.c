/* packet_read_ip: a packet, with and without looking at its checksums. What is taken is built anew with our
 * writers, and must then pass with its checksums. */
#include "packet_checks.h"

#include <string.h>

#define REBUILT_MAX 2048

/* The upper layer of a packet as our writers make it. False where they make no such thing. */
static bool write_upper_layer(const struct packet *packet, struct writer *out)
{
    const struct addr *src = &packet->src, *dst = &packet->dst;
    const uint8_t *payload = packet->payload;
    size_t len = packet->payload_len;
    struct tcp_build build = {.payload = payload, .payload_len = len};
    switch ((enum packet_layer)packet->layer) {
    case LAYER_TCP:
        build.header = packet->tcp;
        if (build.header.options_len % 4 == 0)
            tcp_write(out, src, dst, &build);
        return build.header.options_len % 4 == 0;
    case LAYER_UDP:
        udp_write(out, src, dst, &packet->udp, payload, len);
        return true;
    case LAYER_SCTP:
        if (!packet->sctp.has_chunk)
            return false;
        sctp_write(out, &packet->sctp, payload + 4, len - 4);
        return true;
    case LAYER_ICMP4:
    case LAYER_ICMP6:
        icmp_write(out, src, dst, &packet->icmp, payload, len);
        return true;
    case LAYER_OTHER:
    case LAYER_ARP:
        break;
    }
    return false;
}

static void check_rebuilt(const struct packet *packet)
{
    uint8_t body[REBUILT_MAX], bytes[REBUILT_MAX + IPV6_HEADER_LEN];
    struct writer upper = writer_over(body, sizeof body);
    if (!write_upper_layer(packet, &upper) || !upper.ok)
        return;
    struct ip_header ip = {
        .src = packet->src, .dst = packet->dst, .proto = packet->ip_proto, .ttl = packet->ttl};
    struct writer out = writer_over(bytes, sizeof bytes);
    ip_write(&out, &ip, writer_len(&upper));
    write_bytes(&out, body, writer_len(&upper));
    assert(out.ok);

    struct packet again;
    enum packet_fault fault = packet_read_ip(bytes, writer_len(&out), (struct packet_reading){true}, &again);
    assert(fault == PACKET_OK && again.layer == packet->layer && again.ttl == packet->ttl);
    check_packet(&again, bytes, writer_len(&out));
    assert(addr_equal(&again.src, &packet->src) && addr_equal(&again.dst, &packet->dst));
    assert(again.has_quote == packet->has_quote);
    if (packet->has_quote) {
        assert(again.quote.number == packet->quote.number && again.quote.len == packet->quote.len);
        assert(addr_equal(&again.quote.src, &packet->quote.src) && again.quote.port == packet->quote.port);
    }
    assert(again.payload_len >= packet->payload_len); /* more with the padding of SCTP */
    assert(packet->layer == LAYER_SCTP || memcmp(again.payload, packet->payload, packet->payload_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet packet;
    enum packet_fault verified = packet_read_ip(data, size, (struct packet_reading){true}, &packet);
    enum packet_fault trusted = packet_read_ip(data, size, (struct packet_reading){false}, &packet);
    check_verified(verified, trusted);
    if (trusted != PACKET_OK)
        return 0;
    check_packet(&packet, data, size);
    check_rebuilt(&packet);
    return 0;
}
