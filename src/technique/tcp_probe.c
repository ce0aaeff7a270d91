#include "technique/tcp_probe.h"

#include "technique/returned.h"
#include "technique/unreachable.h"

#define TCP_PROBE_WINDOW 64240

/* MSS 1460, window scale 8, SACK permitted: what common desktop systems offer. Some hosts do not answer a
 * bare SYN. */
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

static uint32_t flags_len(const struct technique *technique)
{
    return (technique->tcp_flags & TCP_SYN ? 1u : 0u) + (technique->tcp_flags & TCP_FIN ? 1u : 0u);
}

static uint32_t data_len(const struct technique *technique)
{
    return technique->data ? (uint32_t)technique->data->len : 0;
}

uint32_t tcp_probe_segment_len(const struct technique *technique)
{
    return flags_len(technique) + data_len(technique);
}

/* What a stack acknowledges that forgets a flag, or the data, must not come first: a number that is a little
 * off seems right, too, but for the time in it. */
static void claim_acknowledged(const struct technique *technique, uint32_t ack, struct answer *answer)
{
    uint32_t flags = flags_len(technique), data = data_len(technique);
    answer->numbers[0] = ack - flags - data;
    answer->numbers[1] = answer->numbers[0] + (flags ? 1 : UINT32_MAX);
    answer->numbers[2] = ack - flags;
    answer->number_count = data ? 3 : 2;
}

void tcp_probe_claim_syn(const struct technique *technique, uint32_t ack, struct answer *answer)
{
    answer->numbers[0] = ack - 1;
    answer->numbers[1] = ack - 1 - data_len(technique);
    answer->number_count = data_len(technique) ? 2 : 1;
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
        claim_acknowledged(technique, tcp->ack, &answer);
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
