/* Connect scan (-sT). Open: connected; closed: refused by an RST; filtered: refused by an ICMP error, or
 * silence. An ICMP port unreachable also ends a connect with ECONNREFUSED: only a received segment makes it a
 * reset. */
#include "technique/connect.h"

#include <errno.h>
#include <stddef.h>

#include "technique/rows.h"
#include "technique/unreachable.h"

/* What the kernel makes of an ICMP error when it does not say which it was. */
struct errno_row {
    int error;
    uint8_t reason;
    bool soft;
};

static const struct errno_row errno_rows[] = {
    {ECONNREFUSED, REASON_PORT_UNREACH, false}, {EHOSTUNREACH, REASON_HOST_UNREACH, true},
    {ENETUNREACH, REASON_NET_UNREACH, true},    {ENOPROTOOPT, REASON_PROTO_UNREACH, false},
    {EACCES, REASON_ADMIN_PROHIBITED, false},   {EPROTO, REASON_PARAM_PROBLEM, false},
    {EOPNOTSUPP, REASON_DEST_UNREACH, false},   {ENONET, REASON_DEST_UNREACH, false},
};

static bool errno_verdict(int error, struct verdict *ret)
{
    for (size_t i = 0; i < sizeof errno_rows / sizeof errno_rows[0]; i++) {
        if (errno_rows[i].error != error)
            continue;
        *ret = (struct verdict){
            .state = PORT_FILTERED,
            .reason = errno_rows[i].reason,
            .rank = errno_rows[i].soft ? RANK_ICMP_SOFT : RANK_ICMP_PATH,
        };
        return true;
    }
    return false;
}

bool connect_judge(const struct connect_outcome *outcome, struct verdict *ret)
{
    if (outcome->error == 0) {
        *ret = (struct verdict){.state = PORT_OPEN, .reason = REASON_SYN_ACK, .rank = RANK_SERVICE};
        return true;
    }
    bool reset = outcome->error == ECONNREFUSED || outcome->error == ECONNRESET;
    if (reset && outcome->reset_seen && !outcome->has_icmp) {
        *ret = (struct verdict){.state = PORT_CLOSED, .reason = REASON_CONN_REFUSED, .rank = RANK_RESET};
        return true;
    }
    if (!outcome->has_icmp)
        return errno_verdict(outcome->error, ret);

    bool from_target = outcome->offender.family != ADDR_NONE && addr_equal(&outcome->offender, &outcome->dst);
    struct verdict verdict;
    if (!unreachable_verdict(outcome->version, outcome->icmp_type, outcome->icmp_code, from_target, &verdict))
        return false;
    if (!from_target)
        verdict.source = outcome->offender;
    *ret = verdict;
    return true;
}

const struct technique technique_connect = {
    .name = "connect",
    .title = "connect scan",
    .kind = REQUEST_CONNECT,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_FILTERED,
    .has_ports = true,
};

/* A host that accepts or refuses a connection is up. */
const struct technique technique_ping_connect = {
    .name = "ping-connect",
    .title = "connect ping",
    .kind = REQUEST_CONNECT,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_UNKNOWN,
    .has_ports = true,
    .pings = true,
};
