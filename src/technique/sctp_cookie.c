/* SCTP COOKIE ECHO scan (-sZ): the third message of an association that nobody began. An open port drops a
 * cookie it did not make (RFC 9260 section 5.1.5), or says that it is stale; a closed one aborts (section
 * 8.4). Open: ERROR; closed: ABORT; filtered: ICMP error; open|filtered: silence. Answers carry our
 * verification tag, reflected or not. */
#include "packet/packet.h"
#include "technique/returned.h"
#include "technique/rows.h"
#include "technique/sctp_answer.h"
#include "technique/unreachable.h"

#define COOKIE_LEN 4

static void sctp_cookie_build(const struct probe *probe, struct writer *out)
{
    struct sctp_header header = {
        .source_port = probe->source_port,
        .port = probe->port,
        .verification_tag = probe->number,
        .chunk_type = SCTP_COOKIE_ECHO,
    };
    uint8_t cookie[COOKIE_LEN];
    put_be32(cookie, probe->number);
    sctp_write(out, &header, cookie, sizeof cookie);
}

static bool sctp_cookie_judge(const struct technique *technique, const struct packet *packet,
                              struct answer *ret)
{
    if (packet->has_quote)
        return unreachable_judge(packet, ret);
    if (packet->layer == LAYER_SCTP && packet->sctp.has_chunk &&
        packet->sctp.chunk_type == SCTP_COOKIE_ECHO) {
        *ret = returned_answer(technique, packet, packet->sctp.verification_tag);
        return true;
    }
    return sctp_answer_judge(packet, SCTP_ERROR, REASON_ERROR_CHUNK, ret);
}

const struct technique technique_sctp_cookie = {
    .name = "sctpcookieecho",
    .title = "SCTP COOKIE ECHO scan",
    .kind = REQUEST_PACKET,
    .ip_proto = IP_PROTO_SCTP,
    .ip_proto6 = IP_PROTO_SCTP,
    .protocol = PROTOCOL_SCTP,
    .silent_state = PORT_OPEN_FILTERED,
    .has_ports = true,
    .build = sctp_cookie_build,
    .judge = sctp_cookie_judge,
};
