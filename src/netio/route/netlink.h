/* What the kernel knows of links, addresses, routes, policy rules and neighbours (rtnetlink(7)), as plain
 * values. Needs no privilege. libmnl stays behind this file and netlink_ask.h. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

enum link_kind {
    LINK_ETHERNET, /* frames with addresses that ARP or ND finds */
    LINK_LOOPBACK,
    LINK_PLAIN /* no addresses to find: tun, ppp, NOARP */
};

struct link {
    uint32_t index;
    char name[IFNAMSIZ];
    uint8_t kind;  /* enum link_kind */
    bool up;       /* administratively up and with a carrier */
    bool enslaved; /* a port of a bridge, bond or VRF */
    bool software; /* no card: veth, bridge, VLAN and the like */
    uint32_t mtu;
    uint8_t mac[6]; /* LINK_ETHERNET only, else zero */
};

/* An address of this machine. */
struct link_address {
    uint32_t index; /* of its link */
    struct addr addr;
    uint8_t prefix_len;
    uint8_t scope;   /* RT_SCOPE_... */
    bool usable;     /* not tentative, no duplicate found */
    bool deprecated; /* RFC 4862: not for new communication */
};

struct kernel_route {
    uint32_t table;  /* RT_TABLE_... */
    uint8_t type;    /* RTN_UNICAST, ... */
    uint8_t tos;     /* IPv4: only for packets with this type of service; 0: any */
    struct addr dst; /* start of the prefix */
    uint8_t prefix_len;
    uint32_t index;      /* of the link; 0: none (blackhole and the like) */
    struct addr gateway; /* ADDR_NONE: on link; may be IPv6 for an IPv4 route (RFC 5549) */
    struct addr source;  /* preferred source; ADDR_NONE: choose */
    uint32_t metric;     /* the lowest wins */
};

struct kernel_rule {
    uint8_t family; /* enum addr_family */
    uint8_t action; /* FR_ACT_... */
    bool invert;
    bool foreign;    /* has a condition that no probe meets: a mark, another input interface than lo */
    bool unknowable; /* has a condition that no route look-up can judge: ports, protocol, user, tunnel, VRF */
    uint32_t priority;
    uint32_t table;
    uint32_t target; /* FR_ACT_GOTO: go on at this priority */
    struct addr src; /* ADDR_NONE: any */
    struct addr dst; /* ADDR_NONE: any */
    uint8_t src_len;
    uint8_t dst_len;
    int suppress_prefix_len; /* ignore a route found with a prefix this short; -1: none */
    char output[IFNAMSIZ];   /* only for packets bound to this interface; "": any */
};

struct kernel_neighbor {
    uint32_t index;
    struct addr addr;
    bool permanent; /* set by the administrator: never asked again */
    uint8_t mac[6];
};

/* Who wants to know. Each function is called for every object of its kind and may be NULL: those are not
 * asked for. They return 0, or below 0 to give up (out of memory). */
struct netlink_visitor {
    void *context;
    int (*link)(void *context, const struct link *link);
    int (*address)(void *context, const struct link_address *address);
    int (*route)(void *context, const struct kernel_route *route);
    int (*rule)(void *context, const struct kernel_rule *rule);
    int (*neighbor)(void *context,
                    const struct kernel_neighbor *neighbor); /* only those with a valid address */
};

/* Ask the kernel and call the visitor: links first, then addresses, routes, rules, neighbours. Fails with
 * -EX_OSERR, or -EX_TEMPFAIL when things changed while they were read: start again from nothing. */
int netlink_visit(const struct netlink_visitor *visitor, struct error *err);

/* The same through a socket that is open already. */
struct mnl_socket;
int netlink_visit_through(struct mnl_socket *socket, const struct netlink_visitor *visitor,
                          struct error *err);
