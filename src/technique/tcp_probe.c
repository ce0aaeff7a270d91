#include "technique/tcp_probe.h"

#include "technique/returned.h"
#include "technique/unreachable.h"

#define TCP_PROBE_WINDOW 64240

/* MSS 1460, window scale 8, SACK permitted: what common desktop systems offer. Some hosts do not answer a bare SYN. */
static const uint8_t syn_options[] = {2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};

void tcp_probe_build(const struct probe *probe, struct writer *out)
{
    uint8_t flags = probe->technique->tcp_flags;
    struct tcp_build build = {
        .header =
            {
                .source_port = probe->source_port,
                .port = probe->port,
                .seq = probe->number,
                .ack = flags & TCP_ACK ? probe->number : 0,
                .flags = flags,
                .window = TCP_PROBE_WINDOW,
            },
    };
    if (flags & TCP_SYN) {
        build.header.options = syn_options;
        build.header.options_len = sizeof syn_options;
    }
    const struct probe_data *data = probe->technique->data;
    if (data) {
        build.payload = data->bytes;
        build.payload_len = data->len;
    }
    tcp_write(out, &probe->src, &probe->dst, &build);
}

/* In sequence numbers: SYN and FIN take one each (RFC 9293 section 3.4). What a stack that forgets one of them acknowledges must
 * come second: a number that is one off seems right, too, but for the time in it. */
static uint32_t segment_len(uint8_t flags)
{
    return (flags & TCP_SYN ? 1u : 0u) + (flags & TCP_FIN ? 1u : 0u);
}

bool tcp_probe_reset(const struct technique *technique, const struct packet *packet, enum port_state state,
                     struct answer *ret)
{
    const struct tcp_header *tcp = &packet->tcp;
    if (packet->layer != LAYER_TCP || !(tcp->flags & TCP_RST))
        return false;
    struct answer answer = {
        .verdict = {.state = (uint8_t)state, .reason = REASON_RESET, .rank = RANK_RESET, .ttl = packet->ttl},
    };
    if (technique->tcp_flags & TCP_ACK) {
        answer.numbers[0] = tcp->seq;
        answer.number_count = 1;
    } else {
        if (!(tcp->flags & TCP_ACK))
            return false;
        uint32_t len = segment_len(technique->tcp_flags);
        answer.numbers[0] = tcp->ack - len;
        answer.numbers[1] = len ? answer.numbers[0] + 1 : tcp->ack - 1;
        answer.number_count = 2;
    }
    *ret = answer;
    return true;
}

bool tcp_probe_returned(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    if (packet->layer != LAYER_TCP || packet->tcp.flags != technique->tcp_flags)
        return false;
    *ret = returned_answer(technique, packet, packet->tcp.seq);
    return true;
}

bool tcp_probe_judge_reset(const struct technique *technique, const struct packet *packet,
                           enum port_state state, struct answer *ret)
{
    if (packet->has_quote)
        return unreachable_judge(packet, ret);
    return tcp_probe_returned(technique, packet, ret) || tcp_probe_reset(technique, packet, state, ret);
}

struct technique tcp_probe_with_flags(const struct technique *base, uint8_t tcp_flags)
{
    struct technique technique = *base;
    technique.tcp_flags = tcp_flags;
    return technique;
}
