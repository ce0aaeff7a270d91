/* Maimon scan (-sM; Uriel Maimon, Phrack 49, 1996): FIN and ACK. RFC 9293 section 3.10.7 wants a RST from
 * open and closed ports alike, but many BSD-derived stacks drop it on open ports. Closed: RST; filtered: ICMP
 * error; open|filtered: silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool maimon_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    return tcp_probe_judge_reset(technique, packet, PORT_CLOSED, ret);
}

const struct technique technique_maimon = {
    .name = "maimon",
    .title = "Maimon scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_OPEN_FILTERED,
    .tcp_flags = TCP_FIN | TCP_ACK,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = maimon_judge,
};
