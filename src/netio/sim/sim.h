/* The simulated network: hosts whose truth is known, delay, loss, duplication, reordering, limiters and
 * forgers, in virtual time. Probes are built to bytes and answers are decoded from bytes, as on a real
 * network. The same seed gives the same bytes at the same times. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netio/netio.h"
#include "netio/route/source_pool.h"

/* What a port does with a probe. */
enum sim_behaviour {
    SIM_CLOSED, /* the stack answers: RST, ICMP port unreachable */
    SIM_OPEN,   /* a service answers */
    SIM_DROP,   /* a firewall drops it */
    SIM_ICMP,   /* a firewall answers with an ICMP error */

    /* Strange and hostile ones: */
    SIM_BARE_SYN,       /* SYN without ACK: split handshake */
    SIM_WRONG_ACK,      /* SYN/ACK that acknowledges a number we never sent */
    SIM_WRONG_RESET,    /* RST that acknowledges a number we never sent */
    SIM_STRANGE_QUOTE,  /* ICMP error that quotes a probe we never sent */
    SIM_SHORT_QUOTE,    /* a true ICMP error with the least quote there is: 8 bytes of transport header */
    SIM_BROKEN_OPTIONS, /* open, but an option in the SYN/ACK has a length that cannot be */
    SIM_TRUNCATED,      /* SYN/ACK shorter than its headers say */
    SIM_SOFT_ONCE,      /* ICMP host unreachable to the first try, open after that */
    SIM_FICKLE,         /* open to the first try, closed after that */

    /* UDP services that answer only what is asked in the protocol of their port: */
    SIM_SERVICE,       /* from that port */
    SIM_LAST_PAYLOAD,  /* from that port, and only what is asked last */
    SIM_NEW_PORT,      /* from another port */
    SIM_OTHER_ADDRESS, /* from the host's second address */
};

/* Ports first .. last of a protocol, and what they do. */
struct sim_port {
    uint8_t ip_proto; /* enum ip_proto: TCP, UDP or SCTP */
    uint16_t first, last;
    uint8_t behaviour; /* enum sim_behaviour */
    uint8_t icmp_type, icmp_code;
    bool from_router; /* the ICMP error comes from the router, not from the host */
};

/* A box in front of a host that answers every SYN in its name. What the host's ports are shows only behind
 * the handshake. */
enum sim_front {
    SIM_FRONT_NONE,
    SIM_FRONT_PROXY,   /* a SYN proxy: its SYN/ACKs have a window of 0 */
    SIM_FRONT_TARPIT,  /* nothing follows the handshake */
    SIM_FRONT_COOKIES, /* a middlebox with SYN cookies, whose SYN/ACKs look like anybody's */
};

/* How a host's limiter of resets or ICMP errors counts. */
enum sim_limiter {
    SIM_LIMITER_BUCKET, /* a bucket of limiter_burst tokens that come evenly (Linux, routers) */
    SIM_LIMITER_SECOND, /* so many in each second of its clock, whatever came before (FreeBSD, Windows) */
};

