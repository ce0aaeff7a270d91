/* What a simulated host sends back: bytes in, bytes out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "netio/sim.h"

#define SIM_PACKET_MAX 256

/* Token buckets of one sim_host entry. */
struct sim_limits {
    double rst_tokens, icmp_tokens;
    int64_t at_ns;
};

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

/* A forged answer to the probe: right addresses and ports, a number drawn from `random`, kind by random % 3. */
size_t sim_forgery(const struct sim_question *question, uint64_t random,
                   uint8_t answer[static SIM_PACKET_MAX]);

/* What the port of this host does. */
struct sim_port sim_port_of(const struct sim_host *host, uint8_t ip_proto, uint16_t port);

/* Takes a token if there is one. */
bool sim_limit_passes(double *tokens, double rate_pps, unsigned burst, int64_t *at_ns, int64_t now_ns);
