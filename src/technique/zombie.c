/* What an idle scan sends: SYNs in the zombie's name to the target, and SYN/ACKs to the zombie, whose resets
 * carry its IP ID (RFC 9293 section 3.10.7: an unexpected SYN/ACK is reset, the reset's sequence number is
 * our acknowledgement number). Over IPv6 a zombie is first told that its path takes less than 1280 bytes,
 * whereupon older stacks put a fragment header, and so an ID, on each of their packets (RFC 2460 section 5;
 * RFC 8021 ended that). */
#include <string.h>

#include "packet/icmp.h"
#include "packet/ip.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

#define IPV6_LEAST_MTU   1280 /* RFC 8200 section 5 */
#define CLAIMED_MTU      1270
#define ECHO_PAYLOAD_LEN (IPV6_LEAST_MTU - IPV6_HEADER_LEN - ICMP_HEADER_LEN)
#define QUOTE_LEN        (IPV6_LEAST_MTU - IPV6_HEADER_LEN - ICMP_HEADER_LEN)

/* Nothing that comes back to us says anything of a port: the engine reads the zombie's ID instead. */
static bool nothing_to_judge(const struct technique *technique, const struct packet *packet,
                             struct answer *ret)
{
    (void)technique;
    (void)packet;
    (void)ret;
    return false;
}

static void echo_build(const struct probe *probe, struct writer *out)
{
    static const uint8_t payload[ECHO_PAYLOAD_LEN];
    struct icmp_header header = {.type = ICMP6_ECHO, .rest = probe->number};
    icmp_write(out, &probe->src, &probe->dst, &header, payload, sizeof payload);
}

/* Quotes the zombie's reply to the echo request above, as its next hop towards probe->src would. */
static void too_big_build(const struct probe *probe, struct writer *out)
{
    static const uint8_t payload[ECHO_PAYLOAD_LEN];
    uint8_t reply[IPV6_LEAST_MTU];
    struct writer quoted = writer_over(reply, sizeof reply);
    struct ip_header ip = {.src = probe->dst, .dst = probe->src, .proto = IP_PROTO_ICMPV6, .ttl = 64};
    struct icmp_header echo_reply = {.type = ICMP6_ECHO_REPLY, .rest = probe->number};
    ip_write(&quoted, &ip, ICMP_HEADER_LEN + sizeof payload);
    icmp_write(&quoted, &ip.src, &ip.dst, &echo_reply, payload, sizeof payload);
    struct icmp_header header = {.type = ICMP6_PACKET_TOO_BIG, .rest = CLAIMED_MTU};
    icmp_write(out, &probe->src, &probe->dst, &header, reply, QUOTE_LEN);
}

const struct technique technique_idle = {
    .name = "idle",
    .title = "idle scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_CLOSED_FILTERED,
    .tcp_flags = TCP_SYN,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = nothing_to_judge,
};

const struct technique technique_zombie_id = {
    .name = "zombie-id",
    .title = "question for the zombie's ID",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .tcp_flags = TCP_SYN | TCP_ACK,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = nothing_to_judge,
};

const struct technique technique_zombie_echo = {
    .name = "zombie-echo",
    .title = "long echo request to the zombie",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_NEVER,
    .ip_proto6 = IP_PROTO_ICMPV6,
    .protocol = PROTOCOL_IP,
    .build = echo_build,
    .judge = nothing_to_judge,
};

const struct technique technique_zombie_too_big = {
    .name = "zombie-too-big",
    .title = "Packet Too Big to the zombie",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_NEVER,
    .ip_proto6 = IP_PROTO_ICMPV6,
    .protocol = PROTOCOL_IP,
    .build = too_big_build,
    .judge = nothing_to_judge,
};
