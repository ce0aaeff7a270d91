/* RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 sections 3.1 to 3.4, RFC 7610 (code 6), RFC 8883 (codes
 * above). */
#include "technique/unreachable.h"

#define ANY_CODE 0xff

struct row {
    uint8_t version, type, code;
    uint8_t reason;
    bool soft; /* may pass: tried once more before it is final */
};

static const struct row rows[] = {
    {4, ICMP4_UNREACHABLE, 0, REASON_NET_UNREACH, true},
    {4, ICMP4_UNREACHABLE, 1, REASON_HOST_UNREACH, true},
    {4, ICMP4_UNREACHABLE, 2, REASON_PROTO_UNREACH, false},
    {4, ICMP4_UNREACHABLE, 3, REASON_PORT_UNREACH, false},
    {4, ICMP4_UNREACHABLE, 5, REASON_DEST_UNREACH, true}, /* source route failed */
    {4, ICMP4_UNREACHABLE, 9, REASON_NET_PROHIBITED, false},
    {4, ICMP4_UNREACHABLE, 10, REASON_HOST_PROHIBITED, false},
    {4, ICMP4_UNREACHABLE, 13, REASON_ADMIN_PROHIBITED, false},
    {4, ICMP4_UNREACHABLE, ANY_CODE, REASON_DEST_UNREACH, false},
    {4, ICMP4_TIME_EXCEEDED, ANY_CODE, REASON_TIME_EXCEEDED, true},

    {6, ICMP6_UNREACHABLE, 0, REASON_NO_ROUTE, true},
    {6, ICMP6_UNREACHABLE, 1, REASON_ADMIN_PROHIBITED, false},
    {6, ICMP6_UNREACHABLE, 2, REASON_BEYOND_SCOPE, false},
    {6, ICMP6_UNREACHABLE, 3, REASON_HOST_UNREACH, true},
    {6, ICMP6_UNREACHABLE, 4, REASON_PORT_UNREACH, false},
    {6, ICMP6_UNREACHABLE, 5, REASON_ADMIN_PROHIBITED, false}, /* source address failed policy */
    {6, ICMP6_UNREACHABLE, 6, REASON_REJECT_ROUTE, false},
    {6, ICMP6_UNREACHABLE, ANY_CODE, REASON_DEST_UNREACH, false},
    {6, ICMP6_TIME_EXCEEDED, ANY_CODE, REASON_TIME_EXCEEDED, true},
    {6, ICMP6_PARAM_PROBLEM, 1, REASON_PARAM_PROBLEM,
     false}, /* protocol unknown: IPv6 has no other error for it */
};

bool unreachable_verdict(uint8_t version, uint8_t type, uint8_t code, bool from_target, struct verdict *ret)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        if (row->version != version || row->type != type || (row->code != ANY_CODE && row->code != code))
            continue;
        enum rank sure = from_target ? RANK_ICMP_TARGET : RANK_ICMP_PATH;
        *ret = (struct verdict){
            .state = PORT_FILTERED,
            .reason = row->reason,
            .rank = (uint8_t)(row->soft ? RANK_ICMP_SOFT : sure),
        };
        return true;
    }
    return false;
}

static bool from_target(const struct packet *packet)
{
    return addr_equal(&packet->src, &packet->quote.dst);
}

bool unreachable_judge(const struct packet *packet, struct answer *ret)
{
    if (!packet->has_quote)
        return false;
    struct verdict verdict;
    uint8_t version = packet->layer == LAYER_ICMP4 ? 4 : 6;
    if (!unreachable_verdict(version, packet->icmp.type, packet->icmp.code, from_target(packet), &verdict))
        return false;

    verdict.ttl = packet->ttl;
    if (!from_target(packet))
        verdict.source = packet->src;
    *ret = (struct answer){.verdict = verdict, .numbers = {packet->quote.number}, .number_count = 1};
    return true;
}

bool unreachable_is_port(const struct packet *packet)
{
    if (!packet->has_quote || !from_target(packet))
        return false;
    if (packet->layer == LAYER_ICMP4)
        return packet->icmp.type == ICMP4_UNREACHABLE && packet->icmp.code == 3;
    return packet->icmp.type == ICMP6_UNREACHABLE && packet->icmp.code == 4;
}

bool unreachable_is_protocol(const struct packet *packet)
{
    if (!packet->has_quote || !from_target(packet))
        return false;
    if (packet->layer == LAYER_ICMP4)
        return packet->icmp.type == ICMP4_UNREACHABLE && packet->icmp.code == 2;
    return packet->icmp.type == ICMP6_PARAM_PROBLEM && packet->icmp.code == 1;
}
