#include "engine/answer/flow.h"

struct flow flow_of(const struct packet *packet)
{
    if (packet->has_quote)
        return (struct flow){.host = packet->quote.dst,
                             .ip_proto = packet->quote.ip_proto,
                             .port = packet->quote.port,
                             .source_port = packet->quote.source_port,
                             .local = packet->quote.src};

    struct flow flow = {.host = packet->src, .ip_proto = packet->ip_proto, .local = packet->dst};
    switch ((enum packet_layer)packet->layer) {
    case LAYER_TCP:
        flow.port = packet->tcp.source_port;
        flow.source_port = packet->tcp.port;
        break;
    case LAYER_UDP:
        flow.port = packet->udp.source_port;
        flow.source_port = packet->udp.port;
        break;
    case LAYER_SCTP:
        flow.port = packet->sctp.source_port;
        flow.source_port = packet->sctp.port;
        break;
    case LAYER_ARP:
        flow.host = packet->arp.sender;
        break;
    case LAYER_ICMP6:
        if (packet->icmp.is_neighbor)
            flow.host = packet->icmp.neighbor_target;
        break;
    case LAYER_ICMP4:
    case LAYER_OTHER:
        break;
    }
    return flow;
}

bool flow_is_within_us(const struct flow *flow)
{
    return addr_equal(&flow->host, &flow->local);
}
