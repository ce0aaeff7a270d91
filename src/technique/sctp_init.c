/* SCTP INIT scan (-sY), and host discovery by the same (-PY): the first of the four messages of an
 * association (RFC 9260 section 5.1). Open: INIT ACK; closed: ABORT; filtered: ICMP error or silence. Our
 * initiate tag is the keyed number: every answer must carry it as its verification tag (section 8.5.1). */
#include "packet/packet.h"
#include "technique/rows.h"
#include "technique/sctp_answer.h"
#include "technique/unreachable.h"

#define INIT_VALUE_LEN   16
#define RECEIVER_WINDOW  UINT32_C(65536)
#define OUTBOUND_STREAMS 10
#define INBOUND_STREAMS  2048
#define INITIATE_TAG_AT                                                                                      \
    (SCTP_HEADER_LEN + INITIATE_TAG_IN_CHUNK) /* bytes from the start of the SCTP packet */
#define INITIATE_TAG_QUOTE (INITIATE_TAG_AT + 4)

/* A tag of 0 is not allowed (section 3.3.2); the number is 0 once in 2^32 probes. */
static uint32_t initiate_tag(uint32_t number)
{
    return number ? number : 1;
}

static void sctp_init_build(const struct probe *probe, struct writer *out)
{
    struct sctp_header header = {
        .source_port = probe->source_port,
        .port = probe->port,
        .chunk_type = SCTP_INIT,
    };
    uint8_t value[INIT_VALUE_LEN];
    struct writer init = writer_over(value, sizeof value);
    write_be32(&init, initiate_tag(probe->number));
    write_be32(&init, RECEIVER_WINDOW);
    write_be16(&init, OUTBOUND_STREAMS);
    write_be16(&init, INBOUND_STREAMS);
    write_be32(&init, probe->number); /* initial TSN: any */
    sctp_write(out, &header, value, sizeof value);
}

/* The first 8 bytes of an INIT hold ports and a verification tag of 0: only a longer quote has our number. */
static bool judge_error(const struct packet *packet, struct answer *ret)
{
    if (!unreachable_judge(packet, ret))
        return false;
    if (packet->quote.len >= INITIATE_TAG_QUOTE)
        ret->numbers[0] = get_be32(packet->quote.bytes + INITIATE_TAG_AT);
    else
        ret->number_count = 0;
    return true;
}

static bool sctp_init_judge(const struct technique *technique, const struct packet *packet,
                            struct answer *ret)
{
    if (packet->has_quote)
        return judge_error(packet, ret);
    return sctp_init_returned(technique, packet, ret) ||
           sctp_answer_judge(packet, SCTP_INIT_ACK, REASON_INIT_ACK, ret);
}

const struct technique technique_sctp_init = {
    .name = "sctpinit",
    .title = "SCTP INIT scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_SCTP,
    .ip_proto6 = IP_PROTO_SCTP,
    .protocol = PROTOCOL_SCTP,
    .silent_state = PORT_FILTERED,
    .has_ports = true,
    .build = sctp_init_build,
    .judge = sctp_init_judge,
};

/* Whatever the port is, a host that says so is up; of errors only those that come from the host itself say
 * that. */
static bool sctp_ping_judge(const struct technique *technique, const struct packet *packet,
                            struct answer *ret)
{
    (void)technique;
    if (packet->has_quote) {
        if ((!unreachable_is_port(packet) && !unreachable_is_protocol(packet)) || !judge_error(packet, ret))
            return false;
    } else if (!sctp_answer_judge(packet, SCTP_INIT_ACK, REASON_INIT_ACK, ret)) {
        return false;
    }
    ret->verdict.state = PORT_OPEN;
    return true;
}

const struct technique technique_ping_sctp = {
    .name = "ping-sctp",
    .title = "SCTP INIT ping",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_SCTP,
    .ip_proto6 = IP_PROTO_SCTP,
    .protocol = PROTOCOL_SCTP,
    .silent_state = PORT_UNKNOWN,
    .has_ports = true,
    .pings = true,
    .build = sctp_init_build,
    .judge = sctp_ping_judge,
};
