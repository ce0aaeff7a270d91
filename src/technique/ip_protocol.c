/* IP protocol scan (-sO): which protocols a host speaks. The protocols whose answers we can ask for get a
 * proper header, all others an empty packet. Open: an answer in the protocol, or a port unreachable from the
 * target; closed: a protocol unreachable from the target (IPv4 3/2; IPv6: parameter problem, unrecognised
 * next header, RFC 8200 section 4); filtered: any other ICMP error; open|filtered: silence. What equals our
 * probe is no answer: it is the probe, come back. */
#include <string.h>

#include "packet/checksum.h"
#include "packet/packet.h"
#include "technique/returned.h"
#include "technique/rows.h"
#include "technique/sctp_answer.h"
#include "technique/tcp_probe.h"
#include "technique/unreachable.h"

#define TCP_PORT  80
#define UDP_PORT  40125 /* no service is known to use it: closed almost everywhere, and so answered */
#define SCTP_PORT 80

#define IGMP_QUERY_LEN 8
#define IGMP_QUERY     0x11

static void build_tcp(const struct probe *probe, struct writer *out)
{
    struct probe ack = *probe;
    const struct technique with_data = technique_with_data(&technique_ack, probe->technique->data);
    ack.technique = &with_data;
    ack.port = TCP_PORT;
    tcp_probe_build(&ack, out);
}

static void build_udp(const struct probe *probe, struct writer *out)
{
    struct udp_header header = {.source_port = probe->source_port, .port = UDP_PORT};
    const struct probe_data *data = probe->technique->data;
    udp_write(out, &probe->src, &probe->dst, &header, data ? data->bytes : NULL, data ? data->len : 0);
}

static void build_sctp(const struct probe *probe, struct writer *out)
{
    struct probe init = *probe;
    init.technique = &technique_sctp_init;
    init.port = SCTP_PORT;
    technique_sctp_init.build(&init, out);
}

static void build_echo(const struct probe *probe, struct writer *out)
{
    struct icmp_header header = {.type = probe->dst.family == ADDR_V4 ? ICMP4_ECHO : ICMP6_ECHO,
                                 .rest = probe->number};
    icmp_write(out, &probe->src, &probe->dst, &header, NULL, 0);
}

/* A membership query (RFC 3376 section 4.1, as version 1: no response time, any group). */
static void build_igmp(struct writer *out)
{
    uint8_t query[IGMP_QUERY_LEN] = {IGMP_QUERY};
    put_be16(query + 2, checksum_finish(checksum_add(0, query, sizeof query)));
    write_bytes(out, query, sizeof query);
}

static void ip_protocol_build(const struct probe *probe, struct writer *out)
{
    bool v4 = probe->dst.family == ADDR_V4;
    switch (probe->port) {
    case IP_PROTO_TCP:
        build_tcp(probe, out);
        break;
    case IP_PROTO_UDP:
        build_udp(probe, out);
        break;
    case IP_PROTO_SCTP:
        build_sctp(probe, out);
        break;
    case IP_PROTO_ICMP:
        if (v4)
            build_echo(probe, out);
        break;
    case IP_PROTO_ICMPV6:
        if (!v4)
            build_echo(probe, out);
        break;
    case IP_PROTO_IGMP:
        if (v4)
            build_igmp(out);
        break;
    default: /* the IP header is all */
        if (probe->technique->data)
            write_bytes(out, probe->technique->data->bytes, probe->technique->data->len);
        break;
    }
}

/* Errors prove themselves by the protocol they quote; where our header has a number in its first bytes, by
 * that too. */
static bool judge_error(const struct packet *packet, struct answer *ret)
{
    struct answer answer;
    if (unreachable_is_protocol(packet)) {
        struct verdict closed = {
            .state = PORT_CLOSED,
            .reason = packet->layer == LAYER_ICMP4 ? REASON_PROTO_UNREACH : REASON_PARAM_PROBLEM,
            .rank = RANK_ICMP_TARGET,
            .ttl = packet->ttl,
        };
        answer = (struct answer){.verdict = closed};
    } else if (!unreachable_judge(packet, &answer)) {
        return false;
    } else if (unreachable_is_port(packet)) {
        answer.verdict.state = PORT_OPEN;
    }
    answer.number_count = 0;
    if (packet->quote.ip_proto == IP_PROTO_TCP) {
        answer.numbers[0] = packet->quote.number;
        answer.number_count = 1;
    }
    *ret = answer;
    return true;
}

