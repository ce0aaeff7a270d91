/* FIN scan (-sF): a FIN to a connection that is not there. An open port drops it (RFC 9293 section 3.10.7.2,
 * LISTEN), a closed one resets (section 3.10.7.1). Closed: RST; filtered: ICMP error; open|filtered:
 * silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool fin_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    return tcp_probe_judge_reset(technique, packet, PORT_CLOSED, ret);
}

const struct technique technique_fin = {
    .name = "fin",
    .title = "FIN scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_OPEN_FILTERED,
    .tcp_flags = TCP_FIN,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = fin_judge,
};
