#include "technique/returned.h"

struct verdict returned_verdict(const struct technique *technique, const struct packet *packet)
{
    return (struct verdict){
        .state = technique->silent_state,
        .reason = REASON_PROBE_RETURNED,
        .rank = RANK_RESET,
        .ttl = packet->ttl,
    };
}

struct answer returned_answer(const struct technique *technique, const struct packet *packet, uint32_t number)
{
    return (struct answer){
        .verdict = returned_verdict(technique, packet),
        .numbers = {number},
        .number_count = 1,
    };
}
