/* What the packet process tells the supervisor: records of one fixed size, without pointers, through a ring
 * in shared memory. The supervisor trusts none of them: record_valid() checks every field before anything is
 * done with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "verdict/verdict.h"

enum record_type {
    RECORD_HOST_UP, /* host answered: reason, ttl, rtt_ns; or is taken as up (user-set, localhost-response) */
    RECORD_HOST_DOWN, /* host did not answer discovery: reason, source */
    RECORD_MAC,       /* the host's hardware address, in mac */
    RECORD_PORT, /* one port: port, protocol, state, reason, ttl, tries, source, rtt_ns, flags; a packet */
    RECORD_CONFIRMATION, /* of a port that was said to be open: port, protocol, confirmation */
    RECORD_HOST_DONE, /* nothing more to come for this host: all ports without a RECORD_PORT have the silent
                         state of their technique, after `tries` tries (or, with a reason other than
                         no-response, state, reason and source of this record); rtt_ns, rttvar_ns, rto_ns;
                         flags UNFINISHED, TIMED_OUT */
    RECORD_NOTE,      /* something the user should know: enum note, value[] */
    RECORD_PROGRESS,  /* running totals, in value[] by enum progress_value; several a second */
    RECORD_EVIDENCE,  /* of a longer packet of the next RECORD_PORT: host, port, protocol, part, bytes */
    RECORD_END,       /* the scan is over; flag UNFINISHED when it was cut short */

    /* How far the scan is, for a store; value[] by enum checkpoint_value. Each is true of all records before
     * it: */
    RECORD_INTAKE,      /* hosts below FIRST may be taken in from now on */
    RECORD_BLOCK_HOSTS, /* hosts FIRST .. END - 1 of the plan are in block ID, of kind KIND; repeated */
    RECORD_BLOCK,       /* block ID: every probe was asked TRIES times; then FIRST of its order once more */
    RECORD_BLOCK_VOID,  /* of which FIRST .. END - 1 of the order do not count; after its RECORD_BLOCK */
    RECORD_BLOCK_END,   /* block ID is over */
    RECORD_TYPE_COUNT
};

enum record_flag {
    RECORD_UNFINISHED = 1, /* ports without a record were not completely probed: state unknown */
    RECORD_TIMED_OUT = 2,  /* because of --host-timeout */
    RECORD_LATE = 4,       /* a correction, after HOST_DONE */
    RECORD_WEAK = 8,       /* proved by a port number alone */
    RECORD_CAPPED =
        16, /* HOST_DONE: silent ports were not asked often enough to be sure, because of --max-retries */
    RECORD_ANSWERS_ALL = 32, /* HOST_DONE: ports on which nobody listens answered as if they were open */
    RECORD_PROXIED = 64,     /* HOST_DONE: its open ports answered as only somebody in between does */
    RECORD_REPLACES = 128,   /* PORT: another one of this port came before */
};

