/* What a simulated host sends back: bytes in, bytes out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "netio/sim/limit.h"
#include "netio/sim/sim.h"

#define SIM_PACKET_MAX 256

struct sim_question {
    const struct sim_config *config;
    const struct sim_host *host;
    struct sim_limits *limits;
    const uint8_t *probe; /* the IP packet as it arrived */
    size_t probe_len;
    uint8_t try_number;
    int64_t now_ns; /* when it arrived */
};

/* The answer as an IP packet. 0: none. */
size_t sim_answer(const struct sim_question *question, uint8_t answer[static SIM_PACKET_MAX]);

/* From a host that sends back what it gets: what our own kernel says to the probe when it comes back, come
 * back. 0: it says nothing, or what nobody would take for an answer. */
size_t sim_answer_returned(const struct sim_question *question, uint8_t answer[static SIM_PACKET_MAX]);

/* A forged answer to the probe: right addresses and ports, a number drawn from `random`, kind by random %
 * 3. */
size_t sim_forgery(const struct sim_question *question, uint64_t random,
                   uint8_t answer[static SIM_PACKET_MAX]);

/* Is this IP packet a SYN/ACK? */
bool sim_is_syn_ack(const uint8_t *packet, size_t len);

/* The entry that has this address; NULL: nobody does. */
const struct sim_host *sim_host_of(const struct sim_config *config, const struct addr *addr);

/* What the port of this host does. */
struct sim_port sim_port_of(const struct sim_host *host, uint8_t ip_proto, uint16_t port);
