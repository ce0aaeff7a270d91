/* A technique: how to ask one port, and what each answer means. One file and one row in table.c each; pure
 * functions over bytes, no state, no I/O. docs: CONTRIBUTING, "a technique". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "packet/packet.h"
#include "verdict/verdict.h"

struct technique;

/* ip_proto6 of a technique that is never asked over IPv6: a reserved protocol number. */
#define IP_PROTO_NEVER 0xff

/* How a request reaches the network. */
enum request_kind {
    REQUEST_PACKET,   /* build() makes the bytes above the IP header */
    REQUEST_CONNECT,  /* the kernel connects a TCP socket; netio reports errno and evidence */
    REQUEST_NEIGHBOR, /* ARP or neighbour solicitation, made by netio itself */
    REQUEST_STREAM,   /* a byte stream to a server that asks for us: never in an order (netio/stream.h) */
};

/* One probe: this technique asks this port of this host for the n-th time. */
struct probe {
    const struct technique *technique; /* borrowed, static */
    struct addr src;
    struct addr dst;
    uint16_t source_port; /* 0 when the technique has none (ICMP) */
    uint16_t port;        /* target port, or IP protocol number for -sO; 0 for ICMP */
    uint32_t number;      /* the keyed number that proves an answer; see token.h */
    uint8_t try_number;   /* 0 for the first */
    uint64_t bit;         /* of the block it comes from: which probe this is */
};

/* What an answer claims, and by which numbers it must prove that it answers us: it is believed only when one
 * of numbers[0 .. number_count-1] is the number of the probe. number_count 0: nothing but the port can prove
 * it (weak). */
struct answer {
    struct verdict verdict;
    uint32_t numbers[3];
    uint8_t number_count;
    bool upper_half;   /* of a number only the upper half came back; the lower half of numbers[] is 0 */
    bool port_will_do; /* when no number fits, the port proves it all the same (weak) */
    bool has_theirs;   /* theirs is a number that the sender chose: */
    uint32_t theirs;   /* if it is the number of the probe, this is the probe, come back */
};

/* What the user wants the probes to carry. */
struct probe_data {
    const uint8_t *bytes;
    size_t len;
};

struct technique {
    const char *name;              /* "syn"; that of scaninfo@type in XML */
    const char *title;             /* "SYN scan", for live lines */
    uint8_t kind;                  /* enum request_kind */
    uint8_t ip_proto;              /* IP protocol of the probe over IPv4; 0 with REQUEST_NEIGHBOR */
    uint8_t ip_proto6;             /* and over IPv6 */
    uint8_t protocol;              /* enum protocol of the ports it scans */
    uint8_t silent_state;          /* enum port_state after silence */
    uint8_t tcp_flags;             /* of TCP probes */
    bool has_ports;                /* answers and quotes name ports */
    bool port_is_protocol;         /* -sO: the port of a probe is its IP protocol */
    bool pings;                    /* a discovery row: PORT_OPEN means "host is up" */
    const struct probe_data *data; /* borrowed; NULL: what the technique itself sends */

    /* Write everything above the IP header, checksums included. REQUEST_PACKET only. */
    void (*build)(const struct probe *probe, struct writer *out);

    /* What a packet that matches a probe's addresses, protocol and ports says. False: nothing (it is then
     * counted and ignored). Called for direct answers and for ICMP errors that quote a probe; must not assume
     * the packet is sane. */
    bool (*judge)(const struct technique *technique, const struct packet *packet, struct answer *ret);
};

/* The IP protocol of the technique's probe to this port of this host. */
static inline uint8_t technique_ip_proto(const struct technique *technique, const struct addr *dst,
                                         uint16_t port)
{
    if (technique->port_is_protocol)
        return (uint8_t)port;
    return dst->family == ADDR_V4 ? technique->ip_proto : technique->ip_proto6;
}

/* The same technique, with probes that carry these bytes (--data): in place of a payload, or behind the
 * header. *data must outlive it. SCTP packets are made of chunks, and stay as they are. */
struct technique technique_with_data(const struct technique *base, const struct probe_data *data);

/* All techniques, for look-ups and tests. */
extern const struct technique *const technique_table[];
extern const unsigned technique_table_len;

/* By name, or NULL. */
const struct technique *technique_find(const char *name);
