#include "technique/sctp_answer.h"

#include "technique/returned.h"

bool sctp_init_returned(const struct technique *technique, const struct packet *packet, struct answer *ret)
{
    if (packet->layer != LAYER_SCTP || !packet->sctp.has_chunk || packet->sctp.chunk_type != SCTP_INIT ||
        packet->payload_len < INITIATE_TAG_IN_CHUNK + 4)
        return false;
    *ret = returned_answer(technique, packet, get_be32(packet->payload + INITIATE_TAG_IN_CHUNK));
    return true;
}

bool sctp_answer_judge(const struct packet *packet, enum sctp_chunk open_chunk, enum reason open_reason,
                       struct answer *ret)
{
    if (packet->layer != LAYER_SCTP || !packet->sctp.has_chunk)
        return false;

    struct verdict verdict = {.ttl = packet->ttl};
    if (packet->sctp.chunk_type == open_chunk) {
        verdict.state = PORT_OPEN;
        verdict.reason = (uint8_t)open_reason;
        verdict.rank = RANK_SERVICE;
    } else if (packet->sctp.chunk_type == SCTP_ABORT) {
        verdict.state = PORT_CLOSED;
        verdict.reason = REASON_ABORT;
        verdict.rank = RANK_RESET;
    } else {
        return false;
    }
    *ret = (struct answer){.verdict = verdict, .numbers = {packet->sctp.verification_tag}, .number_count = 1};
    return true;
}