/* Probes that carry no number are the same for every host. */
static bool is_our_own(const struct technique *technique, const struct packet *packet)
{
    uint8_t bytes[IGMP_QUERY_LEN];
    struct writer query = writer_over(bytes, sizeof bytes);
    struct probe_data ours = technique->data ? *technique->data : (struct probe_data){bytes, 0};
    if (packet->ip_proto == IP_PROTO_IGMP && packet->src.family == ADDR_V4) {
        build_igmp(&query);
        ours = (struct probe_data){bytes, sizeof bytes};
    }
    return packet->payload_len == ours.len &&
           (ours.len == 0 || memcmp(packet->payload, ours.bytes, ours.len) == 0);
}

static bool judge_returned(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    switch ((enum packet_layer)packet->layer) {
    case LAYER_TCP:
        if (packet->tcp.flags != TCP_ACK)
            return false;
        *ret = returned_answer(technique, packet, packet->tcp.seq);
        return true;
    case LAYER_SCTP:
        return sctp_init_returned(technique, packet, ret);
    case LAYER_ICMP4:
    case LAYER_ICMP6:
        if (packet->icmp.type != ICMP4_ECHO && packet->icmp.type != ICMP6_ECHO)
            return false;
        *ret = returned_answer(technique, packet, packet->icmp.rest);
        return true;
    case LAYER_OTHER:
    case LAYER_UDP:
    case LAYER_ARP:
        break;
    }
    return false;
}

/* Any host's kernel would say this to the probe, our own as well if it comes back: so it outweighs
 * nothing. */
static void prove_by(struct answer *answer, uint32_t number)
{
    answer->verdict.rank = RANK_RESET;
    answer->numbers[0] = number;
    answer->number_count = 1;
}

static bool ip_protocol_judge(const struct technique *technique, const struct packet *packet,
                              struct answer *ret)
{
    if (packet->has_quote)
        return judge_error(packet, ret);

    struct verdict open = {
        .state = PORT_OPEN,
        .reason = REASON_PROTO_RESPONSE,
        .rank = RANK_SERVICE,
        .ttl = packet->ttl,
    };
    struct answer answer = {.verdict = open};
    if (judge_returned(technique, packet, ret))
        return true;
    switch ((enum packet_layer)packet->layer) {
    case LAYER_TCP:
        if (packet->tcp.source_port != TCP_PORT || !(packet->tcp.flags & TCP_RST))
            return false;
        prove_by(&answer, packet->tcp.seq);
        break;
    case LAYER_SCTP:
        if (packet->sctp.source_port != SCTP_PORT)
            return false;
        prove_by(&answer, packet->sctp.verification_tag);
        break;
    case LAYER_UDP:
        if (packet->udp.source_port != UDP_PORT || is_our_own(technique, packet))
            return false;
        break;
    case LAYER_ICMP4:
    case LAYER_ICMP6:
        if (packet->icmp.type == ICMP4_ECHO_REPLY || packet->icmp.type == ICMP6_ECHO_REPLY) {
            answer.verdict.reason = REASON_ECHO_REPLY;
            prove_by(&answer, packet->icmp.rest);
        }
        break;
    case LAYER_OTHER:
        if (is_our_own(technique, packet))
            return false;
        break;
    case LAYER_ARP:
        return false;
    }
    *ret = answer;
    return true;
}

const struct technique technique_ip_protocol = {
    .name = "ipproto",
    .title = "IP protocol scan",
    .kind = REQUEST_PACKET,
    .protocol = PROTOCOL_IP,
    .silent_state = PORT_OPEN_FILTERED,
    .port_is_protocol = true,
    .build = ip_protocol_build,
    .judge = ip_protocol_judge,
};
