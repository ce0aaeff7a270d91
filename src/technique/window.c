/* Window scan (-sW): an ACK scan that reads the window of the RST. Some stacks put a window above 0 into a
 * RST from an open port and 0 into one from a closed port. Open: RST with a window; closed: RST without;
 * filtered: ICMP error or silence. */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

static bool window_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    bool has_window = packet->layer == LAYER_TCP && packet->tcp.window > 0;
    return tcp_probe_judge_reset(technique, packet, has_window ? PORT_OPEN : PORT_CLOSED, ret);
}

const struct technique technique_window = {
    .name = "window",
    .title = "window scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_FILTERED,
    .tcp_flags = TCP_ACK,
    .has_ports = true,
    .build = tcp_probe_build,
    .judge = window_judge,
};
