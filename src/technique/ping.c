/* Host discovery: a row each for what may show that a host is up. PORT_OPEN means "up"; whatever does not
 * show it says nothing. ICMP echo (RFC 792, RFC 4443 section 4.1), ICMP timestamp (RFC 792), TCP SYN and ACK
 * (-PS, -PA), UDP (-PU), ARP and neighbour solicitation on link (-PR). */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"
#include "technique/unreachable.h"

/* A port or protocol unreachable comes from the host itself: it is up. Other errors say nothing of the
 * host. */
static bool judge_error(const struct packet *packet, struct answer *ret)
{
    struct answer answer;
    if (!unreachable_is_port(packet) && !unreachable_is_protocol(packet))
        return false;
    if (!unreachable_judge(packet, &answer))
        return false;
    answer.verdict.state = PORT_OPEN;
    *ret = answer;
    return true;
}

static struct answer host_is_up(enum reason reason, const struct packet *packet)
{
    return (struct answer){
        .verdict = {.state = PORT_OPEN, .reason = (uint8_t)reason, .rank = RANK_SERVICE, .ttl = packet->ttl},
    };
}

/* The keyed number is the id and the sequence number together. */
static struct answer proved_by_id(enum reason reason, const struct packet *packet)
{
    struct answer answer = host_is_up(reason, packet);
    answer.numbers[0] = packet->icmp.rest;
    answer.number_count = 1;
    return answer;
}

static void echo_build(const struct probe *probe, struct writer *out)
{
    struct icmp_header header = {
        .type = probe->dst.family == ADDR_V4 ? ICMP4_ECHO : ICMP6_ECHO,
        .rest = probe->number,
    };
    icmp_write(out, &probe->src, &probe->dst, &header, NULL, 0);
}

static bool echo_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    (void)technique;
    if (packet->has_quote)
        return judge_error(packet, ret);
    bool reply = (packet->layer == LAYER_ICMP4 && packet->icmp.type == ICMP4_ECHO_REPLY) ||
                 (packet->layer == LAYER_ICMP6 && packet->icmp.type == ICMP6_ECHO_REPLY);
    if (!reply || packet->icmp.code != 0)
        return false;
    *ret = proved_by_id(REASON_ECHO_REPLY, packet);
    return true;
}

const struct technique technique_ping_echo = {
    .name = "echo",
    .title = "ICMP echo",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_ICMP,
    .ip_proto6 = IP_PROTO_ICMPV6,
    .protocol = PROTOCOL_IP,
    .silent_state = PORT_UNKNOWN,
    .pings = true,
    .build = echo_build,
    .judge = echo_judge,
};

static void timestamp_build(const struct probe *probe, struct writer *out)
{
    const uint8_t times[12] = {0};
    struct icmp_header header = {.type = ICMP4_TIMESTAMP, .rest = probe->number};
    icmp_write(out, &probe->src, &probe->dst, &header, times, sizeof times);
}

static bool timestamp_judge(const struct technique *technique, const struct packet *packet,
                            struct answer *ret)
{
    (void)technique;
    if (packet->has_quote)
        return judge_error(packet, ret);
    if (packet->layer != LAYER_ICMP4 || packet->icmp.type != ICMP4_TIMESTAMP_REPLY || packet->icmp.code != 0)
        return false;
    *ret = proved_by_id(REASON_TIMESTAMP_REPLY, packet);
    return true;
}

/* IPv4 only: ip_proto6 of 0xff (reserved, RFC 8126) says that it is never asked over IPv6. */
const struct technique technique_ping_timestamp = {
    .name = "timestamp",
    .title = "ICMP timestamp",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_ICMP,
    .ip_proto6 = IP_PROTO_NEVER,
    .protocol = PROTOCOL_IP,
    .silent_state = PORT_UNKNOWN,
    .pings = true,
    .build = timestamp_build,
    .judge = timestamp_judge,
};

static bool tcp_ping_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    if (packet->has_quote)
        return judge_error(packet, ret);
    if (packet->layer != LAYER_TCP)
        return false;
    if (packet->tcp.flags & TCP_RST)
        return tcp_probe_reset(technique, packet, PORT_OPEN, ret);
    if (!(technique->tcp_flags & TCP_SYN) || (packet->tcp.flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
        return false;
    *ret = host_is_up(REASON_SYN_ACK, packet);
    tcp_probe_claim_syn(technique, packet->tcp.ack, ret);
    return true;
}

const struct technique technique_ping_syn = {
    .name = "ping-syn",
    .title = "TCP SYN ping",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_UNKNOWN,
    .tcp_flags = TCP_SYN,
    .has_ports = true,
    .pings = true,
    .build = tcp_probe_build,
    .judge = tcp_ping_judge,
};

const struct technique technique_ping_ack = {
    .name = "ping-ack",
    .title = "TCP ACK ping",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_UNKNOWN,
    .tcp_flags = TCP_ACK,
    .has_ports = true,
    .pings = true,
    .build = tcp_probe_build,
    .judge = tcp_ping_judge,
};

static void udp_ping_build(const struct probe *probe, struct writer *out)
{
    struct udp_header header = {.source_port = probe->source_port, .port = probe->port};
    udp_write(out, &probe->src, &probe->dst, &header, NULL, 0);
}

/* Nothing but the port comes back from a UDP port, and of an error the first 8 bytes hold no number of
 * ours. */
static bool udp_ping_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    (void)technique;
    if (packet->has_quote) {
        if (!judge_error(packet, ret))
            return false;
        ret->number_count = 0;
        return true;
    }
    if (packet->layer != LAYER_UDP)
        return false;
    *ret = host_is_up(REASON_UDP_RESPONSE, packet);
    return true;
}

const struct technique technique_ping_udp = {
    .name = "ping-udp",
    .title = "UDP ping",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_UDP,
    .ip_proto6 = IP_PROTO_UDP,
    .protocol = PROTOCOL_UDP,
    .silent_state = PORT_UNKNOWN,
    .has_ports = true,
    .pings = true,
    .build = udp_ping_build,
    .judge = udp_ping_judge,
};

/* An answer to our own question: who sent it is proof enough on a link, where anybody could claim any address
 * anyway. */
static bool neighbor_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    (void)technique;
    if (packet->layer == LAYER_ARP && packet->arp.operation == ARP_REPLY)
        *ret = host_is_up(REASON_ARP_RESPONSE, packet);
    else if (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor)
        *ret = host_is_up(REASON_ND_RESPONSE, packet);
    else
        return false;
    ret->verdict.ttl = 0;
    return true;
}

const struct technique technique_neighbor = {
    .name = "neighbor",
    .title = "ARP and ND",
    .kind = REQUEST_NEIGHBOR,
    .protocol = PROTOCOL_IP,
    .silent_state = PORT_UNKNOWN,
    .pings = true,
    .judge = neighbor_judge,
};
