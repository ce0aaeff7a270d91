/* Links of the simulated network: what passes them, and how late. */
#pragma once

#include "base/rand.h"
#include "netio/sim/sim.h"

/* One direction of a link: is it losing everything now? */
struct sim_bursts {
    bool losing;
    int64_t until_ns; /* when that changes */
};

struct sim_link_state {
    const struct sim_link *link;
    struct rand rand;
    int64_t free_ns;   /* when the last probe in the queue has left */
    double tokens;     /* of the policer, */
    int64_t tokens_ns; /* as of then */
    struct sim_bursts out, back;
};

void sim_link_init(struct sim_link_state *state, const struct sim_link *link, uint64_t seed);

bool sim_link_leads_to(const struct sim_link *link, const struct addr *dst);

/* A probe of this IP protocol that reaches the link at *time_ns. False: it is lost; true: *time_ns is when it
 * leaves. */
bool sim_link_probe(struct sim_link_state *state, uint8_t ip_proto, int64_t *time_ns);

/* Does an answer pass it at this time? */
bool sim_link_answer(struct sim_link_state *state, int64_t time_ns);
