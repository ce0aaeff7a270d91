/* ACK scan (-sA): an ACK out of the blue. Open and closed ports both reset it (RFC 9293 section 3.10.7), so a
 * RST says only that the port is not filtered. Unfiltered: RST; filtered: ICMP error or silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool ack_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    return tcp_probe_judge_reset(technique, packet, PORT_UNFILTERED, ret);
}

const struct technique technique_ack = {
    .name = "ack",
    .title = "ACK scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_FILTERED,
    .tcp_flags = TCP_ACK,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = ack_judge,
};
