/* A token bucket on a clock that is given: how many packets may leave now. */
#pragma once

#include <stdint.h>

struct pacer {
    double rate_pps; /* > 0 */
    double tokens;   /* may be negative: more left than was asked for (our own ARP requests) */
    int64_t at_ns;   /* when tokens was right */
};

void pacer_init(struct pacer *pacer, double rate_pps, int64_t now_ns);
void pacer_set_rate(struct pacer *pacer, double rate_pps);

/* Packets that may leave at this time. The bucket holds PACER_BURST_NS of the rate; at low rates twice as
 * long, up to PACER_FEW packets, so that a machine that wakes us late costs nothing; at least one. What falls
 * due within PACER_GRAIN_NS, which is more exactly than the kernel wakes anybody, leaves together: a turn of
 * the engine for each packet would cost more than the packet. */
#define PACER_BURST_NS (4 * MSEC)
#define PACER_GRAIN_NS (16 * USEC)
#define PACER_FEW      8
uint32_t pacer_allowance(struct pacer *pacer, int64_t now_ns);

/* Nothing leaves for so long. */
void pacer_wait(struct pacer *pacer, int64_t wait_ns);

void pacer_spend(struct pacer *pacer, uint64_t packets);

/* When the next packets may leave. */
int64_t pacer_next_ns(const struct pacer *pacer);
