/* What was concluded of a port, and why: the states of the Nmap reference guide, and the reasons in Nmap's
 * words, which those who read our XML expect literally. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_IP, PROTOCOL_COUNT };

/* PORT_UNKNOWN: not (completely) probed. The order is that of the reports, not of strength. */
enum port_state {
    PORT_UNKNOWN,
    PORT_OPEN,
    PORT_CLOSED,
    PORT_FILTERED,
    PORT_UNFILTERED,
    PORT_OPEN_FILTERED,
    PORT_CLOSED_FILTERED,
    PORT_STATE_COUNT
};

enum reason {
    REASON_NO_RESPONSE,
    REASON_SYN_ACK,
    REASON_SPLIT_HANDSHAKE_SYN,
    REASON_RESET,
    REASON_CONN_REFUSED,
    REASON_UDP_RESPONSE,
    REASON_PROTO_RESPONSE,
    REASON_INIT_ACK,
    REASON_ABORT,
    REASON_ERROR_CHUNK, /* SCTP ERROR in answer to our cookie: somebody is there; "sctp-error" */
    REASON_NET_UNREACH,
    REASON_HOST_UNREACH,
    REASON_PROTO_UNREACH,
    REASON_PORT_UNREACH,
    REASON_DEST_UNREACH,
    REASON_NET_PROHIBITED,
    REASON_HOST_PROHIBITED,
    REASON_ADMIN_PROHIBITED,
    REASON_TIME_EXCEEDED,
    REASON_PARAM_PROBLEM,
    REASON_NO_ROUTE,
    REASON_BEYOND_SCOPE,
    REASON_REJECT_ROUTE,
    REASON_ECHO_REPLY,
    REASON_TIMESTAMP_REPLY,
    REASON_ARP_RESPONSE,
    REASON_ND_RESPONSE,
    REASON_LOCALHOST_RESPONSE,
    REASON_USER_SET,
    REASON_IPID_CHANGE,
    REASON_NO_IPID_CHANGE,
    REASON_FTP_OPEN,       /* the relay reached it: 150 or 226; "ftp-transfer" */
    REASON_FTP_REFUSED,    /* the relay could not connect: 425 or 426; "ftp-refused" */
    REASON_RELAY_REFUSED,  /* the server of a bounce scan did not want to ask; "relay-refused" */
    REASON_UNFINISHED,     /* the scan of this port was cut short; "unfinished" */
    REASON_PROBE_RETURNED, /* our probe came back as it was; "probe-returned" */
    REASON_COUNT
};

/* What became of an open TCP port to which a connection was made (--verify). */
enum confirmation {
    CONFIRMATION_NONE,         /* it was not looked at */
    CONFIRMATION_ACKNOWLEDGED, /* confirmed: it acknowledged data, or said something itself */
    CONFIRMATION_RESET,        /* not confirmed: reset after the handshake, before data was acknowledged */
    CONFIRMATION_SILENT,       /* not confirmed: the handshake was all */
    CONFIRMATION_NO_HANDSHAKE, /* not confirmed: there was none, this time */
    CONFIRMATION_UNTRIED, /* not confirmed: left out, since too many ports were silent, or data might harm */
    CONFIRMATION_COUNT
};

/* How good a piece of evidence is. Better replaces worse, never the reverse (design decision 6). */
enum rank {
    RANK_SILENCE,
    RANK_ICMP_SOFT,   /* an ICMP error that may pass: tried once more before it is final */
    RANK_ICMP_PATH,   /* an ICMP error from somebody on the way */
    RANK_ICMP_TARGET, /* an ICMP error from the target itself */
    RANK_RESET,       /* RST or ABORT in the host's name: its TTL is looked at in results/whole_host.h */
    RANK_SERVICE      /* the service answered */
};

/* Of an answer of the target itself: RANK_RESET or RANK_ICMP_TARGET, which are what hosts limit; else
 * RANK_SILENCE. */
enum rank rank_of_limited(enum reason reason);

struct verdict {
    uint8_t state;      /* enum port_state */
    uint8_t reason;     /* enum reason */
    uint8_t rank;       /* enum rank */
    uint8_t ttl;        /* TTL or hop limit of the packet that decided; 0 when not known */
    struct addr source; /* who sent it; ADDR_NONE when the target itself, or silence */
};

const char *protocol_name(enum protocol protocol); /* "tcp", "udp", "sctp", "ip" */
const char *state_name(enum port_state state);     /* "open|filtered", ... */
const char *reason_name(enum reason reason);       /* "no-response", ... */
const char *
confirmation_name(enum confirmation confirmation); /* "confirmed", "not confirmed: ..."; "" for none */
