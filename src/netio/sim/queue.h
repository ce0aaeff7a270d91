/* What is on its way to us on the simulated network, ordered by the time it arrives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netio/netio.h"
#include "netio/sim/answer.h"

/* Something that reaches us: a packet, or the end of a connect(). */
struct sim_arrival {
    int64_t time_ns;
    uint64_t serial; /* of equal times the first scheduled comes first */
    bool is_connect;
    bool is_frame; /* an Ethernet frame (ARP, ND), not an IP packet */
    size_t len;
    uint8_t bytes[SIM_PACKET_MAX];
    struct connect_event connect;
};

struct sim_queue {
    struct sim_arrival **heap; /* owned, and what it points to; earliest on top */
    size_t len, capacity;
    uint64_t serial;
};

/* Copies *what, and sets its time. Without memory it is lost, as packets may be. */
void sim_queue_add(struct sim_queue *queue, const struct sim_arrival *what, int64_t time_ns);

/* When the next one arrives; TIME_NEVER: nothing is on its way. */
int64_t sim_queue_next_ns(const struct sim_queue *queue);

/* The next one, to be freed. The queue is not empty. */
struct sim_arrival *sim_queue_take(struct sim_queue *queue);

void sim_queue_done(struct sim_queue *queue);
