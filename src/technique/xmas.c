/* Xmas scan (-sX): FIN, PSH and URG, lit up like a tree. Open ports drop it, closed ones reset (RFC 9293
 * sections 3.10.7.1 and 3.10.7.2). Closed: RST; filtered: ICMP error; open|filtered: silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool xmas_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    return tcp_probe_judge_reset(technique, packet, PORT_CLOSED, ret);
}

const struct technique technique_xmas = {
    .name = "xmas",
    .title = "Xmas scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_OPEN_FILTERED,
    .tcp_flags = TCP_FIN | TCP_PSH | TCP_URG,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = xmas_judge,
};
