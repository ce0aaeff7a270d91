/* NULL scan (-sN): a segment without flags. RFC 9293 section 3.10.7.4: an open port drops it, section
 * 3.10.7.1: a closed one resets. Closed: RST; filtered: ICMP error; open|filtered: silence. Stacks that reset
 * open ports too (Windows, many routers) show every port closed. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool null_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    return tcp_probe_judge_reset(technique, packet, PORT_CLOSED, ret);
}

const struct technique technique_null = {
    .name = "null",
    .title = "NULL scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_OPEN_FILTERED,
    .tcp_flags = 0,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = null_judge,
};
