#include "verdict/verdict.h"

#include <assert.h>

enum rank rank_of_limited(enum reason reason)
{
    static const uint8_t ranks[REASON_COUNT] = {
        [REASON_RESET] = RANK_RESET,
        [REASON_ABORT] = RANK_RESET,
        [REASON_NET_UNREACH] = RANK_ICMP_TARGET,
        [REASON_HOST_UNREACH] = RANK_ICMP_TARGET,
        [REASON_PROTO_UNREACH] = RANK_ICMP_TARGET,
        [REASON_PORT_UNREACH] = RANK_ICMP_TARGET,
        [REASON_DEST_UNREACH] = RANK_ICMP_TARGET,
        [REASON_NET_PROHIBITED] = RANK_ICMP_TARGET,
        [REASON_HOST_PROHIBITED] = RANK_ICMP_TARGET,
        [REASON_ADMIN_PROHIBITED] = RANK_ICMP_TARGET,
        [REASON_TIME_EXCEEDED] = RANK_ICMP_TARGET,
        [REASON_PARAM_PROBLEM] = RANK_ICMP_TARGET,
        [REASON_NO_ROUTE] = RANK_ICMP_TARGET,
        [REASON_BEYOND_SCOPE] = RANK_ICMP_TARGET,
        [REASON_REJECT_ROUTE] = RANK_ICMP_TARGET,
    };
    assert(reason < REASON_COUNT);
    return (enum rank)ranks[reason];
}

const char *protocol_name(enum protocol protocol)
{
    static const char *const names[PROTOCOL_COUNT] = {
        [PROTOCOL_TCP] = "tcp",
        [PROTOCOL_UDP] = "udp",
        [PROTOCOL_SCTP] = "sctp",
        [PROTOCOL_IP] = "ip",
    };
    assert(protocol < PROTOCOL_COUNT);
    return names[protocol];
}

const char *state_name(enum port_state state)
{
    static const char *const names[PORT_STATE_COUNT] = {
        [PORT_UNKNOWN] = "unknown",
        [PORT_OPEN] = "open",
        [PORT_CLOSED] = "closed",
        [PORT_FILTERED] = "filtered",
        [PORT_UNFILTERED] = "unfiltered",
        [PORT_OPEN_FILTERED] = "open|filtered",
        [PORT_CLOSED_FILTERED] = "closed|filtered",
    };
    assert(state < PORT_STATE_COUNT);
    return names[state];
}

const char *reason_name(enum reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_NO_RESPONSE] = "no-response",
        [REASON_SYN_ACK] = "syn-ack",
        [REASON_SPLIT_HANDSHAKE_SYN] = "split-handshake-syn",
        [REASON_RESET] = "reset",
        [REASON_CONN_REFUSED] = "conn-refused",
        [REASON_UDP_RESPONSE] = "udp-response",
        [REASON_PROTO_RESPONSE] = "proto-response",
        [REASON_INIT_ACK] = "init-ack",
        [REASON_ABORT] = "abort",
        [REASON_ERROR_CHUNK] = "sctp-error",
        [REASON_NET_UNREACH] = "net-unreach",
        [REASON_HOST_UNREACH] = "host-unreach",
        [REASON_PROTO_UNREACH] = "proto-unreach",
        [REASON_PORT_UNREACH] = "port-unreach",
        [REASON_DEST_UNREACH] = "dest-unreach",
        [REASON_NET_PROHIBITED] = "net-prohibited",
        [REASON_HOST_PROHIBITED] = "host-prohibited",
        [REASON_ADMIN_PROHIBITED] = "admin-prohibited",
        [REASON_TIME_EXCEEDED] = "time-exceeded",
        [REASON_PARAM_PROBLEM] = "param-problem",
        [REASON_NO_ROUTE] = "no-route",
        [REASON_BEYOND_SCOPE] = "beyond-scope",
        [REASON_REJECT_ROUTE] = "reject-route",
        [REASON_ECHO_REPLY] = "echo-reply",
        [REASON_TIMESTAMP_REPLY] = "timestamp-reply",
        [REASON_ARP_RESPONSE] = "arp-response",
        [REASON_ND_RESPONSE] = "nd-response",
        [REASON_LOCALHOST_RESPONSE] = "localhost-response",
        [REASON_USER_SET] = "user-set",
        [REASON_IPID_CHANGE] = "ipid-change",
        [REASON_NO_IPID_CHANGE] = "no-ipid-change",
        [REASON_FTP_OPEN] = "ftp-transfer",
        [REASON_FTP_REFUSED] = "ftp-refused",
        [REASON_RELAY_REFUSED] = "relay-refused",
        [REASON_UNFINISHED] = "unfinished",
        [REASON_PROBE_RETURNED] = "probe-returned",
    };
    assert(reason < REASON_COUNT);
    return names[reason];
}

const char *confirmation_name(enum confirmation confirmation)
{
    static const char *const names[CONFIRMATION_COUNT] = {
        [CONFIRMATION_NONE] = "",
        [CONFIRMATION_ACKNOWLEDGED] = "confirmed",
        [CONFIRMATION_RESET] = "not confirmed: reset after the handshake",
        [CONFIRMATION_SILENT] = "not confirmed: no data acknowledged",
        [CONFIRMATION_NO_HANDSHAKE] = "not confirmed: no second handshake",
        [CONFIRMATION_UNTRIED] = "not confirmed: not tried",
    };
    return names[confirmation];
}