/* Hosts first .. last, all alike. Ports not listed are closed. */
struct sim_host {
    struct addr first, last; /* same family */
    const struct sim_port *ports;
    size_t port_count;
    enum sim_behaviour otherwise; /* of ports not listed */
    const uint8_t *protocols;     /* IP protocols it speaks besides TCP, UDP and ICMP */
    size_t protocol_count;
    struct addr second;               /* of SIM_OTHER_ADDRESS */
    bool on_link;                     /* reached by ARP or ND */
    bool down;                        /* answers nothing at all, */
    int64_t down_from_ns, down_to_ns; /* or nothing in this span */
    bool silent_to_pings;
    uint8_t front;          /* enum sim_front */
    uint8_t front_ttl;      /* of its packets when they reach us; 0: that of the host's */
    bool mirrors;           /* sends every packet back as it is, addresses and ports changed over */
    bool not_to_be_spoofed; /* spoofed packets to it, and in its name, are filtered on their way */
    uint8_t ttl;            /* of its packets when they reach us; 0: 64 */
    int64_t rtt_ns;
    int64_t jitter_ns;                  /* added to each round trip, uniform 0 .. jitter_ns: reorders */
    int64_t stalls_every_ns, stalls_ns; /* so often it stands still for so long, and answers afterwards */
    double loss_out;                    /* chance that a probe is lost on its way, 0 .. 1 */
    double loss_back;                   /* and an answer on its way back */
    double duplicate;                   /* chance that an answer comes twice, */
    int64_t duplicate_ns;               /* the second so much later: a SYN/ACK that nobody acknowledged */
    bool repeats_syn_ack;       /* one that is lost comes again 1, 3 and 7 s later, as from a real stack */
    bool resets_all;            /* open ports reset NULL, FIN, Xmas and Maimon probes too (Windows does) */
    bool speaks_sctp;           /* without it SCTP draws a protocol unreachable */
    bool silent_to_cookies;     /* open SCTP ports drop a strange cookie instead of saying that it is stale */
    bool drops_fin_ack;         /* open ports drop FIN/ACK (BSD does) */
    uint16_t open_reset_window; /* of an open port's RST to an ACK; that of a closed one is 0 */
    double rst_rate_pps;        /* limiter of resets; 0: none */
    double icmp_rate_pps;       /* limiter of ICMP errors, likewise */
    /* with a bucket of icmp_rate_pps for each address that its ICMP errors go to, the limiter of all
     * together, which holds a twentieth of a second and is asked first (Linux); 0: one for all */
    double icmp_total_pps;
    uint8_t limiter;  /* enum sim_limiter */
    bool limits_each; /* each host has limiters of its own; else those of this entry share them */
    unsigned limiter_burst;
    double limiter_spent; /* tokens that its bucket lacks at the start */
};

/* A link on the way to the hosts first .. last, who share what it carries, its queue and its bursts. A probe
 * passes every link that its address is behind, in their order; answers come back unhindered but for
 * loss_back and while it is down. */
struct sim_link {
    struct addr first, last;
    double rate_pps;        /* of probes that it carries; 0: any */
    unsigned queue_len;     /* probes that wait at most; one more is dropped */
    unsigned policer_burst; /* instead of a queue: a bucket of so many tokens; what finds none is dropped */
    uint8_t policed_proto;  /* the IP protocol that it looks at; 0: all */
    double loss_out, loss_back; /* share of the probes, and of the answers, that is lost */
    int64_t burst_ns; /* mean time for which everything is lost (Gilbert-Elliott); 0: each packet by itself */
    int64_t down_from_ns, down_to_ns; /* nothing passes */
    int64_t changes_at_ns;            /* 0: never; then the rate becomes: */
    double changed_rate_pps;
};

struct sim_zombie;
struct sim_relay;

struct sim_config {
    uint64_t seed;
    const struct sim_host *hosts;
    size_t host_count;
    const struct sim_link *links;
    size_t link_count;
    const struct sim_zombie *zombies; /* hosts for idle scans, see sim/zombie.h; none is among the others */
    size_t zombie_count;
    const struct sim_relay *relays; /* FTP servers for bounce scans, see sim/relay.h */
    size_t relay_count;
    struct addr source4, source6, router4, router6; /* ours, and the router's; may be ADDR_NONE */
    const struct source_pool *pool;                 /* more addresses of ours; NULL: none */
    int64_t send_cost_ns;                           /* time that sending one probe takes; 0: 1 us */
    double no_room; /* chance that a probe finds none at our socket: its order ends before it */
    /* Our own process is not run for 0 .. lag_ns, uniform, before each order's first probe leaves. */
    int64_t lag_ns;
    unsigned forgeries_per_probe; /* answers by somebody who knows our ports but not our numbers */
    uint16_t forger_first_port, forger_port_count; /* only the range of ours, when it is given (off-path) */
    int64_t deaf_from_ns, deaf_to_ns; /* our own ring drops what arrives in this span, and says so */
    int64_t away_from_ns, away_to_ns; /* our own link is down in this span, which is told */
    uint64_t unsendable;              /* the first so many probes do not leave: EPERM */
};

/* *config and what it points to must outlive the simulator. NULL without memory. */
struct netio *sim_new(const struct sim_config *config);