/* value[] of RECORD_NOTE: what each number means stands behind the name */
enum note {
    NOTE_RETRY_CAP,   /* --max-retries was reached: [0] ports still silent on this host */
    NOTE_SEND_ERRORS, /* [0] errno, [1] probes that the kernel refused, all sent again */
    NOTE_RING_DROPS,  /* [0] packets our own ring dropped, [1] probes sent again for it */
    NOTE_NO_ROUTE,    /* host: [0] errno of the route look-up */
    NOTE_LOCAL_PORTS, /* connect: local ports ran out, [0] times; the probes waited */
    NOTE_WAY_GONE,    /* a link, route or address on the way to the targets is gone: the scan waits */
    NOTE_WAY_BACK,    /* [0] probes to be sent again for it, [1] milliseconds it was gone */
    NOTE_NEW_SOURCE,  /* our address towards the targets is another: [0] probes to be sent again */
    NOTE_CONFLICT,    /* host: answers about port [0] contradict each other; the first stands */
    NOTE_REROUTED,    /* so is the link or the gateway: [0] probes to be sent again */
    NOTE_ZOMBIE, /* host: [0] enum ipid_class of its IDs, [1] thousandths of packets a second of its own; and
                    from --find-zombie only [2] millionths of questions lost, [3] round trip in ns */
    NOTE_IDLE_SEEN,    /* host: a target that our question for its station showed our address */
    NOTE_IDLE_STOPPED, /* host: [0] enum idle_trouble; some of its ports stay unknown */
    NOTE_RATE, /* of the way from source: [0] packets a second so far, [1] from now on, [2] enum rate_cause */
    NOTE_LIMITED,    /* host: it limits [0] 1: ICMP errors, 0: resets; and is asked at its pace from now on */
    NOTE_POLICED,    /* host: probes get to it only so often; it is asked at that pace from now on */
    NOTE_SWALLOWED,  /* probes that left by the faster way of a backend got nowhere: [0] to be sent again */
    NOTE_RELAY,      /* host: the server of a bounce scan: [0] enum relay_trouble, [1] its number */
    NOTE_PATH_SPLIT, /* host: the first address of a network that is another path's from now on; [0] its
                        prefix length, [1] enum path_difference, [2] ten thousandths of what was known of it
                        that were so, and [3] of the rest of its path */
    NOTE_PATH_JOINED,  /* likewise: it shares the path again that it was split from; [2] and [3] as now */
    NOTE_PATH_CROWDED, /* behind the way from source are more than [0] networks; [1] 1: that differ */
    NOTE_PATH_SILENT,  /* nothing behind the way from source answers, for [0] milliseconds; what is known to
                          was asked */
    NOTE_PATH_ANSWERS, /* it does again, after [0] milliseconds */
    NOTE_COUNT
};

/* Why a rate changed. */
enum rate_cause {
    RATE_PROVED,   /* the path has answered often enough to begin in earnest */
    RATE_KEEPS_UP, /* answers keep up */
    RATE_QUEUES,   /* answers are late: a queue builds up */
    RATE_LOSES,    /* too few soundings come back */
    RATE_OVERRUN,  /* our own side dropped packets */
    RATE_CAUSE_COUNT
};

/* What sets a network apart from the others behind the same way. */
enum path_difference {
    PATH_LATE, /* its answers meet queues more often */
    PATH_LOST, /* probes to it are lost more often, or the answers */
    PATH_FAR,  /* most of its hosts are farther away, or nearer */
    PATH_DIFFERENCE_COUNT
};

/* Why an idle scan of a target ended early. */
enum idle_trouble {
    IDLE_ZOMBIE_SILENT, /* the zombie stopped answering */
    IDLE_ZOMBIE_JUMPS,  /* its IDs jump in ways that no traffic explains */
    IDLE_NOT_SHARED,    /* what is sent to it in the target's name does not move its ID */
    IDLE_NO_STATION,    /* the target, or the zombie, does not answer on the link */
    IDLE_NO_ROUTE,
    IDLE_OWN_ADDRESS,  /* the target is this machine, or the zombie itself */
    IDLE_OTHER_FAMILY, /* the zombie speaks IPv4 and the target IPv6, or the other way round */
    IDLE_TROUBLE_COUNT
};

/* What is wrong with the server of a bounce scan, and the number behind it: of its reply, or errno. */
enum relay_trouble {
    RELAY_UNREACHABLE,   /* errno */
    RELAY_NO_FTP,        /* it says something else; 0 */
    RELAY_SILENT,        /* it says nothing, though it took our connection; 0 */
    RELAY_HANGS_UP,      /* errno, or 0 */
    RELAY_FULL,          /* it takes no login now; reply */
    RELAY_NO_LOGIN,      /* it does not know the user, or the password; reply */
    RELAY_FORBIDS,       /* it connects to nobody else for us; reply */
    RELAY_NO_LIST,       /* it knows neither LIST nor NLST; reply */
    RELAY_FORBIDS_LOW,   /* it does not connect to ports below 1024; reply. The others can be scanned */
    RELAY_FORBIDS_V6,    /* it does not connect to IPv6 addresses; reply. The others can be scanned */
    RELAY_TELLS_NOTHING, /* it took our orders and never said what became of one, so silence says little; 0 */
    RELAY_TROUBLE_COUNT
};

