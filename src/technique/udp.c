/* UDP scan (-sU): a payload of the service that usually lives at the port, else an empty datagram. Open: any
 * datagram; closed: a port unreachable from the target (RFC 1122 section 4.1.3.1, RFC 4443 section 3.1);
 * filtered: any other ICMP error; open|filtered: silence. */
#include "packet/packet.h"
#include "technique/payload.h"
#include "technique/rows.h"
#include "technique/unreachable.h"

static void udp_build(const struct probe *probe, struct writer *out)
{
    uint8_t bytes[PAYLOAD_MAX];
    struct writer body = writer_over(bytes, sizeof bytes);
    const struct probe_data *data = probe->technique->data;
    const struct payload *payload = payload_of_try(probe->port, probe->try_number);
    struct udp_header header = {.source_port = probe->source_port, .port = probe->port};
    if (data) {
        udp_write(out, &probe->src, &probe->dst, &header, data->bytes, data->len);
        return;
    }
    if (payload)
        payload_write(payload, probe->number, &body);
    udp_write(out, &probe->src, &probe->dst, &header, bytes, writer_len(&body));
}

/* Of a quoted probe the first 8 bytes hold no number of ours: the ports alone prove it. */
static bool judge_error(const struct packet *packet, struct answer *ret)
{
    struct answer answer;
    if (!unreachable_judge(packet, &answer))
        return false;
    if (unreachable_is_port(packet))
        answer.verdict.state = PORT_CLOSED;
    answer.number_count = 0;
    *ret = answer;
    return true;
}

static bool udp_judge(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    if (packet->has_quote)
        return judge_error(packet, ret);
    if (packet->layer != LAYER_UDP)
        return false;

    struct answer answer = {
        .verdict = {.state = PORT_OPEN,
                    .reason = REASON_UDP_RESPONSE,
                    .rank = RANK_SERVICE,
                    .ttl = packet->ttl},
    };
    struct payload_proof proof;
    if (!technique->data &&
        payload_recognise_any(packet->udp.source_port, packet->payload, packet->payload_len, &proof) &&
        proof.id != PAYLOAD_ID_NONE) {
        answer.numbers[0] = proof.number;
        answer.number_count = 1;
        answer.upper_half = proof.id == PAYLOAD_ID_HALF;
        answer.port_will_do = true;
    }
    *ret = answer;
    return true;
}

const struct technique technique_udp = {
    .name = "udp",
    .title = "UDP scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_UDP,
    .ip_proto6 = IP_PROTO_UDP,
    .protocol = PROTOCOL_UDP,
    .silent_state = PORT_OPEN_FILTERED,
    .has_ports = true,
    .build = udp_build,
    .judge = udp_judge,
};
