/* SYN scan (-sS): the first half of a handshake (RFC 9293 section 3.5). Open: SYN/ACK, or a bare SYN
 * (simultaneous open, split handshake); closed: RST; filtered: ICMP error or silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"
#include "technique/unreachable.h"

static bool syn_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    if (packet->has_quote)
        return unreachable_judge(packet, ret);
    if (packet->layer != LAYER_TCP)
        return false;
    if (packet->tcp.flags != TCP_SYN && tcp_probe_returned(technique, packet, ret))
        return true;
    if (packet->tcp.flags & TCP_RST)
        return tcp_probe_reset(technique, packet, PORT_CLOSED, ret);

    struct verdict open = {
        .state = PORT_OPEN, .reason = REASON_SYN_ACK, .rank = RANK_SERVICE, .ttl = packet->ttl};
    switch (packet->tcp.flags & (TCP_SYN | TCP_ACK)) {
    case TCP_SYN | TCP_ACK:
        *ret = (struct answer){.verdict = open};
        tcp_probe_claim_syn(technique, packet->tcp.ack, ret);
        return true;
    case TCP_SYN:
        open.reason = REASON_SPLIT_HANDSHAKE_SYN;
        *ret = (struct answer){.verdict = open, .has_theirs = true, .theirs = packet->tcp.seq};
        return true;
    default:
        return false;
    }
}

const struct technique technique_syn = {
    .name = "syn",
    .title = "SYN scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_FILTERED,
    .tcp_flags = TCP_SYN,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = syn_judge,
};