enum progress_value {
    PROGRESS_PROBES_SENT,
    PROGRESS_PROBES_PLANNED, /* best current estimate of all that will be sent */
    PROGRESS_ANSWERS,
    PROGRESS_DROPS,    /* our own: ring, send errors */
    PROGRESS_REJECTED, /* answers that were not proved or could not be decoded */
    PROGRESS_RATE_PPS,
    PROGRESS_HOSTS_DONE,
    PROGRESS_HOSTS_UP,
    PROGRESS_COUNT
};

#define RECORD_BYTES      64
#define RECORD_PACKET_MAX 56  /* of a packet in the record of its port: a SYN/ACK of IPv4 has room */
#define EVIDENCE_MAX      128 /* of a packet; two parts */

/* What a block asks. */
enum block_kind {
    BLOCK_NEIGHBOR, /* ARP and ND of hosts on link */
    BLOCK_PING,     /* discovery of all others */
    BLOCK_PORTS,    /* the scan itself */
    BLOCK_KIND_COUNT
};

enum checkpoint_value { CHECKPOINT_ID, CHECKPOINT_KIND, CHECKPOINT_TRIES, CHECKPOINT_FIRST, CHECKPOINT_END };

/* value[] of RECORD_END: what the scan knows of itself */
enum end_value {
    END_TRIES,         /* whose fate is known: of probes that were answered in the end, outside of lanes, */
    END_TRIES_LOST,    /* and how many of them were not answered */
    END_HOSTS_LIMITED, /* hosts that limit their resets or ICMP errors */
    END_PORTS_CAPPED,  /* silent ports of hosts with RECORD_CAPPED */
    END_CONFLICTS,     /* answers that contradicted an earlier one as good; the earlier one stands */
    END_DOUBT,         /* millionths: expected number of ports that are called silent by mistake */
    END_VALUE_COUNT
};

struct record {
    uint8_t type;     /* enum record_type */
    uint8_t flags;    /* enum record_flag */
    uint8_t protocol; /* enum protocol */
    uint8_t state;    /* enum port_state */
    uint8_t reason;   /* enum reason */
    uint8_t ttl;
    uint8_t tries;
    uint8_t note; /* enum note */
    uint16_t port;
    union {
        uint8_t mac[6];
        uint8_t confirmation; /* enum confirmation */
        struct evidence_part {
            uint8_t number;      /* 0, 1, ... */
            uint8_t len;         /* of bytes, that are in this part */
            uint16_t kept_len;   /* in all parts */
            uint16_t packet_len; /* of the packet itself */
        } part;
    };
    struct addr host;   /* the address that was scanned */
    struct addr source; /* of the evidence, when not the host itself */
    int64_t time_ns;    /* CLOCK_REALTIME of the packet process, or virtual time */
    union {
        struct {
            int64_t rtt_ns; /* 0: not known */
            union {
                struct {
                    int64_t rttvar_ns; /* HOST_DONE */
                    int64_t rto_ns;    /* HOST_DONE; rtt_ns is then the smoothed one */
                };
                uint8_t packet[RECORD_PACKET_MAX]; /* PORT: part.len bytes of it */
            };
        };
        uint64_t value[PROGRESS_COUNT];
        uint8_t bytes[RECORD_BYTES]; /* EVIDENCE */
    };
};

/* Is it about one host, and so for results? */
bool record_names_host(const struct record *record);

/* Every enum in range; addresses of a known family, spelled the one way, the source of the host's family; no
 * time or number that a report cannot print. */
bool record_valid(const struct record *record);
